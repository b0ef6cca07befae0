/**
 * Runs the production bundle in local workerd: D1, queues and objects are kept in a folder.
 *
 *   OUTDIAL_VARS='{"PUBLIC_URL":"…", …}' node scripts/serve.ts --folder .local --port 8787
 *
 * Prints `{"listening": url}` when it is ready; SIGTERM and SIGINT end it and workerd. Settings
 * come by the environment, since everybody sees a process' arguments. `--unplugged` answers every
 * request of the Worker as the network's edge does when it reaches nobody: nothing is dialled.
 * `--bare` leaves out the local stand-in for static assets, which every request would pass through.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Miniflare, Response } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";
import { receiveMails } from "./mails.ts";

const ROOT = join(import.meta.dirname, "..");
const CRON_MS = 60_000;
const NOBODY_REACHED = 521;

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    port: { type: "string", default: "0" },
    unplugged: { type: "boolean", default: false },
    bare: { type: "boolean", default: false },
  },
});
if (values.folder === undefined) throw new Error("--folder: expected a folder");
const vars = JSON.parse(process.env.OUTDIAL_VARS ?? "{}") as Record<string, string>;
const state = join(values.folder, "state");
mkdirSync(state, { recursive: true });

const mails = await receiveMails(join(values.folder, "mails"));
const { workerOptions: options } = workerOptions(join(ROOT, "wrangler.toml"));
if (values.bare) delete options.assets;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...options,
    name: "outdial",
    modules: [{ type: "ESModule", path: join(ROOT, "dist", "worker", "index.js") }],
    modulesRoot: join(ROOT, "dist", "worker"),
    modulesRules: undefined,
    bindings: { MAIL_URL: mails.url, MAIL_FROM: "outdial@localhost", ...vars },
    host: "127.0.0.1",
    port: Number(values.port),
    resourcePersistencePath: state,
    // For tests: GET /cdn-cgi/local/scheduled?cron=…&time=… fires the cron.
    unsafeTriggerHandlers: true,
    cf: false,
    ...(values.unplugged
      ? { outboundService: () => new Response(null, { status: NOBODY_REACHED }) }
      : {}),
  } as Parameters<typeof convertV4MiniflareOptions>[0]),
);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    mails.close();
    void miniflare.dispose().finally(() => process.exit(0));
  });
}
const url = await miniflare.ready;
await migrate();
console.log(JSON.stringify({ listening: url.origin }));
// Local workerd fires no cron by itself.
setInterval(() => void tick(), CRON_MS).unref();
void tick();

async function tick(): Promise<void> {
  try {
    const worker = await miniflare.getWorker();
    await worker.scheduled({ cron: "* * * * *" });
  } catch (error) {
    console.error(JSON.stringify({ event: "cron", error: String(error) }));
  }
}

/** Applies the migrations that this folder's D1 has not seen. */
async function migrate(): Promise<void> {
  const db = await miniflare.getD1Database("DB");
  await db.exec("CREATE TABLE IF NOT EXISTS d1_migrations (name TEXT PRIMARY KEY)");
  const done = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const known = new Set(done.results.map((row) => row.name));
  const folder = join(ROOT, "migrations");
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()) {
    if (known.has(name)) continue;
    const text = readFileSync(join(folder, name), "utf8");
    const statements = text.split("--> statement-breakpoint").map((one) => db.prepare(one));
    await db.batch([
      ...statements,
      db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}
