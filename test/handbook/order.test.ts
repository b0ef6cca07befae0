import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CampaignId } from "../../src/core/ids.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, START, type World } from "../support/node/world.ts";

const ONE_SLOT = { workspace: { slots: 1 }, agent: { usesCallback: true } };
let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp(ONE_SLOT);
});
afterEach(() => checkWorld(world));

/** Takes the only slot; what it returns frees it again. */
async function block(): Promise<() => Promise<void>> {
  await world.push(await world.campaign({ priority: "high" }), { priorities: [10_000] });
  const dial = world.last();
  return () => world.finish(dial, "connected");
}

/** Ends one call after the other, each as `outcome`: the numbers in the order of their dials. */
async function drain(outcome = "connected"): Promise<string[]> {
  const first = world.dials.length - 1;
  for (let seen = -1; seen !== world.dials.length; ) {
    seen = world.dials.length;
    await world.finish(world.last(), outcome);
  }
  return world.dials.slice(first).map((dial) => dial.phone);
}

/** The order in which these are dialled once all are due and the slot frees. */
async function orderOf(tasks: TaskRecord[], free: () => Promise<void>): Promise<number[]> {
  await free();
  const phones = await drain();
  return phones.map((phone) => tasks.findIndex((task) => task.phone === phone));
}

const phonesOf = (count: number) => Array.from({ length: count }, () => world.phone());

