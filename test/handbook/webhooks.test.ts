import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventSchema } from "../../src/contract/event.ts";
import { type CampaignId, type ImportId, makeId, type WebhookId } from "../../src/core/ids.ts";
import { EVENT_TYPES, type EventType, type WebhookEvent } from "../../src/core/webhook.ts";
import { bodyOf } from "../../src/core/webhook-body.ts";
import { checkWorld } from "../support/node/invariants.ts";
import { costOf } from "../support/node/scene.ts";
import { CONNECTION, HOUR, MINUTE, START, taken, WORKSPACE, World } from "../support/node/world.ts";

const WEBHOOK = makeId("whk", WORKSPACE, "w1") as WebhookId;
const URL_OF_TASK = "https://crm.example.com/hooks/7";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.setUp();
});
afterEach(() => {
  checkWorld(world);
  // Whatever a test has brought about is told as the description has it.
  for (const event of told()) {
    const body = JSON.parse(JSON.stringify(bodyOf(event, WORKSPACE)));
    const late = event.type === "call.analyzed" && event.call === null;
    if (!late) eventSchema(event.type).strict().parse(body);
  }
});

const want = (events: readonly EventType[] = EVENT_TYPES) =>
  world.put("webhook", WEBHOOK, { id: WEBHOOK, events: [...events] });

/** All events that were handed to the queue, each once, in order of their numbers. */
function told(): WebhookEvent[] {
  const events = new Map<number, WebhookEvent>();
  for (const { events: some } of world.sent) for (const one of some) events.set(one.sequence, one);
  return [...events.values()].sort((a, b) => a.sequence - b.sequence);
}
const types = () => told().map((one) => one.type);
const rows = () => world.sql.all<{ id: number; events: string }>("SELECT * FROM outbox");
const acknowledge = async () =>
  taken(await world.dialer.eventsTold(world.sent.map((one) => one.row)));

async function oneCall(body = {}, campaignBody = {}) {
  const campaign = await world.campaign({ retries: 0, ...campaignBody });
  const task = await world.push(campaign, body);
  await world.idle();
  return { campaign, task, dial: world.last() };
}

