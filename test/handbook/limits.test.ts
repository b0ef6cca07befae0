import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../../src/carriers/carrier.ts";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import { checkRows, checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, FAR_AGENT, FAR_NUMBER, pushMany } from "../support/node/scene.ts";
import {
  CONNECTION,
  type Dialled,
  HOUR,
  MINUTE,
  START,
  taken,
  type World,
} from "../support/node/world.ts";

let world: World;
/** Most calls in flight at once so far: all together, by connection, by agent. */
let most: Record<string, number>;
beforeEach(async () => {
  world = openWorld();
  most = {};
  world.watch = () => {
    checkRows(world);
    const flying = world.sql.all<{ campaign: number; connection: string }>(
      "SELECT campaign, connection FROM call WHERE state IN ('placing', 'placed', 'unknown')",
    );
    const now: Record<string, number> = { all: flying.length };
    for (const { campaign, connection } of flying) {
      now[connection] = (now[connection] ?? 0) + 1;
      now[`campaign ${campaign}`] = (now[`campaign ${campaign}`] ?? 0) + 1;
    }
    for (const [what, count] of Object.entries(now)) most[what] = Math.max(most[what] ?? 0, count);
  };
  await world.setUp();
});
afterEach(() => checkWorld(world));

const slots = (count: number) => world.setUp({ workspace: { slots: count } });
const slotsInUse = async () => taken(await world.dialer.readWorkspace()).slotsInUse;
const seconds = () => world.dials.map((dial) => (dial.at - START) / 1_000);
/** Ends calls in turn until none is left, each as `outcome`. */
async function finishAll(outcome = "connected"): Promise<void> {
  for (let n = 0; n < world.dials.length; n++) {
    const dial = world.dials[n];
    if (dial !== undefined) await world.finish(dial, outcome);
  }
}

describe("slots", () => {
  for (const count of [1, 2, 3, 7]) {
    it(`H23 never has more calls in flight than the ${count} slots, nor fewer while tasks are due`, async () => {
      await slots(count);
      const campaign = await world.campaign({ retries: 1, intervals: 0 });
      await pushMany(world, campaign, 12);
      expect(await slotsInUse()).toBe(count);
      await finishAll("no_answer");
      expect(world.dials).toHaveLength(24);
      expect(most.all).toBe(count);
      expect(await slotsInUse()).toBe(0);
    });
  }

  it("H23 gives a slot that frees to the next at once", async () => {
    await slots(1);
    await pushMany(world, await world.campaign(), 3);
    await world.run(5_000);
    await world.finish(world.last(), "connected");
    await world.run(2_000);
    await world.finish(world.last(), "busy");
    expect(seconds()).toEqual([0, 5, 7]);
  });

  it("H23 more slots are used at once; fewer cut nobody off, and nobody new is dialled above them", async () => {
    await slots(2);
    await pushMany(world, await world.campaign(), 12);
    await slots(5);
    await world.idle();
    expect(await slotsInUse()).toBe(5);
    await slots(3);
    for (const dial of world.dials.slice(0, 2)) await world.finish(dial, "connected");
    expect(world.dials).toHaveLength(5);
    await world.finish(world.dials[2] as Dialled, "connected");
    expect(world.dials).toHaveLength(6);
    expect(await slotsInUse()).toBe(3);
  });

  const ANSWERS: Record<string, () => Answer | Promise<Answer>> = {
    "that is being placed": () => new Promise(() => undefined),
    "whose answer was lost": () => ({ kind: "unknown", word: "502" }),
  };
  for (const [which, answer] of Object.entries(ANSWERS)) {
    it(`H23 a call ${which} counts`, async () => {
      await slots(1);
      world.answer = answer;
      await pushMany(world, await world.campaign({ retries: 5, intervals: 0 }), 2);
      await world.run(10 * MINUTE);
      expect(world.dials).toHaveLength(1);
      world.restart();
      await world.run(10 * MINUTE);
      expect(world.dials).toHaveLength(1);
    });
  }

  it("H23 uses as many slots after a restart as before", async () => {
    await slots(3);
    await pushMany(world, await world.campaign(), 9);
    world.restart();
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(3);
    await finishAll();
    expect(most.all).toBe(3);
    expect(world.dials).toHaveLength(9);
  });
});

