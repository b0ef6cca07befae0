import type { Idempotency } from "../dialer/verbs.ts";
import type { Ctx } from "./context.ts";
import { invalid } from "./errors.ts";
import { sha256 } from "./key-text.ts";

const LENGTH_MAX = 200;

/** A request's `Idempotency-Key` with the hash of its raw body, or null without one (H9). */
export async function idempotency(c: Ctx, route: string): Promise<Idempotency | null> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return null;
  if (key.length === 0 || key.length > LENGTH_MAX) {
    const expected = `1 to ${LENGTH_MAX} characters`;
    throw invalid({ path: "Idempotency-Key", expected, got: `${key.length} characters` });
  }
  return { route, key, bodyHash: await sha256(await c.req.text()) };
}
