import { afterEach, describe, expect, it } from "vitest";
import { type CampaignId, makeId, type TaskId } from "../../src/core/ids.ts";
import { MOVES, type Move } from "../../src/core/status.ts";
import type { TaskStatus } from "../../src/core/task.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import {
  costOf,
  expectStored,
  pushMany,
  refused,
  rowsOf,
  storedStatus,
} from "../support/node/scene.ts";
import { HOUR, MINUTE, START, taken, WORKSPACE, World } from "../support/node/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await checkWorld(world);
});

async function made(slots: number): Promise<World> {
  const world = openWorld();
  worlds.push(world);
  await world.setUp({ workspace: { slots } });
  return world;
}

const moveTask = async (world: World, task: TaskId, move: Move) =>
  taken(await world.dialer.moveTask(task, move));

type Way = {
  task: TaskStatus;
  campaign: "scheduled" | "running" | "paused" | "completed" | "archived";
};

/** A task that was brought to a status, and then its campaign to one. */
async function scene(world: World, way: Way): Promise<{ campaign: CampaignId; task: TaskId }> {
  const body = { retries: 1, intervals: 10 * MINUTE, endAfter: START + HOUR };
  const campaign = await world.campaign(body);
  const calls = way.task === "running" || way.task === "completed";
  if (way.campaign !== "scheduled" && !calls) await world.push(campaign);
  const soon = way.campaign === "scheduled" ? { startAfter: START + 30 * MINUTE } : {};
  const { id } = await world.push(campaign, soon);
  if (way.task === "completed") await world.finish(world.last(), "connected");
  if (way.task === "paused") await moveTask(world, id, "pause");
  if (way.task === "archived") await moveTask(world, id, "archive");
  if (way.campaign === "paused") await world.move(campaign, "pause");
  if (way.campaign === "archived") await world.move(campaign, "archive");
  if (way.campaign === "completed") await world.edit(campaign, { endAfter: START + MINUTE });
  if (way.campaign === "completed") await world.run(MINUTE);
  return { campaign, task: id };
}

/** H29, H30: what a task is once its campaign has come to be as it is. */
function statusIn({ task, campaign }: Way): TaskStatus {
  if (task !== "queued" && task !== "paused") return task;
  if (campaign === "completed" || campaign === "archived") return "archived";
  return campaign === "paused" ? "paused" : task;
}

/** H30, H31: the status after a move, or null where it is refused. */
function after(way: Way, move: Move): TaskStatus | null {
  const status = statusIn(way);
  const over = way.campaign === "completed" || way.campaign === "archived";
  if (over || status === "completed" || status === "archived") return null;
  if (status === "running") return move === "resume" ? null : "running";
  if (move === "archive") return "archived";
  if (move === "pause") return status === "queued" ? "paused" : null;
  return status === "paused" && way.campaign !== "paused" ? "queued" : null;
}

const WAYS: Way[] = (["queued", "running", "completed", "paused", "archived"] as const).flatMap(
  (task) =>
    (["scheduled", "running", "paused", "completed", "archived"] as const)
      .filter((campaign) => campaign !== "scheduled" || !["running", "completed"].includes(task))
      .map((campaign) => ({ task, campaign })),
);

describe("H29, H31 every task status in every campaign status", () => {
  for (const way of WAYS) {
    for (const move of MOVES) {
      const then = after(way, move);
      const end = then === null ? "is refused and changes nothing" : `makes it ${then}`;
      it(`H31 ${move} of a task that was ${way.task} in a campaign that is ${way.campaign} ${end}`, async () => {
        const world = await made(1);
        const { campaign, task } = await scene(world, way);
        const before = await world.task(task);
        expect(before.status).toBe(statusIn(way));
        expect((await world.read(campaign)).status).toBe(way.campaign);
        const dials = world.dials.length;
        if (then === null) {
          const { code } = await refused(world.dialer.moveTask(task, move));
          if (code === "not_found") {
            // It has left the object, ended: D1 alone has it.
            expect(["completed", "archived"]).toContain(way.task);
            expect(storedStatus(world, task)).toBe(before.status);
          } else {
            expect(code).toBe("conflict");
            expect(await world.task(task)).toEqual(before);
          }
        } else {
          expect((await moveTask(world, task, move)).status).toBe(then);
        }
        expect(world.dials).toHaveLength(dials);
        await world.run(1_000);
        expect(storedStatus(world, task)).toBe(then ?? before.status);
        await expectStored(world, campaign);
      });
    }
  }
});

