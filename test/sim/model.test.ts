import { expect, test } from "vitest";
import { walk } from "../model/search.ts";
import { SCENES } from "../model/worlds.ts";

/** `npm run model` walks all small worlds, deeper; here it is seen that they still can be walked. */
const SAMPLES: [string, number][] = [
  ["one task, every fault", 1],
  ["pauses and archives", 3],
  ["D1 by hand", 4],
];

test.each(SAMPLES)(
  "H22 H23 H35 all orders of what can happen keep the promises: %s",
  async (name, depth) => {
    const scene = SCENES.find((one) => one.name === name);
    if (scene === undefined) throw new Error("there is no such world");
    const walked = await walk(scene, { depth, seconds: 60, calmEvery: 100 });
    expect(walked.found).toBeNull();
    expect(walked.depth).toBe(depth);
  },
  60_000,
);
