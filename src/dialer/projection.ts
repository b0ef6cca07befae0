import { callStatus } from "../core/status.ts";
import type { Call } from "./calls.ts";
import { entryValues } from "./entries.ts";
import { lateStatements } from "./late.ts";
import type { Statement } from "./outside.ts";
import type { Standing } from "./records.ts";
import { campaignValues, type Slice } from "./slice.ts";
import type { State } from "./state.ts";
import type { PendingEntry } from "./suppressed.ts";

/*
 * The statements that write D1's projection. Each is guarded by `version`, so that a slice which
 * arrives twice or late changes nothing, and a null never overwrites a value of a call, but where
 * who was called was erased: such a call has no number (`to_phone`), and gets no texts any more.
 */

/** All statements of a slice, for one batch. */
export function statementsOf(state: State, slice: Slice): Statement[] {
  const statements: Statement[] = [];
  const { workspace } = state;
  const add = (query: string, rows: unknown[]) => {
    if (rows.length > 0) {
      statements.push({ query, bind: [workspace, slice.version, JSON.stringify(rows)] });
    }
  };
  add(
    CAMPAIGNS,
    slice.campaigns.map((campaign) => campaignValues(state, campaign)),
  );
  const phones = new Map<number, string>();
  for (const [id, { task }] of slice.tasks) phones.set(id, task.phone);
  add(TASKS, [...slice.tasks.values()].map(taskValues));
  add(
    CALLS,
    slice.calls.map((call) => callValues(state, call, phones)),
  );
  const texts = slice.calls.filter((call) => call.transcript !== null || call.analysis !== null);
  add(
    TEXTS,
    texts.map((call) => [call.id, call.transcript, call.analysis]),
  );
  add(
    NO_TEXTS,
    slice.calls.filter((call) => call.erased).map((call) => call.id),
  );
  add(
    SUPPRESSIONS,
    slice.suppressions.map(({ hash, pending }) => {
      const entry = JSON.parse(pending) as PendingEntry;
      return [entry.phone, entry.outcome, entry.at, `#${hash}`];
    }),
  );
  add(AUDIT, slice.entries.map(entryValues));
  add(
    WORDS,
    slice.words.map(({ connection, word, count, at }) => [connection, word, count, at]),
  );
  for (const row of slice.late) statements.push(...lateStatements(workspace, row));
  return statements;
}

const list = (names: readonly string[]) => names.join(", ");
const values = (names: readonly string[]) => names.map((_, i) => `value ->> ${i}`).join(", ");

const CAMPAIGN = [
  "id",
  "name",
  "type",
  "status",
  "settings",
  "paused",
  "epoch",
  "starts_at",
  "created_at",
  "started_at",
  "completed_at",
  "archived_at",
  "counters",
] as const;
const CAMPAIGNS = `INSERT INTO campaigns (workspace, version, ${list(CAMPAIGN)})
  SELECT ?1, ?2, ${values(CAMPAIGN)} FROM json_each(?3) WHERE true
  ON CONFLICT (workspace, id) DO UPDATE SET version = excluded.version,
    ${list(CAMPAIGN.slice(1).map((name) => `${name} = excluded.${name}`))}
  WHERE excluded.version > campaigns.version`;

const TASK_ONCE = ["id", "campaign", "import", "settings", "created_at"] as const;
const TASK_MOVING = [
  "phone",
  "context",
  "consent",
  "external_id",
  "ended",
  "held",
  "attempts",
  "last_outcome",
  "due_at",
  "ended_at",
] as const;
const TASK = [...TASK_ONCE, ...TASK_MOVING];
const TASKS = `INSERT INTO tasks (workspace, version, ${list(TASK)})
  SELECT ?1, ?2, ${values(TASK)} FROM json_each(?3) WHERE true
  ON CONFLICT (workspace, id) DO UPDATE SET version = excluded.version,
    ${list(TASK_MOVING.map((name) => `${name} = excluded.${name}`))}
  WHERE excluded.version > tasks.version`;

function taskValues({ task, ended, attempts, endedAt }: Standing): unknown[] {
  return [
    task.id,
    task.campaign,
    task.import,
    task.settings === null ? null : JSON.stringify(task.settings),
    task.createdAt,
    task.phone,
    JSON.stringify(task.context),
    task.consent === null ? null : JSON.stringify(task.consent),
    task.externalId,
    ended,
    task.held,
    attempts,
    task.lastOutcome,
    // A batch's first attempt starts with its campaign.
    task.at === 0 ? null : task.at,
    endedAt,
  ];
}

