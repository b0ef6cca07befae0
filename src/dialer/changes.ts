import { Words } from "./words.ts";

type Kind = "calls" | "campaigns" | "tasks";

/**
 * What D1 has not heard of: calls, campaigns, and tasks that changed without a call. Calls and
 * campaigns are in memory alone: a start sends them all again, harmless by `version`; tasks have
 * rows in `dirty` as well. Each change has a number, so that one made while a flush was under way
 * is sent again.
 */
export class Changes {
  #count = 0;
  /** Hears of each change as it is made. */
  readonly #watcher: (kind: Kind, id: number) => void;
  readonly calls = new Map<number, number>();
  readonly campaigns = new Map<number, number>();
  readonly tasks = new Map<number, number>();
  readonly words = new Words();

  constructor(watcher: (kind: Kind, id: number) => void) {
    this.#watcher = watcher;
  }

  note(kind: Kind, id: number): void {
    this[kind].set(id, ++this.#count);
    this.#watcher(kind, id);
  }

  /** Something else that D1 must hear of, which has rows of its own. */
  other(): void {
    this.#count += 1;
  }

  forget(kind: Kind, id: number): void {
    this[kind].delete(id);
  }

  /** The newest change there is now. */
  get mark(): number {
    return this.#count;
  }

  /** D1 has what these were at `mark`: those of them that have not changed since, now forgotten. */
  told(kind: Kind, ids: Iterable<number>, mark: number): number[] {
    const settled: number[] = [];
    for (const id of ids) {
      const change = this[kind].get(id);
      if (change !== undefined && change > mark) continue;
      this[kind].delete(id);
      settled.push(id);
    }
    return settled;
  }
}
