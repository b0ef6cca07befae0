import { Alert, Group, SegmentedControl, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useRef, useState } from "react";
import type { WholeCall } from "../things.ts";
import { length } from "../times.ts";
import { CALL_STATUS, outcomeLook } from "../words.ts";
import { CopyId, Sign, When } from "./signs.tsx";

type Props = {
  call: WholeCall;
  zone: string;
  agent: string;
  /** Where the recording plays from; null for whoever may not hear it. */
  recording: string | null;
};

/** Everything that is known of one call (H32). */
export function CallView({ call, zone, agent, recording }: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const [speed, setSpeed] = useState("1");
  const money =
    call.cost === null
      ? null
      : `${call.cost.toLocaleString("en-US", { maximumFractionDigits: 4 })} ${call.currency ?? ""}`;
  const analysed = flat(call.analysis ?? {});
  return (
    <Stack gap="md" py="sm">
      {call.recordingUrl !== null && recording !== null && (
        <div>
          {/* biome-ignore lint/a11y/useMediaCaption: the transcript below is its text */}
          <audio
            ref={audio}
            src={recording}
            controls
            preload="none"
            style={{ width: "100%" }}
            aria-label={`Recording of attempt ${call.attempt}`}
            onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime * 1_000)}
            onEnded={() => setAt(null)}
          />
          <SegmentedControl
            size="xs"
            aria-label="Speed"
            value={speed}
            onChange={(value) => {
              setSpeed(value);
              if (audio.current !== null) audio.current.playbackRate = Number(value);
            }}
            data={["1", "1.25", "1.5", "2"].map((value) => ({ value, label: `${value}×` }))}
          />
        </div>
      )}
      {call.masked === true && (
        <Alert color="gray" py="xs">
          Number, recording and transcript are shown to those who were granted them.
        </Alert>
      )}
      <Transcript
        call={call}
        at={at}
        seek={(ms) => {
          if (audio.current !== null) audio.current.currentTime = ms / 1_000;
        }}
      />
      {analysed.length > 0 && (
        <div>
          <Title order={4} size="h6" mb={6}>
            Analysis
          </Title>
          <dl className="facts">
            {analysed.map(([name, value]) => (
              <Fact key={name} name={name.replaceAll("_", " ")}>
                {typeof value === "object" ? JSON.stringify(value) : String(value)}
              </Fact>
            ))}
          </dl>
        </div>
      )}
      <div>
        <Title order={4} size="h6" mb={6}>
          Call
        </Title>
        <dl className="facts">
          <Fact name="Id">
            <CopyId id={call.id} what="the call's id" />
          </Fact>
          <Fact name="Status">
            <Sign look={CALL_STATUS[call.status]} />
          </Fact>
          {call.outcome !== null && (
            <Fact name="Outcome">
              <Sign look={outcomeLook(call.outcome)} />
            </Fact>
          )}
          {call.word !== null && <Fact name="Carrier's word">{call.word}</Fact>}
          {call.reported !== null && (
            <Fact name="Reported later">
              <Sign look={outcomeLook(call.reported)} />
            </Fact>
          )}
          <Fact name="Agent">{agent}</Fact>
          <Fact name="From">{call.from}</Fact>
          <Fact name="To">{call.to === "" ? "erased" : call.to}</Fact>
          <Fact name="Started">
            <When at={call.startedAt} zone={zone} />
          </Fact>
          {call.ringingAt !== null && (
            <Fact name="Rang">
              <When at={call.ringingAt} zone={zone} as="time" />
            </Fact>
          )}
          {call.answeredAt !== null && (
            <Fact name="Answered">
              <When at={call.answeredAt} zone={zone} as="time" />
            </Fact>
          )}
          {call.endedAt !== null && (
            <Fact name="Ended">
              <When at={call.endedAt} zone={zone} as="time" />
            </Fact>
          )}
          {call.durationMs !== null && <Fact name="On the line">{length(call.durationMs)}</Fact>}
          {call.callbackAt !== null && (
            <Fact name="Call back at">
              <When at={call.callbackAt} zone={zone} />
            </Fact>
          )}
          <Fact name="Carrier">{call.carrier}</Fact>
          {call.carrierCallId !== null && (
            <Fact name="Carrier's id">
              <CopyId id={call.carrierCallId} what="the carrier's id" />
            </Fact>
          )}
          {money !== null && <Fact name="Cost">{money}</Fact>}
        </dl>
      </div>
    </Stack>
  );
}

/** What an analysis says, one level deep; what it leaves open is left out. */
function flat(analysis: Record<string, unknown>): [string, unknown][] {
  return Object.entries(analysis).flatMap(([name, value]): [string, unknown][] => {
    if (value === null || value === "") return [];
    const nested = typeof value === "object" && !Array.isArray(value);
    return nested ? Object.entries(value as object) : [[name, value]];
  });
}

export function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Keeps what is said now in view, without taking the page away from where somebody reads. */
function follow(turn: HTMLElement | null): void {
  turn?.scrollIntoView({ block: "nearest" });
}

/** A text with what was searched for marked. */
function Highlight({ text, wanted }: { text: string; wanted: string }) {
  const at = wanted === "" ? -1 : text.toLowerCase().indexOf(wanted.toLowerCase());
  if (at === -1) return text;
  const end = at + wanted.length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}

function Transcript(props: { call: WholeCall; at: number | null; seek: (ms: number) => void }) {
  const { call, at, seek } = props;
  const [wanted, setWanted] = useState("");
  const turns = call.transcript;
  if (turns === null || turns.length === 0) return null;
  const found = turns.filter(({ text }) => text.toLowerCase().includes(wanted.toLowerCase()));
  const spoken =
    at === null ? undefined : turns.findLast(({ atMs }) => atMs !== null && atMs <= at);
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Title order={4} size="h6">
          Transcript
        </Title>
        <TextInput
          size="xs"
          aria-label="Search the transcript"
          placeholder="Search"
          leftSection={<IconSearch size={14} />}
          value={wanted}
          onChange={({ currentTarget }) => setWanted(currentTarget.value)}
        />
      </Group>
      {found.length === 0 && (
        <Text size="sm" className="quiet">
          Nothing said is like that.
        </Text>
      )}
      <Stack gap={6}>
        {found.map((turn) => {
          const { speaker, text, atMs } = turn;
          const mark = turn === spoken ? "spoken" : "";
          return (
            <div
              key={`${speaker} ${atMs} ${text}`}
              className={`turn ${speaker} ${mark}`}
              ref={turn === spoken ? follow : null}
            >
              <Text span size="xs" className="quiet">
                {speaker === "agent" ? "Agent" : "Person"}
                {atMs !== null && (
                  <>
                    {" · "}
                    <button
                      type="button"
                      className="head-button numbers"
                      style={{ padding: 0 }}
                      onClick={() => seek(atMs)}
                    >
                      {length(atMs)}
                    </button>
                  </>
                )}
              </Text>
              <div>
                <Highlight text={text} wanted={wanted} />
              </div>
            </div>
          );
        })}
      </Stack>
    </div>
  );
}
