/**
 * `npm run soak [-- --minutes N]`: the production bundle in local workerd under full load, and
 * whether it keeps what it should let go: memory, connections, storage. Writes
 * `test/soak/RESULTS.md`; ends with 1 when something grows.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { Client } from "../../bench/load.ts";
import { median } from "../../bench/spread.ts";
import { startSimulator, startWorker, stopEverything } from "../../scripts/local.ts";
import { freePort } from "../support/node/local.ts";
import { Load } from "./load.ts";
import { databasesIn, heldBy, workerdOf } from "./process.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    slots: { type: "string", default: "100" },
  },
});
const MINUTES = Number(values.minutes);
const SLOTS = Number(values.slots);
const SAMPLE_MS = 5_000;
const ADMIN_SECRET = "soak-admin-secret-of-32-characters";
const SIGNING_SECRET = "soak-signing-secret-of-32-letters";
const SEALING_KEY_1 = "soak-sealing-key-of-32-letters-xx";
const KEY = { apiKey: "sim_key", reportSecret: "sim_secret" };

/** What counts as flat: the last third of the run against the second. The first one warms up. */
const GROWTH_MAX = 1.15;
/** Connections and files that may come and go. */
const FILES_SLACK = 32;
const MB = 1024 * 1024;

type Sample = {
  minute: number;
  rssMb: number;
  files: number;
  sockets: number;
  objectBytes: number;
  d1Bytes: number;
  finished: number;
  slotsInUse: number;
  waiting: number;
};

const folder = mkdtempSync(join(tmpdir(), "outdial-soak-"));
const port = await freePort();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => void stopEverything().finally(() => process.exit(130)));
const trouble = new Map<string, number>();
const carrier = await startSimulator({ port: port + 1, key: KEY.apiKey, secret: KEY.reportSecret });
const worker = await startWorker({
  folder,
  port,
  bare: true,
  secrets: { ADMIN_SECRET, SIGNING_SECRET, SEALING_KEY_1 },
  vars: { REQUESTS_PER_SECOND: "1000000" },
  onLine: (line) => {
    const event =
      /"level":"error","event":"([^"]+)"/.exec(line)?.[1] ??
      (/uncaught/i.test(line) ? "uncaught" : null);
    if (event !== null) trouble.set(event, (trouble.get(event) ?? 0) + 1);
  },
});
const samples: Sample[] = [];
const load = await Load.open(worker.url, ADMIN_SECRET, { baseUrl: carrier.url, ...KEY }, SLOTS);

try {
  await soak();
  await load.end();
  const dials = await askCarrier();
  // What is over leaves the object once D1 knows it.
  await pause(20_000);
  load.close();
  await worker.stop();
  const left = rowsLeft();
  const good = report(left, dials);
  process.exitCode = good ? 0 : 1;
} finally {
  await stopEverything();
  rmSync(folder, { recursive: true, force: true });
}

async function soak(): Promise<void> {
  const workerd = workerdOf(worker.child.pid ?? 0);
  const from = Date.now();
  let sampleAt = from + SAMPLE_MS;
  for (let now = from; now < from + MINUTES * 60_000; now = Date.now()) {
    const { slotsInUse, waiting } = await load.turn();
    if (now >= sampleAt) {
      sampleAt += SAMPLE_MS * Math.ceil((now - sampleAt + 1) / SAMPLE_MS);
      const minute = (now - from) / 60_000;
      const files = databasesIn(folder);
      const bytes = (kind: string) =>
        files
          .filter(({ path }) => path.includes(`/${kind}/`))
          .reduce((sum, one) => sum + one.bytes, 0);
      const finished = await load.finished();
      const stored = { objectBytes: bytes("do"), d1Bytes: bytes("d1") };
      samples.push({ minute, ...heldBy(workerd), ...stored, finished, slotsInUse, waiting });
      if (samples.length % 12 === 0) tell(samples.at(-1));
    }
    await pause(Math.max(0, 500 - (Date.now() - now)));
  }
}

