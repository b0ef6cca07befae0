import { unreachable } from "../core/assert.ts";
import type { Outcome } from "../core/outcome.ts";
import { decide } from "../core/retry.ts";
import { tellOfCall, tellOfOutcome } from "./call-events.ts";
import { type Call, saveCall } from "./calls.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { tellOfTask } from "./events.ts";
import type { State } from "./state.ts";
import { suppressByOutcome } from "./suppressed.ts";
import {
  completeIfDone,
  countWaiting,
  findTask,
  isHeld,
  laneKey,
  ownSettings,
  type Task,
  wait,
} from "./tasks.ts";

/** The first look at a call without news, ms; the gaps double up to the longest (H22). */
export const CHECK_MIN_MS = 2 * 60_000;
export const CHECK_MAX_MS = 16 * 60_000;
/** The first look at a call whose answer was lost, ms. */
export const CHECK_LOST_MS = 1_000;
/** How long the carrier may take to say what became of an analysis, ms. */
const ASK_MS = 30_000;
/** What a look-up that calls a call alive adds beyond the next look, ms (H22). */
const EXTENSION_MS = 5 * 60_000;

/*
 * What happens to a call after its claim; each function is one transition inside the caller's
 * transaction. `core/call.ts` draws the states. An attempt is dialled at most once: nothing here
 * puts a task back to be dialled again but a refusal or a concluded attempt (H22).
 */

/** An ended call of which nothing more was heard: what its end said, if it said anything. */
export function assume(call: Call): Outcome {
  return call.outcome ?? (call.answeredAt === null ? "failed" : "connected");
}

/** The analysis did not come: the task is decided with what there is (H18). */
export function concludeWithout(state: State, call: Call, now: number) {
  conclude(state, call, { outcome: assume(call), permanent: false }, now);
}

/** The lease has run out without news: the attempt is `failed`, and the retry rule applies (H22). */
export function rescue(state: State, call: Call, now: number) {
  call.assumed = true;
  call.endedAt = now;
  call.word ??= "no news until the lease ended";
  conclude(state, call, { outcome: "failed", permanent: false }, now);
}

/** The carrier calls it alive: the lease goes on (H22). */
export function extend(state: State, call: Call, now: number) {
  call.expiresAt = Math.max(call.expiresAt, (call.checkAt ?? now) + EXTENSION_MS);
  save(state, call);
}

/** A look at the call goes out; the next is due after a longer gap. */
export function checking(state: State, call: Call, now: number) {
  const gap = call.state === "unknown" ? CHECK_LOST_MS : CHECK_MIN_MS;
  call.checks += 1;
  call.checkAt = now + Math.min(gap * 2 ** call.checks, CHECK_MAX_MS);
  keep(state, call);
}

/** The analysis is overdue: the carrier is asked once, and answers within this time or not at all. */
export function asking(state: State, call: Call, now: number) {
  call.checkAt = now + ASK_MS;
  keep(state, call);
}

/** How a call ended; `permanent`: its number cannot exist (H21). */
export type End = { outcome: Outcome; permanent: boolean };

/** The outcome is known: the task is completed, archived or waits for its next attempt. */
export function conclude(state: State, call: Call, end: End, now: number) {
  const campaign = state.campaign(call.campaign);
  const task = taskOf(state, call);
  call.endedAt ??= now;
  // Its end may have been told before, with another outcome or none.
  const wasTold = state.ledger.get(call.id)?.state === "ended" && call.outcome !== end.outcome;
  call.outcome = end.outcome;
  call.state = "concluded";
  call.decidedAt = now;
  call.checkAt = null;
  call.concludeBy = null;
  campaign.running -= 1;
  campaign.attempts += 1;
  campaign.talkMs += call.talkMs ?? 0;
  count(campaign, end.outcome, 1);
  suppressIf(state, call, end.outcome, task, now);
  tellOfCall(state, call);
  if (wasTold) tellOfOutcome(state, call);
  move(state, call, task, campaign, end.permanent, now);
  keep(state, call);
  state.changes.note("calls", call.id);
  state.touch(campaign);
  completeIfDone(state, campaign, now);
}

/** Moves the task by the retry rule that holds at this instant (H4, H16–H21, H30). */
function move(
  state: State,
  call: Call,
  task: Task,
  campaign: Campaign,
  permanent: boolean,
  now: number,
) {
  const own = ownSettings(task);
  const agent = state.copies.agent(call.agent);
  const decision = decide({
    outcome: call.outcome ?? "failed",
    permanent,
    attempt: call.attempt,
    attemptsMax: own.attemptsMax ?? campaign.settings.attemptsMax,
    intervalsMs: own.intervalsMs ?? campaign.settings.intervalsMs,
    retryOutcomes: own.retryOutcomes ?? campaign.settings.retryOutcomes,
    usesCallback: agent?.usesCallback ?? false,
    endedAt: call.endedAt ?? now,
    callbackAt: call.callbackAt,
    now,
    archiving: task.archiving || isOver(campaign) || (task.endsAt !== null && task.endsAt <= now),
  });
  const last = { attempts: call.attempt, outcome: call.outcome };
  switch (decision.next) {
    case "complete":
      call.verdict = "completed";
      campaign.completed += 1;
      tellOfTask(state, task, "completed", last);
      return;
    case "archive":
      call.verdict = "archived";
      campaign.archived += 1;
      tellOfTask(state, task, "archived", last, isOver(campaign));
      return;
    case "retry": {
      call.verdict = "retry";
      const pause = isHeld(task, campaign) ? campaign.epoch : null;
      const key = laneKey(campaign, task.settings, decision.attempt, {
        callback: decision.callback,
        import: null,
        pause,
      });
      const lane = state.lane(key);
      state.sql.run(
        "UPDATE task SET attempts = ?, last_outcome = ?, lane = ?, at = ? WHERE id = ?",
        call.attempt,
        call.outcome,
        lane.id,
        decision.at,
        task.id,
      );
      const moved: Task = { ...task, attempts: call.attempt, lane: lane.id, at: decision.at };
      wait(state, moved, lane, decision.at, now);
      countWaiting(moved, campaign, 1);
      return;
    }
    default:
      unreachable(decision);
  }
}

export function count(campaign: Campaign, outcome: Outcome, by: 1 | -1) {
  campaign.outcomes[outcome] = (campaign.outcomes[outcome] ?? 0) + by;
}

/** H40: an agent's outcome can put the number on the do-not-call list, with the conclusion. */
export function suppressIf(state: State, call: Call, outcome: Outcome, task: Task, now: number) {
  const own = state.copies.agent(call.agent)?.outcomes ?? [];
  if (!own.some((one) => one.name === outcome && one.suppress)) return;
  const phone = task.phone === "" ? `#${task.hash}` : task.phone;
  suppressByOutcome(state.sql, task.hash, { phone, outcome, at: now });
}

export function taskOf(state: State, call: Call): Task {
  const task = findTask(state.sql, call.task);
  if (task === null) throw new Error("bug: an open call has no task");
  return task;
}

export function save(state: State, call: Call) {
  tellOfCall(state, call);
  keep(state, call);
  state.changes.note("calls", call.id);
}

/** Writes what D1 need not hear of. */
function keep(state: State, call: Call) {
  saveCall(state.sql, call);
  state.ledger.track(call);
}
