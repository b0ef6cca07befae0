import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer, RefusalKind } from "../../src/carriers/carrier.ts";
import type { CampaignId, TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, FAR_AGENT, FAR_NUMBER } from "../support/node/scene.ts";
import { CONNECTION, HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const SECOND = 1_000;
/** Refusals that use no attempt: the carrier is full, refuses the account, or never got the request. */
const UNUSED: RefusalKind[] = ["capacity", "connection", "unreachable"];
const no = (reason: RefusalKind): Answer => ({ kind: "refused", reason, word: `no: ${reason}` });

/** The two ways in which a carrier refuses a dial: in its answer, or by a report after it took it. */
const WAYS = {
  answer: (reason: RefusalKind) => {
    world.answer = () => no(reason);
  },
  report: (reason: RefusalKind) => {
    world.answer = (dial) => {
      const news = { ended: true, concluding: true, refusal: reason, outcome: "failed" };
      void afterwards(() => world.report(dial, { ...news, word: `no: ${reason}` }));
      return { kind: "accepted", carrierCallId: `c-${dial.call}` };
    };
  },
};
/** Once the Dialer has heard the answer, at the same instant. */
async function afterwards(work: () => Promise<void>) {
  for (let n = 0; n < 20; n++) await Promise.resolve();
  await work();
}
function accept() {
  world.answer = (dial) => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
}
const seconds = () => world.dials.map((dial) => (dial.at - START) / SECOND);
async function connectionNow() {
  return taken(await world.dialer.readWorkspace()).connections[0];
}

for (const [way, refuse] of Object.entries(WAYS)) {
  describe(`a refusal by ${way}`, () => {
    for (const reason of UNUSED) {
      it(`H21 ${reason}: uses no attempt, and the task goes back where it waited`, async () => {
        refuse(reason);
        const campaign = await world.campaign({ retries: 0 });
        const task = await world.push(campaign);
        await world.idle();
        const waits = { status: "queued", attempts: 0, lastOutcome: null, dueAt: START };
        expect(await world.task(task.id)).toMatchObject(waits);
        expect((await world.read(campaign)).counters).toMatchObject({ attempts: 0, outcomes: {} });
        accept();
        await world.run(SECOND);
        expect(world.dials.map((dial) => dial.attempt)).toEqual([1, 1]);
        await world.finish(world.last(), "connected");
        const completed = { status: "completed", attempts: 1, lastOutcome: "connected" };
        expect(await world.task(task.id)).toMatchObject(completed);
      });
    }

    it("H21 the number cannot exist: the task completes with failed, whatever is left", async () => {
      refuse("permanent");
      const task = await world.push(await world.campaign({ retries: 5 }));
      await world.idle();
      const completed = { status: "completed", attempts: 1, lastOutcome: "failed" };
      expect(await world.task(task.id)).toMatchObject(completed);
      await world.run(3 * HOUR);
      expect(world.dials).toHaveLength(1);
    });

    it("H21 any other refusal uses the attempt: init_failed, retried after the interval", async () => {
      refuse("rejected");
      const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
      const task = await world.push(campaign);
      await world.run(2 * MINUTE);
      expect(seconds()).toEqual([0, 60]);
      const completed = { status: "completed", attempts: 2, lastOutcome: "init_failed" };
      expect(await world.task(task.id)).toMatchObject(completed);
      expect((await world.read(campaign)).counters.outcomes).toEqual({ init_failed: 2 });
    });

    it("H21 back-off doubles from 1 s to 1 min, until a dial is taken for good", async () => {
      refuse("capacity");
      const campaign = await world.campaign();
      await world.push(campaign);
      await world.run(245 * SECOND);
      // Gaps of 1, 2, 4, 8, 16, 32, 60, 60, 60 s.
      expect(seconds()).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
      accept();
      await world.run(MINUTE);
      await world.finish(world.last(), "connected");
      refuse("capacity");
      await world.push(campaign);
      await world.run(SECOND);
      expect(seconds().slice(10)).toEqual([303, 305, 306]);
    });

    type Hold = (campaign: CampaignId, task: TaskId) => Promise<unknown>;
    const HOLDS: [string, string, Hold][] = [
      ["paused", "queued", async (_, task) => taken(await world.dialer.moveTask(task, "pause"))],
      ["paused", "queued", (campaign) => world.move(campaign, "pause")],
      ["archived", "none", async (_, task) => taken(await world.dialer.moveTask(task, "archive"))],
      ["archived", "none", (campaign) => world.move(campaign, "archive")],
    ];
    for (const [index, [status, then, hold]] of HOLDS.entries()) {
      const what = index % 2 === 0 ? "task" : "campaign";
      it(`H21 the task goes back under what holds it now: its ${what} was ${status}`, async () => {
        let refuseNow: (() => void) | undefined;
        const asked = new Promise<void>((resolve) => {
          refuseNow = resolve;
        });
        world.answer = async (dial) => {
          await asked;
          refuse("capacity");
          return world.answer(dial);
        };
        const campaign = await world.campaign();
        const task = await world.push(campaign);
        await hold(campaign, task.id);
        expect((await world.task(task.id)).status).toBe("running");
        refuseNow?.();
        await world.idle();
        expect(await world.task(task.id)).toMatchObject({ status, attempts: 0 });
        accept();
        await world.run(HOUR);
        expect(world.dials).toHaveLength(1);
        if (then === "none") return;
        if (what === "campaign") await world.move(campaign, "resume");
        else taken(await world.dialer.moveTask(task.id, "resume"));
        await world.idle();
        expect(world.dials).toHaveLength(2);
      });
    }
  });
}

describe("a connection that refuses", () => {
  it("H21 gets one dial at a time until one is taken, and then all that wait", async () => {
    WAYS.answer("capacity");
    const campaign = await world.campaign();
    await world.push(campaign);
    for (let n = 0; n < 3; n++) await world.push(campaign, { startAfter: START + 1 });
    await world.run(3 * SECOND);
    expect(seconds()).toEqual([0, 1, 3]);
    expect(new Set(world.dials.map((dial) => dial.phone)).size).toBe(1);
    accept();
    await world.run(4 * SECOND);
    expect(seconds()).toEqual([0, 1, 3, 7, 7, 7, 7]);
  });

  it("H21 a dial that was on its way before the refusal does not end the back-off", async () => {
    let answers = 0;
    world.answer = (dial) =>
      ++answers === 1 ? no("capacity") : { kind: "accepted", carrierCallId: `c-${dial.call}` };
    const campaign = await world.campaign();
    await world.pushAll([1, 2, 3].map(() => ({ campaign, phone: world.phone() })));
    expect(await connectionNow()).toMatchObject({ state: "backing_off", until: START + SECOND });
    await world.run(SECOND);
    expect(seconds()).toEqual([0, 0, 0, 1]);
    expect(await connectionNow()).toMatchObject({ state: "ok" });
  });

  it("H21 three dials refused together are one refusal", async () => {
    WAYS.answer("capacity");
    const campaign = await world.campaign();
    await world.pushAll([1, 2, 3].map(() => ({ campaign, phone: world.phone() })));
    expect(seconds()).toEqual([0, 0, 0]);
    expect(await connectionNow()).toMatchObject({ state: "backing_off", until: START + SECOND });
    await world.run(SECOND);
    expect(seconds()).toEqual([0, 0, 0, 1]);
  });

  it("H21 a dial whose report came before its answer, and which has left since, ends the back-off", async () => {
    world.answer = () => no("capacity");
    const campaign = await world.campaign();
    await world.push(campaign);
    let answer: () => void = () => undefined;
    world.answer = (dial) =>
      new Promise((resolve) => {
        answer = () => resolve({ kind: "accepted", carrierCallId: `c-${dial.call}` });
      });
    await world.run(SECOND);
    await world.finish(world.last(), "busy");
    await world.run(5 * SECOND);
    expect(world.sql.all("SELECT id FROM call")).toEqual([]);
    answer();
    await world.idle();
    const [connection] = taken(await world.dialer.readWorkspace()).connections;
    expect(connection?.state).toBe("ok");
  });

  it("H21 sends one dial at a time while it backs off, even when the answer takes long", async () => {
    WAYS.answer("capacity");
    const campaign = await world.campaign();
    for (let n = 0; n < 3; n++) await world.push(campaign);
    let acceptNow: (() => void) | undefined;
    world.answer = (dial) =>
      new Promise((resolve) => {
        acceptNow = () => resolve({ kind: "accepted", carrierCallId: `c-${dial.call}` });
      });
    await world.run(10 * SECOND);
    expect(seconds()).toEqual([0, 1]);
    accept();
    acceptNow?.();
    await world.idle();
    expect(seconds()).toEqual([0, 1, 10, 10]);
    expect(await connectionNow()).toMatchObject({ state: "ok", until: null });
  });

  it("H21 begins anew at 1 s after a dial was taken", async () => {
    WAYS.answer("capacity");
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.run(SECOND);
    accept();
    await world.run(2 * SECOND);
    expect(seconds()).toEqual([0, 1, 3]);
    WAYS.answer("capacity");
    await world.push(campaign);
    await world.run(SECOND);
    expect(seconds()).toEqual([0, 1, 3, 3, 4]);
  });

  it("H21 backs off across a restart", async () => {
    WAYS.answer("connection");
    await world.push(await world.campaign());
    await world.run(SECOND);
    world.restart();
    await world.run(2 * SECOND - 1);
    expect(seconds()).toEqual([0, 1]);
    await world.run(1);
    expect(seconds()).toEqual([0, 1, 3]);
  });

  it("H21 holds up no other connection, nor tasks behind its own", async () => {
    await addMore(world);
    world.answer = (dial) =>
      dial.connection === CONNECTION
        ? no("capacity")
        : { kind: "accepted", carrierCallId: `c-${dial.call}` };
    const high = await world.campaign({ priority: "high" });
    const low = await world.campaign({ priority: "low", agent: FAR_AGENT, from: FAR_NUMBER });
    await world.push(high);
    const far = await world.push(low);
    const within = await world.push(high, { agent: FAR_AGENT, from: FAR_NUMBER });
    expect(world.dials.map((dial) => dial.phone).slice(1)).toEqual([far.phone, within.phone]);
  });

  it("H21 tries again at once when a person has changed it", async () => {
    WAYS.answer("connection");
    await world.push(await world.campaign());
    await world.run(20 * SECOND);
    const { length } = world.dials;
    accept();
    await world.setUp();
    await world.idle();
    expect(world.dials).toHaveLength(length + 1);
  });

  it("H21 keeps the place of the task: the same one is tried again, before its equals", async () => {
    WAYS.answer("capacity");
    const campaign = await world.campaign({ type: "batch" });
    await world.setUp({ workspace: { slots: 1 } });
    await world.import(
      campaign,
      Array.from({ length: 6 }, () => world.phone()),
    );
    await world.run(7 * SECOND);
    expect(new Set(world.dials.map((dial) => dial.phone)).size).toBe(1);
    expect(world.dials).toHaveLength(4);
  });
});

describe("a refusal by report", () => {
  it("H21 of a call that had connected is none: the call was made", async () => {
    const task = await world.push(await world.campaign());
    await world.report(world.last(), { answeredAt: START });
    const news = { ended: true, concluding: true, refusal: "capacity", outcome: "failed" } as const;
    await world.report(world.last(), news);
    const completed = { status: "completed", attempts: 1, lastOutcome: "failed" };
    expect(await world.task(task.id)).toMatchObject(completed);
  });

  for (const reason of [...UNUSED, "permanent", "rejected"] as const) {
    it(`H36 (${reason}) that comes twice changes nothing the second time`, async () => {
      const task = await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
      const dial = world.last();
      const news = { ended: true, concluding: true, refusal: reason, outcome: "failed" } as const;
      world.answer = () => no("capacity");
      await world.report(dial, news);
      const [first] = await world.calls(task.id);
      const before = await world.task(task.id);
      await world.report(dial, news);
      expect((await world.calls(task.id))[0]).toEqual(first);
      expect(await world.task(task.id)).toEqual(before);
      await world.run(500);
      await world.report(dial, news);
      await world.run(10 * MINUTE);
      expect((await world.calls(task.id))[0]).toMatchObject({ reported: null });
    });
  }

  it("H21 before the answer counts, and an answer that says otherwise later does not", async () => {
    let acceptNow: (() => void) | undefined;
    world.answer = (dial) =>
      new Promise((resolve) => {
        acceptNow = () => resolve({ kind: "accepted", carrierCallId: `c-${dial.call}` });
      });
    const task = await world.push(await world.campaign());
    const news = { ended: true, concluding: true, refusal: "capacity", outcome: "failed" } as const;
    await world.report(world.last(), news);
    expect(await world.task(task.id)).toMatchObject({ status: "queued", attempts: 0 });
    accept();
    acceptNow?.();
    await world.run(SECOND);
    expect(world.dials.map((dial) => dial.attempt)).toEqual([1, 1]);
  });

  it("H21 H32 before the answer leaves the call on record: the carrier had taken it", async () => {
    let acceptNow: (() => void) | undefined;
    world.answer = (dial) =>
      new Promise((resolve) => {
        acceptNow = () => resolve({ kind: "accepted", carrierCallId: `c-${dial.call}` });
      });
    const task = await world.push(await world.campaign());
    const { call } = world.last();
    const news = { ended: true, concluding: true, refusal: "capacity", outcome: "failed" } as const;
    await world.report(world.last(), news);
    acceptNow?.();
    accept();
    await world.run(MINUTE);
    const record = { id: call, attempt: 1, status: "ended", carrierCallId: `c-${call}` };
    expect((await world.calls(task.id))[0]).toMatchObject({ ...record, outcome: null });
    await world.finish(world.last(), "connected");
  });
});
