import { type Campaign, isOver } from "./campaign.ts";
import { dropOldAnswers } from "./idempotency.ts";
import { REVIVABLE_MS } from "./imports.ts";
import type { State } from "./state.ts";

/** Rows that one sweep deletes at most. */
const SLICE = 1_000;

/**
 * Lets what is over leave the object, a slice at a time, once D1 knows everything: waiting tasks
 * and lanes of completed and archived campaigns, then what only their imports and pushes needed.
 * True while there is more.
 */
export function sweep(state: State, now: number): boolean {
  for (const campaign of [...state.campaigns()]) {
    if (campaign.swept || !isOver(campaign)) continue;
    if (state.ledger.rowsOf(campaign.id) > 0 || state.openImports(campaign.id) > 0) continue;
    if (sweepTasks(state, campaign) || sweepRest(state, campaign, now)) return true;
    campaign.swept = true;
    state.touch(campaign, "all");
  }
  return false;
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
    const tasks = JSON.stringify(rows.map((row) => row.task));
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

/** A completed batch can come back: its numbers stay until it cannot (H9, H28). */
function sweepRest(state: State, campaign: Campaign, now: number): boolean {
  if (sweepOf(state, "external", "external_id", campaign.id)) return true;
  if (canRevive(campaign, now)) return false;
  if (sweepOf(state, "seen_phone", "hash", campaign.id)) return true;
  state.sql.run(
    "DELETE FROM import_part WHERE import IN (SELECT id FROM import WHERE campaign = ?)",
    campaign.id,
  );
  return false;
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
  dropEmptyLanes(state);
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
