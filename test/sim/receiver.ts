import type { Told } from "../../src/shell/webhook.ts";
import type { Faults } from "./faults.ts";
import type { Loop } from "./loop.ts";
import type { Random } from "./random.ts";

export type Received = {
  /** `webhook-id`s in the order in which they came first, with how often each came. */
  ids: Map<string, number>;
  /** Bodies by `webhook-id`: whoever is told twice is told the same. */
  bodies: Map<string, string>;
};

type Body = { type: string; sequence: number; workspace: string; data: Record<string, unknown> };

/** All receivers of webhooks behind the network: slow, busy, away, or heard and not answered. */
export class VirtualReceiver {
  readonly #loop: Loop;
  readonly #faults: Faults;
  readonly #random: Random;
  /** By workspace and address. */
  readonly received = new Map<string, Received>();
  /** Addresses that answer nothing well until then. */
  awayUntil = 0;

  constructor(loop: Loop, faults: Faults, random: Random) {
    this.#loop = loop;
    this.#faults = faults;
    this.#random = random;
  }

  at(workspace: string, url: string): Received {
    const key = `${workspace} ${url}`;
    const known = this.received.get(key);
    if (known !== undefined) return known;
    const made = { ids: new Map(), bodies: new Map() };
    this.received.set(key, made);
    return made;
  }

  async take(url: string, event: { id: string; body: string }): Promise<Told> {
    const start = this.#loop.now;
    const answer = (status: number | null, text: string, waitMs: number | null = null): Told => {
      return { status, answer: text, retryAfterMs: waitMs, tookMs: this.#loop.now - start };
    };
    await this.#loop.sleep(this.#random.whole(2, 60));
    if (this.#faults.hits("receiver is away")) {
      this.awayUntil =
        this.#loop.now + this.#faults.random("receiver is away").whole(1, 90) * 60_000;
    }
    if (this.#loop.now < this.awayUntil) {
      await this.#loop.sleep(this.#random.pick([0, 10_000]));
      return answer(null, "it cannot be reached");
    }
    if (this.#faults.hits("receiver is busy")) {
      const wait = this.#faults.random("receiver is busy").pick([null, 30_000, 600_000]);
      return answer(503, "busy", wait);
    }
    if (this.#faults.hits("receiver refuses")) return answer(400, "no");
    const body = JSON.parse(event.body) as Body;
    const { ids, bodies } = this.at(body.workspace, url);
    ids.set(event.id, (ids.get(event.id) ?? 0) + 1);
    bodies.set(event.id, event.body);
    if (this.#faults.hits("receiver takes it and does not answer")) {
      await this.#loop.sleep(10_000);
      return answer(null, "no answer in time");
    }
    return answer(200, "ok");
  }
}
