import { afterEach, beforeEach, expect, it } from "vitest";
import type { CampaignId } from "../../src/core/ids.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ agent: { usesCallback: true } });
});
afterEach(() => checkWorld(world));

/** Pushes a task whose first call asks for another one at `at`; null names no time. */
async function askBack(campaign: CampaignId, at: number | null, body: TaskBody = {}) {
  const task = await world.push(campaign, body);
  await world.finish(world.last(), "busy_callback", { callbackAt: at });
  return task;
}

const times = () => world.dials.map((dial) => dial.at);

it("H20 dials at the time that the person asked for, not after the interval", async () => {
  const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
  const task = await askBack(campaign, START + 2 * HOUR);
  const queued = { status: "queued", dueAt: START + 2 * HOUR, attempts: 1 };
  expect(await world.task(task.id)).toMatchObject(queued);
  await world.run(2 * HOUR - 1);
  expect(times()).toEqual([START]);
  await world.run(1);
  expect(times()).toEqual([START, START + 2 * HOUR]);
});

for (const ago of [0, 1, HOUR]) {
  it(`H20 dials at once when that time passed ${ago} ms ago`, async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    await world.push(campaign);
    await world.run(10 * MINUTE);
    await world.finish(world.last(), "busy_callback", { callbackAt: world.now - ago });
    expect(times()).toEqual([START, START + 10 * MINUTE]);
  });
}

it("H20 without a time it is an ordinary retry: after the interval, in no band of its own", async () => {
  await world.setUp({ agent: { usesCallback: true }, workspace: { slots: 1 } });
  const campaign = await world.campaign({ retries: 1, intervals: HOUR });
  await askBack(campaign, null);
  const other = await world.campaign({ priority: "high" });
  const urgent = await world.push(other, { startAfter: START + HOUR });
  await world.run(HOUR);
  expect(times()).toEqual([START, START + HOUR]);
  expect(world.last().phone).toBe(urgent.phone);
  await world.finish(world.last(), "connected");
  expect(world.last()).toMatchObject({ attempt: 2, at: START + HOUR });
});

it("H20 stands above everything else: a low campaign's callback before a high one's tasks", async () => {
  await world.setUp({ agent: { usesCallback: true }, workspace: { slots: 1 } });
  const low = await world.campaign({ priority: "low", retries: 1 });
  const high = await world.campaign({ priority: "high" });
  const task = await askBack(low, START + HOUR);
  for (const priorities of [[10_000], [0]]) {
    await world.push(high, { startAfter: START + MINUTE, maxAttempts: 1, priorities });
  }
  await world.push(high);
  await world.run(30 * MINUTE);
  await world.finish(world.last(), "connected");
  await world.run(30 * MINUTE);
  expect(times()).toEqual([START, START, START + 30 * MINUTE]);
  await world.finish(world.last(), "connected");
  expect(world.last()).toMatchObject({ phone: task.phone, attempt: 2 });
});

it("H20 callbacks among themselves follow H24: band, priority, then the earlier time", async () => {
  await world.setUp({ agent: { usesCallback: true }, workspace: { slots: 1 } });
  const normal = await world.campaign({ retries: 1 });
  const high = await world.campaign({ priority: "high", retries: 1 });
  const two = { maxAttempts: 2, intervals: [0] };
  const last = await askBack(normal, START + 2 * MINUTE, { ...two, priorities: [1, 1] });
  const third = await askBack(normal, START + MINUTE, { ...two, priorities: [1, 1] });
  const second = await askBack(normal, START + 3 * MINUTE, { ...two, priorities: [1, 2] });
  const first = await askBack(high, START + 4 * MINUTE, { ...two, priorities: [1, 0] });
  const busy = await world.push(normal);
  await world.run(10 * MINUTE);
  expect(world.last().phone).toBe(busy.phone);
  for (let n = 0; n < 4; n++) await world.finish(world.last(), "connected");
  const phones = world.dials.slice(-4).map((dial) => dial.phone);
  expect(phones).toEqual([first, second, third, last].map((task) => task.phone));
});

