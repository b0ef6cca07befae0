import { parseArgs } from "node:util";
import { walk } from "./search.ts";
import { SCENES } from "./worlds.ts";

/*
 * Walks small worlds completely: all orders of everything that can happen, to a fixed depth.
 *
 *   npm run model -- [--world name] [--depth n] [--seconds n] [--calm n]
 *
 * `--world` takes a part of a name, `--seconds` is for all worlds together, every `--calm`-th state
 * is led on to its end without faults. A depth with `+` was begun and not finished.
 */

const { values } = parseArgs({
  options: {
    world: { type: "string" },
    depth: { type: "string" },
    seconds: { type: "string" },
    calm: { type: "string" },
  },
});
const scenes = SCENES.filter(({ name }) => name.includes(values.world ?? ""));
if (scenes.length === 0) {
  console.error(`no such world; there are:\n${SCENES.map(({ name }) => `  ${name}`).join("\n")}`);
  process.exit(2);
}
const seconds = Number(values.seconds ?? 3_600);
const started = performance.now();

const sum = { states: 0, depth: Number.POSITIVE_INFINITY, broken: 0 };
console.log("world                                states    edges  depth  calm  seconds");
for (const scene of scenes) {
  const left = seconds - (performance.now() - started) / 1_000;
  const depth = Number(values.depth ?? scene.depth);
  const walked = await walk(scene, { depth, seconds: left, calmEvery: Number(values.calm ?? 100) });
  sum.states += walked.states;
  sum.depth = Math.min(sum.depth, walked.depth);
  const reached = walked.whole ? "all" : walked.depth === depth ? `${depth}` : `${walked.depth}+`;
  console.log(
    [
      scene.name.padEnd(34),
      String(walked.states).padStart(8),
      String(walked.edges).padStart(8),
      reached.padStart(6),
      String(walked.calms).padStart(5),
      walked.seconds.toFixed(1).padStart(8),
    ].join(" "),
  );
  if (walked.found === null) continue;
  sum.broken += 1;
  console.log(`\nBroken in "${scene.name}", after ${walked.found.path.length} moves:`);
  for (const [index, move] of walked.found.path.entries()) console.log(`  ${index + 1}. ${move}`);
  console.log(`\n${walked.found.what}\n`);
}
console.log(
  `worlds ${scenes.length}, states ${sum.states}, depth ${sum.depth}, broken ${sum.broken}`,
);
process.exit(sum.broken === 0 ? 0 : 1);
