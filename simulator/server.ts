import * as http from "node:http";
import type { Exchange } from "./exchange.ts";
import { BadRequest, isRecord, readBehaviour, readDial } from "./settings.ts";
import type { Call } from "./speech.ts";
import { makeTone, readRange } from "./wav.ts";

const BODY_MAX = 1_048_576;
const DIALS_PAGE = 10_000;
/** What was answered; null where nothing was, or not yet. */
type Reply = http.ServerResponse | null;

const UNAUTHORIZED = [401, "unauthorized", "Bearer with the API key is missing or wrong"] as const;

/** The voice platform's API under `/v1`, with the API key; the tests' under `/_`, without. */
export function makeServer(exchange: Exchange, apiKey: string): http.Server {
  const tone = makeTone(440);
  const server = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      if (error instanceof BadRequest) refuse(response, 400, "invalid_request", error.message);
      else refuse(response, 500, "internal", String(error));
    });
  });
  // A connection that closes while it is being used again would look like a lost answer.
  server.keepAliveTimeout = 0;
  return server;

  async function handle(
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<Reply> {
    const url = new URL(request.url ?? "/", "http://simulator");
    const text = await readBody(request);
    if (text === null) return refuse(response, 413, "too_large", `at most ${BODY_MAX} bytes`);
    const route = `${request.method} ${url.pathname}`;
    if (url.pathname.startsWith("/_/")) return admin(route, url, text, response);
    if (route === "POST /v1/calls") return dial(request, text, response);
    const outage = exchange.outage();
    if (outage === "cut") return cut(request);
    if (outage !== null) return refuse(response, Number(outage), "unavailable", "out of service");
    if (!isAuthorized(request)) return refuse(response, ...UNAUTHORIZED);
    return read(route, url, request, response);
  }

  function isAuthorized(request: http.IncomingMessage): boolean {
    return request.headers.authorization === `Bearer ${apiKey}`;
  }

  /** Each dial is counted, whatever becomes of it. */
  async function dial(
    request: http.IncomingMessage,
    text: string,
    response: http.ServerResponse,
  ): Promise<Reply> {
    const { tally } = exchange;
    const body = parse(text);
    const metadata = isRecord(body) && isRecord(body.metadata) ? body.metadata : {};
    const entry = tally.ask(
      textOf(isRecord(body) ? body.to : null) ?? "",
      textOf(isRecord(body) ? body.from : null) ?? "",
      textOf(metadata.callId),
    );
    const turnDown = (status: number, code: string, message: string): Reply => {
      tally.refuse(entry, `${status} ${code}`);
      return refuse(response, status, code, message);
    };
    const lose = (): Reply => {
      tally.lose(entry);
      return cut(request);
    };
    const outage = exchange.outage();
    if (outage === "cut") return lose();
    if (outage !== null) return turnDown(Number(outage), "unavailable", "out of service");
    if (!isAuthorized(request)) return turnDown(...UNAUTHORIZED);
    let asked: ReturnType<typeof readDial>;
    try {
      asked = readDial(body);
    } catch (error) {
      return turnDown(400, "invalid_request", error instanceof Error ? error.message : "");
    }
    const call = exchange.ask(asked, entry);
    if ("status" in call) return turnDown(call.status, call.code, "this call is not taken");
    entry.answer = "202";
    const accept = (): Reply => send(response, 202, { id: call.id, status: "dialling" });
    switch (call.plan.answer.fault) {
      case null:
        return accept();
      case "lost":
      case "lost_undialled":
        return lose();
      case "error":
        entry.answer = "500 internal";
        return refuse(response, 500, "internal", "something went wrong");
      case "unreadable":
        response.writeHead(202, { "content-type": "text/html" });
        return response.end("<html>Accepted");
      case "after_end":
        await exchange.delivery.endReported(call);
        return accept();
      case "slow":
      case "overdue":
        setTimeout(accept, call.plan.answer.waitMs);
        return null;
    }
  }

  function read(
    route: string,
    url: URL,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Reply {
    if (route === "GET /v1/account") {
      const { capacity } = exchange;
      return send(response, 200, {
        name: "Simulated carrier",
        callsInFlight: exchange.tally.inFlight,
        capacity,
      });
    }
    if (route === "GET /v1/calls") {
      const callId = url.searchParams.get("callId");
      if (callId === null) throw new BadRequest("callId: expected an id");
      return send(response, 200, { calls: exchange.findOurs(callId).map(view) });
    }
    const match = /^(GET|POST) \/v1\/(calls|recordings)\/([\w-]+)(\/end|\.wav)?$/.exec(route);
    const call = match === null ? null : exchange.find(match[3] ?? "");
    if (match === null || call === null) {
      return refuse(response, 404, "not_found", "no such route, call or recording");
    }
    switch (`${match[1]} ${match[2]}${match[4] ?? ""}`) {
      case "GET calls":
        return send(response, 200, view(call));
      case "POST calls/end":
        exchange.end(call);
        return send(response, 200, view(call));
      case "GET recordings.wav":
        if (call.answeredAt !== null && call.endedAt !== null && !call.plan.bare) {
          return play(request, response);
        }
    }
    return refuse(response, 404, "not_found", "no such route, call or recording");
  }

  function view(call: Call): Record<string, unknown> {
    return exchange.view(call);
  }

  function play(request: http.IncomingMessage, response: http.ServerResponse): Reply {
    const range = readRange(request.headers.range, tone.length);
    const headers = { "content-type": "audio/wav", "accept-ranges": "bytes" };
    if (range === "none") {
      response.writeHead(416, { ...headers, "content-range": `bytes */${tone.length}` });
      return response.end();
    }
    const { start, end } = range ?? { start: 0, end: tone.length - 1 };
    const part = tone.subarray(start, end + 1);
    response.writeHead(range === null ? 200 : 206, {
      ...headers,
      "content-length": part.length,
      ...(range === null ? {} : { "content-range": `bytes ${start}-${end}/${tone.length}` }),
    });
    return response.end(part);
  }

  function admin(route: string, url: URL, text: string, response: http.ServerResponse): Reply {
    switch (route) {
      case "GET /_/dials": {
        const since = Number(url.searchParams.get("since") ?? 0);
        if (!Number.isSafeInteger(since) || since < 0) throw new BadRequest("since: expected n");
        const dials = exchange.tally.since(since, DIALS_PAGE);
        return send(response, 200, { dials, next: since + dials.length });
      }
      case "GET /_/stats":
        return send(response, 200, {
          ...exchange.tally.read(),
          tickOrigin: performance.timeOrigin,
          reports: exchange.delivery.counts,
        });
      case "GET /_/behaviour":
        return send(response, 200, exchange.behaviour);
      case "POST /_/behaviour":
        exchange.behave(readBehaviour(parse(text), exchange.behaviour));
        return send(response, 200, exchange.behaviour);
      case "POST /_/reset":
        exchange.reset();
        return send(response, 200, {});
      default:
        return refuse(response, 404, "not_found", "no such route");
    }
  }
}

/** A body as text, or null when it is longer than allowed. */
async function readBody(request: http.IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_MAX) chunks.push(chunk);
  }
  return bytes > BODY_MAX ? null : Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function send(response: http.ServerResponse, status: number, body: unknown): Reply {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  return response.end(text);
}

/** Cuts the connection instead of answering. */
function cut(request: http.IncomingMessage): Reply {
  request.socket.destroy();
  return null;
}

function refuse(
  response: http.ServerResponse,
  status: number,
  code: string,
  message: string,
): Reply {
  return send(response, status, { error: { code, message } });
}
