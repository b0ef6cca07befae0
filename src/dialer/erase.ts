import type { Origin } from "../core/audit.ts";
import { jsonWithout } from "../core/erasure.ts";
import type { ImportId } from "../core/ids.ts";
import { lastDigits, maskPhone, mentions } from "../core/phone.ts";
import { isOver } from "./campaign.ts";
import { record } from "./entries.ts";
import { forgetAsked } from "./forms.ts";
import { hashedName } from "./idempotency.ts";
import { stand } from "./records.ts";
import type { State } from "./state.ts";
import { completeIfDone, endWaiting, findTasks, markDirty, type Task } from "./tasks.ts";
import type { Erased } from "./verbs.ts";

/** Tasks read at a time: their contexts may be long. */
const READ_AT_ONCE = 50;

/**
 * Removes who a number belongs to from everything that is here. Its waiting tasks are archived; a
 * call in progress goes on, and what is heard of it later is not kept. Tasks and calls stay as rows
 * without number, context and texts, so that counters stay; keyed hashes stay, so that a
 * do-not-call entry (H40) and "dialled once" (H9) go on holding. Of imports that are open, and of
 * these uploads, none of his rows is taken any more. The flush writes what is left. Doing it again
 * finds nothing more.
 */
export function erase(
  state: State,
  phone: string,
  uploads: readonly ImportId[],
  origin: Origin | null,
  now: number,
): Erased {
  const { sql } = state;
  const hash = state.hashPhone(phone);
  const masked = maskPhone(phone);
  const rows = sql.all<{ id: number }>("SELECT id FROM task WHERE hash = ? AND phone <> ''", hash);
  const done = { tasks: 0, archived: 0, calls: 0 };
  for (let at = 0; at < rows.length; at += READ_AT_ONCE) {
    const ids = rows.slice(at, at + READ_AT_ONCE).map((row) => row.id);
    for (const task of findTasks(sql, ids)) {
      done.tasks += 1;
      if (endTask(state, task, now)) done.archived += 1;
      done.calls += emptyCalls(state, task);
      emptyTask(state, task, phone);
    }
  }
  forgetMentions(state, phone);
  forgetAsked(state, hash);
  sql.run(
    "UPDATE suppressed SET pending = json_set(pending, '$.phone', ?) WHERE hash = ? AND pending IS NOT NULL",
    `#${hash}`,
    hash,
  );
  // A row of these may be on its way here: it was read before the number was taken out of the file.
  sql.run(
    `INSERT INTO erased (import, hash) SELECT id, ?1 FROM import WHERE open = 1
     UNION SELECT value, ?1 FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING`,
    hash,
    JSON.stringify(uploads),
  );
  const deed = { action: "person.erase", targetKind: "phone", target: masked, after: done };
  record(state, origin, deed, now);
  state.changes.other();
  return { hash, ...done };
}

/** Nothing of it is dialled any more; true when it waited. */
function endTask(state: State, task: Task, now: number): boolean {
  const { open, ended, campaign } = stand(state, task);
  if (ended !== null) return false;
  if (open !== null) {
    // What its carrier refuses does not come back, either (H21, H30).
    state.sql.run("UPDATE task SET archiving = 1 WHERE id = ?", task.id);
    return false;
  }
  if (isOver(campaign)) return false;
  endWaiting(state, task, campaign, "archived", now);
  completeIfDone(state, campaign, now);
  return true;
}

function emptyCalls(state: State, task: Task): number {
  const calls = state.ledger.ofTask(task.id);
  if (calls.length === 0) return 0;
  state.sql.run(
    `UPDATE call SET erased = 1, word = NULL, recording_url = NULL, transcript = NULL, analysis = NULL
     WHERE task = ?`,
    task.id,
  );
  for (const call of calls) state.changes.note("calls", call);
  return calls.length;
}

function emptyTask(state: State, task: Task, phone: string): void {
  const { id, externalId } = task;
  state.sql.run("UPDATE task SET phone = '', context = '{}', consent = NULL WHERE id = ?", id);
  if (mentions(task.settings?.statusCallbackUrl ?? "", phone)) {
    state.sql.run(
      "UPDATE task SET settings = json_set(settings, '$.statusCallbackUrl', NULL) WHERE id = ?",
      id,
    );
  }
  if (externalId !== null && mentions(externalId, phone)) {
    state.sql.run("UPDATE task SET external_id = NULL WHERE id = ?", id);
  }
  markDirty(state, id);
}

/** Where a client's own texts may quote the number: answers, entries, late news, and names. */
function forgetMentions(state: State, phone: string): void {
  rewrite(state, phone, "idempotency", "answer");
  rewrite(state, phone, "entry", "entry");
  rewrite(state, phone, "late", "news");
  rewrite(state, phone, "outbox", "events");
  hash(state, phone, "idempotency", "key");
  hash(state, phone, "external", "external_id");
}

/** A name that quotes the number goes on naming what it did, by its hash: a push stays taken (H9). */
function hash(state: State, phone: string, table: string, column: string): void {
  for (const name of quoting(state, phone, table, column)) {
    if (!mentions(name, phone)) continue;
    state.sql.run(
      `UPDATE OR REPLACE ${table} SET ${column} = ? WHERE ${column} = ?`,
      hashedName(state, name),
      name,
    );
  }
}

/** Masks the number in the texts of a column of JSON. */
function rewrite(state: State, phone: string, table: string, column: string): void {
  for (const json of quoting(state, phone, table, column)) {
    const kept = jsonWithout(json, phone);
    if (kept === null) continue;
    state.sql.run(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`, kept, json);
  }
}

/** Texts of a column at which a closer look is worth it. */
function quoting(state: State, phone: string, table: string, column: string): string[] {
  const rows = state.sql.all<{ text: string }>(
    `SELECT DISTINCT ${column} AS text FROM ${table} WHERE instr(${column}, ?) > 0`,
    lastDigits(phone),
  );
  return rows.map(({ text }) => text);
}

/** Those of these numbers that were erased while this import was open: their rows are refused. */
export function erasedAmong(state: State, id: string, hashes: readonly string[]): Set<string> {
  const rows = state.sql.all<{ hash: string }>(
    "SELECT hash FROM erased WHERE import = ? AND hash IN (SELECT value FROM json_each(?))",
    id,
    JSON.stringify(hashes),
  );
  return new Set(rows.map((row) => row.hash));
}
