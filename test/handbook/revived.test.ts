import { afterEach, beforeEach, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, rowsOf } from "../support/node/scene.ts";
import { HOUR, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 1 } });
});
afterEach(() => checkWorld(world));

it("H28 H35 rows that bring back a batch whose tasks have all left survive a restart", async () => {
  const campaign = await world.campaign({ type: "batch" });
  await world.import(campaign, [world.phone()]);
  await world.finish(world.last(), "connected");
  await world.run(HOUR);
  expect((await world.read(campaign)).status).toBe("completed");
  expect(rowsOf(world, "lane")).toBe(0);

  await world.import(campaign, [world.phone(), world.phone(), world.phone()]);
  world.restart();
  expect((await world.read(campaign)).counters).toMatchObject({ queued: 2, running: 1 });
  for (let n = 0; n < 3; n++) {
    await world.finish(world.last(), "connected");
    await world.run(1_000);
  }
  expect(world.dials).toHaveLength(4);
  expect(await world.read(campaign)).toMatchObject({
    status: "completed",
    counters: { completed: 4 },
  });
  await expectStored(world, campaign);
});
