import { and, desc, eq, gt, lt, or, type SQL, sql } from "drizzle-orm";
import { type Entry, makeAuditId } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { audit, keys, people } from "./schema.ts";

export type AuditRow = typeof audit.$inferSelect;

/** The statement that writes an entry: it belongs into the batch of the change that it records. */
export function recordEntry(db: Db, workspace: WorkspaceId, entry: Entry) {
  return db.insert(audit).values(rowOf(workspace, entry));
}

/** The same, written only if the statement before it in the batch has changed a row. */
export function recordIfChanged(db: Db, workspace: WorkspaceId, entry: Entry) {
  return db.insert(audit).select(sql`SELECT ${valuesOf(workspace, entry)} WHERE changes() > 0`);
}

/** The same, written only where this holds. */
export function recordWhere(db: Db, workspace: WorkspaceId, entry: Entry, holds: SQL) {
  return db.insert(audit).select(sql`SELECT ${valuesOf(workspace, entry)} WHERE ${holds}`);
}

/** Writes an entry of what changes nothing: an export. */
export async function noteEntry(db: Db, workspace: WorkspaceId, entry: Entry): Promise<void> {
  await recordEntry(db, workspace, entry);
}

const VIEW_MS = 60 * 60_000;

/** Writes an entry of somebody looking at something, unless he did so less than an hour ago. */
export async function noteView(db: Db, workspace: WorkspaceId, entry: Entry): Promise<void> {
  const before = db
    .select({ id: audit.id })
    .from(audit)
    .where(
      and(
        eq(audit.workspace, workspace),
        eq(audit.target, entry.target ?? ""),
        eq(audit.actor, entry.actor ?? ""),
        eq(audit.action, entry.action),
        gt(audit.at, entry.at - VIEW_MS),
      ),
    );
  const values = valuesOf(workspace, entry);
  await db.insert(audit).select(sql`SELECT ${values} WHERE NOT EXISTS ${before}`);
}

export type AuditFilter = {
  /** Id of a person or key, or one of those who have none: `deployment`, `outdial`. */
  actor?: string | undefined;
  /** `campaign.pause`, or `campaign` for everything done to campaigns. */
  action?: string | undefined;
  target?: string | undefined;
};
/** An entry with the name of who it was, where that is still known. */
export type ListedEntry = { entry: AuditRow; person: string | null; key: string | null };

/** Newest first. */
export async function listEntries(
  db: Db,
  workspace: WorkspaceId,
  filter: AuditFilter,
  page: PageRequest,
): Promise<Page<ListedEntry>> {
  const { target } = filter;
  const rows = await db
    .select({ entry: audit, person: people.name, key: keys.name })
    .from(audit)
    .leftJoin(people, eq(people.id, audit.actor))
    .leftJoin(keys, and(eq(keys.workspace, workspace), eq(keys.id, audit.actor)))
    .where(
      and(
        eq(audit.workspace, workspace),
        page.after === null ? undefined : lt(audit.id, page.after),
        filter.actor === undefined ? undefined : isBy(filter.actor),
        filter.action === undefined ? undefined : isA(filter.action),
        target === undefined ? undefined : eq(audit.target, target),
      ),
    )
    .orderBy(desc(audit.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.entry.id);
}

function isBy(actor: string): SQL | undefined {
  if (actor === "deployment" || actor === "outdial") return eq(audit.actorKind, actor);
  return eq(audit.actor, actor);
}

function isA(action: string): SQL | undefined {
  if (action.includes(".")) return eq(audit.action, action);
  // `/` is the sign after `.`: everything that begins with the noun and a dot.
  return or(
    eq(audit.action, action),
    and(gt(audit.action, `${action}.`), lt(audit.action, `${action}/`)),
  );
}

function valuesOf(workspace: WorkspaceId, entry: Entry): SQL {
  const row = rowOf(workspace, entry);
  const values = [
    ...[row.workspace, row.id, row.at, row.actorKind, row.actor, row.action],
    ...[row.targetKind, row.target, row.before, row.after, row.ip, row.requestId],
  ].map((value) => sql`${value}`);
  return sql.join(values, sql`, `);
}

function rowOf(workspace: WorkspaceId, { at, before, after, ...rest }: Entry): AuditRow {
  return {
    ...rest,
    workspace,
    id: makeAuditId(workspace, at, Math.random),
    at,
    before: before ? JSON.stringify(before) : null,
    after: after ? JSON.stringify(after) : null,
  };
}
