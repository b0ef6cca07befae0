import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored } from "../support/node/scene.ts";
import { HOUR, MINUTE, START, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

describe("a task that reaches its own end between two attempts", () => {
  const endAfter = START + 2 * HOUR;
  const body = { retries: 3, intervals: [3 * HOUR, 3 * HOUR], endAfter };

  it("H14 is archived at that instant, and not dialled again", async () => {
    const campaign = await world.campaign();
    const task = await world.push(campaign, body);
    await world.finish(world.last(), "no_answer");
    await world.run(2 * HOUR - 1);
    expect((await world.task(task.id)).status).toBe("queued");
    await world.run(1);
    expect(await world.task(task.id)).toMatchObject({ status: "archived", endedAt: endAfter });
    await world.run(12 * HOUR);
    expect(world.dials).toHaveLength(1);
    await expectStored(world, campaign);
  });

  it("H14 H22 so is one whose last call was ended without news, and may still be heard of", async () => {
    const campaign = await world.campaign();
    const task = await world.push(campaign, body);
    await world.run(2 * HOUR - 1);
    expect(await world.task(task.id)).toMatchObject({ status: "queued", lastOutcome: "failed" });
    await world.run(1);
    expect(await world.task(task.id)).toMatchObject({ status: "archived", endedAt: endAfter });
    const [dial] = world.dials;
    if (dial !== undefined) await world.finish(dial, "busy");
    await world.run(12 * HOUR);
    expect(world.dials).toHaveLength(1);
    expect(await world.task(task.id)).toMatchObject({ status: "archived", lastOutcome: "failed" });
    expect((await world.calls(task.id))[0]).toMatchObject({ outcome: "failed", reported: "busy" });
    await expectStored(world, campaign);
  });

  it("H14 H21 and one that the carrier gave back after it had taken it", async () => {
    const campaign = await world.campaign();
    const task = await world.push(campaign, { ...body, start: 900, end: 1000 });
    world.now = START + 61 * MINUTE;
    await world.report(world.last(), { ended: true, refusal: "capacity", word: "full" });
    expect((await world.task(task.id)).status).toBe("queued");
    await world.run(HOUR);
    expect(await world.task(task.id)).toMatchObject({ status: "archived", endedAt: endAfter });
    expect(world.dials).toHaveLength(1);
    await expectStored(world, campaign);
  });
});

describe("an answer that does not come in time", () => {
  it("H22 H41 is what other tasks of the connection say they wait for", async () => {
    const campaign = await world.campaign();
    world.answer = () => new Promise(() => undefined);
    const away = () => {
      throw new Error("away");
    };
    world.test = away;
    world.lookup = away;
    await world.push(campaign);
    await world.run(21_000);
    const task = await world.push(campaign);
    expect(task.waiting).toMatchObject({
      reason: "connection",
      detail: "an answer was lost (no answer in time)",
    });
  });
});
