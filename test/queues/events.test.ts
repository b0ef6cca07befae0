import { createExecutionContext, createMessageBatch, env, getQueueResult } from "cloudflare:test";
import { beforeEach, describe, expect, inject, it } from "vitest";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { GIVE_UP_MS, type WebhookEvent } from "../../src/core/webhook.ts";
import { database } from "../../src/db/database.ts";
import { deleteDeliveriesBefore, overdueReceivers } from "../../src/db/deliveries.ts";
import { handleEvents, type Shell, shellOf } from "../../src/queues/events.ts";
import type { EventsMessage, TurnMessage } from "../../src/queues/messages.ts";
import { receiverAt } from "../fakes/receiver-at.ts";
import { endedCall, signedReport } from "../support/workerd/report.ts";
import {
  itemsOf,
  type Json,
  made,
  mintCallingWorkspace,
  pausedCampaign,
  poll,
} from "../support/workerd/workspace.ts";

const receiver = receiverAt(inject("receiver"));
const HOUR = 3_600_000;

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
let workspace: Calling;
let paths = 0;

beforeEach(async () => {
  workspace = await mintCallingWorkspace();
});

/** A webhook at a path of its own, whose signatures the receiver checks. */
async function webhook(body: Json = {}) {
  const path = `/${workspace.id}/${++paths}`;
  const url = `${receiver.base}${path}`;
  const events = ["call.started", "call.ended", "call.analyzed", "task.completed"];
  const reply = await workspace.ask("POST /v1/webhooks", {
    body: { name: "CRM", url, events, ...body },
  });
  expect(reply.status, reply.text).toBe(201);
  const { id, secret } = reply.json as { id: string; secret: string };
  await receiver.set(path, { secret });
  return { id, path, url, secret };
}

/** Events as the Dialer would tell them. */
function event(fields: Partial<WebhookEvent> = {}): WebhookEvent {
  const sequence = fields.sequence ?? 1_000_000 + paths++;
  return {
    id: `cal-${sequence}-ended`,
    type: "call.ended",
    at: Date.now() + 5,
    sequence,
    task: 7,
    call: null,
    callback: null,
    only: false,
    data: { call: "cal_a_b", task: "tsk_a_b", outcome: "connected" },
    ...fields,
  };
}

async function consume(
  bodies: (EventsMessage | TurnMessage)[],
  shell: Partial<Shell> = {},
  bindings: Env = env as Env,
) {
  const messages = bodies.map((body, index) => {
    return { id: `m${index}`, timestamp: new Date(), attempts: 1, body };
  });
  const batch = createMessageBatch<EventsMessage | TurnMessage>("outdial-events", messages);
  await handleEvents(batch, bindings, { ...shellOf(env as Env), ...shell });
  return getQueueResult(batch, createExecutionContext());
}

/** The one call of a task, once the carrier has taken it. */
async function callOf(task: string): Promise<string> {
  const reply = await poll(
    () => workspace.ask(`GET /v1/tasks/${task}/calls`),
    (found) => itemsOf(found).some((one) => one.carrierCallId !== null),
  );
  return String(itemsOf(reply)[0]?.id);
}

/** The carrier reports that a call is over. */
async function report(call: string, fields: Json = {}) {
  const sent = await signedReport(
    "call.ended",
    endedCall({ metadata: { callId: call }, ...fields }),
  );
  const reply = await workspace.ask(`POST /reports/${workspace.connection}`, sent);
  expect(reply.status, reply.text).toBeLessThan(300);
}

const message = (...events: WebhookEvent[]): EventsMessage => ({
  workspace: workspace.id as WorkspaceId,
  row: 1,
  events,
});

async function deliveries(of: string, query = ""): Promise<Json[]> {
  const reply = await workspace.ask(`GET /v1/deliveries?webhook=${of}${query}`);
  expect(reply.status, reply.text).toBe(200);
  return itemsOf(reply);
}

