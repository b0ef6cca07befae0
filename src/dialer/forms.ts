import { type Refusal, refuse } from "../core/result.ts";
import type { State } from "./state.ts";
import type { Coming, FormPush } from "./verbs.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Keys of rows that are a form's, not a client's. */
const PREFIX = "form ";

/** What one number has asked a form for: its last task, what was answered, and when it asked. */
type Asked = { task: number; coming: Coming; times: number[] };

/** What a form does about a number that it takes. */
export type Standing =
  | { kind: "new"; before: Asked | null }
  /** It asked a moment ago: it gets that answer, and does not ring twice. */
  | { kind: "again"; asked: Asked }
  | { kind: "refused"; refusal: Refusal & { waitMs: number } };

/**
 * Whether a number may ask a form for a call now. What it asked for is kept under its keyed hash
 * beside the answers of `Idempotency-Key`s, one row for each number and day; how many calls
 * everybody asked for in the last hour is counted in memory, from these rows.
 */
export function standingAt(state: State, form: FormPush, hash: string, now: number): Standing {
  const before = askedBefore(state, form, hash, now);
  const last = before?.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (before !== null && last > now - form.repeatMs) return { kind: "again", asked: before };
  const ofNumber = before?.times ?? [];
  if (ofNumber.length >= form.numberMax) {
    const message = "This number has asked for as many calls as it may in a day.";
    return full(message, (ofNumber.at(-form.numberMax) ?? now) + DAY_MS - now);
  }
  const ofAll = hourOf(state, form, now);
  if (ofAll.length >= form.hourMax) {
    const message = "Too many people ask for a call right now: try again later.";
    return full(message, (ofAll.at(-form.hourMax) ?? now) + HOUR_MS - now);
  }
  return { kind: "new", before };
}

function full(message: string, waitMs: number): Standing {
  return { kind: "refused", refusal: { ...refuse("too_many_requests", message), waitMs } };
}

/** Keeps what a number was answered: for the next time it asks. */
export function keepAsked(
  state: State,
  form: FormPush,
  hash: string,
  answer: { task: number; coming: Coming; before: Asked | null },
  now: number,
): void {
  const { task, coming, before } = answer;
  const asked: Asked = { task, coming, times: [...(before?.times ?? []), now] };
  state.sql.run(
    `INSERT INTO idempotency (day, key, body_hash, answer, at) VALUES (?, ?, '', ?, ?)
     ON CONFLICT (day, key) DO UPDATE SET answer = excluded.answer, at = excluded.at`,
    dayOf(now),
    keyOf(form, hash),
    JSON.stringify(asked),
    now,
  );
  hourOf(state, form, now).push(now);
}

/** An erased number is unknown to every form. */
export function forgetAsked(state: State, hash: string): void {
  state.sql.run(
    "DELETE FROM idempotency WHERE substr(key, 1, ?) = ? AND substr(key, -length(?)) = ?",
    PREFIX.length,
    PREFIX,
    ` ${hash}`,
    ` ${hash}`,
  );
  state.askedInHour.clear();
}

/** The newest row of a number, with the times of the last day alone. */
function askedBefore(state: State, form: FormPush, hash: string, now: number): Asked | null {
  const [row] = state.sql.all<{ answer: string }>(
    "SELECT answer FROM idempotency WHERE day IN (?, ?) AND key = ? ORDER BY day DESC LIMIT 1",
    dayOf(now),
    dayOf(now) - 1,
    keyOf(form, hash),
  );
  if (row === undefined) return null;
  const asked = JSON.parse(row.answer) as Asked;
  const times = asked.times.filter((at) => at > now - DAY_MS);
  return times.length === 0 ? null : { ...asked, times };
}

/** When a form's calls of the last hour were asked for, oldest first. */
function hourOf(state: State, form: FormPush, now: number): number[] {
  const known = state.askedInHour.get(form.id) ?? readHour(state, form, now);
  while ((known[0] ?? now) <= now - HOUR_MS) known.shift();
  state.askedInHour.set(form.id, known);
  return known;
}

function readHour(state: State, form: FormPush, now: number): number[] {
  const start = keyOf(form, "");
  const rows = state.sql.all<{ key: string; answer: string }>(
    `SELECT key, answer FROM idempotency WHERE day IN (?, ?) AND key > ? AND key < ? AND at > ?
     ORDER BY day`,
    dayOf(now) - 1,
    dayOf(now),
    start,
    // Every hash is between: the character after a blank.
    `${start.slice(0, -1)}!`,
    now - HOUR_MS,
  );
  // A number's newest row has the times of the one before, too.
  const newest = new Map(rows.map(({ key, answer }) => [key, JSON.parse(answer) as Asked]));
  const times = [...newest.values()].flatMap((asked) => asked.times);
  return times.filter((at) => at > now - HOUR_MS).sort((a, b) => a - b);
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

function keyOf(form: FormPush, hash: string): string {
  return `${PREFIX}${form.id} ${hash}`;
}
