import type { EventType, WebhookEvent } from "../core/webhook.ts";
import type { State } from "./state.ts";

/** Most events in one row, and so in one message. */
const ROW_EVENTS = 50;
/** A message holds 128 KB; characters, each up to three bytes, with room to spare. */
const ROW_CHARS = 40_000;
/** Its row says that some task was ever taken in with an address of its own. */
const CALLBACKS_KNOWN = "callbacks";

/** An event without what it gets when it is written. */
export type Noted = Omit<WebhookEvent, "at" | "sequence">;

/**
 * Events for webhooks, written in the transaction of what they tell, so that neither exists without
 * the other. They stay until their receivers have them, or D1 holds them for another try. Nothing is
 * written, read or numbered while nobody wants to know.
 */
export class Outbox {
  readonly #noted: Noted[] = [];
  /** Rows that are there. */
  #rows = 0;
  /** Id of the newest row. */
  newest = 0;
  #callbacks = false;

  load(state: State): void {
    const [row] = state.sql.all<{ rows: number; newest: number | null }>(
      "SELECT COUNT(*) AS rows, MAX(id) AS newest FROM outbox",
    );
    this.#rows = row?.rows ?? 0;
    this.newest = row?.newest ?? 0;
    this.#callbacks = state.meta(CALLBACKS_KNOWN) !== null;
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  /** Events that are there. */
  waiting(state: State): number {
    if (this.isEmpty) return 0;
    const [row] = state.sql.all<{ events: number }>(
      "SELECT SUM(json_array_length(events)) AS events FROM outbox",
    );
    return row?.events ?? 0;
  }

  /** A task with an address of its own was taken in. */
  expectCallbacks(state: State): void {
    if (this.#callbacks) return;
    this.#callbacks = true;
    state.setMeta(CALLBACKS_KNOWN, 1);
  }

  /** Whether a task may have an address of its own. */
  get hasCallbacks(): boolean {
    return this.#callbacks;
  }

  /** Whether it is worth a look at the task who wants to hear of it. */
  mayWant(state: State, type: EventType): boolean {
    return this.#callbacks || state.copies.wantsEvent(type);
  }

  /** Notes what a webhook wants, or the task's own address. */
  note(state: State, event: Noted): void {
    const hooked = !event.only && state.copies.wantsEvent(event.type);
    // Of a call that has left D1 alone knows whether its task has an address.
    const late = this.#callbacks && event.call !== null && event.data.task === undefined;
    if (hooked || event.callback !== null || late) this.#noted.push(event);
  }

  /** Writes what this transaction has noted. */
  save(state: State, now: number): void {
    if (this.#noted.length === 0) return;
    const noted = this.#noted.splice(0);
    const first = state.nextIds(noted.length);
    const events = noted.map((one, index) => ({ ...one, at: now, sequence: first + index }));
    let id = first;
    let some: string[] = [];
    let chars = 0;
    for (const event of events) {
      const text = JSON.stringify(event);
      if (some.length === ROW_EVENTS || (some.length > 0 && chars + text.length > ROW_CHARS)) {
        this.#add(state, id, some);
        id = event.sequence;
        some = [];
        chars = 0;
      }
      some.push(text);
      chars += text.length;
    }
    this.#add(state, id, some);
  }

  #add(state: State, id: number, events: string[]): void {
    const text = `[${events.join(",")}]`;
    state.sql.run("INSERT INTO outbox (id, events) VALUES (?, ?)", id, text);
    this.#rows += 1;
    this.newest = id;
  }

  /** Id of the oldest row; null when none is there. */
  oldest(state: State): number | null {
    const [row] = state.sql.all<{ id: number | null }>("SELECT MIN(id) AS id FROM outbox");
    return row?.id ?? null;
  }

  /** Rows after this one, oldest first. */
  after(state: State, id: number, limit: number): { id: number; events: WebhookEvent[] }[] {
    const rows = state.sql.all<{ id: number; events: string }>(
      "SELECT id, events FROM outbox WHERE id > ? ORDER BY id LIMIT ?",
      id,
      limit,
    );
    return rows.map((row) => ({ id: row.id, events: JSON.parse(row.events) as WebhookEvent[] }));
  }

  /** Their receivers have them, or D1: they leave. Ids that are not here any more are passed over. */
  forget(state: State, ids: readonly number[]): void {
    const here = "id IN (SELECT value FROM json_each(?))";
    const known = state.sql.all(`SELECT id FROM outbox WHERE ${here}`, JSON.stringify(ids));
    if (known.length === 0) return;
    state.sql.run(`DELETE FROM outbox WHERE ${here}`, JSON.stringify(ids));
    this.#rows -= known.length;
  }
}
