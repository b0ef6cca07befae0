import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { connections } from "./schema.ts";
import { deleteWords } from "./words.ts";

export type ConnectionRow = typeof connections.$inferSelect;
type Fields = Omit<ConnectionRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertConnection(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: ConnectionId; createdAt: number },
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .insert(connections)
    .values({ ...row, workspace, version: versionNow(workspace) });
  return writeSetup(db, workspace, entry, [change], [{ kind: "connection", id: row.id }]);
}

export async function readConnection(
  db: Db,
  workspace: WorkspaceId,
  id: string,
): Promise<ConnectionRow | null> {
  const rows = await db.select().from(connections).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listConnections(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<ConnectionRow>> {
  const mine = and(eq(connections.workspace, workspace), isNull(connections.deletedAt));
  const rows = await db
    .select()
    .from(connections)
    .where(and(mine, gt(connections.id, page.after ?? "")))
    .orderBy(asc(connections.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

export async function editConnection(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  fields: Partial<Fields>,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(connections)
    .set({ ...fields, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "connection", id }]);
}

/** Every connection of the deployment from an id on: for the change of its sealing key alone. */
export async function listEveryConnection(
  db: Db,
  after: string,
  limit: number,
): Promise<ConnectionRow[]> {
  return db
    .select()
    .from(connections)
    .where(and(isNull(connections.deletedAt), gt(connections.id, after)))
    .orderBy(asc(connections.id))
    .limit(limit);
}

/** The same settings under another key; where an edit has replaced them, those stay. */
export async function resealConnection(
  db: Db,
  workspace: WorkspaceId,
  id: ConnectionId,
  before: string,
  sealed: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(connections)
    .set({ sealed, version: versionNow(workspace) })
    .where(and(live(workspace, id), eq(connections.sealed, before)));
  return writeSetup(db, workspace, entry, [change], [{ kind: "connection", id }]);
}

/** Leaves a tombstone, without the settings. */
export async function deleteConnection(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(connections)
    .set({ deletedAt: entry.at, sealed: "", version: versionNow(workspace) })
    .where(live(workspace, id));
  const words = deleteWords(db, workspace, id);
  return writeSetup(db, workspace, entry, [change, words], [{ kind: "connection", id }]);
}

function live(workspace: WorkspaceId, id: string) {
  return and(
    eq(connections.id, id),
    eq(connections.workspace, workspace),
    isNull(connections.deletedAt),
  );
}