describe("from a push to a receiver", () => {
  it("a call's events arrive, signed, in order, and are listed with request and answer", async () => {
    const { id, path } = await webhook();
    const { agent, from } = workspace;
    const campaign = await made(workspace, "campaigns", {
      name: "Leads",
      type: "realtime",
      agent,
      from,
      retries: 0,
    });
    const phone = "+919876500001";
    const task = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone, externalId: "crm-7" },
    });
    await report(await callOf(String(task.json.id)));
    const seen = await receiver.until(path, 3);
    expect(seen.map((one) => one.body.type).slice(0, 2)).toEqual(["call.started", "call.ended"]);
    expect(seen.every((one) => one.signed === true)).toBe(true);
    const sequences = seen.map((one) => one.body.sequence ?? 0);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(seen[0]?.body).toMatchObject({
      version: 1,
      workspace: workspace.id,
      data: { task: task.json.id, campaign, externalId: "crm-7" },
    });
    expect(JSON.stringify(seen)).not.toContain(phone);
    const listed = await poll(
      () => deliveries(id),
      (items) => items.length >= 3,
    );
    expect(listed.every((one) => one.status === "delivered" && one.code === 200)).toBe(true);
    expect(listed.at(-1)).toMatchObject({
      type: "call.started",
      attempts: 1,
      answer: "ok",
      request: { type: "call.started" },
    });
  });

  it("a task's own address hears of it alone, signed by the workspace's secret for these", async () => {
    const campaign = await pausedCampaign(workspace, { paused: false });
    const path = `/${workspace.id}/callback`;
    const { secret } = (await workspace.ask("GET /v1/callbacks")).json;
    await receiver.set(path, { secret });
    const statusCallbackUrl = `${receiver.base}${path}`;
    const body = { campaign, phone: "+919876500001", statusCallbackUrl };
    const task = await workspace.ask("POST /v1/tasks", { body });
    expect(task.json.statusCallbackUrl).toBe(statusCallbackUrl);
    const other = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: "+919876500002" },
    });
    await report(await callOf(String(other.json.id)));
    await report(await callOf(String(task.json.id)));
    const seen = await receiver.until(path, 3);
    expect(seen.every((one) => one.signed === true)).toBe(true);
    expect(new Set(seen.map((one) => one.body.data?.task))).toEqual(new Set([task.json.id]));
    const origins = await poll(
      () => workspace.ask("GET /v1/callbacks"),
      (reply) => itemsOf(reply).length > 0,
    );
    expect(itemsOf(origins)).toEqual([
      { origin: receiver.base, failingSince: null, waiting: null },
    ]);
  });

  it("an address inside of a network is refused with its field", async () => {
    const campaign = await pausedCampaign(workspace);
    const body = { campaign, phone: "+919876500001", statusCallbackUrl: "https://10.0.0.1/x" };
    const reply = await workspace.ask("POST /v1/tasks", { body });
    expect(reply.status).toBe(422);
    expect(reply.json).toMatchObject({
      error: { issues: [{ path: "statusCallbackUrl", got: expect.stringContaining("public") }] },
    });
    const bulk = await workspace.ask("POST /v1/tasks/bulk", {
      body: { tasks: [body, { ...body, statusCallbackUrl: null }] },
    });
    expect(bulk.json).toMatchObject({
      taken: 1,
      items: [{ error: { issues: [{ path: "tasks.0.statusCallbackUrl" }] } }, {}],
    });
  });

  it("the analysis brings what was said only where it was asked for", async () => {
    const plain = await webhook();
    const full = await webhook({ texts: true });
    const guide = await webhook({ shape: "guide" });
    const campaign = await pausedCampaign(workspace, { paused: false, retries: 0 });
    const task = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: "+919876500003" },
    });
    await report(await callOf(String(task.json.id)));
    const analyzed = async (path: string) =>
      poll(
        () => receiver.seen(path),
        (seen) => seen.some((one) => one.body.type === "call.analyzed"),
      );
    const said = (await analyzed(full.path)).find((one) => one.body.type === "call.analyzed");
    expect(said?.body.data?.transcript).toBeInstanceOf(Array);
    const silent = await analyzed(plain.path);
    expect(JSON.stringify(silent)).not.toContain("transcript");
    const words = await poll(
      () => receiver.seen(guide.path),
      (seen) => seen.length >= 2,
    );
    expect(words[0]?.body).toMatchObject({
      event: "callStart",
      callInfo: { to: "+919876500003", attempt: 1, status: "ringing" },
    });
    expect(words.map((one) => one.body.event)).toContain("callEndConnected");
  });
});

