import { rateOf, until } from "./load.ts";
import {
  campaign,
  csvOf,
  importCsv,
  phoneOf,
  type Scene,
  tasksOf,
  type Workspace,
} from "./scene.ts";
import { percentile } from "./spread.ts";
import { openViewers } from "./viewers.ts";

type Dial = {
  n: number;
  tick: number;
  callId: string | null;
  to: string;
  endedTick: number | null;
};

/** Imports so many rows into a paused batch; ms from the upload to all tasks durable. */
export async function measureImport(scene: Scene, rows: number): Promise<number> {
  const workspace = await scene.workspace(10);
  const id = await campaign(workspace, "batch", { paused: true });
  const ms = await importCsv(workspace, id, csvOf(rows));
  const { paused } = await tasksOf(workspace, id);
  if (paused !== rows) throw new Error(`${paused} of ${rows} rows are there`);
  workspace.client.close();
  return ms;
}

/** Pushes 5,000 tasks in requests of 500, ms. */
export async function measureBulk(scene: Scene): Promise<number> {
  const workspace = await scene.workspace(10);
  const id = await campaign(workspace, "realtime", { paused: true });
  const bodies = Array.from({ length: 10 }, (_, part) => {
    const tasks = Array.from({ length: 500 }, (_, n) => pushOf(id, part * 500 + n));
    return JSON.stringify({ tasks });
  });
  const from = performance.now();
  await Promise.all(bodies.map((body) => workspace.client.json({ path: "/v1/tasks/bulk", body })));
  const ms = performance.now() - from;
  workspace.client.close();
  return ms;
}

function pushOf(campaignId: string, n: number, more: Record<string, unknown> = {}) {
  return { campaign: campaignId, phone: phoneOf(n), context: { name: `Asha ${n}` }, ...more };
}

/** Single pushes over 32 connections into one workspace, per second. */
export async function measurePushes(scene: Scene, count: number): Promise<number> {
  const workspace = await scene.workspace(10);
  const id = await campaign(workspace, "realtime", { paused: true });
  const rate = await rateOf(32, count, (n) =>
    workspace.client.json({ path: "/v1/tasks", body: JSON.stringify(pushOf(id, n)) }),
  );
  workspace.client.close();
  return rate;
}

export type Load = "idle" | "busy" | "later";

/** From sending a push to the carrier being asked, ms: the median of many, one after the other. */
export async function measureRing(scene: Scene, load: Load, pushes: number): Promise<number[]> {
  await scene.carrier.json({ path: "/_/reset", body: "{}" });
  const busy = load === "busy";
  const settings = busy
    ? { ringMs: 20, talkMs: 180, analysisMs: 50, reports: "end" }
    : { ringMs: 5, talkMs: 5, analysisMs: 1, reports: "end" };
  const workspace = await scene.workspace(10, settings);
  if (busy) {
    const batch = await campaign(workspace, "batch");
    await importCsv(workspace, batch, csvOf(1_000 + pushes * 60, 500_000));
  }
  if (load === "later") {
    const batch = await campaign(workspace, "batch", { startAfter: Date.now() + 3_600_000 });
    await importCsv(workspace, batch, csvOf(100_000, 500_000));
    await untilStored(workspace, batch, phoneOf(599_999));
  }
  const id = await campaign(workspace, "realtime", { priority: "high" });
  const times: number[] = [];
  const { ringOf } = await ear(scene);
  for (let n = 0; n < pushes; n++) {
    const body = JSON.stringify(pushOf(id, n));
    times.push(await ringOf(phoneOf(n), () => workspace.client.json({ path: "/v1/tasks", body })));
  }
  // What is not due for an hour is left where it is: its way out would be measured next.
  if (load === "busy") await archiveAll(workspace);
  else workspace.client.close();
  return times;
}

/**
 * The same by a form's post, and by the API in turn, so that both meet the same machine; ms. Each post
 * comes from another address, as visitors do.
 */
