import { and, eq, lt, sql } from "drizzle-orm";
import type { WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { reportBodies } from "./schema.ts";

/** Keeps texts that are too long for a queue message. */
export async function keepReportTexts(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  body: string,
  now: number,
): Promise<void> {
  await db.insert(reportBodies).values({ id, workspace, body, createdAt: now });
}

/** Kept texts by their id; those that were read and deleted before are not there. */
export async function readReportTexts(
  db: Db,
  workspace: WorkspaceId,
  ids: string[],
): Promise<Map<string, string>> {
  const rows = await db.select().from(reportBodies).where(among(workspace, ids));
  return new Map(rows.map((row) => [row.id, row.body]));
}

export async function deleteReportTexts(
  db: Db,
  workspace: WorkspaceId,
  ids: string[],
): Promise<void> {
  await db.delete(reportBodies).where(among(workspace, ids));
}

/** Texts whose report never came to its end. */
export async function deleteReportTextsBefore(db: Db, before: number): Promise<void> {
  await db.delete(reportBodies).where(lt(reportBodies.createdAt, before));
}

function among(workspace: WorkspaceId, ids: string[]) {
  const listed = sql`${reportBodies.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  return and(eq(reportBodies.workspace, workspace), listed);
}
