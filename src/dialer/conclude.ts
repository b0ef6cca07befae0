import type { Answer, CallNews, RefusalKind } from "../carriers/carrier.ts";
import { unreachable } from "../core/assert.ts";
import { isOutcome, type Outcome } from "../core/outcome.ts";
import { awaitsAnalysis, decide } from "../core/retry.ts";
import { type Call, fillIn, saveCall } from "./calls.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { holdsSlot } from "./ledger.ts";
import type { State } from "./state.ts";
import { suppressByOutcome } from "./suppressed.ts";
import {
  completeIfDone,
  countWaiting,
  findTask,
  isHeld,
  laneKey,
  leave,
  ownSettings,
  returnTask,
  type Task,
  wait,
} from "./tasks.ts";

/** How long an analysis is awaited after the call's end, ms (H18). */
export const ANALYSIS_MS = 2 * 60_000;
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

/** The carrier's answer to `place`. One that comes after the report only fills in the carrier's id. */
export function answered(state: State, call: Call, answer: Answer, now: number) {
  switch (answer.kind) {
    case "accepted":
      state.connections.taken(call.connection, call.claimedAt);
      call.carrierCallId ??= answer.carrierCallId;
      if (call.state === "placing" || call.state === "unknown") {
        call.state = "placed";
        call.placedAt ??= now;
        call.checkAt = now + CHECK_MIN_MS;
      }
      return save(state, call);
    case "refused":
      if (call.state !== "placing" && call.state !== "unknown") return;
      if (call.answeredAt !== null) return;
      return refused(state, call, answer.reason, answer.word, now);
    case "unknown":
      if (call.state !== "placing") return;
      return lost(state, call, answer.word, now);
    default:
      unreachable(answer);
  }
}

/** Nobody knows whether the carrier dialled: the report decides, or a look-up, or the lease's end (H22). */
export function lost(state: State, call: Call, word: string, now: number) {
  call.state = "unknown";
  call.checks = 0;
  call.checkAt = now + CHECK_LOST_MS;
  state.connections.doubt(call.connection, `an answer was lost (${word})`, now);
  save(state, call);
}

/** H21: what a refusal means for the task and the connection. */
function refused(state: State, call: Call, reason: RefusalKind, word: string, now: number) {
  call.word ??= word;
  switch (reason) {
    case "capacity":
    case "connection":
    case "unreachable":
      state.connections.backOff(
        call.connection,
        REFUSAL_TEXT[reason],
        call.state === "placed",
        now,
      );
      return giveBack(state, call, now);
    case "permanent":
      state.connections.taken(call.connection, call.claimedAt);
      return conclude(state, call, { outcome: "failed", permanent: true }, now);
    case "rejected":
      state.connections.taken(call.connection, call.claimedAt);
      return conclude(state, call, { outcome: "init_failed", permanent: false }, now);
    default:
      unreachable(reason);
  }
}

const REFUSAL_TEXT = {
  capacity: "the carrier has no capacity",
  connection: "the carrier refuses the account",
  unreachable: "the carrier cannot be reached",
} as const;

/**
 * The dial used no attempt: the task goes back where it waited. A call that the carrier never took
 * is forgotten; one that was known as taken or lost stays on record.
 */
function giveBack(state: State, call: Call, now: number) {
  const campaign = state.campaign(call.campaign);
  const task = taskOf(state, call);
  if (call.state === "placing") {
    state.sql.run("DELETE FROM call WHERE id = ?", call.id);
    state.ledger.forget(call.id);
    state.changes.forget("calls", call.id);
  } else {
    call.state = "concluded";
    call.verdict = "returned";
    call.endedAt ??= now;
    call.decidedAt = now;
    call.checkAt = null;
    save(state, call);
  }
  returnTask(state, task, campaign, now);
  completeIfDone(state, campaign, now);
}

/** News of a call that is still here, in any order and any number of times (H36). */
export function hear(
  state: State,
  call: Call,
  news: CallNews,
  carrierCallId: string | null,
  now: number,
) {
  if (call.state === "concluded") return hearLate(state, call, news, carrierCallId, now);
  const changed = fillIn(call, news, carrierCallId);
  if (holdsSlot(call.state) && news.refusal !== null && call.answeredAt === null) {
    return refused(state, call, news.refusal, news.word ?? news.refusal, now);
  }
  state.connections.worked(call.connection);
  const wasOpen = holdsSlot(call.state);
  if (wasOpen && (news.ended || news.concluding)) end(call, news, now);
  if (call.state === "ended") {
    const outcome = readOutcome(state, call, news.outcome);
    if (!wasOpen && !news.concluding && outcome === null) {
      if (changed) save(state, call);
      return;
    }
    if (!news.concluding && awaits(state, call, outcome)) {
      call.concludeBy ??= (call.endedAt ?? now) + ANALYSIS_MS;
      call.outcome = outcome;
      return save(state, call);
    }
    return conclude(state, call, { outcome: outcome ?? assume(call), permanent: false }, now);
  }
  if (call.state !== "placed") {
    call.state = "placed";
    call.placedAt ??= now;
    call.checkAt = now + CHECK_MIN_MS;
  } else if (!changed) return;
  save(state, call);
}