describe("bands", () => {
  it("H26 high takes every slot that frees before normal gets any, and cuts nobody off", async () => {
    await slots(3);
    const normal = await world.campaign();
    const high = await world.campaign({ priority: "high" });
    await pushMany(world, normal, 6);
    await pushMany(world, high, 4);
    const own = () => world.dials.map((dial) => (isOf(high, dial) ? "high" : "normal"));
    expect(own()).toEqual(["normal", "normal", "normal"]);
    expect(await slotsInUse()).toBe(3);
    await finishAll();
    expect(own().slice(3)).toEqual([...Array(4).fill("high"), ...Array(3).fill("normal")]);
  });

  it("H26 counts from the next dial on when a campaign's priority is edited", async () => {
    await slots(1);
    const one = await world.campaign();
    const other = await world.campaign();
    await pushMany(world, one, 3);
    await world.run(1);
    await pushMany(world, other, 2);
    await world.edit(other, { priority: "high" });
    await world.finish(world.last(), "connected");
    await world.edit(other, { priority: "low" });
    await finishAll();
    expect(world.dials.map((dial) => isOf(other, dial))).toEqual([false, true, false, false, true]);
  });

  it("H26 a high task that cannot be dialled now keeps no slot from a low one", async () => {
    await slots(1);
    const high = await world.campaign({ priority: "high", start: 1000, end: 1100 });
    await world.push(high);
    const low = await world.push(await world.campaign({ priority: "low" }));
    expect(world.last().phone).toBe(low.phone);
  });
});

/** Whether a dial was for a task of this campaign. */
function isOf(campaign: CampaignId, dial: Dialled): boolean {
  const stored = world.sql.all<{ campaign: number }>(
    "SELECT campaign FROM task WHERE phone = ?",
    dial.phone,
  );
  const row =
    stored[0] ?? world.stored("SELECT campaign FROM tasks WHERE phone = ?", dial.phone)[0];
  return campaign.endsWith(`_${Number(row?.campaign).toString(36)}`);
}

describe("a campaign's own limit", () => {
  for (const limit of [1, 2, 4]) {
    it(`H27 of ${limit} is never exceeded, and what it leaves is free for others`, async () => {
      await slots(5);
      const limited = await world.campaign({
        priority: "high",
        slots: limit,
        retries: 1,
        intervals: 0,
      });
      await pushMany(world, limited, 8);
      await pushMany(world, await world.campaign({ priority: "low" }), 8);
      expect(await slotsInUse()).toBe(5);
      expect(world.dials.filter((dial) => isOf(limited, dial))).toHaveLength(limit);
      await finishAll("busy");
      expect(world.dials).toHaveLength(24);
      expect(most[`campaign ${Number.parseInt(limited.split("_")[2] ?? "", 36)}`]).toBe(limit);
      expect(most.all).toBe(5);
    });
  }

  it("H27 counts calls whose answer was lost, and callbacks, like any other", async () => {
    await world.setUp({ agent: { usesCallback: true } });
    const campaign = await world.campaign({ slots: 1, retries: 1 });
    await pushMany(world, campaign, 2);
    await world.finish(world.last(), "busy_callback", { callbackAt: START + MINUTE });
    expect(world.dials).toHaveLength(2);
    await world.run(10 * MINUTE);
    expect(world.dials).toHaveLength(2);
    world.answer = () => ({ kind: "unknown", word: "502" });
    await world.finish(world.last(), "connected");
    await world.push(campaign);
    await world.run(10 * MINUTE);
    expect(world.dials.map((dial) => dial.attempt)).toEqual([1, 1, 2]);
  });

  it("H27 counts from the next dial on when it is edited: raised, lowered and taken away", async () => {
    const campaign = await world.campaign({ slots: 1 });
    await pushMany(world, campaign, 9);
    await world.edit(campaign, { slots: 3 });
    expect(await slotsInUse()).toBe(3);
    await world.edit(campaign, { slots: 2 });
    await world.finish(world.dials[0] as Dialled, "connected");
    expect(await slotsInUse()).toBe(2);
    await world.finish(world.dials[1] as Dialled, "connected");
    expect(await slotsInUse()).toBe(2);
    await world.edit(campaign, { slots: null });
    expect(await slotsInUse()).toBe(7);
  });

  it("H27 is above the workspace's slots at no time", async () => {
    await slots(2);
    await pushMany(world, await world.campaign({ slots: 5 }), 4);
    expect(await slotsInUse()).toBe(2);
  });
});