describe("the best due task", () => {
  it("H24 callback, band, priority, start: each decides where all before it are equal", async () => {
    const bands = ["high", "normal", "low"];
    const campaigns: CampaignId[] = [];
    for (const priority of bands) campaigns.push(await world.campaign({ priority }));
    /** All 24 kinds in the order that the handbook wants. */
    const kinds: { callback: boolean; band: number; priority: number; start: number }[] = [];
    for (const callback of [true, false]) {
      for (const band of [0, 1, 2]) {
        for (const priority of [7, 6]) {
          for (const start of [START + MINUTE, START + 2 * MINUTE]) {
            kinds.push({ callback, band, priority, start });
          }
        }
      }
    }
    const tasks = new Array<TaskRecord | undefined>(kinds.length);
    // In another order than either: callbacks first, since each needs a call to be asked for.
    const scattered = kinds.map((_, index) => (index * 7 + 5) % kinds.length);
    scattered.sort((a, b) => Number(kinds[b]?.callback) - Number(kinds[a]?.callback));
    let free: (() => Promise<void>) | undefined;
    for (const index of scattered) {
      const kind = kinds[index];
      const campaign = campaigns[kind?.band ?? 0];
      if (kind === undefined || campaign === undefined) throw new Error("no such kind");
      const { callback, priority, start } = kind;
      const gaps = { maxAttempts: 2, intervals: [HOUR] };
      if (callback) {
        tasks[index] = await world.push(campaign, { ...gaps, priorities: [9, priority] });
        await world.finish(world.last(), "busy_callback", { callbackAt: start });
      } else {
        free ??= await block();
        const body = { ...gaps, priorities: [priority, 0], startAfter: start };
        tasks[index] = await world.push(campaign, body);
      }
    }
    await world.run(3 * MINUTE);
    const order = await orderOf(tasks as TaskRecord[], async () => free?.());
    expect(order).toEqual(kinds.map((_, index) => index));
  });

  it("H24 numbers are compared as numbers, larger first", async () => {
    const free = await block();
    const campaign = await world.campaign();
    const tasks: TaskRecord[] = [];
    for (const priority of [10_000, 999, 100, 21, 9, 0].reverse()) {
      tasks.push(await world.push(campaign, { priorities: [priority] }));
    }
    expect(await orderOf(tasks, free)).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it("H17 a push without numbers comes before every batch attempt of its band", async () => {
    const free = await block();
    const batch = await world.campaign({ type: "batch" });
    const [row = ""] = phonesOf(1);
    await world.import(batch, [row]);
    const plain = await world.push(await world.campaign());
    const hundred = await world.push(await world.campaign(), { priorities: [101] });
    const below = await world.push(await world.campaign(), { priorities: [99] });
    await free();
    expect(await drain()).toEqual([plain.phone, hundred.phone, row, below.phone]);
  });

  it("H17 its second attempt still does, and comes after every first of its kind", async () => {
    const batch = await world.campaign({ type: "batch" });
    const realtime = await world.campaign({ retries: 1, intervals: 0 });
    const again = await world.push(realtime);
    const [row = ""] = phonesOf(1);
    await world.import(batch, [row]);
    const first = await world.push(realtime, { maxAttempts: 1 });
    await world.finish(world.last(), "busy");
    expect(await drain()).toEqual([first.phone, again.phone, row]);
  });
});

describe("the start", () => {
  it("H24 of a push is the instant it was accepted, whatever its hours and its campaign's start", async () => {
    const free = await block();
    const late = await world.campaign({ startAfter: START + 20 * MINUTE });
    const hours = { start: 915, end: 1200 };
    const tasks = [await world.push(late)];
    await world.run(MINUTE);
    tasks.push(await world.push(await world.campaign(hours)));
    await world.run(MINUTE);
    tasks.push(await world.push(await world.campaign()));
    await world.run(20 * MINUTE);
    expect(await orderOf(tasks, free)).toEqual([0, 1, 2]);
  });

  it("H24 of a push is its own startAfter, when it has one", async () => {
    const free = await block();
    const campaign = await world.campaign();
    const tasks = [await world.push(campaign, { startAfter: START + 2 * MINUTE })];
    await world.run(MINUTE);
    tasks.push(await world.push(campaign));
    await world.run(10 * MINUTE);
    expect(await orderOf(tasks, free)).toEqual([1, 0]);
  });

  it("H24 of a batch's row is its campaign's start, not when the row came", async () => {
    const free = await block();
    const second = await world.campaign({ type: "batch", startAfter: START + 10 * MINUTE });
    const [early = "", late = "", third = ""] = phonesOf(3);
    await world.import(second, [early]);
    const first = await world.campaign({ type: "batch", startAfter: START + 5 * MINUTE });
    await world.run(7 * MINUTE);
    await world.import(first, [late]);
    await world.run(5 * MINUTE);
    await world.import(await world.campaign({ type: "batch" }), [third]);
    await free();
    expect(await drain()).toEqual([late, early, third]);
  });

  it("H4 of a batch's rows moves with its campaign's start", async () => {
    const free = await block();
    const moved = await world.campaign({ type: "batch", startAfter: START + 5 * MINUTE });
    const other = await world.campaign({ type: "batch", startAfter: START + 10 * MINUTE });
    const [one = "", two = ""] = phonesOf(2);
    await world.import(moved, [one]);
    await world.import(other, [two]);
    await world.edit(moved, { startAfter: START + 15 * MINUTE });
    await world.run(20 * MINUTE);
    await free();
    expect(await drain()).toEqual([two, one]);
  });

  it("H24 of a retry is the instant it is due, though the hours open later", async () => {
    const even = (body: TaskBody) => ({ priorities: [5, 5], ...body });
    const hours = { start: 900, end: 930 };
    const campaign = await world.campaign({ retries: 1, ...hours });
    const retry = await world.push(campaign, even({ intervals: [2 * HOUR] }));
    await world.finish(world.last(), "busy");
    const tasks = [retry];
    for (const minutes of [119, 121]) {
      const startAfter = START + minutes * MINUTE;
      tasks.push(await world.push(campaign, even({ startAfter })));
    }
    await world.run(24 * HOUR);
    // All wait for the next opening; the first of them is dialled then.
    expect(world.dials.at(-1)?.at).toBe(START + 24 * HOUR);
    const phones = await drain();
    expect(phones.map((phone) => tasks.findIndex((task) => task.phone === phone))).toEqual([
      1, 0, 2,
    ]);
  });
});

describe("equals", () => {
  /** The order of a batch of eight, by line; paused and resumed after `pauseAfter` calls. */
  async function orderWith(seed: number, pauseAfter: number | null = null): Promise<number[]> {
    const other = openWorld(seed);
    await other.setUp(ONE_SLOT);
    const campaign = await other.campaign({ type: "batch" });
    const phones = Array.from({ length: 8 }, () => other.phone());
    await other.import(campaign, phones);
    for (let n = 0; n < 8; n++) {
      if (n === pauseAfter) {
        await other.move(campaign, "pause");
        await other.move(campaign, "resume");
        other.restart();
      }
      await other.finish(other.last(), "connected");
    }
    await checkWorld(other);
    return other.dials.map((dial) => phones.indexOf(dial.phone));
  }

  it("H24 go in random order, which the same draw repeats", async () => {
    const orders: string[] = [];
    for (const seed of [1, 2, 3, 4, 5]) {
      const order = await orderWith(seed);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await orderWith(seed)).toEqual(order);
      orders.push(order.join());
    }
    expect(new Set(orders).size).toBe(5);
  });

  it("H24 keep the order that was drawn: a pause, a resume and a restart draw nothing anew", async () => {
    for (const after of [0, 3, 7]) expect(await orderWith(9, after)).toEqual(await orderWith(9));
  });

  it("H24 of two imports and of two campaigns with one start are mixed", async () => {
    const free = await block();
    const startAfter = START + MINUTE;
    const one = await world.campaign({ type: "batch", startAfter });
    const two = await world.campaign({ type: "batch", startAfter });
    const groups = [phonesOf(6), phonesOf(6), phonesOf(6)];
    await world.import(one, groups[0] ?? []);
    await world.import(one, groups[1] ?? []);
    await world.import(two, groups[2] ?? []);
    await world.run(2 * MINUTE);
    await free();
    const order = (await drain()).map((p) => groups.findIndex((group) => group.includes(p)));
    const changes = order.filter((group, index) => index > 0 && group !== order[index - 1]);
    expect(changes.length).toBeGreaterThan(2);
  });
});

describe("a batch's attempts", () => {
  it("H25 every first one comes before any second, every second before any third", async () => {
    const campaign = await world.campaign({ type: "batch", retries: 2, intervals: 0 });
    await world.import(campaign, phonesOf(4));
    await drain("no_answer");
    const attempts = world.dials.map((dial) => dial.attempt);
    expect(attempts).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it("H25 also over imports that come later, and over campaigns of the same band", async () => {
    const rule = { type: "batch", retries: 1, intervals: 0 };
    const campaign = await world.campaign(rule);
    await world.import(campaign, phonesOf(2));
    await world.finish(world.last(), "no_answer");
    await world.import(campaign, phonesOf(2));
    await world.import(await world.campaign(rule), phonesOf(2));
    await drain("no_answer");
    const attempts = world.dials.map((dial) => dial.attempt);
    expect(attempts).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  });

  it("H25 the second ones go in the order in which they fell due", async () => {
    const campaign = await world.campaign({ type: "batch", retries: 1, intervals: MINUTE });
    await world.import(campaign, phonesOf(3));
    for (let n = 0; n < 3; n++) {
      await world.run(1_000);
      await world.finish(world.last(), "no_answer");
    }
    const firsts = world.dials.map((dial) => dial.phone);
    const free = await block();
    await world.run(5 * MINUTE);
    await free();
    expect(await drain()).toEqual(firsts);
  });

  it("H25 a high campaign's third attempt comes before a normal one's first", async () => {
    const rule = { type: "batch", retries: 2, intervals: 0 };
    const normal = await world.campaign(rule);
    const high = await world.campaign({ ...rule, priority: "high" });
    const free = await block();
    const [n = "", h = ""] = phonesOf(2);
    await world.import(normal, [n]);
    await world.import(high, [h]);
    await free();
    expect(await drain("no_answer")).toEqual([h, h, h, n, n, n]);
  });
});
