import { and, asc, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import { mayOfRole, type Permission, type Role } from "../core/access.ts";
import type { Entry } from "../core/audit.ts";
import type { InvitationId, WorkspaceId } from "../core/ids.ts";
import { recordEntry, recordIfChanged } from "./audit.ts";
import type { Db } from "./database.ts";
import { type Page, type PageRequest, pageOfRows } from "./page.ts";
import { type NewPerson, newPerson } from "./people.ts";
import { invitations, members, workspaces } from "./schema.ts";

export type InvitationRow = typeof invitations.$inferSelect;

/** A new invitation; an earlier one to the same address that is still open ends. */
export async function insertInvitation(
  db: Db,
  workspace: WorkspaceId,
  row: Omit<InvitationRow, "workspace" | "acceptedAt" | "revokedAt">,
  entry: Entry,
): Promise<void> {
  await db.batch([
    db
      .update(invitations)
      .set({ revokedAt: row.createdAt })
      .where(and(isOpen(workspace), eq(invitations.email, row.email))),
    db.insert(invitations).values({ ...row, workspace }),
    recordEntry(db, workspace, entry),
  ]);
}

/** Invitations that nobody accepted or revoked, those that have run out too. */
export async function listInvitations(
  db: Db,
  workspace: WorkspaceId,
  page: PageRequest,
): Promise<Page<InvitationRow>> {
  const rows = await db
    .select()
    .from(invitations)
    .where(and(isOpen(workspace), gt(invitations.id, page.after ?? "")))
    .orderBy(asc(invitations.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

/** An invitation that can still be accepted, with its workspace's name. */
export async function readOpenInvitation(
  db: Db,
  workspace: WorkspaceId,
  id: InvitationId,
  now: number,
): Promise<(InvitationRow & { workspaceName: string }) | null> {
  const rows = await db
    .select({ invitation: invitations, name: workspaces.name })
    .from(invitations)
    .innerJoin(workspaces, eq(workspaces.id, invitations.workspace))
    .where(
      and(
        isOpen(workspace),
        eq(invitations.id, id),
        gt(invitations.expiresAt, now),
        isNull(workspaces.deletedAt),
      ),
    );
  const [row] = rows;
  return row === undefined ? null : { ...row.invitation, workspaceName: row.name };
}

/** Whether anybody has invited this address, wherever: only then may an account elsewhere sign up. */
export async function isInvited(db: Db, email: string, now: number): Promise<boolean> {
  const rows = await db
    .select({ id: invitations.id })
    .from(invitations)
    .where(
      and(
        eq(invitations.email, email.toLowerCase()),
        isNull(invitations.acceptedAt),
        isNull(invitations.revokedAt),
        gt(invitations.expiresAt, now),
      ),
    )
    .limit(1);
  return rows.length > 0;
}

/** Ends an open invitation; says whether there was one. */
export async function revokeInvitation(
  db: Db,
  workspace: WorkspaceId,
  id: InvitationId,
  entry: Entry,
): Promise<boolean> {
  const [revoked] = await db.batch([
    db
      .update(invitations)
      .set({ revokedAt: entry.at })
      .where(and(isOpen(workspace), eq(invitations.id, id)))
      .returning({ id: invitations.id }),
    recordIfChanged(db, workspace, entry),
  ]);
  return revoked.length > 0;
}

/**
 * Makes the invited person a member, once: of two who accept at the same time one batch fails on
 * `members`, and so does one whose invitation has ended meanwhile, or who belongs there already.
 * `fresh` is who is made by it, for an address that nobody has yet.
 */
export async function acceptInvitation(
  db: Db,
  invitation: InvitationRow,
  person: string,
  fresh: NewPerson | null,
  entry: Entry,
): Promise<void> {
  const workspace = invitation.workspace as WorkspaceId;
  const { id, grants } = invitation;
  // Null where it has ended: no member is without a role.
  const role = sql<Role>`(
    SELECT role FROM invitations WHERE id = ${id} AND workspace = ${workspace}
      AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ${entry.at}
  )`;
  await db.batch([
    db.insert(members).values({ workspace, person, role, grants, createdAt: entry.at }),
    db
      .update(invitations)
      .set({ acceptedAt: entry.at })
      .where(and(isOpen(workspace), eq(invitations.id, id))),
    ...(fresh === null ? [] : newPerson(db, fresh, entry.at)),
    recordEntry(db, workspace, entry),
  ]);
}

/**
 * The statement that ends the open invitations which this person could not make with this role
 * (null: as no member), if that is the role that they have now.
 */
export function revokeInvitationsOf(
  db: Db,
  workspace: WorkspaceId,
  person: string,
  role: Role | null,
  now: number,
) {
  const may: ReadonlySet<Permission> = role === null ? new Set() : mayOfRole(role, []);
  return db
    .update(invitations)
    .set({ revokedAt: now })
    .where(
      and(
        isOpen(workspace),
        eq(invitations.createdBy, person),
        may.has("govern") ? eq(invitations.role, "owner") : undefined,
        may.has("own") ? sql`FALSE` : undefined,
        hasRoleNow(workspace, person, role),
      ),
    );
}

function hasRoleNow(workspace: WorkspaceId, person: string, role: Role | null): SQL {
  const now = sql`(SELECT role FROM members WHERE workspace = ${workspace} AND person = ${person})`;
  return sql`${now} IS ${role}`;
}

function isOpen(workspace: WorkspaceId): SQL | undefined {
  return and(
    eq(invitations.workspace, workspace),
    isNull(invitations.acceptedAt),
    isNull(invitations.revokedAt),
  );
}
