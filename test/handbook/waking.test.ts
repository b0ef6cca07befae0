import { afterEach, beforeEach, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, FAR_AGENT, FAR_NUMBER, pushMany } from "../support/node/scene.ts";
import { HOUR, MINUTE, START, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const never = () => new Promise<never>(() => undefined);
const times = () => world.dials.map((dial) => dial.at);
/** How often the alarm comes in so many ms. */
async function alarmsIn(ms: number): Promise<number> {
  const before = world.alarms;
  await world.run(ms);
  return world.alarms - before;
}

it("H23 the alarm does not come again and again while dials wait for their answers", async () => {
  world.answer = never;
  await addMore(world);
  const far = await world.campaign({ agent: FAR_AGENT, from: FAR_NUMBER });
  await pushMany(world, await world.campaign(), 3);
  await pushMany(world, far, 2);
  await world.push(far, { startAfter: START + 1_000 });
  expect(await alarmsIn(11_000)).toBeLessThan(10);
  world.answer = (dial) => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
  await world.run(MINUTE);
  expect(world.dials).toHaveLength(6);
});

it("H35 the alarm does not come again and again while D1 hangs", async () => {
  const campaign = await world.campaign();
  world.d1Answers = never;
  await world.push(campaign);
  await world.run(MINUTE);
  expect(await alarmsIn(MINUTE)).toBeLessThan(10);
  world.d1Answers = () => undefined;
  world.restart();
});

it("H23 slots that are all taken let the alarm rest until something can happen", async () => {
  await world.setUp({ workspace: { slots: 1 } });
  const campaign = await world.campaign();
  await world.push(campaign);
  for (let n = 1; n <= 50; n++) await world.push(campaign, { startAfter: START + n * 1_000 });
  await world.run(500);
  expect(await alarmsIn(MINUTE)).toBeLessThan(10);
});

it("H27 a limit that is reached does so, too", async () => {
  const campaign = await world.campaign({ slots: 1 });
  await pushMany(world, campaign, 50);
  await world.run(500);
  expect(await alarmsIn(MINUTE)).toBeLessThan(10);
});

it("H22 a restart that is first noticed by a look at a task wakes for the lost answer as well", async () => {
  world.answer = never;
  const task = await world.push(await world.campaign());
  await world.run(5_000);
  world.restart();
  expect((await world.task(task.id)).status).toBe("running");
  expect(world.alarm).toBeLessThanOrEqual(world.now + 1);
  await world.run(1_000);
  expect(world.lookups).toHaveLength(1);
});

it("H12 an alarm that the platform lost is made good by the next look from outside", async () => {
  await world.push(await world.campaign(), { startAfter: START + 10 * MINUTE });
  await world.run(MINUTE);
  world.loseAlarm();
  await world.run(HOUR);
  expect(times()).toEqual([]);
  await world.dialer.tick();
  await world.idle();
  expect(times()).toEqual([START + 61 * MINUTE]);
  await world.push(await world.campaign(), { startAfter: world.now + HOUR });
  await world.run(HOUR);
  expect(world.dials).toHaveLength(2);
});

it("H12 an alarm that was lost is set again while others tasks are still to come", async () => {
  const campaign = await world.campaign();
  await world.push(campaign, { startAfter: START + 10 * MINUTE });
  await world.push(campaign, { startAfter: START + 2 * HOUR });
  await world.run(MINUTE);
  world.loseAlarm();
  await world.run(HOUR);
  await world.dialer.tick();
  await world.run(HOUR);
  expect(times()).toEqual([START + 61 * MINUTE, START + 2 * HOUR]);
});

it("H12 an alarm that comes late does everything that has fallen due, in its order", async () => {
  const campaign = await world.campaign({
    retries: 1,
    intervals: MINUTE,
    endAfter: START + 2 * HOUR,
  });
  const running = await world.push(campaign);
  const early = await world.push(campaign, { startAfter: START + 10 * MINUTE });
  const ended = await world.push(campaign, {
    startAfter: START + 20 * MINUTE,
    endAfter: START + 40 * MINUTE,
  });
  world.now = START + HOUR;
  await world.run(0);
  expect(world.dials.slice(1).map((dial) => [dial.phone, dial.at])).toEqual([
    [early.phone, START + HOUR],
  ]);
  expect((await world.task(ended.id)).status).toBe("archived");
  // Its lease was over long ago; the interval counts from now, when that was seen.
  const queued = { status: "queued", lastOutcome: "failed", dueAt: START + HOUR + MINUTE };
  expect(await world.task(running.id)).toMatchObject(queued);
  world.now = START + 3 * HOUR;
  await world.run(0);
  expect(world.dials).toHaveLength(2);
  expect((await world.read(campaign)).status).toBe("completed");
});
