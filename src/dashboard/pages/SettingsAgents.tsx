import { Select, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { BodyOf } from "../../contract/wire.ts";
import { placeholders } from "../../core/template.ts";
import { call } from "../api.ts";
import { carrierForm, carrierName } from "../carriers.ts";
import * as queries from "../queries.ts";
import type { Agent, Connection } from "../things.ts";
import { Fact } from "../ui/CallView.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { type OwnOutcome, OwnOutcomes } from "../ui/OwnOutcomes.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt, issuesUnder } from "../ui/refusal.tsx";
import { Head } from "../ui/Section.tsx";
import { CopyId } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { counted, outcomeLook, whoMay } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Delete } from "./SettingsDelete.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/agents");

/** Who speaks: name, prompt and outcomes of each. */
export function SettingsAgents() {
  useTitle("Agents");
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/agents", {});
  const connections = useQuery(queries.connections());
  const mayAdd = useMay("set_up");
  const all = connections.data?.items ?? [];
  const opened = list.items?.find(({ id }) => id === open);
  const close = () => void navigate({ search: {}, replace: true });
  const nameOf = (id: string) => all.find((one) => one.id === id)?.name ?? id;
  return (
    <>
      <Head
        title="Agents"
        lead="Who speaks on a call, through which carrier account, and how a call can end."
      >
        {mayAdd && all.length > 0 && (
          <ButtonLink
            from="/settings/agents"
            to="/settings/agents"
            search={{ open: "new" }}
            leftSection={<IconPlus size={16} />}
          >
            Add an agent
          </ButtonLink>
        )}
      </Head>
      <Listing label="Agents" list={list} empty={<None mayAdd={mayAdd} any={all.length > 0} />}>
        {(agent) => (
          <>
            <Main
              name={
                <Link to="/settings/agents" search={{ open: agent.id }} className="row-link">
                  {agent.name}
                </Link>
              }
            >
              <span>{nameOf(agent.connection)}</span>
              {agent.placeholders.length > 0 && <span>uses {agent.placeholders.join(", ")}</span>}
            </Main>
            <Text size="xs" className="quiet">
              {agent.outcomes.length === 0
                ? "no outcomes of its own"
                : counted(agent.outcomes.length, "own outcome")}
            </Text>
          </>
        )}
      </Listing>
      {open === "new" && mayAdd && connections.data !== undefined && (
        <Panel title="Add an agent" close={close}>
          <Editor agent={null} connections={all} close={close} />
        </Panel>
      )}
      {opened !== undefined && (
        <Panel key={opened.id} title={opened.name} close={close}>
          {mayAdd ? (
            <Editor agent={opened} connections={all} close={close} />
          ) : (
            <Facts agent={opened} connection={nameOf(opened.connection)} />
          )}
        </Panel>
      )}
    </>
  );
}

function None({ mayAdd, any }: { mayAdd: boolean; any: boolean }) {
  return (
    <Empty title="No agents yet">
      <Text className="quiet" ta="center" maw={440}>
        An agent speaks through a connection to a carrier.{" "}
        {mayAdd ? "" : `${whoMay("set_up")} can add one.`}
      </Text>
      {mayAdd &&
        (any ? (
          <ButtonLink to="/settings/agents" search={{ open: "new" }}>
            Add an agent
          </ButtonLink>
        ) : (
          <ButtonLink to="/settings/connections" search={{ open: "new" }}>
            Connect a carrier first
          </ButtonLink>
        ))}
    </Empty>
  );
}

type Fields = {
  name: string;
  connection: string | null;
  carrierAgentId: string;
  prompt: string;
  outcomes: OwnOutcome[];
  usesCallback: boolean;
  /** JSON */
  settings: string;
};

function fieldsOf(agent: Agent | null, connections: Connection[]): Fields {
  if (agent === null) {
    const only = connections.length === 1 ? connections[0]?.id : undefined;
    const empty = { name: "", carrierAgentId: "", prompt: "", outcomes: [], usesCallback: false };
    return { ...empty, connection: only ?? null, settings: "" };
  }
  const { name, connection, carrierAgentId, prompt, outcomes, usesCallback, settings } = agent;
  const hasSettings = Object.keys(settings).length > 0;
  return {
    ...{ name, connection, carrierAgentId, usesCallback },
    prompt: prompt ?? "",
    outcomes: outcomes.map((one) => ({ ...one })),
    settings: hasSettings ? JSON.stringify(settings, null, 2) : "",
  };
}

/** What the settings' text says, or null where it is no JSON object. */
function readSettings(text: string): Record<string, unknown> | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

type Body = BodyOf<"POST /v1/agents">;

function bodyOf(fields: Fields): Body {
  const { prompt, settings, connection, ...same } = fields;
  return {
    ...same,
    connection: connection ?? "",
    prompt: prompt === "" ? null : prompt,
    settings: readSettings(settings) ?? {},
  };
}