it("H20 uses an attempt like any other: with none left the task completes", async () => {
  const campaign = await world.campaign({ retries: 1 });
  const task = await askBack(campaign, START + HOUR);
  await world.run(HOUR);
  await world.finish(world.last(), "busy_callback", { callbackAt: START + 2 * HOUR });
  const completed = { status: "completed", lastOutcome: "busy_callback", attempts: 2 };
  expect(await world.task(task.id)).toMatchObject(completed);
  await world.run(2 * HOUR);
  expect(world.dials).toHaveLength(2);
});

it("H20 an attempt after a callback is an ordinary retry again", async () => {
  await world.setUp({ agent: { usesCallback: true }, workspace: { slots: 1 } });
  const campaign = await world.campaign({ retries: 2, intervals: MINUTE });
  const task = await askBack(campaign, START + MINUTE);
  await world.run(MINUTE);
  await world.finish(world.last(), "no_answer");
  const other = await world.push(await world.campaign({ priority: "high" }));
  await world.run(MINUTE);
  expect(world.last().phone).toBe(other.phone);
  const late = await world.push(await world.campaign({ priority: "high" }));
  await world.finish(world.last(), "connected");
  await world.finish(world.last(), "connected");
  expect(world.dials.slice(-2).map((dial) => dial.phone)).toEqual([late.phone, task.phone]);
});

it("H20 respects calling hours", async () => {
  const campaign = await world.campaign({ retries: 1, start: 900, end: 1000 });
  await askBack(campaign, START + 3 * HOUR);
  await world.run(25 * HOUR);
  expect(times()).toEqual([START, START + 24 * HOUR]);
});

it("H20 respects a pause of the campaign, and one of the task", async () => {
  const campaign = await world.campaign({ retries: 1 });
  const one = await askBack(campaign, START + MINUTE);
  const other = await askBack(campaign, START + MINUTE);
  await world.move(campaign, "pause");
  await world.run(HOUR);
  expect(world.dials).toHaveLength(2);
  await world.move(campaign, "resume");
  expect(world.dials).toHaveLength(4);
  for (const dial of world.dials.slice(2)) await world.finish(dial, "connected");
  expect((await world.task(one.id)).status).toBe("completed");
  expect((await world.task(other.id)).status).toBe("completed");

  const single = await askBack(campaign, world.now + MINUTE);
  taken(await world.dialer.moveTask(single.id, "pause"));
  await world.run(HOUR);
  expect(world.dials).toHaveLength(5);
  taken(await world.dialer.moveTask(single.id, "resume"));
  await world.idle();
  expect(world.dials).toHaveLength(6);
});

it("H20 respects the end: a callback that was asked for later than that is archived then", async () => {
  const campaign = await world.campaign({ retries: 1, endAfter: START + HOUR });
  const task = await askBack(campaign, START + HOUR);
  const own = await askBack(await world.campaign({ retries: 1 }), START + HOUR, {
    endAfter: START + HOUR,
  });
  await world.run(2 * HOUR);
  expect((await world.task(task.id)).status).toBe("archived");
  expect((await world.task(own.id)).status).toBe("archived");
  expect(world.dials).toHaveLength(2);
});

it("H20 respects slots: it waits for one, and cuts nobody off", async () => {
  await world.setUp({ agent: { usesCallback: true }, workspace: { slots: 1 } });
  const campaign = await world.campaign({ retries: 1 });
  await askBack(campaign, START + MINUTE);
  await world.push(campaign);
  await world.run(10 * MINUTE);
  expect(world.dials).toHaveLength(2);
  await world.finish(world.last(), "connected");
  expect(world.last()).toMatchObject({ attempt: 2, at: START + 10 * MINUTE });
});

it("H20 takes the time from the analysis, too", async () => {
  const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
  await world.push(campaign);
  const ended = { ended: true, outcome: "connected", answeredAt: START, endedAt: START };
  await world.report(world.last(), ended);
  await world.run(MINUTE);
  await world.finish(world.last(), "busy_callback", { callbackAt: START + HOUR });
  await world.run(HOUR);
  expect(times()).toEqual([START, START + HOUR]);
});

it("H18 an agent that does not use it has no callbacks: the task completes", async () => {
  await world.setUp();
  const campaign = await world.campaign({ retries: 1 });
  const task = await askBack(campaign, START + MINUTE);
  expect((await world.task(task.id)).status).toBe("completed");
  await world.run(HOUR);
  expect(world.dials).toHaveLength(1);
});
