import { Button, Group, Paper, Progress, Stack, Stepper, Text, Title } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { call, chosenWorkspace, named, upload } from "../api.ts";
import { bodyOf, type Draft, freshDraft } from "../draft.ts";
import type { Told } from "../list.ts";
import * as queries from "../queries.ts";
import { PLAIN, type Reading, readingOf } from "../reading.ts";
import type { Agent, CallingNumber, Workspace } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { Basics, FollowUp, TimeFields } from "../ui/fields.tsx";
import { ListDrop } from "../ui/ListDrop.tsx";
import { ListView } from "../ui/ListView.tsx";
import { ReadingFields } from "../ui/ReadingFields.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { BatchMade } from "./BatchMade.tsx";
import { Review } from "./BatchReview.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/new/batch");

/** A batch campaign in five steps; what was written stays when the page is left. */
export function NewBatch() {
  useTitle("New batch campaign");
  const mayRun = useMay("run");
  const { made, import: importId } = route.useSearch();
  const workspace = useQuery(queries.workspace());
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  const error = workspace.error ?? agents.error ?? numbers.error;
  if (!mayRun) return <Text>Operators, admins and owners can make campaigns.</Text>;
  if (made !== undefined && importId !== undefined) return <BatchMade id={made} first={importId} />;
  if (!workspace.data || !agents.data || !numbers.data) {
    return error === null ? <Loading rows={4} /> : <Broken error={error} />;
  }
  return (
    <Wizard workspace={workspace.data} agents={agents.data.items} numbers={numbers.data.items} />
  );
}

const STEPS = ["Basics", "List", "Time", "Follow-up", "Review"];
const LIST = 1;
const REVIEW = 4;
/** What each step needs before the next. */
const LACKS = [
  "Name, agent and number are needed.",
  "A list with at least one number to call is needed.",
  "At least one weekday is needed.",
];

type WizardProps = { workspace: Workspace; agents: Agent[]; numbers: CallingNumber[] };

