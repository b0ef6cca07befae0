import { type Refusal, refuse } from "../core/result.ts";
import { first } from "./sql.ts";
import type { State } from "./state.ts";
import type { Idempotency } from "./verbs.ts";

const DAY_MS = 86_400_000;
/** H9 */
const DAYS_KEPT = 7;

/** The answer that is kept under a key, a refusal for another body, or null for a new key (H9). */
export function keptAnswer<T>(
  state: State,
  asked: Idempotency | null,
  now: number,
): { ok: true; answer: T } | Refusal | null {
  if (asked === null) return null;
  const today = Math.floor(now / DAY_MS);
  const days = Array.from({ length: DAYS_KEPT + 1 }, (_, back) => today - back);
  const row = first<{ body_hash: string; answer: string; at: number }>(
    state.sql,
    `SELECT body_hash, answer, at FROM idempotency
     WHERE day IN (SELECT value FROM json_each(?)) AND key IN (?, ?) ORDER BY day DESC LIMIT 1`,
    JSON.stringify(days),
    keyOf(asked),
    hashedName(state, keyOf(asked)),
  );
  if (row === null || row.at <= now - DAYS_KEPT * DAY_MS) return null;
  if (row.body_hash === asked.bodyHash) return { ok: true, answer: JSON.parse(row.answer) as T };
  return refuse("idempotency_conflict", "This Idempotency-Key came with another body before.");
}

/** Keeps an answer that took something; a refusal of the whole request is not kept (H9). */
export function keepAnswer(
  state: State,
  asked: Idempotency | null,
  answer: unknown,
  now: number,
): void {
  if (asked === null) return;
  state.sql.run(
    `INSERT INTO idempotency (day, key, body_hash, answer, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (day, key) DO UPDATE SET body_hash = excluded.body_hash,
       answer = excluded.answer, at = excluded.at`,
    Math.floor(now / DAY_MS),
    keyOf(asked),
    asked.bodyHash,
    JSON.stringify(answer),
    now,
  );
}

/** Whole days that no key of can count any more. */
export function dropOldAnswers(state: State, now: number): void {
  const oldest = Math.floor(now / DAY_MS) - DAYS_KEPT;
  state.sql.run("DELETE FROM idempotency WHERE day < ?", oldest);
}

/** What stands for a client's name of a push that quotes a number which was erased. */
export function hashedName(state: State, name: string): string {
  return `#${state.hashPhone(name)}`;
}

function keyOf(asked: Idempotency): string {
  return `${asked.route} ${asked.key}`;
}
