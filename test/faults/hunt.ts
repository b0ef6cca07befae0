import type { Copy, Ended } from "./copy.ts";
import type { Fault } from "./fault.ts";

/** Which seeds the simulation runs through until it finds a fault. */
export type Seeds = { first: number; count: number };

/** What found a fault, after how many seeds; or why nothing did. */
export type Finding =
  | { found: true; by: string; seeds: number | null }
  | { found: false; why: string };

/** One fault may take so long, and the look at what has none, ms. */
const LIMIT_MS = 240_000;
const SOUND_MS = 600_000;
const VITEST = "node_modules/vitest/vitest.mjs";

/** Plants the fault and lets the one look for it who must find it. */
export function hunt(copy: Copy, fault: Fault, seeds: Seeds): Promise<Finding> {
  return copy.with(fault, async () => {
    if (fault.by === "sim") return bySim(await simulate(copy, seeds, LIMIT_MS), seeds);
    return byTests(await runTests(copy, [fault.by], LIMIT_MS), fault.by);
  });
}

function simulate(copy: Copy, { first, count }: Seeds, limitMs: number): Promise<Ended> {
  const seeds = ["--seeds", String(count), "--first", String(first)];
  return copy.run(["test/sim/main.ts", ...seeds, "--jobs", "1", "--stop"], limitMs);
}

function runTests(copy: Copy, files: readonly string[], limitMs: number): Promise<Ended> {
  // A test that is slow on a busy machine has found nothing.
  const patient = ["--testTimeout", "60000", "--hookTimeout", "60000"];
  return copy.run([VITEST, "run", "--bail", "1", ...patient, ...files], limitMs);
}

function bySim({ code, output }: Ended, { first, count }: Seeds): Finding {
  const broken = /^BROKEN seed=(\d+) invariant=(.+)$/m.exec(output);
  if (broken !== null) {
    return { found: true, by: broken[2] ?? "", seeds: Number(broken[1]) - first + 1 };
  }
  if (code === 0) return { found: false, why: `not found in ${count} seeds` };
  return { found: false, why: code === null ? "took too long" : `broke off: ${lastOf(output)}` };
}

function byTests({ code, output }: Ended, file: string): Finding {
  if (code === 0) return { found: false, why: `${file} passes` };
  const failed = /^ *FAIL .* > ([^>\n]+)$/m.exec(output);
  if (failed !== null) return { found: true, by: (failed[1] ?? "").trim(), seeds: null };
  return { found: false, why: code === null ? "took too long" : `broke off: ${lastOf(output)}` };
}

function lastOf(output: string): string {
  return output.trim().split("\n").slice(-5).join(" ").slice(-300);
}

/** Without a fault nothing may be found: what is wrong with the seeds or these files, or null. */
export async function soundness(
  copy: Copy,
  what: { seeds: Seeds } | { files: readonly string[] },
): Promise<string | null> {
  if ("seeds" in what) {
    const ended = await simulate(copy, what.seeds, SOUND_MS);
    return ended.code === 0 ? null : textOf(bySim(ended, { first: 1, count: 0 }));
  }
  const ended = await runTests(copy, what.files, SOUND_MS);
  return ended.code === 0 ? null : textOf(byTests(ended, "a test"));
}

function textOf(finding: Finding): string {
  if (!finding.found) return finding.why;
  return finding.seeds === null ? finding.by : `seed ${finding.seeds}: ${finding.by}`;
}
