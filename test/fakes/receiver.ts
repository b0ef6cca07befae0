import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A receiver of webhooks in a process of its own, as somebody would write it from the Standard
 * Webhooks specification: `node test/fakes/receiver.ts [port]` prints its address. Each path is a
 * receiver of its own; `/_/set` tells one how to answer, `/_/seen` says what has come.
 */

/** How a path answers, and the secrets whose signatures it takes. */
type Behaviour = {
  status: number;
  headers: Record<string, string>;
  text: string;
  delayMs: number;
  /** After so many answers like this, 200. */
  times: number | null;
  secret: string | null;
};

export type Received = {
  id: string;
  at: number;
  /** Whether its signature is of the secret; null where none was told. */
  signed: boolean | null;
  signatures: number;
  status: number;
  body: { type?: string; sequence?: number; data?: Record<string, unknown> } & Record<
    string,
    unknown
  >;
};

const DEFAULT: Behaviour = {
  status: 200,
  headers: {},
  text: "ok",
  delayMs: 0,
  times: null,
  secret: null,
};
const TOLERANCE_S = 300;

const behaviours = new Map<string, Behaviour>();
const seen = new Map<string, Received[]>();

function isSigned(secret: string, headers: http.IncomingHttpHeaders, text: string): boolean {
  const at = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(Date.now() / 1_000 - at) <= TOLERANCE_S)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  const wanted = createHmac("sha256", key).update(signed).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .some((one) => {
      const [version, signature = ""] = one.split(",");
      const given = Buffer.from(signature, "base64");
      return version === "v1" && given.length === wanted.length && timingSafeEqual(given, wanted);
    });
}

async function textOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function control(path: string, asked: Record<string, unknown>): unknown {
  const about = String(asked.path);
  if (path === "/_/set") {
    const { path: _, ...behaviour } = asked;
    const before = behaviours.get(about) ?? DEFAULT;
    behaviours.set(about, { ...DEFAULT, secret: before.secret, ...behaviour } as Behaviour);
    return {};
  }
  if (path === "/_/seen") return { items: seen.get(about) ?? [] };
  if (path === "/_/all") return { paths: Object.fromEntries(seen) };
  throw new Error(`no control ${path}`);
}

const server = http.createServer(async (request, response) => {
  const path = request.url ?? "/";
  const text = await textOf(request);
  if (path.startsWith("/_/")) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(control(path, text === "" ? {} : JSON.parse(text))));
    return;
  }
  const behaviour = behaviours.get(path) ?? DEFAULT;
  const { status, headers, delayMs, secret } = behaviour;
  if (behaviour.times !== null) {
    behaviour.times -= 1;
    if (behaviour.times <= 0) behaviours.set(path, { ...DEFAULT, secret });
  }
  const list = seen.get(path) ?? [];
  seen.set(path, list);
  list.push({
    id: String(request.headers["webhook-id"]),
    at: Date.now(),
    signed: secret === null ? null : isSigned(secret, request.headers, text),
    signatures: String(request.headers["webhook-signature"] ?? "").split(" ").length,
    status,
    body: JSON.parse(text) as Received["body"],
  });
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  response.writeHead(status, headers);
  response.end(behaviour.text);
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.stdin.resume().on("end", () => process.exit(0));
