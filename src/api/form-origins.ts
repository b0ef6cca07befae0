import type { Hono } from "hono";
import { refuse } from "../core/result.ts";
import type { AppEnv, Ctx } from "./context.ts";
import { notFound, Refused } from "./errors.ts";
import { openForm } from "./form-of.ts";

/** How long a browser remembers that a page may post, seconds. */
const REMEMBERED_S = "600";

/**
 * CORS, the only one there is: a form's answers can be read by pages of its list, and a browser that
 * asks beforehand hears that such a page may post. No cookie goes either way.
 */
export function serveOrigins(app: Hono<AppEnv>): void {
  app.use("/f/:id", async (c, next) => {
    const origin = c.req.header("origin");
    if (c.req.method === "OPTIONS") return preflight(c, origin);
    await next();
    if (origin !== undefined && (await isListed(c, origin))) allow(c.res.headers, origin);
    c.res.headers.append("vary", "Origin");
  });
}

async function preflight(c: Ctx, origin: string | undefined): Promise<Response> {
  if ((await formOf(c)) === null) throw notFound("form");
  if (origin === undefined || !(await isListed(c, origin))) {
    throw new Refused(refuse("forbidden", "This form's list has no such page."));
  }
  const headers = new Headers({ vary: "Origin", "access-control-max-age": REMEMBERED_S });
  headers.set("access-control-allow-methods", "GET, POST");
  headers.set("access-control-allow-headers", "content-type");
  allow(headers, origin);
  return new Response(null, { status: 204, headers });
}

function allow(headers: Headers, origin: string): void {
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", "retry-after, x-request-id");
}

async function isListed(c: Ctx, origin: string): Promise<boolean> {
  return (await formOf(c))?.settings.origins.includes(origin) ?? false;
}

/** While D1 is away no origin is known, and the handler says so by itself. */
function formOf(c: Ctx) {
  return openForm(c.env, c.req.param("id") ?? "", c.get("now")).catch(() => null);
}
