import { and, asc, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Permission, Role } from "../core/access.ts";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { recordIfChanged } from "./audit.ts";
import type { Db } from "./database.ts";
import { revokeInvitationsOf } from "./invitations.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { keys, members, people, workspaces } from "./schema.ts";

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

/** The statement that makes somebody a member. */
export function newMember(db: Db, row: MemberRow) {
  return db.insert(members).values(row);
}

/** Somebody in a workspace, with who that is. */
export type MemberOfWorkspace = MemberRow & {
  name: string;
  email: string;
  secondFactor: boolean | null;
};

function selectMembers(db: Db, workspace: WorkspaceId, further: SQL | undefined) {
  return db
    .select({
      workspace: members.workspace,
      person: members.person,
      role: members.role,
      grants: members.grants,
      createdAt: members.createdAt,
      name: people.name,
      email: people.email,
      secondFactor: people.twoFactorEnabled,
    })
    .from(members)
    .innerJoin(people, eq(people.id, members.person))
    .where(and(eq(members.workspace, workspace), further))
    .orderBy(asc(members.person));
}

export async function listMembers(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<MemberOfWorkspace>> {
  const later = gt(members.person, page.after ?? "");
  const rows = await selectMembers(db, workspace, later).limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.person);
}

/** Those who own a workspace, to be written to. */
export async function ownersOf(db: Db, workspace: WorkspaceId): Promise<{ email: string }[]> {
  return selectMembers(db, workspace, eq(members.role, "owner"));
}

export async function findMember(
  db: Db,
  workspace: WorkspaceId,
  by: { person: string } | { email: string },
): Promise<MemberOfWorkspace | null> {
  const which =
    "person" in by ? eq(members.person, by.person) : eq(people.email, by.email.toLowerCase());
  const rows = await selectMembers(db, workspace, which);
  return rows[0] ?? null;
}

/**
 * Changes role and grants, unless the role is no longer `before.role` or nobody would own the
 * workspace any more; says whether it did. The entry is written with the change, and invitations
 * that the person could not make any more end.
 */
export async function changeMember(
  db: Db,
  before: MemberRow,
  after: { role: Role; grants: Permission[] },
  entry: Entry,
): Promise<boolean> {
  const workspace = before.workspace as WorkspaceId;
  const stays = after.role === "owner" ? undefined : hasOtherOwner(workspace, before.person);
  const [changed] = await db.batch([
    db
      .update(members)
      .set(after)
      .where(and(isStill(before), stays))
      .returning({ person: members.person }),
    recordIfChanged(db, workspace, entry),
    revokeInvitationsOf(db, workspace, before.person, after.role, entry.at),
  ]);
  return changed.length > 0;
}

/** A key that a person made and that still counts. */
export type KeyOfPerson = Pick<
  typeof keys.$inferSelect,
  "id" | "name" | "prefix" | "scopes" | "createdAt" | "expiresAt"
>;

/**
 * Takes a person out of a workspace, unless the role is no longer `before.role` or nobody would
 * own the workspace any more (null). Open invitations by that person end; keys go on.
 */
export async function removeMember(
  db: Db,
  before: MemberRow,
  entry: Entry,
): Promise<KeyOfPerson[] | null> {
  const workspace = before.workspace as WorkspaceId;
  const { person } = before;
  const [removed, , , theirs] = await db.batch([
    db
      .delete(members)
      .where(and(isStill(before), hasOtherOwner(workspace, person)))
      .returning({ person: members.person }),
    recordIfChanged(db, workspace, entry),
    revokeInvitationsOf(db, workspace, person, null, entry.at),
    db
      .select({
        id: keys.id,
        name: keys.name,
        prefix: keys.prefix,
        scopes: keys.scopes,
        createdAt: keys.createdAt,
        expiresAt: keys.expiresAt,
      })
      .from(keys)
      .where(and(eq(keys.workspace, workspace), eq(keys.createdBy, person), isNull(keys.deletedAt)))
      .orderBy(asc(keys.id)),
  ]);
  return removed.length > 0 ? theirs : null;
}

function isStill(before: MemberRow): SQL | undefined {
  return and(
    eq(members.workspace, before.workspace),
    eq(members.person, before.person),
    eq(members.role, before.role),
  );
}

/** True for whoever is no owner, and for an owner beside another one. */
function hasOtherOwner(workspace: WorkspaceId, person: string): SQL | undefined {
  const other = sql`EXISTS (
    SELECT 1 FROM members AS other
    WHERE other.workspace = ${workspace} AND other.role = 'owner' AND other.person <> ${person}
  )`;
  return or(sql`${members.role} <> 'owner'`, other);
}
