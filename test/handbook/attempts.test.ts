import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CampaignBody } from "../../src/core/campaign-body.ts";
import { OUTCOMES } from "../../src/core/outcome.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

/** Ends the newest call, and lets an hour pass, or less when another dial comes. */
async function endAndWait(outcome: string): Promise<void> {
  await world.finish(world.last(), outcome);
  const { length } = world.dials;
  for (let n = 0; n < 61 && world.dials.length === length; n++) await world.run(MINUTE);
}

/** When each attempt of a task is dialled, in minutes after the first, while every call ends as `outcome`. */
async function dialledMinutes(
  campaign: CampaignBody,
  task: TaskBody | null,
  outcome = "no_answer",
): Promise<number[]> {
  const id = await world.campaign(campaign);
  if (task === null) await world.import(id, [world.phone()]);
  else await world.push(id, task);
  const first = world.dials.length - 1;
  for (let seen = -1; seen !== world.dials.length; ) {
    seen = world.dials.length;
    await endAndWait(outcome);
  }
  const dials = world.dials.slice(first);
  expect(dials.map((dial) => dial.attempt)).toEqual(dials.map((_, index) => index + 1));
  return dials.map((dial) => (dial.at - (dials[0]?.at ?? 0)) / MINUTE);
}

describe("how many attempts", () => {
  for (const type of ["batch", "realtime"] as const) {
    const task = type === "batch" ? null : {};
    for (const n of [0, 1, 2, 3]) {
      it(`H16 retries: ${n} on a ${type} campaign are ${n + 1} attempts, and so is maxAttempts: ${n + 1}`, async () => {
        expect(await dialledMinutes({ type, retries: n }, task)).toHaveLength(n + 1);
        expect(await dialledMinutes({ type, maxAttempts: n + 1 }, task)).toHaveLength(n + 1);
        const both = { type, retries: n, maxAttempts: n + 1 };
        expect(await dialledMinutes(both, task)).toHaveLength(n + 1);
      });
    }
  }

  for (const n of [0, 1, 2, 3]) {
    const total = Math.max(1, n);
    it(`H16 retries: ${n} on a task are ${total} attempts, whatever its campaign says`, async () => {
      expect(await dialledMinutes({ retries: 7 }, { retries: n })).toHaveLength(total);
      expect(await dialledMinutes({ retries: 7 }, { maxAttempts: total })).toHaveLength(total);
    });
  }

  it("H16 warns of retries: 0 on a task, and refuses spellings that differ", async () => {
    const campaign = await world.campaign();
    const phone = world.phone();
    const [zero, differs, same] = await world.pushAll([
      { campaign, phone, retries: 0 },
      { campaign, phone, retries: 2, maxAttempts: 3 },
      { campaign, phone, retries: 2, maxAttempts: 2, intervals: [1] },
    ]);
    expect(zero).toMatchObject({ ok: true, warnings: [{ path: "tasks.0.retries" }] });
    expect(differs).toMatchObject({ ok: false, code: "invalid" });
    expect(same).toMatchObject({ ok: true, warnings: [] });
    const body = { name: "x", type: "realtime", retries: 2, maxAttempts: 2 };
    const reply = await world.dialer.createCampaign({ body, idempotency: null });
    expect(reply).toMatchObject({ ok: false, code: "invalid" });
  });

  it("H17 without a value anywhere a task has one attempt", async () => {
    expect(await dialledMinutes({}, {})).toEqual([0]);
    expect(await dialledMinutes({ type: "batch" }, null)).toEqual([0]);
  });

  it("H4 fewer attempts than were used complete the task when its retry falls due", async () => {
    const campaign = await world.campaign({ retries: 2, intervals: HOUR });
    const task = await world.push(campaign);
    await world.finish(world.last(), "busy");
    await world.edit(campaign, { retries: 0 });
    await world.run(HOUR - 1);
    expect((await world.task(task.id)).status).toBe("queued");
    await world.run(1);
    expect(await world.task(task.id)).toMatchObject({ status: "completed", attempts: 1 });
    expect(world.dials).toHaveLength(1);
  });

  it("H4 more attempts count for what is concluded later, and revive nothing", async () => {
    const campaign = await world.campaign({ retries: 0, intervals: HOUR });
    const before = await world.push(campaign);
    await world.finish(world.last(), "busy");
    await world.push(campaign);
    await world.edit(campaign, { retries: 1, intervals: MINUTE });
    await world.finish(world.last(), "busy");
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START, START + MINUTE]);
    expect((await world.task(before.id)).status).toBe("completed");
  });

  it("H4 a retry that was granted keeps its time when the intervals change", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    await world.push(campaign);
    await world.finish(world.last(), "busy");
    await world.edit(campaign, { intervals: MINUTE });
    await world.run(2 * HOUR);
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START + HOUR]);
  });
});

