import type { CallNews } from "../carriers/carrier.ts";
import { type Call, findCalls } from "./calls.ts";
import { type Campaign, recordOf } from "./campaign.ts";
import type { LateRow } from "./late.ts";
import { type Standing, stand } from "./records.ts";
import type { State } from "./state.ts";
import { findTasks, tasksAbove } from "./tasks.ts";

export const SLICE_KINDS = [
  "new tasks",
  "changed tasks",
  "calls",
  "campaigns",
  "suppressions",
  "late",
] as const;
export type SliceKind = (typeof SLICE_KINDS)[number];

/** Most rows of a kind in one slice, and most bytes of a parameter. */
export const SLICE_ROWS = 1_000;
const SLICE_BYTES = 1_000_000;
const LATE_ROWS = 25;

/** What one batch tells D1, read at one instant. */
export type Slice = {
  /** The newest change that it holds. */
  mark: number;
  /** Guards D1 against slices that arrive late: each is larger than the one before. */
  version: number;
  /** Tasks that D1 never saw, up to this id; null when there are none. */
  watermark: number | null;
  tasks: Map<number, Standing>;
  /** Those of `changes.tasks` that are in it, and those whose rows are gone. */
  dirty: number[];
  calls: Call[];
  campaigns: Campaign[];
  /** Entries of the do-not-call list that outcomes made, by hash. */
  suppressions: { hash: string; pending: string }[];
  late: LateRow[];
  /** Rows in it. */
  rows: number;
  /** Whether a kind was cut: there is more. */
  more: boolean;
};

/** Reads what D1 has not heard of, at most `limit` rows of each of these kinds. */
export function readSlice(state: State, kinds: readonly SliceKind[], limit: number): Slice {
  const slice: Slice = {
    mark: state.changes.mark,
    version: 0,
    watermark: null,
    tasks: new Map(),
    dirty: [],
    calls: [],
    campaigns: [],
    suppressions: [],
    late: [],
    rows: 0,
    more: false,
  };
  if (kinds.includes("calls")) addCalls(state, slice, limit);
  if (kinds.includes("new tasks")) addNewTasks(state, slice, limit);
  if (kinds.includes("changed tasks")) addChangedTasks(state, slice, limit);
  if (kinds.includes("campaigns")) addCampaigns(state, slice, limit);
  if (kinds.includes("suppressions")) addSuppressions(state, slice, limit);
  if (kinds.includes("late")) addLate(state, slice, Math.min(limit, LATE_ROWS));
  const { tasks, dirty, calls, campaigns, suppressions, late } = slice;
  slice.rows =
    Math.max(tasks.size, dirty.length) +
    calls.length +
    campaigns.length +
    suppressions.length +
    late.length;
  if (slice.rows > 0) slice.version = state.nextId();
  return slice;
}

/** Changed calls but those that the carrier has not taken yet, with the tasks they decided. */
function addCalls(state: State, slice: Slice, limit: number): void {
  const wanted: number[] = [];
  for (const id of state.changes.calls.keys()) {
    const entry = state.ledger.get(id);
    if (entry === null || entry.state === "placing") continue;
    if (wanted.length === limit) {
      slice.more = true;
      break;
    }
    wanted.push(id);
  }
  if (wanted.length === 0) return;
  let bytes = 0;
  const decided = new Set<number>();
  for (const call of findCalls(state.sql, wanted)) {
    bytes += 500 + (call.transcript?.length ?? 0) + (call.analysis?.length ?? 0);
    if (bytes > SLICE_BYTES && slice.calls.length > 0) {
      slice.more = true;
      break;
    }
    slice.calls.push(call);
    if (call.verdict !== null) decided.add(call.task);
  }
  for (const task of findTasks(state.sql, [...decided])) {
    slice.tasks.set(task.id, stand(state, task));
  }
}

/** Tasks above the watermark. */
function addNewTasks(state: State, slice: Slice, limit: number): void {
  const watermark = flushedTasks(state);
  let bytes = 0;
  const fresh = tasksAbove(state.sql, watermark, limit);
  if (fresh.length === limit) slice.more = true;
  for (const task of fresh) {
    bytes += 300 + JSON.stringify(task.context).length;
    if (bytes > SLICE_BYTES && slice.watermark !== null) {
      slice.more = true;
      break;
    }
    slice.tasks.set(task.id, stand(state, task));
    slice.watermark = task.id;
  }
}

/** Tasks that changed without a call. */
function addChangedTasks(state: State, slice: Slice, limit: number): void {
  for (const id of state.changes.tasks.keys()) {
    if (slice.dirty.length === limit || slice.tasks.size > 2 * limit) {
      slice.more = true;
      break;
    }
    slice.dirty.push(id);
  }
  for (const task of findTasks(
    state.sql,
    slice.dirty.filter((id) => !slice.tasks.has(id)),
  )) {
    slice.tasks.set(task.id, stand(state, task));
  }
}

/** The largest id of a task that D1 has seen. */
export function flushedTasks(state: State): number {
  return Number(state.meta("flushed_tasks") ?? 0);
}

function addCampaigns(state: State, slice: Slice, limit: number): void {
  for (const id of state.changes.campaigns.keys()) {
    if (slice.campaigns.length === limit) {
      slice.more = true;
      break;
    }
    const campaign = state.findCampaign(id);
    if (campaign !== null) slice.campaigns.push(campaign);
  }
}

function addSuppressions(state: State, slice: Slice, limit: number): void {
  slice.suppressions = state.sql.all(
    "SELECT hash, pending FROM suppressed WHERE pending IS NOT NULL LIMIT ?",
    limit,
  );
}

function addLate(state: State, slice: Slice, limit: number): void {
  type Row = Omit<LateRow, "news"> & { news: string };
  const rows = state.sql.all<Row>(
    `SELECT id, call, connection, carrier_call_id AS carrierCallId, at, news FROM late
     ORDER BY id LIMIT ?`,
    limit,
  );
  slice.late = rows.map((row) => ({ ...row, news: JSON.parse(row.news) as CallNews }));
  if (rows.length === limit) slice.more = true;
}

/** What D1 keeps of a campaign, as an array in the order of its statement. */
export function campaignValues(state: State, campaign: Campaign): unknown[] {
  const record = recordOf(campaign, state.workspace, null);
  return [
    campaign.id,
    campaign.settings.name,
    campaign.settings.type,
    record.status,
    JSON.stringify(campaign.settings),
    campaign.paused ? 1 : 0,
    campaign.epoch,
    campaign.startsAt,
    campaign.createdAt,
    campaign.startedAt,
    campaign.completedAt,
    campaign.archivedAt,
    JSON.stringify(record.counters),
  ];
}
