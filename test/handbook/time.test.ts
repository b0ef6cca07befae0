import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CampaignId, type ImportId, makeId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, START, taken, WORKSPACE, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const times = () => world.dials.map((dial) => dial.at);

describe("imports", () => {
  const id = (n: number) => makeId("imp", WORKSPACE, `part${n}`) as ImportId;

  async function open(n: number, campaign: CampaignId) {
    return world.dialer.openImport(id(n), campaign);
  }

  /** One part of import n with so many new rows. */
  async function part(n: number, which: { part: number; last: boolean; rows: number }) {
    const rows = Array.from({ length: which.rows }, (_, index) => {
      return { line: index + 2, phone: world.phone(), context: {} };
    });
    const { part, last } = which;
    const request = { import: id(n), part, last, allowDuplicates: false, rows };
    const result = taken(await world.dialer.ingest(request));
    await world.idle();
    return result;
  }

  it("H11 dials no row of an import before its last part has come, and then all", async () => {
    const campaign = await world.campaign({ type: "batch" });
    taken(await open(1, campaign));
    await part(1, { part: 0, last: false, rows: 2 });
    await world.run(HOUR);
    await part(1, { part: 1, last: false, rows: 2 });
    await world.run(HOUR);
    expect(world.dials).toHaveLength(0);
    expect((await world.read(campaign)).startsAt).toBeNull();
    await part(1, { part: 2, last: true, rows: 1 });
    await world.run(0);
    expect(times()).toEqual(Array.from({ length: 5 }, () => START + 2 * HOUR));
  });

  it("H11 takes the end of the first import as the start, whatever comes later", async () => {
    const campaign = await world.campaign({ type: "batch" });
    await world.run(HOUR);
    await world.import(campaign, [world.phone()]);
    await world.run(MINUTE);
    await world.import(campaign, [world.phone()]);
    expect((await world.read(campaign)).startsAt).toBe(START + HOUR);
    expect(times()).toEqual([START + HOUR, START + HOUR + MINUTE]);
  });

  it("H11 goes on with earlier tasks while a later import is open", async () => {
    await world.setUp({ workspace: { slots: 1 } });
    const campaign = await world.campaign({ type: "batch" });
    const first = [world.phone(), world.phone(), world.phone()];
    await world.import(campaign, first);
    taken(await open(2, campaign));
    await part(2, { part: 0, last: false, rows: 3 });
    for (let n = 0; n < 3; n++) await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    expect(world.dials.map((dial) => dial.phone).sort()).toEqual(first);
    expect((await world.read(campaign)).status).toBe("running");
    await part(2, { part: 1, last: true, rows: 0 });
    expect(world.dials).toHaveLength(4);
  });

  it("H11 gives each good row one task when the object dies between parts and one is repeated", async () => {
    const campaign = await world.campaign({ type: "batch" });
    const phones = [world.phone(), world.phone()];
    taken(await open(1, campaign));
    const rows = phones.map((phone, index) => ({ line: index + 2, phone, context: {} }));
    const request = { import: id(1), part: 0, last: false, allowDuplicates: false, rows };
    const first = taken(await world.dialer.ingest(request));
    world.restart();
    expect(taken(await world.dialer.ingest(request))).toEqual(first);
    expect(await world.dialer.openImport(id(1), campaign)).toMatchObject({ ok: true });
    await part(1, { part: 1, last: true, rows: 0 });
    world.restart();
    await world.run(MINUTE);
    expect(world.dials.map((dial) => dial.phone).sort()).toEqual(phones);
  });

  it("H11 a campaign created as paused waits for resume", async () => {
    const campaign = await world.campaign({ type: "batch", paused: true });
    await world.import(campaign, [world.phone()]);
    await world.run(HOUR);
    expect(world.dials).toHaveLength(0);
    await world.move(campaign, "resume");
    expect(times()).toEqual([START + HOUR]);
  });

  const OVER: [string, (campaign: CampaignId) => Promise<unknown>][] = [
    ["was archived", (campaign) => world.move(campaign, "archive")],
    ["has passed its end", () => world.run(HOUR)],
  ];
  for (const [how, over] of OVER) {
    it(`H11 rejects rows that come after their campaign ${how}, and completes the import`, async () => {
      const campaign = await world.campaign({ type: "batch", endAfter: START + HOUR });
      taken(await open(1, campaign));
      expect(await part(1, { part: 0, last: false, rows: 1 })).toEqual({ taken: 1, rejected: [] });
      await over(campaign);
      const rejected = [{ line: 2, reason: "campaign_over" }];
      expect(await part(1, { part: 1, last: true, rows: 1 })).toEqual({ taken: 0, rejected });
      await world.run(HOUR);
      expect(world.dials).toHaveLength(0);
      expect((await world.read(campaign)).counters.archived).toBe(1);
    });
  }

  it("H11 rejects rows after the end of a batch that had completed before it", async () => {
    const campaign = await world.campaign({ type: "batch", endAfter: START + HOUR });
    await world.import(campaign, [world.phone()]);
    await world.finish(world.last(), "connected");
    taken(await open(2, campaign));
    await world.run(HOUR);
    const rejected = [{ line: 2, reason: "campaign_over" }];
    expect(await part(2, { part: 0, last: true, rows: 1 })).toEqual({ taken: 0, rejected });
    expect((await world.read(campaign)).status).toBe("completed");
    expect(await open(3, campaign)).toMatchObject({ ok: false, code: "conflict" });
  });
});

