/** The raw floor of this machine: the same runtime with a Worker that does next to nothing. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { Client, rateOf, until } from "./load.ts";
import { type Spread, spreadOf } from "./spread.ts";

const PORT = 18_790;
const CONNECTIONS = 32;

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
let delivered = 0;
export class One extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body TEXT)");
  }
  insert(body) {
    this.ctx.storage.sql.exec("INSERT INTO t (body) VALUES (?)", body);
    return { ok: true };
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/trivial") return new Response("ok");
    if (pathname === "/delivered") return Response.json(delivered);
    if (pathname === "/out") {
      const answer = await fetch(env.OUT, { method: "POST", body: await request.text() });
      return new Response(await answer.text());
    }
    if (pathname === "/queue") {
      await env.QUEUE.send(await request.text());
      return new Response("ok");
    }
    const stub = env.ONE.get(env.ONE.idFromName("one"));
    return Response.json(await stub.insert(await request.text()), { status: 201 });
  },
  async queue(batch) {
    delivered += batch.messages.length;
  },
};`;

export type Floor = {
  trivialPerSecond: Spread;
  insertPerSecond: Spread;
  /** What one call asks of the runtime at the least, ms. */
  call: { request: number; message: number; rpc: number; out: number; ms: number };
};

export async function measureFloor(runs: number, requests: number): Promise<Floor> {
  const folder = mkdtempSync(join(tmpdir(), "outdial-floor-"));
  const server = http.createServer((_request, response) => response.end("ok"));
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "floor",
      modules: [{ type: "ESModule", path: "floor.js", contents: SCRIPT }],
      compatibilityDate: "2026-10-23",
      bindings: { OUT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      durableObjects: { ONE: { className: "One", useSQLite: true } },
      queueProducers: { QUEUE: { queueName: "floor" } },
      queueConsumers: { floor: { maxBatchSize: 100, maxBatchTimeout: 0 } },
      host: "127.0.0.1",
      port: PORT,
      resourcePersistencePath: folder,
      cf: false,
    }),
  );
  const client = new Client((await miniflare.ready).origin, CONNECTIONS);
  const body = JSON.stringify({ phone: "+919876543210", context: { name: "Asha" } });
  const rates = {
    trivial: [] as number[],
    insert: [] as number[],
    out: [] as number[],
    queue: [] as number[],
  };
  const send = (path: string) => rateOf(CONNECTIONS, requests, () => client.ask({ path, body }));
  for (let run = 0; run <= runs; run++) {
    rates.trivial.push(await rateOf(CONNECTIONS, requests, () => client.ask({ path: "/trivial" })));
    rates.insert.push(await send("/insert"));
    rates.out.push(await send("/out"));
    rates.queue.push(await queueRate(client, body, requests));
  }
  client.close();
  await miniflare.dispose();
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
  const spread = (values: number[]) => spreadOf(values.slice(1));
  const ms = (values: number[]) => 1_000 / spread(values).median;
  const request = ms(rates.trivial);
  const more = (values: number[]) => Math.max(0, ms(values) - request);
  const [message, rpc, out] = [more(rates.queue), more(rates.insert), more(rates.out)];
  return {
    trivialPerSecond: spread(rates.trivial),
    insertPerSecond: spread(rates.insert),
    call: { request, message, rpc, out, ms: request + message + 2 * rpc + out },
  };
}

/** Messages sent and delivered, per second. */
async function queueRate(client: Client, body: string, count: number): Promise<number> {
  const delivered = () => client.json<number>({ path: "/delivered" });
  const before = await delivered();
  const from = performance.now();
  await rateOf(CONNECTIONS, count, () => client.ask({ path: "/queue", body }));
  await until(delivered, (now) => now - before >= count);
  return count / ((performance.now() - from) / 1_000);
}
