import { asc, eq, isNull } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { KeyId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { recordEntry } from "./audit.ts";
import { readCopies, versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { keys, workspaces } from "./schema.ts";

export type WorkspaceRow = typeof workspaces.$inferSelect;
export type NewKey = Pick<
  typeof keys.$inferInsert,
  "name" | "prefix" | "hash" | "scopes" | "campaign" | "expiresAt" | "createdBy" | "createdAt"
> & { id: KeyId };

/** A workspace with its first key, both version 1. Returns the Dialer's copies, the workspace's first. */
export async function createWorkspace(
  db: Db,
  workspace: WorkspaceId,
  row: Omit<WorkspaceRow, "id" | "configVersion" | "version">,
  key: NewKey,
  entry: Entry,
): Promise<Doc[]> {
  await db.batch([
    recordEntry(db, workspace, entry),
    db.insert(workspaces).values({ ...row, id: workspace, configVersion: 1, version: 1 }),
    db.insert(keys).values({ ...key, workspace, version: 1 }),
  ]);
  return readCopies(db, workspace, [
    { kind: "workspace", id: workspace },
    { kind: "key", id: key.id },
  ]);
}

export async function readWorkspaceRow(
  db: Db,
  workspace: WorkspaceId,
): Promise<WorkspaceRow | null> {
  const rows = await db.select().from(workspaces).where(eq(workspaces.id, workspace));
  return rows[0] ?? null;
}

export async function editWorkspace(
  db: Db,
  workspace: WorkspaceId,
  fields: Partial<WorkspaceRow>,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(workspaces)
    .set({ ...fields, version: versionNow(workspace) })
    .where(eq(workspaces.id, workspace));
  return writeSetup(db, workspace, entry, [change], [{ kind: "workspace", id: workspace }]);
}

/** The statement that makes a workspace without a key. */
export function insertWorkspace(
  db: Db,
  workspace: WorkspaceId,
  row: Omit<WorkspaceRow, "id" | "configVersion" | "version">,
) {
  return db.insert(workspaces).values({ ...row, id: workspace, configVersion: 1, version: 1 });
}

/** The first workspace that was made here and is still there. */
export async function findOldestWorkspace(db: Db): Promise<WorkspaceId | null> {
  const rows = await db
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(isNull(workspaces.deletedAt))
    .orderBy(asc(workspaces.createdAt), asc(workspaces.id))
    .limit(1);
  return (rows[0]?.id as WorkspaceId | undefined) ?? null;
}
