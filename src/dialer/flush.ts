import type { Outside } from "./outside.ts";
import { statementsOf } from "./projection.ts";
import { setAside, settle } from "./settle.ts";
import { putCopies } from "./setup.ts";
import { readSlice, SLICE_KINDS, SLICE_ROWS, type Slice, type SliceKind } from "./slice.ts";
import type { State } from "./state.ts";
import type { Doc } from "./verbs.ts";

/** How long a change may wait for company, ms. */
const GATHER_MS = 500;
const BACK_OFF_MIN_MS = 1_000;
const BACK_OFF_MAX_MS = 60_000;
/** Most copies that one look fetches. */
const COPIES_ROWS = 5_000;

/** Runs a piece of work on the state in one transaction; drops the state when it throws. */
export type Commit = <T>(work: (state: State, now: number) => T) => T;

/**
 * Tells D1 what changed, in slices, and hears from it what was set up meanwhile. One pass at a
 * time. D1 being away costs nothing but time: the changes stay, and the next try comes later.
 */
export class Flush {
  readonly #outside: Outside;
  readonly #commit: Commit;
  readonly #allTold: () => void;
  #pass: Promise<boolean> | null = null;
  /** Names the timer that counts; 0 when none is set. */
  #timer = 0;
  #timers = 0;
  #backOffMs = 0;
  #told = -1;
  /** When the next pass is due should the timer be lost, or null when D1 knows everything. */
  dueAt: number | null = null;

  /** `allTold` is called whenever D1 knows everything. */
  constructor(outside: Outside, commit: Commit, allTold: () => void) {
    this.#outside = outside;
    this.#commit = commit;
    this.#allTold = allTold;
  }

  /** Whether D1 has heard of everything up to this mark. */
  hasTold(mark: number): boolean {
    return this.#told >= mark;
  }

  /** A transaction was committed: what it changed is flushed soon. */
  noticed(state: State, now: number): void {
    if (this.#pass !== null || this.#timer !== 0) return;
    if (state.changes.mark !== this.#told) this.#ask(now, GATHER_MS);
  }

  /** Sets the timer, in place of one that may be set. */
  #ask(now: number, ms: number): void {
    const timer = ++this.#timers;
    this.#timer = timer;
    this.dueAt = now + ms;
    this.#outside.after(ms, () => {
      if (timer !== this.#timer) return;
      this.#timer = 0;
      this.#outside.background(this.run().then(() => undefined));
    });
  }

  /** One pass; true when D1 then knows all that there was. Joins a pass that is under way. */
  run(): Promise<boolean> {
    // While a pass is under way nothing counts as told, so that nothing leaves the object; and while
    // D1 hangs, the alarm asks after it once in a while, not all the time.
    this.dueAt = Math.max(this.dueAt ?? 0, this.#outside.now());
    this.#pass ??= this.#runPass().finally(() => {
      this.#pass = null;
    });
    return this.#pass;
  }

  /** A pass that starts after this call, so that it holds every change made before it. */
  async runAnew(): Promise<boolean> {
    if (this.#pass !== null) await this.#pass;
    return this.run();
  }

  async #runPass(): Promise<boolean> {
    const started = this.#outside.now();
    try {
      let mark = -1;
      for (let more = true; more; ) {
        ({ more, mark } = await this.#send(SLICE_KINDS, SLICE_ROWS));
      }
      this.#told = mark;
      this.#backOffMs = 0;
      this.#timer = 0;
      this.dueAt = null;
      this.#commit((state, now) => {
        if (state.changes.mark !== mark) this.#ask(now, GATHER_MS);
      });
      if (this.dueAt === null) this.#allTold();
      return this.dueAt === null;
    } catch (error) {
      const doubled = Math.min(BACK_OFF_MAX_MS, Math.max(BACK_OFF_MIN_MS, this.#backOffMs * 2));
      this.#backOffMs = doubled;
      const wait = Math.round(doubled * (0.75 + this.#outside.random() / 2));
      this.#outside.log("flush", { error: messageOf(error), retryMs: wait });
      this.#ask(started, wait);
      return false;
    }
  }

  /** Sends one slice; one that D1 refuses as bad is taken apart until the bad row is alone. */
  async #send(
    kinds: readonly SliceKind[],
    limit: number,
  ): Promise<{ more: boolean; mark: number }> {
    const { slice, statements, known } = this.#commit((state, now) => {
      const read = readSlice(state, kinds, limit, now);
      const workspace = state.workspace;
      return {
        slice: read,
        statements: [
          ...statementsOf(state, read),
          {
            query: "SELECT config_version AS version FROM workspaces WHERE id = ?",
            bind: [workspace],
          },
        ],
        known: Number(state.meta("config_known") ?? 0),
      };
    });
    let results: unknown[][];
    try {
      results = await this.#outside.d1(statements);
    } catch (error) {
      if (!isBad(error) || slice.rows === 0) throw error;
      await this.#takeApart({ slice, kinds, limit }, error);
      return { more: true, mark: slice.mark };
    }
    if (slice.rows > 0) this.#commit((state) => settle(state, slice));
    const [config] = (results.at(-1) ?? []) as { version: number }[];
    if (config !== undefined && config.version > known) await this.#fetchCopies(known);
    return { more: slice.more, mark: slice.mark };
  }

  async #takeApart(
    refused: { slice: Slice; kinds: readonly SliceKind[]; limit: number },
    error: unknown,
  ): Promise<void> {
    const { slice, kinds, limit } = refused;
    if (kinds.length > 1) {
      for (const kind of kinds) await this.#send([kind], limit);
    } else if (limit > 1) {
      await this.#send(kinds, Math.max(1, Math.min(limit - 1, Math.ceil(slice.rows / 2))));
    } else {
      const { tasks, calls, campaigns, entries } = slice;
      this.#outside.log("set aside", {
        error: messageOf(error),
        tasks: [...tasks.keys()],
        calls: calls.map((call) => call.id),
        campaigns: campaigns.map((campaign) => campaign.id),
        entries: entries.map((entry) => entry.id),
      });
      this.#commit((state) => setAside(state, slice));
    }
  }

  /** Copies that a hand-over missed (architecture, *Copies, keys*). */
  async #fetchCopies(known: number): Promise<void> {
    const workspace = this.#commit((state) => state.workspace);
    const query = `SELECT kind, id, version, doc FROM copies WHERE workspace = ?1 AND version > ?2
      ORDER BY version LIMIT ?3`;
    type Row = { kind: string; id: string; version: number; doc: string | null };
    for (let from = known; ; ) {
      const [found] = await this.#outside.d1([{ query, bind: [workspace, from, COPIES_ROWS] }]);
      const rows = (found ?? []) as Row[];
      const last = rows.at(-1)?.version ?? from;
      // A version's documents belong together: the last one may have been cut.
      const whole = rows.length < COPIES_ROWS ? rows : rows.filter((row) => row.version < last);
      const docs = whole.map(({ kind, id, version, doc }) => {
        return { kind, id, version, doc: doc === null ? null : JSON.parse(doc) } as Doc;
      });
      from = whole.at(-1)?.version ?? from;
      this.#commit((state, now) => {
        putCopies(state, docs, now);
        if (whole.length > 0) state.setMeta("config_known", from);
      });
      if (rows.length < COPIES_ROWS || whole.length === 0) return;
    }
  }
}

/** Whether D1 refuses the rows themselves; everything else passes by itself. */
function isBad(error: unknown): boolean {
  return /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)|too big|constraint failed|datatype mismatch/i.test(
    messageOf(error),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
