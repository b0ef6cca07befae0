/**
 * `npm run test:holes [-- --only <part of a name>] [--jobs <n>]`
 *
 * A wall that was never pushed against proves nothing: each hole of the catalogue is planted in a
 * copy of the source, and the walls or the reader of queries must find it. Fails when one is not
 * found or no longer applies.
 */
import { parseArgs } from "node:util";
import { Copy, ROOT } from "../faults/copy.ts";
import { type Fault, withFault } from "../faults/fault.ts";
import { hunt, soundness } from "../faults/hunt.ts";
import { HOLES } from "./catalogue.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, jobs: { type: "string", default: "2" } },
});
const { only } = values;
const chosen = HOLES.filter(({ name }) => only === undefined || name.includes(only));
/** No seeds: these are found by tests. */
const NONE = { first: 1, count: 0 };

process.exitCode = (await runAll()) ? 0 : 1;

async function runAll(): Promise<boolean> {
  if (chosen.length === 0) throw new Error(`no hole is named like "${only}"`);
  const stale = chosen.flatMap((hole) => whyNot(hole) ?? []);
  for (const text of stale) console.log(text);
  if (stale.length > 0) return false;
  const started = Date.now();
  const copies = Array.from({ length: Number(values.jobs) }, () => new Copy());
  const files = [...new Set(chosen.map(({ by }) => by))];
  const unsound = await soundness(copies[0] ?? new Copy(), { files });
  if (unsound !== null) {
    console.log(`without any hole: ${unsound}`);
    return false;
  }
  const waiting = [...chosen];
  let found = 0;
  const work = async (copy: Copy) => {
    for (let hole = waiting.shift(); hole !== undefined; hole = waiting.shift()) {
      if (await isFound(copy, hole)) found += 1;
    }
  };
  await Promise.all(copies.map(work));
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(`${chosen.length} holes, ${found} found, in ${seconds} s`);
  return found === chosen.length;
}

/** Why a hole no longer applies, or null. */
function whyNot(hole: Fault): string | null {
  try {
    withFault(ROOT, hole);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function isFound(copy: Copy, hole: Fault): Promise<boolean> {
  const finding = await hunt(copy, hole, NONE);
  const by = finding.found ? finding.by : `NOT FOUND: ${finding.why}`;
  console.log(`${hole.name.padEnd(64)} | ${by}`);
  return finding.found;
}
