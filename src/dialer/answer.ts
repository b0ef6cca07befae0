import type { Answer, RefusalKind } from "../carriers/carrier.ts";
import { unreachable } from "../core/assert.ts";
import { withoutNumbers } from "../core/phone.ts";
import type { Call } from "./calls.ts";
import { CHECK_LOST_MS, CHECK_MIN_MS, conclude, save, taskOf } from "./conclude.ts";
import { ACCOUNT_REFUSED } from "./connections.ts";
import type { State } from "./state.ts";
import { completeIfDone, returnTask } from "./tasks.ts";

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
  const said = withoutNumbers(word);
  state.connections.doubt(call.connection, `an answer was lost (${said})`, now);
  save(state, call);
}

/** H21: what a refusal means for the task and the connection. */
export function refused(state: State, call: Call, reason: RefusalKind, word: string, now: number) {
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
  connection: ACCOUNT_REFUSED,
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