describe("H30 at one cost for ten tasks and for thousands", () => {
  for (const moves of [
    ["pause"],
    ["pause", "resume"],
    ["archive"],
    ["pause", "archive"],
  ] as Move[][]) {
    const move = moves.at(-1) ?? "pause";
    it(`H30 ${moves.join(" and ")} writes as many rows for 10 tasks as for 5,000, and moves them all`, async () => {
      const costs = [];
      for (const count of [10, 5_000]) {
        const world = new World();
        await world.setUp({ workspace: { slots: 0 } });
        const campaign = await world.campaign();
        const tasks = await pushMany(world, campaign, count);
        await world.run(2_000);
        for (const before of moves.slice(0, -1)) await world.move(campaign, before);
        const { reply, cost } = costOf(world, () => world.dialer.moveCampaign(campaign, move));
        costs.push(cost);
        await world.idle();
        const { counters } = taken(await reply);
        const status = { pause: "paused", resume: "queued", archive: "archived" } as const;
        expect(counters[status[move]]).toBe(count);
        expect((await world.task(tasks.at(-1) as TaskId)).status).toBe(status[move]);
        expect(storedStatus(world, tasks[0] as TaskId)).toBe(status[move]);
      }
      expect(costs[0]?.written).toBeGreaterThan(0);
      expect(costs[1]).toEqual(costs[0]);
    });
  }
});

describe("H31 single pauses", () => {
  it("H31 a task that is paused singly is passed over, and has its place again when it is resumed", async () => {
    const world = await made(1);
    const campaign = await world.campaign();
    const pushed = [];
    for (let n = 0; n < 4; n++) {
      pushed.push(await world.push(campaign));
      await world.run(1);
    }
    const second = pushed[1] as (typeof pushed)[number];
    await moveTask(world, second.id, "pause");
    await world.finish(world.last(), "connected");
    expect(world.last().phone).toBe(pushed[2]?.phone);
    await moveTask(world, second.id, "resume");
    await world.finish(world.last(), "connected");
    expect(world.last().phone).toBe(second.phone);
    await world.finish(world.last(), "connected");
    expect(world.last().phone).toBe(pushed[3]?.phone);
  });

  it("H31 a resume of the campaign ends the single pauses before it, not those after it, however often", async () => {
    const world = await made(0);
    const campaign = await world.campaign();
    const [one, two] = [await world.push(campaign), await world.push(campaign)];
    const statuses = async () => [
      (await world.task(one.id)).status,
      (await world.task(two.id)).status,
    ];
    for (let round = 0; round < 3; round++) {
      await moveTask(world, one.id, "pause");
      expect(await statuses()).toEqual(["paused", "queued"]);
      expect((await world.read(campaign)).counters).toMatchObject({ paused: 1, queued: 1 });
      await world.move(campaign, "pause");
      expect((await world.read(campaign)).counters).toMatchObject({ paused: 2, queued: 0 });
      if (round === 1) world.restart();
      await world.move(campaign, "resume");
      expect(await statuses()).toEqual(["queued", "queued"]);
      expect((await world.read(campaign)).counters).toMatchObject({ paused: 0, queued: 2 });
      await world.run(1_000);
      await expectStored(world, campaign);
    }
  });

  it("H31 a task of a batch can be paused, too, before its import is complete and after", async () => {
    const world = await made(5);
    const campaign = await world.campaign({ type: "batch", startAfter: START + HOUR });
    await world.import(campaign, [world.phone(), world.phone()]);
    await world.run(1_000);
    const [row] = world.sql.all<{ id: number }>("SELECT id FROM task");
    const task = makeId("tsk", WORKSPACE, row?.id ?? 0);
    const { phone } = await moveTask(world, task, "pause");
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.phone)).not.toContain(phone);
    await world.finish(world.last(), "connected");
    expect((await world.read(campaign)).status).toBe("running");
    await moveTask(world, task, "resume");
    expect(world.last().phone).toBe(phone);
  });

  it("H30 a task that arrives while its campaign is paused is paused, until the resume", async () => {
    const world = await made(5);
    const campaign = await world.campaign();
    await world.move(campaign, "pause");
    const { id, status } = await world.push(campaign);
    expect(status).toBe("paused");
    await world.run(HOUR);
    expect((await world.task(id)).status).toBe("paused");
    expect(world.dials).toHaveLength(0);
    await world.move(campaign, "resume");
    expect(world.dials).toHaveLength(1);
  });

  it("H30 a push to a campaign that is over is a conflict and leaves nothing", async () => {
    const world = await made(5);
    const archived = await world.campaign();
    await world.move(archived, "archive");
    const completed = await world.campaign({ endAfter: world.now + 1 });
    await world.run(1);
    for (const campaign of [archived, completed]) {
      const [answer] = await world.pushAll([{ campaign, phone: world.phone() }]);
      expect(answer).toMatchObject({ ok: false, code: "conflict" });
    }
    expect(rowsOf(world, "task")).toBe(0);
  });
});
