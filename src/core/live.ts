import type { CallStatus } from "./call.ts";
import type { CampaignStatus, Counters, Waiting } from "./campaign.ts";
import type { CallId, CampaignId, TaskId } from "./ids.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskStatus } from "./task.ts";

/** What somebody looks at: a campaign whose calls come and go, and tasks on the screen. */
export type Watch = { campaign: CampaignId | null; tasks: TaskId[] };

/** Tasks that one viewer may watch. */
export const WATCHED_TASKS_MAX = 200;

export type LiveCampaign = {
  id: CampaignId;
  status: CampaignStatus;
  counters: Counters;
  waiting: Waiting | null;
};
export type LiveTask = {
  id: TaskId;
  status: TaskStatus;
  attempts: number;
  lastOutcome: Outcome | null;
  dueAt: number | null;
  endedAt: number | null;
  waiting: Waiting | null;
};
export type LiveCall = {
  id: CallId;
  task: TaskId;
  attempt: number;
  status: CallStatus;
  claimedAt: number;
  answeredAt: number | null;
  endedAt: number | null;
  outcome: Outcome | null;
};

/**
 * What changed since the last message (H34), with neither numbers nor texts: nothing to mask. The
 * first message on a socket is a snapshot: all live campaigns, and everything that is watched.
 */
export type Patch = {
  kind: "snapshot" | "patch";
  /** Epoch ms. */
  at: number;
  slots: { inUse: number; of: number };
  campaigns: LiveCampaign[];
  tasks: LiveTask[];
  /** Of the watched campaign. */
  calls: LiveCall[];
  /** More changed than a message holds, or something has left: read anew what is shown. */
  gap: boolean;
};

/** Whether `value` is a `Watch` in shape; ids of others are simply never found. */
export function isWatch(value: unknown): value is Watch {
  if (typeof value !== "object" || value === null) return false;
  const { campaign, tasks } = value as { campaign?: unknown; tasks?: unknown };
  if (campaign !== null && typeof campaign !== "string") return false;
  if (!Array.isArray(tasks) || tasks.length > WATCHED_TASKS_MAX) return false;
  return tasks.every((task) => typeof task === "string");
}
