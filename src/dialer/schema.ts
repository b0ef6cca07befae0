import { CALL_STATES } from "../core/call.ts";
import { CAMPAIGN_TYPES } from "../core/campaign.ts";
import { VERDICTS } from "./calls.ts";
import { first, type Sql } from "./sql.ts";

const oneOf = (column: string, values: readonly string[]) =>
  `CHECK (${column} IN (${values.map((v) => `'${v}'`).join(", ")}))`;

/**
 * Numbered, forward only; each runs once per object. Instants are epoch ms. Ids come from
 * one sequence (`meta.next_id`), so a larger one is a later one and none is used twice.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    // What D1 owns, as copies; a null doc is a deletion.
    "CREATE TABLE copy (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID",
    // H40. `pending` holds the number until D1 has an entry that an outcome made.
    "CREATE TABLE suppressed (hash TEXT PRIMARY KEY, version INTEGER NOT NULL, active INTEGER NOT NULL, expires_at INTEGER, pending TEXT) WITHOUT ROWID",
    // Trouble of a connection; no row is none.
    `CREATE TABLE connection (id TEXT PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL,
      backoff_ms INTEGER, backoff_until INTEGER, probe_ms INTEGER, probe_at INTEGER) WITHOUT ROWID`,
    `CREATE TABLE campaign (id INTEGER PRIMARY KEY, type TEXT NOT NULL ${oneOf("type", CAMPAIGN_TYPES)},
      settings TEXT NOT NULL, paused INTEGER NOT NULL CHECK (paused IN (0, 1)), epoch INTEGER NOT NULL,
      starts_at INTEGER, created_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,
      archived_at INTEGER, expired INTEGER NOT NULL, swept INTEGER NOT NULL,
      tasks INTEGER NOT NULL CHECK (tasks >= held + completed + archived),
      held INTEGER NOT NULL CHECK (held >= 0), completed INTEGER NOT NULL CHECK (completed >= 0),
      archived INTEGER NOT NULL CHECK (archived >= 0), attempts INTEGER NOT NULL CHECK (attempts >= 0),
      talk_ms INTEGER NOT NULL, outcomes TEXT NOT NULL)`,
    `CREATE TABLE import (id TEXT PRIMARY KEY, campaign INTEGER NOT NULL, open INTEGER NOT NULL,
      taken INTEGER NOT NULL) WITHOUT ROWID`,
    "CREATE INDEX import_campaign ON import (campaign, open)",
    "CREATE TABLE import_part (import TEXT NOT NULL, part INTEGER NOT NULL, result TEXT NOT NULL, PRIMARY KEY (import, part)) WITHOUT ROWID",
    // What tasks share while they wait; a key never changes. Nulls are inherited from the campaign.
    `CREATE TABLE lane (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, campaign INTEGER NOT NULL,
      agent TEXT, number TEXT, opens_min INTEGER, closes_min INTEGER, days INTEGER, timezone TEXT,
      callback INTEGER NOT NULL CHECK (callback IN (0, 1)), priority INTEGER NOT NULL,
      import TEXT, pause INTEGER)`,
    // `at` is the start of H24: 0 for a batch's first attempt.
    "CREATE TABLE waiting (lane INTEGER NOT NULL, at INTEGER NOT NULL, tiebreak INTEGER NOT NULL, task INTEGER NOT NULL, PRIMARY KEY (lane, at, tiebreak, task)) WITHOUT ROWID",
    // Live tasks. `lane, at, tiebreak` is where it waits, waited last, or goes back to.
    `CREATE TABLE task (id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL, import TEXT, phone TEXT NOT NULL,
      hash TEXT NOT NULL, context TEXT NOT NULL, settings TEXT, attempts INTEGER NOT NULL, last_outcome TEXT,
      lane INTEGER NOT NULL, at INTEGER NOT NULL, tiebreak INTEGER NOT NULL, held INTEGER,
      archiving INTEGER NOT NULL, external_id TEXT, created_at INTEGER NOT NULL, ends_at INTEGER,
      ended TEXT CHECK (ended IN ('completed', 'archived')), ended_at INTEGER)`,
    "CREATE INDEX task_ends ON task (ends_at) WHERE ends_at IS NOT NULL",
    "CREATE TABLE seen_phone (campaign INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (campaign, hash)) WITHOUT ROWID",
    "CREATE TABLE external (campaign INTEGER NOT NULL, external_id TEXT NOT NULL, task INTEGER NOT NULL, PRIMARY KEY (campaign, external_id)) WITHOUT ROWID",
    "CREATE TABLE idempotency (day INTEGER NOT NULL, key TEXT NOT NULL, body_hash TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (day, key)) WITHOUT ROWID",
    // One row per dial (core/call.ts draws its states). The first three hold a slot.
    `CREATE TABLE call (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, campaign INTEGER NOT NULL,
      attempt INTEGER NOT NULL CHECK (attempt >= 1), state TEXT NOT NULL ${oneOf("state", CALL_STATES)},
      agent TEXT NOT NULL, connection TEXT NOT NULL, number TEXT NOT NULL, carrier TEXT NOT NULL,
      from_phone TEXT NOT NULL, carrier_call_id TEXT, claimed_at INTEGER NOT NULL, placed_at INTEGER,
      ringing_at INTEGER, answered_at INTEGER, ended_at INTEGER, talk_ms INTEGER,
      check_at INTEGER, checks INTEGER NOT NULL, expires_at INTEGER NOT NULL, conclude_by INTEGER,
      outcome TEXT, word TEXT, reported TEXT, callback_at INTEGER,
      assumed INTEGER NOT NULL, verdict TEXT ${oneOf("verdict", VERDICTS)},
      decided_at INTEGER, cost_micros INTEGER, currency TEXT, recording_url TEXT,
      transcript TEXT, analysis TEXT)`,
    // Tasks that changed without a call and that D1 has not heard of.
    "CREATE TABLE dirty (task INTEGER PRIMARY KEY)",
    // News of calls that have left, until D1 has it.
    "CREATE TABLE late (id INTEGER PRIMARY KEY, call INTEGER, connection TEXT NOT NULL, carrier_call_id TEXT, at INTEGER NOT NULL, news TEXT NOT NULL)",
  ],
  [
    // Entries of the audit log, written with what they record, until D1 has them.
    "CREATE TABLE entry (id TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID",
    // Numbers that were erased while these imports were open.
    "CREATE TABLE erased (import TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (import, hash)) WITHOUT ROWID",
    // Of a person who was erased: what is heard of it is not kept.
    "ALTER TABLE call ADD COLUMN erased INTEGER NOT NULL DEFAULT 0",
  ],
  [
    // Answers of a connection that were lost one after the other.
    "ALTER TABLE connection ADD COLUMN losses INTEGER NOT NULL DEFAULT 0",
  ],
  [
    // Events for webhooks, written with what they tell, until they are with their receivers or in D1.
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, events TEXT NOT NULL)",
    // What a person agreed to when he asked for the call.
    "ALTER TABLE task ADD COLUMN consent TEXT",
  ],
];

/** Brings the object's tables to the newest version. */
export function migrate(sql: Sql): void {
  sql.run("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY)");
  const done = first<{ version: number | null }>(
    sql,
    "SELECT MAX(version) AS version FROM migration",
  );
  for (let version = (done?.version ?? 0) + 1; version <= MIGRATIONS.length; version++) {
    sql.transaction(() => {
      for (const statement of MIGRATIONS[version - 1] ?? []) sql.run(statement);
      sql.run("INSERT INTO migration (version) VALUES (?)", version);
    });
  }
}

/** Whether the object was ever used. */
export function hasTables(sql: Sql): boolean {
  return first(sql, "SELECT 1 FROM sqlite_master WHERE name = 'migration'") !== null;
}
