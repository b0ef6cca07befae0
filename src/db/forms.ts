import { and, asc, desc, eq, gt, isNotNull, isNull } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { FormId, WorkspaceId } from "../core/ids.ts";
import { recordIfChanged } from "./audit.ts";
import { raiseVersion, versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { forms } from "./schema.ts";

export type FormRow = typeof forms.$inferSelect;
type Fields = Omit<FormRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertForm(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: FormId; createdAt: number },
  entry: Entry,
): Promise<void> {
  const change = db.insert(forms).values({ ...row, workspace, version: versionNow(workspace) });
  await writeSetup(db, workspace, entry, [change], []);
}

export async function readForm(
  db: Db,
  workspace: WorkspaceId,
  id: string,
): Promise<FormRow | null> {
  const rows = await db.select().from(forms).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listForms(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<FormRow>> {
  const mine = and(eq(forms.workspace, workspace), isNull(forms.deletedAt));
  const rows = await db
    .select()
    .from(forms)
    .where(and(mine, gt(forms.id, page.after ?? "")))
    .orderBy(asc(forms.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

/** False where it is not any more as it was read: somebody else has edited it meanwhile. */
export async function editForm(
  db: Db,
  workspace: WorkspaceId,
  { id, version }: Pick<FormRow, "id" | "version">,
  fields: Partial<Fields>,
  entry: Entry,
): Promise<boolean> {
  const change = db
    .update(forms)
    .set({ ...fields, version: versionNow(workspace) })
    .where(and(live(workspace, id), eq(forms.version, version)));
  const [, changed] = await db.batch([
    raiseVersion(db, workspace),
    change.returning({ id: forms.id }),
    recordIfChanged(db, workspace, entry),
  ]);
  return changed.length > 0;
}

/** Leaves a tombstone, without Turnstile's secret. */
export async function deleteForm(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  entry: Entry,
): Promise<void> {
  const change = db
    .update(forms)
    .set({ deletedAt: entry.at, sealed: null, version: versionNow(workspace) })
    .where(live(workspace, id));
  await writeSetup(db, workspace, entry, [change], []);
}

/** Every form of the deployment with a sealed secret, from an id on: for the change of its key alone. */
export async function listEverySealedForm(
  db: Db,
  after: string,
  limit: number,
): Promise<FormRow[]> {
  return db
    .select()
    .from(forms)
    .where(and(isNotNull(forms.sealed), isNull(forms.deletedAt), gt(forms.id, after)))
    .orderBy(asc(forms.id))
    .limit(limit);
}

/** The same secret under another key; where an edit has replaced it, that one stays. */
export async function resealForm(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  before: string,
  sealed: string,
  entry: Entry,
): Promise<void> {
  const change = db
    .update(forms)
    .set({ sealed, version: versionNow(workspace) })
    .where(and(live(workspace, id), eq(forms.sealed, before)));
  await writeSetup(db, workspace, entry, [change], []);
}

/** The newest form of this name: for the local demo's page alone. */
export async function findFormNamed(db: Db, name: string): Promise<FormRow | null> {
  const named = and(eq(forms.name, name), isNull(forms.deletedAt));
  const rows = await db.select().from(forms).where(named).orderBy(desc(forms.createdAt)).limit(1);
  return rows[0] ?? null;
}

function live(workspace: WorkspaceId, id: string) {
  return and(eq(forms.id, id), eq(forms.workspace, workspace), isNull(forms.deletedAt));
}
