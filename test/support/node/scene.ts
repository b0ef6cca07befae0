import { expect } from "vitest";
import {
  type AgentId,
  type CampaignId,
  localKey,
  makeId,
  type NumberId,
  type TaskId,
} from "../../../src/core/ids.ts";
import type { TaskStatus } from "../../../src/core/task.ts";
import { AGENT_DOC, CONNECTION, CONNECTION_DOC, WORKSPACE, type World } from "./world.ts";

/** On the connection of `AGENT` and `NUMBER`. */
export const AGENT_2 = makeId("agt", WORKSPACE, "a2");
export const NUMBER_2 = makeId("num", WORKSPACE, "n2");
/** A connection of their own. */
export const FAR_CONNECTION = makeId("con", WORKSPACE, "c9");
export const FAR_AGENT = makeId("agt", WORKSPACE, "a9");
export const FAR_NUMBER = makeId("num", WORKSPACE, "n9");

/** Adds a second agent and number to the connection, and one of each on another one. */
export async function addMore(world: World): Promise<void> {
  await world.put("connection", FAR_CONNECTION, { ...CONNECTION_DOC, id: FAR_CONNECTION });
  await putAgent(world, AGENT_2, CONNECTION);
  await putAgent(world, FAR_AGENT, FAR_CONNECTION);
  await putNumber(world, NUMBER_2, CONNECTION);
  await putNumber(world, FAR_NUMBER, FAR_CONNECTION);
}

async function putAgent(world: World, id: AgentId, connection: typeof CONNECTION) {
  await world.put("agent", id, { ...AGENT_DOC, id, connection, carrierAgentId: id });
}

async function putNumber(world: World, id: NumberId, connection: typeof CONNECTION) {
  const digit = id === FAR_NUMBER ? "9" : "2";
  await world.put("number", id, {
    id,
    phone: `+91804711229${digit}`,
    connection,
    carrierNumberId: null,
  });
}

/** Pushes so many tasks, a thousand at a time; the ids. */
export async function pushMany(
  world: World,
  campaign: CampaignId,
  count: number,
): Promise<TaskId[]> {
  const ids: TaskId[] = [];
  for (let left = count; left > 0; left -= 1_000) {
    const bodies = Array.from({ length: Math.min(left, 1_000) }, () => {
      return { campaign, phone: world.phone() };
    });
    for (const answer of await world.pushAll(bodies)) {
      if (answer.ok && "task" in answer) ids.push(answer.task.id);
    }
  }
  return ids;
}

/** What a piece of work costs the object before it answers. */
export function costOf<T>(world: World, work: () => Promise<T>) {
  const { written, statements } = world.sql;
  const reply = work();
  return {
    reply,
    cost: {
      written: world.sql.written - written,
      statements: world.sql.statements - statements,
    },
  };
}

const key = (kind: "tsk" | "cmp" | "cal", id: string) => localKey(kind, WORKSPACE, id) ?? 0;

/** A task's status as readers of D1 see it, or null while D1 has not heard of it. */
export function storedStatus(world: World, task: TaskId): TaskStatus | null {
  const [row] = world.stored("SELECT status FROM task_view WHERE id = ?", key("tsk", task));
  return row === undefined ? null : (row.status as TaskStatus);
}

/** The stored row of a task, call or campaign. */
export function storedRow(
  world: World,
  table: "tasks" | "calls" | "campaigns",
  id: string,
): Record<string, unknown> {
  const kind = { tasks: "tsk", calls: "cal", campaigns: "cmp" } as const;
  const [row] = world.stored(`SELECT * FROM ${table} WHERE id = ?`, key(kind[table], id));
  if (row === undefined) throw new Error(`D1 has no ${id} in ${table}`);
  return row;
}

const NONE = { queued: 0, running: 0, completed: 0, paused: 0, archived: 0 };

/** D1's campaign is the Dialer's, and its tasks, one by one, are what the counters say. */
export async function expectStored(world: World, campaign: CampaignId): Promise<void> {
  const record = await world.read(campaign);
  const row = storedRow(world, "campaigns", campaign);
  expect(row).toMatchObject({
    name: record.settings.name,
    status: record.status,
    starts_at: record.startsAt,
    started_at: record.startedAt,
    completed_at: record.completedAt,
    archived_at: record.archivedAt,
  });
  expect(JSON.parse(String(row.counters))).toEqual(record.counters);
  expect(JSON.parse(String(row.settings))).toEqual(record.settings);
  const counted = world.stored(
    "SELECT status, COUNT(*) AS count FROM task_view WHERE campaign = ? GROUP BY status",
    key("cmp", campaign),
  );
  const { queued, running, completed, paused, archived } = record.counters;
  expect({ ...NONE, ...Object.fromEntries(counted.map((one) => [one.status, one.count])) }).toEqual(
    { queued, running, completed, paused, archived },
  );
}

/** Rows that a table of the object has. */
export function rowsOf(world: World, table: string): number {
  const [row] = world.sql.all<{ count: number }>(`SELECT COUNT(*) AS count FROM ${table}`);
  return row?.count ?? 0;
}

/** The code of a refusal; what was taken fails the test. */
export async function refused(
  reply: Promise<{ ok: true } | { ok: false; code: string; issues?: { path: string }[] }>,
): Promise<{ code: string; paths: string[] }> {
  const answer = await reply;
  if (answer.ok) throw new Error("it was taken");
  return { code: answer.code, paths: (answer.issues ?? []).map((issue) => issue.path) };
}

/** All that the object has, but for where its ids go on. */
export function everything(world: World): unknown {
  const tables = world.sql.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta'",
  );
  return tables.map(({ name }) => [name, world.sql.all(`SELECT * FROM "${name}"`)]);
}
