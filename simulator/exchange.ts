import { Delivery } from "./delivery.ts";
import type { Journal } from "./journal.ts";
import { plan, type Refused } from "./plan.ts";
import type { Behaviour, DialRequest } from "./settings.ts";
import { type Call, describe } from "./speech.ts";
import { type Entry, Tally } from "./tally.ts";

const CALLS_KEPT = 200_000;

export type Options = { secret: string; seed: number; capacity: number | null };

/**
 * Takes dials and runs their calls:
 *
 *   dialled ──ringMs──▶ answered ──talkMs──▶ ended ──analysisMs──▶ analyzed
 *      └──ringMs, nobody answers──────────────▶ ended
 *
 * Each step checks that the one before it still holds, so an end that somebody asks for simply
 * leaves the timers of the rest without effect.
 */
export class Exchange {
  readonly delivery: Delivery;
  readonly tally = new Tally();
  behaviour: Behaviour = {};
  private outUntil = 0;
  private readonly options: Options;
  private readonly journal: Journal | null;
  private readonly calls = new Map<string, Call>();
  private readonly byOurs = new Map<string, string[]>();
  private readonly dials = new Map<string, number>();
  private baseUrl = "";
  private generation = 0;
  private callsMade = 0;
  /** Sets the ids of this process apart from those of earlier ones. */
  private readonly start = Date.now().toString(36);

  constructor(options: Options, journal: Journal | null) {
    this.options = options;
    this.journal = journal;
    this.delivery = new Delivery(options.secret, (call) => this.view(call));
  }

  /** Goes on with the calls that the journal knows; `baseUrl` is where recordings are. */
  open(baseUrl: string): void {
    this.baseUrl = baseUrl;
    for (const { call, done } of this.journal?.load() ?? []) {
      this.keep(call);
      this.dials.set(call.dial.to, (this.dials.get(call.dial.to) ?? 0) + 1);
      if (!done) this.resume(call);
    }
  }

  /** Calls in flight at most, or null for as many as come. */
  get capacity(): number | null {
    return this.behaviour.capacity ?? this.options.capacity;
  }

  /** Takes a dial or refuses it; `entry` is its line in the list of dials. */
  ask(dial: DialRequest, entry: Entry): Call | Refused {
    const { capacity } = this;
    if (capacity !== null && this.tally.inFlight >= capacity) {
      return { status: 429, code: "capacity" };
    }
    const nth = (this.dials.get(dial.to) ?? 0) + 1;
    this.dials.set(dial.to, nth);
    const planned = plan(dial, nth, this.behaviour, this.options.seed);
    if ("status" in planned) return planned;
    this.callsMade += 1;
    const call: Call = {
      id: `sim_${this.start}_${this.callsMade.toString(36)}`,
      dial,
      plan: planned,
      dialledAt: Date.now(),
      answeredAt: null,
      endedAt: null,
      analyzedAt: null,
      outcome: null,
      endedReason: null,
      callbackAt: null,
    };
    if (planned.answer.fault === "lost_undialled") return call;
    if (planned.answer.fault === "slow") {
      this.after(planned.answer.waitMs, () => this.begin(call, entry));
    } else this.begin(call, entry);
    return call;
  }

  find(id: string): Call | null {
    return this.calls.get(id) ?? null;
  }

  /** Every call that was dialled with this id of the caller's. */
  findOurs(callId: string): Call[] {
    return (this.byOurs.get(callId) ?? []).flatMap((id) => this.calls.get(id) ?? []);
  }

  view(call: Call): Record<string, unknown> {
    return describe(call, this.baseUrl, Date.now());
  }

  /** Hangs up. */
  end(call: Call): void {
    if (call.endedAt !== null) return;
    const outcome = call.answeredAt === null ? "no_answer" : call.plan.outcome;
    this.finish(call, outcome, "ended-by-request");
  }

  /** How the API is out at this instant, or null when it is not. */
  outage(): "503" | "521" | "cut" | null {
    const out = this.behaviour.down === true || Date.now() < this.outUntil;
    return out ? (this.behaviour.outage ?? "503") : null;
  }

  behave(behaviour: Behaviour): void {
    const { outageMs, ...rest } = behaviour;
    if (outageMs !== undefined) this.outUntil = Date.now() + outageMs;
    this.behaviour = rest;
    this.delivery.pace(rest);
  }

