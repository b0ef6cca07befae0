import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The secret key that the stand-in knows; every other one is wrong. */
export const TURNSTILE_SECRET = "turnstile-secret-of-the-test-suite";

/**
 * Turnstile's own verification, on a port of 127.0.0.1: a token that begins with `good` is good once,
 * or again with the same `idempotency_key`; `slow` is never answered, `broken` is answered by no JSON.
 */
export async function startTurnstile() {
  const used = new Map<string, string>();
  const asked: Record<string, string>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    asked.push(form);
    const { response: token = "", secret, idempotency_key: key = "" } = form;
    if (token === "slow") return;
    if (token === "broken") return void response.writeHead(502).end("<html>");
    const say = (codes: string[]) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ success: codes.length === 0, "error-codes": codes }));
    };
    if (secret !== TURNSTILE_SECRET) return say(["invalid-input-secret"]);
    if (!token.startsWith("good")) return say(["invalid-input-response"]);
    const before = used.get(token);
    if (before !== undefined && before !== key) return say(["timeout-or-duplicate"]);
    used.set(token, key);
    return say([]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/turnstile/v0/siteverify`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