describe("events", () => {
  it("a call that ends well is told from its start to its task's end, in order", async () => {
    await want();
    const { campaign, task, dial } = await oneCall({ externalId: "crm-7" });
    await world.run(MINUTE);
    await world.finish(dial, "connected", { talkMs: 41_000 });
    expect(types()).toEqual(["campaign.started", "call.started", "call.ended", "task.completed"]);
    const [, started, ended, completed] = told();
    const ids = { call: dial.call, task: task.id, campaign, externalId: "crm-7", attempt: 1 };
    expect(started).toMatchObject({ at: START, data: { ...ids, outcome: null, placedAt: START } });
    expect(ended).toMatchObject({
      id: `${dial.call}-ended`,
      at: START + MINUTE,
      data: { ...ids, outcome: "connected", talkMs: 41_000, connection: CONNECTION },
    });
    expect(completed).toMatchObject({
      id: `${task.id}-completed`,
      data: { task: task.id, campaign, externalId: "crm-7", attempts: 1, outcome: "connected" },
    });
    expect(JSON.stringify(told())).not.toContain(dial.phone);
  });

  it("each attempt has its call, and the task ends once", async () => {
    await want(["call.started", "call.ended", "task.completed"]);
    const { dial } = await oneCall({ retries: 2, intervals: [MINUTE] });
    await world.finish(dial, "busy");
    await world.run(MINUTE);
    await world.finish(world.last(), "busy");
    expect(types()).toEqual([
      "call.started",
      "call.ended",
      "call.started",
      "call.ended",
      "task.completed",
    ]);
    expect(told().map((one) => one.data.attempt ?? one.data.attempts)).toEqual([1, 1, 2, 2, 2]);
  });

  it("H18 an end without its outcome is told at once, the analysis when it comes", async () => {
    await want(["call.ended", "call.analyzed", "task.completed"]);
    await world.setUp({ agent: { outcomes: [{ name: "interested", suppress: false }] } });
    const { dial } = await oneCall();
    await world.report(dial, { ended: true, answeredAt: world.now, endedAt: world.now });
    expect(told()).toMatchObject([{ type: "call.ended", data: { outcome: null } }]);
    await world.run(20_000);
    await world.report(dial, {
      concluding: true,
      outcome: "interested",
      transcript: [{ speaker: "agent", text: "Hello", atMs: 0 }],
      analysis: { mood: "good" },
    });
    expect(types()).toEqual(["call.ended", "call.ended", "task.completed", "call.analyzed"]);
    expect(told()[1]).toMatchObject({
      id: `${dial.call}-concluded`,
      data: { outcome: "interested" },
    });
    expect(told().at(-1)).toMatchObject({ id: `${dial.call}-analysis` });
    expect(JSON.stringify(told())).not.toContain("Hello");
  });

  it("H18 an outcome that never comes is told once it is given up", async () => {
    await want(["call.ended"]);
    await world.setUp({ agent: { outcomes: [{ name: "interested", suppress: false }] } });
    const { dial } = await oneCall({ retries: 2, intervals: [HOUR] });
    await world.report(dial, { ended: true, answeredAt: world.now, endedAt: world.now });
    await world.run(5 * MINUTE);
    expect(told()).toMatchObject([
      { id: `${dial.call}-ended`, data: { outcome: null } },
      { id: `${dial.call}-concluded`, data: { outcome: "connected" } },
    ]);
  });

  it("an end that says its outcome at once is told once", async () => {
    await want(["call.ended"]);
    await world.setUp({ agent: { outcomes: [{ name: "interested", suppress: false }] } });
    const { dial } = await oneCall();
    await world.finish(dial, "no_answer");
    await world.run(5 * MINUTE);
    expect(told()).toHaveLength(1);
  });

  it("an analysis that comes after the call has left is told by its name alone", async () => {
    await want(["call.analyzed"]);
    const { dial } = await oneCall();
    await world.finish(dial, "connected");
    await world.run(MINUTE);
    await world.report(dial, { analysis: { mood: "good" } });
    expect(told()).toMatchObject([{ id: `${dial.call}-analysis`, data: { call: dial.call } }]);
    // Whoever reports twice is told twice, under one id.
    await world.report(dial, { analysis: { mood: "good" }, costMicros: 7 });
    expect(new Set(told().map((one) => one.id)).size).toBe(1);
  });

  it("H22 a rescue that was wrong is corrected", async () => {
    await want(["call.ended"]);
    const { dial } = await oneCall({ retries: 2, intervals: [HOUR] });
    await world.run(36 * MINUTE);
    expect(told()).toMatchObject([{ data: { outcome: "failed", corrected: false } }]);
    await world.finish(dial, "connected");
    expect(told().at(-1)).toMatchObject({
      id: `${dial.call}-corrected`,
      data: { outcome: "connected", corrected: true },
    });
  });

  it("H21 a dial that was never taken has no events; one given back by report has its end", async () => {
    await want(["call.started", "call.ended"]);
    world.answer = () => ({ kind: "refused", reason: "capacity", word: "full" });
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.run(500);
    expect(types()).toEqual([]);
    world.answer = (dial) => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
    await world.run(MINUTE);
    await world.report(world.last(), { refusal: "capacity", ended: true });
    expect(told()).toMatchObject([
      { type: "call.started" },
      { type: "call.ended", data: { outcome: null } },
    ]);
  });

  it("H31, H14, H40 a task that is archived singly, ends or is suppressed is told once", async () => {
    await want(["task.archived"]);
    const campaign = await world.campaign({ startAfter: START + HOUR });
    const archived = await world.push(campaign);
    const ends = await world.push(campaign, { endAfter: START + MINUTE });
    taken(await world.dialer.moveTask(archived.id, "archive"));
    await world.run(2 * MINUTE);
    expect(told().map((one) => one.data.task)).toEqual([archived.id, ends.id]);
  });

  it("H30 a campaign's archive is one event with its counts, whatever the number of its tasks", async () => {
    await want(["campaign.archived", "task.archived"]);
    const campaign = await world.campaign({ startAfter: START + HOUR });
    for (let n = 0; n < 30; n++) await world.push(campaign);
    await world.move(campaign, "archive");
    await world.run(MINUTE);
    expect(told()).toMatchObject([
      {
        type: "campaign.archived",
        data: { campaign, status: "archived", counters: { archived: 30 } },
      },
    ]);
  });

  it("H28 pauses, resumes, imports and ends of a batch are told, its revival ends again", async () => {
    await want([
      "campaign.paused",
      "campaign.resumed",
      "import.completed",
      "campaign.completed",
      "campaign.started",
    ]);
    const batch = await world.campaign({ type: "batch", retries: 0 });
    await world.import(batch, [world.phone(), world.phone()]);
    await world.move(batch, "pause");
    await world.move(batch, "resume");
    for (const dial of [...world.dials]) await world.finish(dial, "connected");
    await world.import(batch, [world.phone()]);
    await world.finish(world.last(), "connected");
    expect(types()).toEqual([
      "import.completed",
      "campaign.started",
      "campaign.paused",
      "campaign.resumed",
      "campaign.completed",
      "import.completed",
      "campaign.completed",
    ]);
    expect(told()[0]?.data).toEqual({
      import: makeId("imp", WORKSPACE, "i1"),
      campaign: batch,
      rowsTaken: 2,
    });
    const ends = told().filter((one) => one.type === "campaign.completed");
    expect(ends.map((one) => one.data.counters)).toMatchObject([
      { completed: 2 },
      { completed: 3 },
    ]);
    expect(new Set(ends.map((one) => one.id)).size).toBe(2);
  });

  it("H13 a campaign's own end is told", async () => {
    await want(["campaign.completed"]);
    const campaign = await world.campaign({ endAfter: START + HOUR, startAfter: START + MINUTE });
    await world.run(HOUR);
    expect(told()).toMatchObject([{ data: { campaign, status: "completed" } }]);
  });

  it("H21 a connection whose account is refused is told as suspended, and as resumed", async () => {
    await want(["connection.suspended", "connection.resumed"]);
    world.answer = () => ({ kind: "refused", reason: "connection", word: "401" });
    await world.push(await world.campaign());
    await world.run(3_000);
    expect(told()).toMatchObject([
      { type: "connection.suspended", data: { connection: CONNECTION } },
    ]);
    world.answer = (dial) => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
    await world.run(2 * MINUTE);
    expect(types()).toEqual(["connection.suspended", "connection.resumed"]);
  });
});

