import { unreachable } from "./assert.ts";
import type { CallState, CallStatus } from "./call.ts";
import type { CampaignStatus } from "./campaign.ts";
import { type Refusal, refuse } from "./result.ts";
import type { TaskStatus } from "./task.ts";

/** H30, H31: what a person can do to a campaign or to a single task. */
export const MOVES = ["pause", "resume", "archive"] as const;
export type Move = (typeof MOVES)[number];

/** A campaign's status (H28). Instants are epoch ms; `startedAt` is that of its first dial. */
export function campaignStatus(campaign: {
  startedAt: number | null;
  paused: boolean;
  completedAt: number | null;
  archivedAt: number | null;
}): CampaignStatus {
  if (campaign.archivedAt !== null) return "archived";
  if (campaign.completedAt !== null) return "completed";
  if (campaign.paused) return "paused";
  return campaign.startedAt === null ? "scheduled" : "running";
}

/**
 * A task's effective status (H29, H30), the first that holds:
 *
 *   its own end → a call not yet concluded → its campaign is over → its campaign or it is paused → queued
 *
 * `over` is archived or completed; `held` is a pause of the task alone that still holds (H31).
 */
export function taskStatus(
  task: { ended: "completed" | "archived" | null; calling: boolean; held: boolean },
  campaign: { over: boolean; paused: boolean },
): TaskStatus {
  if (task.ended !== null) return task.ended;
  if (task.calling) return "running";
  if (campaign.over) return "archived";
  return campaign.paused || task.held ? "paused" : "queued";
}

/** What people see of a call (H29). Instants are epoch ms. */
export function callStatus(
  state: CallState,
  ringingAt: number | null,
  answeredAt: number | null,
): CallStatus {
  switch (state) {
    case "placing":
    case "placed":
      if (answeredAt !== null) return "talking";
      return ringingAt === null ? "dialling" : "ringing";
    case "unknown":
      return "unknown";
    case "ended":
    case "concluded":
      return "ended";
    default:
      return unreachable(state);
  }
}

const PAST: Record<Move, string> = { pause: "paused", resume: "resumed", archive: "archived" };

/** Whether a campaign of this status can be paused, resumed or archived (H30); a refusal says why not. */
export function moveCampaign(status: CampaignStatus, move: Move): { ok: true } | Refusal {
  if (status === "archived" || status === "completed") {
    return refuse("conflict", `The campaign is ${status}: it cannot be ${PAST[move]} any more.`);
  }
  return movePausable("campaign", status, move);
}

/**
 * Whether a task of this status, in a campaign of that status, can be paused, resumed or archived
 * (H30, H31). A running task can be paused and archived: its call goes on, and what would be its
 * retry is paused or archived. In a paused campaign a single task is not resumed.
 */
export function moveTask(
  status: TaskStatus,
  campaign: CampaignStatus,
  move: Move,
): { ok: true } | Refusal {
  if (status === "completed" || status === "archived") {
    return refuse("conflict", `The task is ${status}: it cannot be ${PAST[move]} any more.`);
  }
  if (campaign === "completed" || campaign === "archived") {
    return refuse("conflict", `The task's campaign is ${campaign}: it has no further attempts.`);
  }
  if (move === "resume" && status === "paused" && campaign === "paused") {
    return refuse("conflict", "The task's campaign is paused: resume the campaign.");
  }
  return movePausable("task", status, move);
}

function movePausable(
  noun: "campaign" | "task",
  status: string,
  move: Move,
): { ok: true } | Refusal {
  if (move === "pause" && status === "paused") {
    return refuse("conflict", `The ${noun} is already paused.`);
  }
  if (move === "resume" && status !== "paused") {
    return refuse("conflict", `The ${noun} is ${status}, not paused: there is nothing to resume.`);
  }
  return { ok: true };
}
