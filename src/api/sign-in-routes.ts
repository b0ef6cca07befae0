import { waitUntil } from "cloudflare:workers";
import * as z from "zod";
import type { Entry } from "../core/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { recordEntry } from "../db/audit.ts";
import { type Db, database } from "../db/database.ts";
import { listWorkspacesOf } from "../db/members.ts";
import { findPersonByEmail, findPersonOfSession, findPersonOfStep } from "../db/people.ts";
import { logFault } from "../shell/faults.ts";
import { checkOrigin } from "./auth.ts";
import { readBytes } from "./body.ts";
import type { Ctx } from "./context.ts";
import { originOf } from "./entry.ts";
import { errorBody, invalid, Refused } from "./errors.ts";
import { sha256 } from "./key-text.ts";
import { forgive, limitAccount, limitAddress, limitCode } from "./limits.ts";
import { isLocal, LOCAL_PATH } from "./local-sign-in.ts";
import { findFault } from "./password.ts";
import { readPerson, SESSION_COOKIE, SIGN_IN_PATH, STEP_COOKIE, signIn } from "./sign-in.ts";

/*
 * What of better-auth is reached under /api/auth, and what is done around it: origin, limits,
 * passwords that are too common, the audit log. All else of it is a 404.
 */

/** What is posted, and the deed that it is where it succeeds. */
const POSTS: Readonly<Record<string, string | null>> = {
  "/sign-in/email": "session.start",
  "/sign-in/social": null,
  "/sign-out": "session.end",
  "/two-factor/verify-totp": "session.start",
  "/two-factor/verify-backup-code": "session.start",
  "/request-password-reset": null,
  "/reset-password": "password.reset",
  "/change-password": "password.change",
  "/update-user": "person.rename",
  "/revoke-session": "session.end",
  "/revoke-sessions": "session.end_all",
  "/revoke-other-sessions": "session.end_others",
  "/two-factor/enable": null,
  "/two-factor/get-totp-uri": "second_factor.show",
  "/two-factor/disable": "second_factor.disable",
  "/two-factor/generate-backup-codes": "second_factor.renew_codes",
};
const GETS = ["/get-session", "/list-sessions", "/callback/github", "/callback/google"];
/** Steps of signing in. */
const LETS_IN = ["/sign-in/email", "/two-factor/verify-totp", "/two-factor/verify-backup-code"];
/** Ask somebody who is signed in for the password: to be tried as often as signing in. */
const ASKS_PASSWORD = [
  "/change-password",
  "/two-factor/enable",
  "/two-factor/get-totp-uri",
  "/two-factor/disable",
  "/two-factor/generate-backup-codes",
];
const BYTES_MAX = 64 * 1024;

const Body = z.record(z.string(), z.unknown());
type Body = z.output<typeof Body>;

/** `GET` and `POST /api/auth/*`. */
export async function answer(c: Ctx): Promise<Response> {
  const path = c.req.path.slice(SIGN_IN_PATH.length);
  if (c.req.method === "POST" && path in POSTS) return post(c, path);
  const local = path === LOCAL_PATH && isLocal(c.env);
  if (c.req.method === "GET" && (local || GETS.includes(path))) return get(c, path);
  const refusal = { code: "not_found", message: "There is no such route." };
  return c.json(errorBody(refusal, c.get("requestId")), 404);
}

async function get(c: Ctx, path: string): Promise<Response> {
  const reply = await ask(c, c.req.raw);
  if (path.startsWith("/callback/") || path === LOCAL_PATH) {
    const token = sessionOf(reply);
    later(c, async (db) => {
      const person = token === null ? null : await findPersonOfSession(db, token);
      if (person !== null) await record(c, person, "session.start", person);
    });
  }
  return reply;
}

async function post(c: Ctx, path: string): Promise<Response> {
  checkOrigin(c);
  await limitAddress(c, "sign-in");
  const body = await readBody(c);
  const step = await stepOf(c, path);
  const account = await accountOf(c, path, body, step);
  await checkPassword(c, path, body);
  if (path === "/request-password-reset") return sendReset(c, body);
  if (path === "/change-password") body.revokeOtherSessions = true;
  const { url, headers } = c.req.raw;
  const named = new Headers(headers);
  named.set("content-type", "application/json");
  named.delete("content-length");
  const init = { method: "POST", headers: named, body: JSON.stringify(body) };
  const reply = await ask(c, new Request(url, init));
  await note(c, path, reply, account, step);
  return reply;
}

/** Who it is about, as far as the request says so: counted where it may be tried too often. */
async function accountOf(
  c: Ctx,
  path: string,
  body: Body,
  step: string | null,
): Promise<{ email: string | null; person: string | null }> {
  const email = typeof body.email === "string" ? body.email : null;
  if (path === "/sign-in/email" && email !== null) {
    await limitAccount(c, "sign-in", email);
    return { email, person: null };
  }
  if (path === "/reset-password") {
    const id = `reset-password:${String(body.token)}`;
    return { email: null, person: await findPersonOfStep(database(c.env), await sha256(id)) };
  }
  if (step !== null) {
    if (path === "/two-factor/verify-totp") await limitCode(c, step, String(body.code));
    return { email: null, person: step };
  }
  const person = POSTS[path] === null && !ASKS_PASSWORD.includes(path) ? null : await readPerson(c);
  if (person !== null && ASKS_PASSWORD.includes(path)) {
    await limitAccount(c, "sign-in", person.email);
  }
  return { email: person?.email ?? null, person: person?.id ?? null };
}

