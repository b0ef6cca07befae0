import { Temporal } from "temporal-polyfill";
import type { Issue, Result } from "./result.ts";
import {
  ALWAYS,
  DAY_MIN,
  daysOf,
  type Hours,
  WEEKDAYS,
  type Weekday,
  type Weekdays,
} from "./window.ts";

const INSTANT_MIN = Date.UTC(2000, 0, 1);
const INSTANT_MAX = Date.UTC(2100, 0, 1);
const HOURS_MAX = 4759;

/** An instant of a body: epoch ms, or ISO 8601 with an offset (H15). The value is epoch ms. */
export function readInstant(value: unknown, path: string): Result<number> {
  const at = typeof value === "string" ? parseInstant(value) : value;
  if (typeof at !== "number" || !Number.isInteger(at)) {
    return no(
      path,
      "epoch milliseconds or ISO 8601 with an offset (2026-03-01T09:00:00+05:30)",
      value,
    );
  }
  if (at < INSTANT_MIN || at >= INSTANT_MAX) {
    return no(path, "an instant between the years 2000 and 2099, in milliseconds", value);
  }
  return { ok: true, value: at };
}

/** Epoch ms of an ISO 8601 text that names its offset, or null. */
function parseInstant(text: string): number | null {
  try {
    return Temporal.Instant.from(text.trim()).epochMilliseconds;
  } catch {
    return null;
  }
}

/**
 * Calling hours of a body: two HHMM numbers, given together; null when neither is given (H15).
 * An end that is not after its start crosses midnight. The opening is kept on the first day:
 * 2500–2600 are the hours from 01:00 to 02:00. A span of 24 h or more becomes `ALWAYS`; two times
 * that show the same clock without a day between them (1000–1000, 2400–0) are an error.
 */
export function readHours(
  start: unknown,
  end: unknown,
  paths: { start: string; end: string } = { start: "start", end: "end" },
): Result<Hours | null> {
  const given = { start: start ?? null, end: end ?? null };
  if (given.start === null && given.end === null) return { ok: true, value: null };
  const issues: Issue[] = [];
  const opens = readMinute(given.start, paths.start, issues);
  const closes = readMinute(given.end, paths.end, issues);
  if (opens === null || closes === null) return { ok: false, issues };

  if (closes - opens >= DAY_MIN) return { ok: true, value: ALWAYS };
  const opensMin = opens % DAY_MIN;
  const lengthMin = (closes - opens + 2 * DAY_MIN) % DAY_MIN;
  if (lengthMin === 0) return no(paths.end, `another time than ${paths.start}`, end);
  return { ok: true, value: { opensMin, closesMin: opensMin + lengthMin } };
}

/** Minutes of an HHMM number, or null after adding what is wrong with it to `issues`. */
function readMinute(value: unknown, path: string, issues: Issue[]): number | null {
  if (value === null) {
    issues.push({
      path,
      expected: "an HHMM number: start and end are given together",
      got: "nothing",
    });
    return null;
  }
  const whole = typeof value === "number" && Number.isInteger(value);
  if (!whole || value < 0 || value > HOURS_MAX || value % 100 > 59) {
    const expected = `an HHMM number from 0 to ${HOURS_MAX} with minutes up to 59 (1000 is 10:00)`;
    issues.push({ path, expected, got: shown(value) });
    return null;
  }
  return Math.floor(value / 100) * 60 + (value % 100);
}

/** Hours as a body writes them. What `readHours` makes of them is the same hours again. */
export function hoursWire(hours: Hours): { start: number; end: number } {
  const { opensMin, closesMin } = hours;
  return {
    start: hhmm(opensMin),
    end: hhmm(closesMin > DAY_MIN ? closesMin - DAY_MIN : closesMin),
  };
}

function hhmm(minute: number): number {
  return Math.floor(minute / 60) * 100 + (minute % 60);
}

/** Weekdays of a body: a list of `mon` … `sun`, at least one (H15). */
export function readDays(value: unknown, path: string): Result<Weekdays> {
  if (!Array.isArray(value) || value.length === 0) {
    return no(path, `a list with at least one of ${WEEKDAYS.join(", ")}`, value);
  }
  const issues: Issue[] = [];
  const names: Weekday[] = [];
  value.forEach((entry: unknown, index) => {
    const name = WEEKDAYS.find((weekday) => weekday === entry);
    if (name !== undefined) names.push(name);
    else {
      const expected = `one of ${WEEKDAYS.join(", ")}`;
      issues.push({ path: `${path}.${index}`, expected, got: shown(entry) });
    }
  });
  return issues.length > 0 ? { ok: false, issues } : { ok: true, value: daysOf(names) };
}

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
const ZONES_KEPT = 1000;
const zones = new Set<string>();

/** Whether `text` names a timezone (`Asia/Kolkata`, `UTC`); a bare offset is none. */
export function isTimezone(text: string): boolean {
  if (zones.has(text)) return true;
  if (text.length > 64 || !ZONE_NAME.test(text)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
  } catch {
    return false;
  }
  if (zones.size < ZONES_KEPT) zones.add(text);
  return true;
}

/** Minutes east of UTC that a zone's clocks show from an instant on. */
export type Offset = { from: number; minutes: number };

/** A zone's offsets over a span of epoch ms: the one at its start, then each change within it. */
export function offsetsOver(timezone: string, from: number, to: number): Offset[] {
  const offsets: Offset[] = [];
  let at: Temporal.ZonedDateTime | null =
    Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timezone);
  while (at !== null && at.epochMilliseconds <= to) {
    offsets.push({ from: at.epochMilliseconds, minutes: at.offsetNanoseconds / 60e9 });
    at = at.getTimeZoneTransition("next");
  }
  return offsets;
}

function no(path: string, expected: string, value: unknown): { ok: false; issues: Issue[] } {
  return { ok: false, issues: [{ path, expected, got: shown(value) }] };
}

/**
 * A value as an issue shows it: short, and as it came; of what holds texts only what it is, for a
 * phone number or a secret may be among them.
 */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "object" && !isOfNumbers(value)) {
    return Array.isArray(value) ? `a list of ${value.length}` : "an object";
  }
  // JSON has no word for the rest.
  const text = typeof value === "bigint" ? "bigint" : (JSON.stringify(value) ?? typeof value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function isOfNumbers(value: object): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}
