import type { CallNews } from "../carriers/carrier.ts";
import { type Call, findCalls } from "./calls.ts";
import { type Campaign, recordOf } from "./campaign.ts";
import { type PendingEntry, pendingEntries } from "./entries.ts";
import type { LateRow } from "./late.ts";
import { type Standing, stand } from "./records.ts";
import type { State } from "./state.ts";
import { findTasks, type Task, tasksAbove } from "./tasks.ts";
import type { PendingWord } from "./words.ts";

export const SLICE_KINDS = [
  "new tasks",
  "changed tasks",
  "calls",
  "campaigns",
  "suppressions",
  "late",
  "entries",
  "words",
] as const;
export type SliceKind = (typeof SLICE_KINDS)[number];

/** Most rows of a kind in one slice, and about most characters of a parameter, which holds 2 MB. */
export const SLICE_ROWS = 1_000;
const SLICE_CHARS = 500_000;
/** Rows read at a time: their texts may be long. */
const READ_AT_ONCE = 50;
const LATE_ROWS = 25;
const ENTRY_ROWS = 100;
/** Longer than an answer, or a look-up in its stead, takes to tell the carrier's id, ms. */
const UNNAMED_MS = 5 * 60_000;

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
  /** Of the audit log. */
  entries: PendingEntry[];
  /** Words of look-ups that nobody knows. */
  words: PendingWord[];
  /** About how many characters it takes. */
  chars: number;
  /** Rows in it. */
  rows: number;
  /** Whether a kind was cut: there is more. */
  more: boolean;
};

/** Reads what D1 has not heard of, at most `limit` rows of each of these kinds. */
export function readSlice(
  state: State,
  kinds: readonly SliceKind[],
  limit: number,
  now: number,
): Slice {
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
    entries: [],
    words: kinds.includes("words") ? state.changes.words.list(limit) : [],
    chars: 0,
    rows: 0,
    more: false,
  };
  if (kinds.includes("calls")) addCalls(state, slice, limit);
  if (kinds.includes("new tasks")) addNewTasks(state, slice, limit);
  if (kinds.includes("changed tasks")) addChangedTasks(state, slice, limit);
  if (kinds.includes("campaigns")) addCampaigns(state, slice, limit);
  if (kinds.includes("suppressions")) addSuppressions(state, slice, limit);
  if (kinds.includes("late")) addLate(state, slice, Math.min(limit, LATE_ROWS), now);
  if (kinds.includes("entries")) {
    slice.entries = pendingEntries(state, Math.min(limit, ENTRY_ROWS));
    if (slice.entries.length === Math.min(limit, ENTRY_ROWS)) slice.more = true;
  }
  const { tasks, dirty, calls, campaigns, suppressions, late, entries, words } = slice;
  slice.rows =
    Math.max(tasks.size, dirty.length) +
    calls.length +
    campaigns.length +
    suppressions.length +
    late.length +
    entries.length +
    words.length;
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
  for (let at = 0; at < wanted.length; at += READ_AT_ONCE) {
    const calls = findCalls(state.sql, wanted.slice(at, at + READ_AT_ONCE));
    const decided = calls.filter((call) => call.verdict !== null).map((call) => call.task);
    const tasks = new Map(findTasks(state.sql, decided).map((task) => [task.id, task]));
    for (const call of calls) {
      const task = call.verdict === null ? undefined : tasks.get(call.task);
      const chars = charsOfTexts(call) + (task === undefined ? 0 : charsOf(task));
      if (!hasRoom(slice, chars)) return;
      slice.calls.push(call);
      if (task !== undefined) slice.tasks.set(task.id, stand(state, task));
    }
  }
}

/** Takes so many characters of a slice's room, of which one row may always have what it needs. */
function hasRoom(slice: Slice, chars: number): boolean {
  if (slice.chars > 0 && slice.chars + chars > SLICE_CHARS) {
    slice.more = true;
    return false;
  }
  slice.chars += chars;
  return true;
}

/** About what a row takes of a parameter; what is JSON already is quoted once more. */
function charsOf(task: Task): number {
  const { context, consent } = task;
  return 300 + JSON.stringify(JSON.stringify([context, consent])).length;
}

function charsOfTexts(call: Call): number {
  return 500 + JSON.stringify([call.transcript, call.analysis]).length;
}

/** Tasks above the watermark. */
function addNewTasks(state: State, slice: Slice, limit: number): void {
  const fresh = tasksAbove(state.sql, flushedTasks(state), limit);
  if (fresh.length === limit) slice.more = true;
  for (const task of fresh) {
    if (!slice.tasks.has(task.id)) {
      if (!hasRoom(slice, charsOf(task))) return;
      slice.tasks.set(task.id, stand(state, task));
    }
    slice.watermark = task.id;
  }
}

/** Tasks that changed without a call. */
function addChangedTasks(state: State, slice: Slice, limit: number): void {
  const ids = [...state.changes.tasks.keys()];
  if (ids.length > limit) slice.more = true;
  const wanted = ids.slice(0, limit);
  for (let at = 0; at < wanted.length; at += READ_AT_ONCE) {
    const some = wanted.slice(at, at + READ_AT_ONCE);
    const tasks = new Map(findTasks(state.sql, some).map((task) => [task.id, task]));
    for (const id of some) {
      const task = tasks.get(id);
      if (task !== undefined && !slice.tasks.has(id)) {
        if (!hasRoom(slice, charsOf(task))) return;
        slice.tasks.set(id, stand(state, task));
      }
      slice.dirty.push(id);
    }
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

/**
 * News under the carrier's id alone wait while their connection has a call whose id is not known
 * yet: they may be meant for it.
 */
function addLate(state: State, slice: Slice, limit: number, now: number): void {
  type Row = Omit<LateRow, "news"> & { news: string };
  const rows = state.sql.all<Row>(
    `SELECT id, call, connection, carrier_call_id AS carrierCallId, at, news FROM late
     WHERE call IS NOT NULL OR at <= ? OR connection NOT IN (SELECT value FROM json_each(?))
     ORDER BY id LIMIT ?`,
    now - UNNAMED_MS,
    JSON.stringify(state.unnamed.size === 0 ? [] : [...state.ledger.namelessOn()]),
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
