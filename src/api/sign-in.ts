import { waitUntil } from "cloudflare:workers";
import { type BetterAuthPlugin, betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { twoFactor } from "better-auth/plugins/two-factor";
import { PASSWORD_MAX, PASSWORD_MIN } from "../contract/person.ts";
import { database } from "../db/database.ts";
import { isInvited } from "../db/invitations.ts";
import { accounts, people, secondFactors, sessions, verifications } from "../db/schema.ts";
import { logFault } from "../shell/faults.ts";
import { sendMail } from "../shell/mailer.ts";
import type { Ctx, Person } from "./context.ts";
import { sha256 } from "./key-text.ts";
import { localSignIn } from "./local-sign-in.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** With both of a pair set, people may sign in by their account there. */
      GITHUB_CLIENT_ID?: string;
      GITHUB_CLIENT_SECRET?: string;
      GOOGLE_CLIENT_ID?: string;
      GOOGLE_CLIENT_SECRET?: string;
    }
  }
}

export type SignIn = ReturnType<typeof makeSignIn>;

const made = new WeakMap<object, SignIn>();

/** Sign-in of people, made once in an isolate and only where somebody signs in or is. */
export function signIn(env: Env): SignIn {
  const known = made.get(env);
  if (known !== undefined) return known;
  const fresh = makeSignIn(env);
  made.set(env, fresh);
  return fresh;
}

const RESET_SECONDS = 60 * 60;
/** `__Host-`: no other host and no unsafe page can set it. */
const COOKIE_PREFIX = "__Host-outdial";
export const SESSION_COOKIE = `${COOKIE_PREFIX}.session_token`;
export const STEP_COOKIE = `${COOKIE_PREFIX}.two_factor`;
/** Where sign-in answers. */
export const SIGN_IN_PATH = "/api/auth";

function makeSignIn(env: Env) {
  const plugins: BetterAuthPlugin[] = [twoFactor({ issuer: "outdial" })];
  const local = localSignIn(env);
  if (local !== null) plugins.push(local);
  return betterAuth({
    appName: "outdial",
    baseURL: env.PUBLIC_URL,
    basePath: SIGN_IN_PATH,
    secret: `sign-in:${env.SIGNING_SECRET}`,
    trustedOrigins: [new URL(env.PUBLIC_URL).origin],
    database: drizzleAdapter(database(env), {
      provider: "sqlite",
      schema: {
        user: people,
        session: sessions,
        account: accounts,
        verification: verifications,
        twoFactor: secondFactors,
      },
    }),
    telemetry: { enabled: false },
    logger: { level: "error", log: (_level, message) => logMistake(message) },
    onAPIError: { errorURL: "/sign-in" },
    // `api/limits.ts` counts.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      // The prefix has its own; better-auth's would stand before it.
      useSecureCookies: false,
      // The prefix demands all of these, over http on loopback, too.
      defaultCookieAttributes: { secure: true, httpOnly: true, sameSite: "lax", path: "/" },
      // Said aloud: its tests' environment would switch them off.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
      backgroundTasks: { handler: (task) => waitUntil(task) },
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN,
      maxPasswordLength: PASSWORD_MAX,
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: ({ user, token }) => mailReset(env, user.email, token),
    },
    // What is mailed, or kept between two steps, opens nothing for whoever reads D1.
    verification: { storeIdentifier: { hash: sha256 } },
    account: { encryptOAuthTokens: true, accountLinking: { requireLocalEmailVerified: true } },
    socialProviders: accountsOf(env),
    user: {
      // Nobody signs up, but whoever was invited may come by an account elsewhere.
      validateUserInfo: async ({ user, source }) => {
        if (source.action !== "create-user") return;
        const invited = await isInvited(database(env), String(user.email ?? ""), Date.now());
        if (!invited || user.emailVerified !== true) return { error: "not_invited" };
      },
    },
    plugins,
  });
}

/** Accounts elsewhere that sign people in, by their settings here. */
export function accountsOf(env: Env) {
  const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET } = env;
  const github =
    GITHUB_CLIENT_ID && GITHUB_CLIENT_SECRET
      ? { github: { clientId: GITHUB_CLIENT_ID, clientSecret: GITHUB_CLIENT_SECRET } }
      : {};
  const google =
    GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET
      ? { google: { clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET } }
      : {};
  return { ...github, ...google };
}

/** The token stands behind `#`: no server's log and no `Referer` gets it. */
async function mailReset(env: Env, to: string, token: string): Promise<void> {
  const text = [
    "Somebody asked for a new password for your account at outdial. If that was you, choose one within an hour:",
    `${env.PUBLIC_URL}/reset-password#token=${token}`,
    "If it was not you, do nothing: your password stays.",
  ].join("\n\n");
  try {
    await sendMail(env, { to, subject: "A new password for outdial", text });
  } catch (error) {
    logFault("mail", error, { what: "reset" });
  }
}

/** What better-auth says of a mistake, without what it quotes. */
function logMistake(message: string): void {
  const error = message.split(":")[0] ?? "";
  console.error(JSON.stringify({ level: "error", event: "sign-in", error: error.slice(0, 200) }));
}

/** Whether the request brings a cookie of ours at all, without a look at it. */
export function bringsCookie(c: Ctx): boolean {
  return (c.req.header("cookie") ?? "").includes(`${COOKIE_PREFIX}.`);
}

/** Who is signed in by the request's cookie, read from D1: a session that was ended is none. */
export async function readPerson(c: Ctx): Promise<Person | null> {
  const found = await signIn(c.env).api.getSession({ headers: c.req.raw.headers });
  if (found === null) return null;
  const { id, name, email } = found.user;
  return { id, name, email };
}

/** Signs somebody in by a password that was set a moment ago: the reply brings the cookie. */
export async function startSession(c: Ctx, email: string, password: string): Promise<void> {
  const reply = await signIn(c.env).api.signInEmail({
    body: { email, password },
    headers: c.req.raw.headers,
    asResponse: true,
  });
  await reply.body?.cancel();
  for (const cookie of reply.headers.getSetCookie()) {
    c.header("set-cookie", cookie, { append: true });
  }
}