  /** Forgets every call, dial and count, and behaves as at the start. */
  reset(): void {
    this.generation += 1;
    this.calls.clear();
    this.byOurs.clear();
    this.dials.clear();
    this.behave({});
    this.outUntil = 0;
    this.tally.reset();
    this.delivery.reset();
    this.journal?.clear();
  }

  private begin(call: Call, entry: Entry): void {
    call.dialledAt = Date.now();
    this.keep(call);
    this.journal?.write(call);
    this.tally.begin(call, entry, this.findOurs(String(call.dial.metadata.callId)).length > 1);
    this.after(call.plan.ringMs, () => this.answer(call));
  }

  private answer(call: Call): void {
    if (call.endedAt !== null) return;
    if (call.plan.talkMs === null) {
      this.finish(call, call.plan.outcome, call.plan.endedReason);
      return;
    }
    call.answeredAt = Date.now();
    this.journal?.write(call);
    if (call.plan.events === "all") this.delivery.report(call, "call.started");
    this.after(call.plan.talkMs, () => this.finish(call, call.plan.outcome, call.plan.endedReason));
  }

  private finish(call: Call, outcome: string, endedReason: string): void {
    if (call.endedAt !== null) return;
    const now = Date.now();
    const { plan } = call;
    call.endedAt = now;
    call.outcome = outcome;
    call.endedReason = endedReason;
    if (plan.callbackMs !== null) call.callbackAt = Math.round(now + plan.callbackMs);
    const analysisMs = call.answeredAt === null ? null : plan.analysisMs;
    if (plan.events === "end" && analysisMs !== null) call.analyzedAt = now;
    this.tally.end(call);
    this.journal?.write(call);
    this.reportEnd(call);
  }

  /** Sends the end, at once or late, then the analysis if one is to come. */
  private reportEnd(call: Call): void {
    const { analysisMs, reports } = call.plan;
    const lateMs = reports.fault === "end_late" ? reports.endLateMs : null;
    const awaited = analysisMs !== null && call.answeredAt !== null && call.analyzedAt === null;
    const send = (): void => {
      const sent = this.delivery.report(call, "call.ended");
      if (!awaited) this.done(call, sent);
    };
    if (lateMs === null) send();
    else this.after(lateMs, send);
    if (awaited) this.after((lateMs ?? 0) + analysisMs, () => this.finishAnalysis(call));
  }

  private finishAnalysis(call: Call): void {
    call.analyzedAt = Date.now();
    this.journal?.write(call);
    this.done(call, this.delivery.report(call, "call.analyzed"));
  }

  /** A restart may have come at any point: what was reported before is reported again. */
  private resume(call: Call): void {
    if (call.endedAt !== null) {
      if (call.analyzedAt === null || call.plan.events === "end") this.reportEnd(call);
      else this.done(call, this.delivery.report(call, "call.analyzed"));
      return;
    }
    this.tally.begin(call, null, false);
    const now = Date.now();
    if (call.answeredAt === null) {
      this.after(call.dialledAt + call.plan.ringMs - now, () => this.answer(call));
    } else {
      const endAt = call.answeredAt + (call.plan.talkMs ?? 0);
      this.after(endAt - now, () => this.finish(call, call.plan.outcome, call.plan.endedReason));
    }
  }

  private done(call: Call, settled: Promise<void>): void {
    if (this.journal === null) return;
    const { journal, generation } = this;
    settled.then(() => {
      if (generation === this.generation) journal.done(call);
    });
  }

  private keep(call: Call): void {
    this.calls.set(call.id, call);
    const ours = String(call.dial.metadata.callId);
    const ids = this.byOurs.get(ours);
    if (ids === undefined) this.byOurs.set(ours, [call.id]);
    else ids.push(call.id);
    if (this.calls.size <= CALLS_KEPT) return;
    for (const [id, old] of this.calls) {
      if (old.endedAt === null) break;
      this.calls.delete(id);
      this.byOurs.delete(String(old.dial.metadata.callId));
      break;
    }
  }

  /** Runs a step after so many ms, unless everything was reset meanwhile. */
  private after(ms: number, step: () => void): void {
    const { generation } = this;
    const run = (): void => {
      if (generation === this.generation) step();
    };
    if (ms <= 0) setImmediate(run);
    else setTimeout(run, ms);
  }
}
