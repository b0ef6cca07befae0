import type { CallRecord } from "../core/call.ts";
import { type ImportId, localKey, makeId } from "../core/ids.ts";
import { type Refusal, refuse } from "../core/result.ts";
import { taskStatus } from "../core/status.ts";
import { INHERITED, type TaskRecord } from "../core/task.ts";
import { type Call, callRecord, findCall, findCalls } from "./calls.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { explainTask } from "./explain.ts";
import type { State } from "./state.ts";
import { findTask, isHeld, type Task } from "./tasks.ts";
import type { Done } from "./verbs.ts";

/** A task as it stands: its row, its calls that have rows, and what follows from them. */
export type Standing = {
  task: Task;
  campaign: Campaign;
  calls: Call[];
  /** The call that is not concluded, or null. */
  open: Call | null;
  ended: "completed" | "archived" | null;
  attempts: number;
  endedAt: number | null;
};

/** The task with this public id, or null when it is none of this workspace or has left. */
export function standingOf(state: State, id: string): Standing | null {
  const key = localKey("tsk", state.workspace, id);
  const task = key === null ? null : findTask(state.sql, key);
  return task === null ? null : stand(state, task);
}

export function stand(state: State, task: Task): Standing {
  const campaign = state.campaign(task.campaign);
  const ids = state.ledger.ofTask(task.id);
  const calls = ids.length === 0 ? [] : findCalls(state.sql, ids);
  const open = calls.find((call) => call.state !== "concluded") ?? null;
  const last = calls.findLast((call) => call.state === "concluded" && call.verdict !== "returned");
  const verdict = last?.verdict === "completed" || last?.verdict === "archived" ? last : null;
  return {
    task: verdict === null ? task : { ...task, lastOutcome: verdict.outcome },
    campaign,
    calls,
    open,
    ended: task.ended ?? endOf(verdict),
    attempts: verdict === null ? task.attempts : verdict.attempt,
    endedAt: task.endedAt ?? verdict?.decidedAt ?? null,
  };
}

function endOf(call: Call | null): "completed" | "archived" | null {
  return call?.verdict === "completed" || call?.verdict === "archived" ? call.verdict : null;
}

/** What everything outside sees of a task (H29, H33, H41). */
export function taskRecord(state: State, standing: Standing, now: number): TaskRecord {
  const { task, campaign, open, ended } = standing;
  const held = isHeld(task, campaign);
  const over = isOver(campaign);
  const status = taskStatus(
    { ended, calling: open !== null, held },
    { over, paused: campaign.paused },
  );
  const waits = status === "queued" || status === "paused";
  const lane = waits ? state.lanes.get(task.lane) : null;
  const due = task.at === 0 ? campaign.startsAt : Math.max(task.at, campaign.startsAt ?? 0);
  const waiting =
    lane === null
      ? null
      : (explainTask(state, lane, task, now) ?? { reason: "slots" as const, until: null });
  return {
    id: makeId("tsk", state.workspace, task.id),
    campaign: makeId("cmp", state.workspace, campaign.id),
    phone: task.phone,
    context: task.context,
    settings: task.settings ?? INHERITED,
    status,
    attempts: standing.attempts,
    lastOutcome: task.lastOutcome,
    dueAt: waits ? due : null,
    externalId: task.externalId,
    import: task.import as ImportId | null,
    createdAt: task.createdAt,
    endedAt: standing.endedAt,
    consent: task.consent,
    waiting,
  };
}

export function readTask(state: State, id: string, now: number): Done<TaskRecord> | Refusal {
  const standing = standingOf(state, id);
  return standing === null
    ? refuse("not_found", "There is no such task here.")
    : { ok: true, value: taskRecord(state, standing, now) };
}

export function readCalls(state: State, id: string): Done<CallRecord[]> | Refusal {
  const standing = standingOf(state, id);
  if (standing === null) return refuse("not_found", "There is no such task here.");
  const { calls, task } = standing;
  return { ok: true, value: calls.map((call) => callRecord(call, state.workspace, task.phone)) };
}

export function readCall(state: State, id: string): Done<CallRecord> | Refusal {
  const key = localKey("cal", state.workspace, id);
  const call = key === null ? null : findCall(state.sql, key);
  const task = call === null ? null : findTask(state.sql, call.task);
  if (call === null || task === null) return refuse("not_found", "There is no such call here.");
  return { ok: true, value: callRecord(call, state.workspace, task.phone) };
}
