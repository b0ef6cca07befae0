import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { coverageTable, uncovered } from "./coverage.ts";
import type { Fault } from "./faults.ts";
import { runSeed, traceSeed } from "./run.ts";
import { commandOf, faultsOf, shrink } from "./shrink.ts";
import type { Outcome } from "./world.ts";

/*
 * npm run sim -- --seeds 100 [--first 1] [--jobs 2] [--stop]   many seeds, random ones without --first
 * npm run sim -- --seed 7 [--trace]                            one, with its story
 */

const OPTIONS = {
  seeds: { type: "string", default: "20" },
  first: { type: "string" },
  seed: { type: "string" },
  jobs: { type: "string" },
  keep: { type: "string" },
  without: { type: "string" },
  trace: { type: "boolean", default: false },
  stop: { type: "boolean", default: false },
} as const;

type Sums = {
  seeds: number;
  calls: number;
  broken: Outcome[];
  faults: Map<Fault, number>;
  covered: Map<string, number>;
};

if (!isMainThread) {
  parentPort?.on("message", async (seed: number) => parentPort?.postMessage(await runSeed(seed)));
} else {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.seed === undefined) await many(values);
  else await one(Number(values.seed), values);
}

async function one(
  seed: number,
  values: { keep?: string; without?: string; trace: boolean },
): Promise<void> {
  console.log(`seed ${seed}`);
  const less = {
    keep: values.keep === undefined ? null : values.keep.split(",").map(Number),
    without: values.without === undefined ? [] : faultsOf(values.without),
  };
  const { outcome, story } = await traceSeed(seed, less);
  if (values.trace) console.log(story.join("\n"));
  if (outcome.broken !== null) tell(outcome);
  console.log(
    `1 seeds, ${outcome.calls} calls, ${outcome.broken === null ? 0 : 1} invariants broken`,
  );
  process.exitCode = outcome.broken === null ? 0 : 1;
}

async function many(values: {
  seeds: string;
  first?: string;
  jobs?: string;
  stop: boolean;
}): Promise<void> {
  const seeds = Number(values.seeds);
  const first =
    values.first === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.first);
  console.log(`seeds ${first} to ${first + seeds - 1}`);
  const started = performance.now();
  const jobs = Math.min(seeds, Number(values.jobs ?? availableParallelism()));
  const sums = await run(first, seeds, jobs, values.stop);
  const [failed] = sums.broken;
  if (failed !== undefined && !values.stop) {
    const { less, outcome } = await shrink(failed);
    console.log(`the least that breaks it: ${commandOf(failed.seed, less)} --trace`);
    console.log(`  ${outcome.broken?.story}`);
  }
  const seconds = (performance.now() - started) / 1_000;
  const missing = values.stop ? [] : uncovered(sums.covered, sums.seeds);
  if (!values.stop) console.log(coverageTable(sums.covered, sums.faults, sums.seeds));
  for (const name of missing) console.log(`never hit: ${name}`);
  const kinds = [...sums.faults].sort((a, b) => b[1] - a[1]);
  const faults = kinds.map(([fault, count]) => `${fault} ${count}`).join(", ");
  console.log(`${seconds.toFixed(0)} s`);
  console.log(
    `${sums.seeds} seeds, ${sums.calls} calls, faults: ${faults || "none"}, ${sums.broken.length} invariants broken`,
  );
  process.exitCode = sums.broken.length > 0 || missing.length > 0 ? 1 : 0;
}

/** Runs the seeds side by side, each in the next free thread. */
function run(first: number, seeds: number, jobs: number, stop: boolean): Promise<Sums> {
  const sums: Sums = { seeds: 0, calls: 0, broken: [], faults: new Map(), covered: new Map() };
  let next = first;
  return new Promise((resolve, reject) => {
    const workers = Array.from({ length: jobs }, () => new Worker(new URL(import.meta.url)));
    let busy = jobs;
    for (const worker of workers) {
      const go = () => {
        const over = next >= first + seeds || (stop && sums.broken.length > 0);
        if (!over) return worker.postMessage(next++);
        busy -= 1;
        void worker.terminate();
        if (busy === 0) resolve(sums);
      };
      worker.on("error", reject);
      worker.on("message", (outcome: Outcome) => {
        add(sums, outcome);
        go();
      });
      go();
    }
  });
}

function add(sums: Sums, outcome: Outcome): void {
  sums.seeds += 1;
  sums.calls += outcome.calls;
  for (const [fault, count] of outcome.faults) {
    sums.faults.set(fault, (sums.faults.get(fault) ?? 0) + count);
  }
  for (const name of outcome.covered.keys()) {
    sums.covered.set(name, (sums.covered.get(name) ?? 0) + 1);
  }
  for (const name of outcome.faults.keys()) {
    sums.covered.set(name, (sums.covered.get(name) ?? 0) + 1);
  }
  if (outcome.broken === null) return;
  sums.broken.push(outcome);
  tell(outcome);
}

function tell({ seed, broken }: Outcome): void {
  console.log(`BROKEN seed=${seed} invariant=${broken?.invariant}`);
  console.log(`  at ${new Date(broken?.at ?? 0).toISOString()}: ${broken?.story}`);
  console.log(`  again: npm run sim -- --seed ${seed} --trace`);
}
