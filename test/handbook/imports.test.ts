import { afterEach, describe, expect, it } from "vitest";
import { type CampaignId, type ImportId, makeId } from "../../src/core/ids.ts";
import type { IngestRequest } from "../../src/dialer/verbs.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, refused, rowsOf } from "../support/node/scene.ts";
import { HOUR, START, taken, WORKSPACE, type World } from "../support/node/world.ts";

const DAY = 24 * HOUR;

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await checkWorld(world);
});

async function made(slots = 10): Promise<World> {
  const world = openWorld();
  worlds.push(world);
  await world.setUp({ workspace: { slots } });
  return world;
}

const importId = (name: string) => makeId("imp", WORKSPACE, name) as ImportId;

async function open(world: World, campaign: CampaignId, name: string): Promise<ImportId> {
  const id = importId(name);
  taken(await world.dialer.openImport(id, campaign));
  return id;
}

/** Part `part` of an import, with rows from line `part * 10 + 2` on. */
function part(
  id: ImportId,
  part: number,
  phones: string[],
  more: Partial<IngestRequest> = {},
): IngestRequest {
  const rows = phones.map((phone, index) => ({ line: part * 10 + index + 2, phone, context: {} }));
  return { import: id, part, last: false, allowDuplicates: false, rows, ...more };
}

async function ingest(world: World, request: IngestRequest) {
  const result = taken(await world.dialer.ingest(request));
  await world.idle();
  return result;
}

