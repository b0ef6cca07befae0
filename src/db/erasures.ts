import { and, asc, eq, gt, lte, type SQL, sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { jsonWithout } from "../core/erasure.ts";
import type { ImportId, WorkspaceId } from "../core/ids.ts";
import type { BadRow, ImportOptions } from "../core/import.ts";
import { lastDigits, mentions, withoutNumber } from "../core/phone.ts";
import { raiseVersion, versionNow } from "./copies.ts";
import type { Db } from "./database.ts";
import type { DeliveryKey } from "./deliveries.ts";
import {
  audit,
  calls,
  callTexts,
  deliveries,
  importChunks,
  importRejects,
  imports,
  reportBodies,
  suppressions,
  tasks,
} from "./schema.ts";

/*
 * What is left of a person in D1 after the Dialer has erased him. No table has an index by number,
 * since an erasure is rare and a push is not: rows are read in slices by their keys.
 */

/** Keys that one statement looks through. */
const KEYS_AT_ONCE = 500_000;

/** Takes number, context and texts from tasks and calls that have left the Dialer. */
export async function eraseRecords(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
): Promise<{ tasks: number; calls: number }> {
  const [[task], [call]] = await db.batch([
    db
      .select({ id: sql<number | null>`MAX(${tasks.id})` })
      .from(tasks)
      .where(eq(tasks.workspace, workspace)),
    db
      .select({ id: sql<number | null>`MAX(${calls.id})` })
      .from(calls)
      .where(eq(calls.workspace, workspace)),
  ]);
  const last = Math.max(task?.id ?? 0, call?.id ?? 0);
  const done = { tasks: 0, calls: 0 };
  for (let after = 0; after < last; after += KEYS_AT_ONCE) {
    const slice = await eraseSlice(db, workspace, phone, after);
    done.tasks += slice.tasks;
    done.calls += slice.calls;
  }
  return done;
}

async function eraseSlice(db: Db, workspace: WorkspaceId, phone: string, after: number) {
  const within = (id: AnySQLiteColumn) => and(gt(id, after), lte(id, after + KEYS_AT_ONCE));
  const his = and(eq(tasks.workspace, workspace), within(tasks.id), eq(tasks.phone, phone));
  const named = await db
    .select({ id: tasks.id, externalId: tasks.externalId })
    .from(tasks)
    .where(and(his, sql`${tasks.externalId} IS NOT NULL`));
  const quoting = named.filter(({ externalId }) => mentions(externalId ?? "", phone));
  const ids = JSON.stringify(quoting.map(({ id }) => id));
  const erased = db
    .select({ id: calls.id })
    .from(calls)
    .where(and(eq(calls.workspace, workspace), within(calls.id), eq(calls.to, "")));
  const [erasedTasks, erasedCalls] = await db.batch([
    db
      .update(tasks)
      .set({
        phone: "",
        context: "{}",
        consent: null,
        // An address of its own may name him.
        settings: sql`CASE WHEN instr(${tasks.settings}, ${lastDigits(phone)}) > 0
          THEN json_set(${tasks.settings}, '$.statusCallbackUrl', NULL) ELSE ${tasks.settings} END`,
        externalId: sql`CASE WHEN ${tasks.id} IN (SELECT value FROM json_each(${ids}))
          THEN NULL ELSE ${tasks.externalId} END`,
      })
      .where(his)
      .returning({ id: tasks.id }),
    db
      .update(calls)
      .set({ to: "", word: null, recordingUrl: null })
      .where(and(eq(calls.workspace, workspace), within(calls.id), eq(calls.to, phone)))
      .returning({ id: calls.id }),
    db
      .delete(callTexts)
      .where(and(eq(callTexts.workspace, workspace), sql`${callTexts.call} IN ${erased}`)),
  ]);
  return { tasks: erasedTasks.length, calls: erasedCalls.length };
}

/** The do-not-call entry goes on refusing the number, under its keyed hash alone (H40). */
export async function hashSuppression(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
  hash: string,
  now: number,
): Promise<boolean> {
  const mine = and(eq(suppressions.workspace, workspace), eq(suppressions.phone, phone));
  const rows = await db
    .select({ deletedAt: suppressions.deletedAt })
    .from(suppressions)
    .where(mine);
  const hashed = sql`
    SELECT workspace, ${versionNow(workspace)}, created_at, deleted_at, ${`#${hash}`},
      CASE source WHEN 'outcome' THEN reason END, source, expires_at
    FROM suppressions WHERE workspace = ${workspace} AND phone = ${phone}`;
  if (rows.length > 0) {
    await db.batch([
      raiseVersion(db, workspace),
      db
        .insert(suppressions)
        .select(hashed)
        .onConflictDoUpdate({
          target: [suppressions.workspace, suppressions.phone],
          // Of two entries the one that refuses more.
          set: {
            version: sql`excluded.version`,
            deletedAt: sql`CASE WHEN ${suppressions.deletedAt} IS NULL THEN NULL ELSE excluded.deleted_at END`,
            expiresAt: sql`CASE WHEN ${suppressions.expiresAt} IS NULL AND ${suppressions.deletedAt} IS NULL
              THEN NULL ELSE excluded.expires_at END`,
          },
        }),
      db.delete(suppressions).where(mine),
    ]);
  }
  const kept = await db
    .select({ phone: suppressions.phone })
    .from(suppressions)
    .where(
      and(
        eq(suppressions.workspace, workspace),
        eq(suppressions.phone, `#${hash}`),
        sql`${suppressions.deletedAt} IS NULL`,
        sql`(${suppressions.expiresAt} IS NULL OR ${suppressions.expiresAt} > ${now})`,
      ),
    );
  return kept.length > 0;
}

