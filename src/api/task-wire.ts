import type { Task } from "../contract/task.ts";
import type { CampaignSettings } from "../core/campaign.ts";
import type { NumberId } from "../core/ids.ts";
import { taskFor } from "../core/mask.ts";
import type { Warning } from "../core/result.ts";
import { effective, origins, type TaskRecord } from "../core/task.ts";
import { hoursWire } from "../core/time.ts";
import { dayNames } from "../core/window.ts";

/** A task without its configuration: what a push gets back. */
export function pushedWire(task: TaskRecord, warnings: Warning[], seesPersonal: boolean): Task {
  return { ...plainWire(task, seesPersonal), warnings };
}

/** A task with its configuration after inheritance, each value with its origin (H33). */
export function taskWire(
  task: TaskRecord,
  campaign: CampaignSettings,
  phones: Map<NumberId, string>,
  seesPersonal: boolean,
): Task {
  const value = effective(task.settings, campaign);
  const origin = origins(task.settings, campaign);
  const hours = hoursWire(value.hours);
  const from = value.from === null ? null : (phones.get(value.from) ?? null);
  return {
    ...plainWire(task, seesPersonal),
    maxAttempts: value.attemptsMax,
    settings: {
      agent: { value: value.agent, origin: origin.agent },
      from: { value: from, origin: origin.from },
      start: { value: hours.start, origin: origin.hours },
      end: { value: hours.end, origin: origin.hours },
      days: { value: dayNames(value.days), origin: origin.days },
      timezone: { value: value.timezone, origin: origin.timezone },
      startAfter: { value: value.startAfter, origin: origin.startAfter },
      endAfter: { value: value.endAfter, origin: origin.endAfter },
      priorities: { value: value.priorities, origin: origin.priorities },
      maxAttempts: { value: value.attemptsMax, origin: origin.attemptsMax },
      intervals: { value: value.intervalsMs, origin: origin.intervalsMs },
      retryOutcomes: { value: value.retryOutcomes, origin: origin.retryOutcomes },
    },
  };
}

/** The number that a task would be called from. */
export function numberOf(task: TaskRecord, campaign: CampaignSettings): NumberId | null {
  return effective(task.settings, campaign).from;
}

function plainWire(whole: TaskRecord, seesPersonal: boolean): Task {
  const task = taskFor(seesPersonal, whole);
  return {
    id: task.id,
    taskId: task.id,
    campaign: task.campaign,
    status: task.status,
    phone: task.phone,
    context: task.context,
    externalId: task.externalId,
    import: task.import,
    attempts: task.attempts,
    lastOutcome: task.lastOutcome,
    nextAttemptAt: task.dueAt,
    waiting: task.waiting,
    createdAt: task.createdAt,
    endedAt: task.endedAt,
    statusCallbackUrl: seesPersonal ? (whole.settings.statusCallbackUrl ?? null) : null,
    ...(seesPersonal ? {} : { masked: true }),
  };
}
