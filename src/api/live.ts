import { equalConstantTime, mac } from "../carriers/secret.ts";
import { parseWorkspaceId, type WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { openLive } from "../shell/live.ts";
import type { Ctx, LiveTicket } from "./context.ts";
import { invalid, Refused } from "./errors.ts";
import { randomText } from "./key-text.ts";
import type { Handler } from "./serve.ts";

/** How long a ticket is good, ms. */
const TICKET_MS = 10_000;
const PURPOSE = "live";

export const createTicket: Handler<"POST /v1/live"> = async (c) => {
  const until = c.get("now") + TICKET_MS;
  const head = [c.get("workspace"), c.get("actor").id, randomText(16), until].join(".");
  const ticket = `${head}.${await mac(c.env.SIGNING_SECRET, PURPOSE, head)}`;
  const url = `${c.env.PUBLIC_URL.replace(/^http/, "ws")}/v1/live?ticket=${ticket}`;
  return c.json({ url, expiresAt: until }, 201);
};

/** The ticket that a request brings, or null. Whether it was used before, the object knows. */
export async function readTicket(c: Ctx): Promise<LiveTicket | null> {
  const text = c.req.query("ticket") ?? "";
  const end = text.lastIndexOf(".");
  const [workspaceText = "", actor = "", nonce = "", untilText = ""] = text
    .slice(0, end)
    .split(".");
  const proof = await mac(c.env.SIGNING_SECRET, PURPOSE, text.slice(0, Math.max(0, end)));
  const workspace = parseWorkspaceId(workspaceText);
  if (workspace === null || !equalConstantTime(proof, text.slice(end + 1))) return null;
  const until = Number(untilText);
  return until > c.get("now") ? { workspace, actor, nonce, until } : null;
}

export const open: Handler<"GET /v1/live"> = async (c) => {
  const origin = c.req.header("origin");
  // Browsers always say where a socket's page is from; only ours may open one.
  if (origin !== undefined && origin !== new URL(c.env.PUBLIC_URL).origin) {
    throw new Refused(refuse("forbidden", "This does not come from a page of this deployment."));
  }
  const upgrade = c.req.header("upgrade") ?? null;
  if (upgrade?.toLowerCase() !== "websocket") {
    throw invalid({ path: "upgrade", expected: "websocket", got: upgrade ?? "nothing" });
  }
  const { workspace, ...ticket } = c.get("ticket");
  const opened = await openLive(c.env, workspace, ticket);
  // A reply of its own: what an object answers with takes no more headers.
  if (opened.status === 101)
    return new Response(null, { status: 101, webSocket: opened.webSocket });
  throw new Refused(refuse("unauthorized", "This ticket was used before, or is too old."));
};

/** Closes the sockets of whoever has lost his access; one that stays open ends by itself in minutes. */
export async function endLive(c: Ctx, workspace: WorkspaceId, actor: string): Promise<void> {
  try {
    await dialerOf(c.env, workspace).endLive(actor);
  } catch (error) {
    logFault("live", error, { workspace });
  }
}
