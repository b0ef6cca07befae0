import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Campaign } from "../src/contract/campaign.ts";
import type { Import } from "../src/contract/import.ts";
import type { Client } from "./client.ts";

const FILE = join(import.meta.dirname, "demo", "orders.csv");
const FROM = "+918047112233";
/** A row of the file that is on the do-not-call list. */
const SUPPRESSED = "+447700900999";
const SECOND_MS = 1_000;

/** The other workspace, which shares nothing with the first but the deployment. */
export const OTHER_WORKSPACE = { name: "Harbour Cycles", slots: 2 };
const OTHER_FROM = "+442079460123";
const OTHER_TO = "+442079460456";

/** A workspace's name, slots and calling hours: all day, so that it shows something at any time. */
export const WORKSPACE = {
  name: "Lotus Kitchenware",
  slots: 10,
  timezone: "Asia/Kolkata",
  start: 0,
  end: 2400,
};

const AGENT = {
  name: "Asha",
  carrierAgentId: "asha",
  prompt:
    // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
    "Hello ${name}, this is Asha from Lotus Kitchenware. I am calling about order ${orderId}.",
  outcomes: [{ name: "interested" }, { name: "not_interested" }],
  usesCallback: true,
  // Whoever is called answers, unless the number says otherwise (docs/simulator.md).
  settings: { ringMs: [400, 1_200], talkMs: [1_500, 4_000], analysisMs: 800 },
};

export type CarrierAccount = { baseUrl: string; apiKey: string; reportSecret: string };
type Made = { id: string };
type Page<T> = { items: T[] };

/**
 * Makes what the demo needs, and only what is missing: a start that was cut short anywhere is made
 * whole by the next one.
 */
export async function makeDemo(api: Client, account: CarrierAccount, say: (line: string) => void) {
  const connection = await ensure(api, "connections", {
    name: "Simulated carrier",
    carrier: "simulator",
    settings: account,
    lengthMaxMs: 60 * SECOND_MS,
  });
  const agent = await ensure(api, "agents", { ...AGENT, connection });
  const numbers = await api.get<Page<{ phone: string }>>("/v1/numbers?limit=200");
  if (!numbers.items.some((one) => one.phone === FROM)) {
    await api.post("/v1/numbers", { phone: FROM, connection });
  }
  await api.patch("/v1/workspace", { agent, from: FROM });
  await api.post("/v1/suppressions", { phone: SUPPRESSED, reason: "asked not to be called" });
  const realtimeCampaign = await ensure(api, "campaigns", {
    name: "Website leads",
    type: "realtime",
    priority: "high",
    agent,
    from: FROM,
    retries: 1,
    intervals: 5 * SECOND_MS,
  });
  const batchCampaign = await ensure(api, "campaigns", {
    name: "November orders",
    type: "batch",
    agent,
    from: FROM,
    retries: 2,
    intervals: [5 * SECOND_MS, 8 * SECOND_MS],
    retryOutcomes: ["voicemail", "no_response"],
  });
  await importOrders(api, batchCampaign, say);
  return { agent, from: FROM, realtimeCampaign, batchCampaign };
}

/** Another workspace with a campaign, a task and its call; makes only what is missing. */
export async function makeOther(api: Client, account: CarrierAccount) {
  const connection = await ensure(api, "connections", {
    name: "Simulated carrier",
    carrier: "simulator",
    settings: account,
  });
  const agent = await ensure(api, "agents", { ...AGENT, connection });
  const numbers = await api.get<Page<{ phone: string }>>("/v1/numbers?limit=200");
  if (!numbers.items.some((one) => one.phone === OTHER_FROM)) {
    await api.post("/v1/numbers", { phone: OTHER_FROM, connection });
  }
  const campaign = await ensure(api, "campaigns", {
    name: "Feedback",
    type: "realtime",
    agent,
    from: OTHER_FROM,
  });
  const lead = { campaign, phone: OTHER_TO, externalId: "first", context: { name: "Tomas" } };
  const task = await api.post<Made>("/v1/tasks", lead);
  const path = `/v1/tasks/${task.id}/calls`;
  let calls = await api.get<Page<Made>>(path);
  while (calls.items.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    calls = await api.get<Page<Made>>(path);
  }
  return { campaign, task: task.id, call: calls.items[0]?.id ?? "" };
}

/** Name of the form that `/demo/form` shows. */
export const DEMO_FORM = "Call me back";

/** The form of the demo's page; whatever port it runs at now may post to it. */
export async function makeForm(api: Client, campaign: string, url: string): Promise<void> {
  const { port } = new URL(url);
  const origins = [url, `http://localhost:${port}`];
  const form = await ensure(api, "forms", {
    name: DEMO_FORM,
    campaign,
    consentText: "Lotus Kitchenware may call me about its pans.",
    fields: [
      { name: "name", label: "Your name", required: true },
      { name: "orderId", label: "Order number, if you have one" },
    ],
    country: "IN",
    // Whoever tries it out tries it twice.
    repeatMs: 60 * SECOND_MS,
    numberMax: 100,
    origins,
  });
  await api.patch(`/v1/forms/${form}`, { origins });
}

/** Tells the connection where its carrier is now. */
export async function plugIn(api: Client, agent: string, account: CarrierAccount): Promise<void> {
  const { connection } = await api.get<{ connection: string }>(`/v1/agents/${agent}`);
  await api.patch(`/v1/connections/${connection}`, { settings: account });
}

/** The id of the thing of this name, made now if there is none. */
async function ensure(
  api: Client,
  noun: string,
  body: { name: string } & Record<string, unknown>,
): Promise<string> {
  const { items } = await api.get<Page<Made & { name: string }>>(`/v1/${noun}?limit=200`);
  const known = items.find((one) => one.name === body.name);
  return known?.id ?? (await api.post<Made>(`/v1/${noun}`, body)).id;
}

async function importOrders(
  api: Client,
  campaign: string,
  say: (line: string) => void,
): Promise<void> {
  const path = `/v1/campaigns/${campaign}/imports`;
  const { items } = await api.get<Page<Import>>(path);
  let file = items[0] ?? (await api.postCsv<Import>(path, readFileSync(FILE, "utf8")));
  while (file.status === "running") {
    await new Promise((resolve) => setTimeout(resolve, 100));
    file = await api.get<Import>(`${path}/${file.id}`);
  }
  if (file.status === "failed") throw new Error(`The import failed: ${file.note}`);
  say(`Imported scripts/demo/orders.csv: ${describeImport(file)}.`);
}

export function describeImport(file: Import): string {
  const reasons = Object.entries(file.rejected).map(([reason, count]) => `${reason} ${count}`);
  const rejected = reasons.length === 0 ? "none rejected" : `rejected: ${reasons.join(", ")}`;
  return `${file.rows} rows, ${file.rowsTaken} taken, ${rejected}`;
}

/** A batch that is over, in one sentence that accounts for every row. */
export function describeEnd(batch: Campaign, files: readonly Import[]): string {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const rejected = files.reduce((sum, file) => sum + file.rejectedCount, 0);
  const { completed, archived } = batch.counters;
  const open = rows - completed - archived - rejected;
  const rest = open === 0 ? "" : `, ${open} unaccounted for`;
  return `${batch.name} is ${batch.status}: ${rows} rows = ${completed} completed + ${archived} archived + ${rejected} rejected${rest}.`;
}
