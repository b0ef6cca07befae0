import { and, asc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Entry } from "../core/audit.ts";
import type { KeyId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { readCopies, versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { keys, people, workspaces } from "./schema.ts";
import type { NewKey } from "./workspaces.ts";

export type KeyRow = typeof keys.$inferSelect;
/** A key with the name of the person or key that made it, where that is known. */
export type ListedKey = { key: KeyRow; person: string | null; maker: string | null };

const HOUR_MS = 3_600_000;

export async function insertKey(
  db: Db,
  workspace: WorkspaceId,
  key: NewKey,
  entry: Entry,
): Promise<Doc[]> {
  const row = { ...key, workspace, version: versionNow(workspace) };
  const change = db.insert(keys).values(row);
  return writeSetup(db, workspace, entry, [change], [{ kind: "key", id: key.id }]);
}

/** Makes a key in another's stead, and has the old one expire then: both in one transaction. */
export async function rollKey(
  db: Db,
  workspace: WorkspaceId,
  old: { id: string; expiresAt: number },
  key: NewKey,
  entry: Entry,
): Promise<Doc[]> {
  const version = versionNow(workspace);
  const changes = [
    db.insert(keys).values({ ...key, workspace, replaces: old.id, version }),
    db.update(keys).set({ expiresAt: old.expiresAt, version }).where(live(workspace, old.id)),
  ] as const;
  return writeSetup(
    db,
    workspace,
    entry,
    [...changes],
    [
      { kind: "key", id: key.id },
      { kind: "key", id: old.id },
    ],
  );
}

/** A key that was not revoked, of a workspace that has not ended. */
export async function readKey(db: Db, workspace: WorkspaceId, id: KeyId): Promise<KeyRow | null> {
  const rows = await db
    .select({ key: keys })
    .from(keys)
    .innerJoin(workspaces, eq(workspaces.id, keys.workspace))
    .where(and(live(workspace, id), isNull(workspaces.deletedAt)));
  return rows[0]?.key ?? null;
}

/** A key that was not revoked, as a list shows it. */
export async function readListedKey(
  db: Db,
  workspace: WorkspaceId,
  id: KeyId,
): Promise<ListedKey | null> {
  const rows = await selectListed(db, workspace).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listKeys(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<ListedKey>> {
  const rows = await selectListed(db, workspace)
    .where(
      and(eq(keys.workspace, workspace), isNull(keys.deletedAt), gt(keys.id, page.after ?? "")),
    )
    .orderBy(asc(keys.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.key.id);
}

/** Keys that a person or key made and that were not revoked: those to look at when it leaves. */
export async function listKeysMadeBy(
  db: Db,
  workspace: WorkspaceId,
  maker: string,
): Promise<KeyRow[]> {
  return db
    .select()
    .from(keys)
    .where(and(eq(keys.workspace, workspace), eq(keys.createdBy, maker), isNull(keys.deletedAt)))
    .orderBy(asc(keys.id));
}

export async function renameKey(
  db: Db,
  workspace: WorkspaceId,
  id: KeyId,
  name: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(keys)
    .set({ name, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "key", id }]);
}

/** Revokes: leaves a tombstone. */
export async function deleteKey(
  db: Db,
  workspace: WorkspaceId,
  id: KeyId,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(keys)
    .set({ deletedAt: entry.at, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "key", id }]);
}

/** The tombstone of a key that was revoked; empty where there never was such a key. */
export function readRevoked(db: Db, workspace: WorkspaceId, id: KeyId): Promise<Doc[]> {
  return readCopies(db, workspace, [{ kind: "key", id }]);
}

/** Notes that a key was used, to the hour; repeated within it, writes nothing. No copy changes by it. */
export async function noteKeyUse(
  db: Db,
  workspace: WorkspaceId,
  id: KeyId,
  now: number,
): Promise<void> {
  const hour = now - (now % HOUR_MS);
  const older = or(isNull(keys.lastUsedAt), lt(keys.lastUsedAt, hour));
  await db
    .update(keys)
    .set({ lastUsedAt: hour })
    .where(and(live(workspace, id), older));
}

const makers = alias(keys, "makers");

function selectListed(db: Db, workspace: WorkspaceId) {
  return db
    .select({ key: keys, person: people.name, maker: makers.name })
    .from(keys)
    .leftJoin(people, eq(people.id, keys.createdBy))
    .leftJoin(makers, and(eq(makers.id, keys.createdBy), eq(makers.workspace, workspace)))
    .$dynamic();
}

function live(workspace: WorkspaceId, id: string) {
  return and(eq(keys.id, id), eq(keys.workspace, workspace), isNull(keys.deletedAt));
}
