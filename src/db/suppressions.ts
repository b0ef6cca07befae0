import { and, asc, eq, gt, inArray, isNull, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { recordEntry } from "./audit.ts";
import { raiseVersion, versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { suppressions } from "./schema.ts";

/*
 * An entry's `phone` is the number; of one that was erased, `#` and the Dialer's keyed hash of it.
 */

export type SuppressionRow = typeof suppressions.$inferSelect;
export type NewSuppression = { phone: string; reason: string | null; expiresAt: number | null };

/** Most entries of one write, and of one hand-over. */
export const SUPPRESSIONS_AT_ONCE = 1000;

/** Enters numbers, or renews those that are there; at most `SUPPRESSIONS_AT_ONCE`. */
export async function suppress(
  db: Db,
  workspace: WorkspaceId,
  entries: NewSuppression[],
  source: string,
  entry: Entry,
): Promise<Doc[]> {
  const rows = sql`
    SELECT ${workspace}, ${versionNow(workspace)}, ${entry.at}, NULL,
      value ->> 'phone', value ->> 'reason', ${source}, value ->> 'expiresAt'
    FROM json_each(${JSON.stringify(entries)}) WHERE true`;
  const kept = sql`CASE WHEN ${suppressions.deletedAt} IS NULL THEN ${suppressions.createdAt} ELSE excluded.created_at END`;
  const insert = db
    .insert(suppressions)
    .select(rows)
    .onConflictDoUpdate({
      target: [suppressions.workspace, suppressions.phone],
      set: {
        version: sql`excluded.version`,
        createdAt: kept,
        deletedAt: null,
        reason: sql`excluded.reason`,
        source: sql`excluded.source`,
        expiresAt: sql`excluded.expires_at`,
      },
    });
  const record = recordEntry(db, workspace, entry);
  const [raised] = await db.batch([raiseVersion(db, workspace), insert, record]);
  const version = raised[0]?.version ?? 0;
  return entries.map(({ phone, expiresAt }) => {
    return { kind: "suppression", id: phone, version, doc: { expiresAt } };
  });
}

/** Those of these that are on the list. */
export function readSuppressions(
  db: Db,
  workspace: WorkspaceId,
  phones: string[],
): Promise<SuppressionRow[]> {
  return db.select().from(suppressions).where(live(workspace, phones));
}

export async function listSuppressions(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<SuppressionRow>> {
  const mine = and(eq(suppressions.workspace, workspace), isNull(suppressions.deletedAt));
  const rows = await db
    .select()
    .from(suppressions)
    .where(and(mine, gt(suppressions.phone, page.after ?? "")))
    .orderBy(asc(suppressions.phone))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.phone);
}

/** Leaves tombstones. */
export async function unsuppress(
  db: Db,
  workspace: WorkspaceId,
  phones: string[],
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(suppressions)
    .set({ deletedAt: entry.at, version: versionNow(workspace) })
    .where(live(workspace, phones));
  const wanted = phones.map((id) => ({ kind: "suppression" as const, id }));
  return writeSetup(db, workspace, entry, [change], wanted);
}

function live(workspace: WorkspaceId, phones: string[]) {
  return and(
    eq(suppressions.workspace, workspace),
    inArray(suppressions.phone, phones),
    isNull(suppressions.deletedAt),
  );
}
