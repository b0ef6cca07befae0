/**
 * `npm run bench [-- --quick]`: measures the production bundle in local workerd over HTTP, the
 * carrier in a process of its own, and writes `bench/RESULTS.md`.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hasBrowser } from "../test/browser/stage.ts";
import { startReceiver } from "../test/fakes/process.ts";
import { measureDashboard } from "./dashboard.ts";
import { measureFloor } from "./floor.ts";
import {
  type Cost,
  measureBulk,
  measureCost,
  measureForm,
  measureImport,
  measurePushes,
  measureRing,
  measureRun,
} from "./measures.ts";
import { Scene } from "./scene.ts";
import { median, percentile, type Spread, spreadOf } from "./spread.ts";
import { measureStore } from "./store.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const QUICK = values.quick;
const RUNS = QUICK ? 1 : 3;

type Line = { measure: string; goal: string; result: string; met: string };
const lines: Line[] = [];

function note(measure: string, goal: string, result: string, met: boolean | null): void {
  const line = { measure, goal, result, met: met === null ? "" : met ? "yes" : "**no**" };
  lines.push(line);
  console.log(
    `${measure}: ${result}${goal === "" ? "" : `  (goal ${goal}: ${met ? "met" : "not met"})`}`,
  );
}

const text = (spread: Spread, unit: string, digits = 0) =>
  `${spread.median.toFixed(digits)} ${unit} (${spread.min.toFixed(digits)}–${spread.max.toFixed(digits)})`;

async function repeat<T>(measure: () => Promise<T>, warm = !QUICK): Promise<T[]> {
  if (warm) await measure();
  const results: T[] = [];
  for (let run = 0; run < RUNS; run++) results.push(await measure());
  return results;
}

const floor = await measureFloor(RUNS, QUICK ? 2_000 : 6_000);
note("floor: a trivial request, 32 connections", "", text(floor.trivialPerSecond, "/s"), null);
note("floor: an object's RPC with one insert", "", text(floor.insertPerSecond, "/s"), null);
const callFloor = 1_000 / floor.call.ms;
note(
  "floor: what a call asks of the runtime at the least",
  "",
  `${floor.call.ms.toFixed(2)} ms, ${Math.round(callFloor)} calls/s`,
  null,
);

await overHttp();
await inTheStore();
await counted();
await onScreen();
write();

async function overHttp(): Promise<void> {
  const scene = await Scene.open();
  try {
    const small = spreadOf(await repeat(() => measureImport(scene, 5_000)));
    note("import of 5,000 rows, to durable", "≤ 500 ms", text(small, "ms"), small.median <= 500);
    const large = spreadOf(await repeat(() => measureImport(scene, 100_000), false));
    note("import of 100,000 rows", "≤ 6,000 ms", text(large, "ms"), large.median <= 6_000);
    const bulk = spreadOf(await repeat(() => measureBulk(scene)));
    note("bulk push of 5,000 in requests of 500", "≤ 250 ms", text(bulk, "ms"), bulk.median <= 250);
    const pushes = spreadOf(await repeat(() => measurePushes(scene, QUICK ? 2_000 : 6_000)));
    const share = pushes.median / floor.insertPerSecond.median;
    const pushed = `${text(pushes, "/s")}, ${Math.round(share * 100)} % of the floor`;
    const fast = pushes.median >= 1_000 && share >= 0.6;
    note("single pushes, 32 connections", "≥ 1,000/s and 60 %", pushed, fast);
    await rings(scene);
    await runs(scene);
  } finally {
    await scene.close();
  }
}

async function rings(scene: Scene): Promise<void> {
  const pushes = QUICK ? 20 : 60;
  const p50: Record<string, Spread> = {};
  for (const load of ["idle", "busy", "later"] as const) {
    const all = await repeat(() => measureRing(scene, load, pushes));
    p50[load] = spreadOf(all.map((times) => median(times)));
    const p99 = spreadOf(all.map((times) => percentile(times, 99)));
    const what = {
      idle: "push → dial, idle",
      busy: "push → dial, 10 busy slots, 1,000 waiting",
      later: "push → dial, 100,000 not yet due",
    }[load];
    const goal = { idle: "p50 ≤ 3 ms", busy: "", later: "as idle" }[load];
    const result = `p50 ${text(p50[load], "ms", 1)}, p99 ${text(p99, "ms", 1)}`;
    const idle = p50.idle?.median ?? 0;
    const met = { idle: idle <= 3, busy: null, later: p50[load].median <= idle * 1.2 + 0.3 }[load];
    note(what, goal, result, met);
  }
  const both = await repeat(() => measureForm(scene, pushes));
  const form = spreadOf(both.map((one) => median(one.form)));
  const api = spreadOf(both.map((one) => median(one.api)));
  const p99 = spreadOf(both.map((one) => percentile(one.form, 99)));
  const more = form.median - api.median;
  const result = `p50 ${text(form, "ms", 1)}, p99 ${text(p99, "ms", 1)}; by the API in turn p50 ${text(api, "ms", 1)}`;
  note("a form's post → dial, idle", "p50 ≤ API + 3 ms", result, more <= 3);
}

async function runs(scene: Scene): Promise<void> {
  const long = await repeat(() => measureRun(scene, QUICK ? 2_000 : 5_000, 100));
  const use = spreadOf(long.map((run) => run.use * 100));
  note("100 slots × 100 ms calls: slot use", "≥ 95 %", text(use, "%", 1), use.median >= 95);
  const p50 = spreadOf(long.map((run) => run.turnaroundP50));
  const p99 = spreadOf(long.map((run) => run.turnaroundP99));
  const turned = `p50 ${text(p50, "ms", 1)}, p99 ${text(p99, "ms", 1)}`;
  note("the same: turnaround", "≤ 4 / 25 ms", turned, p50.median <= 4 && p99.median <= 25);
  const short = await repeat(() => measureRun(scene, QUICK ? 3_000 : 10_000, 0));
  const rate = spreadOf(short.map((run) => run.callsPerSecond));
  const ofFloor = `${Math.round((rate.median / callFloor) * 100)} % of a call's floor`;
  const ended = `${text(rate, "/s")}, ${ofFloor}`;
  note("calls end to end, 100 slots × 0 ms", "≥ 1,500/s", ended, rate.median >= 1_500);
  await watched(scene, rate.median);
  const all = [...long, ...short];
  const flights = Math.max(...all.map((run) => run.inFlightMax));
  const repeated = all.reduce((sum, run) => sum + run.repeated, 0);
  note(
    "calls in flight at most; dialled twice",
    "100; 0",
    `${flights}; ${repeated}`,
    flights <= 100 && repeated === 0,
  );
}

/** What somebody at the dashboard waits for, where a browser is found. */
async function onScreen(): Promise<void> {
  if (!hasBrowser) return;
  const { rowsMs, filterMs, callsPerSecond, busy } = await measureDashboard();
  const ms = (value: number) => `${Math.round(value)} ms`;
  note("dashboard, 100,000 tasks: click to first rows", "≤ 300 ms", ms(rowsMs), rowsMs <= 300);
  note("the same: filter to its answer", "≤ 300 ms", ms(filterMs), filterMs <= 300);
  const looked = `${Math.round(busy * 100)} % at ${Math.round(callsPerSecond)} calls/s`;
  note("the same, live: main thread busy", "< 50 % at 100 calls/s", looked, busy < 0.5);
}

