/**
 * What D1 has not heard of, of rows that are few: calls and campaigns. Memory alone: a start
 * sends them all again, harmless by `version`. Each change has a number, so that one made while
 * a flush was under way is sent again.
 */
export class Changes {
  #count = 0;
  readonly calls = new Map<number, number>();
  readonly campaigns = new Map<number, number>();

  call(id: number): void {
    this.calls.set(id, ++this.#count);
  }

  campaign(id: number): void {
    this.campaigns.set(id, ++this.#count);
  }

  /** The newest change there is now. */
  get mark(): number {
    return this.#count;
  }

  /** D1 has what these were at `mark`. */
  told(kind: "calls" | "campaigns", ids: Iterable<number>, mark: number): void {
    for (const id of ids) {
      const change = this[kind].get(id);
      if (change !== undefined && change <= mark) this[kind].delete(id);
    }
  }
}