describe("a receiver that does not take what comes", () => {
  it("is left aside at its first 503, for as long as it asks, and then gets all of it in order", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 503, headers: { "retry-after": "60" } });
    const events = [1, 2, 3].map((n) => event({ sequence: n }));
    const first = await consume([message(...events)]);
    expect(first.explicitAcks).toEqual(["m0"]);
    expect(await receiver.seen(path)).toHaveLength(1);
    const waiting = await deliveries(id, "&status=waiting");
    expect(waiting.map((one) => one.sequence)).toEqual([3, 2, 1]);
    expect(waiting.map((one) => one.attempts)).toEqual([0, 0, 1]);
    const [{ nextAt }] = waiting as [Json & { nextAt: number }];
    expect(nextAt - Date.now()).toBeGreaterThan(50_000);
    // What happens meanwhile waits, too, without a request.
    await consume([message(event({ sequence: 4 }))]);
    expect(await receiver.seen(path)).toHaveLength(1);

    await receiver.set(path, { status: 200 });
    const turn = { workspace: workspace.id as WorkspaceId, target: id };
    await consume([turn], { now: () => Date.now() + 30_000 });
    expect(await receiver.seen(path)).toHaveLength(1);
    const later = Date.now() + 70_000;
    await consume([turn], { now: () => later, tell: withoutAge() });
    expect((await receiver.seen(path)).slice(1).map((one) => one.body.sequence)).toEqual([
      1, 2, 3, 4,
    ]);
    const [webhookNow] = itemsOf(await workspace.ask("GET /v1/webhooks"));
    expect(webhookNow).toMatchObject({ failingSince: null, waiting: null });
  });

  /** The receiver checks ages by the real clock. */
  function withoutAge(): Shell["tell"] {
    const { tell } = shellOf(env as Env);
    return (to, one) => tell(to, one, Date.now());
  }

  it("refuses one event: the others go on", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 400, times: 1 });
    await consume([message(event({ sequence: 1 }), event({ sequence: 2 }))]);
    const items = await deliveries(id);
    expect(items).toMatchObject([
      { sequence: 2, status: "delivered" },
      { sequence: 1, status: "waiting", code: 400 },
    ]);
  });

  it("is slow or dead: it holds no other up", async () => {
    const dead = await webhook({ url: "http://127.0.0.1:9/dead" });
    const good = await webhook();
    const events = Array.from({ length: 20 }, (_, n) => event({ sequence: n + 1, task: n }));
    await consume([message(...events)]);
    expect(await receiver.seen(good.path)).toHaveLength(20);
    const waiting = await deliveries(dead.id, "&status=waiting&limit=50");
    expect(waiting).toHaveLength(20);
    // As many as were under way when the first failed.
    expect(waiting.filter((one) => Number(one.attempts) > 0).length).toBeLessThanOrEqual(5);
    // However many these were, it is one failure, with the first gap.
    const read = await workspace.ask(`GET /v1/webhooks/${dead.id}`);
    expect(Number(read.json.waiting) - Date.now()).toBeLessThanOrEqual(6_000);
  });

  it("says 410: it is switched off at once, its owners are told, and what waits is given up", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 410 });
    await consume([message(event({ sequence: 1 }), event({ sequence: 2 }))]);
    const read = await workspace.ask(`GET /v1/webhooks/${id}`);
    expect(read.json).toMatchObject({ on: false, off: { reason: expect.stringContaining("410") } });
    const items = await deliveries(id, "&status=failed");
    expect(items.length).toBeGreaterThanOrEqual(1);
    const audit = await workspace.ask("GET /v1/audit?action=webhook.switch_off");
    expect(itemsOf(audit)).toMatchObject([{ target: id, actor: { kind: "outdial" } }]);
  });

  it("fails for three days: each event is given up, and the webhook is switched off", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 500 });
    const at = Date.now() + 5;
    let now = at;
    const shell = { now: () => now, random: () => 0.5 };
    await consume([message(event({ sequence: 1, at }))], shell);
    const turn = { workspace: workspace.id as WorkspaceId, target: id };
    let turns = 0;
    for (; now < at + GIVE_UP_MS + HOUR; turns++) {
      const [row] = await deliveries(id);
      const next = row?.nextAt as number | null;
      if (next === null) break;
      now = next;
      await consume([turn], shell);
    }
    // 5 s, 30 s, 2, 10 and 30 min, 1, 2 and 4 h, then every 8 h.
    expect(turns).toBeGreaterThan(12);
    expect(turns).toBeLessThan(25);
    expect(await deliveries(id)).toMatchObject([{ status: "failed", code: 500, nextAt: null }]);
    const read = await workspace.ask(`GET /v1/webhooks/${id}`);
    expect(read.json).toMatchObject({
      on: false,
      off: { reason: expect.stringContaining("three days") },
    });
  });
});