/** Uploads that are still coming: the Dialer does not know them yet. */
export async function uploadsNow(db: Db, workspace: WorkspaceId): Promise<ImportId[]> {
  const rows = await db
    .select({ id: imports.id })
    .from(imports)
    .where(and(eq(imports.workspace, workspace), eq(imports.status, "uploading")));
  return rows.map(({ id }) => id as ImportId);
}

/** A part of a file that is not read yet. */
export type WaitingPart = {
  import: ImportId;
  part: number;
  rows: number;
  body: string;
  header: string[];
  options: ImportOptions;
};

/** Parts that one look reads, of some 800 KB each, and groups of rejected rows, of some 250 KB. */
const PARTS_AT_ONCE = 8;
const GROUPS_AT_ONCE = 30;

/** The parts after this one, in whatever order. */
export async function nextParts(
  db: Db,
  workspace: WorkspaceId,
  after: { import: string; part: number } | null,
): Promise<WaitingPart[]> {
  const beyond: SQL | undefined =
    after === null
      ? undefined
      : sql`(${importChunks.import}, ${importChunks.part}) > (${after.import}, ${after.part})`;
  const rows = await db
    .select({
      import: importChunks.import,
      part: importChunks.part,
      rows: importChunks.rows,
      body: importChunks.body,
      header: imports.header,
      options: imports.options,
    })
    .from(imports)
    .innerJoin(importChunks, eq(importChunks.import, imports.id))
    .where(and(eq(imports.workspace, workspace), beyond))
    .orderBy(asc(importChunks.import), asc(importChunks.part))
    .limit(PARTS_AT_ONCE);
  return rows as WaitingPart[];
}

/**
 * The same rows but for some that were emptied; how many tells who reads it that it has changed.
 * False where it is not any more as it was read.
 */
export async function rewritePart(
  db: Db,
  workspace: WorkspaceId,
  { import: id, part, rows: before }: Pick<WaitingPart, "import" | "part" | "rows">,
  { body, rows }: { body: string; rows: number },
): Promise<boolean> {
  const written = await db
    .update(importChunks)
    .set({ body, rows: before - rows })
    .where(
      and(
        eq(importChunks.import, id),
        eq(importChunks.part, part),
        eq(importChunks.rows, before),
        sql`EXISTS ${ownImport(db, workspace, id)}`,
      ),
    )
    .returning({ part: importChunks.part });
  return written.length > 0;
}

export type RejectedRows = { import: ImportId; firstLine: number; rows: BadRow[] };

/** Groups of rejected rows after this one. */
export async function nextRejects(
  db: Db,
  workspace: WorkspaceId,
  after: { import: string; firstLine: number } | null,
): Promise<RejectedRows[]> {
  const beyond: SQL | undefined =
    after === null
      ? undefined
      : sql`(${importRejects.import}, ${importRejects.firstLine}) > (${after.import}, ${after.firstLine})`;
  const rows = await db
    .select({
      import: importRejects.import,
      firstLine: importRejects.firstLine,
      rows: importRejects.rows,
    })
    .from(imports)
    .innerJoin(importRejects, eq(importRejects.import, imports.id))
    .where(and(eq(imports.workspace, workspace), beyond))
    .orderBy(asc(importRejects.import), asc(importRejects.firstLine))
    .limit(GROUPS_AT_ONCE);
  return rows as RejectedRows[];
}

/** False where they are not any more as they were read. */
export async function rewriteRejects(
  db: Db,
  workspace: WorkspaceId,
  { import: id, firstLine, rows: before }: RejectedRows,
  rows: BadRow[],
): Promise<boolean> {
  const written = await db
    .update(importRejects)
    .set({ rows })
    .where(
      and(
        eq(importRejects.import, id),
        eq(importRejects.firstLine, firstLine),
        eq(importRejects.rows, before),
        sql`EXISTS ${ownImport(db, workspace, id)}`,
      ),
    )
    .returning({ firstLine: importRejects.firstLine });
  return written.length > 0;
}