describe("gaps between attempts", () => {
  const m = (...minutes: number[]) => minutes.map((one) => one * MINUTE);
  /** Campaign, task (null: a batch's row), and the minutes of all attempts. */
  const CASES: [CampaignBody, TaskBody | null, number[]][] = [
    [{ retries: 2 }, {}, [0, 30, 60]],
    [{ retries: 3, intervals: 5 * MINUTE }, {}, [0, 5, 10, 15]],
    [{ retries: 3, intervals: m(5, 1) }, {}, [0, 5, 6, 7]],
    [{ retries: 3, intervals: m(5, 1) }, { intervals: m(2, 3, 4) }, [0, 2, 5, 9]],
    [{ retries: 3, intervals: m(5, 1) }, { retries: 2, intervals: m(7) }, [0, 7]],
    [{ retries: 0, intervals: m(5) }, { retries: 3 }, [0, 5, 10]],
    [{ retries: 1, intervals: 0 }, {}, [0, 0]],
    [{ type: "batch", retries: 3, intervals: m(5, 1) }, null, [0, 5, 6, 7]],
  ];
  for (const [campaign, task, minutes] of CASES) {
    it(`H17 ${JSON.stringify([campaign, task])} dials after minutes ${minutes}`, async () => {
      expect(await dialledMinutes(campaign, task)).toEqual(minutes);
    });
  }

  it("H17 says how many intervals and priorities are needed, and warns of surplus ones", async () => {
    const campaign = await world.campaign();
    const base = { campaign, phone: world.phone(), retries: 3 };
    const [gaps, priorities, surplus] = await world.pushAll([
      { ...base, intervals: m(1) },
      { ...base, priorities: [1, 2] },
      { ...base, intervals: m(1, 2, 3), priorities: [1, 2, 3, 4] },
    ]);
    const issue = (path: string, needed: RegExp) => ({
      ok: false,
      issues: [{ path, expected: expect.stringMatching(needed) }],
    });
    expect(gaps).toMatchObject(issue("tasks.0.intervals", /^2 /));
    expect(priorities).toMatchObject(issue("tasks.1.priorities", /^3 /));
    expect(surplus).toMatchObject({
      ok: true,
      warnings: [{ path: "tasks.2.intervals" }, { path: "tasks.2.priorities" }],
    });
  });

  it("H17 an own list that an edit makes too short repeats its last", async () => {
    const campaign = await world.campaign({ retries: 1 });
    await world.push(campaign, { intervals: m(3) });
    await world.edit(campaign, { retries: 3 });
    for (let n = 0; n < 4; n++) await endAndWait("busy");
    expect(world.dials.map((dial) => (dial.at - START) / MINUTE)).toEqual([0, 3, 6, 9]);
  });

  it("H17 refuses a push that has no agent or no number", async () => {
    const body = { name: "x", type: "realtime" };
    const bare = await world.dialer.createCampaign({ body, idempotency: null });
    expect(bare.ok).toBe(true);
    const campaign = bare.ok ? bare.value.campaign.id : null;
    const [answer] = await world.pushAll([{ campaign, phone: world.phone() }]);
    const issues = [{ path: "tasks.0.agent" }, { path: "tasks.0.from" }];
    expect(answer).toMatchObject({ ok: false, code: "invalid", issues });
  });

  it("H19 counts the interval from the call's end, not from when its report came", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: HOUR });
    await world.push(campaign);
    await world.run(10 * MINUTE);
    await world.finish(world.last(), "busy", { endedAt: START + 2 * MINUTE });
    await world.run(2 * HOUR);
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START + 62 * MINUTE]);
  });

  it("H19 a retry whose time has passed when its report comes is dialled at once", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    await world.push(campaign);
    await world.run(10 * MINUTE);
    await world.finish(world.last(), "busy", { endedAt: START + 2 * MINUTE });
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START + 10 * MINUTE]);
  });

  it("H19 a carrier whose clock is ahead does not move the interval into the future", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    await world.push(campaign);
    await world.finish(world.last(), "busy", { endedAt: START + HOUR });
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(2);
  });

  it("H30 the retry of a task that was paused during its call waits for resume", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const task = await world.push(campaign);
    taken(await world.dialer.moveTask(task.id, "pause"));
    await world.finish(world.last(), "busy");
    await world.run(HOUR);
    expect(await world.task(task.id)).toMatchObject({ status: "paused", attempts: 1 });
    taken(await world.dialer.moveTask(task.id, "resume"));
    await world.idle();
    expect(world.dials.map((dial) => dial.at)).toEqual([START, START + HOUR]);
  });

  /** Hours 8:00–10:00; the call ends at 9:00. */
  const OPENINGS: [number, string][] = [
    [60 * MINUTE - 1, "2027-01-04T09:59:59.999"],
    [60 * MINUTE, "2027-01-05T08:00"],
    [23 * HOUR - 1, "2027-01-05T08:00"],
    [23 * HOUR, "2027-01-05T08:00"],
    [23 * HOUR + 1, "2027-01-05T08:00:00.001"],
  ];
  for (const [interval, at] of OPENINGS) {
    it(`H19 a retry due ${interval} ms after 9:00 is dialled at ${at}`, async () => {
      const campaign = await world.campaign({
        retries: 1,
        intervals: interval,
        start: 800,
        end: 1000,
      });
      await world.push(campaign);
      await world.finish(world.last(), "busy");
      await world.run(48 * HOUR);
      expect(world.last().at).toBe(Date.parse(`${at}Z`));
    });
  }
});

