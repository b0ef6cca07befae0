import { and, asc, desc, eq, gt, gte, inArray, isNotNull, lt, lte, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { recordIfChanged } from "./audit.ts";
import type { Db, Statement } from "./database.ts";
import { integerAfter, type Page, type PageRequest, pageOfRows } from "./page.ts";
import { calls, callTexts, deliveries, receivers, webhooks } from "./schema.ts";
import { openWebhooks, type WebhookRow } from "./webhooks.ts";

export type DeliveryRow = typeof deliveries.$inferSelect;
export type ReceiverRow = typeof receivers.$inferSelect;
/** Names a delivery in its workspace. */
export type DeliveryKey = { target: string; sequence: number };

/** Rows of one statement: a parameter holds 2 MB, and a body may be some kB. */
const ROWS_AT_ONCE = 100;

/** Webhooks that are on, how receivers answer, and which of these deliveries are known already. */
export async function readReceivers(
  db: Db,
  workspace: WorkspaceId,
  sequences: readonly number[],
): Promise<{ webhooks: WebhookRow[]; receivers: ReceiverRow[]; known: DeliveryKey[] }> {
  const [open, health] = await db.batch([
    openWebhooks(db, workspace),
    db.select().from(receivers).where(eq(receivers.workspace, workspace)),
  ]);
  const targets = [...open.map((one) => one.id), ...health.map((one) => one.target)];
  const known =
    sequences.length === 0 || targets.length === 0
      ? []
      : await db
          .select({ target: deliveries.target, sequence: deliveries.sequence })
          .from(deliveries)
          .where(
            and(
              eq(deliveries.workspace, workspace),
              sql`${deliveries.target} IN (SELECT value FROM json_each(${JSON.stringify([...new Set(targets)])}))`,
              sql`${deliveries.sequence} IN (SELECT value FROM json_each(${JSON.stringify(sequences)}))`,
            ),
          );
  return { webhooks: open, receivers: health, known };
}

/** What became of deliveries, with the state of their receivers, in one transaction. Known ones stay as they are. */
export async function recordDeliveries(
  db: Db,
  workspace: WorkspaceId,
  rows: DeliveryRow[],
  health: ReceiverRow[],
): Promise<void> {
  const changes: Statement[] = [];
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = JSON.stringify(rows.slice(at, at + ROWS_AT_ONCE).map(valuesOf));
    const values = sql.raw(FIELDS.map((_, index) => `value ->> ${index}`).join(", "));
    const read = sql`SELECT ${workspace}, ${values} FROM json_each(${some}) WHERE true`;
    changes.push(db.insert(deliveries).select(read).onConflictDoNothing());
  }
  changes.push(...health.map((row) => putReceiver(db, workspace, row)));
  await all(db, changes);
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

export function putReceiver(db: Db, workspace: WorkspaceId, row: Omit<ReceiverRow, "workspace">) {
  const { target, failingSince, failures, dueAt } = row;
  const set = { failingSince, failures, dueAt };
  return db
    .insert(receivers)
    .values({ workspace, target, ...set })
    .onConflictDoUpdate({ target: [receivers.workspace, receivers.target], set });
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
  rows: DeliveryRow[],
): Promise<void> {
  const changes = rows.map((row) => {
    const { status, attempts, lastAt, nextAt, code, answer, tookMs } = row;
    const still = and(of(workspace, row.target), eq(deliveries.sequence, row.sequence));
    return db
      .update(deliveries)
      .set({ status, attempts, lastAt, nextAt, code, answer, tookMs })
      .where(and(still, eq(deliveries.status, "waiting")));
  });
  await all(db, changes);
}

/** When the next of a receiver's deliveries is due, or null when none waits. */
export async function nextDue(
  db: Db,
  workspace: WorkspaceId,
  target: string,
): Promise<number | null> {
  const [row] = await db
    .select({ at: deliveries.nextAt })
    .from(deliveries)
    .where(and(of(workspace, target), isNotNull(deliveries.nextAt)))
    .orderBy(asc(deliveries.nextAt))
    .limit(1);
  return row?.at ?? null;
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
    again(db, now)
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
    again(db, now)
      .where(and(of(workspace, target), inArray(deliveries.sequence, some)))
      .returning({ sequence: deliveries.sequence }),
    recordIfChanged(db, workspace, entry),
    raiseDue(db, workspace, target, now),
  ]);
  return rows.map((row) => row.sequence).sort((a, b) => a - b);
}

function again(db: Db, now: number) {
  return db.update(deliveries).set({ status: "waiting", attempts: 0, since: now, nextAt: now });
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

/** Deliveries older than this leave, oldest first, so many of each receiver; true while there are more. */
export async function deleteDeliveriesBefore(
  db: Db,
  workspace: WorkspaceId,
  before: number,
  limit: number,
): Promise<boolean> {
  const targets = await db
    .select({ target: receivers.target })
    .from(receivers)
    .where(eq(receivers.workspace, workspace));
  const named = await db
    .select({ target: webhooks.id })
    .from(webhooks)
    .where(eq(webhooks.workspace, workspace));
  let more = false;
  for (const target of new Set([...targets, ...named].map((one) => one.target))) {
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
    more ||= gone.length === limit;
  }
  return more;
}

function of(workspace: WorkspaceId, target: string) {
  return and(eq(deliveries.workspace, workspace), eq(deliveries.target, target));
}

async function all(db: Db, changes: Statement[]): Promise<void> {
  const [first, ...rest] = changes;
  if (first !== undefined) await db.batch([first, ...rest]);
}
