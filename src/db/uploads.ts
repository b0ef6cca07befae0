import { and, eq, inArray, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { ImportId, WorkspaceId } from "../core/ids.ts";
import type { Part } from "../core/import.ts";
import type { Warning } from "../core/result.ts";
import { recordIfChanged } from "./audit.ts";
import type { Db } from "./database.ts";
import { deleteChunks, exists, type ImportRow, mine } from "./imports.ts";
import { importChunks, imports, suppressions, tasks } from "./schema.ts";

export type NewUpload = Pick<
  ImportRow,
  "id" | "campaign" | "fileName" | "options" | "header" | "missingPlaceholders" | "createdAt"
>;

/** The row under which an upload stores its parts: nobody sees it. */
export async function beginUpload(db: Db, workspace: WorkspaceId, upload: NewUpload) {
  await db.insert(imports).values({
    ...upload,
    workspace,
    status: "uploading",
    warnings: [],
    rows: 0,
    rowsRead: 0,
    rowsTaken: 0,
    parts: 0,
    partsDone: 0,
    rejected: {},
    progressAt: upload.createdAt,
  });
}

/** Stores parts from number `first` on; false when the upload was removed meanwhile. */
export async function storeParts(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  first: number,
  parts: Part[],
  now: number,
): Promise<boolean> {
  const still = exists(db, workspace, id, eq(imports.status, "uploading"));
  const inserts = parts.map(({ rows, body }, index) =>
    db
      .insert(importChunks)
      .select(sql`SELECT ${id}, ${first + index}, ${rows}, ${body} WHERE EXISTS ${still}`),
  );
  const touch = db
    .update(imports)
    .set({ progressAt: now })
    .where(mine(workspace, id, eq(imports.status, "uploading")))
    .returning({ id: imports.id });
  const [touched] = await db.batch([touch, ...inserts]);
  return touched.length > 0;
}

/** All its parts are stored: it runs. Null when the upload was removed meanwhile. */
export async function startImport(
  db: Db,
  workspace: WorkspaceId,
  id: ImportId,
  whole: { rows: number; parts: number; warnings: Warning[] },
  entry: Entry,
): Promise<ImportRow | null> {
  const [done] = await db.batch([
    db
      .update(imports)
      .set({ ...whole, status: "running", progressAt: entry.at })
      .where(mine(workspace, id, eq(imports.status, "uploading")))
      .returning(),
    recordIfChanged(db, workspace, entry),
  ]);
  return done[0] ?? null;
}

/** Claims an upload for removal; false when it is none, or has become an import. */
export async function abandonUpload(db: Db, workspace: WorkspaceId, id: ImportId) {
  const done = await db
    .update(imports)
    .set({ status: "abandoned" })
    .where(mine(workspace, id, eq(imports.status, "uploading")))
    .returning({ id: imports.id });
  return done.length > 0;
}

/** Removes an abandoned upload with its parts, once the Dialer has dropped it. */
export async function removeUpload(db: Db, workspace: WorkspaceId, id: ImportId): Promise<void> {
  const abandoned = eq(imports.status, "abandoned");
  await db.batch([
    deleteChunks(db, workspace, id, exists(db, workspace, id, abandoned)),
    db.delete(imports).where(mine(workspace, id, abandoned)),
  ]);
}

/** Which of these numbers the Dialer would reject, as far as D1 has heard (H9, H40). */
export async function knownPhones(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  phones: string[],
  now: number,
): Promise<{ suppressed: string[]; seen: string[] }> {
  const listed = sql`(SELECT value FROM json_each(${JSON.stringify(phones)}))`;
  const lasting = sql`(${suppressions.expiresAt} IS NULL OR ${suppressions.expiresAt} > ${now})`;
  const [suppressed, seenBefore] = await Promise.all([
    db
      .select({ phone: suppressions.phone })
      .from(suppressions)
      .where(
        and(
          eq(suppressions.workspace, workspace),
          inArray(suppressions.phone, listed),
          sql`${suppressions.deletedAt} IS NULL`,
          lasting,
        ),
      ),
    db
      .selectDistinct({ phone: tasks.phone })
      .from(tasks)
      .where(
        and(
          eq(tasks.workspace, workspace),
          eq(tasks.campaign, campaign),
          inArray(tasks.phone, listed),
        ),
      ),
  ]);
  const phoneOf = (row: { phone: string }) => row.phone;
  return { suppressed: suppressed.map(phoneOf), seen: seenBefore.map(phoneOf) };
}
