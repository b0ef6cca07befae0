import { auditIdOf, type Deed, type Entry, type Origin } from "../core/audit.ts";
import type { State } from "./state.ts";

/** An entry of the audit log that D1 has not got yet. */
export type PendingEntry = { id: string; entry: string };

/**
 * Records what a person or key does, in the transaction that does it. The flush brings the entry to
 * D1, once by its id, so that neither exists without the other. Without an origin nothing is
 * recorded: the clock and the carriers have none.
 */
export function record(state: State, origin: Origin | null, deed: Deed, now: number): void {
  if (origin === null) return;
  const entry: Entry = { ...origin, ...deed, at: now };
  state.sql.run(
    "INSERT INTO entry (id, entry) VALUES (?, ?)",
    auditIdOf(state.workspace, now, state.nextId()),
    JSON.stringify(entry),
  );
  state.changes.other();
}

export function pendingEntries(state: State, limit: number): PendingEntry[] {
  return state.sql.all("SELECT id, entry FROM entry ORDER BY id LIMIT ?", limit);
}

/** D1 has them. */
export function forgetEntries(state: State, entries: readonly PendingEntry[]): void {
  if (entries.length === 0) return;
  const ids = JSON.stringify(entries.map((one) => one.id));
  state.sql.run("DELETE FROM entry WHERE id IN (SELECT value FROM json_each(?))", ids);
}

/** What D1 keeps of an entry, as an array in the order of its statement. */
export function entryValues({ id, entry }: PendingEntry): unknown[] {
  const it = JSON.parse(entry) as Entry;
  const json = (value: Deed["before"]) => (value ? JSON.stringify(value) : null);
  const { before, after } = it;
  const shown = [it.targetKind, it.target, json(before), json(after), it.ip, it.requestId];
  return [id, it.at, it.actorKind, it.actor, it.action, ...shown];
}