describe("many at once", () => {
  const told = { status: 200, answer: "", retryAfterMs: null, tookMs: 1 };

  it("messages of several workspaces have five requests out together, and each its share", async () => {
    const own = await webhook({ events: ["call.ended"] });
    const other = await mintCallingWorkspace();
    const reply = await other.ask("POST /v1/webhooks", {
      body: { name: "CRM", url: `${receiver.base}/other`, events: ["call.ended"] },
    });
    expect(reply.status, reply.text).toBe(201);
    for (let n = 0; n < 4; n++) await webhook({ events: ["call.ended"] });
    const events = Array.from({ length: 12 }, (_, n) => event({ sequence: n + 1, task: n }));
    let out = 0;
    let most = 0;
    const order: string[] = [];
    const tell: Shell["tell"] = async ({ url }) => {
      most = Math.max(most, ++out);
      order.push(url);
      await new Promise((resolve) => setTimeout(resolve, 5));
      out -= 1;
      return told;
    };
    const others = { ...message(...events), workspace: other.id as WorkspaceId };
    await consume([message(...events), others], { tell });
    expect(order.filter((url) => url === own.url)).toHaveLength(12);
    expect(order.filter((url) => url.endsWith("/other"))).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(5);
    // Five receivers of one workspace do not come first, one after the other.
    expect(order.lastIndexOf(`${receiver.base}/other`)).toBeLessThan(order.length - 20);
  });

  it("a receiver that fails with much waiting is tried a few times, then left until its time", async () => {
    const { id } = await webhook();
    let now = Date.now() + 5;
    let requests = 0;
    const shell: Partial<Shell> = {
      now: () => now,
      tell: async () => {
        requests += 1;
        return { ...told, status: 503, retryAfterMs: 3_600_000 };
      },
    };
    const events = (from: number) =>
      Array.from({ length: 50 }, (_, n) => event({ sequence: from + n, at: now, task: n }));
    for (let n = 0; n < 6; n++) await consume([message(...events(1_000 + 50 * n))], shell);
    const first = requests;
    now += 3_600_000 + 1_000;
    const turn = { workspace: workspace.id as WorkspaceId, target: id };
    for (let n = 0; n < 4; n++) await consume([turn], shell);
    expect(requests - first).toBeGreaterThan(0);
    expect(requests - first).toBeLessThanOrEqual(3);
  });
});

describe("a task's own address", () => {
  const told = { status: 200, answer: "", retryAfterMs: null, tookMs: 1 };

  it("hears of an analysis that comes after its call has left", async () => {
    const { agent, from } = workspace;
    const campaign = await made(workspace, "campaigns", {
      ...{ name: "Leads", type: "realtime", agent, from, retries: 0 },
    });
    const path = `/${workspace.id}/late`;
    const { json } = await workspace.ask("GET /v1/callbacks");
    await receiver.set(path, { secret: String(json.secret) });
    const task = await workspace.ask("POST /v1/tasks", {
      body: {
        ...{ campaign, phone: "+919876500077" },
        statusCallbackUrl: `${receiver.base}${path}`,
      },
    });
    const call = await callOf(String(task.json.id));
    await report(call);
    await receiver.until(path, 4);
    // It leaves once D1 has it.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await report(call, { analysis: { summary: "Later" } });
    const seen = await receiver.until(path, 5);
    expect(seen[4]?.body).toMatchObject({
      type: "call.analyzed",
      data: { call, task: task.json.id, campaign },
    });
    expect(JSON.stringify(seen)).not.toContain("Later");
  });

  it("costs the same however many other addresses the workspace has", async () => {
    const many = Array.from({ length: 2_000 }, (_, n) => `https://h${n}.example.com`);
    await env.DB.prepare("INSERT INTO receivers SELECT ?1, value, NULL, 0, NULL FROM json_each(?2)")
      .bind(workspace.id, JSON.stringify(many))
      .run();
    let read = 0;
    const batch = async (statements: D1PreparedStatement[]) => {
      const results = await env.DB.batch(statements);
      for (const { meta } of results) read += meta.rows_read;
      return results;
    };
    const db = new Proxy(env.DB, {
      get: (of, name) => {
        if (name === "batch") return batch;
        const value = Reflect.get(of, name);
        return typeof value === "function" ? value.bind(of) : value;
      },
    });
    const events = Array.from({ length: 20 }, (_, n) => {
      const callback = `https://h${n}.example.com/hook`;
      return event({ sequence: n + 1, callback, only: true });
    });
    const tell = async () => told;
    await consume([message(...events)], { tell }, { ...(env as Env), DB: db });
    expect(read).toBeLessThan(500);
  });
});

