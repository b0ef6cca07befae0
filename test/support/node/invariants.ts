import { expect } from "vitest";
import { type CampaignId, localKey, makeId, type TaskId } from "../../../src/core/ids.ts";
import { callsOfTask } from "../../../src/db/calls.ts";
import { readTaskRow, taskOf as taskRecordOf } from "../../../src/db/tasks.ts";
import type { Dialer } from "../../../src/dialer/dialer.ts";
import { databaseOf, prepare } from "./d1.ts";
import { NEVER } from "./never.ts";
import { taken, WORKSPACE, World } from "./world.ts";

/*
 * What must stay true whatever happens (architecture, *What must stay true*): of the rows after
 * every step, and of memory, the alarm and D1 when a test is over.
 */

/** A world whose rows are checked after every step. */
export function openWorld(seed?: number): World {
  const world = new World(seed);
  let checked = "";
  world.watch = () => {
    const all = whatIsChecked(world);
    if (all === checked) return;
    checkRows(world);
    checked = all;
  };
  return world;
}

/** Differs whenever what `checkRows` looks at may: rows written so far, and answers to dials. */
function whatIsChecked({ sql, d1, dials }: World): string {
  const written = "SELECT total_changes() AS count";
  const [here] = sql.all<{ count: number }>(written);
  const there = prepare(d1, written).get();
  return [here?.count, there?.count, ...dials.map(({ answer }) => answer?.kind)].join();
}

type Violation = { rule: string; rows: unknown[] };

/** After every step. */
export function checkRows(world: World): void {
  const found: Violation[] = [];
  for (const [rule, query] of Object.entries(NEVER)) {
    const rows = world.sql.all(query);
    if (rows.length > 0) found.push({ rule, rows });
  }
  expect(found).toEqual([]);
  expect(dialledTwice(world)).toEqual([]);
}

/** Attempts that a carrier may have dialled twice: a second dial needs a refusal of the first. */
function dialledTwice(world: World): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { call, attempt, answer } of world.dials) {
    const task =
      answer?.kind === "refused" ? null : taskOf(world, localKey("cal", WORKSPACE, call));
    if (task === null) continue;
    const which = `task ${task} attempt ${attempt}`;
    if (seen.has(which)) twice.push(which);
    seen.add(which);
  }
  return twice;
}

/** The task for which a call used an attempt, or null: one refused by report gave its task back. */
function taskOf(world: World, call: number | null): number | null {
  const query = "SELECT task, verdict FROM call WHERE id = ?";
  const [here] = world.sql.all<{ task: number; verdict: string | null }>(query, call);
  if (here !== undefined) return here.verdict === "returned" ? null : here.task;
  const [stored] = world.stored("SELECT task, outcome FROM calls WHERE id = ?", call);
  return stored === undefined || stored.outcome === null ? null : Number(stored.task);
}

/** When a test is over: the rows, memory against the rows, the alarm, and D1 after a flush. */
export async function checkWorld(world: World): Promise<void> {
  world.d1Fault = null;
  expect([...new Set(world.d1WholeReads)]).toEqual([]);
  checkRows(world);
  await checkMemory(world);
  checkAlarm(world);
  await checkD1(world);
}

/** A Dialer that has just read the rows says the same as the one that wrote them. */
async function checkMemory(world: World): Promise<void> {
  const { sql, dialer } = world;
  const [leases] = sql.all<{ held: number; placing: number }>(
    `SELECT COUNT(*) AS held, COALESCE(SUM(state = 'placing'), 0) AS placing FROM call
     WHERE state IN ('placing', 'placed', 'unknown')`,
  );
  const { slots, slotsInUse } = taken(await dialer.readWorkspace());
  expect(slotsInUse).toBe(leases?.held);
  const says = await factsOf(world, dialer);
  // Pace is in memory alone, and answers that are awaited are lost to whoever starts.
  const paced = sql.all("SELECT 1 FROM copy WHERE doc ->> 'perSecond' IS NOT NULL").length > 0;
  if (leases?.placing === 0 && !paced) expect(says).toEqual(await factsOf(world, world.twin()));
  // H23: what is due and next is not left while a slot is free.
  const idle = says.tasks.filter((task) => task.waiting?.reason === "slots");
  if (!paced && slotsInUse < slots && (leases?.placing ?? 0) < 3) expect(idle).toEqual([]);
}

