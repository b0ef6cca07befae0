/** The raw floor of this machine: the same runtime with a Worker that does next to nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { Client, rateOf } from "./load.ts";
import { type Spread, spreadOf } from "./spread.ts";

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
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
    if (request.method === "GET") return new Response("ok");
    const stub = env.ONE.get(env.ONE.idFromName("one"));
    return Response.json(await stub.insert(await request.text()), { status: 201 });
  },
};`;

export type Floor = { trivialPerSecond: Spread; insertPerSecond: Spread };

export async function measureFloor(runs: number, requests: number): Promise<Floor> {
  const folder = mkdtempSync(join(tmpdir(), "outdial-floor-"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "floor",
      modules: [{ type: "ESModule", path: "floor.js", contents: SCRIPT }],
      compatibilityDate: "2026-10-23",
      durableObjects: { ONE: { className: "One", useSQLite: true } },
      host: "127.0.0.1",
      port: 18_790,
      resourcePersistencePath: folder,
      cf: false,
    }),
  );
  const client = new Client((await miniflare.ready).origin, 32);
  const body = JSON.stringify({ phone: "+919876543210", context: { name: "Asha" } });
  const trivial: number[] = [];
  const insert: number[] = [];
  for (let run = 0; run <= runs; run++) {
    trivial.push(await rateOf(32, requests, () => client.ask({ path: "/" })));
    insert.push(await rateOf(32, requests, () => client.ask({ path: "/", body })));
  }
  client.close();
  await miniflare.dispose();
  rmSync(folder, { recursive: true, force: true });
  return {
    trivialPerSecond: spreadOf(trivial.slice(1)),
    insertPerSecond: spreadOf(insert.slice(1)),
  };
}