describe("a webhook that is edited while things wait", () => {
  const turnOf = (id: string) => ({ workspace: workspace.id as WorkspaceId, target: id });
  const told = { status: 200, answer: "", retryAfterMs: null, tookMs: 1 };
  /** The old address answers so, the new one takes everything. */
  const tellOf =
    (old: string, status: number, seen: string[] = []): Shell["tell"] =>
    async ({ url }) => {
      seen.push(url);
      return url === old ? { ...told, status } : told;
    };

  it.each([410, 503])(
    "its old address may answer %i: the new one gets what comes",
    async (status) => {
      const { id, url } = await webhook();
      let now = Date.now() + 5;
      const clock = { now: () => now, random: () => 0.5 };
      const at = now;
      const busy = tellOf(url, 503);
      await consume([message(event({ sequence: 1, at }))], { ...clock, tell: busy });
      const edited = await workspace.ask(`PATCH /v1/webhooks/${id}`, {
        body: { url: `${receiver.base}/new` },
      });
      expect(edited.status, edited.text).toBe(200);
      const seen: string[] = [];
      const tell = tellOf(url, status, seen);
      await consume([message(event({ sequence: 2, at }))], { ...clock, tell });
      expect(seen).toEqual([`${receiver.base}/new`]);
      now += 60_000;
      await consume([turnOf(id)], { ...clock, tell });
      await consume([message(event({ sequence: 3, at }))], { ...clock, tell });
      expect(seen).toEqual([`${receiver.base}/new`, url, `${receiver.base}/new`]);
      const read = await workspace.ask(`GET /v1/webhooks/${id}`);
      expect(read.json).toMatchObject({ on: true, failingSince: null });
    },
  );

  it("a replay goes to its address of now", async () => {
    const { id, url } = await webhook();
    await consume([message(event({ sequence: 1 }))], { tell: tellOf(url, 400) });
    await workspace.ask(`PATCH /v1/webhooks/${id}`, { body: { url: `${receiver.base}/mended` } });
    const replayed = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, sequence: 1 },
    });
    expect(replayed.status, replayed.text).toBe(200);
    const found = await poll(
      () => deliveries(id),
      (items) => items[0]?.url === `${receiver.base}/mended`,
    );
    expect(found[0]?.url).toBe(`${receiver.base}/mended`);
  });
});