describe("which outcomes are retried", () => {
  const ALWAYS = ["no_answer", "busy", "failed", "init_failed"];
  const CHOSEN = ["voicemail", "no_response", "not_interested"];
  for (const usesCallback of [false, true]) {
    for (const chosen of [false, true]) {
      const agent = `${usesCallback ? "a" : "no"} callback, ${chosen ? "all chosen" : "none chosen"}`;
      for (const outcome of [...OUTCOMES, "not_interested"]) {
        const again =
          ALWAYS.includes(outcome) ||
          (outcome === "busy_callback" && usesCallback) ||
          (chosen && CHOSEN.includes(outcome));
        it(`H18 ${again ? "retries" : "does not retry"} ${outcome} (${agent})`, async () => {
          const outcomes = [{ name: "not_interested", suppress: false }];
          await world.setUp({ agent: { usesCallback, outcomes } });
          const retryOutcomes = chosen ? CHOSEN : [];
          const campaign = await world.campaign({ retries: 1, retryOutcomes });
          const task = await world.push(campaign);
          await world.finish(world.last(), outcome);
          const status = again ? "queued" : "completed";
          expect(await world.task(task.id)).toMatchObject({ status, lastOutcome: outcome });
          await world.run(HOUR);
          expect(world.dials).toHaveLength(again ? 2 : 1);
        });
      }
    }
  }

  it("H18 a task's own choice stands in for its campaign's", async () => {
    const campaign = await world.campaign({ retries: 1, retryOutcomes: ["voicemail"] });
    await world.push(campaign, { retryOutcomes: [] });
    await world.finish(world.last(), "voicemail");
    await world.push(campaign, { retryOutcomes: ["no_response"] });
    await world.finish(world.last(), "no_response");
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.attempt)).toEqual([1, 1, 2]);
  });

  it("H4 retry outcomes chosen by an edit count for calls that are concluded after it", async () => {
    const campaign = await world.campaign({ retries: 1 });
    await world.push(campaign);
    await world.edit(campaign, { retryOutcomes: ["voicemail"] });
    await world.finish(world.last(), "voicemail");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(2);
  });

  it("H18 a word that no agent of ours can report is no reason to dial again", async () => {
    const campaign = await world.campaign({ retries: 1 });
    const task = await world.push(campaign);
    await world.finish(world.last(), "wrong_person");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
    const [call] = await world.calls(task.id);
    expect(call).toMatchObject({ outcome: "connected", word: "wrong_person" });
  });
});
