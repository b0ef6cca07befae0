import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { connections } from "./schema.ts";

export type ConnectionRow = typeof connections.$inferSelect;
type Fields = Omit<ConnectionRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertConnection(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: ConnectionId; createdAt: number },
): Promise<Doc[]> {
  const change = db
    .insert(connections)
    .values({ ...row, workspace, version: versionNow(workspace) });
  return writeSetup(db, workspace, [change], [{ kind: "connection", id: row.id }]);
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
): Promise<Doc[]> {
  const change = db
    .update(connections)
    .set({ ...fields, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, [change], [{ kind: "connection", id }]);
}

/** Leaves a tombstone. */
export async function deleteConnection(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  now: number,
): Promise<Doc[]> {
  const change = db
    .update(connections)
    .set({ deletedAt: now, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, [change], [{ kind: "connection", id }]);
}

function live(workspace: WorkspaceId, id: string) {
  return and(
    eq(connections.id, id),
    eq(connections.workspace, workspace),
    isNull(connections.deletedAt),
  );
}
