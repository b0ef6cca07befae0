import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { database } from "../db/database.ts";
import { accounts, people, secondFactors, sessions, verifications } from "../db/schema.ts";
import type { Ctx, Person } from "./context.ts";

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

function makeSignIn(env: Env) {
  return betterAuth({
    appName: "outdial",
    baseURL: env.PUBLIC_URL,
    basePath: "/api/auth",
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
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      // The prefix demands all of these, over http on loopback, too.
      defaultCookieAttributes: { secure: true, httpOnly: true, sameSite: "lax", path: "/" },
    },
    emailAndPassword: { enabled: true, disableSignUp: true },
  });
}

/** `__Host-`: no other host and no unsafe page can set it. */
const COOKIE_PREFIX = "__Host-outdial";

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
