import type { Commit } from "./flush.ts";
import type { Outside } from "./outside.ts";
import type { State } from "./state.ts";

/** Rows of one hand-over; a queue takes a hundred messages at once. */
const ROWS_AT_ONCE = 100;
/** What nobody has acknowledged is sent again after a gap that doubles up to the longest, ms. */
const AGAIN_MIN_MS = 2 * 60_000;
const AGAIN_MAX_MS = 30 * 60_000;
/** A queue that takes nothing is tried again, ms. */
const BACK_OFF_MS = 5_000;

/**
 * Sends rows of the outbox to the queue of events, oldest first, one hand-over at a time. A row
 * stays until its consumer says that its events are told or kept in D1, so that no queue, and no
 * consumer that dies, loses any: what is not acknowledged is sent again, under the same ids.
 */
export class Sender {
  readonly #outside: Outside;
  readonly #commit: Commit;
  #sending = false;
  /** Rows up to this one were sent. */
  #sentTo = 0;
  #againMs = AGAIN_MIN_MS;
  /** Rows up to this one are sent again then, if they are still here. */
  #awaited = 0;
  /** The queue took nothing: it is not asked before. 0 while it takes. */
  #shutUntil = 0;
  /** When what is there is sent again, or null when nothing is. */
  dueAt: number | null = null;

  constructor(outside: Outside, commit: Commit) {
    this.#outside = outside;
    this.#commit = commit;
  }

  /** A transaction was committed. */
  noticed(state: State, now: number): void {
    const { outbox } = state;
    if (outbox.isEmpty) {
      this.dueAt = null;
      this.#againMs = AGAIN_MIN_MS;
      return;
    }
    const again = this.dueAt !== null && this.dueAt <= now;
    if (this.#sending || now < this.#shutUntil) return;
    if (!again && this.dueAt !== null && outbox.newest <= this.#sentTo) return;
    // What the queue did not take was not sent: it needs no longer gap.
    const missed = again && this.#shutUntil === 0 && this.#isAwaited(state);
    if (missed) {
      this.#sentTo = 0;
      this.#againMs = Math.min(this.#againMs * 2, AGAIN_MAX_MS);
    } else if (again) {
      this.#againMs = AGAIN_MIN_MS;
    }
    this.#shutUntil = 0;
    this.#sending = true;
    // What comes after puts nothing off: where something always comes, nothing were sent again.
    if (again || this.dueAt === null) this.#expect(state, now);
    this.#outside.background(this.#send());
  }

  /** Whether anything that should have been acknowledged by now was not. */
  #isAwaited(state: State): boolean {
    const oldest = state.outbox.oldest(state);
    return oldest !== null && oldest <= this.#awaited;
  }

  #expect(state: State, now: number): void {
    this.#awaited = state.outbox.newest;
    this.dueAt = now + this.#againMs;
  }

  async #send(): Promise<void> {
    try {
      for (;;) {
        const { workspace, rows } = this.#commit((state, now) => {
          // Many rows take their time: the alarm does not ask after them all the while.
          if (this.dueAt !== null && this.dueAt <= now) this.#expect(state, now);
          const some = state.outbox.after(state, this.#sentTo, ROWS_AT_ONCE);
          return { workspace: state.workspace, rows: some };
        });
        const last = rows.at(-1);
        if (last === undefined) return;
        await this.#outside.send(rows.map(({ id, events }) => ({ workspace, row: id, events })));
        this.#sentTo = last.id;
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#outside.log("events", { error: text, retryMs: BACK_OFF_MS });
      this.#shutUntil = this.#outside.now() + BACK_OFF_MS;
      this.dueAt = this.#shutUntil;
      this.#outside.after(BACK_OFF_MS, () => this.#commit(() => undefined));
    } finally {
      this.#sending = false;
    }
  }
}
