import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CampaignId, TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, pushMany, rowsOf, storedRow, storedStatus } from "../support/node/scene.ts";
import { HOUR, MINUTE, START, taken, World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 2 } });
});
afterEach(() => checkWorld(world));

/** A life in steps: what it leaves behind must not depend on where the object dies. */
type Life = { batch: CampaignId; leads: CampaignId; task: TaskId };
const LIFE: ((world: World, life: Partial<Life>) => Promise<unknown>)[] = [
  async (w, life) => {
    life.leads = await w.campaign({ retries: 1, intervals: MINUTE });
  },
  async (w, life) => {
    life.batch = await w.campaign({ type: "batch", name: "March", priority: "low" });
  },
  async (w, { batch }) => w.import(batch as CampaignId, [w.phone(), w.phone()]),
  async (w, life) => {
    life.task = (await w.push(life.leads as CampaignId)).id;
  },
  (w) => w.finish(dial(w, 0), "connected"),
  (w, { task }) => w.dialer.moveTask(task as TaskId, "pause"),
  (w, { leads }) => w.edit(leads as CampaignId, { name: "Spring", retries: 2 }),
  (w) => w.run(700),
  (w) => w.finish(dial(w, 2), "busy"),
  (w, { leads }) => w.move(leads as CampaignId, "pause"),
  (w, { leads }) => w.move(leads as CampaignId, "resume"),
  (w) => w.finish(dial(w, 1), "no_answer"),
  (w) => w.run(2 * MINUTE),
  (w) => w.finish(w.last(), "connected", { costMicros: 5, currency: "USD" }),
  (w, { leads }) => w.move(leads as CampaignId, "archive"),
];

function dial(world: World, index: number) {
  const found = world.dials[index];
  if (found === undefined) throw new Error(`nothing was dialled ${index} times`);
  return found;
}

/** What D1 knows in the end, but for the versions and ids that a start skips. */
async function live(world: World, dieAfter: number | null) {
  await world.setUp({ workspace: { slots: 2 } });
  const life: Partial<Life> = {};
  for (const [index, step] of LIFE.entries()) {
    await step(world, life);
    await world.idle();
    if (index === dieAfter) world.restart();
  }
  await world.run(HOUR);
  await expectStored(world, life.leads as CampaignId);
  await expectStored(world, life.batch as CampaignId);
  return {
    campaigns: world.stored(
      "SELECT name, status, started_at, completed_at, archived_at, counters FROM campaigns ORDER BY name",
    ),
    tasks: world.stored(
      "SELECT phone, status, attempts, last_outcome, ended_at FROM task_view ORDER BY phone",
    ),
    calls: world.stored(
      "SELECT to_phone, attempt, outcome, claimed_at, ended_at, cost_micros FROM calls ORDER BY to_phone, attempt",
    ),
    left: ["task", "call", "waiting", "lane"].map((table) => rowsOf(world, table)),
  };
}

