/**
 * `npm run sim:faults [-- --list] [--only <part of a name>] [--jobs <n>] [--seeds <n>] [--first <n>]`
 *
 * A check that cannot fail proves nothing: each fault of the catalogue is planted in a copy of the
 * source, and the simulation, or for pure rules and queues a file of tests, must find it. Fails
 * when one is not found or no longer applies.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CATALOGUE } from "./catalogue.ts";
import { Copy, ROOT } from "./copy.ts";
import { type Fault, withFault } from "./fault.ts";
import { type Finding, hunt, type Seeds, soundness } from "./hunt.ts";

/** Characters of the table's widest column. */
const BY_MAX = 66;

const { values } = parseArgs({
  options: {
    list: { type: "boolean", default: false },
    only: { type: "string" },
    jobs: { type: "string", default: String(Math.min(availableParallelism(), 8)) },
    seeds: { type: "string", default: "60" },
    first: { type: "string", default: "1" },
  },
});
const { only } = values;
const chosen = CATALOGUE.filter(({ name }) => only === undefined || name.includes(only));
const seeds: Seeds = { first: Number(values.first), count: Number(values.seeds) };

if (values.list) {
  for (const { name, rule, file, by } of chosen) console.log([name, rule, file, by].join(" | "));
} else {
  process.exitCode = (await runAll()) ? 0 : 1;
}

async function runAll(): Promise<boolean> {
  if (chosen.length === 0) throw new Error(`no fault is named like "${only}"`);
  const stale = chosen.flatMap((fault) => whyNot(fault) ?? []);
  for (const text of stale) console.log(text);
  if (stale.length > 0) return false;
  const started = Date.now();
  const copies = Array.from({ length: Number(values.jobs) }, () => new Copy());
  if (!(await isSound(copies))) return false;
  const waiting = inOrder(chosen);
  let found = 0;
  row("fault", "rule", "found by", "after seeds", "s");
  const work = async (copy: Copy) => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
      const from = Date.now();
      const finding = await hunt(copy, fault, seeds);
      if (finding.found) found += 1;
      show(fault, finding, Date.now() - from);
    }
  };
  await Promise.all(copies.map(work));
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(`${chosen.length} faults, ${found} found, in ${seconds} s`);
  return found === chosen.length;
}

/** Why a fault no longer applies, or null. */
function whyNot(fault: Fault): string | null {
  try {
    withFault(ROOT, fault);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The same seeds and files find nothing in a copy as it is. */
async function isSound(copies: readonly Copy[]): Promise<boolean> {
  const files = new Set(chosen.flatMap(({ by }) => (by === "sim" ? [] : [by])));
  const looks: { seeds: Seeds }[] = [];
  if (chosen.some(({ by }) => by === "sim")) looks.push(...shares(copies.length));
  const waiting = [...looks, ...(files.size === 0 ? [] : [{ files: [...files] }])];
  const wrong: string[] = [];
  const work = async (copy: Copy) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const text = await soundness(copy, next);
      if (text !== null) wrong.push(text);
    }
  };
  await Promise.all(copies.map(work));
  for (const text of wrong) console.log(`without any fault: ${text}`);
  return wrong.length === 0;
}

/** The seeds in as many parts as there are copies. */
function shares(parts: number): { seeds: Seeds }[] {
  const size = Math.ceil(seeds.count / parts);
  const all = Array.from({ length: parts }, (_, part) => {
    const first = seeds.first + part * size;
    return { seeds: { first, count: Math.min(size, seeds.first + seeds.count - first) } };
  });
  return all.filter((share) => share.seeds.count > 0);
}

/** What may take long comes first; tests of the rules, all alike, fill the time at the end. */
function inOrder(faults: readonly Fault[]): Fault[] {
  const weight = ({ by }: Fault) => (by === "sim" ? 1 : by.startsWith("test/queues/") ? 0 : 2);
  return faults.toSorted((a, b) => weight(a) - weight(b));
}

function show({ name, rule }: Fault, finding: Finding, ms: number): void {
  const by = finding.found ? short(finding.by) : `NOT FOUND: ${finding.why}`;
  const after = finding.found ? String(finding.seeds ?? "tests") : "-";
  row(name, rule, by, after, (ms / 1_000).toFixed(1));
}

function short(text: string): string {
  return text.length > BY_MAX ? `${text.slice(0, BY_MAX - 1)}…` : text;
}

function row(...cells: [string, string, string, string, string]): void {
  const [name, rule, by, after, seconds] = cells;
  const columns = [name.padEnd(66), rule.padEnd(8), by.padEnd(BY_MAX), after.padStart(11)];
  console.log([...columns, seconds.padStart(6)].join(" | "));
}