/** Who gave the password and is asked for a second factor, or null. */
async function stepOf(c: Ctx, path: string): Promise<string | null> {
  if (!path.startsWith("/two-factor/verify-")) return null;
  const cookies = c.req.header("cookie") ?? "";
  // Whoever is signed in already is about to switch it on.
  if (signedValue(cookies, SESSION_COOKIE) !== null && (await readPerson(c)) !== null) return null;
  const identifier = signedValue(cookies, STEP_COOKIE);
  if (identifier === null) return null;
  return findPersonOfStep(database(c.env), await sha256(identifier));
}

async function checkPassword(c: Ctx, path: string, body: Body): Promise<void> {
  if (path !== "/change-password" && path !== "/reset-password") return;
  const fault = await findFault(c.env, String(body.newPassword ?? ""));
  if (fault !== null) throw invalid({ path: "newPassword", ...fault });
}

/** Answers before it looks: known and unknown addresses get the same, in the same time. */
async function sendReset(c: Ctx, body: Body): Promise<Response> {
  const email = z.email().max(200).safeParse(body.email);
  if (!email.success) {
    throw invalid({ path: "email", expected: "an email address", got: "something else" });
  }
  await limitAccount(c, "reset", email.data);
  const headers = c.req.raw.headers;
  later(c, async (db) => {
    const known = await findPersonByEmail(db, email.data);
    if (known !== null) await record(c, known.id, "password.ask_reset", null);
    await signIn(c.env).api.requestPasswordReset({ body: { email: email.data }, headers });
  });
  return c.json({ status: true, message: "If we know this address, a mail is on its way." });
}

/** Writes down what came of it, in every workspace of whom it is about. */
async function note(
  c: Ctx,
  path: string,
  reply: Response,
  account: { email: string | null; person: string | null },
  step: string | null,
): Promise<void> {
  const refused = LETS_IN.includes(path) && [400, 401, 429].includes(reply.status);
  const isSecond = path.startsWith("/two-factor/verify-");
  // A password alone lets nobody in whose second factor is asked for now.
  const done = reply.ok && (path !== "/sign-in/email" || sessionOf(reply) !== null);
  const gavePassword = path === "/sign-in/email" || ASKS_PASSWORD.includes(path);
  if (reply.ok && gavePassword && account.email !== null) {
    await forgive(c, "sign-in", account.email);
  }
  const switchedOn = path === "/two-factor/verify-totp" && step === null;
  const deed = switchedOn ? "second_factor.enable" : POSTS[path];
  if (!refused && (!done || !deed)) return;
  if (refused && isSecond && step === null) return;
  later(c, async (db) => {
    const { email } = account;
    const known = email === null ? null : await findPersonByEmail(db, email);
    const person = account.person ?? known?.id ?? null;
    if (person === null) return;
    // Who failed to sign in may be anybody.
    if (refused) await record(c, person, "session.refuse", null);
    else await record(c, person, deed ?? "", person);
  });
}

async function record(c: Ctx, person: string, action: string, actor: string | null): Promise<void> {
  const db = database(c.env);
  const workspaces = await listWorkspacesOf(db, person);
  const { ip, requestId } = originOf(c);
  const entry: Entry = {
    actorKind: actor === null ? "outdial" : "person",
    ...{ actor, ip, requestId, action, targetKind: "person", target: person, at: c.get("now") },
  };
  const [first, ...others] = workspaces.map(({ id }) => recordEntry(db, id as WorkspaceId, entry));
  if (first !== undefined) await db.batch([first, ...others]);
}

/** After the reply, so that it takes the same time for whom we know and whom we do not. */
function later(c: Ctx, work: (db: Db) => Promise<void>): void {
  const requestId = c.get("requestId");
  waitUntil(
    work(database(c.env)).catch((error: unknown) => {
      logFault("sign-in", error, { requestId });
    }),
  );
}

async function ask(c: Ctx, request: Request): Promise<Response> {
  const reply = await signIn(c.env).handler(request);
  if (reply.status >= 500) {
    await reply.body?.cancel();
    const message = "Something outdial needs is away: try again.";
    throw new Refused(refuse("unavailable", message), { "retry-after": "1" });
  }
  const own = new Response(reply.body, reply);
  own.headers.set("cache-control", "no-store");
  return own;
}

async function readBody(c: Ctx): Promise<Body> {
  const text = new TextDecoder().decode(await readBytes(c, BYTES_MAX));
  try {
    return Body.parse(JSON.parse(text === "" ? "{}" : text));
  } catch {
    throw new Refused({ code: "invalid_json", message: "The body is no JSON object." });
  }
}

/** The token of the session that a reply starts, or null. */
function sessionOf(reply: Response): string | null {
  return signedValue(reply.headers.getSetCookie().join("; "), SESSION_COOKIE);
}

/** What a signed cookie of ours says at last, its signature left off; whoever trusts it checks that. */
function signedValue(cookies: string, name: string): string | null {
  const last = cookies.split(/; */).findLast((part) => part.startsWith(`${name}=`));
  const value = last?.slice(name.length + 1) ?? "";
  const dot = value.lastIndexOf(".");
  return dot > 0 ? value.slice(0, dot) : null;
}
