import { hasPlace } from "./dispatch.ts";
import type { State } from "./state.ts";

/** An alarm that is due by more than this and has not come was lost, ms. */
const STALE_MS = 60_000;
/** What the timers of flush and sweep get before the alarm stands in for it, ms. */
const TIMER_GRACE_MS = 30_000;

/** The earliest event that can make progress by itself, or null: every instant a set-up time could hold. */
export function nextEvent(
  state: State,
  now: number,
  dispatchAt: number | null,
  own: { flush: number | null; sweep: number | null; events: number | null },
): number | null {
  const events = [
    dispatchAt,
    state.nextEnd(),
    state.ledger.nextDue(),
    own.flush === null ? null : own.flush + TIMER_GRACE_MS,
    own.sweep === null ? null : own.sweep + TIMER_GRACE_MS,
    own.events,
  ];
  for (const { until } of state.requests.values()) if (until > now) events.push(until);
  if (hasPlace(state, now)) events.push(state.lanes.nextOpening());
  for (const campaign of state.liveCampaigns()) events.push(campaign.settings.endAfter);
  for (const trouble of state.connections.troubles()) events.push(trouble.probeAt);
  return events.reduce((first, at) => (at === null ? first : Math.min(first ?? at, at)), null);
}

/**
 * The only one to set the alarm. It is written only when it becomes earlier, never for an instant
 * that has come (an alarm set to now inside `alarm()` is swallowed), and again when it was lost.
 */
export class Wake {
  readonly #setAlarm: (at: number) => void;
  #at: number | null = null;

  constructor(setAlarm: (at: number) => void) {
    this.#setAlarm = setAlarm;
  }

  /** The alarm has come. */
  came(): void {
    this.#at = null;
  }

  need(at: number | null, now: number): void {
    if (at === null) return;
    const wanted = Math.max(at, now + 1);
    const lost = this.#at !== null && this.#at < now - STALE_MS;
    if (this.#at !== null && this.#at <= wanted && !lost) return;
    this.#at = wanted;
    this.#setAlarm(wanted);
  }
}