describe("H11 imports", () => {
  it("H11 no row is dialled before its import is complete, while earlier tasks go on", async () => {
    const world = await made(1);
    const campaign = await world.campaign({ type: "batch" });
    await world.import(campaign, [world.phone(), world.phone()]);
    const id = await open(world, campaign, "second");
    await ingest(world, part(id, 0, [world.phone(), world.phone()]));
    await world.finish(world.last(), "connected");
    await world.finish(world.last(), "connected");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(2);
    expect((await world.read(campaign)).status).toBe("running");
    await ingest(world, part(id, 1, [], { last: true }));
    expect(world.dials).toHaveLength(3);
  });

  it("H11 start now is the instant at which the first import is complete", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const id = await open(world, campaign, "first");
    await world.run(HOUR);
    await ingest(world, part(id, 0, [world.phone()]));
    await world.run(HOUR);
    expect((await world.read(campaign)).startsAt).toBeNull();
    await ingest(world, part(id, 1, [world.phone()], { last: true }));
    expect((await world.read(campaign)).startsAt).toBe(START + 2 * HOUR);
    await world.run(HOUR);
    await world.import(campaign, [world.phone()]);
    expect((await world.read(campaign)).startsAt).toBe(START + 2 * HOUR);
  });

  it("H11 a batch created paused waits for resume, however complete its import is", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch", paused: true });
    await world.import(campaign, [world.phone()]);
    await world.run(DAY);
    expect(world.dials).toHaveLength(0);
    await world.move(campaign, "resume");
    expect(world.dials).toHaveLength(1);
  });

  it("H11 rows of an import that was given up are not held by it any longer", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const id = await open(world, campaign, "broken");
    await ingest(world, part(id, 0, [world.phone()]));
    taken(await world.dialer.dropImport(id));
    await world.idle();
    expect(world.dials).toHaveLength(1);
    await world.finish(world.last(), "connected");
    expect((await world.read(campaign)).status).toBe("completed");
  });

  it("H11, H36 a part that is delivered again, at any later time, gets the stored answer and adds nothing", async () => {
    const world = await made(0);
    const campaign = await world.campaign({ type: "batch" });
    const id = await open(world, campaign, "i");
    const phone = world.phone();
    const zero = part(id, 0, [phone, phone]);
    const one = part(id, 1, [phone, world.phone()], { last: true });
    const answers = [await ingest(world, zero)];
    expect(await ingest(world, zero)).toEqual(answers[0]);
    answers.push(await ingest(world, one));
    const again = async () => {
      expect(await ingest(world, zero)).toEqual(answers[0]);
      expect(await ingest(world, one)).toEqual(answers[1]);
      expect((await world.read(campaign)).counters).toMatchObject({ queued: 2 });
    };
    await again();
    world.restart();
    await again();
    await world.run(HOUR);
    await again();
  });

  it("H11, H36 the last part's answer is kept for a delivery that comes again after its campaign is over", async () => {
    for (const how of ["archive", "end"] as const) {
      const world = await made(0);
      const campaign = await world.campaign({ type: "batch", endAfter: START + HOUR });
      const id = await open(world, campaign, "i");
      await ingest(world, part(id, 0, [world.phone()]));
      if (how === "archive") await world.move(campaign, "archive");
      else await world.run(HOUR);
      const last = part(id, 1, [world.phone(), world.phone()], { last: true });
      const answer = await ingest(world, last);
      await world.run(HOUR);
      expect(rowsOf(world, "task"), "all of it has left").toBe(0);
      expect(await ingest(world, last)).toEqual(answer);
    }
  });

  it("H11 parts out of order are refused and change nothing", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const id = await open(world, campaign, "i");
    for (const early of [1, 2, -1]) {
      const request = part(id, early, [world.phone()], { last: true });
      expect((await refused(world.dialer.ingest(request))).code).toBe("conflict");
    }
    expect(rowsOf(world, "task")).toBe(0);
    await ingest(world, part(id, 0, [world.phone()], { last: true }));
    const beyond = part(id, 1, [world.phone()], { last: true });
    expect((await refused(world.dialer.ingest(beyond))).code).toBe("conflict");
    expect(rowsOf(world, "task")).toBe(1);
  });

  for (const how of ["archive", "end"] as const) {
    it(`H11 rows that come after ${how === "end" ? "the end" : "the archive"} are campaign_over, and the import completes`, async () => {
      const world = await made(0);
      const campaign = await world.campaign({ type: "batch", endAfter: START + HOUR });
      const id = await open(world, campaign, "i");
      await ingest(world, part(id, 0, [world.phone()]));
      if (how === "archive") await world.move(campaign, "archive");
      else await world.run(HOUR);
      const last = part(id, 1, [world.phone(), world.phone()], { last: true });
      const rejected = [12, 13].map((line) => ({ line, reason: "campaign_over" }));
      expect(await ingest(world, last)).toEqual({ taken: 0, rejected });
      await world.run(HOUR);
      const counters = { queued: 0, archived: 1, completed: 0 };
      expect((await world.read(campaign)).counters).toMatchObject(counters);
      await expectStored(world, campaign);
      expect(world.sql.all("SELECT * FROM import WHERE open = 1")).toEqual([]);
    });
  }

  it("H11 a workspace that is full refuses the part whole, and takes it when there is room", async () => {
    const world = await made(0);
    const campaign = await world.campaign({ type: "batch" });
    const id = await open(world, campaign, "i");
    world.sql.bytes = 8 * 1024 ** 3;
    const request = part(id, 0, [world.phone()], { last: true });
    expect((await refused(world.dialer.ingest(request))).code).toBe("full");
    expect(rowsOf(world, "task")).toBe(0);
    world.sql.bytes = 0;
    expect(await ingest(world, request)).toEqual({ taken: 1, rejected: [] });
  });

  it("H11, H35 an import that the object dies in at every step ends with each good row once", async () => {
    const world = await made(0);
    const campaign = await world.campaign({ type: "batch" });
    const phones = Array.from({ length: 30 }, () => world.phone());
    const id = await open(world, campaign, "i");
    for (let at = 0; at < 3; at++) {
      world.restart();
      taken(await world.dialer.openImport(id, campaign));
      const request = part(id, at, phones.slice(at * 10, at * 10 + 10), { last: at === 2 });
      await ingest(world, request);
      world.restart();
      await ingest(world, request);
    }
    await world.run(HOUR);
    const stored = world.stored("SELECT phone FROM tasks ORDER BY phone").map((row) => row.phone);
    expect(stored).toEqual(phones.toSorted());
    await expectStored(world, campaign);
  });
});

