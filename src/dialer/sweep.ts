import { REVIVABLE_MS } from "../core/import.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { tellOfTask } from "./events.ts";
import { dropOldAnswers } from "./idempotency.ts";
import type { State } from "./state.ts";
import { findTasks } from "./tasks.ts";

/** Rows that one sweep deletes at most. */
const SLICE = 1_000;
/** How long after its campaign a part of an import may still be delivered again, ms (H36). */
const PARTS_KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Lets what is over leave the object, a slice at a time, once D1 knows everything: waiting tasks
 * and lanes of completed and archived campaigns, then what only their imports and pushes needed.
 * True while there is more.
 */
export function sweep(state: State, now: number): boolean {
  for (const campaign of [...state.campaigns()]) {
    if (campaign.swept || !isOver(campaign)) continue;
    if (state.openImports(campaign.id) > 0) continue;
    dropRescued(state, campaign);
    if (state.ledger.rowsOf(campaign.id) > 0) continue;
    if (sweepTasks(state, campaign) || sweepRest(state, campaign, now)) return true;
    campaign.swept = true;
    state.touch(campaign, "all");
  }
  return false;
}

/** A rescued call stays for a late report while its task waits (H22): here none does any more. */
function dropRescued(state: State, campaign: Campaign): void {
  if (state.ledger.rowsOf(campaign.id) === 0) return;
  const rows = state.sql.all<{ id: number }>(
    "SELECT id FROM call WHERE campaign = ? AND state = 'concluded' AND assumed = 1",
    campaign.id,
  );
  const known = rows.map((row) => row.id).filter((id) => !state.changes.calls.has(id));
  state.sql.run(
    "DELETE FROM call WHERE id IN (SELECT value FROM json_each(?))",
    JSON.stringify(known),
  );
  for (const id of known) state.ledger.forget(id);
}

/** Every task that is left waits in a lane: the others left with what ended them. */
function sweepTasks(state: State, campaign: Campaign): boolean {
  for (const lane of [...state.lanes.ofCampaign(campaign.id)]) {
    const rows = state.sql.all<{ task: number }>(
      "SELECT task FROM waiting WHERE lane = ? ORDER BY at, tiebreak, task LIMIT ?",
      lane.id,
      SLICE,
    );
    if (rows.length === 0) {
      state.lanes.drop(lane);
      continue;
    }
    const ids = rows.map((row) => row.task);
    if (state.outbox.hasCallbacks) tellOfThem(state, ids);
    const tasks = JSON.stringify(ids);
    state.sql.run(
      "DELETE FROM waiting WHERE lane = ? AND task IN (SELECT value FROM json_each(?))",
      lane.id,
      tasks,
    );
    state.sql.run("DELETE FROM task WHERE id IN (SELECT value FROM json_each(?))", tasks);
    return true;
  }
  return false;
}

/** Tasks that end with their campaign are told to their own addresses, here where each is seen. */
function tellOfThem(state: State, ids: number[]): void {
  for (const task of findTasks(state.sql, ids)) {
    const last = { attempts: task.attempts, outcome: task.lastOutcome };
    tellOfTask(state, task, "archived", last, true);
  }
}

/** A completed batch can come back: its numbers stay until it cannot (H9, H28). */
function sweepRest(state: State, campaign: Campaign, now: number): boolean {
  if (sweepOf(state, "external", "external_id", campaign.id)) return true;
  return !canRevive(campaign, now) && sweepOf(state, "seen_phone", "hash", campaign.id);
}

function sweepOf(state: State, table: string, column: string, campaign: number): boolean {
  const where = `campaign = ? AND ${column} IN (SELECT ${column} FROM ${table} WHERE campaign = ? LIMIT ${SLICE})`;
  const some = state.sql.all(`SELECT 1 FROM ${table} WHERE campaign = ? LIMIT 1`, campaign);
  if (some.length === 0) return false;
  state.sql.run(`DELETE FROM ${table} WHERE ${where}`, campaign, campaign);
  return true;
}

function canRevive(campaign: Campaign, now: number): boolean {
  if (campaign.archivedAt !== null || campaign.expired || campaign.completedAt === null) {
    return false;
  }
  return campaign.completedAt > now - REVIVABLE_MS;
}

/** Once in a while: answers that count no more, lanes that stand empty, batches too old to come back. */
export function tidy(state: State, now: number): void {
  dropOldAnswers(state, now);
  dropOldParts(state, now);
  dropEmptyLanes(state);
  // What waits for its call's name may have waited long enough.
  if (state.unnamed.size > 0) state.changes.other();
  const old = state.sql.all<{ id: number }>(
    `SELECT id FROM campaign WHERE swept = 1 AND completed_at <= ?
       AND EXISTS (SELECT 1 FROM seen_phone s WHERE s.campaign = campaign.id) LIMIT 10`,
    now - REVIVABLE_MS,
  );
  for (const { id } of old) {
    const campaign = state.campaign(id);
    campaign.swept = false;
    state.touch(campaign, "all");
  }
}

/** What became of parts that nobody delivers any more: their campaign is over for good, and long so. */
function dropOldParts(state: State, now: number): void {
  state.sql.run(
    `DELETE FROM import_part WHERE import IN (
       SELECT i.id FROM import i JOIN campaign c ON c.id = i.campaign WHERE c.swept = 1
         AND (c.archived_at <= ?1 OR c.expired = 1 AND c.completed_at <= ?1 OR c.completed_at <= ?2))`,
    now - PARTS_KEPT_MS,
    now - PARTS_KEPT_MS - REVIVABLE_MS,
  );
}

/** Lanes in which nobody waits and to which no call can give its task back (H21). */
function dropEmptyLanes(state: State): void {
  const empty = [...state.lanes.all()].filter((lane) => lane.head === null);
  if (empty.length === 0) return;
  const used = state.sql.all<{ lane: number }>(
    "SELECT DISTINCT t.lane FROM call c JOIN task t ON t.id = c.task WHERE c.state <> 'concluded'",
  );
  const kept = new Set(used.map((row) => row.lane));
  for (const lane of empty) if (!kept.has(lane.id)) state.lanes.drop(lane);
}
