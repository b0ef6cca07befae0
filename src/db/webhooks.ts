import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WebhookId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { recordIfChanged } from "./audit.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { webhooks } from "./schema.ts";

export type WebhookRow = typeof webhooks.$inferSelect;
type Fields = Omit<WebhookRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertWebhook(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: WebhookId; createdAt: number },
  entry: Entry,
): Promise<Doc[]> {
  const change = db.insert(webhooks).values({ ...row, workspace, version: versionNow(workspace) });
  return writeSetup(db, workspace, entry, [change], [{ kind: "webhook", id: row.id }]);
}

export async function readWebhook(
  db: Db,
  workspace: WorkspaceId,
  id: string,
): Promise<WebhookRow | null> {
  const rows = await db.select().from(webhooks).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listWebhooks(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<WebhookRow>> {
  const mine = and(eq(webhooks.workspace, workspace), isNull(webhooks.deletedAt));
  const rows = await db
    .select()
    .from(webhooks)
    .where(and(mine, gt(webhooks.id, page.after ?? "")))
    .orderBy(asc(webhooks.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

/** Those that are switched on. */
export function openWebhooks(db: Db, workspace: WorkspaceId) {
  return db
    .select()
    .from(webhooks)
    .where(
      and(eq(webhooks.workspace, workspace), isNull(webhooks.deletedAt), isNull(webhooks.offAt)),
    );
}

export async function editWebhook(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  fields: Partial<Fields>,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(webhooks)
    .set({ ...fields, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "webhook", id }]);
}

/** Leaves a tombstone, without secrets. */
export async function deleteWebhook(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(webhooks)
    .set({ deletedAt: entry.at, sealed: "", sealedOld: null, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "webhook", id }]);
}

/** Every webhook of the deployment from an id on: for the change of its sealing key alone. */
export async function listEveryWebhook(
  db: Db,
  after: string,
  limit: number,
): Promise<WebhookRow[]> {
  return db
    .select()
    .from(webhooks)
    .where(and(isNull(webhooks.deletedAt), gt(webhooks.id, after)))
    .orderBy(asc(webhooks.id))
    .limit(limit);
}

/** The same secrets under another key; where they were rolled meanwhile, those stay. */
export async function resealWebhook(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  before: string,
  sealed: { sealed: string; sealedOld: string | null },
  entry: Entry,
): Promise<void> {
  const change = db
    .update(webhooks)
    .set(sealed)
    .where(and(live(workspace, id), eq(webhooks.sealed, before)));
  await db.batch([change, recordIfChanged(db, workspace, entry)]);
}

function live(workspace: WorkspaceId, id: string) {
  return and(eq(webhooks.id, id), eq(webhooks.workspace, workspace), isNull(webhooks.deletedAt));
}
