import { afterEach, describe, expect, it } from "vitest";
import { type CallNews, NO_NEWS } from "../../src/carriers/carrier.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, refused, rowsOf, storedRow } from "../support/node/scene.ts";
import { type Dialled, HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await checkWorld(world);
});

async function made(own: string[] = []): Promise<World> {
  const world = openWorld();
  worlds.push(world);
  const outcomes = own.map((name) => ({ name, suppress: false }));
  await world.setUp({ workspace: { slots: 5 }, agent: { outcomes } });
  return world;
}

/** The reports of one call, each as a carrier sends it. */
const TIMES = { ringingAt: START, answeredAt: START };
const REPORTS: Partial<CallNews>[] = [
  { ringingAt: START },
  TIMES,
  { ...TIMES, ended: true, outcome: "connected", word: "hung-up", endedAt: START, talkMs: 900 },
  {
    ...TIMES,
    ended: true,
    concluding: true,
    outcome: "connected",
    word: "hung-up",
    endedAt: START,
    talkMs: 900,
    costMicros: 70_000,
    currency: "USD",
    recordingUrl: "https://carrier.test/r",
    transcript: [{ speaker: "agent", text: "Hello", atMs: 0 }],
    analysis: { mood: "good" },
  },
];

function orders<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((one, index) =>
    orders(items.toSpliced(index, 1)).map((others) => [one, ...others]),
  );
}

/** What is known in the end, here and in D1, but for the versions. */
async function known(world: World) {
  await world.run(5 * MINUTE);
  const [call] = world.stored("SELECT * FROM calls");
  const [task] = world.stored("SELECT * FROM task_view");
  const [campaign] = world.stored("SELECT counters FROM campaigns");
  const texts = world.stored("SELECT * FROM call_texts");
  return {
    call: { ...call, version: 0 },
    task: { ...task, version: 0 },
    counters: JSON.parse(String(campaign?.counters)) as unknown,
    texts,
    left: rowsOf(world, "call") + rowsOf(world, "late"),
  };
}

/** Delivers reports `times` times over, in this order, with or without a flush after each. */
async function deliver(own: string[], order: Partial<CallNews>[], times: number, flush: boolean) {
  const world = await made(own);
  await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
  const dial = world.last();
  for (const news of order) {
    for (let time = 0; time < times; time++) {
      // Memory knows a report that it has heard; the rows must know it too.
      if (time > 0) world.restart();
      await world.report(dial, news);
      if (flush) await world.dialer.tick();
    }
  }
  const end = await known(world);
  expect(world.dials).toHaveLength(1);
  return end;
}

