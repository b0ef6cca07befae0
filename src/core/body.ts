import { isOutcome, OUTCOMES, type Outcome, OWN_OUTCOME, RETRIED_WHEN_CHOSEN } from "./outcome.ts";
import type { Issue, Result, Warning } from "./result.ts";
import type { AgentEntry } from "./setup.ts";
import { isTimezone, readDays, readHours, readInstant, shown } from "./time.ts";
import type { Hours, Weekdays } from "./window.ts";

/** Most attempts of one task. */
export const ATTEMPTS_LIMIT = 20;
/** Longest gap between two attempts: 30 days, ms. */
export const INTERVAL_LIMIT_MS = 30 * 24 * 3_600_000;
/** Most entries of a list in a body. */
export const LIST_LIMIT = 100;

/** What reading a body has found so far (H38). */
export class Notes {
  readonly issues: Issue[] = [];
  readonly warnings: Warning[] = [];

  /** The value of a reading, or null with its issues noted. */
  take<T>(result: Result<T>): T | null {
    if (result.ok) return result.value;
    this.issues.push(...result.issues);
    return null;
  }

  issue(path: string, expected: string, got: string): void {
    this.issues.push({ path, expected, got });
  }

  warn(path: string, message: string): void {
    this.warnings.push({ path, message });
  }
}

/** Whether a field of a body has a value: null counts as left out. */
export function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function fault(path: string, expected: string, got: string): Result<never> {
  return { ok: false, issues: [{ path, expected, got }] };
}

function good<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** A text of 1 to `max` characters, surrounding blanks removed; null when left out. */
export function readText(value: unknown, path: string, max: number): Result<string | null> {
  if (!given(value)) return good(null);
  const text = typeof value === "string" ? value.trim() : "";
  if (text !== "" && text.length <= max) return good(text);
  const got = typeof value === "string" && text !== "" ? `${text.length} characters` : shown(value);
  return fault(path, `a text of 1 to ${max} characters`, got);
}

