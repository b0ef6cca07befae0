import { and, asc, eq, gt, inArray, isNotNull, lte, ne, sql } from "drizzle-orm";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { calls, recordingRetries, workspaces } from "./schema.ts";

/*
 * How far recordings are copied: a pointer over each workspace's calls, and a row for each recording
 * that could not be copied yet. A deployment without a bucket asks for none of it.
 */

export type WorkspaceToCopy = { workspace: WorkspaceId; after: number };

/** Workspaces with a call behind their pointer from before `settled`, or something to try again; the longest waiting first. */
export async function workspacesToCopy(
  db: Db,
  settled: number,
  now: number,
  limit: number,
): Promise<WorkspaceToCopy[]> {
  return db.all<WorkspaceToCopy>(
    sql`SELECT id AS workspace, recordings_call AS after FROM workspaces w WHERE deleted_at IS NULL
      AND ((SELECT k.claimed_at FROM calls k WHERE k.workspace = w.id AND k.id > w.recordings_call
          ORDER BY k.id LIMIT 1) <= ${settled}
        OR EXISTS (SELECT 1 FROM recording_retries r WHERE r.workspace = w.id AND r.next_at <= ${now}))
      ORDER BY recordings_at LIMIT ${limit}`,
  );
}

/** A call as far as its recording goes. */
export type RecordedCall = {
  id: number;
  connection: ConnectionId;
  concluded: number;
  claimedAt: number;
  endedAt: number | null;
  /** Null where there is none, or where who was called is erased. */
  url: string | null;
};

const recorded = {
  id: calls.id,
  connection: sql<ConnectionId>`${calls.connection}`,
  concluded: calls.concluded,
  claimedAt: calls.claimedAt,
  endedAt: calls.endedAt,
  url: sql<string | null>`CASE ${calls.to} WHEN '' THEN NULL ELSE ${calls.recordingUrl} END`,
};

/** Calls behind the pointer, oldest first. */
export async function callsBehind(
  db: Db,
  workspace: WorkspaceId,
  after: number,
  limit: number,
): Promise<RecordedCall[]> {
  return db
    .select(recorded)
    .from(calls)
    .where(and(eq(calls.workspace, workspace), gt(calls.id, after)))
    .orderBy(asc(calls.id))
    .limit(limit);
}

export type Retry = RecordedCall & { tries: number };

/** Recordings that are to be tried again by now. */
export async function dueRetries(
  db: Db,
  workspace: WorkspaceId,
  now: number,
  limit: number,
): Promise<Retry[]> {
  return db
    .select({ ...recorded, tries: recordingRetries.tries })
    .from(recordingRetries)
    .innerJoin(
      calls,
      and(eq(calls.workspace, recordingRetries.workspace), eq(calls.id, recordingRetries.call)),
    )
    .where(and(eq(recordingRetries.workspace, workspace), lte(recordingRetries.nextAt, now)))
    .orderBy(asc(recordingRetries.nextAt))
    .limit(limit);
}

/** What a slice came to, in one transaction: how far it is, what is tried again, and what is not any more. */
export async function noteCopies(
  db: Db,
  workspace: WorkspaceId,
  { after, at }: { after: number; at: number },
  again: { call: number; tries: number; nextAt: number }[],
  settled: number[],
): Promise<void> {
  const rows = JSON.stringify(again.map(({ call, tries, nextAt }) => [call, tries, nextAt]));
  await db.batch([
    db
      .insert(recordingRetries)
      .select(
        sql`SELECT ${workspace}, value ->> 0, value ->> 1, value ->> 2 FROM json_each(${rows}) WHERE true`,
      )
      .onConflictDoUpdate({
        target: [recordingRetries.workspace, recordingRetries.call],
        set: { tries: sql`excluded.tries`, nextAt: sql`excluded.next_at` },
      }),
    db
      .delete(recordingRetries)
      .where(
        and(
          eq(recordingRetries.workspace, workspace),
          sql`${recordingRetries.call} IN (SELECT value FROM json_each(${JSON.stringify(settled)}))`,
        ),
      ),
    db
      .update(workspaces)
      .set({ recordingsCall: after, recordingsAt: at })
      .where(eq(workspaces.id, workspace)),
  ]);
}

/** Begins a copy outside of a slice: should it break off, the clock takes it up. */
export async function beginCopy(
  db: Db,
  workspace: WorkspaceId,
  call: number,
  nextAt: number,
): Promise<void> {
  await db
    .insert(recordingRetries)
    .values({ workspace, call, tries: 0, nextAt })
    .onConflictDoNothing();
}

/** A copy outside of a slice is made, or never will be. */
export async function endCopy(db: Db, workspace: WorkspaceId, call: number): Promise<void> {
  await db
    .delete(recordingRetries)
    .where(and(eq(recordingRetries.workspace, workspace), eq(recordingRetries.call, call)));
}

/** Whether a call still has a recording that may be kept. */
export async function hasRecording(db: Db, workspace: WorkspaceId, call: number): Promise<boolean> {
  const rows = await db
    .select({ id: calls.id })
    .from(calls)
    .where(
      and(
        eq(calls.workspace, workspace),
        eq(calls.id, call),
        ne(calls.to, ""),
        isNotNull(calls.recordingUrl),
      ),
    );
  return rows.length > 0;
}

/** Keys that one statement looks through. */
const KEYS_AT_ONCE = 500_000;

/** Calls to this number, and those of everybody who was erased: no copy of theirs may stay. */
export async function callsToForget(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
): Promise<number[]> {
  const [row] = await db
    .select({ last: sql<number | null>`MAX(${calls.id})` })
    .from(calls)
    .where(eq(calls.workspace, workspace));
  const last = row?.last ?? 0;
  const found: number[] = [];
  for (let after = 0; after < last; after += KEYS_AT_ONCE) {
    const within = and(gt(calls.id, after), lte(calls.id, after + KEYS_AT_ONCE));
    const some = await db
      .select({ id: calls.id })
      .from(calls)
      .where(and(eq(calls.workspace, workspace), within, inArray(calls.to, [phone, ""])));
    for (const { id } of some) found.push(id);
  }
  return found;
}
