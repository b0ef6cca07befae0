import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import type { Doc, DocKind } from "../dialer/verbs.ts";
import { recordEntry } from "./audit.ts";
import type { Db, Statement } from "./database.ts";
import { copies, workspaces } from "./schema.ts";

type CopyRow = typeof copies.$inferSelect;

/** The version that a row gets which is written in a batch after `raiseVersion`. */
export function versionNow(workspace: WorkspaceId): SQL<number> {
  return sql<number>`(SELECT config_version FROM workspaces WHERE id = ${workspace})`;
}

/** Raises the workspace's `config_version`: every change of what is set up does. */
export function raiseVersion(db: Db, workspace: WorkspaceId) {
  return db
    .update(workspaces)
    .set({ configVersion: sql`${workspaces.configVersion} + 1` })
    .where(eq(workspaces.id, workspace))
    .returning({ version: workspaces.configVersion });
}

/**
 * Writes a change with the workspace's next version and its entry of the audit log, in one
 * transaction, and returns the copies that the Dialer must have. The change's own `version` is
 * `versionNow`.
 */
export async function writeSetup(
  db: Db,
  workspace: WorkspaceId,
  entry: Entry,
  changes: [Statement, ...Statement[]],
  wanted: { kind: DocKind; id: string }[],
): Promise<Doc[]> {
  const reads = wanted.map(({ kind, id }) => selectCopy(db, workspace, kind, id));
  const record = recordEntry(db, workspace, entry);
  const results = await db.batch([raiseVersion(db, workspace), record, ...changes, ...reads]);
  return results.slice(2 + changes.length).flatMap((rows) => (rows as CopyRow[]).map(docOf));
}

/** Documents as they are in D1, in the shape of the Dialer's copies; tombstones have a null doc. */
export async function readCopies(
  db: Db,
  workspace: WorkspaceId,
  wanted: { kind: DocKind; id: string }[],
): Promise<Doc[]> {
  const found = await Promise.all(
    wanted.map(({ kind, id }) => selectCopy(db, workspace, kind, id)),
  );
  return found.flatMap((rows) => rows.map(docOf));
}

function selectCopy(db: Db, workspace: WorkspaceId, kind: DocKind, id: string) {
  return db
    .select()
    .from(copies)
    .where(and(eq(copies.workspace, workspace), eq(copies.kind, kind), eq(copies.id, id)));
}

function docOf(row: CopyRow): Doc {
  const { kind, id, version } = row;
  // The view writes the doc of each kind in that kind's shape.
  return { kind, id, version, doc: row.doc === null ? null : JSON.parse(row.doc) } as Doc;
}