describe("H35 crashes", () => {
  it("H35 what becomes of everything does not depend on where the object dies", async () => {
    const whole = await live(new World(), null);
    expect(whole.calls).toHaveLength(4);
    expect(whole.left).toEqual([0, 0, 0, 0]);
    for (const index of LIFE.keys()) {
      expect([index, await live(openWorld(), index)]).toEqual([index, whole]);
    }
  });

  it("H35, H22 a task whose claim was committed when the object died is not dialled again on a guess", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const body = { campaign, phone: world.phone() };
    const reply = world.dialer.push({
      access: null,
      tasks: [{ body, path: "" }],
      idempotency: null,
    });
    world.restart();
    expect(taken(await reply)).toMatchObject([{ ok: true }]);
    await world.run(30 * MINUTE);
    expect(world.dials).toHaveLength(0);
    expect((await world.read(campaign)).counters).toMatchObject({ running: 1 });
    await world.run(10 * MINUTE);
    expect(world.dials.map((one) => one.attempt)).toEqual([2]);
  });

  it("H35 a report that comes while the answer is lost decides its call", async () => {
    const campaign = await world.campaign();
    world.answer = () => new Promise(() => undefined);
    const { id } = await world.push(campaign);
    world.restart();
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    expect(storedStatus(world, id)).toBe("completed");
    expect(world.dials).toHaveLength(1);
  });

  it("H35 what was taken in is stored though the object died before the flush and nobody asks for it", async () => {
    const campaign = await world.campaign({ paused: true });
    for (const wait of [0, 3_000]) {
      await world.run(wait);
      const { id } = await world.push(campaign);
      world.restart();
      await world.run(MINUTE);
      expect(storedStatus(world, id)).toBe("paused");
    }
  });

  it("H35 the same right after a person's change was flushed", async () => {
    const campaign = await world.campaign({ paused: true });
    await world.run(MINUTE);
    await world.edit(campaign, { name: "Spring" });
    await world.run(100);
    const { id } = await world.push(campaign);
    world.restart();
    await world.run(MINUTE);
    expect(storedStatus(world, id)).toBe("paused");
  });

  it("H35 a task that comes in just before its campaign's end is stored before it leaves", async () => {
    const endAfter = START + HOUR;
    const campaign = await world.campaign({ endAfter, start: 100, end: 200 });
    await world.run(HOUR - 15);
    await world.campaign({ name: "Other" });
    await world.run(5);
    const { id } = await world.push(campaign);
    await world.run(MINUTE);
    expect(storedStatus(world, id)).toBe("archived");
    await expectStored(world, campaign);
    expect(rowsOf(world, "task")).toBe(0);
  });

  it("H35 an object that dies between D1's commit and its answer sends again, to no harm", async () => {
    const campaign = await world.campaign();
    const { id } = await world.push(campaign);
    await world.finish(world.last(), "connected");
    let deaths = 0;
    world.d1Answers = () => {
      deaths += 1;
      if (deaths <= 3) world.restart();
    };
    await world.run(5 * MINUTE);
    expect(deaths).toBeGreaterThan(3);
    expect(storedStatus(world, id)).toBe("completed");
    await expectStored(world, campaign);
    expect(rowsOf(world, "task") + rowsOf(world, "call")).toBe(0);
  });

  it("H35 what changes while a flush is under way is stored after it", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    const [one, two] = [await world.push(campaign), await world.push(campaign)];
    const [first, second] = [dial(world, 0), dial(world, 1)];
    await world.finish(first, "connected");
    let answer: () => void = () => undefined;
    world.d1Answers = () => new Promise((resolve) => (answer = resolve));
    await world.run(600);
    await world.finish(second, "busy");
    taken(await world.dialer.moveTask(two.id, "pause"));
    world.d1Answers = () => undefined;
    answer();
    await world.run(5_000);
    expect([storedStatus(world, one.id), storedStatus(world, two.id)]).toEqual([
      "completed",
      "paused",
    ]);
    expect(storedRow(world, "calls", second.call)).toMatchObject({ outcome: "busy", concluded: 1 });
    await expectStored(world, campaign);
    expect(rowsOf(world, "call")).toBe(0);
  });

  it("H35 what is heard of a concluded call while it is being stored is stored, too", async () => {
    await world.push(await world.campaign());
    await world.finish(world.last(), "connected");
    let answer: () => void = () => undefined;
    world.d1Answers = () => new Promise((resolve) => (answer = resolve));
    await world.run(600);
    await world.report(world.last(), { costMicros: 7, recordingUrl: "https://carrier.test/r" });
    world.d1Answers = () => undefined;
    answer();
    await world.run(5_000);
    const stored = { cost_micros: 7, recording_url: "https://carrier.test/r" };
    expect(storedRow(world, "calls", world.last().call)).toMatchObject(stored);
    expect(rowsOf(world, "call")).toBe(0);
  });

  it("H35 a move of a single task is stored though the object died before the flush", async () => {
    const campaign = await world.campaign({ startAfter: START + HOUR });
    const [one, two] = [await world.push(campaign), await world.push(campaign)];
    await world.run(MINUTE);
    taken(await world.dialer.moveTask(one.id, "pause"));
    taken(await world.dialer.moveTask(two.id, "archive"));
    world.restart();
    await world.run(MINUTE);
    expect([storedStatus(world, one.id), storedStatus(world, two.id)]).toEqual([
      "paused",
      "archived",
    ]);
  });
});

describe("H35 D1 away", () => {
  it("H35 dialling goes on for an hour without D1, then D1 knows everything and the rows leave", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: 5 * MINUTE });
    await world.run(MINUTE);
    world.d1Fault = new Error("D1 is away");
    const tasks = await pushMany(world, campaign, 40);
    const created = world.now;
    const other = await world.campaign({ name: "Made without D1", paused: true });
    expect(world.now).toBeLessThanOrEqual(created + 2_000);
    await world.push(other);
    await world.edit(other, { name: "Changed without D1" });
    let done = 0;
    while (world.now < START + HOUR) {
      for (const next of world.dials.slice(done)) {
        await world.finish(next, next.attempt === 1 && done % 3 === 0 ? "busy" : "connected");
        done += 1;
      }
      await world.run(10_000);
    }
    expect(world.dials.length).toBeGreaterThan(40);
    expect(world.stored("SELECT id FROM tasks")).toEqual([]);
    world.d1Fault = null;
    await world.run(2 * MINUTE);
    await expectStored(world, campaign);
    await expectStored(world, other);
    expect(tasks.map((task) => storedStatus(world, task))).toEqual(tasks.map(() => "completed"));
    expect(world.stored("SELECT id FROM calls")).toHaveLength(world.dials.length);
    expect(rowsOf(world, "call")).toBe(0);
    expect(rowsOf(world, "task")).toBe(1);
  });

  it("H35 thousands of tasks reach D1 in slices, each once", async () => {
    const big = new World();
    await big.setUp({ workspace: { slots: 0 } });
    const campaign = await big.campaign();
    big.d1Fault = new Error("D1 is away");
    await pushMany(big, campaign, 2_500);
    await big.move(campaign, "pause");
    big.d1Fault = null;
    await big.run(MINUTE);
    await expectStored(big, campaign);
    expect(big.stored("SELECT id FROM tasks")).toHaveLength(2_500);
  });
});
