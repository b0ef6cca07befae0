import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Patch, Watch } from "../../src/core/live.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { MINUTE, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

/** Somebody who looks, and what he was told. */
function look(watch: Partial<Watch> = {}) {
  const told: Patch[] = [];
  const viewer = {
    watch: { campaign: null, tasks: [], ...watch },
    send: (text: string) => void told.push(JSON.parse(text)),
  };
  world.viewers.push(viewer);
  world.dialer.looks(viewer);
  return { viewer, told };
}

describe("H34 all of it moves while somebody looks", () => {
  it("H34 begins with a snapshot of live campaigns, slots, watched tasks and calls", async () => {
    const campaign = await world.campaign({ name: "Leads" });
    const { id } = await world.push(campaign);
    const { told } = look({ campaign, tasks: [id] });
    expect(told).toMatchObject([
      {
        kind: "snapshot",
        slots: { inUse: 1 },
        campaigns: [{ id: campaign, status: "running", counters: { running: 1 } }],
        tasks: [{ id, status: "running", attempts: 0 }],
        calls: [{ id: world.last().call, task: id, status: "dialling", attempt: 1 }],
        gap: false,
      },
    ]);
  });

  it("H34 tells of calls that start and end, tasks and counters that change", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const { id } = await world.push(campaign);
    const { told } = look({ campaign, tasks: [id] });
    await world.finish(world.last(), "no_answer");
    await world.run(300);
    const last = told.at(-1);
    expect(last).toMatchObject({
      kind: "patch",
      slots: { inUse: 0 },
      campaigns: [{ id: campaign, counters: { queued: 1, running: 0, attempts: 1 } }],
      tasks: [{ id, status: "queued", attempts: 1, lastOutcome: "no_answer" }],
    });
    expect(last?.tasks[0]?.waiting).toMatchObject({ reason: "interval" });
    expect(told.flatMap((one) => one.calls)).toContainEqual(
      expect.objectContaining({ task: id, status: "ended", outcome: "no_answer" }),
    );
  });

  it("H34 says at most four messages a second, however much changes, and then the last state", async () => {
    const campaign = await world.campaign({ paused: true });
    const { told } = look({ campaign });
    told.length = 0;
    const begin = world.now;
    for (let i = 0; i < 60; i++) {
      await world.push(campaign);
      await world.run(50);
    }
    const seconds = (world.now - begin) / 1_000;
    expect(told.length).toBeGreaterThan(seconds * 2);
    expect(told.length).toBeLessThanOrEqual(seconds * 4 + 1);
    await world.run(1_000);
    expect(told.at(-1)?.campaigns[0]?.counters.paused).toBe(60);
  });

  it("H34 says nothing while nothing changes, and keeps nothing while nobody looks", async () => {
    const campaign = await world.campaign({ paused: true });
    const { told } = look({ campaign });
    await world.run(1_000);
    told.length = 0;
    await world.run(10 * MINUTE);
    expect(told).toEqual([]);
    world.viewers.length = 0;
    world.dialer.looksAway();
    await world.push(campaign);
    await world.run(1_000);
    const { told: anew } = look({ campaign });
    await world.run(1_000);
    expect(anew.map((one) => one.kind)).toEqual(["snapshot"]);
  });

  it("H34 tells each viewer of what he watches alone", async () => {
    const one = await world.campaign({ name: "One" });
    const other = await world.campaign({ name: "Other" });
    const watcher = look({ campaign: one });
    const bystander = look();
    const { id } = await world.push(other);
    await world.push(one);
    const taskWatcher = look({ tasks: [id] });
    await world.run(1_000);
    const calls = (told: Patch[]) => told.flatMap((patch) => patch.calls.map((call) => call.task));
    expect(calls(watcher.told)).not.toContain(id);
    expect(calls(watcher.told).length).toBeGreaterThan(0);
    expect(calls(bystander.told)).toEqual([]);
    expect(taskWatcher.told.flatMap((patch) => patch.tasks.map((task) => task.id))).toContain(id);
    expect(watcher.told.flatMap((patch) => patch.tasks)).toEqual([]);
  });

  it("H34 H37 neither numbers nor contexts are in a message, and ids of others find nothing", async () => {
    const campaign = await world.campaign({});
    const { id } = await world.push(campaign, { context: { secret: "rosebud" } });
    const foreign = "tsk_zzzzzzzzzz_1" as typeof id;
    const { told } = look({ campaign, tasks: [id, foreign] });
    await world.finish(world.last(), "connected");
    await world.run(1_000);
    const text = JSON.stringify(told);
    expect(text).not.toMatch(/\+\d{7,}|rosebud/);
    expect(told[0]?.tasks.map((task) => task.id)).toEqual([id]);
  });

  it("H34 marks a gap when more changes than a message holds", async () => {
    const campaign = await world.campaign({ paused: true });
    const { told } = look({ campaign });
    const tasks = [];
    for (let i = 0; i < 250; i++) tasks.push((await world.push(campaign)).id);
    await world.run(1_000);
    told.length = 0;
    for (const task of tasks) await world.dialer.moveTask(task, "archive");
    await world.run(1_000);
    expect(told.some((patch) => patch.gap)).toBe(true);
  });
});
