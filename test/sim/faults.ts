import { Random } from "./random.ts";

/** Everything that can go wrong in a world; the list in words of one line each. */
export const FAULTS = [
  "object dies between two events",
  "object dies before a commit",
  "object dies after a commit",
  "object is evicted",
  "storage fails",
  "alarm comes late",
  "alarm comes twice",
  "alarm is dropped",
  "cron misses its minute",
  "request to the object is lost",
  "reply of the object is lost",
  "request is sent twice",
  "D1 refuses",
  "D1 answers after it gave up",
  "D1 is slow",
  "D1 is away",
  "queue delivers twice",
  "queue delivers late",
  "queue consumer dies",
  "message becomes a dead letter",
  "carrier answers late",
  "carrier fails after dialling",
  "carrier never answers",
  "carrier refuses for capacity",
  "carrier refuses the account",
  "carrier is not reached",
  "carrier refuses the request",
  "number cannot exist",
  "carrier refuses by report",
  "carrier never reports",
  "carrier reports twice",
  "carrier reports before it answers",
  "carrier reports after the lease",
  "carrier reports out of order",
  "carrier knows nothing at look-up",
  "carrier fails at look-up",
  "carrier has an outage",
  "analysis comes late",
  "hint is lost",
  "hand-over of a copy is lost",
  "clock is off",
  "receiver is busy",
  "receiver refuses",
  "receiver takes it and does not answer",
  "receiver is away",
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Says of each opportunity whether the fault happens. Every kind has its own random numbers, so that
 * leaving one out changes the others as little as may be.
 */
export class Faults {
  readonly counts = new Map<Fault, number>();
  /** No fault from now on. */
  calm = false;
  readonly #randoms = new Map<Fault, Random>();
  readonly #seed: number;
  readonly #shares: ReadonlyMap<Fault, number>;

  /** `shares` says how likely each kind is at each opportunity; a kind that it lacks never happens. */
  constructor(seed: number, shares: ReadonlyMap<Fault, number>) {
    this.#seed = seed;
    this.#shares = shares;
  }

  hits(fault: Fault): boolean {
    const share = this.#shares.get(fault) ?? 0;
    if (this.calm || share === 0 || !this.random(fault).chance(share)) return false;
    this.note(fault);
    return true;
  }

  /** The kind's own random numbers. */
  random(fault: Fault): Random {
    let random = this.#randoms.get(fault);
    if (random === undefined) {
      random = new Random(this.#seed, fault);
      this.#randoms.set(fault, random);
    }
    return random;
  }

  note(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }
}
