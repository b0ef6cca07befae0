import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import type { WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { raiseVersion, versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { suppressions } from "./schema.ts";

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
  now: number,
): Promise<Doc[]> {
  const rows = sql`
    SELECT ${workspace}, ${versionNow(workspace)}, ${now}, NULL,
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
  const [raised] = await db.batch([raiseVersion(db, workspace), insert]);
  const version = raised[0]?.version ?? 0;
  return entries.map(({ phone, expiresAt }) => {
    return { kind: "suppression", id: phone, version, doc: { expiresAt } };
  });
}

export async function readSuppression(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
): Promise<SuppressionRow | null> {
  const rows = await db.select().from(suppressions).where(live(workspace, phone));
  return rows[0] ?? null;
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

/** Leaves a tombstone. */
export async function unsuppress(
  db: Db,
  workspace: WorkspaceId,
  phone: string,
  now: number,
): Promise<Doc[]> {
  const change = db
    .update(suppressions)
    .set({ deletedAt: now, version: versionNow(workspace) })
    .where(live(workspace, phone));
  return writeSetup(db, workspace, [change], [{ kind: "suppression", id: phone }]);
}

function live(workspace: WorkspaceId, phone: string) {
  return and(
    eq(suppressions.workspace, workspace),
    eq(suppressions.phone, phone),
    isNull(suppressions.deletedAt),
  );
}
