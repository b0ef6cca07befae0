import type { CampaignSettings, Waiting } from "./campaign.ts";
import type { Consent } from "./form.ts";
import type { AgentId, CampaignId, ImportId, NumberId, TaskId } from "./ids.ts";
import type { Outcome } from "./outcome.ts";
import { priorityOf } from "./rank.ts";
import type { Hours, Weekdays } from "./window.ts";

/** H29 */
export const TASK_STATUSES = [
  "queued", // waits; dispatch or an end moves it on
  "running", // a call is being made, or its analysis is awaited
  "completed", // succeeded, attempts used up, or an outcome that is not retried
  "paused", // by hand, alone or with its campaign; resume moves it on
  "archived", // no more attempts: by hand, with its campaign, by an end time or the do-not-call list
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** What a task has of its own; null is inherited from the campaign at the instant of dialling (H33). */
export type TaskSettings = {
  /** Agent and number are one pair: both or neither (H33). */
  agent: AgentId | null;
  from: NumberId | null;
  hours: Hours | null;
  days: Weekdays | null;
  timezone: string | null;
  startAfter: number | null;
  endAfter: number | null;
  /** One number per attempt, whole, 0–10,000 (H17, H24). */
  priorities: number[] | null;
  attemptsMax: number | null;
  intervalsMs: number[] | null;
  retryOutcomes: Outcome[] | null;
  /** Where events of this task alone are told, besides the workspace's webhooks. */
  statusCallbackUrl: string | null;
};

export const INHERITED: TaskSettings = {
  agent: null,
  from: null,
  hours: null,
  days: null,
  timezone: null,
  startAfter: null,
  endAfter: null,
  priorities: null,
  attemptsMax: null,
  intervalsMs: null,
  retryOutcomes: null,
  statusCallbackUrl: null,
};

/** Context of a task: flat values keep their JSON type; placeholders render them as text. */
export type Context = Record<string, unknown>;

/** A task as everything outside the Dialer sees it. Instants are epoch ms. */
export type TaskRecord = {
  id: TaskId;
  campaign: CampaignId;
  phone: string;
  context: Context;
  /** What the task has of its own; the rest is the campaign's (H33). */
  settings: TaskSettings;
  status: TaskStatus;
  /** Attempts that were used. */
  attempts: number;
  lastOutcome: Outcome | null;
  /** When the next attempt is due, or null when none is to come. */
  dueAt: number | null;
  externalId: string | null;
  import: ImportId | null;
  createdAt: number;
  endedAt: number | null;
  /** What the person agreed to who asked for the call by a form; null for other tasks, and once it was erased. */
  consent: Consent | null;
  waiting: Waiting | null;
};

/** A task's configuration after inheritance (H33): what counts if it is dialled now. */
export type EffectiveSettings = {
  agent: AgentId | null;
  from: NumberId | null;
  hours: Hours;
  days: Weekdays;
  timezone: string;
  /** The later of the task's and the campaign's start (H14, H24). */
  startAfter: number | null;
  /** The earlier of the task's and the campaign's end (H13, H14). */
  endAfter: number | null;
  /** One per attempt (H17, H25). */
  priorities: number[];
  attemptsMax: number;
  /** A list that is too short repeats its last; never empty. */
  intervalsMs: number[];
  retryOutcomes: Outcome[];
};

/** Where each value of a task's configuration came from (H33). */
export type Origins = Record<keyof EffectiveSettings, "task" | "campaign">;

/** Resolves what a task leaves out from its campaign as that is now (H4, H33). */
export function effective(task: TaskSettings, campaign: CampaignSettings): EffectiveSettings {
  const attemptsMax = task.attemptsMax ?? campaign.attemptsMax;
  return {
    agent: task.agent ?? campaign.agent,
    from: task.from ?? campaign.from,
    hours: task.hours ?? campaign.hours,
    days: task.days ?? campaign.days,
    timezone: task.timezone ?? campaign.timezone,
    startAfter: ofBoth(Math.max, task.startAfter, campaign.startAfter),
    endAfter: ofBoth(Math.min, task.endAfter, campaign.endAfter),
    priorities: Array.from({ length: attemptsMax }, (_, index) =>
      priorityOf(campaign.type, task.priorities, index + 1),
    ),
    attemptsMax,
    intervalsMs: task.intervalsMs ?? campaign.intervalsMs,
    retryOutcomes: task.retryOutcomes ?? campaign.retryOutcomes,
  };
}

/** Which of a task's effective values are its own (H33). */
export function origins(task: TaskSettings, campaign: CampaignSettings): Origins {
  const own = (value: unknown) => (value === null ? "campaign" : "task");
  const counts = effective(task, campaign);
  return {
    agent: own(task.agent),
    from: own(task.from),
    hours: own(task.hours),
    days: own(task.days),
    timezone: own(task.timezone),
    startAfter: counts.startAfter === campaign.startAfter ? "campaign" : "task",
    endAfter: counts.endAfter === campaign.endAfter ? "campaign" : "task",
    priorities: campaign.type === "batch" ? "campaign" : own(task.priorities),
    attemptsMax: own(task.attemptsMax),
    intervalsMs: own(task.intervalsMs),
    retryOutcomes: own(task.retryOutcomes),
  };
}

function ofBoth(
  pick: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null || b === null) return a ?? b;
  return pick(a, b);
}
