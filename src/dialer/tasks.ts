import { assert } from "../core/assert.ts";
import type { Consent } from "../core/form.ts";
import type { Outcome } from "../core/outcome.ts";
import { priorityOf } from "../core/rank.ts";
import type { Context, TaskSettings } from "../core/task.ts";
import { INHERITED } from "../core/task.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { tellOfCampaign, tellOfTask } from "./events.ts";
import type { Lane, LaneKey } from "./lanes.ts";
import { first, type Sql } from "./sql.ts";
import type { State } from "./state.ts";

/** A live task's row. `lane, at, tiebreak` is where it waits, or waited last while it has a call. */
export type Task = {
  id: number;
  campaign: number;
  import: string | null;
  phone: string;
  hash: string;
  context: Context;
  /** Own settings, or null where all is inherited. */
  settings: TaskSettings | null;
  /** Attempts that were used before the present call. */
  attempts: number;
  lastOutcome: Outcome | null;
  lane: number;
  at: number;
  tiebreak: number;
  /** The campaign's epoch in which it was paused singly (H31), or null. */
  held: number | null;
  /** Archived while its call runs: a retry becomes archived instead (H30). */
  archiving: boolean;
  externalId: string | null;
  createdAt: number;
  endsAt: number | null;
  ended: "completed" | "archived" | null;
  endedAt: number | null;
  /** What the person agreed to who asked for the call by a form. */
  consent: Consent | null;
};

type Row = {
  id: number;
  campaign: number;
  import: string | null;
  phone: string;
  hash: string;
  context: string;
  settings: string | null;
  attempts: number;
  last_outcome: string | null;
  lane: number;
  at: number;
  tiebreak: number;
  held: number | null;
  archiving: number;
  external_id: string | null;
  created_at: number;
  ends_at: number | null;
  ended: "completed" | "archived" | null;
  ended_at: number | null;
  consent: string | null;
};

export function fromRow(row: Row): Task {
  return {
    id: row.id,
    campaign: row.campaign,
    import: row.import,
    phone: row.phone,
    hash: row.hash,
    context: JSON.parse(row.context) as Context,
    settings: row.settings === null ? null : (JSON.parse(row.settings) as TaskSettings),
    attempts: row.attempts,
    lastOutcome: row.last_outcome,
    lane: row.lane,
    at: row.at,
    tiebreak: row.tiebreak,
    held: row.held,
    archiving: row.archiving === 1,
    externalId: row.external_id,
    createdAt: row.created_at,
    endsAt: row.ends_at,
    ended: row.ended,
    endedAt: row.ended_at,
    consent: row.consent === null ? null : (JSON.parse(row.consent) as Consent),
  };
}

export function findTask(sql: Sql, id: number): Task | null {
  const row = first<Row>(sql, "SELECT * FROM task WHERE id = ?", id);
  return row === null ? null : fromRow(row);
}

/** Tasks of a list of ids that are still here. */
export function findTasks(sql: Sql, ids: readonly number[]): Task[] {
  const rows = sql.all<Row>(
    "SELECT t.* FROM json_each(?) j JOIN task t ON t.id = j.value",
    JSON.stringify(ids),
  );
  return rows.map(fromRow);
}

/** The next `limit` tasks that D1 has never seen, by id. */
export function tasksAbove(sql: Sql, id: number, limit: number): Task[] {
  return sql
    .all<Row>("SELECT * FROM task WHERE id > ? ORDER BY id LIMIT ?", id, limit)
    .map(fromRow);
}

export function ownSettings(task: { settings: TaskSettings | null }): TaskSettings {
  return task.settings ?? INHERITED;
}

/** The lane in which attempt n of a task waits. */
export function laneKey(
  campaign: Campaign,
  settings: TaskSettings | null,
  attempt: number,
  at: { callback: boolean; import: string | null; pause: number | null },
): LaneKey {
  const own = settings ?? INHERITED;
  return {
    campaign: campaign.id,
    agent: own.agent,
    number: own.from,
    opensMin: own.hours?.opensMin ?? null,
    closesMin: own.hours?.closesMin ?? null,
    days: own.days,
    timezone: own.timezone,
    callback: at.callback,
    priority: priorityOf(campaign.settings.type, own.priorities, attempt),
    import: at.import,
    pause: at.pause,
  };
}

/** A task that is about to be taken in. */
export type Arrival = {
  id: number;
  import: string | null;
  phone: string;
  hash: string;
  context: Context;
  settings: TaskSettings | null;
  externalId: string | null;
  lane: Lane;
  /** The start of H24: 0 for a batch's row. */
  at: number;
  tiebreak: number;
  createdAt: number;
  endsAt: number | null;
  consent?: Consent | undefined;
};

/** A value of SQLite holds 2 MB; characters of one parameter, each up to three bytes. */
const PARAMETER_CHARS = 400_000;

/** Rows as JSON lists, each short enough for one parameter. */
function* parameters(rows: readonly unknown[][]): Generator<string> {
  let texts: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (texts.length > 0 && chars + text.length > PARAMETER_CHARS) {
      yield `[${texts.join(",")}]`;
      texts = [];
      chars = 0;
    }
    texts.push(text);
    chars += text.length + 1;
  }
  if (texts.length > 0) yield `[${texts.join(",")}]`;
}

