import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CampaignId, type ImportId, makeId, type TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, pushMany, rowsOf, storedRow, storedStatus } from "../support/node/scene.ts";
import { HOUR, MINUTE, taken, WORKSPACE, World } from "../support/node/world.ts";

const DAY = 24 * HOUR;

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 2 } });
});
afterEach(() => checkWorld(world));

/** What the object still holds of tasks, but for campaigns' own rows. */
const held = (of = world) =>
  Object.fromEntries(
    ["task", "waiting", "lane", "call", "dirty", "late", "external", "seen_phone"]
      .map((table) => [table, rowsOf(of, table)] as const)
      .filter(([, count]) => count > 0),
  );

async function over(campaign: CampaignId, how: "archive" | "end"): Promise<void> {
  if (how === "archive") await world.move(campaign, "archive");
  else {
    await world.edit(campaign, { endAfter: world.now + 1 });
    await world.run(1);
  }
}

describe("what is over leaves the object, and readers find it in D1", () => {
  for (const how of ["archive", "end"] as const) {
    it(`H30, H13 after ${how} of a realtime campaign its tasks are in D1 alone, archived or as they ended`, async () => {
      const campaign = await world.campaign({ slots: 1, retries: 1, intervals: HOUR });
      const done = await world.push(campaign);
      await world.finish(world.last(), "connected");
      const retried = await world.push(campaign);
      await world.finish(world.last(), "busy");
      const running = await world.push(campaign, { externalId: "x" });
      const [waits, paused, own] = await Promise.all([
        world.push(campaign, { externalId: "y" }),
        world.push(campaign),
        world.push(campaign, { days: ["tue"], priorities: [9, 8] }),
      ]);
      taken(await world.dialer.moveTask(paused.id, "pause"));
      const dial = world.last();
      await over(campaign, how);
      await world.run(MINUTE);
      expect(storedStatus(world, running.id)).toBe("running");
      expect(rowsOf(world, "call")).toBe(1);
      await world.finish(dial, "connected");
      await world.run(MINUTE);
      const statuses = [done, retried, running, waits, paused, own].map(({ id }) =>
        storedStatus(world, id),
      );
      expect(statuses).toEqual([
        "completed",
        "archived",
        "completed",
        "archived",
        "archived",
        "archived",
      ]);
      expect(held()).toEqual({});
      await expectStored(world, campaign);
      expect(await world.dialer.readTask(done.id)).toMatchObject({ ok: false, code: "not_found" });
      expect(storedRow(world, "tasks", own.id).settings).toContain("[9,8]");
      world.restart();
      expect((await world.read(campaign)).counters).toMatchObject({ completed: 2, archived: 4 });
    });

    it(`H22, H30 a call whose lease had run out leaves too, after the ${how}`, async () => {
      const campaign = await world.campaign({ retries: 1, intervals: DAY });
      const { id } = await world.push(campaign);
      await world.run(HOUR);
      expect((await world.task(id)).lastOutcome).toBe("failed");
      await over(campaign, how);
      await world.run(MINUTE);
      expect(storedStatus(world, id)).toBe("archived");
      expect(held()).toEqual({});
    });
  }

  it("H28 a batch that is completed keeps its numbers alone, for 90 days", async () => {
    const campaign = await world.campaign({ type: "batch" });
    await world.import(campaign, [world.phone(), world.phone()]);
    for (const dial of [...world.dials]) await world.finish(dial, "connected");
    await world.run(HOUR);
    expect(held()).toEqual({ seen_phone: 2 });
    await world.run(89 * DAY);
    taken(await world.dialer.tick());
    await world.run(MINUTE);
    expect(held()).toEqual({ seen_phone: 2 });
    await world.run(DAY);
    taken(await world.dialer.tick());
    await world.run(MINUTE);
    expect(held()).toEqual({});
    expect((await world.read(campaign)).status).toBe("completed");
  });

  it("H28 a batch that was archived, or that its end has closed, keeps nothing", async () => {
    for (const how of ["archive", "end"] as const) {
      const campaign = await world.campaign({ type: "batch", start: 100, end: 200 });
      await world.import(campaign, [world.phone(), world.phone()]);
      await over(campaign, how);
      await world.run(MINUTE);
      expect(held()).toEqual({});
      await expectStored(world, campaign);
    }
  });

  it("H11 nothing leaves while an import is open, and all of it once that is complete", async () => {
    const campaign = await world.campaign({ type: "batch" });
    const id = makeId("imp", WORKSPACE, "i") as ImportId;
    taken(await world.dialer.openImport(id, campaign));
    const part = (part: number, last: boolean) => {
      const rows = [{ line: part + 2, phone: world.phone(), context: {} }];
      return world.dialer.ingest({ import: id, part, last, allowDuplicates: false, rows });
    };
    taken(await part(0, false));
    await world.move(campaign, "archive");
    await world.run(MINUTE);
    expect(held()).toMatchObject({ task: 1, seen_phone: 1 });
    expect(taken(await part(1, true)).rejected).toHaveLength(1);
    await world.run(MINUTE);
    expect(held()).toEqual({});
  });

  it("H36 what became of an import's parts is kept for a week after its campaign, then leaves", async () => {
    const campaign = await world.campaign({ type: "batch", start: 100, end: 200 });
    await world.import(campaign, [world.phone()]);
    await world.move(campaign, "archive");
    await world.run(7 * DAY - MINUTE);
    taken(await world.dialer.tick());
    expect(rowsOf(world, "import_part")).toBe(1);
    await world.run(MINUTE);
    taken(await world.dialer.tick());
    expect(rowsOf(world, "import_part")).toBe(0);
  });

  it("H30 thousands leave in slices, and a restart in their midst loses none", async () => {
    const big = new World();
    await big.setUp({ workspace: { slots: 0 } });
    const campaign = await big.campaign();
    const tasks = await pushMany(big, campaign, 3_500);
    await big.run(MINUTE);
    await big.move(campaign, "archive");
    await big.run(50);
    const left = rowsOf(big, "task");
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(3_500);
    expect((await big.read(campaign)).counters).toMatchObject({ queued: 0, archived: 3_500 });
    big.restart();
    taken(await big.dialer.tick());
    await big.run(MINUTE);
    expect(held(big)).toEqual({});
    await expectStored(big, campaign);
    expect(storedStatus(big, tasks.at(-1) as TaskId)).toBe("archived");
  });

  it("H35 nothing leaves while D1 is away", async () => {
    const campaign = await world.campaign({ start: 100, end: 200 });
    const { id } = await world.push(campaign);
    world.d1Fault = new Error("D1 is away");
    await world.move(campaign, "archive");
    await world.run(HOUR);
    expect((await world.task(id)).status).toBe("archived");
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(held()).toEqual({});
    expect(storedStatus(world, id)).toBe("archived");
  });

  it("H29 tasks that end leave a live campaign, too; those that wait stay", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    const [one, two] = [await world.push(campaign), await world.push(campaign)];
    const three = await world.push(campaign, { startAfter: world.now + DAY });
    await world.finish(world.dials[0] as never, "connected");
    await world.finish(world.dials[1] as never, "busy");
    taken(await world.dialer.moveTask(three.id, "archive"));
    await world.run(MINUTE);
    expect([one, two, three].map(({ id }) => storedStatus(world, id))).toEqual([
      "completed",
      "queued",
      "archived",
    ]);
    expect(held()).toMatchObject({ task: 1, waiting: 1 });
    expect(rowsOf(world, "call")).toBe(0);
  });
});
