import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { type Dialled, HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

const OWN = { outcomes: [{ name: "call_later", suppress: false }] };

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ agent: OWN });
});
afterEach(() => checkWorld(world));

/** The call connected and is over; what it was about is not known yet. */
async function hangUp(dial: Dialled) {
  const news = { ended: true, outcome: "connected", word: "hung up", endedAt: world.now };
  await world.report(dial, { ...news, answeredAt: dial.at });
}

async function analyse(dial: Dialled, outcome: string) {
  const analysis = { summary: "…" };
  await world.report(dial, { ended: true, concluding: true, outcome, analysis });
}

async function retriedTask(body = {}): Promise<TaskRecord> {
  const retryOutcomes = ["call_later"];
  return world.push(await world.campaign({ retries: 1, intervals: HOUR, retryOutcomes, ...body }));
}

const slotsInUse = async () => taken(await world.dialer.readWorkspace()).slotsInUse;

describe("an awaited analysis", () => {
  it("H18 frees the slot at the call's end while its task stays running", async () => {
    await world.setUp({ agent: OWN, workspace: { slots: 1 } });
    const campaign = await world.campaign({ slots: 1 });
    const task = await world.push(campaign);
    const next = await world.push(campaign);
    await hangUp(world.last());
    expect(world.last().phone).toBe(next.phone);
    expect((await world.task(task.id)).status).toBe("running");
    expect((await world.read(campaign)).counters).toMatchObject({ running: 2, attempts: 0 });
    expect(await slotsInUse()).toBe(1);
  });

  it("H18 decides the task when it comes, and counts the interval from the call's end", async () => {
    const task = await retriedTask();
    await world.run(10 * MINUTE);
    await hangUp(world.last());
    await world.run(MINUTE);
    await analyse(world.last(), "call_later");
    const queued = { status: "queued", lastOutcome: "call_later", dueAt: START + 70 * MINUTE };
    expect(await world.task(task.id)).toMatchObject(queued);
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START + 70 * MINUTE]);
  });

  it("H18 completes the task when it brings an outcome that is not chosen", async () => {
    const task = await retriedTask({ retryOutcomes: [] });
    await hangUp(world.last());
    await analyse(world.last(), "call_later");
    const completed = { status: "completed", lastOutcome: "call_later" };
    expect(await world.task(task.id)).toMatchObject(completed);
  });

  it("H18 is awaited 2 min, then the carrier is asked once, then the task is decided", async () => {
    const task = await retriedTask();
    await world.run(MINUTE);
    await hangUp(world.last());
    await world.run(2 * MINUTE - 1);
    expect(world.lookups).toHaveLength(0);
    await world.run(1);
    expect(world.lookups.map((lookup) => lookup.at)).toEqual([START + 3 * MINUTE]);
    await world.run(MINUTE);
    const completed = { status: "completed", lastOutcome: "connected" };
    expect(await world.task(task.id)).toMatchObject(completed);
    await world.run(HOUR);
    expect(world.lookups).toHaveLength(1);
    expect(world.dials).toHaveLength(1);
  });

  it("H18 can be what the carrier answers when it is asked", async () => {
    const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "call_later" };
    world.lookup = () => ({ kind: "over", carrierCallId: null, news });
    const task = await retriedTask();
    await hangUp(world.last());
    await world.run(2 * MINUTE);
    const queued = { status: "queued", dueAt: START + HOUR };
    expect(await world.task(task.id)).toMatchObject(queued);
  });

  it("H18 is given up as well when the carrier cannot be asked", async () => {
    world.lookup = () => {
      throw new Error("away");
    };
    const task = await retriedTask();
    await hangUp(world.last());
    await world.run(3 * MINUTE);
    expect(world.lookups).toHaveLength(1);
    expect((await world.task(task.id)).status).toBe("completed");
  });

  it("H18 that comes later is recorded with the call and moves no task", async () => {
    const task = await retriedTask();
    const dial = world.last();
    await hangUp(dial);
    await world.run(3 * MINUTE);
    await analyse(dial, "call_later");
    await world.run(2 * HOUR);
    expect(world.dials).toHaveLength(1);
    const completed = { status: "completed", lastOutcome: "connected" };
    expect(await world.task(task.id)).toMatchObject(completed);
    const [call] = await world.calls(task.id);
    expect(call).toMatchObject({ outcome: "connected", reported: "call_later" });
    const [texts] = world.stored("SELECT analysis FROM call_texts");
    expect(JSON.parse(String(texts?.analysis))).toEqual({ summary: "…" });
  });

  it("H18 is awaited across a restart, no longer and no shorter", async () => {
    const task = await retriedTask();
    await hangUp(world.last());
    await world.run(MINUTE);
    world.restart();
    await world.run(MINUTE - 1);
    expect((await world.task(task.id)).status).toBe("running");
    world.restart();
    await world.run(MINUTE);
    expect((await world.task(task.id)).status).toBe("completed");
    expect(world.lookups).toHaveLength(1);
  });

  it("H36 the end reported again neither lengthens the wait nor decides", async () => {
    const task = await retriedTask();
    await hangUp(world.last());
    await world.run(MINUTE + 30_000);
    await hangUp(world.last());
    expect((await world.task(task.id)).status).toBe("running");
    await world.run(30_000);
    expect(world.lookups).toHaveLength(1);
  });

  it("H30 a task that is archived meanwhile is decided when it comes, but not retried", async () => {
    const task = await retriedTask();
    await hangUp(world.last());
    taken(await world.dialer.moveTask(task.id, "archive"));
    expect((await world.task(task.id)).status).toBe("running");
    await analyse(world.last(), "call_later");
    expect((await world.task(task.id)).status).toBe("archived");
  });

  it("H22 no lease ends while it is awaited, since none is held", async () => {
    await world.setUp({ agent: OWN, connection: { lengthMaxMs: MINUTE } });
    const task = await retriedTask();
    await world.run(5 * MINUTE);
    await hangUp(world.last());
    await world.run(90_000);
    await analyse(world.last(), "call_later");
    expect(await world.task(task.id)).toMatchObject({ lastOutcome: "call_later", attempts: 1 });
  });
});