const BESIDE = [
  "name",
  "connection",
  "carrierAgentId",
  "prompt",
  "settings",
  "outcomes",
  "outcomes.",
];

function Editor(props: { agent: Agent | null; connections: Connection[]; close: () => void }) {
  const { agent, connections, close } = props;
  const [fields, setFields] = useState(() => fieldsOf(agent, connections));
  const set = (change: Partial<Fields>) => setFields((now) => ({ ...now, ...change }));
  const save = useDeed({
    ask: () => {
      const { connection, ...body } = bodyOf(fields);
      if (agent === null) return call("POST /v1/agents", { body: { ...body, connection } });
      return call("PATCH /v1/agents/{id}", { params: { id: agent.id }, body });
    },
    said: ({ name }) => `Saved: ${name}`,
    done: close,
  });
  const { error } = save;
  const carrier = connections.find(({ id }) => id === fields.connection)?.carrier ?? "";
  const names = placeholders(fields.prompt);
  const isReadable = readSettings(fields.settings) !== null;
  return (
    <Stack gap="xl">
      <Form
        submit={() => save.mutate()}
        deed={agent === null ? "Add" : "Save"}
        pending={save.isPending}
        error={error}
        beside={BESIDE}
        disabled={!isReadable || fields.connection === null}
      >
        <TextInput
          label="Name"
          value={fields.name}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          maxLength={200}
          required
          withAsterisk={false}
          data-autofocus
          error={issueAt(error, "name")}
        />
        <Select
          label="Connection"
          description={agent === null ? "The carrier account; never changes" : "Never changes"}
          placeholder="Choose a connection"
          value={fields.connection}
          disabled={agent !== null}
          allowDeselect={false}
          onChange={(connection) => set({ connection })}
          data={connections.map(({ id, name, carrier }) => ({
            value: id,
            label: `${name} · ${carrierName(carrier)}`,
          }))}
          error={issueAt(error, "connection")}
        />
        <TextInput
          label="The carrier's id of the agent"
          description={carrierForm(carrier)?.agentId}
          value={fields.carrierAgentId}
          onChange={({ currentTarget }) => set({ carrierAgentId: currentTarget.value })}
          maxLength={200}
          required
          withAsterisk={false}
          error={issueAt(error, "carrierAgentId")}
        />
        <Textarea
          label="Prompt"
          description="With ${placeholders}, which lists fill; empty where the carrier keeps it"
          autosize
          minRows={4}
          maxRows={16}
          value={fields.prompt}
          onChange={({ currentTarget }) => set({ prompt: currentTarget.value })}
          error={issueAt(error, "prompt")}
        />
        {names.length > 0 && (
          <Text size="xs" className="quiet" role="status">
            A list needs {names.length === 1 ? "the column" : "the columns"} {names.join(", ")}.
          </Text>
        )}
        <OwnOutcomes
          outcomes={fields.outcomes}
          set={(outcomes) => set({ outcomes })}
          issues={issuesUnder(error, "outcomes")}
        />
        <Switch
          label="People may ask to be called back"
          description="It reports busy_callback, with or without a time"
          checked={fields.usesCallback}
          onChange={({ currentTarget }) => set({ usesCallback: currentTarget.checked })}
        />
        <Textarea
          label="Settings for the carrier"
          description="A JSON object, where the carrier takes settings of a single agent"
          autosize
          minRows={2}
          maxRows={12}
          styles={{ input: { fontFamily: "monospace", fontSize: 12 } }}
          spellCheck={false}
          value={fields.settings}
          onChange={({ currentTarget }) => set({ settings: currentTarget.value })}
          error={isReadable ? issueAt(error, "settings") : "Expected a JSON object"}
        />
      </Form>
      {agent !== null && (
        <Delete
          noun="agent"
          name={agent.name}
          id={agent.id}
          ask={() => call("DELETE /v1/agents/{id}", { params: { id: agent.id } })}
          close={close}
        />
      )}
    </Stack>
  );
}

function Facts({ agent, connection }: { agent: Agent; connection: string }) {
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Id">
          <CopyId id={agent.id} what="the agent's id" />
        </Fact>
        <Fact name="Connection">{connection}</Fact>
        <Fact name="The carrier's id">{agent.carrierAgentId}</Fact>
        <Fact name="Outcomes of its own">
          {agent.outcomes.map(({ name }) => outcomeLook(name).label).join(", ") || "none"}
        </Fact>
        <Fact name="Call-backs">{agent.usesCallback ? "may be asked for" : "not asked for"}</Fact>
      </dl>
      <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
        {agent.prompt ?? "The carrier keeps its prompt."}
      </Text>
      <Text size="sm" className="quiet">
        {whoMay("set_up")} can change these.
      </Text>
    </Stack>
  );
}
