import { and, asc, desc, eq, gt, inArray, lt, lte, notInArray, type SQL, sql } from "drizzle-orm";
import type { RowReason } from "../core/csv.ts";
import { type ImportId, parseId, type WorkspaceId } from "../core/ids.ts";
import type { BadRow, ImportStatus, Rejected } from "../core/import.ts";
import type { Db, Statement } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { importChunks, importRejects, imports } from "./schema.ts";

/*
 * uploading ──▶ running ──▶ completed
 *     │            └──────▶ failed
 *     └──▶ abandoned ──▶ (gone)
 *
 * Every move names the status it starts from, so that of two that meet only one happens. A running
 * import has all its parts; `parts_done` rises by one with each part's result, in one transaction
 * with the rows that it rejects. Chunks are there until the import is over.
 */

export type ImportRow = typeof imports.$inferSelect;
const UNSEEN: ImportStatus[] = ["uploading", "abandoned"];

/** An import of whatever status, for its consumer. */
export async function findImport(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
): Promise<ImportRow | null> {
  const rows = await db.select().from(imports).where(mine(workspace, id));
  return rows[0] ?? null;
}

/** An import as people see it. */
export async function readImport(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  id: ImportId,
): Promise<ImportRow | null> {
  const rows = await db
    .select()
    .from(imports)
    .where(mine(workspace, id, eq(imports.campaign, campaign), seen()));
  return rows[0] ?? null;
}

