import { and, asc, desc, eq, gt, isNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import type { Consent } from "../core/form.ts";
import type { ImportId } from "../core/ids.ts";
import { makeId, type WorkspaceId } from "../core/ids.ts";
import {
  type Context,
  INHERITED,
  type TaskRecord,
  type TaskSettings,
  type TaskStatus,
} from "../core/task.ts";
import type { CampaignRow } from "./campaigns.ts";
import type { Db } from "./database.ts";
import { integerAfter, type Page, type PageRequest, pageOfRows } from "./page.ts";
import { calls, callTexts, campaigns, tasks } from "./schema.ts";

const CALLING = sql<number>`EXISTS (SELECT 1 FROM ${calls} k WHERE k.workspace = ${tasks.workspace} AND k.task = ${tasks.id} AND k.concluded = 0)`;

/** H29 as the view `task_view` has it. */
const STATUS = sql<TaskStatus>`CASE
  WHEN ${tasks.ended} IS NOT NULL THEN ${tasks.ended}
  WHEN ${CALLING} THEN 'running'
  WHEN ${campaigns.archivedAt} IS NOT NULL OR ${campaigns.completedAt} IS NOT NULL THEN 'archived'
  WHEN ${campaigns.paused} = 1 OR ${tasks.held} = ${campaigns.epoch} THEN 'paused'
  ELSE 'queued' END`;

export type TaskRow = typeof tasks.$inferSelect & { status: TaskStatus; campaignRow: CampaignRow };
export type TaskFilter = {
  campaign: number | null;
  status?: TaskStatus | undefined;
  outcome?: string | undefined;
  phone?: string | undefined;
  order?: "oldest" | "newest" | undefined;
};

export async function readTaskRow(
  db: Db,
  workspace: WorkspaceId,
  id: number,
): Promise<TaskRow | null> {
  const rows = await selectTasks(db, and(eq(tasks.workspace, workspace), eq(tasks.id, id))).limit(
    1,
  );
  return rows.map(joined)[0] ?? null;
}

/** Those of many tasks that D1 has. */
export async function readTaskRows(
  db: Db,
  workspace: WorkspaceId,
  ids: number[],
): Promise<TaskRow[]> {
  const listed = sql`${tasks.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  return (await selectTasks(db, and(eq(tasks.workspace, workspace), listed))).map(joined);
}

/** Oldest first, or newest; either by the key, so that a page costs the same wherever it is. */
export async function listTasks(
  db: Db,
  workspace: WorkspaceId,
  filter: TaskFilter,
  page: PageRequest,
): Promise<Page<TaskRow>> {
  const newest = filter.order === "newest";
  const after = integerAfter(page);
  const beyond = after === null ? undefined : newest ? lt(tasks.id, after) : gt(tasks.id, after);
  const rows = await selectTasks(
    db,
    and(
      eq(tasks.workspace, workspace),
      filter.campaign === null ? undefined : eq(tasks.campaign, filter.campaign),
      beyond,
      filter.outcome === undefined ? undefined : eq(tasks.lastOutcome, filter.outcome),
      filter.phone === undefined ? undefined : eq(tasks.phone, filter.phone),
      filter.status === undefined ? undefined : statusIs(filter.status),
    ),
  )
    .orderBy(newest ? desc(tasks.id) : asc(tasks.id))
    .limit(page.limit + 1);
  return pageOfRows(rows.map(joined), page.limit, (row) => row.id);
}

function selectTasks(db: Db, where: SQL | undefined) {
  const mine = and(eq(campaigns.workspace, tasks.workspace), eq(campaigns.id, tasks.campaign));
  return db
    .select({ task: tasks, campaign: campaigns, status: STATUS })
    .from(tasks)
    .innerJoin(campaigns, mine)
    .where(where);
}

function joined(row: {
  task: typeof tasks.$inferSelect;
  campaign: CampaignRow;
  status: TaskStatus;
}): TaskRow {
  return { ...row.task, status: row.status, campaignRow: row.campaign };
}

/** The effective status in stored columns and the campaign's row, cheapest conditions first. */
function statusIs(status: TaskStatus): SQL | undefined {
  const over = sql`(${campaigns.archivedAt} IS NOT NULL OR ${campaigns.completedAt} IS NOT NULL)`;
  const waits = and(isNull(tasks.ended), sql`NOT ${over}`);
  const held = sql`(${campaigns.paused} = 1 OR ${tasks.held} IS ${campaigns.epoch})`;
  switch (status) {
    case "completed":
      return eq(tasks.ended, "completed");
    case "archived":
      return or(eq(tasks.ended, "archived"), and(isNull(tasks.ended), over, sql`NOT ${CALLING}`));
    case "running":
      return and(isNull(tasks.ended), CALLING);
    case "paused":
      return and(waits, held, sql`NOT ${CALLING}`);
    case "queued":
      return and(
        waits,
        ne(campaigns.paused, 1),
        sql`${tasks.held} IS NOT ${campaigns.epoch}`,
        sql`NOT ${CALLING}`,
      );
  }
}

/** The record that the Dialer stored; why it waits only the Dialer knows. */
export function taskOf(workspace: WorkspaceId, row: TaskRow): TaskRecord {
  const waits = row.status === "queued" || row.status === "paused";
  const { startsAt } = row.campaignRow;
  // A batch's first attempt starts with its campaign; nobody else is due before it.
  const dueAt = row.dueAt === null ? startsAt : Math.max(row.dueAt, startsAt ?? 0);
  return {
    id: makeId("tsk", workspace, row.id),
    campaign: makeId("cmp", workspace, row.campaign),
    phone: row.phone,
    context: JSON.parse(row.context) as Context,
    settings: row.settings === null ? INHERITED : (JSON.parse(row.settings) as TaskSettings),
    status: row.status,
    attempts: row.attempts,
    lastOutcome: row.lastOutcome,
    dueAt: waits ? dueAt : null,
    externalId: row.externalId,
    import: row.import as ImportId | null,
    createdAt: row.createdAt,
    endedAt: row.endedAt,
    consent: row.consent === null ? null : (JSON.parse(row.consent) as Consent),
    waiting: null,
  };
}

/** Context keys that a campaign's tasks use, at most `max`, in alphabetical order. */
export async function contextKeys(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  max: number,
): Promise<string[]> {
  const rows = await db.all<{ key: string }>(sql`
    SELECT DISTINCT j.key AS key FROM ${tasks} t, json_each(t.context) j
    WHERE t.workspace = ${workspace} AND t.campaign = ${campaign} ORDER BY 1 LIMIT ${max}`);
  return rows.map((row) => row.key);
}

export type ExportRow = TaskRow & {
  call: number | null;
  outcome: string | null;
  word: string | null;
  talkMs: number | null;
  analysis: string | null;
};

/** One page of an export: tasks with their last call and its analysis. */
export async function exportTasks(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  page: PageRequest,
): Promise<Page<ExportRow>> {
  const last = sql`(SELECT MAX(k.id) FROM ${calls} k WHERE k.workspace = ${tasks.workspace} AND k.task = ${tasks.id})`;
  const rows = await db
    .select({
      task: tasks,
      campaign: campaigns,
      status: STATUS,
      call: calls.id,
      outcome: calls.outcome,
      word: calls.word,
      talkMs: calls.talkMs,
      analysis: callTexts.analysis,
    })
    .from(tasks)
    .innerJoin(
      campaigns,
      and(eq(campaigns.workspace, tasks.workspace), eq(campaigns.id, tasks.campaign)),
    )
    .leftJoin(calls, and(eq(calls.workspace, tasks.workspace), eq(calls.id, last)))
    .leftJoin(
      callTexts,
      and(eq(callTexts.workspace, tasks.workspace), eq(callTexts.call, calls.id)),
    )
    .where(
      and(
        eq(tasks.workspace, workspace),
        eq(tasks.campaign, campaign),
        gt(tasks.id, integerAfter(page) ?? 0),
      ),
    )
    .orderBy(asc(tasks.id))
    .limit(page.limit + 1);
  const flat = rows.map(({ task, campaign: row, status, ...call }) => {
    return { ...joined({ task, campaign: row, status }), ...call };
  });
  return pageOfRows(flat, page.limit, (row) => row.id);
}