function rowOf(a: Arrival): unknown[] {
  return [
    a.id,
    a.import,
    a.phone,
    a.hash,
    JSON.stringify(a.context),
    a.settings === null ? null : JSON.stringify(a.settings),
    a.lane.id,
    a.at,
    a.tiebreak,
    a.externalId,
    a.createdAt,
    a.endsAt,
    a.consent === undefined ? null : JSON.stringify(a.consent),
  ];
}

function insertRows(sql: Sql, campaign: number, rows: string): void {
  sql.run(
    `INSERT INTO task (id, campaign, import, phone, hash, context, settings, attempts, lane, at,
       tiebreak, archiving, external_id, created_at, ends_at, consent)
     SELECT value ->> 0, ?, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 0,
       value ->> 6, value ->> 7, value ->> 8, 0, value ->> 9, value ->> 10, value ->> 11,
       value ->> 12
     FROM json_each(?)`,
    campaign,
    rows,
  );
}

/** Takes tasks in: rows, their places in lanes, and the campaign's count. */
export function enqueue(state: State, campaign: Campaign, arrivals: Arrival[], now: number): void {
  if (arrivals.length === 0) return;
  for (const rows of parameters(arrivals.map(rowOf))) insertRows(state.sql, campaign.id, rows);
  const places = arrivals.map((a) => [a.lane.id, a.at, a.tiebreak, a.id]);
  state.sql.run(
    `INSERT INTO waiting (lane, at, tiebreak, task)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
    JSON.stringify(places),
  );
  for (const a of arrivals) {
    state.lanes.arrived(a.lane, { at: a.at, tiebreak: a.tiebreak, task: a.id }, now);
    if (a.endsAt !== null) state.endAdded(a.endsAt);
  }
  campaign.waiting += arrivals.length;
  state.touch(campaign);
}

/** Whether a single pause of the task still holds (H31). */
export function isHeld(task: Task, campaign: Campaign): boolean {
  return task.held !== null && task.held === campaign.epoch;
}

/** Counts a task that waits where its lane belongs: held or not. */
export function countWaiting(task: Task, campaign: Campaign, by: 1 | -1): void {
  if (isHeld(task, campaign)) campaign.held += by;
  else campaign.waiting += by;
}

/** A task whose call was never taken goes back where it waited (H21), under what now holds. */
export function returnTask(state: State, task: Task, campaign: Campaign, now: number): void {
  campaign.running -= 1;
  state.touch(campaign);
  if (task.archiving || isOver(campaign)) {
    campaign.archived += 1;
    tellOfTask(state, task, "archived", lastOf(task), isOver(campaign));
    endRow(state, task, "archived", now);
    return;
  }
  const before = state.lanes.get(task.lane);
  assert(before !== null, "the lane of a live task stays");
  const pause = isHeld(task, campaign) ? campaign.epoch : null;
  const lane = state.lane({ ...before, pause });
  wait(state, task, lane, task.at, now);
  countWaiting(task, campaign, 1);
}

/** Puts a task without a place into a lane. */
export function wait(state: State, task: Task, lane: Lane, at: number, now: number): void {
  state.sql.run(
    "INSERT INTO waiting (lane, at, tiebreak, task) VALUES (?, ?, ?, ?)",
    lane.id,
    at,
    task.tiebreak,
    task.id,
  );
  if (task.lane !== lane.id || task.at !== at) {
    state.sql.run("UPDATE task SET lane = ?, at = ? WHERE id = ?", lane.id, at, task.id);
  }
  state.lanes.arrived(lane, { at, tiebreak: task.tiebreak, task: task.id }, now);
}

/** Takes a waiting task out of its lane; false when it does not wait. */
export function leave(state: State, task: Task, now: number): void {
  state.sql.run(
    "DELETE FROM waiting WHERE lane = ? AND at = ? AND tiebreak = ? AND task = ?",
    task.lane,
    task.at,
    task.tiebreak,
    task.id,
  );
  const lane = state.lanes.get(task.lane);
  if (lane !== null) state.lanes.left(lane, task.id, now);
}

/** Ends a waiting task without a call: used up (H4), archived, suppressed (H40) or past its end (H14). */
export function endWaiting(
  state: State,
  task: Task,
  campaign: Campaign,
  how: "completed" | "archived",
  now: number,
): void {
  leave(state, task, now);
  countWaiting(task, campaign, -1);
  campaign[how] += 1;
  state.touch(campaign);
  tellOfTask(state, task, how, lastOf(task));
  endRow(state, task, how, now);
}

function lastOf(task: Task) {
  return { attempts: task.attempts, outcome: task.lastOutcome };
}

function endRow(state: State, task: Task, how: "completed" | "archived", now: number): void {
  state.sql.run(
    "UPDATE task SET ended = ?, ended_at = ?, ends_at = NULL WHERE id = ?",
    how,
    now,
    task.id,
  );
  markDirty(state, task.id);
}

/** D1 hears of the task with the next flush. */
export function markDirty(state: State, task: number): void {
  state.sql.run("INSERT INTO dirty (task) VALUES (?) ON CONFLICT DO NOTHING", task);
  state.changes.note("tasks", task);
}

/** H28: a batch completes when it has tasks, none is left to be called, and no import is open. */
export function completeIfDone(state: State, campaign: Campaign, now: number): void {
  if (campaign.settings.type !== "batch" || isOver(campaign)) return;
  if (campaign.waiting + campaign.held + campaign.running > 0) return;
  if (campaign.completed + campaign.archived === 0) return;
  if (state.openImports(campaign.id) > 0) return;
  campaign.completedAt = now;
  state.touch(campaign);
  tellOfCampaign(state, campaign, "completed");
}
