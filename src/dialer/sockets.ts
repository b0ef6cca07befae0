import { isWatch, type Watch } from "../core/live.ts";
import type { Viewer } from "./live.ts";
import type { Ticket } from "./verbs.ts";

/** A socket is closed after so long, and its page asks for another ticket: rights may have changed, ms. */
const SOCKET_MAX_MS = 15 * 60_000;
/** Close codes of ours. */
const TIME_IS_UP = 4001;
const ACCESS_ENDED = 4003;
const NOT_UNDERSTOOD = 1003;
const MESSAGE_CHARS_MAX = 16_384;

type Attachment = { watch: Watch; until: number };

/**
 * The viewers' sockets (H34). They hibernate: what a viewer watches is his socket's attachment, and
 * the platform answers pings by itself. Each has the actor's id as its tag.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  /** Tickets that were used and could be tried again: an object that was evicted meanwhile was idle for longer than they last. */
  readonly #used = new Map<string, number>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** Opens a socket; null when the ticket was used before or is too old. */
  open(ticket: Ticket, now: number): { client: WebSocket; viewer: Viewer } | null {
    for (const [nonce, until] of this.#used) if (until <= now) this.#used.delete(nonce);
    if (ticket.until <= now || this.#used.has(ticket.nonce)) return null;
    this.#used.set(ticket.nonce, ticket.until);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [ticket.actor]);
    const watch = { campaign: null, tasks: [] };
    server.serializeAttachment({ watch, until: now + SOCKET_MAX_MS } satisfies Attachment);
    return { client, viewer: viewerOf(server) };
  }

  /** What a viewer says he looks at now; null, and his socket closed, when it is nothing of that kind. */
  heard(socket: WebSocket, message: string | ArrayBuffer): Viewer | null {
    const watch = readWatch(message);
    if (watch === null) {
      socket.close(NOT_UNDERSTOOD, "Send {campaign, tasks}.");
      return null;
    }
    const { until } = attachmentOf(socket);
    socket.serializeAttachment({ watch, until } satisfies Attachment);
    return viewerOf(socket);
  }

  /** Those who look; whose time is up goes. */
  viewers(now: number): Viewer[] {
    const open: Viewer[] = [];
    for (const socket of this.#ctx.getWebSockets()) {
      if (socket.readyState !== WebSocket.OPEN) continue;
      if (attachmentOf(socket).until > now) open.push(viewerOf(socket));
      else socket.close(TIME_IS_UP, "Ask for another ticket.");
    }
    return open;
  }

  /** Ends what this person or key looks at. */
  end(actor: string): void {
    for (const socket of this.#ctx.getWebSockets(actor))
      socket.close(ACCESS_ENDED, "Access ended.");
  }

  /** Nobody looks any more. */
  endAll(): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(ACCESS_ENDED, "Access ended.");
  }
}

function viewerOf(socket: WebSocket): Viewer {
  return {
    watch: attachmentOf(socket).watch,
    send: (text) => {
      try {
        socket.send(text);
      } catch {
        // He has gone; the platform says so in a moment.
      }
    },
  };
}

function attachmentOf(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

function readWatch(message: string | ArrayBuffer): Watch | null {
  if (typeof message !== "string" || message.length > MESSAGE_CHARS_MAX) return null;
  try {
    const value: unknown = JSON.parse(message);
    return isWatch(value) ? value : null;
  } catch {
    return null;
  }
}