/** A whole number in a range; null when left out. */
export function readWhole(
  value: unknown,
  path: string,
  range: { min: number; max: number; what: string },
): Result<number | null> {
  if (!given(value)) return good(null);
  const { min, max, what } = range;
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  if (whole && value >= min && value <= max) return good(value);
  const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`;
  return fault(path, `${what}: a whole number, ${bounds}`, shown(value));
}

/** true or false; null when left out. */
export function readFlag(value: unknown, path: string): Result<boolean | null> {
  if (!given(value)) return good(null);
  return typeof value === "boolean" ? good(value) : fault(path, "true or false", shown(value));
}

/** Calling hours, weekdays and timezone of a body, each null when left out (H12, H15). */
export function readWindow(
  body: { start?: unknown; end?: unknown; days?: unknown; timezone?: unknown },
  notes: Notes,
): { hours: Hours | null; days: Weekdays | null; timezone: string | null } {
  const hours = notes.take(readHours(body.start ?? undefined, body.end ?? undefined));
  const days = given(body.days) ? notes.take(readDays(body.days, "days")) : null;
  return { hours, days, timezone: notes.take(readTimezone(body.timezone)) };
}

function readTimezone(value: unknown): Result<string | null> {
  if (!given(value)) return good(null);
  if (typeof value === "string" && isTimezone(value)) return good(value);
  return fault("timezone", "an IANA timezone such as Asia/Kolkata", shown(value));
}

/**
 * First and last instant of a body, epoch ms, each null when left out. A start in the past means
 * now and is null too (H14); an end that is past, or not after the start, is an issue.
 */
export function readSpan(
  body: { startAfter?: unknown; endAfter?: unknown },
  now: number,
  notes: Notes,
): { startAfter: number | null; endAfter: number | null } {
  const start = given(body.startAfter)
    ? notes.take(readInstant(body.startAfter, "startAfter"))
    : null;
  const endAfter = given(body.endAfter) ? notes.take(readInstant(body.endAfter, "endAfter")) : null;
  const startAfter = start !== null && start > now ? start : null;
  if (endAfter !== null && endAfter <= now) {
    notes.issue("endAfter", "an instant in the future", shown(body.endAfter));
  } else if (endAfter !== null && startAfter !== null && endAfter <= startAfter) {
    notes.issue("endAfter", "an instant after startAfter", shown(body.endAfter));
  }
  return { startAfter, endAfter };
}

/**
 * Total attempts of a body, or null when left out (H16). `retries` counts additional attempts on
 * a campaign and total ones on a task, where 0 reads as 1 with a warning; `maxAttempts` is
 * always total. Both with different meanings are an issue.
 */
export function readAttempts(
  body: { retries?: unknown; maxAttempts?: unknown },
  counts: "additional" | "total",
  notes: Notes,
): Result<number | null> {
  const extra = counts === "additional" ? 1 : 0;
  const what = counts === "additional" ? "attempts after the first" : "attempts in total";
  const range = { min: 0, max: ATTEMPTS_LIMIT - extra, what };
  const retries = readWhole(body.retries, "retries", range);
  const totals = { min: 1, max: ATTEMPTS_LIMIT, what: "attempts in total" };
  const maxAttempts = readWhole(body.maxAttempts, "maxAttempts", totals);
  if (!retries.ok || !maxAttempts.ok) {
    const both = [retries, maxAttempts].flatMap((one) => (one.ok ? [] : one.issues));
    return { ok: false, issues: both };
  }
  if (retries.value === null) return maxAttempts;
  if (counts === "total" && retries.value === 0) {
    notes.warn("retries", "On a task, retries counts all attempts: 0 is read as 1.");
  }
  const total = Math.max(1, retries.value + extra);
  if (maxAttempts.value === null || maxAttempts.value === total) return good(total);
  const expected = `${total}, as retries (${what}) says, or only one of the two`;
  return fault("maxAttempts", expected, shown(maxAttempts.value));
}

/** Gaps between attempts, ms, from a number or a list; null when left out (H2, H15). */
export function readIntervals(value: unknown): Result<number[] | null> {
  if (!given(value)) return good(null);
  const range = { min: 0, max: INTERVAL_LIMIT_MS, what: "milliseconds" };
  if (!Array.isArray(value)) {
    const one = readWhole(value, "intervals", { ...range, what: "milliseconds or a list of them" });
    return one.ok && one.value !== null ? good([one.value]) : (one as Result<never>);
  }
  return readList(value, "intervals", (entry, path) => readWhole(entry, path, range));
}

/** Each entry of a list read in turn, its issues at `path.index`; null entries are issues. */
export function readList<T>(
  value: unknown[],
  path: string,
  readEntry: (entry: unknown, path: string) => Result<T | null>,
): Result<T[]> {
  if (value.length > LIST_LIMIT) return fault(path, `at most ${LIST_LIMIT} entries`, shown(value));
  const entries: T[] = [];
  const issues: Issue[] = [];
  for (const [index, entry] of value.entries()) {
    const at = `${path}.${index}`;
    const read = readEntry(entry, at);
    if (!read.ok) issues.push(...read.issues);
    else if (read.value === null) issues.push({ path: at, expected: "a value", got: "null" });
    else entries.push(read.value);
  }
  return issues.length > 0 ? { ok: false, issues } : good(entries);
}

/**
 * The chosen outcomes of a body, without those that are retried anyway; null when left out (H18).
 * With no agent known, another agent's own outcomes are taken with a warning.
 */
export function readRetryOutcomes(
  value: unknown,
  agent: AgentEntry | null,
  notes: Notes,
): Result<Outcome[] | null> {
  if (!given(value)) return good(null);
  const choosable: Outcome[] = [...RETRIED_WHEN_CHOSEN, ...(agent?.ownOutcomes ?? [])];
  const expected = `one of ${choosable.join(", ")}${agent === null ? ", or an agent's own" : ""}`;
  if (!Array.isArray(value))
    return fault("retryOutcomes", `a list, each ${expected}`, shown(value));
  const list = readList(value, "retryOutcomes", (entry, path) => {
    if (typeof entry !== "string" || entry === "connected")
      return fault(path, expected, shown(entry));
    const unsure = agent === null && !isOutcome(entry, []) && OWN_OUTCOME.test(entry);
    if (unsure) notes.warn(path, `${entry} counts only for an agent that reports it.`);
    if (unsure || isOutcome(entry, agent?.ownOutcomes ?? [])) return good(entry);
    return fault(path, expected, shown(entry));
  });
  if (!list.ok) return list;
  const idle = (one: Outcome) =>
    OUTCOMES.some((known) => known === one) && !choosable.includes(one);
  if (list.value.includes("busy_callback") && agent?.usesCallback === false) {
    notes.warn("retryOutcomes", "busy_callback is retried only where the agent uses it.");
  }
  return good([...new Set(list.value.filter((one) => !idle(one)))]);
}
