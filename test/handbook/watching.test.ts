import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localKey } from "../../src/core/ids.ts";
import { type EffectiveSettings, effective, origins } from "../../src/core/task.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import {
  AGENT_2,
  addMore,
  FAR_AGENT,
  FAR_CONNECTION,
  FAR_NUMBER,
  NUMBER_2,
  refused,
  rowsOf,
  storedRow,
} from "../support/node/scene.ts";
import {
  AGENT,
  AGENT_DOC,
  CONNECTION,
  HOUR,
  MINUTE,
  NUMBER,
  START,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
  await addMore(world);
});
afterEach(() => checkWorld(world));

describe("H32 campaigns, their tasks, their calls", () => {
  it("H32 a task lists its calls with id, start, attempt and status, while they run and after", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const { id } = await world.push(campaign);
    const first = world.last();
    const dialling = { id: first.call, attempt: 1, status: "dialling", claimedAt: START };
    expect(taken(await world.dialer.readCalls(id))).toMatchObject([dialling]);
    await world.report(first, { ringingAt: START });
    expect(taken(await world.dialer.readCalls(id))).toMatchObject([{ status: "ringing" }]);
    await world.report(first, { answeredAt: START });
    expect(taken(await world.dialer.readCall(first.call))).toMatchObject({ status: "talking" });
    await world.finish(first, "no_answer");
    await world.run(MINUTE);
    await world.finish(world.last(), "connected");
    await world.run(1_000);
    const calls = world.stored("SELECT id, attempt, status, outcome FROM calls ORDER BY id");
    expect(calls.map(({ attempt, status, outcome }) => ({ attempt, status, outcome }))).toEqual([
      { attempt: 1, status: "ended", outcome: "no_answer" },
      { attempt: 2, status: "ended", outcome: "connected" },
    ]);
    expect(calls[0]?.id).toBe(localKey("cal", WORKSPACE, first.call));
  });

  it("H32 a call opens to its full record, in the object and in D1", async () => {
    const campaign = await world.campaign();
    const { id, phone } = await world.push(campaign);
    const dial = world.last();
    const turns = [{ speaker: "person" as const, text: "Hello?", atMs: 400 }];
    const report = world.finish(dial, "connected", {
      ringingAt: START,
      answeredAt: START,
      word: "customer-ended-call",
      talkMs: 61_000,
      costMicros: 42_000,
      currency: "USD",
      recordingUrl: "https://carrier.test/r.mp3",
      transcript: turns,
      analysis: { mood: "good" },
    });
    const live = taken(await world.dialer.readCall(dial.call));
    expect(live).toMatchObject({
      task: id,
      campaign,
      attempt: 1,
      status: "ended",
      agent: AGENT,
      connection: CONNECTION,
      carrier: "scripted",
      carrierCallId: `c-${dial.call}`,
      from: "+918047112233",
      to: phone,
      claimedAt: START,
      placedAt: START,
      ringingAt: START,
      answeredAt: START,
      endedAt: START,
      talkMs: 61_000,
      outcome: "connected",
      word: "customer-ended-call",
      costMicros: 42_000,
      currency: "USD",
      recordingUrl: "https://carrier.test/r.mp3",
      transcript: turns,
      analysis: { mood: "good" },
    });
    await report;
    await world.run(1_000);
    expect(rowsOf(world, "call")).toBe(0);
    expect(storedRow(world, "calls", dial.call)).toMatchObject({
      agent: live.agent,
      connection: live.connection,
      carrier: live.carrier,
      carrier_call_id: live.carrierCallId,
      from_phone: live.from,
      to_phone: live.to,
      claimed_at: live.claimedAt,
      placed_at: live.placedAt,
      ringing_at: live.ringingAt,
      answered_at: live.answeredAt,
      ended_at: live.endedAt,
      talk_ms: live.talkMs,
      outcome: live.outcome,
      word: live.word,
      cost_micros: live.costMicros,
      currency: live.currency,
      recording_url: live.recordingUrl,
    });
    const [texts] = world.stored("SELECT transcript, analysis FROM call_texts");
    expect(JSON.parse(String(texts?.transcript))).toEqual(turns);
    expect(JSON.parse(String(texts?.analysis))).toEqual({ mood: "good" });
  });

  it("H32 a campaign shows its progress: tasks by status, attempts and outcomes", async () => {
    const campaign = await world.campaign({ slots: 1, retries: 1, intervals: HOUR });
    for (let n = 0; n < 4; n++) await world.push(campaign);
    await world.finish(world.last(), "connected", { talkMs: 5_000 });
    await world.finish(world.last(), "busy");
    const { settings, createdAt, counters } = await world.read(campaign);
    expect({ agent: settings.agent, type: settings.type, createdAt }).toEqual({
      agent: AGENT,
      type: "realtime",
      createdAt: START,
    });
    expect(counters).toEqual({
      queued: 2,
      running: 1,
      completed: 1,
      paused: 0,
      archived: 0,
      attempts: 2,
      talkMs: 5_000,
      outcomes: { connected: 1, busy: 1 },
    });
  });
});

