import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import * as z from "zod";
import { equalConstantTime } from "../carriers/secret.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Set by `npm start` alone, and refused by `npm run deploy`: opens a link that signs in. */
      LOCAL_SIGN_IN?: string;
    }
  }
}

export const LOCAL_PATH = "/local-sign-in";
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Whether links sign in here: only where nobody but this machine gets. */
export function isLocal(env: Env): boolean {
  const { hostname } = new URL(env.PUBLIC_URL);
  return (env.LOCAL_SIGN_IN ?? "").length >= 32 && LOOPBACK.includes(hostname);
}

/** `GET /api/auth/local-sign-in?key=…&email=…` signs in, for the demo of `npm start`; else null. */
export function localSignIn(env: Env): BetterAuthPlugin | null {
  if (!isLocal(env)) return null;
  const query = z.object({ key: z.string(), email: z.string() });
  const open = createAuthEndpoint(LOCAL_PATH, { method: "GET", query }, async (ctx) => {
    const { key, email } = ctx.query;
    const adapter = ctx.context.internalAdapter;
    const good = equalConstantTime(key, env.LOCAL_SIGN_IN ?? "");
    const found = good ? await adapter.findUserByEmail(email) : null;
    if (!found) throw ctx.error("UNAUTHORIZED", { message: "This link signs nobody in." });
    const session = await adapter.createSession(found.user.id);
    await setSessionCookie(ctx, { session, user: found.user });
    throw ctx.redirect("/");
  });
  return { id: "local-sign-in", endpoints: { localSignIn: open } };
}
