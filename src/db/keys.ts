import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { KeyId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { keys } from "./schema.ts";
import type { NewKey } from "./workspaces.ts";

export type KeyRow = typeof keys.$inferSelect;

export async function insertKey(db: Db, workspace: WorkspaceId, key: NewKey): Promise<Doc[]> {
  const row = { ...key, workspace, version: versionNow(workspace) };
  return writeSetup(db, workspace, [db.insert(keys).values(row)], [{ kind: "key", id: key.id }]);
}

/** A key that was not revoked. */
export async function readKey(db: Db, workspace: WorkspaceId, id: KeyId): Promise<KeyRow | null> {
  const rows = await db.select().from(keys).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listKeys(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<KeyRow>> {
  const rows = await db
    .select()
    .from(keys)
    .where(
      and(eq(keys.workspace, workspace), isNull(keys.deletedAt), gt(keys.id, page.after ?? "")),
    )
    .orderBy(asc(keys.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

/** Leaves a tombstone. */
export async function deleteKey(
  db: Db,
  workspace: WorkspaceId,
  id: KeyId,
  now: number,
): Promise<Doc[]> {
  const change = db
    .update(keys)
    .set({ deletedAt: now, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, [change], [{ kind: "key", id }]);
}

function live(workspace: WorkspaceId, id: KeyId) {
  return and(eq(keys.id, id), eq(keys.workspace, workspace), isNull(keys.deletedAt));
}