/** H34: who looks must not slow what is looked at. */
async function watched(scene: Scene, alone: number): Promise<void> {
  const runs = await repeat(() => measureRun(scene, QUICK ? 3_000 : 10_000, 0, 200), false);
  const rate = spreadOf(runs.map((run) => run.callsPerSecond));
  const share = rate.median / alone;
  const each = spreadOf(runs.map((run) => run.messagesPerSecond));
  const result = `${text(rate, "/s")}, ${Math.round(share * 100)} % of alone`;
  note("the same, 200 people watching", "≥ 90 % of alone", result, share >= 0.9);
  note("messages a viewer, a second", "≤ 4", text(each, "", 1), each.max <= 4.1);
}

async function inTheStore(): Promise<void> {
  const sizes = QUICK ? [1_000, 100_000] : [1_000, 100_000, 1_000_000];
  // The first run of all warms the code up, whatever its size.
  await measureStore(sizes[0] ?? 1_000, 1);
  const figures = [];
  for (const size of sizes) figures.push(await measureStore(size, 3));
  const calls = figures.map((one) => one.callUs.median);
  const flat = Math.max(...calls) <= Math.min(...calls) * 1.2;
  const names = sizes.map((size) => size.toLocaleString("en")).join(" / ");
  note(
    `claim + end + conclude with ${names} waiting, SQLite in Node`,
    "flat within 20 %",
    figures.map((one) => text(one.callUs, "µs")).join(" / "),
    flat,
  );
  for (const [what, key] of [
    ["pause", "pauseMs"],
    ["resume", "resumeMs"],
    ["change priority", "priorityMs"],
    ["change hours", "hoursMs"],
  ] as const) {
    const most = Math.max(...figures.map((one) => one[key].median));
    const result = figures.map((one) => text(one[key], "ms", 2)).join(" / ");
    note(`${what} with as many waiting`, "≤ 10 ms, flat", result, most <= 10);
  }
}

