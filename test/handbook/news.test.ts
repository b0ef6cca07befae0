import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallNews } from "../../src/carriers/carrier.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { AGENT, HOUR, MINUTE, START, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const SECOND = 1_000;
const OWN = { agent: { outcomes: [{ name: "interested", suppress: false }] } };

describe("what a report tells before the answer does", () => {
  it.each<[string, Partial<CallNews>, object]>([
    ["that it rings", { ringingAt: START }, { status: "ringing" }],
    ["that it ended", { ended: true, outcome: "busy" }, { status: "ended", outcome: "busy" }],
    [
      "that it was refused",
      { ended: true, refusal: "rejected", word: "spam" },
      { status: "ended", outcome: "init_failed", word: "spam" },
    ],
    [
      "that it was refused, in no words",
      { ended: true, refusal: "rejected" },
      { status: "ended", outcome: "init_failed", word: "rejected" },
    ],
  ])("H32 H36 %s: it was taken, at that instant", async (_, news, then) => {
    world.answer = () => new Promise(() => undefined);
    const task = await world.push(await world.campaign());
    await world.run(5 * SECOND);
    await world.report(world.last(), news);
    const [call] = await world.calls(task.id);
    expect(call).toMatchObject({ placedAt: START + 5 * SECOND, ...then });
  });

  it("H22 it is not asked about again for two minutes", async () => {
    world.answer = () => ({ kind: "unknown", word: "lost" });
    world.lookup = () => {
      throw new Error("away");
    };
    await world.push(await world.campaign());
    await world.run(20 * SECOND);
    const asked = world.lookups.length;
    expect(asked).toBeGreaterThan(0);
    await world.report(world.last(), { ringingAt: world.now });
    await world.run(2 * MINUTE - 1);
    expect(world.lookups).toHaveLength(asked);
    await world.run(1);
    expect(world.lookups).toHaveLength(asked + 1);
  });
});

describe("an end whose analysis may come", () => {
  it.each<[string, Partial<CallNews>, object]>([
    ["nobody answered", {}, { status: "queued", lastOutcome: "failed" }],
    ["a machine did", { answeredAt: START, outcome: "voicemail" }, { lastOutcome: "voicemail" }],
    ["its outcome came", { answeredAt: START, outcome: "interested" }, { status: "completed" }],
  ])("H18 is decided at once where %s", async (_, news, then) => {
    await world.setUp(OWN);
    const task = await world.push(await world.campaign({ retries: 1 }));
    await world.report(world.last(), { ended: true, ...news });
    expect(await world.task(task.id)).toMatchObject({ attempts: 1, ...then });
  });

  it("H18 is decided at once where the agent is gone, who alone could report one", async () => {
    await world.setUp(OWN);
    const task = await world.push(await world.campaign({ retries: 1 }));
    await world.put("agent", AGENT, null);
    await world.report(world.last(), { ended: true, answeredAt: START, outcome: "connected" });
    expect((await world.task(task.id)).status).toBe("completed");
  });

  it("H18 H36 keeps its outcome and what comes meanwhile, and decides nothing by it", async () => {
    await world.setUp(OWN);
    const task = await world.push(await world.campaign({ retries: 1 }));
    const dial = world.last();
    await world.report(dial, { ended: true, outcome: "connected" });
    await world.report(dial, { costMicros: 12_000, currency: "USD" });
    await world.report(dial, { costMicros: 12_000, currency: "USD" });
    expect((await world.task(task.id)).status).toBe("running");
    await world.run(5 * MINUTE);
    const done = { status: "completed", lastOutcome: "connected" };
    expect(await world.task(task.id)).toMatchObject(done);
    const kept = { outcome: "connected", costMicros: 12_000, currency: "USD" };
    expect((await world.calls(task.id))[0]).toMatchObject(kept);
  });
});

describe("what is told of a call after its lease ended", () => {
  const rescued = async () => {
    const campaign = await world.campaign({ retries: 1, intervals: 5 * HOUR });
    const task = await world.push(campaign);
    await world.run(HOUR);
    expect(await world.task(task.id)).toMatchObject({ status: "queued", lastOutcome: "failed" });
    return task.id;
  };

  it.each<[string, Partial<CallNews>, object, object]>([
    [
      "that it was busy",
      { ended: true, outcome: "busy" },
      { status: "queued" },
      { outcome: "busy" },
    ],
    [
      "that the carrier had refused it",
      { ended: true, refusal: "rejected" },
      { status: "queued", lastOutcome: "init_failed" },
      { outcome: "init_failed", reported: null },
    ],
    [
      "that its number does not exist",
      { ended: true, refusal: "permanent" },
      { status: "completed", lastOutcome: "failed" },
      { outcome: "failed", reported: null },
    ],
    [
      "that the carrier had been full",
      { ended: true, refusal: "capacity" },
      { status: "queued", lastOutcome: "failed", attempts: 1 },
      { outcome: "failed", reported: null },
    ],
  ])("H21 H22 %s", async (_, news, task, call) => {
    const id = await rescued();
    const [dial] = world.dials;
    if (dial !== undefined) await world.report(dial, news);
    expect(await world.task(id)).toMatchObject(task);
    expect((await world.calls(id))[0]).toMatchObject(call);
  });

  it("H22 replaces what was assumed once: what is told after it stands beside it", async () => {
    const id = await rescued();
    const [dial] = world.dials;
    if (dial !== undefined) await world.finish(dial, "busy");
    if (dial !== undefined) await world.finish(dial, "no_answer");
    expect((await world.task(id)).lastOutcome).toBe("busy");
    const [call] = await world.calls(id);
    expect(call).toMatchObject({ outcome: "busy", reported: "no_answer" });
  });
});
