import { assert } from "../core/assert.ts";
import type { CallState } from "../core/call.ts";
import type { Tracked } from "./calls.ts";
import { Heap } from "./heap.ts";

/** What memory keeps of a call's row. */
type Entry = {
  id: number;
  task: number;
  campaign: number;
  connection: string;
  carrierCallId: string | null;
  state: CallState;
  /** When time alone moves it on, or null. */
  dueAt: number | null;
};

export type ConnectionLoad = { leases: number; placing: number };
const NO_LOAD: ConnectionLoad = { leases: 0, placing: 0 };

/**
 * Every call that has a row, in memory: who holds slots (H23, H27), what is due, whose is whose.
 * A cache like the heads of lanes: written in the same step as the row, built from the rows by a
 * start, dropped by any throw. So no dispatch scans a table, and no slot can outlive its row.
 */
export class Ledger {
  total = 0;
  placing = 0;
  readonly #entries = new Map<number, Entry>();
  readonly #leasesOf = new Map<number, number>();
  readonly #rowsOf = new Map<number, number>();
  readonly #openOf = new Map<number, number>();
  readonly #loads = new Map<string, ConnectionLoad>();
  readonly #byTask = new Map<number, number[]>();
  readonly #byCarrierId = new Map<string, number>();
  readonly #due = new Heap<{ at: number; id: number }>((a, b) => a.at - b.at || a.id - b.id);

  get(id: number): Readonly<Entry> | null {
    return this.#entries.get(id) ?? null;
  }

  get size(): number {
    return this.#entries.size;
  }

  ids(): Iterable<number> {
    return this.#entries.keys();
  }

  byCarrierId(connection: string, carrierCallId: string): number | null {
    return this.#byCarrierId.get(`${connection} ${carrierCallId}`) ?? null;
  }

  /** Calls of a task that have rows, oldest first. */
  ofTask(task: number): readonly number[] {
    return this.#byTask.get(task) ?? [];
  }

  /** The call of a task that is not concluded yet, or null. */
  openCallOf(task: number): number | null {
    const open = this.ofTask(task).find((id) => this.#entries.get(id)?.state !== "concluded");
    return open ?? null;
  }

  leasesOf(campaign: number): number {
    return this.#leasesOf.get(campaign) ?? 0;
  }

  /** Calls of a campaign that are not concluded: its running tasks. */
  openOf(campaign: number): number {
    return this.#openOf.get(campaign) ?? 0;
  }

  /** Calls of a campaign that have rows, concluded ones too. */
  rowsOf(campaign: number): number {
    return this.#rowsOf.get(campaign) ?? 0;
  }

  loadOf(connection: string): ConnectionLoad {
    return this.#loads.get(connection) ?? NO_LOAD;
  }

  /** Connections that have an open call whose id the carrier has not told yet. */
  namelessOn(): Set<string> {
    const connections = new Set<string>();
    for (const { state, carrierCallId, connection } of this.#entries.values()) {
      if (state !== "concluded" && carrierCallId === null) connections.add(connection);
    }
    return connections;
  }

  /** Unconcluded calls that satisfy a condition; for people's requests, not for dispatch. */
  someOpen(matches: (entry: Readonly<Entry>) => boolean): Readonly<Entry> | null {
    for (const entry of this.#entries.values()) {
      if (entry.state !== "concluded" && matches(entry)) return entry;
    }
    return null;
  }

  /** The row of this call was just written. */
  track(call: Tracked): void {
    const before = this.#entries.get(call.id);
    if (before === undefined) {
      push(this.#byTask, call.task, call.id);
      bump(this.#rowsOf, call.campaign, 1);
    } else this.#count(before, -1);
    const entry: Entry = {
      id: call.id,
      task: call.task,
      campaign: call.campaign,
      connection: call.connection,
      carrierCallId: call.carrierCallId,
      state: call.state,
      dueAt: dueAt(call),
    };
    this.#entries.set(call.id, entry);
    this.#count(entry, 1);
    if (entry.carrierCallId !== null) {
      this.#byCarrierId.set(`${entry.connection} ${entry.carrierCallId}`, entry.id);
    }
    if (entry.dueAt !== null && entry.dueAt !== before?.dueAt) {
      this.#due.push({ at: entry.dueAt, id: entry.id });
    }
  }

  /** The row of this call was just deleted. */
  forget(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#count(entry, -1);
    this.#entries.delete(id);
    bump(this.#rowsOf, entry.campaign, -1);
    const siblings = (this.#byTask.get(entry.task) ?? []).filter((one) => one !== id);
    if (siblings.length === 0) this.#byTask.delete(entry.task);
    else this.#byTask.set(entry.task, siblings);
    if (entry.carrierCallId === null) return;
    const key = `${entry.connection} ${entry.carrierCallId}`;
    if (this.#byCarrierId.get(key) === id) this.#byCarrierId.delete(key);
  }

  /** When the next call is due, or null. */
  nextDue(): number | null {
    for (;;) {
      const top = this.#due.peek();
      if (top === undefined) return null;
      if (this.#entries.get(top.id)?.dueAt === top.at) return top.at;
      this.#due.pop();
    }
  }

  /** Calls that are due, at most `limit`; each must be written before the next look. */
  takeDue(now: number, limit: number): number[] {
    const ids: number[] = [];
    while (ids.length < limit) {
      const next = this.nextDue();
      if (next === null || next > now) break;
      const top = this.#due.pop();
      assert(top !== undefined, "a due call is on the heap");
      const entry = this.#entries.get(top.id);
      // Should nothing move it on after all, it comes up again.
      if (entry !== undefined) entry.dueAt = null;
      ids.push(top.id);
    }
    return ids;
  }

  #count(entry: Entry, by: 1 | -1): void {
    if (entry.state !== "concluded") bump(this.#openOf, entry.campaign, by);
    if (!holdsSlot(entry.state)) return;
    const placing = entry.state === "placing" ? by : 0;
    this.total += by;
    this.placing += placing;
    bump(this.#leasesOf, entry.campaign, by);
    const load = this.#loads.get(entry.connection) ?? NO_LOAD;
    const next = { leases: load.leases + by, placing: load.placing + placing };
    if (next.leases === 0) this.#loads.delete(entry.connection);
    else this.#loads.set(entry.connection, next);
  }
}

/** Placing, placed and unknown are the lease (H22). */
export function holdsSlot(state: CallState): boolean {
  return state === "placing" || state === "placed" || state === "unknown";
}

function dueAt(call: Tracked): number | null {
  if (call.state === "concluded") return null;
  if (call.state === "ended") return call.checkAt ?? call.concludeBy;
  return call.checkAt === null ? call.expiresAt : Math.min(call.checkAt, call.expiresAt);
}

function bump(counts: Map<number, number>, key: number, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}

function push(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