function Wizard({ workspace, agents, numbers }: WizardProps) {
  const [draft, setDraft, forget] = useLocalStorage<Draft>({
    key: `outdial.batch.${chosenWorkspace()}`,
    defaultValue: freshDraft(workspace, HOME_ZONE),
    getInitialValueInEffect: false,
  });
  const [step, setStep] = useState(0);
  const [file, setFile] = useState<File | null>(null);
  const [reading, setReading] = useState<Reading>(PLAIN);
  const list = useList(file, reading);
  const make = useMake(draft, file, reading, forget);
  const agent = agents.find(({ id }) => id === draft.agent);
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const fields = { draft, set, error: make.error };
  const basicsDone = draft.name.trim() !== "" && draft.agent !== null && draft.from !== null;
  const good = list.reading?.good ?? 0;
  const ready = [basicsDone, good > 0, draft.days.length > 0, true, true];
  const hint = ready[step] === false ? LACKS[step] : "";
  const fresh = JSON.stringify(draft) === JSON.stringify(freshDraft(workspace, HOME_ZONE));
  return (
    <Stack maw={760}>
      <Group justify="space-between">
        <Title order={1} size="h2">
          New batch campaign
        </Title>
        {!fresh && (
          <Button variant="subtle" color="gray" size="compact-sm" onClick={forget}>
            Clear what was written
          </Button>
        )}
      </Group>
      <Stepper active={step} onStepClick={setStep} size="xs" iconSize={28} className="steps">
        {STEPS.map((label, at) => (
          <Stepper.Step
            key={label}
            label={label}
            allowStepSelect={!make.isPending && ready.slice(0, at).every(Boolean)}
          />
        ))}
      </Stepper>
      <Paper withBorder p={{ base: "md", xs: "lg" }}>
        {step === 0 && <Basics {...fields} agents={agents} numbers={numbers} />}
        {step === LIST && (
          <Stack>
            <ListDrop file={file} take={setFile} />
            {(list.reading?.rejected.no_country_code !== undefined ||
              reading.numbers !== "e164") && <ReadingFields reading={reading} set={setReading} />}
            {list.share !== null && (
              <div>
                <Text size="sm" mb={4} role="status">
                  Reading …
                </Text>
                <Progress value={list.share * 100} aria-label="Read" />
              </div>
            )}
            {list.refusal !== null && <Refusal error={new Error(list.refusal)} />}
            {list.reading !== null && (
              <ListView reading={list.reading} placeholders={agent?.placeholders ?? []} />
            )}
            <Text size="sm" className="quiet">
              It is read here in the browser: nothing is uploaded before the last step.
            </Text>
          </Stack>
        )}
        {step === 2 && <TimeFields {...fields} />}
        {step === 3 && <FollowUp {...fields} agent={agent} />}
        {step === REVIEW && (
          <Review
            draft={draft}
            agent={agent}
            number={numbers.find(({ id }) => id === draft.from)?.phone ?? ""}
            good={good}
            bad={(list.reading?.rows ?? 0) - good}
            slots={Math.min(workspace.slots, draft.slots ?? workspace.slots)}
          />
        )}
      </Paper>
      <Refusal error={make.error} />
      {make.isPending && <Progress value={make.share * 100} aria-label="Uploaded" />}
      <Group>
        {step > 0 && (
          <Button variant="default" disabled={make.isPending} onClick={() => setStep(step - 1)}>
            Back
          </Button>
        )}
        {step < REVIEW ? (
          <Button disabled={!ready[step]} onClick={() => setStep(step + 1)}>
            Next
          </Button>
        ) : (
          <Button disabled={!ready.every(Boolean)} loading={make.isPending} onClick={make.go}>
            {make.isHalf ? "Upload again" : "Upload the list"}
          </Button>
        )}
        <Text size="sm" className="quiet" role="status">
          {step === REVIEW ? "Nobody is called before you say start." : hint}
        </Text>
      </Group>
    </Stack>
  );
}

/** The list as it is read, beside the page, whenever it or the way to read it changes. */
function useList(file: File | null, reading: Reading) {
  const [told, setTold] = useState<Told | null>(null);
  useEffect(() => {
    setTold(null);
    if (file === null) return;
    const reader = new Worker(new URL("../list.worker.ts", import.meta.url), { type: "module" });
    reader.onmessage = ({ data }: MessageEvent<Told>) => setTold(data);
    reader.onerror = () => setTold({ kind: "refused", message: "The file cannot be read." });
    reader.postMessage({ file, how: readingOf(reading) });
    return () => reader.terminate();
  }, [file, reading]);
  return {
    reading: told?.kind === "read" ? told.reading : null,
    share: told?.kind === "progress" ? told.share : null,
    refusal: told?.kind === "refused" ? told.message : null,
  };
}

/** Makes the campaign, paused, and uploads its list; a failed upload goes on with the same campaign. */
function useMake(draft: Draft, file: File | null, reading: Reading, forget: () => void) {
  const navigate = route.useNavigate();
  const [campaign, setCampaign] = useState<string | null>(null);
  const [share, setShare] = useState(0);
  const { mutate, error, isPending } = useMutation({
    mutationFn: async () => {
      if (file === null) throw new Error("bug: an upload without its list");
      const body = { ...bodyOf(draft), type: "batch" as const, paused: true };
      const id = campaign ?? (await call("POST /v1/campaigns", { body })).id;
      setCampaign(id);
      const ask = { params: { id }, query: readingOf(reading) };
      const sent = await upload("POST /v1/campaigns/{id}/imports", ask, named(file), setShare);
      return { made: id, import: "id" in sent ? sent.id : "" };
    },
    onSuccess: (search) => {
      forget();
      void navigate({ search, replace: true });
    },
  });
  return { share, error, isPending, isHalf: campaign !== null, go: () => mutate() };
}
