import {
  Alert,
  Button,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { BodyOf } from "../../contract/wire.ts";
import { call, chooseWorkspace } from "../api.ts";
import { type Draft, daysWords, hhmm, hoursOf } from "../draft.ts";
import * as queries from "../queries.ts";
import type { Agent, CallingNumber, Workspace } from "../things.ts";
import { hourText } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { HoursFields, ZONES } from "../ui/fields.tsx";
import { Form } from "../ui/Panel.tsx";
import { issueAt } from "../ui/refusal.tsx";
import { Card, Head } from "../ui/Section.tsx";
import { CopyId } from "../ui/signs.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { counted, whoMay } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useMay, useTitle } from "./session.tsx";

type Edit = BodyOf<"PATCH /v1/workspace">;
type Fields = Pick<
  Draft,
  "name" | "agent" | "from" | "timezone" | "allDay" | "opens" | "closes" | "days"
> & {
  slots: number | string;
  /** Days, or empty for ever. */
  retention: number | string;
};

const BESIDE = [
  "name",
  "slots",
  "timezone",
  "start",
  "end",
  "days",
  "agent",
  "from",
  "retentionDays",
];

/** Name, slots, and what campaigns begin with; at the end its end. */
export function SettingsWorkspace() {
  useTitle("Workspace");
  const workspace = useQuery(queries.workspace());
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  const maySetUp = useMay("set_up");
  const mayOwn = useMay("own");
  const error = workspace.error ?? agents.error ?? numbers.error;
  const isHere = workspace.data && agents.data && numbers.data;
  return (
    <>
      <Head
        title="Workspace"
        lead="How many calls go on at once, and what new campaigns begin with."
      />
      {!isHere ? (
        error === null ? (
          <Loading rows={5} height={60} />
        ) : (
          <Broken error={error} again={() => void workspace.refetch()} />
        )
      ) : (
        <Stack maw={680} gap="xl">
          {maySetUp ? (
            <Editor
              key={workspace.data.id}
              workspace={workspace.data}
              agents={agents.data.items}
              numbers={numbers.data.items}
            />
          ) : (
            <Facts workspace={workspace.data} agents={agents.data.items} />
          )}
          {mayOwn && <End workspace={workspace.data} />}
        </Stack>
      )}
    </>
  );
}

function fieldsOf(workspace: Workspace): Fields {
  const { name, slots, timezone, days, agent, fromId, retentionDays, start, end } = workspace;
  return {
    ...{ name, slots, timezone, agent, days: [...days], from: fromId },
    ...hoursOf(start, end),
    retention: retentionDays ?? "",
  };
}

function bodyOf(fields: Fields): Required<Edit> {
  const { allDay, opens, closes, retention, slots, ...same } = fields;
  return {
    ...same,
    slots: Number(slots),
    start: allDay ? 0 : hhmm(opens),
    end: allDay ? 2400 : hhmm(closes),
    retentionDays: retention === "" ? null : Number(retention),
  };
}

/** Only what differs; hours, and agent and number, are pairs. */
function editOf(before: Fields, after: Fields): Edit {
  const [old, fresh] = [bodyOf(before), bodyOf(after)];
  const changed = (Object.keys(fresh) as (keyof Edit)[]).filter(
    (name) => JSON.stringify(fresh[name]) !== JSON.stringify(old[name]),
  );
  const edit: Edit = Object.fromEntries(changed.map((name) => [name, fresh[name]]));
  if (changed.includes("start") || changed.includes("end")) {
    Object.assign(edit, { start: fresh.start, end: fresh.end });
  }
  if (changed.includes("agent") || changed.includes("from")) {
    Object.assign(edit, { agent: fresh.agent, from: fresh.from });
  }
  return edit;
}

type EditorProps = { workspace: Workspace; agents: Agent[]; numbers: CallingNumber[] };

function Editor({ workspace, agents, numbers }: EditorProps) {
  const client = useQueryClient();
  const [before, setBefore] = useState(() => fieldsOf(workspace));
  const [fields, setFields] = useState(before);
  const edit = editOf(before, fields);
  const save = useDeed({
    ask: () => call("PATCH /v1/workspace", { body: edit }),
    said: () => "Saved",
    done: (saved) => {
      client.setQueryData(queries.workspace().queryKey, saved);
      setBefore(fieldsOf(saved));
      setFields(fieldsOf(saved));
    },
  });
  const set = (change: Partial<Fields>) => setFields((now) => ({ ...now, ...change }));
  const error = save.error;
  const agent = agents.find(({ id }) => id === fields.agent);
  const fitting = numbers.filter(
    ({ connection }) => agent === undefined || connection === agent.connection,
  );
  const changed = Object.keys(edit).length > 0;
  useBlocker({
    shouldBlockFn: () => changed && !window.confirm("Leave without saving what you changed?"),
    enableBeforeUnload: () => changed,
  });
  return (
    <Form
      submit={() => save.mutate()}
      deed="Save"
      pending={save.isPending}
      error={error}
      beside={BESIDE}
      disabled={!changed}
      also={
        <Button variant="default" disabled={!changed} onClick={() => setFields(before)}>
          Discard
        </Button>
      }
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="Name"
          description="As people and invitations see it"
          value={fields.name}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          maxLength={200}
          required
          withAsterisk={false}
          error={issueAt(error, "name")}
        />
        <NumberInput
          label="Slots"
          description="Calls at once, at most; counts at once"
          min={1}
          max={10_000}
          allowDecimal={false}
          value={fields.slots}
          onChange={(slots) => set({ slots })}
          required
          withAsterisk={false}
          error={issueAt(error, "slots")}
        />
      </SimpleGrid>
      <Card title="New campaigns begin with" lead="Campaigns that are there keep what they have.">
        <Select
          label="Timezone"
          searchable
          limit={200}
          value={fields.timezone}
          onChange={(value) => value !== null && set({ timezone: value })}
          data={[...new Set([fields.timezone, ...ZONES])]}
          allowDeselect={false}
          error={issueAt(error, "timezone")}
        />
        <HoursFields draft={fields} set={set} error={error} />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            label="Agent"
            placeholder="None"
            clearable
            value={fields.agent}
            onChange={(value) =>
              set({ agent: value, from: fromFor(value, fields.from, agents, numbers) })
            }
            data={agents.map(({ id, name }) => ({ value: id, label: name }))}
            error={issueAt(error, "agent")}
          />
          <Select
            label="Calls from"
            placeholder="None"
            clearable
            value={fields.from}
            onChange={(value) => set({ from: value })}
            data={fitting.map(({ id, phone, name }) => ({
              value: id,
              label: name === null ? phone : `${phone} · ${name}`,
            }))}
            error={issueAt(error, "from")}
          />
        </SimpleGrid>
      </Card>
      <Card
        title="What is kept"
        lead="That many days after a task's end its values, and its calls' transcripts, analyses and recordings are removed. Tasks, calls and counts stay."
      >
        <NumberInput
          label="Days"
          description="Empty keeps everything"
          placeholder="For ever"
          min={1}
          max={3_650}
          allowDecimal={false}
          maw={220}
          value={fields.retention}
          onChange={(retention) => set({ retention })}
          error={issueAt(error, "retentionDays")}
        />
        {isShorter(edit, workspace) && (
          <Alert color="orange" py="xs">
            What is older than {edit.retentionDays} days is removed within two days, for good.
          </Alert>
        )}
      </Card>
    </Form>
  );
}

/** Whether an edit removes what would have stayed. */
function isShorter({ retentionDays }: Edit, now: Workspace): boolean {
  return (
    typeof retentionDays === "number" &&
    retentionDays < (now.retentionDays ?? Number.POSITIVE_INFINITY)
  );
}

/** The number that goes with an agent: the same where it fits, else the connection's first. */
function fromFor(
  agent: string | null,
  from: string | null,
  agents: Agent[],
  numbers: CallingNumber[],
): string | null {
  const connection = agents.find(({ id }) => id === agent)?.connection;
  const fitting = numbers.filter((one) => one.connection === connection);
  return fitting.find(({ id }) => id === from)?.id ?? fitting[0]?.id ?? null;
}

function Facts({ workspace, agents }: { workspace: Workspace; agents: Agent[] }) {
  const { start, end, days, timezone, slots, retentionDays } = workspace;
  const hours = end - start >= 2400 ? "at any hour" : `${hourText(start)}–${hourText(end)}`;
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Name">{workspace.name}</Fact>
        <Fact name="Id">
          <CopyId id={workspace.id} what="the workspace's id" />
        </Fact>
        <Fact name="Slots">{slots}</Fact>
        <Fact name="Timezone">{timezone}</Fact>
        <Fact name="Calling hours">
          {hours}, {daysWords(days)}
        </Fact>
        <Fact name="Agent">
          {agents.find(({ id }) => id === workspace.agent)?.name ?? "none by default"}
        </Fact>
        <Fact name="Calls from">{workspace.from ?? "no number by default"}</Fact>
        <Fact name="Transcripts kept">
          {retentionDays === null ? "for ever" : counted(retentionDays, "day")}
        </Fact>
      </dl>
      <Text size="sm" className="quiet">
        {whoMay("set_up")} can change these.
      </Text>
    </Stack>
  );
}