const CALL_ONCE = [
  "id",
  "task",
  "campaign",
  "attempt",
  "agent",
  "connection",
  "carrier",
  "from_phone",
  "claimed_at",
] as const;
const CALL_NOW = ["to_phone", "status", "concluded", "outcome"] as const;
const CALL_FILLED = [
  "carrier_call_id",
  "placed_at",
  "ringing_at",
  "answered_at",
  "ended_at",
  "talk_ms",
  "reported",
  "callback_at",
  "cost_micros",
  "currency",
] as const;
const CALL_PERSONAL = ["word", "recording_url"] as const;
const CALL = [...CALL_ONCE, ...CALL_NOW, ...CALL_FILLED, ...CALL_PERSONAL];
const filled = (name: string) => `COALESCE(excluded.${name}, calls.${name})`;
const CALLS = `INSERT INTO calls (workspace, version, ${list(CALL)})
  SELECT ?1, ?2, ${values(CALL)} FROM json_each(?3) WHERE true
  ON CONFLICT (workspace, id) DO UPDATE SET version = excluded.version,
    ${list(CALL_NOW.map((name) => `${name} = excluded.${name}`))},
    ${list(CALL_FILLED.map((name) => `${name} = ${filled(name)}`))},
    ${list(CALL_PERSONAL.map((name) => `${name} = CASE excluded.to_phone WHEN '' THEN NULL ELSE ${filled(name)} END`))}
  WHERE excluded.version > calls.version`;

function callValues(state: State, call: Call, phones: Map<number, string>): unknown[] {
  return [
    call.id,
    call.task,
    call.campaign,
    call.attempt,
    call.agent,
    call.connection,
    call.carrier,
    call.fromPhone,
    call.claimedAt,
    phones.get(call.task) ?? phoneOf(state, call.task),
    callStatus(call.state, call.ringingAt, call.answeredAt),
    call.state === "concluded" ? 1 : 0,
    call.outcome,
    call.carrierCallId,
    call.placedAt,
    call.ringingAt,
    call.answeredAt,
    call.endedAt,
    call.talkMs,
    call.reported,
    call.callbackAt,
    call.costMicros,
    call.currency,
    call.erased ? null : call.word,
    call.recordingUrl,
  ];
}

function phoneOf(state: State, task: number): string {
  const [row] = state.sql.all<{ phone: string }>("SELECT phone FROM task WHERE id = ?", task);
  if (row === undefined) throw new Error("bug: a call has no task");
  return row.phone;
}

/** CROSS JOIN: the few calls of a slice are looked up; SQLite would read all to find these. */
const TEXTS = `INSERT INTO call_texts (workspace, call, transcript, analysis)
  SELECT ?1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3)
    CROSS JOIN calls k ON k.workspace = ?1 AND k.id = value ->> 0 AND k.to_phone <> '' WHERE ?2 > 0
  ON CONFLICT (workspace, call) DO UPDATE SET
    transcript = COALESCE(excluded.transcript, call_texts.transcript),
    analysis = COALESCE(excluded.analysis, call_texts.analysis)
  WHERE (excluded.transcript IS NOT NULL AND excluded.transcript IS NOT call_texts.transcript)
    OR (excluded.analysis IS NOT NULL AND excluded.analysis IS NOT call_texts.analysis)`;

const NO_TEXTS = `DELETE FROM call_texts WHERE workspace = ?1 AND ?2 > 0
  AND call IN (SELECT value FROM json_each(?3))`;

/**
 * H40: version 0 says that the Dialer knows it already. A person's later removal is not undone. Of
 * a number that was erased only the hash is kept.
 */
const SUPPRESSIONS = `INSERT INTO suppressions (workspace, phone, version, created_at, reason, source)
  SELECT ?1, CASE WHEN EXISTS (SELECT 1 FROM suppressions s
      WHERE s.workspace = ?1 AND s.phone = value ->> 3) THEN value ->> 3 ELSE value ->> 0 END,
    0, value ->> 2, value ->> 1, 'outcome' FROM json_each(?3) WHERE ?2 > 0
  ON CONFLICT (workspace, phone) DO UPDATE SET deleted_at = NULL, expires_at = NULL,
    reason = excluded.reason, source = excluded.source
  WHERE suppressions.deleted_at IS NOT NULL AND suppressions.deleted_at < excluded.created_at
    OR suppressions.expires_at IS NOT NULL`;

const ENTRY = [
  "id",
  "at",
  "actor_kind",
  "actor",
  "action",
  "target_kind",
  "target",
  "before",
  "after",
  "ip",
  "request_id",
] as const;
const AUDIT = `INSERT INTO audit (workspace, ${list(ENTRY)})
  SELECT ?1, ${values(ENTRY)} FROM json_each(?3) WHERE ?2 > 0 ON CONFLICT DO NOTHING`;

/** As `db/words.ts` counts those of reports; of a connection some hundred different ones are kept. */
const WORDS = `INSERT INTO unknown_words (workspace, id, connection, word, count, last_at)
  SELECT ?1, value ->> 0 || '/' || (value ->> 1), value ->> 0, value ->> 1, value ->> 2, value ->> 3
  FROM json_each(?3) WHERE ?2 > 0
    AND (EXISTS (SELECT 1 FROM unknown_words u
        WHERE u.workspace = ?1 AND u.id = value ->> 0 || '/' || (value ->> 1))
      OR (SELECT COUNT(*) FROM unknown_words u
        WHERE u.workspace = ?1 AND u.connection = value ->> 0) < 100)
  ON CONFLICT (id) DO UPDATE SET count = unknown_words.count + excluded.count,
    last_at = MAX(unknown_words.last_at, excluded.last_at)
  WHERE unknown_words.workspace = ?1`;