describe("H36 reports", () => {
  for (const own of [[], ["interested"]]) {
    for (const flush of [false, true]) {
      const how = `${own.length > 0 ? "with the analysis" : "at the end"}, ${flush ? "each flushed to D1" : "all at once"}`;
      it(`H36 each report twice and in any order is the same as each once (decided ${how})`, async () => {
        const last = own.length > 0 ? { outcome: "interested" } : {};
        const reports = REPORTS.map((one) => (one.concluding ? { ...one, ...last } : one));
        const once = await deliver(own, reports, 1, false);
        expect(once.call).toMatchObject({
          outcome: own[0] ?? "connected",
          reported: null,
          ringing_at: START,
          answered_at: START,
          talk_ms: 900,
          cost_micros: 70_000,
          recording_url: "https://carrier.test/r",
        });
        expect(once.texts).toHaveLength(1);
        expect(once.counters).toMatchObject({ completed: 1, attempts: 1, talkMs: 900 });
        expect(once.left).toBe(0);
        for (const order of orders(reports)) {
          expect(await deliver(own, order, 2, flush)).toEqual(once);
        }
      });
    }
  }

  it("H36 hint and queue with the same report move a task on once", async () => {
    for (const outcome of ["busy", "connected", "failed"]) {
      const world = await made();
      const campaign = await world.campaign({ retries: 1, intervals: HOUR });
      await world.push(campaign);
      const dial = world.last();
      await Promise.all([world.finish(dial, outcome), world.finish(dial, outcome)]);
      const once = (await world.read(campaign)).counters;
      expect(once).toMatchObject({ attempts: 1, outcomes: { [outcome]: 1 } });
      await world.run(MINUTE);
      world.restart();
      await world.finish(dial, outcome);
      await world.run(MINUTE);
      expect((await world.read(campaign)).counters).toEqual(once);
      expect(world.dials).toHaveLength(1);
      await expectStored(world, campaign);
    }
  });

  it("H36 a report of an earlier attempt does not touch the next one", async () => {
    const world = await made();
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const { id } = await world.push(campaign);
    const first = world.last();
    await world.finish(first, "busy");
    await world.run(MINUTE);
    expect(world.last().attempt).toBe(2);
    await world.finish(first, "busy");
    await world.finish(first, "connected");
    expect((await world.task(id)).status).toBe("running");
    expect((await world.read(campaign)).counters).toMatchObject({ running: 1, attempts: 1 });
  });

  /** A call that D1 alone still has. */
  async function gone(world: World, news: Partial<CallNews> = {}): Promise<Dialled> {
    await world.push(await world.campaign());
    const dial = world.last();
    await world.finish(dial, "connected", { word: "hung-up", talkMs: 900, ...news });
    await world.run(MINUTE);
    expect(rowsOf(world, "call")).toBe(0);
    return dial;
  }

  for (const [what, news, column, value] of [
    ["its cost", { costMicros: 5, currency: "EUR" }, "cost_micros", 5],
    ["its recording", { recordingUrl: "https://x.test" }, "recording_url", "https://x.test"],
    ["when it rang", { ringingAt: START }, "ringing_at", START],
  ] as const) {
    it(`H36, H22 a report with nothing but ${what}, after the call has left, is kept for D1`, async () => {
      const world = await made();
      const dial = await gone(world);
      await world.report(dial, news);
      world.restart();
      await world.run(MINUTE);
      expect(storedRow(world, "calls", dial.call)[column]).toBe(value);
      expect(rowsOf(world, "late")).toBe(0);
    });
  }

  it("H36, H22 the same for a transcript and an analysis that come apart", async () => {
    const world = await made();
    const dial = await gone(world);
    await world.report(dial, { transcript: [{ speaker: "person", text: "Yes", atMs: 1 }] });
    await world.run(MINUTE);
    await world.report(dial, { analysis: { mood: "good" } });
    await world.run(MINUTE);
    const [texts] = world.stored("SELECT transcript, analysis FROM call_texts");
    expect(String(texts?.transcript)).toContain("Yes");
    expect(String(texts?.analysis)).toContain("good");
  });

  it("H36, H22 a report after the call has left fills nulls only; another outcome stands beside", async () => {
    const world = await made();
    const dial = await gone(world, { costMicros: 5, analysis: { mood: "good" } });
    const before = storedRow(world, "calls", dial.call);
    const later = {
      word: "other",
      talkMs: 1,
      costMicros: 9,
      currency: "USD",
      analysis: { mood: "bad" },
    };
    for (let time = 0; time < 2; time++) {
      await world.finish(dial, "voicemail", { ...later, endedAt: START + HOUR });
      await world.run(MINUTE);
    }
    expect(storedRow(world, "calls", dial.call)).toEqual({
      ...before,
      currency: "USD",
      reported: "voicemail",
    });
    const [texts] = world.stored("SELECT analysis FROM call_texts");
    expect(JSON.parse(String(texts?.analysis))).toEqual({ mood: "good" });
  });

  it("H36 a report that names its call by the carrier's id alone finds it, here or in D1", async () => {
    const world = await made();
    await world.push(await world.campaign());
    const dial = world.last();
    const report = async (news: Partial<CallNews>) => {
      const item = { call: null, carrierCallId: `c-${dial.call}`, news: { ...NO_NEWS, ...news } };
      taken(await world.dialer.report([{ connection: dial.connection, report: item }]));
    };
    await report({ ended: true, concluding: true, outcome: "connected", endedAt: START });
    await world.run(MINUTE);
    expect(storedRow(world, "calls", dial.call)).toMatchObject({ outcome: "connected" });
    await report({ ended: true, concluding: true, outcome: "connected", costMicros: 3 });
    await world.run(MINUTE);
    expect(storedRow(world, "calls", dial.call)).toMatchObject({ cost_micros: 3, reported: null });
  });
});

describe("H36 requests", () => {
  it("H36 a move that comes twice is refused the second time and changes nothing", async () => {
    const world = await made();
    const campaign = await world.campaign();
    for (const move of ["pause", "resume", "archive"] as const) {
      const first = await world.move(campaign, move);
      expect((await refused(world.dialer.moveCampaign(campaign, move))).code).toBe("conflict");
      expect(await world.read(campaign)).toEqual(first);
    }
  });

  it("H36 an edit that comes twice is the same as once", async () => {
    const world = await made();
    const campaign = await world.campaign();
    await world.push(campaign, { startAfter: START + HOUR });
    const edit = { name: "Spring", retries: 2, intervals: [MINUTE], slots: 3, days: ["tue"] };
    const once = await world.edit(campaign, edit);
    expect(await world.edit(campaign, edit)).toEqual(once);
  });
});
