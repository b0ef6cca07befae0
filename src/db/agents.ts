import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { Entry } from "../core/audit.ts";
import type { AgentId, ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Doc } from "../dialer/verbs.ts";
import { versionNow, writeSetup } from "./copies.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { agents } from "./schema.ts";

export type AgentRow = typeof agents.$inferSelect;
type Fields = Omit<AgentRow, "id" | "workspace" | "version" | "createdAt" | "deletedAt">;

export async function insertAgent(
  db: Db,
  workspace: WorkspaceId,
  row: Fields & { id: AgentId; createdAt: number },
  entry: Entry,
): Promise<Doc[]> {
  const change = db.insert(agents).values({ ...row, workspace, version: versionNow(workspace) });
  return writeSetup(db, workspace, entry, [change], [{ kind: "agent", id: row.id }]);
}

export async function readAgent(
  db: Db,
  workspace: WorkspaceId,
  id: string,
): Promise<AgentRow | null> {
  const rows = await db.select().from(agents).where(live(workspace, id));
  return rows[0] ?? null;
}

export async function listAgents(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<AgentRow>> {
  const mine = and(eq(agents.workspace, workspace), isNull(agents.deletedAt));
  const rows = await db
    .select()
    .from(agents)
    .where(and(mine, gt(agents.id, page.after ?? "")))
    .orderBy(asc(agents.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

export async function editAgent(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  fields: Partial<Fields>,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(agents)
    .set({ ...fields, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "agent", id }]);
}

/** Leaves a tombstone. */
export async function deleteAgent(
  db: Db,
  workspace: WorkspaceId,
  id: string,
  entry: Entry,
): Promise<Doc[]> {
  const change = db
    .update(agents)
    .set({ deletedAt: entry.at, version: versionNow(workspace) })
    .where(live(workspace, id));
  return writeSetup(db, workspace, entry, [change], [{ kind: "agent", id }]);
}

function live(workspace: WorkspaceId, id: string) {
  return and(eq(agents.id, id), eq(agents.workspace, workspace), isNull(agents.deletedAt));
}

/** Agents that use a connection, at most ten. */
export async function agentsOn(
  db: Db,
  workspace: WorkspaceId,
  connection: ConnectionId,
): Promise<AgentId[]> {
  const rows = await db
    .select({ id: agents.id })
    .from(agents)
    .where(
      and(
        eq(agents.workspace, workspace),
        eq(agents.connection, connection),
        isNull(agents.deletedAt),
      ),
    )
    .limit(10);
  return rows.map((row) => row.id as AgentId);
}