async function factsOf(world: World, dialer: Dialer) {
  const { campaigns, tasks } = idsOf(world);
  return {
    workspace: taken(await dialer.readWorkspace()),
    campaigns: await Promise.all(campaigns.map(async (id) => taken(await dialer.readCampaign(id)))),
    tasks: await Promise.all(tasks.map(async (id) => taken(await dialer.readTask(id)))),
  };
}

function idsOf(world: World): { campaigns: CampaignId[]; tasks: TaskId[] } {
  const keys = (table: string) =>
    world.sql.all<{ id: number }>(`SELECT id FROM ${table} ORDER BY id`).map((row) => row.id);
  return {
    campaigns: keys("campaign").map((id) => makeId("cmp", WORKSPACE, id)),
    tasks: keys("task").map((id) => makeId("tsk", WORKSPACE, id)),
  };
}

/** The alarm comes no later than anything that time alone moves on. */
function checkAlarm(world: World): void {
  const [next] = world.sql.all<{ at: number | null }>(
    `SELECT MIN(at) AS at FROM (
       SELECT MIN(check_at, expires_at) AS at FROM call WHERE state IN ('placing', 'placed', 'unknown')
       UNION ALL SELECT COALESCE(check_at, conclude_by) FROM call WHERE state = 'ended'
       UNION ALL SELECT ends_at FROM task WHERE ends_at IS NOT NULL
       UNION ALL SELECT probe_at FROM connection WHERE probe_at IS NOT NULL
       UNION ALL SELECT settings ->> 'endAfter' FROM campaign
         WHERE archived_at IS NULL AND completed_at IS NULL)`,
  );
  if (next?.at == null) return;
  expect(world.alarm).not.toBeNull();
  expect(world.alarm).toBeLessThanOrEqual(Math.max(next.at, world.now + 1));
}

/** After a flush D1 has what the Dialer reads, and nothing that is neither there nor over. */
async function checkD1(world: World): Promise<void> {
  for (let pass = 0; pass < 2; pass++) {
    await world.dialer.tick();
    await world.idle();
  }
  const { campaigns, tasks } = idsOf(world);
  for (const id of campaigns) {
    const record = taken(await world.dialer.readCampaign(id));
    const key = localKey("cmp", WORKSPACE, id);
    const [row] = world.stored(
      "SELECT status, counters, settings FROM campaigns WHERE id = ?",
      key,
    );
    expect(row).toBeDefined();
    expect(row?.status).toBe(record.status);
    expect(JSON.parse(String(row?.counters))).toEqual(record.counters);
    expect(JSON.parse(String(row?.settings))).toEqual(record.settings);
  }
  for (const id of tasks) await checkStoredTask(world, id);
  const here = new Set(tasks.map((id) => localKey("tsk", WORKSPACE, id)));
  const lost = world
    .stored("SELECT id, status FROM task_view WHERE status NOT IN ('completed', 'archived')")
    .filter((row) => !here.has(Number(row.id)));
  expect(lost).toEqual([]);
}

/** What D1's readers get of a task and its calls is what the Dialer says, but for why it waits. */
async function checkStoredTask(world: World, id: TaskId): Promise<void> {
  const record = taken(await world.dialer.readTask(id));
  const calls = taken(await world.dialer.readCalls(id));
  const key = localKey("tsk", WORKSPACE, id) ?? 0;
  const row = await readTaskRow(databaseOf(world.d1), WORKSPACE, key);
  const stored = row === null ? null : taskRecordOf(WORKSPACE, row);
  const placing = world.sql.all("SELECT 1 FROM call WHERE task = ? AND state = 'placing'", key);
  // D1 hears of a call once the carrier took it.
  if (placing.length > 0) {
    expect(stored?.attempts).toBe(record.attempts);
    return;
  }
  expect(stored).toEqual({ ...record, waiting: null });
  const campaign = localKey("cmp", WORKSPACE, record.campaign) ?? 0;
  const storedCalls = await callsOfTask(databaseOf(world.d1), WORKSPACE, campaign, key);
  for (const call of calls) {
    const same = storedCalls.find((one) => one.id === call.id);
    expect(same).toEqual({ ...call, transcript: null, analysis: null });
  }
}
