import { assert } from "../core/assert.ts";
import type { Origin } from "../core/audit.ts";
import type { CampaignRecord } from "../core/campaign.ts";
import { localKey } from "../core/ids.ts";
import { type Refusal, refuse } from "../core/result.ts";
import { campaignStatus, type Move, moveCampaign, moveTask, taskStatus } from "../core/status.ts";
import type { TaskRecord } from "../core/task.ts";
import { type Campaign, isOver, recordOf } from "./campaign.ts";
import { record } from "./entries.ts";
import { tellOfCampaign } from "./events.ts";
import { explainCampaign } from "./explain.ts";
import { standingOf, taskRecord } from "./records.ts";
import type { State } from "./state.ts";
import {
  completeIfDone,
  countWaiting,
  endWaiting,
  isHeld,
  leave,
  markDirty,
  type Task,
  wait,
} from "./tasks.ts";
import type { Done } from "./verbs.ts";

/** The campaign with this public id, or null when it is none of this workspace. */
export function campaignOf(state: State, id: unknown): Campaign | null {
  const key = typeof id === "string" ? localKey("cmp", state.workspace, id) : null;
  return key === null ? null : state.findCampaign(key);
}

const MOVED = { pause: "paused", resume: "resumed", archive: "archived" } as const;

/** Pauses, resumes or archives a campaign: its row alone changes, whatever the number of tasks (H30). */
export function moveWholeCampaign(
  state: State,
  id: string,
  move: Move,
  origin: Origin | null,
  now: number,
): Done<CampaignRecord> | Refusal {
  const campaign = campaignOf(state, id);
  if (campaign === null) return refuse("not_found", "There is no such campaign.");
  const before = campaignStatus(campaign);
  const allowed = moveCampaign(before, move);
  if (!allowed.ok) return allowed;
  switch (move) {
    case "pause":
      campaign.paused = true;
      break;
    case "resume":
      campaign.paused = false;
      // Pauses of single tasks name the epoch before: none of them holds any more (H31).
      campaign.epoch += 1;
      campaign.waiting += campaign.held;
      campaign.held = 0;
      break;
    case "archive":
      campaign.archivedAt = now;
      break;
  }
  state.touch(campaign, "all");
  state.lanes.rankCampaign(campaign.id, now);
  tellOfCampaign(state, campaign, MOVED[move]);
  const change = { before: { status: before }, after: { status: campaignStatus(campaign) } };
  const deed = { action: `campaign.${move}`, targetKind: "campaign", target: id, ...change };
  record(state, origin, deed, now);
  const waiting = explainCampaign(state, campaign, now);
  return { ok: true, value: recordOf(campaign, state.workspace, waiting) };
}

/** Pauses, resumes or archives one task (H31). A call in progress goes on. */
export function moveOneTask(
  state: State,
  id: string,
  move: Move,
  origin: Origin | null,
  now: number,
): Done<TaskRecord> | Refusal {
  const standing = standingOf(state, id);
  if (standing === null) return refuse("not_found", "There is no such task here.");
  const { task, campaign, open, ended } = standing;
  const held = isHeld(task, campaign);
  const running = open !== null;
  const status = taskStatus(
    { ended, calling: running, held },
    { over: isOver(campaign), paused: campaign.paused },
  );
  // What a pause would do once the call is over can be taken back while it runs.
  const allowed =
    running && held && move === "resume" && !campaign.paused && !isOver(campaign)
      ? { ok: true as const }
      : moveTask(status, campaignStatus(campaign), move);
  if (!allowed.ok) return allowed;
  if (running) moveRunning(state, task, campaign, move);
  else moveWaiting(state, task, campaign, move, now);
  const after = standingOf(state, id);
  assert(after !== null, "a move takes no row away");
  const value = taskRecord(state, after, now);
  const deed = { action: `task.${move}`, targetKind: "task", target: id };
  record(state, origin, { ...deed, before: { status }, after: { status: value.status } }, now);
  return { ok: true, value };
}

function moveRunning(state: State, task: Task, campaign: Campaign, move: Move): void {
  switch (move) {
    case "pause":
      state.sql.run("UPDATE task SET held = ? WHERE id = ?", campaign.epoch, task.id);
      break;
    case "resume":
      state.sql.run("UPDATE task SET held = NULL WHERE id = ?", task.id);
      break;
    case "archive":
      state.sql.run("UPDATE task SET archiving = 1 WHERE id = ?", task.id);
      break;
  }
  markDirty(state, task.id);
}

function moveWaiting(state: State, task: Task, campaign: Campaign, move: Move, now: number): void {
  if (move === "archive") {
    endWaiting(state, task, campaign, "archived", now);
    completeIfDone(state, campaign, now);
    return;
  }
  const held = move === "pause" ? campaign.epoch : null;
  const lane = state.lanes.get(task.lane);
  if (lane === null) throw new Error("bug: a waiting task has no lane");
  leave(state, task, now);
  countWaiting(task, campaign, -1);
  state.sql.run("UPDATE task SET held = ? WHERE id = ?", held, task.id);
  const moved = { ...task, held };
  wait(state, moved, state.lane({ ...lane, pause: held }), task.at, now);
  countWaiting(moved, campaign, 1);
  state.touch(campaign);
  markDirty(state, task.id);
}