describe("two at once", () => {
  const told = { status: 200, answer: "", retryAfterMs: null, tookMs: 1 };

  it("what is replayed during a turn waits for the next one, which comes", async () => {
    const { id } = await webhook();
    let now = Date.now() + 5;
    const clock = { now: () => now, random: () => 0.5 };
    await consume([message(event({ sequence: 1 }))], { ...clock, tell: async () => told });
    await consume([message(event({ sequence: 2 }))], {
      ...clock,
      tell: async () => ({ ...told, status: 400 }),
    });
    now += 60_000;
    const turn = { workspace: workspace.id as WorkspaceId, target: id };
    // Between the turn's look at what waits and its writing: the other delivery of messages.
    const db = new Proxy(env.DB, {
      get: (of, name) => {
        const value = Reflect.get(of, name);
        if (name !== "prepare") return typeof value === "function" ? value.bind(of) : value;
        return (query: string) => {
          if (/into "receivers"|update "receivers"/i.test(query)) {
            return later(of.prepare(query));
          }
          return of.prepare(query);
        };
      },
    });
    let raced = false;
    const race = async () => {
      if (raced) return;
      raced = true;
      await env.DB.batch([
        env.DB.prepare(
          "UPDATE deliveries SET status = 'waiting', next_at = ?3 WHERE workspace = ?1 AND target = ?2 AND sequence = 1",
        ).bind(workspace.id, id, now),
        env.DB.prepare(
          "UPDATE receivers SET due_at = ?3 WHERE workspace = ?1 AND target = ?2",
        ).bind(workspace.id, id, now),
      ]);
    };
    const later = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get: (of, name) => {
          const value = Reflect.get(of, name);
          if (name === "bind") return (...bound: unknown[]) => later(of.bind(...bound));
          if (typeof value !== "function") return value;
          return async (...given: unknown[]) => {
            await race();
            return value.apply(of, given);
          };
        },
      });
    const bindings = { ...(env as Env), DB: db };
    await consume([turn], { ...clock, tell: async () => told }, bindings);
    expect(raced).toBe(true);
    const waiting = await deliveries(id, "&status=waiting");
    expect(waiting).toHaveLength(1);
    const [hook] = itemsOf(await workspace.ask("GET /v1/webhooks"));
    expect(hook?.waiting).toBe(now);
  });
});

describe("at least once", () => {
  it("the same message again sends nothing twice, and is acknowledged", async () => {
    const { path } = await webhook();
    const one = message(event({ sequence: 1 }));
    await consume([one]);
    const again = await consume([one, one]);
    expect(again.explicitAcks).toEqual(["m0", "m1"]);
    expect(await receiver.seen(path)).toHaveLength(1);
  });

  it("D1 or the Dialer away: the message comes back, and the event again under its id", async () => {
    const { path } = await webhook();
    const DIALER = {
      idFromName: () => "",
      get: () => ({
        eventsTold: async () => {
          throw new Error("away");
        },
      }),
    };
    const one = message(event({ sequence: 1 }));
    const away = await consume([one], {}, { ...env, DIALER } as unknown as Env);
    expect(away.retryMessages).toHaveLength(1);
    await consume([one]);
    const seen = await receiver.seen(path);
    expect(new Set(seen.map((each) => each.id)).size).toBe(1);
  });

  it("an event from before the webhook was made is none of its own", async () => {
    const { path } = await webhook();
    await consume([message(event({ sequence: 1, at: Date.now() - HOUR }))]);
    expect(await receiver.seen(path)).toHaveLength(0);
  });

  it("a turn whose message was lost is found by the clock", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 500 });
    await consume([message(event({ sequence: 1 }))]);
    const db = database(env);
    const mine = async (before: number) =>
      (await overdueReceivers(db, before, 1_000)).filter((one) => one.target === id);
    expect(await mine(Date.now())).toEqual([]);
    expect(await mine(Date.now() + HOUR)).toEqual([{ workspace: workspace.id, target: id }]);
  });
});

describe("what an event costs", () => {
  it("one row of D1 each, once its receiver has it", async () => {
    const { path } = await webhook();
    let written = 0;
    const DB = {
      prepare: (query: string) => env.DB.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        const results = await env.DB.batch(statements);
        for (const { meta } of results) written += meta.rows_written;
        return results;
      },
    };
    const bindings = { ...env, DB } as unknown as Env;
    const events = Array.from({ length: 30 }, (_, n) => event({ sequence: n + 1, task: n }));
    await consume([message(...events)], {}, bindings);
    expect(await receiver.seen(path)).toHaveLength(30);
    expect(written).toBe(30);
  });
});

