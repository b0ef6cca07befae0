import type { Campaign } from "../contract/campaign.ts";
import type { CampaignRecord } from "../core/campaign.ts";
import type { AgentId, NumberId, WorkspaceId } from "../core/ids.ts";
import { sampleTask } from "../core/task-body.ts";
import { hoursWire } from "../core/time.ts";
import { dayNames } from "../core/window.ts";
import { listAgents } from "../db/agents.ts";
import { database } from "../db/database.ts";
import { numbersOn } from "../db/numbers.ts";
import { readWorkspaceRow } from "../db/workspaces.ts";
import { logFault } from "../shell/faults.ts";
import { phonesFor } from "./phones.ts";

/** Campaigns as replies carry them: numbers as E.164, realtime ones with `sampleTask` (H3). */
export async function campaignsWire(
  env: Env,
  workspace: WorkspaceId,
  records: CampaignRecord[],
): Promise<Campaign[]> {
  const lacks = ({ settings }: CampaignRecord) =>
    settings.type === "realtime" && (settings.agent === null || settings.from === null);
  const fallback = records.some(lacks) ? await defaultPair(env, workspace) : NO_PAIR;
  const ids = records.map((record) => record.settings.from);
  const phones = await phonesFor(env, workspace, [...ids, fallback.from]);
  return records.map((record) => campaignWire(record, phones, fallback));
}

export async function oneCampaignWire(
  env: Env,
  workspace: WorkspaceId,
  record: CampaignRecord,
): Promise<Campaign> {
  const [wire] = await campaignsWire(env, workspace, [record]);
  if (wire === undefined) throw new Error("bug: a campaign without its wire form");
  return wire;
}

type Pair = { agent: AgentId | null; from: NumberId | null };
const NO_PAIR: Pair = { agent: null, from: null };

function campaignWire(
  record: CampaignRecord,
  phones: Map<NumberId, string>,
  fallback: Pair,
): Campaign {
  const { settings } = record;
  const from = settings.from === null ? null : (phones.get(settings.from) ?? null);
  const wire: Campaign = {
    id: record.id,
    name: settings.name,
    type: settings.type,
    status: record.status,
    agent: settings.agent,
    from,
    fromId: settings.from,
    priority: settings.band,
    timezone: settings.timezone,
    startAfter: settings.startAfter,
    endAfter: settings.endAfter,
    ...hoursWire(settings.hours),
    days: dayNames(settings.days),
    retries: settings.attemptsMax - 1,
    maxAttempts: settings.attemptsMax,
    intervals: settings.intervalsMs,
    retryOutcomes: settings.retryOutcomes,
    slots: settings.slotsMax,
    counters: record.counters,
    waiting: record.waiting,
    startsAt: record.startsAt,
    createdAt: record.createdAt,
    startedAt: record.startedAt,
    completedAt: record.completedAt,
    archivedAt: record.archivedAt,
  };
  if (settings.type !== "realtime") return wire;
  const fallbackPhone = fallback.from === null ? null : (phones.get(fallback.from) ?? null);
  const own = settings.agent !== null && settings.from !== null;
  const sample = own
    ? sampleTask(record, settings.agent, from)
    : sampleTask(record, settings.agent ?? fallback.agent, from ?? fallbackPhone);
  return { ...wire, sampleTask: sample as Record<string, unknown> };
}

/** An agent of the workspace and a number on its connection, to show in a sample (H3). */
async function defaultPair(env: Env, workspace: WorkspaceId): Promise<Pair> {
  try {
    const db = database(env);
    const row = await readWorkspaceRow(db, workspace);
    const { items } = await listAgents(db, workspace, { limit: 200, after: null });
    const agent = items.find((one) => one.id === row?.agent) ?? items[0];
    if (agent === undefined) return NO_PAIR;
    const connection = agent.connection as Parameters<typeof numbersOn>[2];
    const numbers = await numbersOn(db, workspace, connection);
    const number = numbers.find((one) => one.id === row?.from) ?? numbers[0];
    return { agent: agent.id as AgentId, from: (number?.id ?? null) as NumberId | null };
  } catch (error) {
    logFault("sample", error, { workspace });
    return NO_PAIR;
  }
}
