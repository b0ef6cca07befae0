import type { Fault } from "./faults.ts";
import { planOf } from "./plan.ts";
import { type Cut, type Outcome, World } from "./world.ts";

/** What to leave out of a seed's world: nothing, or what a shrinker found to be of no matter. */
export type Less = { keep: readonly number[] | null; without: readonly Fault[] };
export const WHOLE: Less = { keep: null, without: [] };

/** Runs one seed from its first event to its last. */
export async function runSeed(
  seed: number,
  less: Less = WHOLE,
  end = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  return (await worldOf(seed, less, end, false)).outcome;
}

/** The same, with its story in domain words. */
export async function traceSeed(
  seed: number,
  less: Less,
): Promise<{ outcome: Outcome; story: string[] }> {
  return worldOf(seed, less, Number.POSITIVE_INFINITY, true);
}

async function worldOf(seed: number, less: Less, end: number, traced: boolean) {
  const plan = planOf(seed);
  const cut: Cut = {
    operations:
      less.keep === null
        ? plan.operations
        : plan.operations.filter((_, n) => less.keep?.includes(n)),
    without: new Set(less.without),
    end: Math.min(plan.end, end),
  };
  const world = new World(plan, cut, traced);
  const outcome = await world.run();
  return { outcome, story: world.story };
}
