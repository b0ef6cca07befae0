import type { Faults } from "./faults.ts";
import type { Loop } from "./loop.ts";

type Kept<T> = { body: T; attempts: number };
type Consumer<T> = (batch: MessageBatch<T>) => Promise<void>;

const ATTEMPTS_MAX = 10;

/**
 * A queue as the platform promises it: at least once, in any order, in batches; a message whose
 * delivery fails comes back, and after ten times goes to the dead letters.
 */
export class VirtualQueue<T> {
  readonly name: string;
  /** Messages that are not acknowledged. */
  waiting = 0;
  dead: VirtualQueue<T> | null = null;
  /** It has no dead letters: what fails too often is gone. */
  loses = false;
  consumer: Consumer<T> = async () => undefined;
  readonly #loop: Loop;
  readonly #faults: Faults;
  readonly #batchMax: number;
  #ready: Kept<T>[] = [];
  #asked = false;

  constructor(name: string, loop: Loop, faults: Faults, batchMax: number) {
    this.name = name;
    this.#loop = loop;
    this.#faults = faults;
    this.#batchMax = batchMax;
  }

  async send(body: T): Promise<void> {
    await this.sendBatch([{ body }]);
  }

  async sendBatch(messages: readonly { body: T }[]): Promise<void> {
    const random = this.#faults.random("queue delivers late");
    for (const { body } of messages) {
      const copies = this.#faults.hits("queue delivers twice") ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const late = this.#faults.hits("queue delivers late");
        const ms = late ? random.skewed(5_000, 2 * 3_600_000) : random.whole(20, 400);
        this.#keep({ body, attempts: 0 }, ms);
      }
    }
  }

  #keep(message: Kept<T>, ms: number): void {
    this.waiting += 1;
    this.#loop.after(ms, () => {
      this.#ready.push(message);
      if (this.#asked) return;
      this.#asked = true;
      this.#loop.after(this.#batchMax > 1 ? 300 : 0, () => {
        this.#asked = false;
        const all = this.#ready;
        this.#ready = [];
        for (let at = 0; at < all.length; at += this.#batchMax) {
          void this.#deliver(all.slice(at, at + this.#batchMax));
        }
      });
    });
  }

  async #deliver(kept: Kept<T>[]): Promise<void> {
    const acked = new Set<Kept<T>>();
    const again = new Map<Kept<T>, number>();
    // One that dies acknowledges nothing more, wherever it is: what it asks for goes on.
    let alive = true;
    const messages = kept.map((one) => {
      one.attempts += 1;
      return {
        id: "",
        timestamp: new Date(this.#loop.now),
        body: one.body,
        attempts: one.attempts,
        ack: () => {
          if (alive) acked.add(one);
        },
        retry: (options?: { delaySeconds?: number }) => {
          if (alive) again.set(one, (options?.delaySeconds ?? 1) * 1_000);
        },
      };
    });
    const batch = { queue: this.name, messages } as unknown as MessageBatch<T>;
    const over = this.consumer(batch).catch(() => undefined);
    if (this.#faults.hits("queue consumer dies")) {
      await this.#loop.sleep(this.#faults.random("queue consumer dies").whole(0, 60));
      alive = false;
    } else await over;
    for (const one of kept) {
      this.waiting -= 1;
      if (acked.has(one)) continue;
      const lost =
        one.attempts >= ATTEMPTS_MAX || this.#faults.hits("message becomes a dead letter");
      if (lost && this.dead !== null) await this.dead.send(one.body);
      else if (!lost || !this.loses) this.#keep(one, again.get(one) ?? 1_000);
    }
  }
}
