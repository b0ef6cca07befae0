import { type Entry, makeAuditId } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { audit } from "./schema.ts";

export type AuditRow = typeof audit.$inferSelect;

/** The statement that writes an entry: it belongs into the batch of the change that it records. */
export function recordEntry(db: Db, workspace: WorkspaceId, entry: Entry) {
  const { at, before, after, ...rest } = entry;
  return db.insert(audit).values({
    ...rest,
    workspace,
    id: makeAuditId(workspace, at, Math.random),
    at,
    before: before ? JSON.stringify(before) : null,
    after: after ? JSON.stringify(after) : null,
  });
}
