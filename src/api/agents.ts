import type { Agent } from "../contract/agent.ts";
import { makeId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { placeholders } from "../core/template.ts";
import {
  type AgentRow,
  deleteAgent,
  editAgent,
  insertAgent,
  listAgents,
  readAgent,
} from "../db/agents.ts";
import { readConnection } from "../db/connections.ts";
import { database } from "../db/database.ts";
import { readWorkspaceRow } from "../db/workspaces.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { handOver, retire } from "./hand-over.ts";
import { randomText } from "./key-text.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/agents"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  await checkConnection(c, body.connection);
  const prompt = body.prompt ?? null;
  const row = {
    id: makeId("agt", workspace, randomText(10)),
    name: body.name,
    connection: body.connection,
    carrierAgentId: body.carrierAgentId,
    prompt,
    placeholders: body.placeholders ?? placeholders(prompt ?? ""),
    outcomes: body.outcomes,
    usesCallback: body.usesCallback,
    settings: body.settings,
    createdAt: c.get("now"),
  };
  const after = settingsOf(row);
  const entry = entryOf(c, { action: "agent.create", targetKind: "agent", target: row.id, after });
  await handOver(c.env, workspace, await insertAgent(database(c.env), workspace, row, entry));
  return c.json(agentWire(row), 201);
};

export const list: Handler<"GET /v1/agents"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  return c.json(mapPage(await listAgents(database(c.env), c.get("workspace"), page), agentWire));
};

export const read: Handler<"GET /v1/agents/{id}"> = async (c, { params }) =>
  c.json(agentWire(await find(c, params.id)));

export const edit: Handler<"PATCH /v1/agents/{id}"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  const { connection, prompt, ...rest } = body;
  if (connection !== undefined && connection !== row.connection) {
    throw new Refused(
      refuse("conflict", "An agent's connection never changes: make another agent."),
    );
  }
  const read = prompt === undefined ? {} : { placeholders: placeholders(prompt ?? "") };
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  // A field that is given has its type by the schema; one that is not is left out.
  const fields = {
    ...(prompt === undefined ? {} : { prompt }),
    ...read,
    ...given,
  } as Partial<AgentRow>;
  if (Object.keys(fields).length > 0) {
    const change = changeOf(settingsOf(row), settingsOf({ ...row, ...fields }));
    const deed = { action: "agent.edit", targetKind: "agent", target: row.id, ...change };
    const entry = entryOf(c, deed);
    const docs = await editAgent(database(c.env), workspace, row.id, fields, entry);
    await handOver(c.env, workspace, docs);
  }
  return c.json(agentWire({ ...row, ...fields }));
};

export const remove: Handler<"DELETE /v1/agents/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const row = await find(c, params.id);
  const { id } = row;
  if ((await readWorkspaceRow(db, workspace))?.agent === id) {
    throw new Refused(refuse("in_use", `The agent is the default of workspace ${workspace}.`));
  }
  await retire(c.env, workspace, "agent", id);
  const before = settingsOf(row);
  const entry = entryOf(c, { action: "agent.delete", targetKind: "agent", target: id, before });
  await handOver(c.env, workspace, await deleteAgent(db, workspace, id, entry));
  return c.body(null, 204);
};

/** A 422 unless the connection is one of this workspace. */
export async function checkConnection(c: Ctx, id: string): Promise<void> {
  if ((await readConnection(database(c.env), c.get("workspace"), id)) !== null) return;
  const expected = "the id of a connection of this workspace";
  throw invalid({ path: "connection", expected, got: "an unknown id" });
}

async function find(c: Ctx, id: string): Promise<AgentRow> {
  const row = await readAgent(database(c.env), c.get("workspace"), id);
  if (row === null) throw notFound("agent");
  return row;
}

const PROMPT_CHARS_KEPT = 2_000;

/** What an entry of the audit log says of an agent: its own settings may hold secrets. */
function settingsOf(row: Omit<AgentRow, "workspace" | "version" | "deletedAt">) {
  const { id: _id, createdAt: _createdAt, settings, prompt, ...shown } = agentWire(row);
  const kept = prompt === null ? null : prompt.slice(0, PROMPT_CHARS_KEPT);
  return { ...shown, prompt: kept, settingsGiven: Object.keys(settings).sort() };
}

function agentWire(row: Omit<AgentRow, "workspace" | "version" | "deletedAt">): Agent {
  return {
    id: row.id,
    name: row.name,
    connection: row.connection,
    carrierAgentId: row.carrierAgentId,
    prompt: row.prompt,
    placeholders: row.placeholders,
    outcomes: row.outcomes,
    usesCallback: row.usesCallback,
    settings: row.settings,
    createdAt: row.createdAt,
  };
}
