import { FAULTS, type Fault } from "./faults.ts";
import { planOf } from "./plan.ts";
import { type Less, runSeed } from "./run.ts";
import type { Outcome } from "./world.ts";

const PATIENCE_MS = 90_000;

/**
 * The least of a failing seed that still breaks the same promise: first without kinds of faults, then
 * with ever fewer operations, in ever smaller pieces, and with a day that ends soon after.
 */
export async function shrink(failed: Outcome): Promise<{ less: Less; outcome: Outcome }> {
  const { seed } = failed;
  const until = performance.now() + PATIENCE_MS;
  let outcome = failed;
  let less: Less = { keep: planOf(seed).operations.map((_, n) => n), without: [] };
  const fails = async (tried: Less): Promise<boolean> => {
    if (performance.now() > until) return false;
    const at = outcome.broken?.at ?? Number.POSITIVE_INFINITY;
    const again = await runSeed(seed, tried, at + 1);
    if (again.broken?.invariant !== failed.broken?.invariant) return false;
    outcome = again;
    less = tried;
    return true;
  };
  await fails(less);
  for (const fault of FAULTS) {
    if (failed.faults.has(fault)) await fails({ ...less, without: [...less.without, fault] });
  }
  for (let size = Math.ceil((less.keep?.length ?? 0) / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < (less.keep?.length ?? 0); ) {
      const keep: readonly number[] = less.keep ?? [];
      const fewer = [...keep.slice(0, at), ...keep.slice(at + size)];
      if (!(await fails({ ...less, keep: fewer }))) at += size;
    }
  }
  return { less, outcome };
}

/** The command that repeats it. */
export function commandOf(seed: number, { keep, without }: Less): string {
  const parts = [`npm run sim -- --seed ${seed}`];
  if (keep !== null) parts.push(`--keep ${keep.join(",")}`);
  if (without.length > 0) parts.push(`--without "${without.join(",")}"`);
  return parts.join(" ");
}

export function faultsOf(text: string): Fault[] {
  return text.split(",").map((name) => {
    const fault = FAULTS.find((one) => one === name.trim());
    if (fault === undefined) throw new Error(`there is no fault "${name}"`);
    return fault;
  });
}
