import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { AGENT, HOUR, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

describe("an end that does not say how", () => {
  it("H18 is failed where nobody answered, and retried", async () => {
    const task = await world.push(await world.campaign({ retries: 1 }));
    await world.report(world.last(), { ended: true });
    expect(await world.task(task.id)).toMatchObject({ status: "queued", lastOutcome: "failed" });
  });

  it("H18 is connected where somebody did", async () => {
    const task = await world.push(await world.campaign({ retries: 1 }));
    await world.report(world.last(), { answeredAt: world.now, ended: true });
    const done = { status: "completed", lastOutcome: "connected" };
    expect(await world.task(task.id)).toMatchObject(done);
  });
});

describe("an end that nobody told", () => {
  it("H22 H32 is on record with the reason, or with the carrier's last word", async () => {
    const campaign = await world.campaign();
    const silent = await world.push(campaign);
    const heard = await world.push(campaign);
    await world.report(world.last(), { ringingAt: world.now, word: "ringing" });
    await world.run(HOUR);
    const records = [...(await world.calls(silent.id)), ...(await world.calls(heard.id))];
    expect(records.map(({ outcome, word }) => [outcome, word])).toEqual([
      ["failed", "no news until the lease ended"],
      ["failed", "ringing"],
    ]);
  });
});

describe("a call whose agent is gone", () => {
  it.each([
    ["no_answer", { status: "queued", lastOutcome: "no_answer" }],
    ["connected", { status: "completed", lastOutcome: "connected" }],
    ["busy_callback", { status: "completed", lastOutcome: "busy_callback" }],
  ])("H18 H35 is concluded all the same: %s", async (outcome, then) => {
    await world.setUp({ agent: { usesCallback: true } });
    const task = await world.push(await world.campaign({ retries: 1 }));
    await world.put("agent", AGENT, null);
    await world.finish(world.last(), outcome, { callbackAt: world.now + HOUR });
    expect(await world.task(task.id)).toMatchObject(then);
  });
});
