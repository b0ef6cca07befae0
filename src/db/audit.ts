import { sql } from "drizzle-orm";
import { type Entry, makeAuditId } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { audit } from "./schema.ts";

export type AuditRow = typeof audit.$inferSelect;

/** The statement that writes an entry: it belongs into the batch of the change that it records. */
export function recordEntry(db: Db, workspace: WorkspaceId, entry: Entry) {
  return db.insert(audit).values(rowOf(workspace, entry));
}

/** The same, written only if the statement before it in the batch has changed a row. */
export function recordIfChanged(db: Db, workspace: WorkspaceId, entry: Entry) {
  const row = rowOf(workspace, entry);
  const values = [
    ...[row.workspace, row.id, row.at, row.actorKind, row.actor, row.action],
    ...[row.targetKind, row.target, row.before, row.after, row.ip, row.requestId],
  ].map((value) => sql`${value}`);
  return db.insert(audit).select(sql`SELECT ${sql.join(values, sql`, `)} WHERE changes() > 0`);
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
