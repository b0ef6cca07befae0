import type { Call } from "./speech.ts";

/** One dial that was asked for. Instants are epoch ms; ticks are ms of a finer clock since the process began. */
export type Entry = {
  /** From 1, without gaps since the last reset. */
  n: number;
  at: number;
  tick: number;
  to: string;
  from: string;
  /** The caller's own id. */
  callId: string | null;
  /** How often this number was asked for, this time included. */
  nth: number;
  /** Whether it was dialled. */
  accepted: boolean;
  /** What was answered: a status, a status with its code, or `lost`. */
  answer: string;
  carrierCallId: string | null;
  endedAt: number | null;
  endedTick: number | null;
};

export type Counts = {
  asked: number;
  /** Dialled, whatever became of the answer. */
  accepted: number;
  refused: number;
  /** Answers that were cut, dialled or not. */
  lost: number;
  /** Dialled although a call with the caller's same id was dialled before. */
  repeated: number;
  ended: number;
  inFlight: number;
  inFlightMax: number;
  /** Sum over all calls of the time between dialling and end, ms; calls in flight count until now. */
  busyMs: number;
  /** From the first dial to the last end, or to now while calls are in flight, ms. */
  spanMs: number;
  /** Ended calls by outcome of their end. */
  outcomes: Record<string, number>;
};

/** Counts and lists what the carrier was asked and did, so that tests can prove it. */
export class Tally {
  inFlight = 0;
  private entries: Entry[] = [];
  private readonly byNumber = new Map<string, number>();
  private readonly running = new Map<string, Entry | null>();
  private counts = noCounts();
  private busyMs = 0;
  private changedTick = 0;
  private firstTick: number | null = null;
  private lastEndTick = 0;

  /** A dial was asked for; how it is answered is noted later. */
  ask(to: string, from: string, callId: string | null): Entry {
    const nth = (this.byNumber.get(to) ?? 0) + 1;
    this.byNumber.set(to, nth);
    const entry: Entry = {
      n: this.entries.length + 1,
      at: Date.now(),
      tick: performance.now(),
      to,
      from,
      callId,
      nth,
      accepted: false,
      answer: "",
      carrierCallId: null,
      endedAt: null,
      endedTick: null,
    };
    this.entries.push(entry);
    this.counts.asked += 1;
    return entry;
  }

  refuse(entry: Entry, answer: string): void {
    entry.answer = answer;
    this.counts.refused += 1;
  }

  lose(entry: Entry): void {
    entry.answer = "lost";
    this.counts.lost += 1;
  }

  /** A call began; `entry` is null for one that goes on after a restart. */
  begin(call: Call, entry: Entry | null, repeated: boolean): void {
    this.pass();
    this.firstTick ??= this.changedTick;
    this.inFlight += 1;
    this.counts.inFlightMax = Math.max(this.counts.inFlightMax, this.inFlight);
    this.running.set(call.id, entry);
    if (entry === null) return;
    entry.accepted = true;
    entry.carrierCallId = call.id;
    this.counts.accepted += 1;
    if (repeated) this.counts.repeated += 1;
  }

  end(call: Call): void {
    this.pass();
    const entry = this.running.get(call.id) ?? null;
    this.running.delete(call.id);
    this.inFlight -= 1;
    this.lastEndTick = this.changedTick;
    this.counts.ended += 1;
    const outcome = call.outcome ?? "";
    this.counts.outcomes[outcome] = (this.counts.outcomes[outcome] ?? 0) + 1;
    if (entry === null) return;
    entry.endedAt = call.endedAt;
    entry.endedTick = this.changedTick;
  }

  /** Dials after the nth, at most `limit` of them. */
  since(n: number, limit: number): Entry[] {
    return this.entries.slice(n, n + limit);
  }

  read(): Counts {
    this.pass();
    const until = this.inFlight > 0 ? this.changedTick : this.lastEndTick;
    return {
      ...this.counts,
      inFlight: this.inFlight,
      busyMs: this.busyMs,
      spanMs: this.firstTick === null ? 0 : until - this.firstTick,
    };
  }

  reset(): void {
    this.inFlight = 0;
    this.entries = [];
    this.byNumber.clear();
    this.running.clear();
    this.counts = noCounts();
    this.busyMs = 0;
    this.firstTick = null;
    this.lastEndTick = 0;
  }

  private pass(): void {
    const tick = performance.now();
    this.busyMs += this.inFlight * (tick - this.changedTick);
    this.changedTick = tick;
  }
}

function noCounts(): Omit<Counts, "inFlight" | "busyMs" | "spanMs"> {
  return {
    asked: 0,
    accepted: 0,
    refused: 0,
    lost: 0,
    repeated: 0,
    ended: 0,
    inFlightMax: 0,
    outcomes: {},
  };
}
