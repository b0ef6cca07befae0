import * as z from "zod";
import { instant } from "./fields.ts";
import { operation } from "./operation.ts";

const LiveTicket = z
  .object({
    url: z.string().meta({ description: "Where the socket is, ticket and all; good once" }),
    expiresAt: instant("Good until"),
  })
  .meta({ id: "LiveTicket" });

export const liveOperations = {
  "POST /v1/live": operation({
    id: "createLiveTicket",
    tag: "Live",
    summary: "Get a ticket for the live socket",
    description:
      "The ticket opens one socket of this workspace, within ten seconds. What the socket tells has neither numbers nor texts.",
    access: "see",
    reply: {
      status: 201,
      description: "The ticket",
      schema: LiveTicket,
      example: {
        url: "wss://outdial.example.com/v1/live?ticket=…",
        expiresAt: 1_764_576_010_000,
      },
    },
    refusals: [],
  }),
  "GET /v1/live": operation({
    id: "openLive",
    tag: "Live",
    summary: "Watch the workspace move",
    description:
      "A WebSocket. First comes a snapshot of all live campaigns, then at most four patches a second, and none while nothing changes. Send `{campaign, tasks}` to watch the calls of a campaign and up to 200 tasks: a snapshot of these follows. `gap: true` says that more changed than a message holds: read anew what is shown. Closed after 15 minutes (4001: ask for another ticket) and when the access ends (4003). `ping` is answered `pong`.",
    access: "ticket",
    query: z.object({ ticket: z.string().optional() }),
    reply: { status: 101, description: "The socket" },
    refusals: ["invalid", "forbidden"],
  }),
};
