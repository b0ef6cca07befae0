import ipaddr from "ipaddr.js";
import { mac } from "../carriers/secret.ts";
import { refuse } from "../core/result.ts";
import { type Allowance, countAttempt, forgetAttempts } from "../db/attempts.ts";
import { database } from "../db/database.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { Refused } from "./errors.ts";

const MINUTE_MS = 60_000;
/** As `ATTEMPTS` in wrangler.toml. */
const OF_ADDRESS: Allowance = { max: 30, windowMs: MINUTE_MS };

/** What one account, wherever it is asked from, may be tried at; below ASVS 2.2.1's 100 an hour. */
const OF_ACCOUNT = {
  "sign-in": { max: 10, windowMs: 15 * MINUTE_MS },
  reset: { max: 5, windowMs: 60 * MINUTE_MS },
  /** Mails to one address. */
  invitation: { max: 5, windowMs: 60 * MINUTE_MS },
  /** Mails by one who invites. */
  invite: { max: 50, windowMs: 60 * MINUTE_MS },
} as const satisfies Record<string, Allowance>;
type Tried = keyof typeof OF_ACCOUNT;

/** Counts an attempt of the request's address; IPv6 by its network of 64 bits. */
export async function limitAddress(c: Ctx, what: string): Promise<void> {
  const address = networkOf(c.req.header("cf-connecting-ip") ?? "");
  // On the edge there always is one.
  if (address === null) return;
  const key = `address:${what}:${address}`;
  // Not every account has it.
  const platform = c.env.ATTEMPTS as RateLimit | undefined;
  try {
    if (platform !== undefined) {
      const { success } = await platform.limit({ key });
      if (!success) throw tooMany(OF_ADDRESS.windowMs);
      return;
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    logFault("rate limit", error, {});
  }
  await count(c, key, OF_ADDRESS);
}

/** Counts an attempt at an account, whether there is one or not. */
export async function limitAccount(c: Ctx, what: Tried, account: string): Promise<void> {
  await count(c, `${what}:${account.toLowerCase()}`, OF_ACCOUNT[what]);
}

/** One code of a second factor is good for one try, for as long as it could be right. */
export async function limitCode(c: Ctx, person: string, code: string): Promise<void> {
  await count(c, `code:${person}:${code}`, { max: 1, windowMs: 2 * MINUTE_MS });
}

/** Forgets the attempts at an account: they led in. */
export async function forgive(c: Ctx, what: Tried, account: string): Promise<void> {
  const key = await hashed(c, `${what}:${account.toLowerCase()}`);
  await forgetAttempts(database(c.env), key);
}

async function count(c: Ctx, key: string, allowance: Allowance): Promise<void> {
  const db = database(c.env);
  const waitMs = await countAttempt(db, await hashed(c, key), allowance, c.get("now"));
  if (waitMs > 0) throw tooMany(waitMs);
}

function hashed(c: Ctx, key: string): Promise<string> {
  return mac(c.env.SIGNING_SECRET, "attempt", key);
}

function tooMany(waitMs: number): Refused {
  const refusal = refuse("too_many_requests", "Too many attempts: wait, then try again.");
  return new Refused(refusal, { "retry-after": String(Math.ceil(waitMs / 1000)) });
}

function networkOf(text: string): string | null {
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv6) return address.parts.slice(0, 4).join(":");
  return address.toString();
}
