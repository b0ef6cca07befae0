import type { MiddlewareHandler } from "hono";
import { equalConstantTime } from "../carriers/secret.ts";
import type { Operation } from "../contract/operation.ts";
import { mayOfRole, mayOfScopes, type Permission } from "../core/access.ts";
import { parseWorkspaceId, type WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { readCopies } from "../db/copies.ts";
import { database } from "../db/database.ts";
import { readKey } from "../db/keys.ts";
import { listWorkspacesOf, readMember } from "../db/members.ts";
import type { PushedTask, PushRequest } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { isAway } from "../shell/faults.ts";
import type { Actor, AppEnv, Ctx, LiveTicket, Person } from "./context.ts";
import { invalid, notFound, Refused, take } from "./errors.ts";
import { readKeyText, type ShownKey } from "./key-text.ts";
import { noteUse } from "./key-use.ts";
import { readTicket } from "./live.ts";
import { requestsPerSecond, takeRequest } from "./rate.ts";
import { bringsCookie, readPerson } from "./sign-in.ts";

/** Lets a request in, by what its operation asks for: the one place that asks the table (H37). */
export function access(needed: Operation["access"]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    switch (needed) {
      case "open":
      case "carrier":
        break;
      case "admin":
        checkAdmin(c);
        break;
      case "ticket":
        c.set("ticket", await showTicket(c));
        break;
      case "person":
        c.set("person", await showPerson(c));
        break;
      default:
        await admit(c, needed);
    }
    await next();
    if (c.error !== undefined && c.get("unseen")) await checkUnseen(c);
  };
}

async function admit(c: Ctx, needed: Permission): Promise<void> {
  const text = bearer(c);
  if (text === null && bringsCookie(c)) return admitPerson(c, needed);
  const shown = await showKey(c, text);
  c.set("workspace", shown.workspace);
  // Pushes are hot: the Dialer checks the key by its copy, in the same request.
  if (needed !== "push") return allow(c, await actorOfKey(c, shown), needed);
  c.set("access", { key: shown.key, hash: shown.hash });
  c.set("unseen", true);
}

/** A push that was refused for its body, say: who may not push at all hears that, and only that. */
async function checkUnseen(c: Ctx): Promise<void> {
  const access = c.get("access");
  if (access === null) return;
  try {
    allow(c, await actorOfKey(c, { workspace: c.get("workspace"), ...access }), "push");
  } catch (error) {
    // While D1 is away, what is wrong with the body is all that there is to say.
    if (!isAway(error)) throw error;
  }
}

async function admitPerson(c: Ctx, needed: Permission): Promise<void> {
  const person = await showPerson(c);
  const workspace = await chooseWorkspace(c, person);
  const member = await readMember(database(c.env), workspace, person.id);
  // A workspace of others looks like one that does not exist.
  if (member === null) throw notFound("workspace");
  const { role, grants } = member;
  c.set("workspace", workspace);
  c.set("access", null);
  const { id, email } = person;
  allow(c, { kind: "person", id, email, role, may: mayOfRole(role, grants) }, needed);
}

function allow(c: Ctx, actor: Actor, needed: Permission): void {
  if (!actor.may.has(needed)) {
    const who = actor.kind === "key" ? "This key's scopes do" : `The role ${actor.role} does`;
    throw new Refused(refuse("forbidden", `${who} not allow this.`));
  }
  c.set("actor", actor);
}

/** Whether full numbers, contexts and what was said may be shown; a push's reply says it by itself. */
export function seesPersonal(c: Ctx): boolean {
  return c.get("actor").may.has("see_personal");
}

/** Ends a request that asks for what only `see_personal` may. */
export function mustSeePersonal(c: Ctx, what: string): void {
  if (seesPersonal(c)) return;
  throw new Refused(refuse("forbidden", `${what} is for those who may see full numbers.`));
}

async function showTicket(c: Ctx): Promise<LiveTicket> {
  const ticket = await readTicket(c);
  if (ticket === null) throw unauthorized("Ask for a ticket first: POST /v1/live.");
  return ticket;
}

function checkAdmin(c: Ctx): void {
  const secret = c.env.ADMIN_SECRET;
  const given = bearer(c);
  if (!secret || given === null || !equalConstantTime(given, secret)) {
    throw unauthorized("This needs the deployment's admin secret.");
  }
}

async function showPerson(c: Ctx): Promise<Person> {
  const person = await findVisitor(c);
  if (person === null) throw unauthorized("Sign in first.");
  return person;
}

