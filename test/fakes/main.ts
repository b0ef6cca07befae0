import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Asked, Fake, FakeCall, Memory, Reply } from "./fake.ts";

/*
 * Vendors in a process of their own, each on a port of its own: `node test/fakes/main.ts <vendor> …`
 * prints their addresses. Beside a vendor's own routes, `/_/` tells it what to do next and what it
 * has seen.
 */

/** One vendor, as long as the process lives; resolves to its address. */
async function serve(vendor: string): Promise<string> {
  const { default: fake } = (await import(`./${vendor}.ts`)) as { default: Fake };
  const calls = new Map<string, FakeCall>();
  const memory: Memory = {
    calls,
    take: (call, id) => {
      const taken = { ...call, id, story: null };
      calls.set(id, taken);
      return taken;
    },
  };
  /** What becomes of the next dial: refused with this, taken without an answer, or both null. */
  let refusal: Reply | null = null;
  let lose = false;
  /** Every request to a route of the vendor's own. */
  let asked = 0;

  function control(path: string, body: Record<string, unknown>): unknown {
    switch (path) {
      case "/_/refuse":
        refusal = fake.refusals[String(body.name)] ?? null;
        return { set: refusal !== null };
      case "/_/answer":
        refusal = body as unknown as Reply;
        return {};
      case "/_/lose":
        lose = true;
        return {};
      case "/_/seen":
        return { calls: [...calls.values()], asked };
      case "/_/knows":
        return { stories: fake.stories, refusals: Object.keys(fake.refusals) };
      case "/_/play": {
        const call = calls.get(String(body.id));
        if (call === undefined) throw new Error(`no call ${body.id}`);
        if (!fake.stories.includes(String(body.story))) throw new Error(`no story ${body.story}`);
        call.story = String(body.story);
        const { at, secret } = body;
        const url = call.reportUrl ?? String(body.url);
        return { reports: fake.reports(call, call.story, Number(at), String(secret), url) };
      }
      default:
        throw new Error(`no control ${path}`);
    }
  }

  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "/", "http://fake");
    const send = (reply: Reply): void => {
      const type = reply.text === undefined ? "application/json" : "application/octet-stream";
      response.writeHead(reply.status, { "content-type": type, ...reply.headers });
      response.end(reply.text ?? JSON.stringify(reply.body ?? {}));
    };
    // What came, for whoever wants to see which headers go where.
    if (url.pathname === "/_/echo") {
      send({ status: 200, body: request.headers });
      return;
    }
    if (url.pathname.startsWith("/_/")) {
      try {
        const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
        send({ status: 200, body: control(url.pathname, body) });
      } catch (error) {
        send({ status: 500, body: { error: String(error) } });
      }
      return;
    }
    asked += 1;
    const headers = request.headers as Record<string, string | undefined>;
    const method = request.method ?? "GET";
    const { pathname: path, searchParams: query } = url;
    const here = `http://${headers.host}`;
    const one: Asked = { method, path, query, headers, text, url: here };
    const before = calls.size;
    if (refusal !== null) {
      const now = refusal;
      refusal = null;
      send(now);
      return;
    }
    const reply = fake.answer(one, memory);
    if (lose && calls.size > before) {
      lose = false;
      request.socket.destroy();
      return;
    }
    send(reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const addresses: Record<string, string> = {};
for (const vendor of process.argv.slice(2)) addresses[vendor] = await serve(vendor);
console.log(JSON.stringify(addresses));
process.on("disconnect", () => process.exit(0));
process.stdin.resume().on("end", () => process.exit(0));