/** Newest first. */
export async function listImports(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  page: PageRequest,
): Promise<Page<ImportRow>> {
  const rows = await db
    .select()
    .from(imports)
    .where(
      and(
        eq(imports.workspace, workspace),
        eq(imports.campaign, campaign),
        page.after === null ? undefined : lt(imports.id, page.after),
        seen(),
      ),
    )
    .orderBy(desc(imports.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

function seen(): SQL {
  return notInArray(imports.status, UNSEEN);
}

/** A part as it is now: `rows` of it are nobody's who was erased. */
export type StoredPart = { body: string; rows: number };

/** A part, or null when the import is over. */
export async function readPart(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  part: number,
): Promise<StoredPart | null> {
  const rows = await db
    .select({ body: importChunks.body, rows: importChunks.rows })
    .from(importChunks)
    .where(and(eq(importChunks.import, own(workspace, id)), eq(importChunks.part, part)));
  return rows[0] ?? null;
}

/** What became of one part, added up with those before it. */
export type Progress = {
  rowsRead: number;
  rowsTaken: number;
  rejected: Rejected;
  /** `rows` of the part as it was read. */
  read: number;
  /** Rejected rows of this part, in rows of the table. */
  bad: BadRow[][];
  note: string | null;
};

/**
 * Records the result of the part that is next, exactly once; the last one completes the import.
 * Null when another delivery has recorded it, the import is over, or somebody was erased from the
 * part since it was read.
 */
export async function recordPart(
  db: Db,
  workspace: WorkspaceId,
  row: ImportRow,
  progress: Progress,
  now: number,
): Promise<ImportRow | null> {
  const id = row.id as ImportId;
  const { bad, read, ...counts } = progress;
  const partsDone = row.partsDone + 1;
  const last = partsDone === row.parts;
  const part = db
    .select({ part: importChunks.part })
    .from(importChunks)
    .where(
      and(
        eq(importChunks.import, own(workspace, id)),
        eq(importChunks.part, row.partsDone),
        eq(importChunks.rows, read),
      ),
    );
  const unread = and(eq(imports.status, "running"), eq(imports.partsDone, row.partsDone));
  const next = and(unread, sql`EXISTS ${part}`);
  const still = exists(db, workspace, id, next);
  const rejects = bad.map((rows) =>
    db
      .insert(importRejects)
      .select(
        sql`SELECT ${id}, ${rows[0]?.line ?? 0}, ${now}, ${JSON.stringify(rows)} WHERE EXISTS ${still}`,
      ),
  );
  const over = and(eq(imports.status, "completed"), eq(imports.partsDone, partsDone));
  const ending = last ? [deleteChunks(db, workspace, id, exists(db, workspace, id, over))] : [];
  const update = db
    .update(imports)
    .set({
      ...counts,
      partsDone,
      progressAt: now,
      ...(last ? { status: "completed" as const, completedAt: now } : {}),
    })
    .where(mine(workspace, id, next))
    .returning();
  const [first = update, ...others]: Statement[] = [...rejects, update, ...ending];
  const results = await db.batch([first, ...others]);
  const [updated] = results[rejects.length] as ImportRow[];
  return updated ?? null;
}

/** A sign of life of a running import, and why it waits (H41). */
export async function noteImport(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  note: string,
  now: number,
): Promise<void> {
  await db
    .update(imports)
    .set({ note, progressAt: now })
    .where(mine(workspace, id, eq(imports.status, "running")));
}

/** A running import that can get no further, once the Dialer has dropped it. */
export async function failImport(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  note: string,
  now: number,
): Promise<void> {
  const running = eq(imports.status, "running");
  await db.batch([
    deleteChunks(db, workspace, id, exists(db, workspace, id, running)),
    db
      .update(imports)
      .set({ status: "failed", note, progressAt: now, completedAt: now })
      .where(mine(workspace, id, running)),
  ]);
}

/** Rejected rows in the order of the file, from behind `after` on: some hundred for each of `limit`. */
export async function readRejects(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  after: number,
  limit: number,
): Promise<{ firstLine: number; rows: BadRow[] }[]> {
  return db
    .select({ firstLine: importRejects.firstLine, rows: importRejects.rows })
    .from(importRejects)
    .where(and(eq(importRejects.import, own(workspace, id)), gt(importRejects.firstLine, after)))
    .orderBy(asc(importRejects.firstLine))
    .limit(limit);
}

/** Imports of these statuses without a sign of life since then, of all workspaces. */
export async function importsWithoutLife(
  db: Db,
  status: "uploading" | "abandoned" | "running",
  since: number,
  limit: number,
): Promise<{ workspace: WorkspaceId; id: ImportId; partsDone: number }[]> {
  const rows = await db
    .select({ workspace: imports.workspace, id: imports.id, partsDone: imports.partsDone })
    .from(imports)
    .where(and(eq(imports.status, status), lte(imports.progressAt, since)))
    .orderBy(asc(imports.progressAt))
    .limit(limit);
  return rows as { workspace: WorkspaceId; id: ImportId; partsDone: number }[];
}

/** Their messages are sent again: the watchdog leaves them alone for a while. */
export async function touchImports(db: Db, ids: ImportId[], now: number): Promise<void> {
  const listed = sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  await db
    .update(imports)
    .set({ progressAt: now })
    .where(and(eq(imports.status, "running"), inArray(imports.id, listed)));
}

/** The first rejected rows of an import, without their cells. */
export async function readProblems(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  limit: number,
): Promise<{ line: number; reason: RowReason }[]> {
  return db.all(sql`
    SELECT value ->> 'line' AS line, value ->> 'reason' AS reason
    FROM ${importRejects}, json_each(${importRejects.rows})
    WHERE ${importRejects.import} = ${own(workspace, id)} ORDER BY ${importRejects.firstLine}, key LIMIT ${limit}`);
}

/** H7: rejected rows are kept for a while. */
export async function deleteRejectsBefore(db: Db, before: number): Promise<void> {
  await db.delete(importRejects).where(lt(importRejects.createdAt, before));
}

/** Conditions of one import of a workspace. */
export function mine(workspace: WorkspaceId, id: ImportId, ...more: (SQL | undefined)[]) {
  return and(eq(imports.workspace, workspace), eq(imports.id, id), ...more);
}

/** A subquery for a guard: whether that import is as `more` says. */
export function exists(db: Db, workspace: WorkspaceId, id: ImportId, more: SQL | undefined) {
  return db
    .select({ id: imports.id })
    .from(imports)
    .where(mine(workspace, id, more));
}

/** The parts of an import, unless the guard says no. */
export function deleteChunks(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  still: ReturnType<typeof exists>,
) {
  const parts = eq(importChunks.import, own(workspace, id));
  return db.delete(importChunks).where(and(parts, sql`EXISTS ${still}`));
}

/**
 * Parts and rejected rows have no workspace beside their import's id, which has it in itself: one
 * of another workspace gets no further than here.
 */
function own(workspace: WorkspaceId, id: ImportId): ImportId {
  if (parseId("imp", id)?.workspace !== workspace) throw new Error("bug: another's import");
  return id;
}