function tell(sample: Sample | undefined) {
  if (sample === undefined) return;
  const { minute, rssMb, files, objectBytes, d1Bytes, finished, slotsInUse, waiting } = sample;
  const parts = [
    `${minute.toFixed(1)} min`,
    `${Math.round(rssMb)} MB`,
    `${files} files open`,
    `object ${(objectBytes / MB).toFixed(1)} MB`,
    `D1 ${(d1Bytes / MB).toFixed(1)} MB`,
    `${finished} finished`,
    `${slotsInUse} slots in use`,
    `${waiting} waiting`,
  ];
  console.log(parts.join(", "));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Dials = { accepted: number; repeated: number; inFlightMax: number };

async function askCarrier(): Promise<Dials> {
  const client = new Client(carrier.url, 1);
  const dials = await client.json<Dials>({ path: "/_/stats" });
  client.close();
  return dials;
}

/** Rows of each table of the workspace's object. */
function rowsLeft(): Map<string, number> {
  const rows = new Map<string, number>();
  for (const { path } of databasesIn(folder)) {
    if (!path.includes("/do/") || path.endsWith("metadata.sqlite")) continue;
    const db = new DatabaseSync(path);
    const tables = db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .all();
    for (const { name } of tables) {
      const count = Number(db.prepare(`SELECT COUNT(*) AS count FROM "${name}"`).get()?.count ?? 0);
      if (count > 0) rows.set(String(name), (rows.get(String(name)) ?? 0) + count);
    }
    db.close();
  }
  return rows;
}

type Line = { what: string; goal: string; result: string; good: boolean };

/** The table of the run, and whether all of it is good. */
function report(left: Map<string, number>, dials: Dials): boolean {
  const third = Math.floor(samples.length / 3);
  const [first, second, last] = [0, 1, 2].map((n) => samples.slice(n * third, (n + 1) * third)) as [
    Sample[],
    Sample[],
    Sample[],
  ];
  const middle = (some: Sample[], key: keyof Sample) => median(some.map((one) => one[key]));
  const most = (some: Sample[], key: keyof Sample) => Math.max(...some.map((one) => one[key]));
  const three = (key: keyof Sample, unit: string, size = 1) =>
    [first, second, last].map((some) => (middle(some, key) / size).toFixed(1)).join(" / ") + unit;
  const flat = (key: keyof Sample) => middle(last, key) <= middle(second, key) * GROWTH_MAX;
  const grown = (some: Sample[]) => {
    const [start, end] = [some[0], some.at(-1)];
    if (start === undefined || end === undefined) return Number.NaN;
    return (end.d1Bytes - start.d1Bytes) / (end.finished - start.finished);
  };
  const tasks = ["task", "waiting", "call", "dirty", "late", "lane", "external", "idempotency"];
  const numbers = left.get("seen_phone") ?? 0;
  const live = tasks
    .map((table) => [table, left.get(table) ?? 0] as const)
    .filter(([, count]) => count > 0);
  const liveRows = live.reduce((sum, [, count]) => sum + count, 0);
  const finished = samples.at(-1)?.finished ?? 0;
  const use = samples.reduce((sum, one) => sum + one.slotsInUse, 0) / samples.length / SLOTS;
  const kbEach = (key: keyof Sample) =>
    ((middle(last, key) - middle(second, key)) * 1024) /
    (middle(last, "finished") - middle(second, "finished"));
  const waiting = Math.min(...samples.slice(1).map((one) => one.waiting));
  const rate = finished / (MINUTES * 60);
  const lines: Line[] = [
    {
      what: "always more to do: tasks waiting, least; slots in use, on average",
      goal: "> 0",
      result: `${waiting}; ${Math.round(use * 100)} % of ${SLOTS}`,
      good: waiting > 0,
    },
    {
      what: "memory of workerd, RSS",
      goal: "last ≤ 1.15 × second",
      result: three("rssMb", " MB"),
      good: flat("rssMb"),
    },
    {
      what: "the same for each task that finished from the second to the last third",
      goal: "",
      result: `${kbEach("rssMb").toFixed(1)} KB`,
      good: true,
    },
    {
      what: "open files, most",
      goal: `last ≤ second + ${FILES_SLACK}`,
      result: [first, second, last].map((some) => most(some, "files")).join(" / "),
      good: most(last, "files") <= most(second, "files") + FILES_SLACK,
    },
    {
      what: "sockets, most",
      goal: `last ≤ second + ${FILES_SLACK}`,
      result: [first, second, last].map((some) => most(some, "sockets")).join(" / "),
      good: most(last, "sockets") <= most(second, "sockets") + FILES_SLACK,
    },
    {
      what: "storage of the object",
      goal: "last ≤ 1.15 × second",
      result: three("objectBytes", " MB", MB),
      good: flat("objectBytes"),
    },
    {
      what: "rows of tasks left in the object at the end; numbers seen",
      goal: `0; ${load.revivable}, of batches that can come back`,
      result: `${liveRows === 0 ? "0" : live.map(([table, count]) => `${table} ${count}`).join(", ")}; ${numbers}`,
      good: liveRows === 0 && numbers <= load.revivable,
    },
    {
      what: "D1 for each finished task",
      goal: "linear: last ≤ 1.3 × second",
      result: `${[first, second, last].map((some) => Math.round(grown(some))).join(" / ")} bytes`,
      good: grown(last) <= grown(second) * 1.3,
    },
    {
      what: "calls in flight at most; dialled twice",
      goal: `≤ ${SLOTS}; 0`,
      result: `${dials.inFlightMax}; ${dials.repeated}`,
      good: dials.inFlightMax <= SLOTS && dials.repeated === 0,
    },
    {
      what: "errors that the Worker logged",
      goal: "none",
      result:
        trouble.size === 0
          ? "none"
          : [...trouble].map(([event, count]) => `${event} ${count}`).join(", "),
      good: trouble.size === 0,
    },
  ];
  for (const line of lines)
    console.log(
      `${line.good ? "good" : "BAD "}  ${line.what}: ${line.result}  ${line.goal === "" ? "" : `(${line.goal})`}`,
    );
  const good = lines.every((line) => line.good);
  console.log(good ? "Nothing grows." : "Something grows.");
  const kept = [...left]
    .sort()
    .map(([table, count]) => `${table} ${count}`)
    .join(", ");
  const cpu = cpus()[0]?.model ?? "unknown";
  const page = `# Soak

\`npm run soak\`, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu}, Node ${process.versions.node}: ${MINUTES} minutes of the production bundle in
local workerd with ${SLOTS} slots, the carrier in a process of its own. ${dials.accepted.toLocaleString("en")} dials, ${Math.round(finished).toLocaleString("en")} finished tasks,
${rate.toFixed(0)} a second; ${load.pushed.toLocaleString("en")} pushes, ${Math.round(load.imported).toLocaleString("en")} imported rows. Values of the first / second / last third: medians where not said
otherwise, of samples every ${SAMPLE_MS / 1000} s.

| what | goal | result | met |
|---|---|---|---|
${lines.map((l) => `| ${l.what} | ${l.goal} | ${l.result} | ${l.goal === "" ? "" : l.good ? "yes" : "**no**"} |`).join("\n")}

Rows left in the object, all tables: ${kept}.

Batches are archived when most of them are over. A batch that completes by itself keeps the hashes of its numbers for 90
days, since an import can take it up again (H9, H28); an \`Idempotency-Key\` is kept for 7 days, an \`externalId\` as
long as its campaign lives. These grow with what is kept on purpose, and are left out here.
`;
  writeFileSync(join(import.meta.dirname, "RESULTS.md"), page);
  return good;
}