describe("what needs no analysis", () => {
  const AGENTS = [
    { name: "own outcomes", agent: OWN, waits: true },
    { name: "a callback", agent: { outcomes: [], usesCallback: true }, waits: true },
    { name: "neither", agent: { outcomes: [] }, waits: false },
  ];
  for (const { name, agent, waits } of AGENTS) {
    it(`H18 ${waits ? "awaits" : "does not await"} one for an agent with ${name}`, async () => {
      await world.setUp({ agent });
      const task = await world.push(await world.campaign());
      await hangUp(world.last());
      expect((await world.task(task.id)).status).toBe(waits ? "running" : "completed");
      expect(await slotsInUse()).toBe(0);
    });
  }

  it("H18 awaits one when the end names no outcome but the person had answered", async () => {
    const task = await retriedTask();
    await world.report(world.last(), { ended: true, answeredAt: START });
    expect((await world.task(task.id)).status).toBe("running");
    await world.run(3 * MINUTE);
    const completed = { status: "completed", lastOutcome: "connected" };
    expect(await world.task(task.id)).toMatchObject(completed);
  });

  for (const outcome of ["no_answer", "busy", "failed", "voicemail", "no_response"]) {
    it(`H18 decides at once after ${outcome}, which no analysis can change`, async () => {
      const task = await retriedTask({ retryOutcomes: ["voicemail", "no_response"] });
      await world.report(world.last(), { ended: true, outcome, endedAt: START });
      expect(await world.task(task.id)).toMatchObject({ status: "queued", lastOutcome: outcome });
    });
  }

  it("H18 decides at once when the end brings an outcome of the agent's own", async () => {
    const task = await retriedTask();
    await world.report(world.last(), { ended: true, outcome: "call_later", answeredAt: START });
    expect(await world.task(task.id)).toMatchObject({ status: "queued", attempts: 1 });
  });
});
