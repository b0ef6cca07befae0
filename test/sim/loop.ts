type Entry = { at: number; order: number; work: () => void | Promise<void> };

/**
 * Virtual time. Whatever happens in a world is an event of this loop: it runs one, lets all work
 * that needs no time finish, and goes on to the next; of two at one instant the older comes first.
 */
export class Loop {
  now: number;
  steps = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  constructor(start: number) {
    this.now = start;
  }

  at(at: number, work: Entry["work"]): void {
    this.#push({ at: Math.max(at, this.now), order: this.#order++, work });
  }

  after(ms: number, work: Entry["work"]): void {
    this.at(this.now + ms, work);
  }

  /** A promise of this instant plus `ms`. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Runs all events up to `until`; `settled` is called after each, when nothing is under way. */
  async run(until: number, settled: () => void): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) break;
      this.#pop();
      this.now = next.at;
      this.steps += 1;
      await next.work();
      await idle();
      settled();
    }
    this.now = until;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!sooner(entry, heap[up] as Entry)) break;
      heap[at] = heap[up] as Entry;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && sooner(heap[down + 1] as Entry, heap[down] as Entry)) down += 1;
      if (!sooner(heap[down] as Entry, last)) break;
      heap[at] = heap[down] as Entry;
      at = down;
    }
    heap[at] = last;
  }
}

function sooner(a: Entry, b: Entry): boolean {
  return a.at - b.at < 0 || (a.at === b.at && a.order < b.order);
}

/** Everything that promises alone move on is over: only events are left. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
