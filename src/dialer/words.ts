import type { ConnectionId } from "../core/ids.ts";

/** A word for a call's end that its adapter has no meaning for, as often as look-ups found it. */
export type PendingWord = { connection: ConnectionId; word: string; count: number; at: number };

/** Different words that wait for D1: a carrier that makes up a new one each time is cut off. */
const WORDS_MAX = 20;

/**
 * Words that look-ups found, until the flush has brought them to D1. In memory alone, so that they
 * cost no row: a restart loses them, and a batch whose answer was lost counts them twice, which
 * hurts nobody. The count tells people that an adapter has fallen behind its carrier.
 */
export class Words {
  readonly #pending = new Map<string, PendingWord>();

  note(connection: ConnectionId, word: string, now: number): void {
    const key = `${connection}/${word}`;
    const known = this.#pending.get(key);
    if (known === undefined && this.#pending.size >= WORDS_MAX) return;
    this.#pending.set(key, { connection, word, count: (known?.count ?? 0) + 1, at: now });
  }

  list(limit: number): PendingWord[] {
    return [...this.#pending.values()].slice(0, limit);
  }

  /** D1 has these: what came since stays. */
  told(words: readonly PendingWord[]): void {
    for (const { connection, word, count } of words) {
      const key = `${connection}/${word}`;
      const now = this.#pending.get(key);
      if (now === undefined) continue;
      if (now.count <= count) this.#pending.delete(key);
      else this.#pending.set(key, { ...now, count: now.count - count });
    }
  }
}
