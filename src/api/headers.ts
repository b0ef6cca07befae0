import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./context.ts";
import { DATA_POLICY, PAGE_POLICY, SAFE_HEADERS, SHARED_HEADERS } from "./policy.ts";

/**
 * Adds them to every reply of the Worker. Nothing of it is kept by a cache: it is somebody's own. A
 * handler can say by itself what its page may load, and that other origins may load what it sends.
 */
export function safeHeaders(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    const shared = Object.entries(SHARED_HEADERS).every(
      ([name, value]) => headers.get(name) === value,
    );
    const page = (headers.get("content-type") ?? "").startsWith("text/html");
    for (const [name, value] of Object.entries(SAFE_HEADERS)) headers.set(name, value);
    if (!(page && headers.has("content-security-policy"))) {
      headers.set("content-security-policy", page ? PAGE_POLICY : DATA_POLICY);
    }
    headers.set("cache-control", "no-store");
    if (!shared) return;
    for (const [name, value] of Object.entries(SHARED_HEADERS)) headers.set(name, value);
  };
}
