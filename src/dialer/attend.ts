import { lost } from "./answer.ts";
import { type Call, findCalls } from "./calls.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { asking, checking, concludeWithout, rescue } from "./conclude.ts";
import { tellOfCampaign } from "./events.ts";
import type { State } from "./state.ts";
import { completeIfDone, endWaiting, findTask, markDirty } from "./tasks.ts";

/** A request that places no call, for after the commit. */
export type Errand =
  | { kind: "look"; call: number; connection: string }
  | { kind: "probe"; connection: string };

/** Most rows that one transaction moves on by time alone. */
const SLICE = 500;

/**
 * Does what has fallen due: ends of campaigns and tasks, calls whose answer, news, analysis or
 * lease has run out. Every transaction does this first, so that no lost alarm holds anything up.
 */
export function attend(state: State, now: number): Errand[] {
  for (const campaign of state.liveCampaigns()) {
    const { endAfter } = campaign.settings;
    if (endAfter !== null && endAfter <= now) expire(state, campaign, now);
  }
  endTasks(state, now);
  const errands: Errand[] = [];
  const due = state.ledger.takeDue(now, SLICE);
  if (due.length > 0) {
    for (const call of findCalls(state.sql, due)) errands.push(...attendCall(state, call, now));
  }
  for (const trouble of state.connections.troubles()) {
    if (trouble.probeAt === null || trouble.probeAt > now) continue;
    state.connections.probing(trouble.id, now);
    errands.push({ kind: "probe", connection: trouble.id });
  }
  return errands;
}

/** H13: its end has passed, for good. Its waiting tasks count as archived from now on (H29). */
export function expire(state: State, campaign: Campaign, now: number): void {
  campaign.completedAt = now;
  campaign.expired = true;
  state.touch(campaign, "all");
  tellOfCampaign(state, campaign, "completed");
  state.lanes.rankCampaign(campaign.id, now);
}

/** H14: tasks whose own end has passed. One with a call ends as under archive (H30). */
function endTasks(state: State, now: number): void {
  const next = state.nextEnd();
  if (next === null || next > now) return;
  const rows = state.sql.all<{ id: number }>(
    "SELECT id FROM task WHERE ends_at <= ? LIMIT ?",
    now,
    SLICE,
  );
  state.endsTaken();
  for (const { id } of rows) {
    const task = findTask(state.sql, id);
    if (task === null) continue;
    const campaign = state.campaign(task.campaign);
    const calls = state.ledger.ofTask(id);
    const last = calls.length === 0 ? null : findCalls(state.sql, calls).at(-1);
    const waits =
      task.ended === null &&
      (last == null ||
        (last.state === "concluded" &&
          last.verdict !== "completed" &&
          last.verdict !== "archived"));
    if (waits && !isOver(campaign)) {
      endWaiting(state, task, campaign, "archived", now);
      completeIfDone(state, campaign, now);
    } else {
      state.sql.run("UPDATE task SET ends_at = NULL, archiving = 1 WHERE id = ?", id);
      markDirty(state, id);
    }
  }
}

function attendCall(state: State, call: Call, now: number): Errand[] {
  const look: Errand = { kind: "look", call: call.id, connection: call.connection };
  if (call.state === "concluded") return [];
  if (call.state === "ended") {
    if (call.checkAt === null) {
      asking(state, call, now);
      return [look];
    }
    concludeWithout(state, call, now);
    return [];
  }
  if (call.expiresAt <= now) {
    rescue(state, call, now);
    return [];
  }
  if (call.state === "placing") {
    lost(state, call, "no answer in time", now);
    return [];
  }
  checking(state, call, now);
  return [look];
}
