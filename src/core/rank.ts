import { BANDS, type Band, type CampaignType } from "./campaign.ts";

/** The largest priority inside a band (H24). */
export const PRIORITY_MAX = 10_000;

/** Where a due task stands (H24). `start` is epoch ms; `tiebreak` is drawn once per task. */
export type Rank = {
  callback: boolean;
  band: Band;
  /** Whole, 0–10,000; larger first. */
  priority: number;
  start: number;
  tiebreak: number;
  /** The task's integer key: makes the order total. */
  task: number;
};

/**
 * H24: negative when `a` is dialled before `b`. Callbacks first, then the campaign's band, the
 * larger priority, the earlier start, the smaller tiebreak; equal only for the same task.
 */
export function compareRank(a: Rank, b: Rank): number {
  if (a.callback !== b.callback) return a.callback ? -1 : 1;
  if (a.band !== b.band) return BANDS.indexOf(a.band) - BANDS.indexOf(b.band);
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.start !== b.start) return a.start - b.start;
  if (a.tiebreak !== b.tiebreak) return a.tiebreak - b.tiebreak;
  return a.task - b.task;
}

/** Priority of a batch's attempt n: every first attempt before any second (H25). */
export function batchPriority(attempt: number): number {
  return Math.max(0, 101 - attempt);
}

/** Priority of a push's attempt n without numbers of its own: before every batch attempt (H17). */
export function realtimePriority(attempt: number): number {
  return Math.max(0, 201 - attempt);
}

/** Priority of attempt n; a task's own list that is too short repeats its last (H17, H25). */
export function priorityOf(
  type: CampaignType,
  own: readonly number[] | null,
  attempt: number,
): number {
  if (type === "batch") return batchPriority(attempt);
  return own?.[attempt - 1] ?? own?.at(-1) ?? realtimePriority(attempt);
}

/** The nearest whole number in 0–10,000, and whether that differs from `n` (H24). */
export function roundPriority(n: number): { priority: number; changed: boolean } {
  const priority = Math.min(PRIORITY_MAX, Math.max(0, Math.round(n)));
  return { priority, changed: priority !== n };
}