/** The carrier says that the call is over: its slot is free. */
function end(call: Call, news: CallNews, now: number) {
  call.state = "ended";
  call.placedAt ??= now;
  call.endedAt = Math.min(Math.max(news.endedAt ?? now, call.claimedAt), now);
  call.checkAt = null;
}

/** H18: the task stays running, without a lease, until the analysis comes. */
function awaits(state: State, call: Call, outcome: Outcome | null): boolean {
  const agent = state.copies.agent(call.agent);
  if (agent === null) return false;
  const connected = outcome === "connected" || (outcome === null && call.answeredAt !== null);
  const ownOutcomes = agent.outcomes.map((own) => own.name);
  return awaitsAnalysis({ ownOutcomes, usesCallback: agent.usesCallback }, { connected, outcome });
}

/** The outcome that news bring, or null; a word that is neither known nor the agent's own is none. */
function readOutcome(state: State, call: Call, outcome: Outcome | null): Outcome | null {
  if (outcome === null) return null;
  const own = state.copies.agent(call.agent)?.outcomes.map((one) => one.name) ?? [];
  if (isOutcome(outcome, own)) return outcome;
  return call.answeredAt === null ? "failed" : "connected";
}

/** An ended call of which nothing more was heard: what its end said, if it said anything. */
function assume(call: Call): Outcome {
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
type End = { outcome: Outcome; permanent: boolean };

/** The outcome is known: the task is completed, archived or waits for its next attempt. */
function conclude(state: State, call: Call, end: End, now: number) {
  const campaign = state.campaign(call.campaign);
  const task = taskOf(state, call);
  call.endedAt ??= now;
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
  move(state, call, task, campaign, end.permanent, now);
  save(state, call);
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
  switch (decision.next) {
    case "complete":
      call.verdict = "completed";
      campaign.completed += 1;
      return;
    case "archive":
      call.verdict = "archived";
      campaign.archived += 1;
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

/**
 * News of a concluded call. After a rescue, the true outcome replaces the assumed one while the
 * task waits for the very next attempt; else it stands beside it (H22). The record fills in.
 */
function hearLate(
  state: State,
  call: Call,
  news: CallNews,
  carrierCallId: string | null,
  now: number,
) {
  let changed = fillIn(call, news, carrierCallId);
  const tells = news.concluding || (call.assumed && news.ended);
  const truth = tells && call.reported === null ? truthOf(state, call, news) : null;
  if (truth !== null && (truth.outcome !== call.outcome || truth.permanent)) {
    if (call.assumed && waitsForNext(state, call)) return replace(state, call, news, truth, now);
    if (truth.outcome !== call.outcome) {
      call.reported = truth.outcome;
      suppressIf(state, call, truth.outcome, taskOf(state, call), now);
      changed = true;
    }
  }
  if (changed) save(state, call);
}

/** What late news say of how it ended, or null. A refusal says it by its kind (H21). */
function truthOf(state: State, call: Call, news: CallNews): End | null {
  if (news.refusal === null || call.answeredAt !== null) {
    const outcome = readOutcome(state, call, news.outcome);
    return outcome === null ? null : { outcome, permanent: false };
  }
  if (news.refusal === "permanent") return { outcome: "failed", permanent: true };
  return news.refusal === "rejected" ? { outcome: "init_failed", permanent: false } : null;
}

function waitsForNext(state: State, call: Call): boolean {
  if (call.verdict !== "retry") return false;
  const task = findTask(state.sql, call.task);
  if (task === null || task.ended !== null || task.attempts !== call.attempt) return false;
  const later = state.sql.all(
    "SELECT 1 FROM call WHERE task = ? AND id > ? LIMIT 1",
    task.id,
    call.id,
  );
  return later.length === 0 && !isOver(state.campaign(call.campaign));
}

/** The task is taken back from its wait and decided again, by what really happened. */
function replace(state: State, call: Call, news: CallNews, truth: End, now: number) {
  const campaign = state.campaign(call.campaign);
  const task = taskOf(state, call);
  leave(state, task, now);
  countWaiting(task, campaign, -1);
  campaign.running += 1;
  campaign.attempts -= 1;
  count(campaign, call.outcome ?? "failed", -1);
  call.assumed = false;
  call.word = news.word ?? call.word;
  call.endedAt = Math.min(Math.max(news.endedAt ?? now, call.claimedAt), now);
  conclude(state, call, truth, now);
}

function count(campaign: Campaign, outcome: Outcome, by: 1 | -1) {
  campaign.outcomes[outcome] = (campaign.outcomes[outcome] ?? 0) + by;
}

/** H40: an agent's outcome can put the number on the do-not-call list, with the conclusion. */
function suppressIf(state: State, call: Call, outcome: Outcome, task: Task, now: number) {
  const own = state.copies.agent(call.agent)?.outcomes ?? [];
  if (!own.some((one) => one.name === outcome && one.suppress)) return;
  suppressByOutcome(state.sql, task.hash, { phone: task.phone, outcome, at: now });
}

function taskOf(state: State, call: Call): Task {
  const task = findTask(state.sql, call.task);
  if (task === null) throw new Error("bug: an open call has no task");
  return task;
}

function save(state: State, call: Call) {
  keep(state, call);
  state.changes.note("calls", call.id);
}

/** Writes what D1 need not hear of. */
function keep(state: State, call: Call) {
  saveCall(state.sql, call);
  state.ledger.track(call);
}
