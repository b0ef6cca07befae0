import { outboundOf } from "../carriers/outbound.ts";
import { unseal } from "../carriers/seal.ts";
import { refuse } from "../core/result.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { invalid, Refused } from "./errors.ts";
import type { OpenForm } from "./form-of.ts";
import { sha256 } from "./key-text.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Where Turnstile's tokens are verified; Cloudflare's own address when left out. */
      TURNSTILE_URL?: string;
    }
  }
}

const PLATFORM = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
const GIVE_UP_MS = 5_000;
const INPUT = "cf-turnstile-response";

/**
 * Ends the request unless Turnstile says that a person sent it; where a form has no key it asks
 * nobody. Where Turnstile does not answer nothing is dialled: a 503.
 */
export async function mustBePerson(c: Ctx, form: OpenForm, token: string | null): Promise<void> {
  if (form.sealed === null) return;
  const expected = "the check that you are a person, done just now";
  if (token === null) throw invalid({ path: INPUT, expected, got: "nothing" });
  const address = c.req.header("cf-connecting-ip");
  const body = new URLSearchParams({
    secret: await unseal(c.env, form.sealed),
    response: token,
    // A token counts once: a second click asks the same question.
    idempotency_key: await uuidOf(token),
    ...(address === undefined ? {} : { remoteip: address }),
  });
  const said = await ask(c, body);
  if (said.success === true) return;
  // Our own mistake, which whoever fills in the form cannot mend.
  if (said.codes.some((code) => code.endsWith("-input-secret"))) throw away();
  throw invalid({ path: INPUT, expected, got: "one that has failed or expired" });
}

async function ask(c: Ctx, body: URLSearchParams): Promise<{ success: boolean; codes: string[] }> {
  try {
    const response = await outboundOf(c.env).fetch(c.env.TURNSTILE_URL ?? PLATFORM, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    const said = (await response.json()) as { success?: unknown; "error-codes"?: unknown };
    const codes = Array.isArray(said["error-codes"]) ? said["error-codes"].map(String) : [];
    if (codes.includes("internal-error")) throw new Error("Turnstile has an error of its own");
    if (typeof said.success !== "boolean") throw new Error(`Turnstile said ${response.status}`);
    return { success: said.success, codes };
  } catch (error) {
    logFault("turnstile", error instanceof Error ? new Error(error.name) : error, {});
    throw away();
  }
}

function away(): Refused {
  const message = "The check that you are a person does not work right now: try again in a minute.";
  return new Refused(refuse("unavailable", message), { "retry-after": "60" });
}

/** The same for the same token. */
async function uuidOf(token: string): Promise<string> {
  const hex = await sha256(token);
  const at = (from: number, to: number) => hex.slice(from, to);
  return [at(0, 8), at(8, 12), `4${at(13, 16)}`, `a${at(17, 20)}`, at(20, 32)].join("-");
}
