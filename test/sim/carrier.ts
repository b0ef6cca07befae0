import type { Answer, CallNews, CarrierReport, Dial, Lookup } from "../../src/carriers/carrier.ts";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import type { ConnectionId } from "../../src/core/ids.ts";
import type { Faults } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Loop } from "./loop.ts";
import { Random } from "./random.ts";

const MINUTE = 60_000;

/** How one carrier behaves. */
export type Habits = {
  /** Time until it answers a dial, ms. */
  answerMs: number;
  /** Calls at once that it takes. */
  callsMax: number;
  /** Longest call, ms. */
  talkMaxMs: number;
  /** Its outcomes with their shares. */
  outcomes: [outcome: string, share: number][];
  /** By which id its reports and look-ups name a call. */
  names: "ours" | "both" | "theirs";
  /** Whether it tells of ringing and answers, or of ends alone. */
  chatty: boolean;
  /** The outcome comes with an analysis, after the end. */
  analyses: boolean;
  /** Its clock against the true time, ms. */
  skew: number;
  /** It never knows a call at look-up. */
  blind: boolean;
};

/** A call as it really is. */
export type Truth = {
  call: string;
  carrierCallId: string;
  phone: string;
  startedAt: number;
  endsAt: number;
  answeredAt: number | null;
  outcome: string;
  callbackAt: number | null;
  analysedAt: number | null;
  /** It was refused after all, so no phone rang. */
  refused: boolean;
};

/** A carrier in virtual time: what it answers may be a lie or lost, what it knows is the truth. */
export class VirtualCarrier {
  readonly id: ConnectionId;
  readonly habits: Habits;
  readonly calls = new Map<string, Truth>();
  /** Requests to dial that have no answer yet, whoever asked. */
  outageUntil = 0;
  /** Until then it answers everything but dials. */
  deafUntil = 0;
  /** Sends a report on its way. */
  send: (report: CarrierReport, quick: boolean) => void = () => undefined;
  /** A dial arrives, before anything is answered. */
  dialled: (dial: Dial, at: number) => void = () => undefined;
  readonly #loop: Loop;
  readonly #faults: Faults;
  readonly #random: Random;
  #inFlight = 0;
  #ids = 0;

  constructor(
    id: ConnectionId,
    habits: Habits,
    world: { loop: Loop; faults: Faults; seed: number },
  ) {
    this.id = id;
    this.habits = habits;
    this.#loop = world.loop;
    this.#faults = world.faults;
    this.#random = new Random(world.seed, `carrier ${id}`);
  }