export async function measureForm(
  scene: Scene,
  pushes: number,
): Promise<{ form: number[]; api: number[] }> {
  await scene.carrier.json({ path: "/_/reset", body: "{}" });
  const settings = { ringMs: 5, talkMs: 5, analysisMs: 1, reports: "end" };
  const workspace = await scene.workspace(10, settings);
  const { client } = workspace;
  const campaignId = await campaign(workspace, "realtime", { priority: "high" });
  const origin = "https://www.example.com";
  const form = await workspace.make("forms", {
    name: "Bench",
    campaign: campaignId,
    consentText: "You may call me.",
    fields: [{ name: "name", label: "Your name" }],
    origins: [origin],
    country: "IN",
    hourMax: 10_000,
  });
  const times = { form: [] as number[], api: [] as number[] };
  const { ringOf } = await ear(scene);
  for (let n = 0; n < pushes; n++) {
    const phone = phoneOf(n);
    const body = JSON.stringify({ phone, consent: "1", name: `Asha ${n}` });
    const headers = { origin, "cf-connecting-ip": `203.0.${Math.floor(n / 250)}.${n % 250}` };
    times.form.push(await ringOf(phone, () => client.json({ path: `/f/${form}`, body, headers })));
    const next = phoneOf(pushes + n);
    const push = JSON.stringify(pushOf(campaignId, pushes + n));
    times.api.push(await ringOf(next, () => client.json({ path: "/v1/tasks", body: push })));
  }
  client.close();
  return times;
}

/** Hears when the carrier is asked to dial. */
async function ear(scene: Scene) {
  const { tickOrigin } = await scene.carrier.json<{ tickOrigin: number }>({ path: "/_/stats" });
  let since = (await dialsSince(scene, 0)).length;
  /** From sending something to the dial of this number that it leads to, ms. */
  const ringOf = async (phone: string, send: () => Promise<unknown>): Promise<number> => {
    const sent = performance.timeOrigin + performance.now();
    await send();
    const found = await until(
      async () => (await dialsSince(scene, since)).find((dial) => dial.to === phone) ?? null,
      (dial) => dial !== null,
    );
    if (found === null) throw new Error("bug: a dial that is none");
    since = found.n;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return tickOrigin + found.tick - sent;
  };
  return { ringOf };
}

/** Until D1 knows the last row: locally its writing shares one thread with what is measured. */
async function untilStored({ client }: Workspace, id: string, phone: string): Promise<void> {
  const path = `/v1/campaigns/${id}/tasks?phone=${encodeURIComponent(phone)}`;
  await until(
    () => client.json<{ items: unknown[] }>({ path }),
    ({ items }) => items.length === 1,
    250,
  );
}

async function archiveAll(workspace: Workspace): Promise<void> {
  const { items } = await workspace.client.json<{ items: { id: string; status: string }[] }>({
    path: "/v1/campaigns",
  });
  for (const { id, status } of items) {
    if (status === "completed" || status === "archived") continue;
    await workspace.client.json({ path: `/v1/campaigns/${id}/archive`, body: "" });
  }
  workspace.client.close();
}

async function dialsSince(scene: Scene, since: number): Promise<Dial[]> {
  const all: Dial[] = [];
  for (let next = since; ; ) {
    const page = await scene.carrier.json<{ dials: Dial[]; next: number }>({
      path: `/_/dials?since=${next}`,
    });
    all.push(...page.dials);
    if (page.dials.length === 0) return all;
    next = page.next;
  }
}

export type Run = {
  /** Share of the slots that were in use, as the carrier saw it. */
  use: number;
  callsPerSecond: number;
  /** From the end of a call to the next dial, ms. */
  turnaroundP50: number;
  turnaroundP99: number;
  inFlightMax: number;
  repeated: number;
  /** What one viewer heard a second. */
  messagesPerSecond: number;
};

