import { makeId } from "../core/ids.ts";
import { campaignStatus } from "../core/status.ts";
import { type Campaign, recordOf } from "./campaign.ts";
import type { ImportState, State } from "./state.ts";
import type { Task } from "./tasks.ts";

/*
 * What is told of tasks, campaigns, imports and connections. An event's id follows from what it
 * tells, wherever that happens once.
 */

/** How a task ended: singly, or with its campaign, which has an event of its own (H30). */
export function tellOfTask(
  state: State,
  task: Task,
  how: "completed" | "archived",
  last: { attempts: number; outcome: string | null },
  withCampaign = false,
): void {
  const type = how === "completed" ? "task.completed" : "task.archived";
  if (!state.outbox.mayWant(state, type)) return;
  const callback = callbackOf(task);
  if (withCampaign && callback === null) return;
  const { workspace } = state;
  const id = makeId("tsk", workspace, task.id);
  state.outbox.note(state, {
    id: `${id}-${how}`,
    type,
    task: task.id,
    call: null,
    callback,
    only: withCampaign,
    data: {
      task: id,
      campaign: makeId("cmp", workspace, task.campaign),
      externalId: task.externalId,
      attempts: last.attempts,
      outcome: last.outcome,
    },
  });
}

export function tellOfCampaign(
  state: State,
  campaign: Campaign,
  what: "started" | "paused" | "resumed" | "completed" | "archived",
): void {
  const type = `campaign.${what}` as const;
  if (!state.copies.wantsEvent(type)) return;
  const record = recordOf(campaign, state.workspace, null);
  state.outbox.note(state, {
    // A batch can complete more than once (H28), and a pause can be repeated.
    id: `${record.id}-${what}-${state.nextId().toString(36)}`,
    type,
    task: null,
    call: null,
    callback: null,
    only: false,
    data: {
      campaign: record.id,
      name: campaign.settings.name,
      type: campaign.settings.type,
      status: campaignStatus(campaign),
      counters: record.counters,
    },
  });
}

export function tellOfImport(state: State, known: ImportState): void {
  if (!state.copies.wantsEvent("import.completed")) return;
  state.outbox.note(state, {
    id: `${known.id}-completed`,
    type: "import.completed",
    task: null,
    call: null,
    callback: null,
    only: false,
    data: {
      import: known.id,
      campaign: makeId("cmp", state.workspace, known.campaign),
      rowsTaken: known.taken,
    },
  });
}

/** Nobody's attempts are used up by it: calls over other connections go on (H21). */
export function tellOfConnection(
  state: State,
  connection: string,
  what: "suspended" | "resumed",
  reason: string | null,
): void {
  const type = `connection.${what}` as const;
  if (!state.copies.wantsEvent(type)) return;
  state.outbox.note(state, {
    id: `${connection}-${what}-${state.nextId().toString(36)}`,
    type,
    task: null,
    call: null,
    callback: null,
    only: false,
    data: { connection, reason },
  });
}

/** The task's own address, where it has one. */
export function callbackOf(task: Task): string | null {
  return task.settings?.statusCallbackUrl ?? null;
}