/** One own value of each setting of a task, as its body and as its record have it. */
const OWN: [keyof EffectiveSettings, TaskBody, unknown][] = [
  ["agent", { agent: AGENT_2 }, AGENT_2],
  ["from", { from: NUMBER_2 }, NUMBER_2],
  ["hours", { start: 1000, end: 1100 }, { opensMin: 600, closesMin: 660 }],
  ["days", { days: ["tue"] }, 2],
  ["timezone", { timezone: "Asia/Tokyo" }, "Asia/Tokyo"],
  ["startAfter", { startAfter: START + 2 * HOUR }, START + 2 * HOUR],
  ["endAfter", { endAfter: START + 3 * HOUR }, START + 3 * HOUR],
  ["priorities", { priorities: [7, 6, 5] }, [7, 6, 5]],
  ["attemptsMax", { retries: 2 }, 2],
  ["intervalsMs", { intervals: [1, 2] }, [1, 2]],
  ["retryOutcomes", { retryOutcomes: ["voicemail"] }, ["voicemail"]],
];

describe("H33 configuration", () => {
  for (const [name, body, value] of OWN) {
    it(`H33 a task's own ${name} is its own, and what it leaves out follows its campaign`, async () => {
      const campaign = await world.campaign({
        paused: true,
        retries: 2,
        endAfter: START + 9 * HOUR,
      });
      const { id } = await world.push(campaign, body);
      const edit = {
        startAfter: START + HOUR,
        timezone: "Asia/Kolkata",
        days: ["sun"],
        intervals: 5,
      };
      const { settings } = await world.edit(campaign, edit);
      const task = await world.task(id);
      const counts = effective(task.settings, settings);
      const from = origins(task.settings, settings);
      const pair = name === "agent" || name === "from" ? ["agent", "from"] : [name];
      for (const key of Object.keys(from) as (keyof typeof from)[]) {
        expect([key, from[key]]).toEqual([key, pair.includes(key) ? "task" : "campaign"]);
      }
      expect(counts[name]).toEqual(value);
      if (name !== "timezone") expect(counts.timezone).toBe("Asia/Kolkata");
      if (name !== "intervalsMs") expect(counts.intervalsMs).toEqual([5]);
      expect(JSON.parse(String(storedRow(world, "tasks", id).settings))).toEqual(task.settings);
    });
  }

  it("H33 the workspace's defaults fill a campaign once: their later change leaves it alone", async () => {
    const workspace = { agent: AGENT, from: NUMBER, timezone: "Asia/Kolkata", days: 1 };
    await world.setUp({ workspace });
    const body = { name: "Leads", type: "realtime" };
    const reply = taken(await world.dialer.createCampaign({ body, idempotency: null }));
    const filled = { agent: AGENT, from: NUMBER, timezone: "Asia/Kolkata", days: 1 };
    expect(reply.campaign.settings).toMatchObject(filled);
    const changed = { agent: AGENT_2, from: NUMBER_2, timezone: "UTC", days: 2 };
    await world.setUp({ workspace: changed });
    expect((await world.read(reply.campaign.id)).settings).toMatchObject(filled);
    await world.push(reply.campaign.id);
    expect(world.last()).toMatchObject({ carrierAgentId: "agent-1", from: "+918047112233" });
  });

  it("H33 what a batch's rows leave out is read from the campaign at the instant of dialling", async () => {
    const campaign = await world.campaign({ type: "batch", startAfter: START + HOUR });
    await world.import(campaign, [world.phone()]);
    await world.edit(campaign, { agent: AGENT_2, from: NUMBER_2 });
    await world.put("agent", AGENT_2, { ...AGENT_DOC, id: AGENT_2, carrierAgentId: "newest" });
    await world.run(HOUR);
    expect(world.last()).toMatchObject({ carrierAgentId: "newest", from: "+918047112292" });
  });

  it("H33 a push that names agent or number keeps both, whatever its campaign's become", async () => {
    const campaign = await world.campaign({ paused: true });
    const named = await world.push(campaign, { agent: AGENT_2 });
    expect(named.settings).toMatchObject({ agent: AGENT_2, from: NUMBER });
    const from = await world.push(campaign, { from: NUMBER_2 });
    expect(from.settings).toMatchObject({ agent: AGENT, from: NUMBER_2 });
    const far = await world.push(campaign, { agent: FAR_AGENT, from: FAR_NUMBER });
    await world.edit(campaign, { agent: FAR_AGENT, from: FAR_NUMBER });
    await world.move(campaign, "resume");
    const dialled = new Map(world.dials.map((dial) => [dial.phone, dial]));
    const first = { carrierAgentId: AGENT_2, from: "+918047112233", connection: CONNECTION };
    expect(dialled.get(named.phone)).toMatchObject(first);
    expect(dialled.get(from.phone)).toMatchObject({
      carrierAgentId: "agent-1",
      connection: CONNECTION,
    });
    expect(dialled.get(far.phone)).toMatchObject({ connection: FAR_CONNECTION });
  });

  it("H33 a pair on two connections is invalid: in a campaign, in its edit and in a push", async () => {
    const body = { name: "Leads", type: "realtime", agent: AGENT, from: FAR_NUMBER };
    const created = world.dialer.createCampaign({ body, idempotency: null });
    expect(await refused(created)).toEqual({ code: "invalid", paths: ["from"] });
    const campaign = await world.campaign();
    const before = await world.read(campaign);
    for (const edit of [{ from: FAR_NUMBER }, { agent: AGENT, from: FAR_NUMBER }]) {
      const answer = await refused(world.dialer.editCampaign(campaign, edit));
      expect(answer).toEqual({ code: "invalid", paths: ["from"] });
    }
    const agent = await refused(world.dialer.editCampaign(campaign, { agent: FAR_AGENT }));
    expect(agent).toEqual({ code: "invalid", paths: ["agent"] });
    expect(await world.read(campaign)).toEqual(before);
    const pair = { campaign, phone: world.phone(), agent: AGENT, from: FAR_NUMBER };
    expect(await world.pushAll([pair])).toMatchObject([
      { ok: false, code: "invalid", issues: [{ path: "tasks.0.from" }] },
    ]);
    expect(rowsOf(world, "task")).toBe(0);
  });

  it("H33 neither agent nor number can be emptied", async () => {
    const campaign = await world.campaign();
    for (const path of ["agent", "from"]) {
      const answer = await refused(world.dialer.editCampaign(campaign, { [path]: null }));
      expect(answer).toEqual({ code: "invalid", paths: [path] });
    }
    expect((await world.read(campaign)).settings).toMatchObject({ agent: AGENT, from: NUMBER });
  });
});