/** A batch with one task, which a call has completed. */
async function completed(world: World, endAfter: number | null = null): Promise<CampaignId> {
  const campaign = await world.campaign({ type: "batch", endAfter });
  await world.import(campaign, [world.phone()]);
  await world.finish(world.last(), "connected");
  expect((await world.read(campaign)).status).toBe("completed");
  return campaign;
}

describe("H28 imports into a completed batch", () => {
  it("H28 rows make it running again, whether or not it has left the object, and it completes again", async () => {
    for (const wait of [0, HOUR, 89 * DAY]) {
      const world = await made();
      const campaign = await completed(world);
      const { startsAt, startedAt } = await world.read(campaign);
      await world.run(wait);
      world.restart();
      await world.import(campaign, [world.phone()]);
      expect(world.dials).toHaveLength(2);
      const revived = { status: "running", completedAt: null, startsAt, startedAt };
      expect(await world.read(campaign)).toMatchObject(revived);
      await world.run(1_000);
      await expectStored(world, campaign);
      await world.finish(world.last(), "connected");
      expect(await world.read(campaign)).toMatchObject({
        status: "completed",
        completedAt: world.now,
        counters: { completed: 2 },
      });
    }
  });

  it("H28 an import without a good row leaves it as it was", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const phone = world.phone();
    await world.import(campaign, [phone]);
    await world.finish(world.last(), "connected");
    await world.run(HOUR);
    const before = await world.read(campaign);
    expect(before.status).toBe("completed");
    for (const rows of [[], [phone], [phone, phone]]) {
      expect(await world.import(campaign, rows)).toMatchObject({ taken: 0 });
      expect(await world.read(campaign)).toEqual(before);
    }
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
  });

  it("H28 an open import alone does not revive it, its first good row does, and nothing is dialled yet", async () => {
    const world = await made();
    const campaign = await completed(world);
    const id = await open(world, campaign, "more");
    expect((await world.read(campaign)).status).toBe("completed");
    await ingest(world, part(id, 0, [world.phone()]));
    expect((await world.read(campaign)).status).toBe("running");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
  });

  it("H28 90 days after its completion it takes no import any more", async () => {
    const world = await made();
    const campaign = await completed(world);
    await world.run(90 * DAY - 1);
    taken(await world.dialer.openImport(importId("intime"), campaign));
    await world.run(1);
    const late = await refused(world.dialer.openImport(importId("late"), campaign));
    expect(late.code).toBe("conflict");
    const rejected = [{ line: 2, reason: "campaign_over" }];
    const request = part(importId("intime"), 0, [world.phone()], { last: true });
    expect(await ingest(world, request)).toEqual({ taken: 0, rejected });
    expect((await world.read(campaign)).status).toBe("completed");
  });

  it("H28, H13 a batch that was completed before its end takes no import after that end", async () => {
    const world = await made();
    const campaign = await completed(world, START + 5 * HOUR);
    await world.run(4 * HOUR);
    const id = await open(world, campaign, "intime");
    await world.run(HOUR);
    const late = await refused(world.dialer.openImport(importId("late"), campaign));
    expect(late.code).toBe("conflict");
    const rejected = [{ line: 2, reason: "campaign_over" }];
    expect(await ingest(world, part(id, 0, [world.phone()], { last: true }))).toEqual({
      taken: 0,
      rejected,
    });
    expect((await world.read(campaign)).counters).toMatchObject({ completed: 1, archived: 0 });
  });

  it("H28 a batch that its end or a person has closed is not revived, nor is a later duplicate", async () => {
    for (const how of ["archive", "end"] as const) {
      const world = await made(0);
      const campaign = await world.campaign({ type: "batch", endAfter: START + HOUR });
      await world.import(campaign, [world.phone()]);
      if (how === "archive") await world.move(campaign, "archive");
      else await world.run(HOUR);
      const late = await refused(world.dialer.openImport(importId("late"), campaign));
      expect(late.code).toBe("conflict");
    }
  });
});
