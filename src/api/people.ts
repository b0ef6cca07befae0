import { mayOfRole, PERMISSIONS, type Role } from "../core/access.ts";
import { parseWorkspaceId, type WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import {
  changeMember,
  findMember,
  listMembers,
  listWorkspacesOf,
  type MemberOfWorkspace,
  removeMember,
} from "../db/members.ts";
import { readPersonRow } from "../db/people.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { notFound, Refused } from "./errors.ts";
import { mapPage, pageRequest } from "./list.ts";
import { endLive } from "./live.ts";
import type { Handler } from "./serve.ts";

export const readMe: Handler<"GET /v1/me"> = async (c) => {
  const { id, name, email } = c.get("person");
  const db = database(c.env);
  const [row, workspaces] = await Promise.all([readPersonRow(db, id), listWorkspacesOf(db, id)]);
  return c.json({
    ...{ id, name, email, secondFactor: row?.twoFactorEnabled === true },
    workspaces: workspaces.map(({ role, grants, ...workspace }) => {
      const may = mayOfRole(role, grants);
      return { ...workspace, role, permissions: PERMISSIONS.filter((one) => may.has(one)) };
    }),
  });
};

export const leave: Handler<"DELETE /v1/me/workspaces/{id}"> = async (c, { params }) => {
  const workspace = parseWorkspaceId(params.id);
  if (workspace === null) throw notFound("workspace");
  const { id } = c.get("person");
  const member = await findMember(database(c.env), workspace, { person: id });
  if (member === null) throw notFound("workspace");
  return c.json(await remove(c, workspace, member, "person.leave"));
};

export const list: Handler<"GET /v1/people"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  return c.json(mapPage(await listMembers(database(c.env), c.get("workspace"), page), personWire));
};

export const edit: Handler<"PATCH /v1/people/{id}"> = async (c, { params, body }) => {
  const db = database(c.env);
  const before = await find(c, params.id);
  const after = { role: body.role ?? before.role, grants: body.grants ?? before.grants };
  mustOwn(c, before.role, after.role);
  const { id, role, grants } = personWire(before);
  const deed = { action: "person.edit", targetKind: "person", target: id };
  const entry = entryOf(c, { ...deed, ...changeOf({ role, grants }, after) });
  if (!(await changeMember(db, before, after, entry))) {
    throw await conflict(c, c.get("workspace"), before);
  }
  return c.json(personWire({ ...before, ...after }));
};

export const removeFromWorkspace: Handler<"DELETE /v1/people/{id}"> = async (c, { params }) => {
  const member = await find(c, params.id);
  mustOwn(c, member.role, member.role);
  return c.json(await remove(c, c.get("workspace"), member, "person.remove"));
};

async function find(c: Ctx, person: string): Promise<MemberOfWorkspace> {
  const member = await findMember(database(c.env), c.get("workspace"), { person });
  if (member === null) throw notFound("person");
  return member;
}

async function remove(c: Ctx, workspace: WorkspaceId, member: MemberOfWorkspace, action: string) {
  const { person, role, grants } = member;
  const deed = { action, targetKind: "person", target: person, before: { role, grants } };
  const keys = await removeMember(database(c.env), member, entryOf(c, deed));
  if (keys === null) throw await conflict(c, workspace, member);
  await endLive(c, workspace, person);
  return { id: person, keys };
}

/** Only owners make, change and remove owners. */
export function mustOwn(c: Ctx, ...roles: Role[]): void {
  if (!roles.includes("owner") || c.get("actor").may.has("own")) return;
  throw new Refused(refuse("forbidden", "Only an owner makes, changes and removes owners."));
}

/** Why the one statement that guards it changed nothing. */
async function conflict(
  c: Ctx,
  workspace: WorkspaceId,
  before: MemberOfWorkspace,
): Promise<Refused> {
  const now = await findMember(database(c.env), workspace, { person: before.person });
  if (now === null) return notFound("person");
  const message =
    now.role === before.role
      ? "A workspace always has an owner: make somebody else one first."
      : "The role was changed meanwhile: look, then try again.";
  return new Refused(refuse("conflict", message));
}

function personWire(row: MemberOfWorkspace) {
  return {
    id: row.person,
    name: row.name,
    email: row.email,
    role: row.role,
    grants: row.grants,
    secondFactor: row.secondFactor === true,
    joinedAt: row.createdAt,
  };
}
