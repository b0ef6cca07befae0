import type { CallNews } from "../carriers/carrier.ts";
import { isOutcome, type Outcome } from "../core/outcome.ts";
import { awaitsAnalysis } from "../core/retry.ts";
import { refused } from "./answer.ts";
import { tellOfTexts, tellOfTruth } from "./call-events.ts";
import { type Call, fillIn } from "./calls.ts";
import { isOver } from "./campaign.ts";
import {
  assume,
  CHECK_MIN_MS,
  conclude,
  count,
  type End,
  save,
  suppressIf,
  taskOf,
} from "./conclude.ts";
import { holdsSlot } from "./ledger.ts";
import type { State } from "./state.ts";
import { countWaiting, findTask, leave } from "./tasks.ts";

/** How long an analysis is awaited after the call's end, ms (H18). */
export const ANALYSIS_MS = 2 * 60_000;

/** News of a call that is still here, in any order and any number of times (H36). */
export function hear(
  state: State,
  call: Call,
  news: CallNews,
  carrierCallId: string | null,
  now: number,
) {
  const had = { transcript: call.transcript !== null, analysis: call.analysis !== null };
  take(state, call, news, carrierCallId, now);
  tellOfTexts(state, call, had);
}

function take(state: State, call: Call, news: CallNews, carrierCallId: string | null, now: number) {
  if (call.state === "concluded") return hearLate(state, call, news, carrierCallId, now);
  const changed = fillIn(call, news, carrierCallId);
  if (holdsSlot(call.state) && news.refusal !== null && call.answeredAt === null) {
    // Whoever reports had taken it, even if the answer has yet to say so.
    call.state = "placed";
    call.placedAt ??= now;
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
    // A word of the carrier's own tells nothing that was not decided before.
    const tells = call.assumed || outcome === news.outcome;
    return outcome === null || !tells ? null : { outcome, permanent: false };
  }
  if (news.refusal === "permanent") return { outcome: "failed", permanent: true };
  return news.refusal === "rejected" ? { outcome: "init_failed", permanent: false } : null;
}

function waitsForNext(state: State, call: Call): boolean {
  if (call.verdict !== "retry") return false;
  const task = findTask(state.sql, call.task);
  if (task === null || task.ended !== null || task.attempts !== call.attempt) return false;
  // A dial that was given back used no attempt.
  const later = state.sql.all(
    "SELECT 1 FROM call WHERE task = ? AND id > ? AND verdict IS NOT 'returned' LIMIT 1",
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
  call.outcome = truth.outcome;
  tellOfTruth(state, call);
  conclude(state, call, truth, now);
}