describe("starts and ends", () => {
  it("H13 a batch with a later start waits for it, to the millisecond", async () => {
    const campaign = await world.campaign({ type: "batch", startAfter: START + HOUR });
    await world.import(campaign, [world.phone()]);
    await world.run(HOUR - 1);
    expect(world.dials).toHaveLength(0);
    await world.run(1);
    expect(times()).toEqual([START + HOUR]);
  });

  it("H13 a start in the past means now", async () => {
    const campaign = await world.campaign({ type: "batch", startAfter: START - HOUR });
    await world.import(campaign, [world.phone()]);
    expect(times()).toEqual([START]);
  });

  for (const paused of [false, true]) {
    it(`H13 at its end a batch ${paused ? "that is paused " : ""}completes and its pending tasks are archived`, async () => {
      await world.setUp({ workspace: { slots: 1 } });
      const campaign = await world.campaign({
        type: "batch",
        endAfter: START + HOUR,
        start: 1000,
        end: 1200,
      });
      await world.import(campaign, [world.phone(), world.phone()]);
      if (paused) await world.move(campaign, "pause");
      await world.run(HOUR - 1);
      expect((await world.read(campaign)).status).toBe(paused ? "paused" : "scheduled");
      await world.run(1);
      const { status, counters, completedAt } = await world.read(campaign);
      expect({ status, completedAt }).toEqual({ status: "completed", completedAt: START + HOUR });
      expect(counters).toMatchObject({ queued: 0, paused: 0, archived: 2 });
      // The hours would have opened at that very instant.
      await world.run(HOUR);
      expect(world.dials).toHaveLength(0);
    });
  }

  const ENDINGS: [string, string][] = [
    ["connected", "completed"],
    ["voicemail", "completed"],
    ["no_answer", "archived"],
    ["failed", "archived"],
  ];
  for (const [outcome, becomes] of ENDINGS) {
    it(`H13 lets the call in progress finish: after ${outcome} its task is ${becomes}`, async () => {
      await world.setUp({ workspace: { slots: 1 } });
      const campaign = await world.campaign({ endAfter: START + 10 * MINUTE, retries: 5 });
      const running = await world.push(campaign);
      const pending = await world.push(campaign);
      await world.run(15 * MINUTE);
      expect((await world.task(running.id)).status).toBe("running");
      expect((await world.task(pending.id)).status).toBe("archived");
      await world.finish(world.last(), outcome);
      const over = { status: becomes, lastOutcome: outcome, endedAt: START + 15 * MINUTE };
      expect(await world.task(running.id)).toMatchObject(over);
      expect((await world.read(campaign)).counters).toMatchObject({ outcomes: { [outcome]: 1 } });
      await world.run(24 * HOUR);
      expect(world.dials).toHaveLength(1);
    });
  }

  it("H13 archives the task of a last attempt not, since nothing was left to retry", async () => {
    const campaign = await world.campaign({ endAfter: START + 10 * MINUTE, retries: 0 });
    const task = await world.push(campaign);
    await world.run(15 * MINUTE);
    await world.finish(world.last(), "no_answer");
    expect((await world.task(task.id)).status).toBe("completed");
  });

  it("H13 a slot that frees at the very end is not used for the campaign any more", async () => {
    await world.setUp({ workspace: { slots: 1 } });
    const campaign = await world.campaign({ endAfter: START + 10 * MINUTE });
    await world.push(campaign);
    await world.push(campaign);
    world.now = START + 10 * MINUTE; // the alarm is late
    await world.finish(world.last(), "connected");
    expect(world.dials).toHaveLength(1);
  });

  it("H13 a task that a carrier gives back after the end is archived", async () => {
    world.answer = async () => {
      world.now = START + 5_000;
      return { kind: "refused", reason: "capacity", word: "429" };
    };
    const campaign = await world.campaign({ endAfter: START + 5_000 });
    const task = await world.push(campaign);
    expect(await world.task(task.id)).toMatchObject({
      status: "archived",
      attempts: 0,
      endedAt: START + 5_000,
    });
  });

  it("H4 an end that is moved counts, earlier or later", async () => {
    const campaign = await world.campaign({
      endAfter: START + HOUR,
      startAfter: START + 30 * MINUTE,
    });
    const other = await world.campaign({
      endAfter: START + HOUR,
      startAfter: START + 70 * MINUTE - HOUR,
    });
    await world.push(campaign);
    await world.push(other, { startAfter: START + 65 * MINUTE });
    await world.edit(campaign, { startAfter: null, endAfter: START + 10 * MINUTE });
    await world.edit(other, { endAfter: START + 66 * MINUTE });
    await world.run(2 * HOUR);
    expect(times()).toEqual([START, START + 65 * MINUTE]);
    expect((await world.read(campaign)).completedAt).toBe(START + 10 * MINUTE);
    expect((await world.read(other)).completedAt).toBe(START + 66 * MINUTE);
  });

  it("H14 a task waits for its own start and for its campaign's", async () => {
    const campaign = await world.campaign({ startAfter: START + HOUR });
    await world.push(campaign, { startAfter: START + 30 * MINUTE });
    await world.push(campaign, { startAfter: START + 90 * MINUTE });
    await world.push(campaign, { startAfter: START - HOUR });
    await world.run(2 * HOUR);
    expect(times()).toEqual([START + HOUR, START + HOUR, START + 90 * MINUTE]);
  });

  it("H14 a start in the past means now, and an ISO instant is the same as a number (H15)", async () => {
    const campaign = await world.campaign();
    await world.push(campaign, { startAfter: "2027-01-04T14:29:00+05:30" });
    await world.push(campaign, { startAfter: "2027-01-04T14:40:00+05:30" });
    await world.run(HOUR);
    expect(times()).toEqual([START, START + 10 * MINUTE]);
  });

  it("H14 at its own end a waiting task is archived, paused or not, and its campaign goes on", async () => {
    const campaign = await world.campaign({ start: 1000, end: 1100 });
    const waiting = await world.push(campaign, { endAfter: START + HOUR });
    const paused = await world.push(campaign, { endAfter: START + HOUR });
    const longer = await world.push(campaign, { endAfter: START + HOUR + 1 });
    taken(await world.dialer.moveTask(paused.id, "pause"));
    await world.run(HOUR);
    const ended = { status: "archived", endedAt: START + HOUR, attempts: 0 };
    expect(await world.task(waiting.id)).toMatchObject(ended);
    expect(await world.task(paused.id)).toMatchObject(ended);
    expect(world.dials.map((dial) => dial.phone)).toEqual([longer.phone]);
    expect((await world.read(campaign)).status).toBe("running");
  });

  for (const [outcome, becomes] of ENDINGS) {
    it(`H14 a task whose end passes during its call is ${becomes} after ${outcome}`, async () => {
      const campaign = await world.campaign({ retries: 5 });
      const task = await world.push(campaign, { endAfter: START + MINUTE });
      await world.run(2 * MINUTE);
      expect((await world.task(task.id)).status).toBe("running");
      await world.finish(world.last(), outcome);
      expect((await world.task(task.id)).status).toBe(becomes);
      await world.run(HOUR);
      expect(world.dials).toHaveLength(1);
    });
  }

  it("H14 a retry that is due after the task's end is not dialled", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    const task = await world.push(campaign, { endAfter: START + HOUR });
    await world.finish(world.last(), "busy");
    await world.run(2 * HOUR);
    expect(await world.task(task.id)).toMatchObject({ status: "archived", endedAt: START + HOUR });
    expect(world.dials).toHaveLength(1);
  });
});
