import { and, asc, eq, isNotNull, isNull, lte, ne, type SQL, sql } from "drizzle-orm";
import type { AnySQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { recordIfChanged } from "./audit.ts";
import { raiseVersion, versionNow } from "./copies.ts";
import type { Db } from "./database.ts";
import {
  agents,
  audit,
  calls,
  callTexts,
  campaigns,
  connections,
  deliveries,
  forms,
  importChunks,
  importRejects,
  imports,
  invitations,
  keys,
  members,
  numbers,
  receivers,
  recordingRetries,
  reportBodies,
  suppressions,
  tasks,
  unknownWords,
  webhooks,
  workspaces,
} from "./schema.ts";

/** The action of the entry that stays. */
export const ENDED = "workspace.end";

/** Nobody gets in any more, by key, session or invitation. Doing it again changes nothing. */
export async function endWorkspace(db: Db, workspace: WorkspaceId, entry: Entry): Promise<void> {
  await db.batch([
    raiseVersion(db, workspace),
    db
      .update(workspaces)
      .set({ deletedAt: entry.at, version: versionNow(workspace) })
      .where(and(eq(workspaces.id, workspace), isNull(workspaces.deletedAt))),
    recordIfChanged(db, workspace, entry),
    db
      .update(keys)
      .set({ deletedAt: entry.at, version: versionNow(workspace) })
      .where(and(eq(keys.workspace, workspace), isNull(keys.deletedAt))),
    db
      .update(invitations)
      .set({ revokedAt: entry.at })
      .where(and(eq(invitations.workspace, workspace), isNull(invitations.revokedAt))),
  ]);
}

/** Workspaces that have ended and still have something here. */
export async function endedWorkspaces(db: Db, limit: number): Promise<WorkspaceId[]> {
  const rows = await db
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(and(isNotNull(workspaces.deletedAt), isNull(workspaces.removedAt)))
    .orderBy(asc(workspaces.deletedAt))
    .limit(limit);
  return rows.map((row) => row.id as WorkspaceId);
}

/** Rows of one table that a slice removes, and imports, whose files are large. */
const ROWS = 1_000;
const IMPORTS = 10;
/** Requests and batches that began before the end may still write for so long, ms. */
const STRAGGLERS_MS = 15 * 60_000;

/**
 * Removes a slice of what an ended workspace had, but for its own row and the entry of its end.
 * True when nothing else is left for now; for good once nobody can write any more.
 */
export async function removeEnded(db: Db, workspace: WorkspaceId, now: number): Promise<boolean> {
  const some = <T extends SQLiteTable & { workspace: AnySQLiteColumn }>(
    table: T,
    key: AnySQLiteColumn,
    but?: SQL,
  ) => {
    const slice = db
      .select({ key })
      .from(table as SQLiteTable)
      .where(and(eq(table.workspace, workspace), but))
      .limit(ROWS);
    return db
      .delete(table as SQLiteTable)
      .where(and(eq(table.workspace, workspace), sql`${key} IN ${slice}`))
      .returning({ one: sql`1` });
  };
  const first = db
    .select({ id: imports.id })
    .from(imports)
    .where(eq(imports.workspace, workspace))
    .orderBy(asc(imports.id))
    .limit(IMPORTS);
  const removed = await db.batch([
    some(callTexts, callTexts.call),
    some(calls, calls.id),
    some(recordingRetries, recordingRetries.call),
    some(tasks, tasks.id),
    some(campaigns, campaigns.id),
    db.delete(importChunks).where(sql`${importChunks.import} IN ${first}`),
    db.delete(importRejects).where(sql`${importRejects.import} IN ${first}`),
    db
      .delete(imports)
      .where(and(eq(imports.workspace, workspace), sql`${imports.id} IN ${first}`))
      .returning({ one: sql`1` }),
    some(reportBodies, reportBodies.id),
    some(unknownWords, unknownWords.id),
    some(suppressions, suppressions.phone),
    some(forms, forms.id),
    some(deliveries, deliveries.sequence),
    some(receivers, receivers.target),
    some(webhooks, webhooks.id),
    some(agents, agents.id),
    some(numbers, numbers.id),
    some(connections, connections.id),
    some(keys, keys.id),
    some(invitations, invitations.id),
    some(members, members.person),
    some(audit, audit.id, ne(audit.action, ENDED)),
  ]);
  if (removed.some((rows) => Array.isArray(rows) && rows.length > 0)) return false;
  await db
    .update(workspaces)
    .set({ removedAt: now, name: "", agent: null, from: null })
    .where(and(eq(workspaces.id, workspace), lte(workspaces.deletedAt, now - STRAGGLERS_MS)));
  return true;
}