/**
 * A batch of so many calls over 100 slots, each call of so many ms, while so many people watch it
 * over live sockets.
 */
export async function measureRun(
  scene: Scene,
  calls: number,
  callMs: number,
  viewers = 0,
): Promise<Run> {
  await scene.carrier.json({ path: "/_/reset", body: "{}" });
  const slots = 100;
  const workspace = await scene.workspace(slots, {
    ringMs: 0,
    talkMs: callMs,
    analysisMs: 0,
    reports: "end",
  });
  const id = await campaign(workspace, "batch", { paused: viewers > 0 });
  await importCsv(workspace, id, csvOf(calls));
  const watching = viewers > 0 ? await openViewers(workspace, id, viewers) : null;
  const from = performance.now();
  if (watching !== null) {
    await watching.heard();
    await workspace.client.json({ path: `/v1/campaigns/${id}/resume`, body: "" });
  }
  await until(
    () => tasksOf(workspace, id),
    ({ completed }) => completed === calls,
    50,
  );
  const watchedS = (performance.now() - from) / 1_000;
  const messages = (await watching?.heard()) ?? 0;
  await watching?.close();
  const stats = await scene.carrier.json<{
    busyMs: number;
    spanMs: number;
    inFlightMax: number;
    repeated: number;
    accepted: number;
  }>({ path: "/_/stats" });
  const dials = await dialsSince(scene, 0);
  const ends = dials.flatMap((dial) => dial.endedTick ?? []).sort((a, b) => a - b);
  const gaps = dials.slice(slots).map((dial, n) => dial.tick - (ends[n] ?? dial.tick));
  workspace.client.close();
  return {
    use: stats.busyMs / stats.spanMs / slots,
    callsPerSecond: calls / (stats.spanMs / 1_000),
    turnaroundP50: percentile(gaps, 50),
    turnaroundP99: percentile(gaps, 99),
    inFlightMax: stats.inFlightMax,
    repeated: stats.repeated,
    messagesPerSecond: viewers === 0 ? 0 : messages / viewers / watchedS,
  };
}

export type Cost = {
  calls: number;
  requests: number;
  rowsRead: number;
  rowsWritten: number;
  d1RowsRead: number;
  d1RowsWritten: number;
  messages: number;
  /** Told to a webhook, and the messages that carried them. */
  events: number;
  eventMessages: number;
};

/** What one finished call of a batch costs, counted: a Worker that was started with COUNTS. */
export async function measureCost(
  scene: Scene,
  calls: number,
  reports: "all" | "end",
  hook: string | null = null,
): Promise<Cost> {
  await scene.carrier.json({ path: "/_/reset", body: "{}" });
  const settings = { ringMs: 20, talkMs: 80, analysisMs: 20, reports };
  const workspace = await scene.workspace(20, settings);
  if (hook !== null) {
    const events = ["call.started", "call.ended", "call.analyzed", "task.completed"];
    await workspace.make("webhooks", { name: "CRM", url: hook, events });
  }
  const id = await campaign(workspace, "batch");
  await importCsv(workspace, id, csvOf(calls));
  await until(
    () => tasksOf(workspace, id),
    ({ completed }) => completed === calls,
    50,
  );
  // Two flushes later the object has said what everything cost.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const counts = scene.counts.get(workspace.id);
  if (counts === undefined) throw new Error("the object counts nothing");
  const told = await scene.carrier.json<{ reports: { delivered: number } }>({
    path: "/_/stats",
  });
  workspace.client.close();
  const each = (n: number) => n / calls;
  return {
    calls,
    requests: each(counts.requests),
    rowsRead: each(counts.rowsRead),
    rowsWritten: each(counts.rowsWritten),
    d1RowsRead: each(counts.d1RowsRead),
    d1RowsWritten: each(counts.d1RowsWritten),
    messages: each(told.reports.delivered),
    events: each(counts.events),
    eventMessages: each(counts.eventMessages),
  };
}
