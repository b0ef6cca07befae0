import {
  Button,
  FileButton,
  Group,
  Paper,
  Progress,
  Select,
  Stack,
  Stepper,
  Text,
  Title,
} from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconUpload } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { addressOf, call, chosenWorkspace, upload } from "../api.ts";
import { useNow } from "../clock.ts";
import { bodyOf, type Draft, freshDraft, planWords } from "../draft.ts";
import type { ListReading, Told } from "../list.ts";
import * as queries from "../queries.ts";
import type { Agent, CallingNumber, Workspace } from "../things.ts";
import { HOME_ZONE, roughly } from "../times.ts";
import { Basics, FollowUp, TimeFields } from "../ui/fields.tsx";
import { ImportView } from "../ui/ImportView.tsx";
import { ListView } from "../ui/ListView.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { BAND, counted, outcomeLook } from "../words.ts";
import { READINGS } from "./Imports.tsx";
import { useMay, useTitle } from "./session.tsx";

type Reading = "e164" | "international-without-plus";

/** A batch campaign in five steps; what was written stays when the page is left. */
export function NewBatch() {
  useTitle("New batch campaign");
  const mayRun = useMay("run");
  const workspace = useQuery(queries.workspace());
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  const error = workspace.error ?? agents.error ?? numbers.error;
  if (!mayRun) return <Text>Operators, admins and owners can make campaigns.</Text>;
  if (!workspace.data || !agents.data || !numbers.data) {
    return error === null ? <Loading rows={4} /> : <Broken error={error} />;
  }
  return (
    <Wizard workspace={workspace.data} agents={agents.data.items} numbers={numbers.data.items} />
  );
}

type WizardProps = { workspace: Workspace; agents: Agent[]; numbers: CallingNumber[] };

function Wizard({ workspace, agents, numbers }: WizardProps) {
  const [step, setStep] = useState(0);
  const [draft, setDraft, forget] = useLocalStorage<Draft>({
    key: `outdial.batch.${chosenWorkspace()}`,
    defaultValue: freshDraft(workspace, HOME_ZONE),
    getInitialValueInEffect: false,
  });
  const [file, setFile] = useState<File | null>(null);
  const [numbersAs, setNumbersAs] = useState<Reading>("e164");
  const list = useList(file, numbersAs);
  const agent = agents.find(({ id }) => id === draft.agent);
  const make = useMake(draft, file, numbersAs, forget);
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const fields = { draft, set, error: make.create.error };
  const basicsDone = draft.name.trim() !== "" && draft.agent !== null && draft.from !== null;
  const good = list.reading?.good ?? 0;
  const ready = [basicsDone, good > 0, draft.days.length > 0, true, true];
  const lacks = [
    "Name, agent and number are needed.",
    "A list with at least one number to call is needed.",
    "At least one weekday is needed.",
  ];
  if (make.campaign !== null) return <Made id={make.campaign} make={make} draft={draft} />;
  return (
    <Stack maw={760}>
      <Title order={1} size="h2">
        New batch campaign
      </Title>
      <Stepper active={step} onStepClick={setStep} size="xs" wrap iconSize={28}>
        {["Basics", "List", "Time", "Follow-up", "Review"].map((label, at) => (
          <Stepper.Step
            key={label}
            label={label}
            allowStepSelect={ready.slice(0, at).every(Boolean)}
          />
        ))}
      </Stepper>
      <Paper withBorder p="lg">
        {step === 0 && <Basics {...fields} agents={agents} numbers={numbers} />}
        {step === 1 && (
          <Stack>
            <Group align="flex-end">
              <FileButton accept=".csv,text/csv,.txt,.tsv" onChange={setFile}>
                {(props) => (
                  <Button {...props} variant="default" leftSection={<IconUpload size={16} />}>
                    {file === null ? "Choose a CSV" : "Choose another"}
                  </Button>
                )}
              </FileButton>
              {file !== null && <Text size="sm">{file.name}</Text>}
            </Group>
            <Text size="sm" className="quiet">
              The first column is called phone; the others fill the agent's prompt. It is read here:
              nothing is uploaded before the last step.
            </Text>
            {(list.reading?.rejected.no_country_code !== undefined || numbersAs !== "e164") && (
              <Select
                label="How numbers without + are read"
                allowDeselect={false}
                value={numbersAs}
                onChange={(value) => setNumbersAs((value ?? "e164") as Reading)}
                data={READINGS}
              />
            )}
            {list.share !== null && <Progress value={list.share * 100} aria-label="Read" />}
            {list.refusal !== null && <Refusal error={new Error(list.refusal)} />}
            {list.reading !== null && (
              <ListView reading={list.reading} placeholders={agent?.placeholders ?? []} />
            )}
          </Stack>
        )}
        {step === 2 && <TimeFields {...fields} />}
        {step === 3 && <FollowUp {...fields} agent={agent} />}
        {step === 4 && (
          <Review
            draft={draft}
            agent={agent}
            number={numbers.find(({ id }) => id === draft.from)?.phone ?? ""}
            good={good}
            slots={Math.min(workspace.slots, draft.slots ?? workspace.slots)}
          />
        )}
      </Paper>
      <Refusal error={make.create.error} />
      <Group>
        {step > 0 && (
          <Button variant="default" onClick={() => setStep(step - 1)}>
            Back
          </Button>
        )}
        {step < 4 ? (
          <Button disabled={!ready[step]} onClick={() => setStep(step + 1)}>
            Next
          </Button>
        ) : (
          <Button
            disabled={!ready.every(Boolean)}
            loading={make.create.isPending}
            onClick={() => make.create.mutate()}
          >
            Upload the list
          </Button>
        )}
        <Text size="sm" className="quiet">
          {ready[step] === false
            ? lacks[step]
            : step === 4
              ? "Nobody is called before you say start."
              : ""}
        </Text>
      </Group>
    </Stack>
  );
}

