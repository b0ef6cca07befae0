import { and, asc, eq, gt, isNotNull, isNull, lte, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { recordWhere } from "./audit.ts";
import type { Db } from "./database.ts";
import { calls, callTexts, campaigns, tasks, workspaces } from "./schema.ts";

/** Tasks that one slice looks at. */
const SLICE = 5_000;
/** Between two looks at all of a workspace's tasks. */
const PAUSE_MS = 6 * 60 * 60_000;

export type Retained = { workspace: WorkspaceId; days: number; after: number };

/** Workspaces that do not keep everything for ever and whose turn it is, and how far they are. */
export async function retainedWorkspaces(db: Db, now: number, limit: number): Promise<Retained[]> {
  const rows = await db
    .select({
      workspace: workspaces.id,
      days: workspaces.retentionDays,
      after: workspaces.retentionTask,
    })
    .from(workspaces)
    .where(
      and(
        isNotNull(workspaces.retentionDays),
        isNull(workspaces.deletedAt),
        lte(workspaces.retentionAt, now),
      ),
    )
    .orderBy(asc(workspaces.retentionAt))
    .limit(limit);
  return rows.map(({ workspace, days, after }) => {
    return { workspace: workspace as WorkspaceId, days: days ?? 0, after };
  });
}

/** Tasks of the next slice, and conditions on those of them, and on their calls, that ended before `cutoff`. */
async function sliceOf(db: Db, workspace: WorkspaceId, after: number, cutoff: number) {
  const looked = await db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.workspace, workspace), gt(tasks.id, after)))
    .orderBy(asc(tasks.id))
    .limit(SLICE);
  const last = looked.at(-1)?.id ?? after;
  const through = looked.length < SLICE;
  const endedAt = sql`COALESCE(${tasks.endedAt}, ${campaigns.archivedAt}, ${campaigns.completedAt})`;
  const old = db
    .select({ campaign: tasks.campaign, id: tasks.id })
    .from(tasks)
    .innerJoin(campaigns, and(eq(campaigns.workspace, workspace), eq(campaigns.id, tasks.campaign)))
    .where(
      and(
        eq(tasks.workspace, workspace),
        gt(tasks.id, after),
        lte(tasks.id, last),
        sql`${endedAt} <= ${cutoff}`,
      ),
    );
  const oldCalls = db
    .select({ id: calls.id })
    .from(calls)
    .where(and(eq(calls.workspace, workspace), sql`(${calls.campaign}, ${calls.task}) IN ${old}`));
  return { last, through, old, oldCalls };
}

/** Calls whose recording links the next slice takes. */
export async function recordingsToForget(
  db: Db,
  workspace: WorkspaceId,
  after: number,
  cutoff: number,
): Promise<number[]> {
  const { oldCalls } = await sliceOf(db, workspace, after, cutoff);
  const rows = await db
    .select({ id: calls.id })
    .from(calls)
    .where(
      and(
        eq(calls.workspace, workspace),
        isNotNull(calls.recordingUrl),
        sql`${calls.id} IN ${oldCalls}`,
      ),
    );
  return rows.map(({ id }) => id);
}

/**
 * Takes contexts, consents, texts and recording links from tasks of the next slice that ended before `cutoff`,
 * in one transaction with how far it came; after the last task it begins anew, hours later.
 */
export async function applyRetention(
  db: Db,
  workspace: WorkspaceId,
  after: number,
  cutoff: number,
  entry: Entry,
): Promise<void> {
  const { last, through, old, oldCalls } = await sliceOf(db, workspace, after, cutoff);
  const filled = and(
    eq(tasks.workspace, workspace),
    sql`(${tasks.context} <> '{}' OR ${tasks.consent} IS NOT NULL)`,
    sql`(${tasks.campaign}, ${tasks.id}) IN ${old}`,
  );
  const recorded = and(
    eq(calls.workspace, workspace),
    isNotNull(calls.recordingUrl),
    sql`${calls.id} IN ${oldCalls}`,
  );
  const said = and(eq(callTexts.workspace, workspace), sql`${callTexts.call} IN ${oldCalls}`);
  const some = [
    db.select({ id: tasks.id }).from(tasks).where(filled),
    db.select({ id: calls.id }).from(calls).where(recorded),
    db.select({ id: callTexts.call }).from(callTexts).where(said),
  ].map((found) => sql`EXISTS ${found}`);
  await db.batch([
    recordWhere(db, workspace, entry, sql`(${sql.join(some, sql` OR `)})`),
    db.update(tasks).set({ context: "{}", consent: null }).where(filled),
    db.update(calls).set({ recordingUrl: null }).where(recorded),
    db.delete(callTexts).where(said),
    db
      .update(workspaces)
      .set({
        retentionTask: through ? 0 : last,
        retentionAt: through ? entry.at + PAUSE_MS : entry.at,
      })
      .where(eq(workspaces.id, workspace)),
  ]);
}
