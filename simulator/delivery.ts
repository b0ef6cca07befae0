import { type ReportCounts, Reporter } from "./reports.ts";
import type { Behaviour } from "./settings.ts";
import type { Call } from "./speech.ts";

export type Event = "call.started" | "call.ended" | "call.analyzed";

const RETRIES_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/** Decides what is reported when something happens to a call: mostly just that, but not for every number. */
export class Delivery {
  private readonly reporter: Reporter;
  private readonly view: (call: Call) => Record<string, unknown>;
  private retriesMs: readonly number[] = RETRIES_MS;
  /** Reports of one call leave in order: each waits for the first request of the one before. */
  private readonly tried = new WeakMap<Call, Promise<void>>();
  private readonly endWaiters = new Map<string, () => void>();

  constructor(secret: string, view: (call: Call) => Record<string, unknown>) {
    this.reporter = new Reporter(secret);
    this.view = view;
  }

  get counts(): ReportCounts {
    return this.reporter.counts;
  }

  /** Takes over the waits between repetitions. */
  pace(behaviour: Behaviour): void {
    const { speed = 1, retriesMs = RETRIES_MS } = behaviour;
    this.retriesMs = retriesMs.map((ms) => ms / speed);
  }

  reset(): void {
    this.endWaiters.clear();
    this.reporter.reset();
  }

  /** Resolves once the end was reported, whatever the answer; ask before it ends. */
  endReported(call: Call): Promise<void> {
    return new Promise((resolve) => this.endWaiters.set(call.id, resolve));
  }

  /** Reports an event the way the call's number wants it; resolves once delivered or given up. */
  report(call: Call, event: Event): Promise<void> {
    switch (call.plan.reports.fault) {
      case "none":
        return Promise.resolve();
      case "start_only":
        return event === "call.started" ? this.send(call, event) : Promise.resolve();
      case "twice":
        this.send(call, event);
        return this.send(call, event);
      case "reversed":
        return this.reportReversed(call, event);
      default:
        return this.send(call, event);
    }
  }

  private reportReversed(call: Call, event: Event): Promise<void> {
    if (call.plan.events === "end") return this.send(call, event);
    if (event !== "call.analyzed") return Promise.resolve();
    this.send(call, "call.analyzed");
    this.send(call, "call.ended");
    return this.send(call, "call.started");
  }

  private send(call: Call, event: Event): Promise<void> {
    const { plan, dial } = call;
    const view = this.view(asOf(call, event));
    const forged = { ...view, outcome: "busy", endedAt: Date.now() };
    const { tried, settled } = this.reporter.send({
      url: dial.reportUrl,
      body: JSON.stringify({ event, call: view }),
      retriesMs: this.retriesMs,
      forgedBody:
        plan.reports.fault === "forged_first"
          ? JSON.stringify({ event: "call.ended", call: forged })
          : null,
      after: this.tried.get(call) ?? null,
    });
    this.tried.set(call, tried);
    if (event === "call.ended" && plan.answer.fault === "after_end") {
      tried.then(() => {
        this.endWaiters.get(call.id)?.();
        this.endWaiters.delete(call.id);
      });
    }
    return settled;
  }
}

/** The call as it was when the event happened, however late it is reported. */
function asOf(call: Call, event: Event): Call {
  if (event === "call.analyzed" || call.plan.events === "end") return call;
  if (event === "call.ended")
    return call.analyzedAt === null ? call : { ...call, analyzedAt: null };
  return {
    ...call,
    endedAt: null,
    analyzedAt: null,
    outcome: null,
    endedReason: null,
    callbackAt: null,
  };
}