describe("a connection's own limits", () => {
  it("H27 has never more calls than it takes at once; others go on", async () => {
    await world.setUp({ connection: { callsMax: 2 } });
    await addMore(world);
    await pushMany(world, await world.campaign({ priority: "high" }), 5);
    await pushMany(world, await world.campaign({ agent: FAR_AGENT, from: FAR_NUMBER }), 3);
    expect(await slotsInUse()).toBe(5);
    await finishAll();
    expect(world.dials).toHaveLength(8);
    expect(most[CONNECTION]).toBe(2);
  });

  const PACES: [number, number[]][] = [
    [1, [0, 1, 2, 3, 4]],
    [2, [0, 0.5, 1, 1.5, 2]],
    [0.5, [0, 2, 4, 6, 8]],
    [0.1, [0, 10, 20, 30, 40]],
  ];
  for (const [perSecond, expected] of PACES) {
    it(`H27 starts ${perSecond} calls a second, evenly, and no slot waits for them`, async () => {
      await world.setUp({ connection: { perSecond }, workspace: { slots: 5 } });
      await addMore(world);
      await pushMany(world, await world.campaign({ priority: "high" }), 5);
      await pushMany(world, await world.campaign({ agent: FAR_AGENT, from: FAR_NUMBER }), 1);
      expect(world.dials.map((dial) => dial.connection === CONNECTION)).toEqual([true, false]);
      await world.finish(world.last(), "connected");
      await world.run(50_000);
      expect(seconds().filter((_, index) => index !== 1)).toEqual(expected);
    });
  }

  it("H27 a pace saves nothing up: after a pause it does not start a burst", async () => {
    await world.setUp({ connection: { perSecond: 1 } });
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.run(MINUTE);
    await pushMany(world, campaign, 3);
    await world.run(MINUTE);
    expect(seconds()).toEqual([0, 60, 61, 62]);
  });

  it("H22 a call that is alive keeps its place among the connection's calls", async () => {
    await world.setUp({ connection: { callsMax: 1 } });
    world.lookup = () => ({ kind: "alive", carrierCallId: null, news: NO_NEWS });
    await pushMany(world, await world.campaign(), 2);
    await world.run(3 * HOUR);
    expect(world.dials).toHaveLength(1);
  });
});

it("H22 no more than five requests are out, three for a connection, though reports come before their answers", async () => {
  let out = 0;
  let outMost = 0;
  const answers: (() => void)[] = [];
  world.answer = (dial) => {
    outMost = Math.max(outMost, ++out);
    return new Promise<Answer>((resolve) => {
      answers.push(() => {
        out -= 1;
        resolve({ kind: "accepted", carrierCallId: `c-${dial.call}` });
      });
    });
  };
  await slots(20);
  await addMore(world);
  const near = await world.campaign();
  const far = await world.campaign({ agent: FAR_AGENT, from: FAR_NUMBER });
  await pushMany(world, near, 8);
  expect(out).toBe(3);
  for (const dial of [...world.dials]) await world.report(dial, { answeredAt: world.now });
  expect(out).toBe(3);
  await pushMany(world, far, 8);
  expect(out).toBe(5);
  for (const dial of [...world.dials]) await world.finish(dial, "connected");
  expect(out).toBe(5);
  while (answers.length > 0) {
    answers.shift()?.();
    await world.idle();
  }
  expect(world.dials).toHaveLength(16);
  expect(outMost).toBe(5);
});