describe("replays and secrets", () => {
  it("a webhook that is off is sent nothing again, and a workspace has twenty at most", async () => {
    const { id, url } = await webhook();
    const events = ["call.ended"];
    for (let n = 1; n < 20; n++) {
      await made(workspace, "webhooks", { name: `Hook ${n}`, url, events });
    }
    const one = await workspace.ask("POST /v1/webhooks", { body: { name: "One", url, events } });
    expect(one.status).toBe(409);
    await workspace.ask(`PATCH /v1/webhooks/${id}`, { body: { on: false } });
    const replayed = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, since: 0 },
    });
    expect(replayed.status).toBe(409);
  });

  it("one is sent again, or what failed since a time, or everything, each under its id", async () => {
    const { id, path } = await webhook();
    await consume([message(...[1, 2, 3].map((n) => event({ sequence: n })))]);
    const one = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, sequence: 2 },
    });
    expect(one.json).toEqual({ replayed: 1, more: false, last: 2 });
    expect((await receiver.until(path, 4)).at(-1)).toMatchObject({ body: { sequence: 2 } });
    await poll(
      () => deliveries(id, "&status=waiting"),
      (items) => items.length === 0,
    );
    const none = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, since: 0 },
    });
    expect(none.json).toEqual({ replayed: 0, more: false, last: null });
    const every = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, since: 0, all: true },
    });
    expect(every.json).toEqual({ replayed: 3, more: false, last: 3 });
    const seen = await receiver.until(path, 7);
    expect(new Set(seen.map((each) => each.id)).size).toBe(3);
    const nothing = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, sequence: 99 },
    });
    expect(nothing.status).toBe(404);
    const audit = await workspace.ask("GET /v1/audit?action=webhook.replay");
    expect(itemsOf(audit)).toHaveLength(2);
  });

  it("a replay goes on after the last one that went out again", async () => {
    const { id, path } = await webhook();
    await consume([message(...[1, 2, 3].map((n) => event({ sequence: n })))]);
    const rest = await workspace.ask("POST /v1/deliveries/replay", {
      body: { webhook: id, since: 0, all: true, after: 1 },
    });
    expect(rest.json).toEqual({ replayed: 2, more: false, last: 3 });
    const seen = await receiver.until(path, 5);
    expect(seen.slice(3).map((each) => each.body.sequence)).toEqual([2, 3]);
  });

  it("one that is switched on again has three days anew", async () => {
    const { id, path } = await webhook();
    await receiver.set(path, { status: 500 });
    const fails = async (n: number, at: number) => {
      await consume([message(event({ sequence: n, at }))], { now: () => at });
      return (await workspace.ask(`GET /v1/webhooks/${id}`)).json;
    };
    const now = Date.now() + 5;
    expect(await fails(1, now)).toMatchObject({ on: true, failingSince: now });
    expect(await fails(2, now + GIVE_UP_MS)).toMatchObject({ on: false });
    const on = await workspace.ask(`PATCH /v1/webhooks/${id}`, { body: { on: true } });
    expect(on.json).toMatchObject({ on: true, off: null, failingSince: null });
    expect(await fails(3, now + GIVE_UP_MS + HOUR)).toMatchObject({ on: true });
  });

  it("a roll signs with both secrets for a day, then with the new one alone", async () => {
    const { id, path, secret } = await webhook();
    const rolled = await workspace.ask(`POST /v1/webhooks/${id}/roll`);
    expect(rolled.json.secret).not.toBe(secret);
    await consume([message(event({ sequence: 1 }))]);
    expect(await receiver.seen(path)).toMatchObject([{ signed: true, signatures: 2 }]);
    await receiver.set(path, { secret: rolled.json.secret });
    await consume([message(event({ sequence: 2 }))]);
    const DAY = 24 * HOUR + 1_000;
    const { tell } = shellOf(env as Env);
    await consume([message(event({ sequence: 3 }))], {
      now: () => Date.now() + DAY,
      tell: (to, told) => tell(to, told, Date.now()),
    });
    expect((await receiver.seen(path)).slice(1)).toMatchObject([
      { signed: true, signatures: 2 },
      { signed: true, signatures: 1 },
    ]);
  });

  it("a test after a roll is signed by both secrets, too", async () => {
    const { id, path } = await webhook();
    await workspace.ask(`POST /v1/webhooks/${id}/roll`);
    await workspace.ask(`POST /v1/webhooks/${id}/test`);
    expect(await receiver.seen(path)).toMatchObject([{ signed: true, signatures: 2 }]);
  });

  it("an origin that no task has named is none, and does not become one", async () => {
    const origin = "https://nobody.example.com";
    const list = await workspace.ask(`GET /v1/deliveries?origin=${origin}`);
    const body = { origin, since: 0 };
    const replay = await workspace.ask("POST /v1/deliveries/replay", { body });
    expect([list.status, replay.status]).toEqual([404, 404]);
    expect(itemsOf(await workspace.ask("GET /v1/callbacks"))).toEqual([]);
  });

  it("a test says how the receiver answers, and leaves nothing behind", async () => {
    const { id, path, url } = await webhook();
    const good = await workspace.ask(`POST /v1/webhooks/${id}/test`);
    expect(good.json).toMatchObject({ works: true, code: 200, said: "ok" });
    expect(await receiver.seen(path)).toMatchObject([
      { signed: true, body: { type: "webhook.test" } },
    ]);
    await receiver.set(path, { status: 500, text: "call +919876543210" });
    const bad = await workspace.ask(`POST /v1/webhooks/${id}/test`);
    expect(bad.json).toMatchObject({ works: false, code: 500 });
    expect(bad.text).not.toContain("9876543210");
    expect(await deliveries(id)).toEqual([]);
    const elsewhere = await workspace.ask(`PATCH /v1/webhooks/${id}`, {
      body: { url: "http://169.254.169.254/" },
    });
    expect(elsewhere.status).toBe(422);
    const kept = await workspace.ask(`GET /v1/webhooks/${id}`);
    expect(kept.json).toMatchObject({ url });
    expect(kept.text).not.toContain("whsec_");
  });
});

