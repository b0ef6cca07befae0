import { and, eq, isNull } from "drizzle-orm";
import type { WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { members, workspaces } from "./schema.ts";

export type MemberRow = typeof members.$inferSelect;

/** A person's part in a workspace that has not ended, or null. */
export async function readMember(
  db: Db,
  workspace: WorkspaceId,
  person: string,
): Promise<MemberRow | null> {
  const rows = await db
    .select({ member: members })
    .from(members)
    .innerJoin(workspaces, eq(workspaces.id, members.workspace))
    .where(
      and(
        eq(members.workspace, workspace),
        eq(members.person, person),
        isNull(workspaces.deletedAt),
      ),
    );
  return rows[0]?.member ?? null;
}

/** The workspaces of a person, without those that have ended. */
export function listWorkspacesOf(db: Db, person: string) {
  return db
    .select({
      id: workspaces.id,
      name: workspaces.name,
      role: members.role,
      grants: members.grants,
    })
    .from(members)
    .innerJoin(workspaces, eq(workspaces.id, members.workspace))
    .where(and(eq(members.person, person), isNull(workspaces.deletedAt)))
    .orderBy(workspaces.id);
}