function ownImport(db: Db, workspace: WorkspaceId, id: string) {
  return db
    .select({ id: imports.id })
    .from(imports)
    .where(and(eq(imports.workspace, workspace), eq(imports.id, id)));
}

/** Texts of reports on their way to calls that were erased, or that quote the number. */
export async function eraseReportTexts(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
): Promise<void> {
  // The id begins with its call's (`api/reports.ts`), then 25 signs of its own.
  const call = sql`substr(${reportBodies.id}, 1, length(${reportBodies.id}) - 25)`;
  const erased = sql`EXISTS (SELECT 1 FROM calls k WHERE k.workspace = ${workspace}
    AND k.to_phone = '' AND (k.id = CAST(${call} AS INTEGER) OR k.carrier_call_id = ${call}))`;
  const quotes = sql`instr(${reportBodies.body}, ${phone.replace(/\D/g, "")}) > 0`;
  await db
    .delete(reportBodies)
    .where(and(eq(reportBodies.workspace, workspace), sql`(${quotes} OR ${erased})`));
}

/** Entries that one look reads. */
const ENTRIES_AT_ONCE = 500;

/** Values of the audit log, and names of files, that quote the number have it masked. */
export async function eraseMentions(db: Db, workspace: WorkspaceId, phone: string): Promise<void> {
  const last = lastDigits(phone);
  const mine = and(eq(imports.workspace, workspace), sql`instr(${imports.fileName}, ${last}) > 0`);
  const files = await db.select().from(imports).where(mine);
  for (const { id, fileName } of files) {
    await db
      .update(imports)
      .set({ fileName: withoutNumber(fileName ?? "", phone) })
      .where(and(eq(imports.workspace, workspace), eq(imports.id, id)));
  }
  let after: string | null = "";
  while (after !== null) after = await eraseEntries(db, workspace, phone, after);
  let key: DeliveryKey | null = { target: "", sequence: 0 };
  while (key !== null) key = await eraseDeliveries(db, workspace, phone, key);
}

/** Deliveries of events after this one; the last of them, or null when there are no more. */
async function eraseDeliveries(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
  after: DeliveryKey,
): Promise<DeliveryKey | null> {
  const last = lastDigits(phone);
  const { target, sequence, url, body, answer } = deliveries;
  const quotes = sql.join(
    [url, body, answer].map((column) => sql`instr(${column}, ${last}) > 0`),
    sql` OR `,
  );
  const rows = await db
    .select({ target, sequence, url, body, answer })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.workspace, workspace),
        sql`(${target}, ${sequence}) > (${after.target}, ${after.sequence})`,
        sql`(${quotes})`,
      ),
    )
    .orderBy(asc(target), asc(sequence))
    .limit(ENTRIES_AT_ONCE);
  for (const row of rows) {
    const kept = {
      body: jsonWithout(row.body, phone) ?? row.body,
      answer: row.answer === null ? null : withoutNumber(row.answer, phone),
    };
    // An address that names him leads nowhere without him.
    const named = mentions(row.url, phone);
    const gone = { url: withoutNumber(row.url, phone), status: "erased" as const, nextAt: null };
    await db
      .update(deliveries)
      .set({ ...kept, ...(named ? gone : {}) })
      .where(
        and(
          eq(deliveries.workspace, workspace),
          eq(target, row.target),
          eq(sequence, row.sequence),
        ),
      );
  }
  const end = rows.at(-1);
  return rows.length < ENTRIES_AT_ONCE || end === undefined
    ? null
    : { target: end.target, sequence: end.sequence };
}

/** Entries after this one; the last of them, or null when there are no more. */
async function eraseEntries(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
  after: string,
): Promise<string | null> {
  const last = lastDigits(phone);
  const columns = [audit.target, audit.before, audit.after];
  const quotes = sql.join(
    columns.map((column) => sql`instr(${column}, ${last}) > 0`),
    sql` OR `,
  );
  const entries = await db
    .select({ id: audit.id, target: audit.target, before: audit.before, after: audit.after })
    .from(audit)
    .where(and(eq(audit.workspace, workspace), gt(audit.id, after), sql`(${quotes})`))
    .orderBy(asc(audit.id))
    .limit(ENTRIES_AT_ONCE);
  const jsonOf = (json: string | null) =>
    json === null ? null : (jsonWithout(json, phone) ?? json);
  for (const { id, ...entry } of entries) {
    const target = entry.target === null ? null : withoutNumber(entry.target, phone);
    const kept = { target, before: jsonOf(entry.before), after: jsonOf(entry.after) };
    if (JSON.stringify(kept) === JSON.stringify(entry)) continue;
    await db
      .update(audit)
      .set(kept)
      .where(and(eq(audit.workspace, workspace), eq(audit.id, id)));
  }
  return entries.length < ENTRIES_AT_ONCE ? null : (entries.at(-1)?.id ?? null);
}
