import type { OPERATIONS } from "../contract/operations.ts";
import { Notes, readWindow } from "../core/body.ts";
import { type AgentId, type NumberId, parseWorkspaceId, type WorkspaceId } from "../core/ids.ts";
import { hoursWire } from "../core/time.ts";
import { ALL_DAYS, ALWAYS, dayNames } from "../core/window.ts";
import { readAgent } from "../db/agents.ts";
import { database } from "../db/database.ts";
import { ENDED, endWorkspace } from "../db/endings.ts";
import { findNumbers } from "../db/numbers.ts";
import {
  createWorkspace,
  editWorkspace,
  readWorkspaceRow,
  type WorkspaceRow,
} from "../db/workspaces.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, take } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import { newKeyText, randomText } from "./key-text.ts";
import { phonesFor } from "./phones.ts";
import type { Handler, Input } from "./serve.ts";

export const create: Handler<"POST /v1/workspaces"> = async (c, { body }) => {
  const now = c.get("now");
  const id = parseWorkspaceId(`ws_${randomText(10)}`);
  if (id === null) throw new Error("bug: a workspace id that is none");
  const row = newWorkspaceRow(body, now);
  const key = await newKeyText(c.env.SIGNING_SECRET, id);
  const { hash, prefix } = key;
  const first = { name: "First key", prefix, hash, scopes: ["*"], expiresAt: null, createdAt: now };
  const { name, slots, timezone } = row;
  const after = { name, slots, timezone };
  const deed = { action: "workspace.create", targetKind: "workspace", target: id, after };
  const made = { id: key.id, ...first };
  const docs = await createWorkspace(database(c.env), id, row, made, entryOf(c, deed));
  await handOver(c.env, id, docs);
  const wire = await workspaceWire(c.env, id, { ...row, id, configVersion: 1, version: 1 });
  return c.json({ ...wire, key: key.id, apiKey: key.text }, 201);
};

/** A workspace as a body describes it; calling hours are all day, unless it says otherwise. */
export function newWorkspaceRow(
  body: { name: string; slots: number } & Parameters<typeof readWindow>[0],
  now: number,
) {
  const notes = new Notes();
  const window = readWindow(body, notes);
  if (notes.issues.length > 0) throw invalid(...notes.issues);
  return {
    name: body.name,
    slots: body.slots,
    timezone: window.timezone ?? "UTC",
    ...(window.hours ?? ALWAYS),
    days: window.days ?? ALL_DAYS,
    agent: null,
    from: null,
    createdAt: now,
    retentionDays: null,
    retentionTask: 0,
    retentionAt: 0,
    recordingsCall: 0,
    recordingsAt: 0,
    deletedAt: null,
    removedAt: null,
  };
}

export const read: Handler<"GET /v1/workspace"> = async (c) => c.json(await wholeWorkspace(c));

export const edit: Handler<"PATCH /v1/workspace"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const notes = new Notes();
  const { hours, days, timezone } = readWindow(body, notes);
  if (notes.issues.length > 0) throw invalid(...notes.issues);
  const pair = await readPair(c, body);
  const fields: Partial<WorkspaceRow> = {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.slots === undefined ? {} : { slots: body.slots }),
    ...(timezone === null ? {} : { timezone }),
    ...(hours === null ? {} : hours),
    ...(days === null ? {} : { days }),
    ...(body.retentionDays === undefined ? {} : { retentionDays: body.retentionDays }),
    ...pair,
  };
  if (Object.keys(fields).length > 0) {
    const row = await readWorkspaceRow(database(c.env), workspace);
    const change = changeOf(row ?? {}, fields);
    // A new period counts for all tasks, from now on.
    if (body.retentionDays !== undefined)
      Object.assign(fields, { retentionTask: 0, retentionAt: 0 });
    const deed = { action: "workspace.edit", targetKind: "workspace", target: workspace };
    const entry = entryOf(c, { ...deed, ...change });
    const docs = await editWorkspace(database(c.env), workspace, fields, entry);
    await handOver(c.env, workspace, docs);
  }
  return c.json(await wholeWorkspace(c));
};

/**
 * Ends the workspace: in D1, which lets keys and people in, with the entry of the audit log; then
 * the Dialer archives what lives. The watchdog tells a Dialer that could not be asked, and removes
 * what the workspace had.
 */
export const remove: Handler<"DELETE /v1/workspace"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const row = await readWorkspaceRow(db, workspace);
  if (row === null) throw notFound("workspace");
  if (body.name.trim() !== row.name) {
    throw invalid({ path: "name", expected: "the workspace's name", got: "another text" });
  }
  const deed = { action: ENDED, targetKind: "workspace", target: workspace };
  const entry = entryOf(c, deed);
  await endWorkspace(db, workspace, entry);
  const reply = { id: workspace, endedAt: entry.at };
  const end = async () => take(await dialerOf(c.env, workspace).end()).open;
  try {
    const callsOpen = await end().catch((error: unknown) => {
      logFault("end again", error, { workspace });
      return end();
    });
    return c.json({ ...reply, callsOpen }, 202);
  } catch (error) {
    logFault("end", error, { workspace });
    return c.json({ ...reply, callsOpen: null }, 202);
  }
};

type Edit = Input<(typeof OPERATIONS)["PATCH /v1/workspace"]>["body"];

/** Default agent and number as an edit names them; both on one connection (H33). */
async function readPair(
  c: Ctx,
  body: Edit,
): Promise<{ agent?: string | null; from?: string | null }> {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const row = await readWorkspaceRow(db, workspace);
  const agentId = body.agent === undefined ? (row?.agent ?? null) : body.agent;
  const agent = agentId === null ? null : await readAgent(db, workspace, agentId);
  if (body.agent && agent === null) {
    const expected = "the id of an agent of this workspace";
    throw invalid({ path: "agent", expected, got: "an unknown id" });
  }
  const named = body.agent === undefined ? {} : { agent: body.agent };
  if (body.from === undefined) return named;
  if (body.from === null) return { ...named, from: null };
  const numbers = await findNumbers(db, workspace, body.from);
  const number =
    agent === null ? numbers[0] : numbers.find((one) => one.connection === agent.connection);
  if (number === undefined) {
    const where = agent === null ? "" : ` on connection ${agent.connection}, the agent's`;
    const expected = `a calling number of this workspace${where}`;
    throw invalid({
      path: "from",
      expected,
      got: numbers.length > 0 ? "another's" : "an unknown one",
    });
  }
  return { ...named, from: number.id };
}

async function wholeWorkspace(c: Ctx) {
  const workspace = c.get("workspace");
  const row = await readWorkspaceRow(database(c.env), workspace);
  if (row === null) throw notFound("workspace");
  const state = take(await dialerOf(c.env, workspace).readWorkspace());
  const { slotsInUse, waiting, eventsWaiting, connections } = state;
  const now = { slotsInUse, waiting, eventsWaiting, connections };
  return { ...(await workspaceWire(c.env, workspace, row)), ...now };
}

async function workspaceWire(env: Env, workspace: WorkspaceId, row: WorkspaceRow) {
  const fromId = row.from as NumberId | null;
  const phones = await phonesFor(env, workspace, [fromId]);
  return {
    id: row.id,
    name: row.name,
    slots: row.slots,
    timezone: row.timezone,
    ...hoursWire({ opensMin: row.opensMin, closesMin: row.closesMin }),
    days: dayNames(row.days),
    agent: row.agent as AgentId | null,
    from: fromId === null ? null : (phones.get(fromId) ?? null),
    fromId,
    retentionDays: row.retentionDays,
    createdAt: row.createdAt,
  };
}
