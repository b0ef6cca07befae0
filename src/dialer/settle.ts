import type { Call } from "./calls.ts";
import { forgetEntries } from "./entries.ts";
import type { Slice } from "./slice.ts";
import type { State } from "./state.ts";

/**
 * D1 has a slice: forgets the changes that it held, and lets the rows leave that nothing needs
 * any more. A call leaves once it is concluded and, after a rescue, its task was claimed again or
 * is over; a task leaves with the call or the move that ended it.
 */
export function settle(state: State, slice: Slice): void {
  const { sql, changes } = state;
  if (slice.watermark !== null) state.setMeta("flushed_tasks", slice.watermark);
  changes.told(
    "campaigns",
    slice.campaigns.map((one) => one.id),
    slice.mark,
  );

  const leavingTasks = new Set<number>();
  const clean = changes.told("tasks", slice.dirty, slice.mark);
  remove(state, "dirty", "task", clean);
  for (const id of clean) {
    const standing = slice.tasks.get(id);
    if (standing?.task.ended != null && state.ledger.openCallOf(id) === null) leavingTasks.add(id);
  }

  const told = new Set(
    changes.told(
      "calls",
      slice.calls.map((one) => one.id),
      slice.mark,
    ),
  );
  const leavingCalls = new Set<number>();
  for (const call of slice.calls) {
    if (!told.has(call.id)) continue;
    for (const older of state.ledger.ofTask(call.task)) {
      if (older < call.id && canLeave(state, older)) leavingCalls.add(older);
    }
    if (call.state !== "concluded") continue;
    const over = slice.tasks.get(call.task)?.ended != null;
    if (over && state.ledger.openCallOf(call.task) === null) leavingTasks.add(call.task);
    if (call.verdict !== "retry" || !call.assumed) leavingCalls.add(call.id);
  }
  for (const task of leavingTasks) {
    for (const call of state.ledger.ofTask(task)) {
      if (canLeave(state, call)) leavingCalls.add(call);
    }
  }
  remove(state, "call", "id", [...leavingCalls]);
  for (const id of leavingCalls) state.ledger.forget(id);
  // A task stays while a call of its own does: that call's next version takes both away.
  const gone = [...leavingTasks].filter((id) => state.ledger.ofTask(id).length === 0);
  remove(state, "task", "id", gone);
  remove(
    state,
    "dirty",
    "task",
    gone.filter((id) => changes.tasks.has(id)),
  );
  for (const id of gone) changes.forget("tasks", id);

  for (const { hash, pending } of slice.suppressions) {
    sql.run("UPDATE suppressed SET pending = NULL WHERE hash = ? AND pending = ?", hash, pending);
  }
  removeLate(state, slice);
  forgetEntries(state, slice.entries);
  changes.words.told(slice.words);
}

/** D1 refuses what is in a slice: it is no longer sent, and its rows stay until the object starts anew. */
export function setAside(state: State, slice: Slice): void {
  const { changes, sql } = state;
  if (slice.watermark !== null) state.setMeta("flushed_tasks", slice.watermark);
  changes.told(
    "campaigns",
    slice.campaigns.map((one) => one.id),
    slice.mark,
  );
  changes.told("tasks", slice.dirty, slice.mark);
  changes.told(
    "calls",
    slice.calls.map((one) => one.id),
    slice.mark,
  );
  for (const { hash } of slice.suppressions) {
    sql.run("UPDATE suppressed SET pending = NULL WHERE hash = ?", hash);
  }
  removeLate(state, slice);
  forgetEntries(state, slice.entries);
  changes.words.told(slice.words);
}

/** Whether a call is concluded and D1 has its last version. */
function canLeave(state: State, id: Call["id"]): boolean {
  return state.ledger.get(id)?.state === "concluded" && !state.changes.calls.has(id);
}

function remove(state: State, table: string, column: string, ids: readonly number[]): void {
  if (ids.length === 0) return;
  state.sql.run(
    `DELETE FROM ${table} WHERE ${column} IN (SELECT value FROM json_each(?))`,
    JSON.stringify(ids),
  );
}

function removeLate(state: State, { late }: Slice): void {
  remove(
    state,
    "late",
    "id",
    late.map((row) => row.id),
  );
  for (const { call, connection, carrierCallId } of late) {
    if (call !== null) continue;
    const newer = state.sql.all(
      "SELECT 1 FROM late WHERE connection = ? AND carrier_call_id = ? AND call IS NULL LIMIT 1",
      connection,
      carrierCallId,
    );
    // More of the same call may have come since: it still waits for its name.
    if (newer.length === 0) state.unnamed.delete(`${connection} ${carrierCallId}`);
  }
}
