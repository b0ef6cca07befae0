import { makeId } from "../core/ids.ts";
import type { EventType } from "../core/webhook.ts";
import type { Call } from "./calls.ts";
import { callbackOf } from "./events.ts";
import type { State } from "./state.ts";
import { findTask } from "./tasks.ts";

/* What is told of calls. An event's id follows from the call: each of these happens once. */

/** The call's row is about to change; the ledger still has it as it was. */
export function tellOfCall(state: State, call: Call): void {
  const before = state.ledger.get(call.id)?.state ?? "placing";
  const wasOpen = before === "placing" || before === "unknown";
  const isOpen = call.state === "placing" || call.state === "unknown";
  const wasOver = before === "ended" || before === "concluded";
  const isOver = call.state === "ended" || call.state === "concluded";
  if (wasOpen && !isOpen && call.placedAt !== null) note(state, "call.started", call, "started");
  if (!wasOver && isOver) note(state, "call.ended", call, "ended");
}

/** Texts of it have come that were not there before. */
export function tellOfTexts(
  state: State,
  call: Call,
  had: { transcript: boolean; analysis: boolean },
) {
  const analysis = call.analysis !== null && !had.analysis;
  if (!analysis && (call.transcript === null || had.transcript)) return;
  note(state, "call.analyzed", call, analysis ? "analysis" : "transcript");
}

/** How it ended is known now, or given up to be known: its end was told without, or otherwise. */
export function tellOfOutcome(state: State, call: Call): void {
  note(state, "call.ended", call, "concluded");
}

/** A rescue had assumed how it ended, and was wrong (H22). */
export function tellOfTruth(state: State, call: Call): void {
  note(state, "call.ended", call, "corrected");
}

function note(state: State, type: EventType, call: Call, what: string): void {
  if (!state.outbox.mayWant(state, type)) return;
  const task = findTask(state.sql, call.task);
  if (task === null) return;
  const { workspace } = state;
  const id = makeId("cal", workspace, call.id);
  state.outbox.note(state, {
    id: `${id}-${what}`,
    type,
    task: call.task,
    call: call.id,
    callback: callbackOf(task),
    only: false,
    data: {
      call: id,
      task: makeId("tsk", workspace, call.task),
      campaign: makeId("cmp", workspace, call.campaign),
      externalId: task.externalId,
      attempt: call.attempt,
      outcome: call.outcome,
      corrected: what === "corrected",
      carrier: call.carrier,
      connection: call.connection,
      carrierCallId: call.carrierCallId,
      placedAt: call.placedAt,
      answeredAt: call.answeredAt,
      endedAt: call.endedAt,
      talkMs: call.talkMs,
      callbackAt: call.callbackAt,
      costMicros: call.costMicros,
      currency: call.currency,
    },
  });
}

/**
 * News with texts of a call that has left: D1 knows what else there is to tell (H22), and whether
 * its task has an address of its own.
 */
export function tellOfLateTexts(
  state: State,
  named: { call: number | null; connection: string; carrierCallId: string | null },
  news: { transcript: unknown; analysis: unknown },
) {
  if (news.transcript === null && news.analysis === null) return;
  if (!state.outbox.mayWant(state, "call.analyzed")) return;
  const { call, connection, carrierCallId } = named;
  const id =
    call === null
      ? `${connection}-${state.hashPhone(carrierCallId ?? "").replaceAll(/[^a-zA-Z0-9]/g, "")}`
      : makeId("cal", state.workspace, call);
  state.outbox.note(state, {
    id: `${id}-${news.analysis === null ? "transcript" : "analysis"}`,
    type: "call.analyzed",
    task: null,
    call,
    callback: null,
    only: false,
    data: call === null ? { connection, carrierCallId } : { call: id },
  });
}
