import { Temporal } from "temporal-polyfill";

/** Daily opening in minutes of the local day; `closesMin` may pass 1440 (H12, H15). */
export type Hours = { opensMin: number; closesMin: number };
/** Bit set of weekdays, Monday = 1 … Sunday = 64. */
export type Weekdays = number;
export type Window = { hours: Hours; days: Weekdays; timezone: string };

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const ALL_DAYS: Weekdays = 127;
export const DAY_MIN = 1440;
/** Midnight to midnight: open around the clock on its days. */
export const ALWAYS: Hours = { opensMin: 0, closesMin: DAY_MIN };

/** The bit set of these weekdays. */
export function daysOf(names: readonly Weekday[]): Weekdays {
  return names.reduce((mask, name) => mask | (1 << WEEKDAYS.indexOf(name)), 0);
}

/** The weekdays in a bit set, Monday first. */
export function dayNames(days: Weekdays): Weekday[] {
  return WEEKDAYS.filter((_, index) => (days & (1 << index)) !== 0);
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/**
 * How far ahead an opening can lie: one weekday, whose next turn the zone skips (Apia, 30 December
 * 2011); a day more since days are counted from UTC's.
 */
const DAYS_AHEAD = 17;
/** Hours may open on one day's eve and close two midnights later; a day more for a clock set back, and UTC's. */
const DAYS_BACK = 4;

/**
 * Whether the window is open at an instant (epoch ms), and the next instant at which that changes;
 * `edge` is null when it never does: always open, or without days. Half-open, by H12. Hours of
 * 24 h or more are open for the whole of each of their days (H15).
 */
export function windowAt(window: Window, at: number): { open: boolean; edge: number | null } {
  const days = window.days & ALL_DAYS;
  const { opensMin, closesMin } =
    window.hours.closesMin - window.hours.opensMin >= DAY_MIN ? ALWAYS : window.hours;
  if (days === ALL_DAYS && closesMin - opensMin === DAY_MIN) return { open: true, edge: null };

  const spans = spansAround(window.timezone, at);
  const today = Math.floor(at / DAY_MS);
  let closesAt: number | null = null;
  for (let day = today - DAYS_BACK; day <= today + DAYS_AHEAD; day++) {
    // Day 0, 1 January 1970, was a Thursday.
    if ((days & (1 << ((day + 10) % 7))) === 0) continue;
    const from = instantOf(spans, day, opensMin);
    if (closesAt !== null && from > closesAt) break;
    const to = instantOf(spans, day, closesMin);
    // Hours that the clock jumps over open and close at once: no opening at all.
    if (to === from || to <= at) continue;
    if (closesAt === null && from > at) return { open: false, edge: from };
    closesAt = to;
  }
  return { open: closesAt !== null, edge: closesAt };
}

/** `at` itself when the window is open then, else its next opening; null when it never opens. */
export function nextOpening(window: Window, at: number): number | null {
  const { open, edge } = windowAt(window, at);
  return open ? at : edge;
}

/** A stretch of time during which a zone keeps its offset; it starts where the one before it ends. */
type Span = { from: number; until: number; offsetMs: number };
type Spans = { from: number; until: number; list: Span[] };

const SPANS_BACK_MS = 40 * DAY_MS;
const SPANS_AHEAD_MS = 400 * DAY_MS;
const spansKept = new Map<string, Spans>();

/** The zone's offsets around an instant. Kept for each zone: finding a change takes a search. */
function spansAround(timezone: string, at: number): Spans {
  const known = spansKept.get(timezone);
  const reachAhead = at + (DAYS_AHEAD + 4) * DAY_MS;
  if (known !== undefined && known.from <= at && reachAhead <= known.until) return known;

  const spans: Spans = { from: at - SPANS_BACK_MS, until: at + SPANS_AHEAD_MS, list: [] };
  let zoned = Temporal.Instant.fromEpochMilliseconds(spans.from).toZonedDateTimeISO(timezone);
  for (let from = spans.from; from < spans.until; ) {
    const next = zoned.getTimeZoneTransition("next");
    const until = next === null ? Number.POSITIVE_INFINITY : next.epochMilliseconds;
    spans.list.push({ from, until, offsetMs: zoned.offsetNanoseconds / 1e6 });
    if (next === null) break;
    zoned = next;
    from = until;
  }
  spansKept.set(timezone, spans);
  return spans;
}

/**
 * The first instant at which the zone's clock shows this minute of the day, or more: of two that
 * show it the first, and where the clock jumps over it the jump (H12).
 */
function instantOf({ list }: Spans, day: number, minute: number): number {
  const local = day * DAY_MS + minute * MINUTE_MS;
  for (const span of list) {
    const at = Math.max(local - span.offsetMs, span.from);
    if (at < span.until) return at;
  }
  return Number.POSITIVE_INFINITY;
}
