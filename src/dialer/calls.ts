import type { CallNews } from "../carriers/carrier.ts";
import type { CallRecord, CallState, Turn } from "../core/call.ts";
import {
  type AgentId,
  type CallId,
  type ConnectionId,
  makeId,
  type NumberId,
  type WorkspaceId,
} from "../core/ids.ts";
import type { Outcome } from "../core/outcome.ts";
import { callStatus } from "../core/status.ts";
import { first, type Sql } from "./sql.ts";

/**
 * What a conclusion does to the task. `returned`: the carrier refused after it had taken the call,
 * so the task went back where it waited and no attempt was used (H21).
 */
export const VERDICTS = ["completed", "archived", "retry", "returned"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One dial's row; `core/call.ts` draws its states. Instants are epoch ms. */
export type Call = {
  id: number;
  task: number;
  campaign: number;
  attempt: number;
  state: CallState;
  agent: AgentId;
  connection: ConnectionId;
  number: NumberId;
  carrier: string;
  fromPhone: string;
  carrierCallId: string | null;
  claimedAt: number;
  placedAt: number | null;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  /** When the carrier is asked about it next, while it holds a slot. */
  checkAt: number | null;
  checks: number;
  /** When the lease ends (H22). */
  expiresAt: number;
  /** Ended, and decided by then with what there is (H18). */
  concludeBy: number | null;
  outcome: Outcome | null;
  word: string | null;
  reported: Outcome | null;
  callbackAt: number | null;
  /** The outcome was assumed when the lease ran out. */
  assumed: boolean;
  verdict: Verdict | null;
  decidedAt: number | null;
  costMicros: number | null;
  currency: string | null;
  recordingUrl: string | null;
  transcript: string | null;
  analysis: string | null;
  /** Who was called was erased: what is heard of it is not kept. */
  erased: boolean;
};

/** What decides who holds a slot and what is due. */
export type Tracked = Pick<
  Call,
  | "id"
  | "task"
  | "campaign"
  | "connection"
  | "carrierCallId"
  | "state"
  | "checkAt"
  | "expiresAt"
  | "concludeBy"
>;

const COLUMNS = `id, task, campaign, attempt, state, agent, connection, number, carrier,
  from_phone AS fromPhone, carrier_call_id AS carrierCallId, claimed_at AS claimedAt,
  placed_at AS placedAt, ringing_at AS ringingAt, answered_at AS answeredAt, ended_at AS endedAt,
  talk_ms AS talkMs, check_at AS checkAt, checks, expires_at AS expiresAt,
  conclude_by AS concludeBy, outcome, word, reported, callback_at AS callbackAt, assumed, verdict,
  decided_at AS decidedAt, cost_micros AS costMicros, currency, recording_url AS recordingUrl,
  transcript, analysis, erased`;

type Row = Omit<Call, "assumed" | "erased"> & { assumed: number; erased: number };
const fromRow = (row: Row): Call => {
  return { ...row, assumed: row.assumed === 1, erased: row.erased === 1 };
};

export function findCall(sql: Sql, id: number): Call | null {
  const row = first<Row>(sql, `SELECT ${COLUMNS} FROM call WHERE id = ?`, id);
  return row === null ? null : fromRow(row);
}

export function findCalls(sql: Sql, ids: readonly number[]): Call[] {
  const wanted = JSON.stringify(ids);
  return sql
    .all<Row>(`SELECT ${COLUMNS} FROM call WHERE id IN (SELECT value FROM json_each(?))`, wanted)
    .map(fromRow);
}

/** What the ledger keeps of every row, oldest first. */
export function loadTracked(sql: Sql): Tracked[] {
  return sql.all<Tracked>(
    `SELECT id, task, campaign, connection, carrier_call_id AS carrierCallId, state,
       check_at AS checkAt, expires_at AS expiresAt, conclude_by AS concludeBy FROM call ORDER BY id`,
  );
}

/** A slot is claimed: the row is there before the carrier is asked. */
export function insertCall(sql: Sql, call: Call): void {
  sql.run(
    `INSERT INTO call (id, task, campaign, attempt, state, agent, connection, number, carrier,
       from_phone, claimed_at, check_at, checks, expires_at, assumed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0)`,
    call.id,
    call.task,
    call.campaign,
    call.attempt,
    call.state,
    call.agent,
    call.connection,
    call.number,
    call.carrier,
    call.fromPhone,
    call.claimedAt,
    call.checkAt,
    call.expiresAt,
  );
}

/** Writes what can change of a call: one row, whatever happened to it. */
export function saveCall(sql: Sql, call: Call): void {
  sql.run(
    `UPDATE call SET state = ?, carrier_call_id = ?, placed_at = ?, ringing_at = ?, answered_at = ?,
       ended_at = ?, talk_ms = ?, check_at = ?, checks = ?, expires_at = ?, conclude_by = ?,
       outcome = ?, word = ?, reported = ?, callback_at = ?, assumed = ?, verdict = ?,
       decided_at = ?, cost_micros = ?, currency = ?, recording_url = ?, transcript = ?,
       analysis = ? WHERE id = ?`,
    call.state,
    call.carrierCallId,
    call.placedAt,
    call.ringingAt,
    call.answeredAt,
    call.endedAt,
    call.talkMs,
    call.checkAt,
    call.checks,
    call.expiresAt,
    call.concludeBy,
    call.outcome,
    call.erased ? null : call.word,
    call.reported,
    call.callbackAt,
    call.assumed ? 1 : 0,
    call.verdict,
    call.decidedAt,
    call.costMicros,
    call.currency,
    call.recordingUrl,
    call.transcript,
    call.analysis,
    call.id,
  );
}

/** Fills what the call does not know yet with what the news says; true when that changed anything. */
export function fillIn(call: Call, news: CallNews, carrierCallId: string | null): boolean {
  let changed = false;
  const fill = <K extends keyof Call>(key: K, value: Call[K] | null) => {
    if (call[key] !== null || value === null) return;
    call[key] = value;
    changed = true;
  };
  fill("carrierCallId", carrierCallId);
  fill("ringingAt", news.ringingAt);
  fill("answeredAt", news.answeredAt);
  fill("talkMs", news.talkMs);
  fill("callbackAt", news.callbackAt);
  fill("costMicros", news.costMicros);
  fill("currency", news.currency);
  if (call.erased) return changed;
  fill("word", news.word);
  fill("recordingUrl", news.recordingUrl);
  fill("transcript", news.transcript === null ? null : JSON.stringify(news.transcript));
  fill("analysis", news.analysis === null ? null : JSON.stringify(news.analysis));
  return changed;
}

/** A call as everything outside sees it (H32). */
export function callRecord(call: Call, workspace: WorkspaceId, to: string): CallRecord {
  return {
    id: callId(call, workspace),
    task: makeId("tsk", workspace, call.task),
    campaign: makeId("cmp", workspace, call.campaign),
    attempt: call.attempt,
    status: callStatus(call.state, call.ringingAt, call.answeredAt),
    agent: call.agent,
    connection: call.connection,
    carrier: call.carrier,
    carrierCallId: call.carrierCallId,
    from: call.fromPhone,
    to,
    claimedAt: call.claimedAt,
    placedAt: call.placedAt,
    ringingAt: call.ringingAt,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    talkMs: call.talkMs,
    outcome: call.outcome,
    word: call.erased ? null : call.word,
    reported: call.reported,
    callbackAt: call.callbackAt,
    costMicros: call.costMicros,
    currency: call.currency,
    recordingUrl: call.recordingUrl,
    transcript: call.transcript === null ? null : (JSON.parse(call.transcript) as Turn[]),
    analysis:
      call.analysis === null ? null : (JSON.parse(call.analysis) as Record<string, unknown>),
  };
}

export function callId(call: { id: number }, workspace: WorkspaceId): CallId {
  return makeId("cal", workspace, call.id);
}