/** The list as it is read, beside the page, whenever it or the way to read it changes. */
function useList(file: File | null, numbers: Reading) {
  const [told, setTold] = useState<Told | null>(null);
  useEffect(() => {
    setTold(null);
    if (file === null) return;
    const reader = new Worker(new URL("../list.worker.ts", import.meta.url), { type: "module" });
    reader.onmessage = ({ data }: MessageEvent<Told>) => setTold(data);
    reader.onerror = () => setTold({ kind: "refused", message: "The file cannot be read." });
    reader.postMessage({ file, how: { numbers } });
    return () => reader.terminate();
  }, [file, numbers]);
  const reading: ListReading | null = told?.kind === "read" ? told.reading : null;
  return {
    reading,
    share: told?.kind === "progress" ? told.share : null,
    refusal: told?.kind === "refused" ? told.message : null,
  };
}

/** Makes the campaign, paused, and uploads its list; a failed upload goes on with the same campaign. */
function useMake(draft: Draft, file: File | null, numbers: Reading, forget: () => void) {
  const [campaign, setCampaign] = useState<string | null>(null);
  const [share, setShare] = useState(0);
  const send = useMutation({
    mutationFn: (id: string) => {
      if (file === null) throw new Error("bug: an upload without its list");
      const ask = { params: { id }, query: { numbers } };
      return upload("POST /v1/campaigns/{id}/imports", ask, file, setShare);
    },
    onSuccess: forget,
  });
  const create = useMutation({
    mutationFn: () => {
      const body = { ...bodyOf(draft), type: "batch" as const, paused: true };
      return call("POST /v1/campaigns", { body });
    },
    onSuccess: ({ id }) => {
      setCampaign(id);
      send.mutate(id);
    },
  });
  return { campaign, share, send, create };
}

function Made(props: { id: string; make: ReturnType<typeof useMake>; draft: Draft }) {
  const { id, make, draft } = props;
  const sent = make.send.data;
  const file = useQuery({ ...queries.oneImport(id, sent?.id ?? ""), enabled: sent !== undefined });
  const client = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: () => call("POST /v1/campaigns/{id}/resume", { params: { id } }),
    onSuccess: async () => {
      void client.invalidateQueries();
      await navigate({ to: "/campaigns/$campaign/tasks", params: { campaign: id } });
    },
  });
  const params = { id, importId: sent?.id ?? "" };
  const rejected = "GET /v1/campaigns/{id}/imports/{importId}/rejected.csv";
  const done = file.data?.status === "completed";
  return (
    <Stack maw={760}>
      <Title order={1} size="h2">
        {draft.name}
      </Title>
      {make.send.isPending && (
        <div>
          <Text size="sm" mb={4} role="status">
            Uploading …
          </Text>
          <Progress value={make.share * 100} aria-label="Uploaded" />
        </div>
      )}
      <Refusal error={make.send.error} />
      {make.send.isError && (
        <Group>
          <Button onClick={() => make.send.mutate(id)}>Upload again</Button>
        </Group>
      )}
      {file.data !== undefined && (
        <ImportView
          file={file.data}
          zone={draft.timezone}
          download={addressOf(rejected, { params })}
        />
      )}
      <Refusal error={start.error} />
      <Group>
        <Button disabled={!done} loading={start.isPending} onClick={() => start.mutate()}>
          {done ? `Start: call ${counted(file.data?.rowsTaken ?? 0, "number")}` : "Start"}
        </Button>
        <Button
          variant="default"
          onClick={() =>
            void navigate({ to: "/campaigns/$campaign/imports", params: { campaign: id } })
          }
        >
          Leave it paused
        </Button>
      </Group>
      <Text size="sm" className="quiet">
        The campaign is paused: nobody is called before it is started. Rejected rows can be mended
        and uploaded before or after.
      </Text>
    </Stack>
  );
}

type ReviewProps = {
  draft: Draft;
  agent: Agent | undefined;
  number: string;
  good: number;
  slots: number;
};

function Review({ draft, agent, number, good, slots }: ReviewProps) {
  const now = useNow();
  const calls = useInfiniteQuery(queries.calls({}));
  const lengths = (calls.data?.pages[0]?.items ?? []).flatMap(({ startedAt, endedAt }) =>
    endedAt === null ? [] : [endedAt - startedAt],
  );
  const mean = lengths.reduce((sum, ms) => sum + ms, 0) / lengths.length;
  const estimate =
    lengths.length === 0
      ? "There were no calls yet to say how long it takes."
      : `The first attempts are through after about ${roughly(Math.ceil(good / slots) * mean || 1)} of calling hours, if no other campaign takes slots: ${counted(slots, "call")} at once, ${roughly(mean)} each, as the last ${lengths.length} took.`;
  const facts: [string, string][] = [
    ["Name", draft.name],
    ["Agent", agent?.name ?? ""],
    ["Calls from", number],
    ["Priority", BAND[draft.priority].label],
    ["Numbers to call", counted(good, "number")],
    ["Attempts", `up to ${draft.retries + 1}`],
    ...(draft.retries > 0
      ? ([
          [
            "Also retried",
            draft.retryOutcomes.map((one) => outcomeLook(one).label).join(", ") || "nothing more",
          ],
        ] as [string, string][])
      : []),
  ];
  return (
    <Stack>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Text size="sm">{planWords(draft, now)}</Text>
      <Text size="sm">{estimate}</Text>
    </Stack>
  );
}
