import { equalConstantTime } from "../carriers/secret.ts";
import type { OPERATIONS } from "../contract/operations.ts";
import { type InvitationId, makeId, parseId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { brokeConstraint, database } from "../db/database.ts";
import {
  acceptInvitation,
  type InvitationRow,
  insertInvitation,
  listInvitations,
  readOpenInvitation,
  revokeInvitation,
} from "../db/invitations.ts";
import { findMember } from "../db/members.ts";
import { findPersonByEmail, type NewPerson } from "../db/people.ts";
import { readWorkspaceRow } from "../db/workspaces.ts";
import { logFault } from "../shell/faults.ts";
import { canMail, sendMail } from "../shell/mailer.ts";
import { checkOrigin, findVisitor } from "./auth.ts";
import type { Ctx } from "./context.ts";
import { entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { randomText, sha256 } from "./key-text.ts";
import { limitAccount, limitAddress } from "./limits.ts";
import { mapPage, pageRequest } from "./list.ts";
import { hashNewPassword } from "./password.ts";
import { mustOwn } from "./people.ts";
import type { Handler, Input } from "./serve.ts";
import { startSession } from "./sign-in.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const TOKEN = /^(inv_[a-z0-9]{6,16}_[a-z0-9]{1,16})_[a-z0-9]{32}$/;

export const create: Handler<"POST /v1/invitations"> = async (c, { body }) => {
  const { email, role, grants, expiresInDays } = body;
  const workspace = c.get("workspace");
  const db = database(c.env);
  mustOwn(c, role);
  if (!canMail(c.env)) {
    const message =
      "No mail is set up here, and an invitation is mailed: see docs/security.md, Mails.";
    throw new Refused(refuse("conflict", message));
  }
  if ((await findMember(db, workspace, { email })) !== null) {
    throw new Refused(refuse("conflict", "This address belongs to the workspace already."));
  }
  const actor = c.get("actor");
  await limitAddress(c, "invite");
  await limitAccount(c, "invite", actor.id);
  await limitAccount(c, "invitation", email);
  const now = c.get("now");
  const id = makeId("inv", workspace, randomText(10));
  const token = `${id}_${randomText(32)}`;
  const row = {
    ...{ id, email, role, grants, hash: await sha256(token), createdBy: actor.id },
    createdAt: now,
    expiresAt: now + expiresInDays * DAY_MS,
  };
  const deed = { action: "invitation.create", targetKind: "invitation", target: id };
  const entry = entryOf(c, { ...deed, after: { email, role, grants } });
  await insertInvitation(db, workspace, row, entry);
  await mail(c, row, token);
  return c.json(invitationWire(row), 201);
};

async function mail(
  c: Ctx,
  { email, role, expiresAt }: Pick<InvitationRow, "email" | "role" | "expiresAt">,
  token: string,
): Promise<void> {
  const row = await readWorkspaceRow(database(c.env), c.get("workspace"));
  const name = row?.name ?? "a workspace";
  const until = new Date(expiresAt).toUTCString();
  const text = [
    `You are invited to ${name} at outdial, as ${role}. Accept until ${until}:`,
    `${c.env.PUBLIC_URL}/invitations/${token}`,
    "If you do not know what this is about, do nothing.",
  ].join("\n\n");
  try {
    await sendMail(c.env, { to: email, subject: `Join ${name} at outdial`, text });
  } catch (error) {
    logFault("mail", error, { what: "invitation", requestId: c.get("requestId") });
    const message = "The mail was not taken: invite again, which ends this invitation.";
    throw new Refused(refuse("unavailable", message), { "retry-after": "5" });
  }
}

export const list: Handler<"GET /v1/invitations"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listInvitations(database(c.env), c.get("workspace"), page);
  return c.json(mapPage(found, invitationWire));
};

export const revoke: Handler<"DELETE /v1/invitations/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const id = parseId("inv", params.id);
  if (id?.workspace !== workspace) throw notFound("invitation");
  const deed = { action: "invitation.revoke", targetKind: "invitation", target: id.id };
  if (!(await revokeInvitation(database(c.env), workspace, id.id, entryOf(c, deed)))) {
    throw notFound("invitation");
  }
  return c.body(null, 204);
};

export const look: Handler<"GET /invitations/{token}"> = async (c, { params }) => {
  await limitAddress(c, "invitation");
  const { workspace, workspaceName, email, role, expiresAt } = await find(c, params.token);
  const known = (await findPersonByEmail(database(c.env), email)) !== null;
  const whole = { id: workspace, name: workspaceName };
  c.header("cache-control", "no-store");
  return c.json({ workspace: whole, email, role, expiresAt, known });
};

export const accept: Handler<"POST /invitations/{token}"> = async (c, { params, body }) => {
  checkOrigin(c);
  await limitAddress(c, "invitation");
  const invitation = await find(c, params.token);
  const { email, workspace, role, grants } = invitation;
  const visitor = await findVisitor(c);
  if (visitor !== null && visitor.email !== email) {
    const message = "This invitation is for another address than the one you are signed in with.";
    throw new Refused(refuse("forbidden", message));
  }
  const fresh = visitor === null ? await newcomer(c, email, body) : null;
  const person = visitor ?? { id: fresh?.id ?? "", name: fresh?.name ?? "", email };
  c.set("person", person);
  const deed = { action: "person.join", targetKind: "person", target: person.id };
  const entry = entryOf(c, { ...deed, after: { role, grants } });
  try {
    await acceptInvitation(database(c.env), invitation, person.id, fresh, entry);
  } catch (error) {
    // Accepted or revoked since it was read, or by somebody who belongs already.
    if (brokeConstraint(error, "members")) throw notFound("invitation");
    if (brokeConstraint(error, "people")) throw signInFirst();
    throw error;
  }
  if (fresh !== null) await startSession(c, email, body.password ?? "");
  return c.json({ workspace, person: person.id, role }, 201);
};

/** Who comes to be by accepting. */
async function newcomer(
  c: Ctx,
  email: string,
  { name, password }: Input<(typeof OPERATIONS)["POST /invitations/{token}"]>["body"],
): Promise<NewPerson> {
  if ((await findPersonByEmail(database(c.env), email)) !== null) throw signInFirst();
  if (name === undefined) throw invalid({ path: "name", expected: "a name", got: "nothing" });
  const passwordHash = await hashNewPassword(c.env, password ?? "");
  return { id: randomText(20), name, email, passwordHash };
}

function signInFirst(): Refused {
  return new Refused(refuse("conflict", "Somebody has this address here: sign in, then accept."));
}

/** The invitation that a token opens; whatever is wrong with it, it is unknown. */
async function find(c: Ctx, token: string) {
  const id = TOKEN.exec(token)?.[1];
  const parsed = id === undefined ? null : parseId("inv", id);
  if (parsed === null) throw notFound("invitation");
  const { workspace } = parsed;
  const now = c.get("now");
  const row = await readOpenInvitation(database(c.env), workspace, parsed.id, now);
  if (row === null || !equalConstantTime(row.hash, await sha256(token))) {
    throw notFound("invitation");
  }
  return row;
}

function invitationWire(
  row: Pick<
    InvitationRow,
    "id" | "email" | "role" | "grants" | "createdBy" | "createdAt" | "expiresAt"
  >,
) {
  const { email, role, grants, createdBy, createdAt, expiresAt } = row;
  return { id: row.id as InvitationId, email, role, grants, createdBy, createdAt, expiresAt };
}