/** The workspace's end: typed, told before what it does, and told after what goes on. */
function End({ workspace }: { workspace: Workspace }) {
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const end = useMutation({
    mutationFn: () => call("DELETE /v1/workspace", { body: { name: workspace.name } }),
    onSuccess: async ({ callsOpen }) => {
      const goOn = callsOpen ? ` ${counted(callsOpen, "call")} in progress will finish.` : "";
      notifications.show({ message: `${workspace.name} has ended.${goOn}` });
      chooseWorkspace(null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
      await client.invalidateQueries({ queryKey: ["me"] });
      await navigate({ to: "/" });
    },
  });
  return (
    <Card
      title="End this workspace"
      lead="For good: keys and people get in no more, everything that waits is archived, and then all that it had is removed."
    >
      <div>
        <Button color="red" variant="outline" onClick={() => setAsking(true)}>
          End the workspace …
        </Button>
      </div>
      {asking && (
        <Confirm
          title={`End ${workspace.name}?`}
          deed="End it for good"
          typed={{ label: `Type the workspace's name: ${workspace.name}`, text: workspace.name }}
          pending={end.isPending}
          error={end.error}
          confirm={() => end.mutate()}
          close={() => setAsking(false)}
        >
          {workspace.waiting > 0 &&
            `${counted(workspace.waiting, "task")} that wait will not be called. `}
          {workspace.slotsInUse > 0 &&
            `${counted(workspace.slotsInUse, "call")} in progress will finish. `}
          Every campaign, call, key, agent and number of it is removed, and its audit log with them.
          Nobody can bring it back.
        </Confirm>
      )}
    </Card>
  );
}
