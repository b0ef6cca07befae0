import { and, asc, desc, eq, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { CallRecord, CallStatus, Turn } from "../core/call.ts";
import { type AgentId, type ConnectionId, makeId, type WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { integerAfter, type Page, type PageRequest, pageOfRows } from "./page.ts";
import { calls, callTexts } from "./schema.ts";

export type CallRow = typeof calls.$inferSelect;
export type CallFilter = {
  campaign: number | null;
  task: number | null;
  outcome?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
  agent?: string | undefined;
  /** Time on the line, ms, both included. */
  atLeastMs?: number | undefined;
  atMostMs?: number | undefined;
};

/**
 * Of a campaign, by the index of its calls: SQLite takes the primary key by itself, and with it
 * reads every campaign's.
 */
export function isOf(campaign: number): SQL {
  return sql`likelihood(${calls.campaign} = ${campaign}, 0.001)`;
}

/** A call with its transcript and analysis. */
export async function readCallRecord(
  db: Db,
  workspace: WorkspaceId,
  id: number,
): Promise<CallRecord | null> {
  const rows = await db
    .select({ call: calls, texts: callTexts })
    .from(calls)
    .leftJoin(
      callTexts,
      and(eq(callTexts.workspace, calls.workspace), eq(callTexts.call, calls.id)),
    )
    .where(and(eq(calls.workspace, workspace), eq(calls.id, id)));
  const [row] = rows;
  if (row === undefined) return null;
  const transcript = row.texts?.transcript ?? null;
  const analysis = row.texts?.analysis ?? null;
  return {
    ...callOf(workspace, row.call),
    transcript: transcript === null ? null : (JSON.parse(transcript) as Turn[]),
    analysis: analysis === null ? null : (JSON.parse(analysis) as Record<string, unknown>),
  };
}

/** Of a task of this campaign, first attempt first. */
export async function callsOfTask(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  task: number,
): Promise<CallRecord[]> {
  const rows = await db
    .select()
    .from(calls)
    .where(and(eq(calls.workspace, workspace), isOf(campaign), eq(calls.task, task)))
    .orderBy(asc(calls.id));
  return rows.map((row) => callOf(workspace, row));
}

/** Newest first. */
export async function listCalls(
  db: Db,
  workspace: WorkspaceId,
  filter: CallFilter,
  page: PageRequest,
): Promise<Page<CallRecord>> {
  const after = integerAfter(page);
  const rows = await db
    .select()
    .from(calls)
    .where(
      and(
        eq(calls.workspace, workspace),
        after === null ? undefined : lt(calls.id, after),
        filter.task === null ? undefined : eq(calls.task, filter.task),
        filter.campaign === null ? undefined : isOf(filter.campaign),
        filter.outcome === undefined ? undefined : eq(calls.outcome, filter.outcome),
        filter.since === undefined ? undefined : gte(calls.claimedAt, filter.since),
        filter.until === undefined ? undefined : lt(calls.claimedAt, filter.until),
        filter.agent === undefined ? undefined : eq(calls.agent, filter.agent),
        filter.atLeastMs === undefined ? undefined : gte(calls.talkMs, filter.atLeastMs),
        filter.atMostMs === undefined ? undefined : lte(calls.talkMs, filter.atMostMs),
      ),
    )
    .orderBy(desc(calls.id))
    .limit(page.limit + 1);
  const found = pageOfRows(rows, page.limit, (row) => row.id);
  return { ...found, items: found.items.map((row) => callOf(workspace, row)) };
}

/** The record that the Dialer stored, without its texts. */
function callOf(workspace: WorkspaceId, row: CallRow): CallRecord {
  const { workspace: _workspace, version: _version, concluded: _concluded, ...fields } = row;
  return {
    ...fields,
    id: makeId("cal", workspace, row.id),
    task: makeId("tsk", workspace, row.task),
    campaign: makeId("cmp", workspace, row.campaign),
    agent: row.agent as AgentId,
    connection: row.connection as ConnectionId,
    // Only the Dialer's flush writes this column, from the catalogue.
    status: row.status as CallStatus,
    transcript: null,
    analysis: null,
  };
}
