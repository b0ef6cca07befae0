import type { MiddlewareHandler } from "hono";
import { equalConstantTime } from "../carriers/secret.ts";
import type { Operation } from "../contract/operation.ts";
import { refuse } from "../core/result.ts";
import { covers, type Scope } from "../core/scope.ts";
import { readCopies } from "../db/copies.ts";
import { database } from "../db/database.ts";
import { readKey } from "../db/keys.ts";
import type { PushedTask, PushRequest } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import type { AppEnv, Ctx } from "./context.ts";
import { Refused, take } from "./errors.ts";
import { readKeyText, type ShownKey } from "./key-text.ts";
import { requestsPerSecond, takeRequest } from "./rate.ts";

/** Lets a request in, by what its operation asks for. */
export function access(needed: Operation["access"]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    switch (needed) {
      case "open":
      case "carrier":
        break;
      case "admin":
        checkAdmin(c);
        break;
      case "push": {
        const shown = await showKey(c);
        c.set("access", { key: shown.key, hash: shown.hash, scope: "write" });
        break;
      }
      default:
        await checkKey(c, await showKey(c), needed);
    }
    await next();
  };
}

function checkAdmin(c: Ctx): void {
  const secret = c.env.ADMIN_SECRET;
  const given = bearer(c);
  if (!secret || given === null || !equalConstantTime(given, secret)) {
    throw unauthorized("This needs the deployment's admin secret.");
  }
}

/** The request's key, its MAC checked: a forged one ends here, without I/O. */
async function showKey(c: Ctx): Promise<ShownKey> {
  const text = bearer(c);
  if (text === null) throw unauthorized("Send a key: Authorization: Bearer <key>.");
  const shown = await readKeyText(c.env.SIGNING_SECRET, text);
  if (shown === null) throw unauthorized("This key is none of ours.");
  const wait = takeRequest(shown.key, requestsPerSecond(c.env), c.get("now"));
  if (wait > 0) {
    const refusal = refuse("too_many_requests", "This key asks too often.");
    throw new Refused(refusal, { "retry-after": String(wait) });
  }
  c.set("workspace", shown.workspace);
  c.set("key", shown.key);
  return shown;
}

async function checkKey(c: Ctx, shown: ShownKey, scope: Scope): Promise<void> {
  const row = await readKey(database(c.env), shown.workspace, shown.key);
  const counts =
    row !== null &&
    equalConstantTime(row.hash, shown.hash) &&
    (row.expiresAt === null || row.expiresAt > c.get("now"));
  if (!counts) throw unauthorized("This key was revoked or has expired.");
  if (!covers(row.scopes, scope)) {
    throw new Refused(refuse("forbidden", `This key's scopes do not cover ${scope}.`));
  }
}

/**
 * Pushes with the key checked by the Dialer in the same request. A key that its copy lacks is
 * looked up in D1 and handed over once.
 */
export async function push(c: Ctx, request: Omit<PushRequest, "access">): Promise<PushedTask[]> {
  const workspace = c.get("workspace");
  const whole = { ...request, access: c.get("access") };
  const reply = await dialerOf(c.env, workspace).push(whole);
  if (reply.ok || reply.code !== "unknown_key") return take(reply);
  const copies = await readCopies(database(c.env), workspace, [
    { kind: "workspace", id: workspace },
    { kind: "key", id: whole.access.key },
  ]);
  if (!copies.some((copy) => copy.kind === "key")) throw unauthorized("This key is unknown.");
  take(await dialerOf(c.env, workspace).putCopies(copies));
  const again = await dialerOf(c.env, workspace).push(whole);
  if (!again.ok && again.code === "unknown_key") throw unauthorized("This key is unknown.");
  return take(again);
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
