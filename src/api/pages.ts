import type { Hono } from "hono";
import type { AppEnv } from "./context.ts";

/** Addresses that are a page of the dashboard and a route of the API. */
const BOTH = ["/setup", "/invitations/:token"];

/** Whoever goes there with a browser gets the page, which then asks the route. */
export function servePages(app: Hono<AppEnv>): void {
  app.on("GET", BOTH, async (c, next) => {
    if (!(c.req.header("accept") ?? "").includes("text/html")) return next();
    const page = await c.env.ASSETS.fetch(new URL("/", c.req.url));
    return new Response(page.body, page);
  });
}
