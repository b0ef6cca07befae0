import { first, type Sql } from "./sql.ts";
import type { State } from "./state.ts";
import type { SuppressionDoc } from "./verbs.ts";

/** What D1 is told of an entry that an outcome made; an erased number is `#` and its hash. */
export type PendingEntry = { phone: string; outcome: string; at: number };

/** H40: whether the number with this hash must not be called now. */
export function isSuppressed(sql: Sql, hash: string, now: number): boolean {
  const entry = first<{ expires_at: number | null }>(
    sql,
    "SELECT expires_at FROM suppressed WHERE hash = ? AND active = 1",
    hash,
  );
  return entry !== null && (entry.expires_at === null || entry.expires_at > now);
}

/** Those of many hashes that must not be called now (H40). */
export function suppressedAmong(sql: Sql, hashes: readonly string[], now: number): Set<string> {
  const rows = sql.all<{ hash: string }>(
    `SELECT hash FROM suppressed WHERE hash IN (SELECT value FROM json_each(?))
       AND active = 1 AND (expires_at IS NULL OR expires_at > ?)`,
    JSON.stringify(hashes),
    now,
  );
  return new Set(rows.map((row) => row.hash));
}

/** An outcome puts the number on the list, with the conclusion; the flush tells D1. */
export function suppressByOutcome(sql: Sql, hash: string, entry: PendingEntry): void {
  sql.run(
    `INSERT INTO suppressed (hash, version, active, expires_at, pending) VALUES (?, 0, 1, NULL, ?)
     ON CONFLICT (hash) DO UPDATE SET active = 1, expires_at = NULL, pending = excluded.pending`,
    hash,
    JSON.stringify(entry),
  );
}

/** Takes versions of entries from D1. One that D1 has not yet got is left alone. */
export function putSuppressions(
  state: State,
  docs: { id: string; version: number; doc: SuppressionDoc | null }[],
): void {
  const rows = docs.map(({ id, version, doc }) => [
    id.startsWith("#") ? id.slice(1) : state.hashPhone(id),
    version,
    doc === null ? 0 : 1,
    doc?.expiresAt ?? null,
  ]);
  state.sql.run(
    `INSERT INTO suppressed (hash, version, active, expires_at)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
     ON CONFLICT (hash) DO UPDATE SET version = excluded.version, active = excluded.active,
       expires_at = excluded.expires_at
     WHERE excluded.version > suppressed.version AND suppressed.pending IS NULL`,
    JSON.stringify(rows),
  );
}
