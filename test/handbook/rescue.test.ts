import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CallNews, NO_NEWS } from "../../src/carriers/carrier.ts";
import type { CampaignBody } from "../../src/core/campaign-body.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { rowsOf } from "../support/node/scene.ts";
import { type Dialled, HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

/** The connection's longest call, 30 min, and 5 min more. */
const LEASE = 35 * MINUTE;

describe("a call without news", () => {
  const minutes = () => world.lookups.map((lookup) => (lookup.at - START) / MINUTE);

  it("H22 is looked up with growing gaps, from 2 min on, and ends as failed with its lease", async () => {
    const task = await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
    await world.run(LEASE - 1);
    expect(minutes()).toEqual([2, 6, 14, 30]);
    expect((await world.task(task.id)).status).toBe("running");
    await world.run(1);
    const queued = { status: "queued", attempts: 1, lastOutcome: "failed" };
    expect(await world.task(task.id)).toMatchObject({ ...queued, dueAt: START + LEASE + HOUR });
  });

  it("H22 a lease lasts the connection's longest call and 5 min more", async () => {
    await world.setUp({ connection: { lengthMaxMs: 10 * MINUTE }, workspace: { slots: 1 } });
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.push(campaign);
    expect(world.last().lengthMaxMs).toBe(10 * MINUTE);
    await world.run(15 * MINUTE - 1);
    expect(world.dials).toHaveLength(1);
    await world.run(1);
    expect(world.dials).toHaveLength(2);
  });

  it("H22 a slot never outlives its lease, though the object restarts and look-ups fail", async () => {
    world.lookup = () => {
      throw new Error("503");
    };
    const task = await world.push(await world.campaign());
    for (let n = 0; n < 5; n++) {
      await world.run(7 * MINUTE - 1);
      world.restart();
    }
    expect((await world.task(task.id)).status).toBe("running");
    await world.run(5);
    expect(await world.task(task.id)).toMatchObject({ status: "completed", lastOutcome: "failed" });
  });

  it("H22 goes on as long as the carrier calls it alive", async () => {
    world.lookup = () => ({ kind: "alive", carrierCallId: null, news: NO_NEWS });
    const task = await world.push(await world.campaign());
    await world.run(5 * HOUR);
    expect((await world.task(task.id)).status).toBe("running");
    const gaps = minutes()
      .slice(1)
      .map((at, index) => at - (minutes()[index] ?? 0));
    expect(gaps.every((gap, index) => gap >= (gaps[index - 1] ?? 0))).toBe(true);
    world.lookup = () => ({ kind: "unknown" });
    await world.run(HOUR);
    expect(await world.task(task.id)).toMatchObject({ status: "completed", lastOutcome: "failed" });
  });

  it("H22 ends as soon as a look-up finds it over", async () => {
    const news = { ...NO_NEWS, outcome: "busy", endedAt: START + MINUTE, concluding: true };
    world.lookup = () => ({ kind: "over", carrierCallId: null, news });
    const task = await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
    await world.run(2 * MINUTE);
    const queued = { status: "queued", lastOutcome: "busy", dueAt: START + 61 * MINUTE };
    expect(await world.task(task.id)).toMatchObject(queued);
  });

  it("H22 that is known to talk is not given up before its lease ends", async () => {
    const task = await world.push(await world.campaign());
    await world.report(world.last(), { ringingAt: START, answeredAt: START });
    await world.run(LEASE - 1);
    expect((await world.calls(task.id))[0]?.status).toBe("talking");
  });
});

describe("a report after the lease's end", () => {
  const RULE: CampaignBody = { retries: 2, intervals: HOUR };
  let campaign: CampaignId;
  let task: TaskRecord;
  let dial: Dialled;
  /** The lease of a first attempt has just run out: its task waits for the second. */
  async function rescued(rule: CampaignBody = RULE, agent = {}) {
    await world.setUp({ agent });
    campaign = await world.campaign(rule);
    task = await world.push(campaign);
    dial = world.last();
    await world.run(LEASE);
    expect((await world.calls(task.id))[0]).toMatchObject({ outcome: "failed", reported: null });
  }
  const late: Partial<CallNews> = { ended: true, concluding: true, endedAt: START + 20 * MINUTE };
  const counters = async () => (await world.read(campaign)).counters;

  const TRUTHS: [string, object][] = [
    ["connected", { status: "completed" }],
    ["voicemail", { status: "completed" }],
    ["no_answer", { status: "queued", dueAt: START + 80 * MINUTE }],
    ["failed", { status: "queued", dueAt: START + LEASE + HOUR }],
    ["busy_callback", { status: "queued", dueAt: START + 50 * MINUTE }],
  ];
  for (const [outcome, expected] of TRUTHS) {
    it(`H22 replaces the assumed outcome while the task waits for the very next attempt: ${outcome}`, async () => {
      await rescued(RULE, { usesCallback: true });
      const callbackAt = START + 50 * MINUTE;
      const answeredAt = START;
      await world.report(dial, { ...late, outcome, word: "so it was", callbackAt, answeredAt });
      const moved = { attempts: 1, lastOutcome: outcome, ...expected };
      expect(await world.task(task.id)).toMatchObject(moved);
      expect(await counters()).toMatchObject({ attempts: 1, running: 0 });
      expect((await counters()).outcomes).toMatchObject({ [outcome]: 1 });
      expect(Object.values((await counters()).outcomes).reduce((a, b) => a + b)).toBe(1);
      const [call] = await world.calls(task.id);
      expect(call).toMatchObject({ outcome, reported: null });
      if (outcome !== "failed") expect(call?.word).toBe("so it was");
      await world.run(61 * MINUTE);
      expect(world.dials).toHaveLength("dueAt" in expected ? 2 : 1);
    });
  }

  it("H22 says that the number cannot exist: the task completes", async () => {
    await rescued();
    await world.report(dial, { ...late, refusal: "permanent", outcome: "failed" });
    expect(await world.task(task.id)).toMatchObject({ status: "completed", attempts: 1 });
  });

  const HELD: [string, () => Promise<unknown>][] = [
    ["its campaign is paused", () => world.move(campaign, "pause")],
    ["it is paused alone", async () => taken(await world.dialer.moveTask(task.id, "pause"))],
    ["the object restarts", async () => world.restart()],
    ["D1 has the call", () => world.run(MINUTE)],
    ["the next dial is taken and then refused by report", refusedByReport],
  ];

  /** It used no attempt: the task still waits for the same one. */
  async function refusedByReport() {
    world.d1Fault = new Error("D1_ERROR: away");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(2);
    await world.report(world.last(), { ended: true, concluding: true, refusal: "capacity" });
  }

  for (const [what, hold] of HELD) {
    it(`H22 replaces it also when ${what} meanwhile`, async () => {
      await rescued();
      await hold();
      await world.report(dial, { ...late, outcome: "connected", answeredAt: START });
      const completed = { status: "completed", lastOutcome: "connected" };
      expect(await world.task(task.id)).toMatchObject(completed);
      expect((await counters()).outcomes).toMatchObject({ connected: 1 });
    });
  }

  it("H22 that comes twice replaces once", async () => {
    await rescued();
    const news = { ...late, outcome: "no_answer" };
    await world.report(dial, news);
    const before = { task: await world.task(task.id), counters: await counters() };
    await world.report(dial, news);
    expect({ task: await world.task(task.id), counters: await counters() }).toEqual(before);
  });

  it("H36 with a word that is no outcome changes no record when it comes again", async () => {
    await world.push(await world.campaign());
    const news = { ended: true, concluding: true, outcome: "engaged", word: "engaged" };
    await world.report(world.last(), news);
    await world.report(world.last(), { answeredAt: START });
    world.restart();
    await world.report(world.last(), news);
    const [call] = world.stored("SELECT outcome, reported FROM calls");
    const here = world.sql.all("SELECT outcome, reported FROM call");
    expect([...(call === undefined ? [] : [call]), ...here]).toContainEqual({
      outcome: "failed",
      reported: null,
    });
  });

  it("H22 that comes at the very end of the lease still decides", async () => {
    campaign = await world.campaign({ retries: 1, intervals: 0 });
    task = await world.push(campaign);
    world.now = START + LEASE;
    await world.report(world.last(), { ...late, outcome: "connected", answeredAt: START });
    expect(await world.task(task.id)).toMatchObject({ status: "completed", attempts: 1 });
    expect(world.dials).toHaveLength(1);
  });

  /** Cases in which the report is too late to move the task: it stands beside what was assumed. */
  const TOO_LATE: [string, CampaignBody, () => Promise<unknown>][] = [
    ["the task was dialled again", RULE, () => world.run(HOUR)],
    ["the attempts are used up", { retries: 0 }, async () => undefined],
    ["the campaign was archived", RULE, () => world.move(campaign, "archive")],
    [
      "the task was archived",
      RULE,
      async () => taken(await world.dialer.moveTask(task.id, "archive")),
    ],
    ["the end has passed", { ...RULE, endAfter: START + HOUR }, () => world.run(HOUR)],
  ];
  for (const flushed of [false, true]) {
    for (const [what, rule, happen] of TOO_LATE) {
      const where = flushed ? "and D1 knows" : "a moment ago";
      it(`H22 is recorded as reported, and moves nothing, when ${what} ${where}`, async () => {
        await rescued(rule);
        await happen();
        if (flushed) await world.run(MINUTE);
        const before = { task: await world.task(task.id), counters: await counters() };
        await world.report(dial, { ...late, outcome: "connected", answeredAt: START });
        expect({ task: await world.task(task.id), counters: await counters() }).toEqual(before);
        await world.run(MINUTE);
        const [call] = await world.calls(task.id);
        expect(call).toMatchObject({ outcome: "failed", reported: "connected" });
      });
    }
  }

  it("H22 about an attempt before the one that is waited for moves nothing", async () => {
    await rescued();
    await world.run(HOUR);
    await world.finish(world.last(), "no_answer");
    await world.report(dial, { ...late, outcome: "connected", answeredAt: START });
    await world.run(MINUTE);
    expect(await world.task(task.id)).toMatchObject({ status: "queued", lastOutcome: "no_answer" });
    const calls = await world.calls(task.id);
    expect(calls.map((call) => call.reported)).toEqual(["connected", null]);
    expect((await counters()).outcomes).toEqual({ failed: 1, no_answer: 1 });
  });

  it("H22 keeps no row for it once the campaign is over and D1 knows", async () => {
    await rescued();
    await world.move(campaign, "archive");
    await world.run(MINUTE);
    for (const table of ["call", "task", "waiting", "lane"]) expect(rowsOf(world, table)).toBe(0);
    expect((await world.task(task.id)).status).toBe("archived");
  });
});