describe("tasks' own addresses", () => {
  it("a task with an address is told of there alone, and its neighbours nowhere", async () => {
    const { dial } = await oneCall({ statusCallbackUrl: URL_OF_TASK });
    const other = await world.push(await world.campaign());
    await world.finish(dial, "connected");
    await world.finish(world.last(), "connected");
    const mine = told().filter((one) => one.callback !== null);
    expect(mine.map((one) => one.type)).toEqual(["call.started", "call.ended", "task.completed"]);
    expect(mine.every((one) => one.callback === URL_OF_TASK)).toBe(true);
    expect(told().some((one) => one.data.task === other.id && one.callback !== null)).toBe(false);
  });

  it("H30 tasks that end with their campaign are told in the background", async () => {
    const campaign = await world.campaign({ startAfter: START + HOUR });
    const mine = await world.push(campaign, { statusCallbackUrl: URL_OF_TASK });
    await world.push(campaign);
    await world.move(campaign, "archive");
    expect(types()).toEqual([]);
    await world.run(MINUTE);
    expect(told()).toMatchObject([
      { type: "task.archived", only: true, callback: URL_OF_TASK, data: { task: mine.id } },
    ]);
  });
});

describe("the outbox", () => {
  it("nobody wants to know: nothing is written", async () => {
    const { dial } = await oneCall();
    await world.finish(dial, "connected");
    expect(rows()).toEqual([]);
    expect(world.sent).toEqual([]);
  });

  it("an event costs at most two rows, one written and one taken away", async () => {
    const quiet = await costOfCall([]);
    const loud = await costOfCall(["call.started", "call.ended", "task.completed"]);
    // Three events in two transactions.
    expect(loud.written - quiet.written).toBe(4);
    expect(loud.messages).toBe(2);
  });

  async function costOfCall(events: EventType[]) {
    world = new World();
    await world.setUp();
    if (events.length > 0) await want(events);
    const campaign = await world.campaign({ retries: 0 });
    // What a campaign's first call and the first ids cost is not a call's.
    await world.push(campaign);
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    if (events.length > 0) await acknowledge();
    const sent = world.sent.length;
    const { written } = world.sql;
    await world.push(campaign);
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    if (events.length > 0) await acknowledge();
    return { written: world.sql.written - written, messages: world.sent.length - sent };
  }

  it("a throw leaves no event behind", async () => {
    await want();
    const campaign = await world.campaign();
    const id = makeId("imp", WORKSPACE, "none") as ImportId;
    taken(await world.dialer.openImport(id, await world.campaign({ type: "batch" })));
    const before = rows().length;
    const { run } = world.sql;
    world.sql.run = (query, ...bind) => {
      if (query.includes("INSERT INTO outbox")) throw new Error("disk I/O error: SQLITE_IOERR");
      run(query, ...bind);
    };
    await expect(world.dialer.moveCampaign(campaign, "pause")).rejects.toThrow();
    world.sql.run = run;
    expect(rows().length).toBe(before);
    expect((await world.read(campaign)).status).not.toBe("paused");
  });

  it("what is acknowledged leaves, and what is not is sent again, under the same ids", async () => {
    await want(["call.started"]);
    await oneCall();
    expect(world.sent).toHaveLength(1);
    await world.run(90_000);
    expect(world.sent).toHaveLength(1);
    await world.run(MINUTE);
    expect(world.sent).toHaveLength(2);
    expect(world.sent[1]).toEqual(world.sent[0]);
    await acknowledge();
    expect(rows()).toEqual([]);
    await world.run(HOUR);
    expect(world.sent).toHaveLength(2);
    // Late acknowledgements are harmless.
    await acknowledge();
  });

  it("what was lost is sent again while other events go on and on", async () => {
    await want(["call.started"]);
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.idle();
    const [lost] = world.sent.splice(0);
    for (let minute = 0; minute < 5; minute++) {
      await world.push(campaign);
      await world.run(MINUTE);
      await acknowledge();
    }
    const again = world.sent.filter((one) => one.row === lost?.row);
    expect(again.length).toBeGreaterThan(0);
  });

  it("what is acknowledged in time is not sent twice, however much goes on", async () => {
    await want(["call.started"]);
    const campaign = await world.campaign();
    for (let n = 0; n < 20; n++) {
      await world.push(campaign);
      await world.run(30_000);
      await acknowledge();
    }
    expect(new Set(world.sent.map((one) => one.row)).size).toBe(world.sent.length);
  });

  it("no row holds more than a message of a queue may", async () => {
    const campaign = await world.campaign({ startAfter: START + HOUR });
    const address = `${URL_OF_TASK}?${"ä".repeat(1_900)}`;
    const externalId = (n: number) => `${n}${"ü".repeat(190)}`;
    for (let n = 0; n < 120; n++) {
      await world.push(campaign, { statusCallbackUrl: address, externalId: externalId(n) });
    }
    await world.move(campaign, "archive");
    await world.run(MINUTE);
    expect(told()).toHaveLength(120);
    const bytes = world.sent.map((one) => new TextEncoder().encode(JSON.stringify(one)).length);
    expect(Math.max(...bytes)).toBeLessThan(128_000);
  });

  it("a crash before the queue took it loses nothing", async () => {
    await want(["call.started"]);
    world.sendFault = new Error("the queue is away");
    await oneCall();
    expect(world.sent).toEqual([]);
    world.restart();
    world.sendFault = null;
    await world.run(3 * MINUTE);
    expect(types()).toEqual(["call.started"]);
  });

  it("a queue that is away is tried again, and gaps between repetitions grow", async () => {
    await want(["call.started"]);
    world.sendFault = new Error("the queue is away");
    await oneCall();
    await world.run(MINUTE);
    world.sendFault = null;
    await world.run(6_000);
    expect(types()).toEqual(["call.started"]);
    world.sent.splice(0);
    await world.run(4 * HOUR);
    expect(world.sent.length).toBeGreaterThan(4);
    expect(world.sent.length).toBeLessThan(16);
  });

  it("a webhook that is switched off or deleted wants nothing more", async () => {
    await want();
    await world.put("webhook", WEBHOOK, null);
    const { dial } = await oneCall();
    await world.finish(dial, "connected");
    expect(rows()).toEqual([]);
  });

  it("an erasure reaches what an event quotes", async () => {
    await want(["task.archived"]);
    const campaign = await world.campaign({ startAfter: START + HOUR });
    const phone = world.phone();
    const task = await world.push(campaign, { phone, externalId: `lead ${phone}` });
    taken(await world.dialer.moveTask(task.id, "archive"));
    expect(JSON.stringify(rows())).toContain(phone);
    const erased = world.dialer.erase(phone);
    await world.run(3_000);
    await erased;
    expect(JSON.stringify(rows())).not.toContain(phone.slice(4));
  });

  it("numbers grow over restarts", async () => {
    await want(["call.started"]);
    const campaign: CampaignId = await world.campaign();
    for (let n = 0; n < 3; n++) {
      await world.push(campaign);
      await world.idle();
      world.restart();
    }
    await world.run(5_000);
    const numbers = told().map((one) => one.sequence);
    expect(numbers).toHaveLength(3);
    expect(new Set(numbers).size).toBe(3);
  });

  it("moving a campaign costs the same whatever its number of tasks", async () => {
    await want(["campaign.paused"]);
    const campaign = await world.campaign({ startAfter: START + HOUR });
    await world.push(campaign);
    const small = costOf(world, () => world.dialer.moveCampaign(campaign, "pause"));
    await small.reply;
    await world.move(campaign, "resume");
    for (let n = 0; n < 50; n++) await world.push(campaign);
    const large = costOf(world, () => world.dialer.moveCampaign(campaign, "pause"));
    await large.reply;
    expect(large.cost.written).toBe(small.cost.written);
  });
});