  get #out(): boolean {
    return this.#loop.now < this.outageUntil;
  }

  async place(_from: Host, dial: Dial, signal: AbortSignal): Promise<Answer> {
    return this.#inTime(signal, async () => {
      const { answerMs } = this.habits;
      await this.#loop.sleep(1 + this.#random.whole(0, answerMs));
      if (this.#out || this.#loop.now < this.deafUntil) throw new Error("fetch failed");
      const refusal = this.#refusal();
      if (refusal !== null) return { kind: "refused", ...refusal };
      this.dialled(dial, this.#loop.now);
      const truth = this.#begin(dial);
      if (this.#faults.hits("carrier never answers")) await new Promise<never>(() => undefined);
      if (this.#faults.hits("carrier answers late")) {
        await this.#loop.sleep(this.#faults.random("carrier answers late").whole(2_000, 25_000));
      } else await this.#loop.sleep(this.#random.whole(0, answerMs));
      if (this.#faults.hits("carrier fails after dialling")) throw new Error("502");
      const silent = this.habits.names === "ours" && this.#random.chance(0.3);
      return { kind: "accepted", carrierCallId: silent ? null : truth.carrierCallId };
    });
  }

  /** Gives up when the asker does, as `fetch` would. */
  #inTime<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("The operation was aborted")));
      work().then(resolve, reject);
    });
  }

  #refusal(): Omit<Extract<Answer, { kind: "refused" }>, "kind"> | null {
    const full = this.#inFlight >= this.habits.callsMax;
    if (full) this.#faults.note("carrier refuses for capacity");
    if (full || this.#faults.hits("carrier refuses for capacity")) {
      return { reason: "capacity", word: "429" };
    }
    if (this.#faults.hits("carrier refuses the account"))
      return { reason: "connection", word: "401" };
    if (this.#faults.hits("carrier is not reached")) return { reason: "unreachable", word: "521" };
    if (this.#faults.hits("carrier refuses the request"))
      return { reason: "rejected", word: "400" };
    if (this.#faults.hits("number cannot exist")) return { reason: "permanent", word: "404" };
    return null;
  }

  #begin(dial: Dial): Truth {
    const random = this.#random;
    const { now } = this.#loop;
    const outcome = this.#outcome();
    const connects = !["no_answer", "busy", "failed"].includes(outcome);
    const answeredAt = connects ? now + random.whole(500, 15_000) : null;
    const long = Math.min(this.habits.talkMaxMs, dial.lengthMaxMs);
    const endsAt =
      answeredAt === null ? now + random.whole(500, 30_000) : answeredAt + random.skewed(500, long);
    const late = this.#faults.hits("analysis comes late");
    const analyseMs = late ? random.skewed(60_000, 20 * MINUTE) : random.whole(200, 60_000);
    this.#ids += 1;
    const truth: Truth = {
      call: dial.call,
      carrierCallId: `${this.id.slice(-2)}-${this.#ids}`,
      phone: dial.phone,
      startedAt: now,
      endsAt,
      answeredAt,
      outcome,
      callbackAt:
        outcome === "busy_callback" && random.chance(0.8)
          ? endsAt + random.whole(-10, 180) * MINUTE
          : null,
      analysedAt: this.habits.analyses && connects ? endsAt + analyseMs : null,
      refused: false,
    };
    this.calls.set(dial.call, truth);
    this.#inFlight += 1;
    if (this.#faults.hits("carrier refuses by report")) {
      truth.refused = true;
      truth.endsAt = now + random.skewed(100, 60_000);
      truth.answeredAt = null;
    }
    this.#loop.at(truth.endsAt, () => {
      this.#inFlight -= 1;
    });
    this.#reports(truth);
    return truth;
  }

  #outcome(): string {
    let luck = this.#random.next();
    for (const [outcome, share] of this.habits.outcomes) {
      luck -= share;
      if (luck < 0) return outcome;
    }
    return "no_answer";
  }

  /** Everything that this call will be reported as, each at its time. */
  #reports(truth: Truth): void {
    const early = this.#faults.hits("carrier reports before it answers");
    const { chatty } = this.habits;
    const rejected = this.#faults.random("carrier refuses by report");
    if (truth.refused) {
      const refusal = rejected.pick(["capacity", "connection", "rejected", "permanent"] as const);
      const news = { ended: true, concluding: true, refusal, word: "refused", outcome: "failed" };
      this.#tell(truth, truth.endsAt, news);
      return;
    }
    if (this.#faults.hits("carrier never reports")) return;
    if (chatty || early) {
      const at = early ? truth.startedAt : truth.startedAt + this.#random.whole(100, 2_000);
      this.#tell(truth, at, { ringingAt: at });
    }
    if (chatty && truth.answeredAt !== null) {
      this.#tell(truth, truth.answeredAt, { answeredAt: truth.answeredAt });
    }
    this.#tell(truth, truth.endsAt, this.#end(truth));
    if (truth.analysedAt !== null) {
      this.#tell(truth, truth.analysedAt, this.#analysis(truth));
      if (this.#random.chance(0.1)) {
        this.#tell(truth, truth.analysedAt + 5 * MINUTE, { recordingUrl: "https://rec.test/1" });
      }
    }
  }

  /** News of the end; with an analysis to come, it says the outcome only sometimes. */
  #end(truth: Truth): Partial<CallNews> {
    const waits = truth.analysedAt !== null;
    const says = !waits || this.#random.chance(0.3);
    const own = !KNOWN.includes(truth.outcome) || truth.outcome === "busy_callback";
    return {
      ended: true,
      concluding: !waits,
      outcome: !says || (waits && own) ? null : truth.outcome,
      word: truth.outcome,
      answeredAt: truth.answeredAt,
      endedAt: truth.endsAt + this.habits.skew,
      talkMs: truth.answeredAt === null ? null : truth.endsAt - truth.answeredAt,
      callbackAt: waits ? null : truth.callbackAt,
    };
  }

  #analysis(truth: Truth): Partial<CallNews> {
    return {
      concluding: true,
      outcome: truth.outcome,
      callbackAt: truth.callbackAt,
      analysis: { said: truth.outcome },
      transcript: [{ speaker: "agent", text: "Hello", atMs: 0 }],
    };
  }

  #tell(truth: Truth, at: number, news: Partial<CallNews>): void {
    const { names } = this.habits;
    const report: CarrierReport = {
      call: names === "theirs" ? null : truth.call,
      carrierCallId: names === "ours" ? null : truth.carrierCallId,
      news: { ...NO_NEWS, ...news },
    };
    const late = this.#faults.random("carrier reports after the lease");
    let delay = this.#random.whole(20, 400);
    if (this.#faults.hits("carrier reports out of order")) delay = this.#random.whole(400, 90_000);
    if (this.#faults.hits("carrier reports after the lease")) delay = late.whole(3, 45) * MINUTE;
    const quick = report.news.ended || report.news.concluding;
    this.#loop.at(at + delay, () => this.send(report, quick));
    if (this.#faults.hits("carrier reports twice")) {
      const again = this.#random.skewed(100, 30 * MINUTE);
      this.#loop.at(at + delay + again, () => this.send(report, quick));
    }
  }

  async lookup(asked: { call: string; carrierCallId: string | null }): Promise<Lookup> {
    await this.#loop.sleep(1 + this.#random.whole(0, this.habits.answerMs));
    if (this.#out || this.#faults.hits("carrier fails at look-up")) throw new Error("fetch failed");
    const truth = this.calls.get(asked.call);
    const { names, blind } = this.habits;
    const named = !blind && (names !== "theirs" || asked.carrierCallId !== null);
    if (truth === undefined || !named || this.#faults.hits("carrier knows nothing at look-up")) {
      return { kind: "unknown" };
    }
    const { carrierCallId } = truth;
    const { now } = this.#loop;
    if (now < truth.endsAt) {
      const answered = truth.answeredAt !== null && truth.answeredAt <= now;
      const news = { ...NO_NEWS, answeredAt: answered ? truth.answeredAt : null };
      return { kind: "alive", carrierCallId, news };
    }
    if (truth.refused) {
      const news = { ...NO_NEWS, ended: true, refusal: "rejected", word: "refused" } as const;
      return { kind: "over", carrierCallId, news };
    }
    const known = truth.analysedAt === null || truth.analysedAt <= now;
    const news = known
      ? { ...this.#end(truth), ...this.#analysis(truth), ended: true }
      : { ...this.#end(truth), outcome: null };
    return { kind: "over", carrierCallId, news: { ...NO_NEWS, ...news } };
  }

  async test(): Promise<void> {
    await this.#loop.sleep(1 + this.#random.whole(0, this.habits.answerMs));
    if (this.#out || this.#faults.hits("carrier fails at look-up")) throw new Error("fetch failed");
  }
}

const KNOWN: readonly string[] = [
  "connected",
  "no_answer",
  "busy",
  "failed",
  "init_failed",
  "busy_callback",
  "voicemail",
  "no_response",
];
