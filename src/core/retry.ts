import { assert } from "./assert.ts";
import { ALWAYS_RETRIED, OUTCOMES, type Outcome, RETRIED_WHEN_CHOSEN } from "./outcome.ts";

/** Total attempts where nothing says otherwise (H17). */
export const DEFAULT_ATTEMPTS = 1;
/** The gap between attempts where nothing says otherwise, ms (H17). */
export const DEFAULT_INTERVAL_MS = 30 * 60_000;

/** What decides whether an outcome is tried again (H18). */
export type RetryRule = { retryOutcomes: readonly Outcome[]; usesCallback: boolean };

/** A concluded attempt and the rules that hold at that instant (H4). Instants are epoch ms. */
export type Ending = RetryRule & {
  outcome: Outcome;
  /** The number cannot exist (H21). */
  permanent: boolean;
  /** The attempt that ended, from 1. */
  attempt: number;
  attemptsMax: number;
  intervalsMs: readonly number[];
  endedAt: number;
  /** The time that the person asked for (H20), or null. */
  callbackAt: number | null;
  now: number;
  /** No further attempt may wait: the task or its campaign was archived, or an end has passed (H13, H30). */
  archiving: boolean;
};

/** What becomes of the task: `at` is the instant at which attempt `attempt` is due. */
export type Decision =
  | { next: "complete" }
  | { next: "archive" }
  | { next: "retry"; attempt: number; at: number; callback: boolean };

/** The gap before attempt n ≥ 2, ms: a list that is too short repeats its last (H2, H17). */
export function intervalBefore(intervalsMs: readonly number[], attempt: number): number {
  assert(
    Number.isInteger(attempt) && attempt >= 2,
    "only a second or later attempt has an interval",
  );
  return intervalsMs[attempt - 2] ?? intervalsMs.at(-1) ?? DEFAULT_INTERVAL_MS;
}

/** H18: whether an attempt that ended like this is tried again while attempts are left. */
export function isRetried(outcome: Outcome, rule: RetryRule): boolean {
  if (ALWAYS_RETRIED.some((always) => always === outcome)) return true;
  if (outcome === "busy_callback") return rule.usesCallback;
  const known = OUTCOMES.some((one) => one === outcome);
  if (known && !RETRIED_WHEN_CHOSEN.some((chosen) => chosen === outcome)) return false;
  return rule.retryOutcomes.includes(outcome);
}

/**
 * Decides a task whose attempt has concluded (H16, H18–H21, H30). The next attempt is due at the
 * call's end plus the interval, a callback at the time asked for, or now if that has passed;
 * calling hours are checked at the instant of dialling. What would be retried is archived
 * instead while `archiving`.
 */
export function decide(ending: Ending): Decision {
  if (ending.permanent) return { next: "complete" };
  if (!isRetried(ending.outcome, ending)) return { next: "complete" };
  if (ending.attempt >= ending.attemptsMax) return { next: "complete" };
  if (ending.archiving) return { next: "archive" };
  const attempt = ending.attempt + 1;
  if (ending.outcome === "busy_callback" && ending.callbackAt !== null) {
    const at = Math.max(ending.callbackAt, ending.now);
    return { next: "retry", attempt, at, callback: true };
  }
  const at = ending.endedAt + intervalBefore(ending.intervalsMs, attempt);
  return { next: "retry", attempt, at, callback: false };
}

/**
 * Whether an ended call's task stays running until its analysis comes (H18): the agent has
 * outcomes that come with the analysis, the call was connected, and its end brought none of them.
 */
export function awaitsAnalysis(
  agent: { ownOutcomes: readonly string[]; usesCallback: boolean },
  news: { connected: boolean; outcome: Outcome | null },
): boolean {
  if (agent.ownOutcomes.length === 0 && !agent.usesCallback) return false;
  if (!news.connected) return false;
  if (news.outcome === null) return true;
  return news.outcome !== "busy_callback" && !agent.ownOutcomes.includes(news.outcome);
}
