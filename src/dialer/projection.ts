import { callStatus } from "../core/status.ts";
import type { Call } from "./calls.ts";
import { lateStatements } from "./late.ts";
import type { Statement } from "./outside.ts";
import type { Standing } from "./records.ts";
import { campaignValues, type Slice } from "./slice.ts";
import type { State } from "./state.ts";
import type { PendingEntry } from "./suppressed.ts";

/*
 * The statements that write D1's projection. Each is guarded by `version`, so that a slice which
 * arrives twice or late changes nothing, and a null never overwrites a value of a call.
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
    SUPPRESSIONS,
    slice.suppressions.map(({ pending }) => {
      const entry = JSON.parse(pending) as PendingEntry;
      return [entry.phone, entry.outcome, entry.at];
    }),
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

const TASK_ONCE = [
  "id",
  "campaign",
  "import",
  "phone",
  "context",
  "settings",
  "external_id",
  "created_at",
] as const;
const TASK_MOVING = ["ended", "held", "attempts", "last_outcome", "due_at", "ended_at"] as const;
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
    task.phone,
    JSON.stringify(task.context),
    task.settings === null ? null : JSON.stringify(task.settings),
    task.externalId,
    task.createdAt,
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
  "to_phone",
  "claimed_at",
] as const;
const CALL_NOW = ["status", "concluded", "outcome"] as const;
const CALL_FILLED = [
  "carrier_call_id",
  "placed_at",
  "ringing_at",
  "answered_at",
  "ended_at",
  "talk_ms",
  "word",
  "reported",
  "callback_at",
  "cost_micros",
  "currency",
  "recording_url",
] as const;
const CALL = [...CALL_ONCE, ...CALL_NOW, ...CALL_FILLED];
const CALLS = `INSERT INTO calls (workspace, version, ${list(CALL)})
  SELECT ?1, ?2, ${values(CALL)} FROM json_each(?3) WHERE true
  ON CONFLICT (workspace, id) DO UPDATE SET version = excluded.version,
    ${list(CALL_NOW.map((name) => `${name} = excluded.${name}`))},
    ${list(CALL_FILLED.map((name) => `${name} = COALESCE(excluded.${name}, calls.${name})`))}
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
    phones.get(call.task) ?? phoneOf(state, call.task),
    call.claimedAt,
    callStatus(call.state, call.ringingAt, call.answeredAt),
    call.state === "concluded" ? 1 : 0,
    call.outcome,
    call.carrierCallId,
    call.placedAt,
    call.ringingAt,
    call.answeredAt,
    call.endedAt,
    call.talkMs,
    call.word,
    call.reported,
    call.callbackAt,
    call.costMicros,
    call.currency,
    call.recordingUrl,
  ];
}

function phoneOf(state: State, task: number): string {
  const [row] = state.sql.all<{ phone: string }>("SELECT phone FROM task WHERE id = ?", task);
  if (row === undefined) throw new Error("bug: a call has no task");
  return row.phone;
}

const TEXTS = `INSERT INTO call_texts (workspace, call, transcript, analysis)
  SELECT ?1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3) WHERE ?2 > 0
  ON CONFLICT (workspace, call) DO UPDATE SET
    transcript = COALESCE(excluded.transcript, call_texts.transcript),
    analysis = COALESCE(excluded.analysis, call_texts.analysis)
  WHERE (excluded.transcript IS NOT NULL AND excluded.transcript IS NOT call_texts.transcript)
    OR (excluded.analysis IS NOT NULL AND excluded.analysis IS NOT call_texts.analysis)`;

/** H40: version 0 says that the Dialer knows it already. A person's later removal is not undone. */
const SUPPRESSIONS = `INSERT INTO suppressions (workspace, phone, version, created_at, reason, source)
  SELECT ?1, value ->> 0, 0, value ->> 2, value ->> 1, 'outcome' FROM json_each(?3) WHERE ?2 > 0
  ON CONFLICT (workspace, phone) DO UPDATE SET deleted_at = NULL, expires_at = NULL,
    reason = excluded.reason, source = excluded.source
  WHERE suppressions.deleted_at IS NOT NULL AND suppressions.deleted_at < excluded.created_at
    OR suppressions.expires_at IS NOT NULL`;