describe("what is kept of deliveries", () => {
  it("leaves after its time, and with the erasure of who it tells of", async () => {
    const { id } = await webhook({ events: ["task.archived"] });
    const campaign = await pausedCampaign(workspace);
    const phone = "+919876512345";
    const task = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone, externalId: `lead-${phone}` },
    });
    await workspace.ask(`POST /v1/tasks/${task.json.id}/archive`);
    await poll(
      () => deliveries(id),
      (items) => items.length === 1,
    );
    expect(JSON.stringify(await deliveries(id))).toContain(phone);
    const erased = await workspace.ask("POST /v1/erasures", { body: { phone } });
    expect(erased.status, erased.text).toBe(200);
    expect(JSON.stringify(await deliveries(id))).not.toContain("9876512345");

    const db = database(env);
    const owner = workspace.id as WorkspaceId;
    await deleteDeliveriesBefore(db, owner, Date.now() - HOUR, 100);
    expect(await deliveries(id)).toHaveLength(1);
    await deleteDeliveriesBefore(db, owner, Date.now() + HOUR, 100);
    expect(await deliveries(id)).toEqual([]);
  });

  it("leaves in few statements, however many addresses there were, and as fast as it came", async () => {
    const owner = workspace.id as WorkspaceId;
    const origins = Array.from({ length: 1_200 }, (_, n) => `https://h${n}.example.com`);
    const { id } = await webhook();
    const fill = env.DB.prepare(
      `INSERT INTO deliveries (workspace, target, sequence, event, type, url, body, status, attempts, created_at, since)
       SELECT ?1, ?2, value, 'e', 'call.ended', 'https://h0.example.com', '{}', 'delivered', 1, 1000, 1000 FROM json_each(?3)`,
    );
    const numbers = JSON.stringify(Array.from({ length: 1_500 }, (_, n) => n + 1));
    await env.DB.batch([
      env.DB.prepare(
        "INSERT INTO receivers SELECT ?1, value, NULL, 0, NULL FROM json_each(?2)",
      ).bind(owner, JSON.stringify(origins)),
      fill.bind(owner, id, numbers),
      fill.bind(owner, "https://h0.example.com", "[1,2]"),
    ]);
    let statements = 0;
    const counting = new Proxy(env.DB, {
      get: (on, name) => {
        if (name === "prepare") statements += 1;
        const value = Reflect.get(on, name);
        return typeof value === "function" ? value.bind(on) : value;
      },
    });
    const db = database({ ...(env as Env), DB: counting });
    await deleteDeliveriesBefore(db, owner, Date.now() - HOUR, 100);
    expect(statements).toBeLessThan(50);
    expect(await deliveries(id)).toEqual([]);
    const { json } = await workspace.ask("GET /v1/callbacks");
    expect(json.items).toEqual([]);
  });
});
