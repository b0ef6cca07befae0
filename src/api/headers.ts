import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./context.ts";
import { DATA_POLICY, PAGE_POLICY, SAFE_HEADERS } from "./policy.ts";

/** Adds them to every reply of the Worker. Nothing of it is kept by a cache: it is somebody's own. */
export function safeHeaders(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    const page = (headers.get("content-type") ?? "").startsWith("text/html");
    for (const [name, value] of Object.entries(SAFE_HEADERS)) headers.set(name, value);
    headers.set("content-security-policy", page ? PAGE_POLICY : DATA_POLICY);
    headers.set("cache-control", "no-store");
  };
}
