import type { WorkspaceId } from "../core/ids.ts";
import { TICKET_HEADER, type Ticket } from "../dialer/verbs.ts";

/** Opens a viewer's socket with a ticket that was checked: 101, or 401 when it was used before. */
export function openLive(env: Env, workspace: WorkspaceId, ticket: Ticket): Promise<Response> {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace));
  const headers = { upgrade: "websocket", [TICKET_HEADER]: JSON.stringify(ticket) };
  return stub.fetch("https://dialer/live", { headers });
}