async function counted(): Promise<void> {
  const scene = await Scene.open({ COUNTS: "1" });
  try {
    const calls = QUICK ? 500 : 2_000;
    const cost = await measureCost(scene, calls, "all");
    const single = await measureCost(scene, calls, "end");
    const queue = cost.messages * 3;
    const n = (value: number) => value.toFixed(2);
    note("object rows written, a call", "≤ 10", n(cost.rowsWritten), cost.rowsWritten <= 10);
    note("the same, from a carrier with one report", "", n(single.rowsWritten), null);
    note("object rows read, a call", "", n(cost.rowsRead), null);
    note("D1 rows read, a call", "", n(cost.d1RowsRead), null);
    note("D1 rows written, a call", "≤ 8", n(cost.d1RowsWritten), cost.d1RowsWritten <= 8);
    note("queue operations, a call (3 a message)", "≤ 9", n(queue), queue <= 9);
    note("object requests, a call", "≤ 3", n(cost.requests), cost.requests <= 3);
    note("dollars for a million calls, list prices", "", `$${dollars(cost).toFixed(2)}`, null);
    await told(scene, calls, cost);
  } finally {
    await scene.close();
  }
}

/** What a webhook that hears of every call costs more. */
async function told(scene: Scene, calls: number, without: Cost): Promise<void> {
  const receiver = await startReceiver();
  try {
    const cost = await measureCost(scene, calls, "all", `${receiver.base}/bench`);
    const rows = (cost.rowsWritten - without.rowsWritten) / cost.events;
    const messages = cost.eventMessages / cost.events;
    const heard = (await receiver.seen("/bench")).length / calls;
    const each = `${cost.events.toFixed(2)} events a call, ${heard.toFixed(2)} heard`;
    note(
      "webhooks: object rows written, an event",
      "≤ 2",
      `${rows.toFixed(2)}; ${each}`,
      rows <= 2,
    );
    note("webhooks: queue messages, an event", "≤ 1", messages.toFixed(2), messages <= 1);
  } finally {
    await receiver.stop();
  }
}

/** By the public price list beyond what is included: per million, rows read per thousand million. */
function dollars(cost: Cost): number {
  const PER_MILLION = { requests: 0.15, rowsRead: 0.001, rowsWritten: 1, queue: 0.4, worker: 0.3 };
  return (
    cost.requests * PER_MILLION.requests +
    (cost.rowsRead + cost.d1RowsRead) * PER_MILLION.rowsRead +
    (cost.rowsWritten + cost.d1RowsWritten) * PER_MILLION.rowsWritten +
    cost.messages * 3 * PER_MILLION.queue +
    cost.messages * PER_MILLION.worker
  );
}

function write(): void {
  const cpu = cpus()[0]?.model ?? "unknown";
  const rows = lines.map((l) => `| ${l.measure} | ${l.goal} | ${l.result} | ${l.met} |`);
  const page = `# Benchmark

\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu}, Node ${process.versions.node}. The production
bundle in local workerd, the carrier and the load in processes of their own on the same cores. Median of ${RUNS} runs
(least–most). The floor is measured in the same run.

| measure | goal | result | met |
|---|---|---|---|
${rows.join("\n")}

${why()}`;
  writeFileSync(join(import.meta.dirname, "RESULTS.md"), page);
}

/** What stands in the way of the goals that are not met. */
function why(): string {
  const { request, message, rpc, out, ms } = floor.call;
  const n = (value: number) => value.toFixed(2);
  return `## Where the time goes

Local workerd runs the Worker, the object, D1, the queue broker and the way out on one thread. A call with one report
asks it for a request (${n(request)} ms), a queue message sent and delivered (${n(message)} ms), two calls of the object, the
hint and the queue's (2 × ${n(rpc)} ms), and a request out (${n(out)} ms): ${n(ms)} ms with a Worker that does nothing, so
${Math.round(callFloor)} calls a second on this machine, whatever outdial does. Calls per second, turnaround and the use of 100 slots by
calls of 100 ms (1,000 a second) are bound by that. The Dialer's own share is the line on SQLite in Node.

## Where the rows go

A batch attempt whose carrier sends start, end and analysis writes in the object: 3 when it comes in (task, place, number
seen), 2 when it is claimed (place deleted, call), 1 each for answer, start, end and analysis, 1 for the campaign's
counters, 2 when task and call leave, and a share of flush and alarm. One that sends a single report saves two of them, as measured. In D1:
2 for the task (row, index), 3 for the call (row, two indexes), 1 each for their ends, 1 for the texts.
`;
}
