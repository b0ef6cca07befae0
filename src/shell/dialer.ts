import type { WorkspaceId } from "../core/ids.ts";
import { type DialerVerbs, type LiveVerbs, TICKET_HEADER, type Ticket } from "../dialer/verbs.ts";

/** The Dialer of a workspace: there is only ever one. */
export function dialerOf(env: Env, workspace: WorkspaceId): DialerVerbs & LiveVerbs {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace));
  // The namespace is not typed by its class: a stub has its verbs and nothing else we call.
  return stub as unknown as DialerVerbs & LiveVerbs;
}

/** Opens a viewer's socket with a ticket that was checked: 101, or 401 when it was used before. */
export function openLive(env: Env, workspace: WorkspaceId, ticket: Ticket): Promise<Response> {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace));
  const headers = { upgrade: "websocket", [TICKET_HEADER]: JSON.stringify(ticket) };
  return stub.fetch("https://dialer/live", { headers });
}
