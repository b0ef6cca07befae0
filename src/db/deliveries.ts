import { and, asc, desc, eq, gt, gte, inArray, isNotNull, lt, lte, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { recordIfChanged } from "./audit.ts";
import type { Db, Statement } from "./database.ts";
import { integerAfter, type Page, type PageRequest, pageOfRows } from "./page.ts";
import { calls, callTexts, deliveries, receivers, tasks } from "./schema.ts";
import { openWebhooks, type WebhookRow } from "./webhooks.ts";

export type DeliveryRow = typeof deliveries.$inferSelect;
export type ReceiverRow = typeof receivers.$inferSelect;
/** Names a delivery in its workspace. */
export type DeliveryKey = { target: string; sequence: number };

/** Rows of one statement: a parameter holds 2 MB, and a body may be some kB. */
const ROWS_AT_ONCE = 100;

/** Webhooks that are on. */
export async function readOpenWebhooks(db: Db, workspace: WorkspaceId): Promise<WebhookRow[]> {
  return openWebhooks(db, workspace);
}

/** How these receivers answer, and which of these deliveries are known already. */
export async function readReceivers(
  db: Db,
  workspace: WorkspaceId,
  targets: readonly string[],
  wanted: readonly DeliveryKey[],
): Promise<{ receivers: ReceiverRow[]; known: DeliveryKey[] }> {
  const named = JSON.stringify(targets);
  const keys = JSON.stringify(wanted.map(({ target, sequence }) => [target, sequence]));
  const [health, known] = await db.batch([
    db
      .select()
      .from(receivers)
      .where(
        and(
          eq(receivers.workspace, workspace),
          sql`${receivers.target} IN (SELECT value FROM json_each(${named}))`,
        ),
      ),
    db
      .select({ target: deliveries.target, sequence: deliveries.sequence })
      .from(deliveries)
      .where(
        and(
          eq(deliveries.workspace, workspace),
          sql`(${deliveries.target}, ${deliveries.sequence}) IN
            (SELECT value ->> 0, value ->> 1 FROM json_each(${keys}))`,
        ),
      ),
  ]);
  return { receivers: health, known };
}

/** The own addresses of the tasks that these calls are of. */
export async function callbacksOfCalls(
  db: Db,
  workspace: WorkspaceId,
  ids: readonly number[],
): Promise<Map<number, string>> {
  const url = sql<string>`${tasks.settings} ->> 'statusCallbackUrl'`;
  const rows = await db
    .select({ call: calls.id, url })
    .from(calls)
    .innerJoin(tasks, and(eq(tasks.workspace, calls.workspace), eq(tasks.id, calls.task)))
    .where(
      and(
        eq(calls.workspace, workspace),
        sql`${calls.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
        sql`${url} IS NOT NULL`,
      ),
    );
  return new Map(rows.map((row) => [row.call, row.url]));
}

/**
 * What became of deliveries, with the state of their receivers, in one transaction; when each of
 * these is due. Known deliveries stay as they are.
 */
export async function recordDeliveries(
  db: Db,
  workspace: WorkspaceId,
  rows: DeliveryRow[],
  health: (Health & { pause: number })[],
): Promise<Map<string, number | null>> {
  const changes: Statement[] = [];
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = JSON.stringify(rows.slice(at, at + ROWS_AT_ONCE).map(valuesOf));
    const values = sql.raw(FIELDS.map((_, index) => `value ->> ${index}`).join(", "));
    const read = sql`SELECT ${workspace}, ${values} FROM json_each(${some}) WHERE true`;
    changes.push(db.insert(deliveries).select(read).onConflictDoNothing());
  }
  changes.push(...health.map((row) => putHealth(db, workspace, row, row.pause, "earlier")));
  const results = (await all(db, changes)) as { dueAt: number | null }[][];
  const due = results.slice(changes.length - health.length);
  return new Map(health.map(({ target }, index) => [target, due[index]?.[0]?.dueAt ?? null]));
}

/** In the order of the table's columns, after the workspace. */
const FIELDS = [
  "target",
  "sequence",
  "event",
  "type",
  "task",
  "call",
  "url",
  "body",
  "status",
  "attempts",
  "createdAt",
  "since",
  "lastAt",
  "nextAt",
  "code",
  "answer",
  "tookMs",
] as const satisfies readonly (keyof DeliveryRow)[];

function valuesOf(row: DeliveryRow): unknown[] {
  return FIELDS.map((name) => row[name]);
}

type Health = Pick<ReceiverRow, "target" | "failingSince" | "failures">;

/**
 * When a receiver is looked at next, as its deliveries have it in this very statement: whoever
 * writes at the same time leaves none behind. Not before the end of a pause; null when none waits.
 */
function dueOf(workspace: WorkspaceId, target: string, pause: number) {
  const first = sql`SELECT MIN(next_at) FROM deliveries
    WHERE workspace = ${workspace} AND target = ${target} AND next_at IS NOT NULL`;
  return sql<number>`MAX((${first}), ${pause})`;
}

/** `earlier`: what another has set meanwhile stays if it is sooner. */
function putHealth(
  db: Db,
  workspace: WorkspaceId,
  { target, failingSince, failures }: Health,
  pause: number,
  which: "earlier" | "anew",
) {
  const dueAt = dueOf(workspace, target, pause);
  const earlier = sql`MIN(COALESCE(due_at, excluded.due_at), COALESCE(excluded.due_at, due_at))`;
  const set = { failingSince, failures, dueAt: which === "anew" ? sql`excluded.due_at` : earlier };
  return db
    .insert(receivers)
    .values({ workspace, target, failingSince, failures, dueAt })
    .onConflictDoUpdate({ target: [receivers.workspace, receivers.target], set })
    .returning({ dueAt: receivers.dueAt });
}

/** How a receiver answers after its turn; when it is due next, not before the end of a pause. */
export async function putReceiver(
  db: Db,
  workspace: WorkspaceId,
  health: Health,
  pause: number,
): Promise<number | null> {
  const [row] = await putHealth(db, workspace, health, pause, "anew");
  return row?.dueAt ?? null;
}

/** When a receiver is due next by what waits for it; how it answers stays as it is known. */
export async function putDue(
  db: Db,
  workspace: WorkspaceId,
  target: string,
): Promise<number | null> {
  const [row] = await db
    .update(receivers)
    .set({ dueAt: dueOf(workspace, target, 0) })
    .where(and(eq(receivers.workspace, workspace), eq(receivers.target, target)))
    .returning({ dueAt: receivers.dueAt });
  return row?.dueAt ?? null;
}

/**
 * Takes deliveries that are due, oldest first, for so long: nobody else tries them before
 * `leaseUntil`.
 */
export async function claimDue(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  due: { now: number; leaseUntil: number; limit: number },
): Promise<DeliveryRow[]> {
  const first = db
    .select({ sequence: deliveries.sequence })
    .from(deliveries)
    .where(
      and(of(workspace, target), isNotNull(deliveries.nextAt), lte(deliveries.nextAt, due.now)),
    )
    .orderBy(asc(deliveries.nextAt), asc(deliveries.sequence))
    .limit(due.limit);
  const rows = await db
    .update(deliveries)
    .set({ nextAt: due.leaseUntil })
    .where(and(of(workspace, target), inArray(deliveries.sequence, first)))
    .returning();
  return rows.sort((a, b) => a.sequence - b.sequence);
}

/** What became of deliveries that were tried again; one that was erased meanwhile stays erased. */
export async function settleDeliveries(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  rows: DeliveryRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const tried = JSON.stringify(
    rows.map(({ sequence, status, attempts, lastAt, nextAt, code, answer, tookMs }) => {
      return [sequence, status, attempts, lastAt, nextAt, code, answer, tookMs];
    }),
  );
  // One statement: an invocation has a thousand.
  await db.run(sql`UPDATE deliveries SET status = t.value ->> 1, attempts = t.value ->> 2,
      last_at = t.value ->> 3, next_at = t.value ->> 4, code = t.value ->> 5, answer = t.value ->> 6,
      took_ms = t.value ->> 7
    FROM json_each(${tried}) t
    WHERE workspace = ${workspace} AND target = ${target} AND sequence = t.value ->> 0
      AND status = 'waiting'`);
}

/** A receiver is gone: what waits for it is given up. */
export async function giveUpWaiting(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  answer: string,
): Promise<void> {
  await db
    .update(deliveries)
    .set({ status: "failed", nextAt: null, answer })
    .where(and(of(workspace, target), isNotNull(deliveries.nextAt)));
}

/** Receivers of any workspace whose turn is overdue: the message that was to wake them was lost. */
export async function overdueReceivers(
  db: Db,
  before: number,
  limit: number,
): Promise<{ workspace: WorkspaceId; target: string }[]> {
  const rows = await db
    .select({ workspace: receivers.workspace, target: receivers.target })
    .from(receivers)
    .where(and(isNotNull(receivers.dueAt), lte(receivers.dueAt, before)))
    .orderBy(asc(receivers.dueAt))
    .limit(limit);
  return rows as { workspace: WorkspaceId; target: string }[];
}

/** Some workspaces that have receivers, others at each turn: all of them within an hour. */
export async function workspacesWithReceivers(db: Db, turn: number): Promise<WorkspaceId[]> {
  const rows = await db.all<{ workspace: string }>(
    sql`SELECT id AS workspace FROM workspaces w WHERE deleted_at IS NULL AND rowid % 60 = ${turn % 60}
      AND (EXISTS (SELECT 1 FROM receivers r WHERE r.workspace = w.id)
        OR EXISTS (SELECT 1 FROM webhooks h WHERE h.workspace = w.id))`,
  );
  return rows.map((row) => row.workspace as WorkspaceId);
}

/** Deliveries of one receiver, the newest first. */
export async function listDeliveries(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  status: "waiting" | "failed" | null,
  page: PageRequest,
): Promise<Page<DeliveryRow>> {
  const after = integerAfter(page);
  const rows = await db
    .select()
    .from(deliveries)
    .where(
      and(
        of(workspace, target),
        status === "failed" ? sql`${deliveries.status} = 'failed'` : undefined,
        status === "waiting" ? isNotNull(deliveries.nextAt) : undefined,
        after === null ? undefined : lt(deliveries.sequence, after),
      ),
    )
    .orderBy(desc(deliveries.sequence))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.sequence);
}

/** One is sent again, whatever became of it; false when there is none, or nothing of it is left. */
export async function replayDelivery(
  db: Db,
  workspace: WorkspaceId,
  key: DeliveryKey,
  now: number,
  entry: Entry,
): Promise<boolean> {
  const one = and(of(workspace, key.target), eq(deliveries.sequence, key.sequence));
  const [rows] = await db.batch([
    again(db, workspace, now)
      .where(and(one, sql`${deliveries.status} <> 'erased'`))
      .returning({ sequence: deliveries.sequence }),
    recordIfChanged(db, workspace, entry),
    raiseDue(db, workspace, key.target, now),
  ]);
  return rows.length > 0;
}

/**
 * Everything of a receiver since a time is sent again, or what failed of it, oldest first: of so
 * many which, by their sequence.
 */
export async function replayDeliveries(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  which: { since: number; after: number; failedOnly: boolean; limit: number },
  now: number,
  entry: Entry,
): Promise<number[]> {
  const some = db
    .select({ sequence: deliveries.sequence })
    .from(deliveries)
    .where(
      and(
        of(workspace, target),
        gte(deliveries.createdAt, which.since),
        gt(deliveries.sequence, which.after),
        which.failedOnly
          ? sql`${deliveries.status} = 'failed'`
          : sql`${deliveries.status} IN ('failed', 'delivered')`,
      ),
    )
    .orderBy(asc(deliveries.sequence))
    .limit(which.limit);
  const [rows] = await db.batch([
    again(db, workspace, now)
      .where(and(of(workspace, target), inArray(deliveries.sequence, some)))
      .returning({ sequence: deliveries.sequence }),
    recordIfChanged(db, workspace, entry),
    raiseDue(db, workspace, target, now),
  ]);
  return rows.map((row) => row.sequence).sort((a, b) => a - b);
}

/** To the webhook's address of now: it may have been put right. */
function again(db: Db, workspace: WorkspaceId, now: number) {
  const url = sql<string>`COALESCE((SELECT h.url FROM webhooks h
    WHERE h.id = deliveries.target AND h.workspace = ${workspace}), deliveries.url)`;
  return db
    .update(deliveries)
    .set({ status: "waiting", attempts: 0, since: now, nextAt: now, url });
}

/** Somebody has seen to a receiver: what it failed at before counts no more. */
export async function forgiveReceiver(
  db: Db,
  workspace: WorkspaceId,
  target: string,
): Promise<void> {
  await db
    .update(receivers)
    .set({ failingSince: null, failures: 0 })
    .where(and(eq(receivers.workspace, workspace), eq(receivers.target, target)));
}

/** A receiver's turn is now. */
function raiseDue(db: Db, workspace: WorkspaceId, target: string, now: number) {
  return db
    .insert(receivers)
    .values({ workspace, target, failingSince: null, failures: 0, dueAt: now })
    .onConflictDoUpdate({
      target: [receivers.workspace, receivers.target],
      set: { dueAt: now, failures: 0 },
    });
}

/** Receivers that are origins of tasks' own addresses, and how they answer. */
export async function listOrigins(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<ReceiverRow>> {
  const after = page.after ?? "http";
  const rows = await db
    .select()
    .from(receivers)
    .where(
      and(
        eq(receivers.workspace, workspace),
        sql`${receivers.target} > ${after} AND ${receivers.target} < 'httq'`,
      ),
    )
    .orderBy(asc(receivers.target))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.target);
}

/** How these receivers answer. */
export async function healthOf(
  db: Db,
  workspace: WorkspaceId,
  targets: readonly string[],
): Promise<Map<string, ReceiverRow>> {
  if (targets.length === 0) return new Map();
  const rows = await db
    .select()
    .from(receivers)
    .where(and(eq(receivers.workspace, workspace), inArray(receivers.target, [...targets])));
  return new Map(rows.map((row) => [row.target, row]));
}

type Named = { call: number } | { connection: string; carrierCallId: string };

/** What D1 knows of calls that events tell of, with their texts. */
export async function readCallFacts(db: Db, workspace: WorkspaceId, named: Named) {
  const which =
    "call" in named
      ? eq(calls.id, named.call)
      : and(eq(calls.connection, named.connection), eq(calls.carrierCallId, named.carrierCallId));
  const [row] = await db
    .select({ call: calls, transcript: callTexts.transcript, analysis: callTexts.analysis })
    .from(calls)
    .leftJoin(
      callTexts,
      and(eq(callTexts.workspace, calls.workspace), eq(callTexts.call, calls.id)),
    )
    .where(and(eq(calls.workspace, workspace), which))
    .limit(1);
  return row ?? null;
}

/** Statements that one look spends on a workspace's old deliveries: an invocation has a thousand. */
const SLICES_AT_ONCE = 20;

/**
 * Deliveries older than this leave, oldest first, in slices of so many; true while there are more.
 * Origins of which nothing is left leave, too.
 */
export async function deleteDeliveriesBefore(
  db: Db,
  workspace: WorkspaceId,
  before: number,
  limit: number,
): Promise<boolean> {
  const oldest = sql`SELECT d.created_at FROM deliveries d
    WHERE d.workspace = ${workspace} AND d.target = t.target ORDER BY d.sequence LIMIT 1`;
  const targets = await db.all<{ target: string }>(
    sql`SELECT t.target FROM (SELECT target FROM receivers WHERE workspace = ${workspace}
        UNION SELECT id FROM webhooks WHERE workspace = ${workspace}) t
      WHERE (${oldest}) < ${before} LIMIT ${SLICES_AT_ONCE}`,
  );
  let left = SLICES_AT_ONCE;
  for (const { target } of targets) {
    for (let more = true; more && left > 0; left--) {
      more = (await deleteSlice(db, workspace, target, before, limit)) === limit;
    }
  }
  const none = sql`NOT EXISTS (SELECT 1 FROM deliveries d
    WHERE d.workspace = ${workspace} AND d.target = receivers.target)`;
  await db
    .delete(receivers)
    .where(and(eq(receivers.workspace, workspace), isOrigin(receivers.target), none));
  return left === 0;
}

async function deleteSlice(
  db: Db,
  workspace: WorkspaceId,
  target: string,
  before: number,
  limit: number,
): Promise<number> {
  const oldest = db
    .select({ sequence: deliveries.sequence, createdAt: deliveries.createdAt })
    .from(deliveries)
    .where(of(workspace, target))
    .orderBy(asc(deliveries.sequence))
    .limit(limit)
    .as("oldest");
  const old = db
    .select({ sequence: oldest.sequence })
    .from(oldest)
    .where(lt(oldest.createdAt, before));
  const gone = await db
    .delete(deliveries)
    .where(and(of(workspace, target), inArray(deliveries.sequence, old)))
    .returning({ sequence: deliveries.sequence });
  return gone.length;
}

/** Not a webhook's id. */
function isOrigin(target: typeof receivers.target) {
  return sql`${target} > 'http' AND ${target} < 'httq'`;
}

function of(workspace: WorkspaceId, target: string) {
  return and(eq(deliveries.workspace, workspace), eq(deliveries.target, target));
}

async function all(db: Db, changes: Statement[]): Promise<unknown[]> {
  const [first, ...rest] = changes;
  return first === undefined ? [] : db.batch([first, ...rest]);
}
