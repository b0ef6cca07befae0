import { and, asc, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { ConnectionId, NumberId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { numbers } from "./schema.ts";

export type NumberRow = typeof numbers.$inferSelect;
type Fields = Omit<NumberRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertNumber(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: NumberId; createdAt: number },
  entry: Entry,
): Promise<Doc[]> {
  const change = db.insert(numbers).values({ ...row, workspace, version: versionNow(workspace) });
  return writeSetup(db, workspace, entry, [change], [{ kind: "number", id: row.id }]);
}

export async function readNumber(
  db: Db,
  workspace: WorkspaceId,
  id: string,
): Promise<NumberRow | null> {
  const rows = await db.select().from(numbers).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listNumbers(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<NumberRow>> {
  const mine = and(eq(numbers.workspace, workspace), isNull(numbers.deletedAt));
  const rows = await db
    .select()
    .from(numbers)
    .where(and(mine, gt(numbers.id, page.after ?? "")))
    .orderBy(asc(numbers.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

export async function editNumber(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  fields: Partial<Fields>,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(numbers)
    .set({ ...fields, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "number", id }]);
}

/** Leaves a tombstone. */
export async function deleteNumber(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(numbers)
    .set({ deletedAt: entry.at, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "number", id }]);
}

function live(workspace: WorkspaceId, id: string) {
  return and(eq(numbers.id, id), eq(numbers.workspace, workspace), isNull(numbers.deletedAt));
}

/** Numbers with this E.164 or id, on every connection where it is. */
export async function findNumbers(
  db: Db,
  workspace: WorkspaceId,
  e164OrId: string,
): Promise<NumberRow[]> {
  const named = or(eq(numbers.phone, e164OrId), eq(numbers.id, e164OrId));
  return db
    .select()
    .from(numbers)
    .where(and(eq(numbers.workspace, workspace), isNull(numbers.deletedAt), named));
}

/** Numbers that use a connection, at most ten. */
export async function numbersOn(
  db: Db,
  workspace: WorkspaceId,
  connection: ConnectionId,
): Promise<NumberRow[]> {
  const on = and(eq(numbers.connection, connection), isNull(numbers.deletedAt));
  return db
    .select()
    .from(numbers)
    .where(and(eq(numbers.workspace, workspace), on))
    .limit(10);
}

/** E.164 of numbers by their id, deleted ones too: what they were called from stays true. */
export async function phonesOf(
  db: Db,
  workspace: WorkspaceId,
  ids: NumberId[],
): Promise<Map<NumberId, string>> {
  if (ids.length === 0) return new Map();
  const wanted = sql`${numbers.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const rows = await db
    .select({ id: numbers.id, phone: numbers.phone })
    .from(numbers)
    .where(and(eq(numbers.workspace, workspace), wanted));
  return new Map(rows.map((row) => [row.id as NumberId, row.phone]));
}