/** Whoever is signed in, or null. */
export async function findVisitor(c: Ctx): Promise<Person | null> {
  const person = bringsCookie(c) ? await readPerson(c) : null;
  if (person !== null) checkOrigin(c);
  return person;
}

/** What changes something by a cookie, or sets one, must come from a page of ours (`Origin`). */
export function checkOrigin(c: Ctx): void {
  if (c.req.method === "GET" || c.req.method === "HEAD") return;
  const origin = c.req.header("origin");
  if (origin === undefined && !bringsCookie(c)) return;
  if (origin !== new URL(c.env.PUBLIC_URL).origin) {
    throw new Refused(refuse("forbidden", "This does not come from a page of this deployment."));
  }
}

/** The workspace that a person names, by header or, for links, in the query; their only one else. */
async function chooseWorkspace(c: Ctx, person: Person): Promise<WorkspaceId> {
  const named = c.req.header("x-workspace") ?? c.req.query("workspace");
  if (named !== undefined) {
    const id = parseWorkspaceId(named);
    if (id === null) throw notFound("workspace");
    return id;
  }
  const [only, ...others] = await listWorkspacesOf(database(c.env), person.id);
  if (only === undefined) throw notFound("workspace");
  if (others.length > 0) {
    const expected = "the id of one of your workspaces";
    throw invalid({ path: "x-workspace", expected, got: "nothing" });
  }
  return only.id as WorkspaceId;
}

/** A request's key, its MAC checked: a forged one ends here, without I/O. */
async function showKey(c: Ctx, text: string | null): Promise<ShownKey> {
  if (text === null) throw unauthorized("Send a key: Authorization: Bearer <key>.");
  const shown = await readKeyText(c.env.SIGNING_SECRET, text);
  if (shown === null) throw unauthorized("This key is none of ours.");
  const wait = takeRequest(shown.key, requestsPerSecond(c.env), c.get("now"));
  if (wait > 0) {
    const refusal = refuse("too_many_requests", "This key asks too often.");
    throw new Refused(refusal, { "retry-after": String(wait) });
  }
  return shown;
}

async function actorOfKey(c: Ctx, shown: ShownKey): Promise<Actor> {
  const row = await readKey(database(c.env), shown.workspace, shown.key);
  const counts =
    row !== null &&
    equalConstantTime(row.hash, shown.hash) &&
    (row.expiresAt === null || row.expiresAt > c.get("now"));
  if (!counts) throw unauthorized("This key was revoked or has expired.");
  noteUse(c, shown.workspace, shown.key);
  return { kind: "key", id: shown.key, may: mayOfScopes(row.scopes) };
}

/**
 * Pushes with the key checked by the Dialer in the same request. A key that its copy lacks is
 * looked up in D1 and handed over once.
 */
export async function push(
  c: Ctx,
  request: Omit<PushRequest, "access">,
): Promise<{ value: PushedTask[]; personal: boolean }> {
  const workspace = c.get("workspace");
  const access = c.get("access");
  const whole = { ...request, access };
  c.set("unseen", false);
  const reply = await dialerOf(c.env, workspace).push(whole);
  if (reply.ok && access !== null) noteUse(c, workspace, access.key);
  if (reply.ok) return { ...reply, personal: access === null ? seesPersonal(c) : reply.personal };
  if (reply.code !== "unknown_key") throw new Refused(reply);
  if (access === null) throw new Error("bug: a push without a key needs none");
  const copies = await readCopies(database(c.env), workspace, [
    { kind: "workspace", id: workspace },
    { kind: "key", id: access.key },
  ]);
  const known = copies.some((copy) => copy.kind === "key" && copy.doc !== null);
  if (!known) throw unauthorized("This key is unknown.");
  take(await dialerOf(c.env, workspace).putCopies(copies));
  const again = await dialerOf(c.env, workspace).push(whole);
  if (again.ok) return again;
  throw again.code === "unknown_key" ? unauthorized("This key is unknown.") : new Refused(again);
}

/** `Bearer <key>` or the bare key (H39). */
function bearer(c: Ctx): string | null {
  const header = c.req.header("authorization")?.trim() ?? "";
  const text = header.replace(/^bearer\s+/i, "");
  return text === "" ? null : text;
}

export function unauthorized(message: string): Refused {
  return new Refused(refuse("unauthorized", message), { "www-authenticate": "Bearer" });
}
