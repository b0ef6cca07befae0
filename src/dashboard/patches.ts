import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Route } from "../contract/operations.ts";
import type { LiveCampaign, LiveTask, Patch } from "../core/live.ts";
import { chosenWorkspace } from "./api.ts";
import type { Campaign, Task, TaskPage, Workspace } from "./things.ts";

/*
 * What the live socket tells, put into what was read. Lists come from D1 and may be a second older
 * than what was told: they are freshened with it.
 */

/** Routes whose lists are read again when something told does not say all; at most so often, ms. */
const REREAD_MS = 1_500;

const campaigns = new Map<string, LiveCampaign>();
const tasks = new Map<string, LiveTask>();
/** Routes to read again: all that is shown of them, or only what has a filter. */
const stale = new Map<Route, "all" | "filtered">();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Nothing that was told counts any longer. */
export function forget(): void {
  campaigns.clear();
  tasks.clear();
}

export function freshCampaign(campaign: Campaign): Campaign {
  const told = campaigns.get(campaign.id);
  return told === undefined ? campaign : { ...campaign, ...told };
}

export function freshTask(task: Task): Task {
  const told = tasks.get(task.id);
  if (told === undefined) return task;
  // An end that D1 knows comes from the Dialer, after what it told.
  if (task.endedAt !== null && told.endedAt === null) return task;
  const { dueAt, ...rest } = told;
  return { ...task, ...rest, nextAttemptAt: dueAt };
}

/** Puts one message of the live socket into what was read; `looked` are the tasks that it watches. */
export function apply(client: QueryClient, patch: Patch, looked: readonly string[] = []): void {
  const key = (route: Route, ...more: unknown[]) => [chosenWorkspace(), route, ...more];
  const reread = (...routes: Route[]) => {
    for (const route of routes) stale.set(route, "all");
    if (timer !== undefined) return;
    timer = soon(() => {
      for (const [route, which] of stale) {
        const predicate = ({ queryKey }: { queryKey: readonly unknown[] }) =>
          which === "all" || isFiltered(queryKey[3]);
        void client.invalidateQueries({ queryKey: key(route), predicate });
      }
    });
  };
  client.setQueryData<Workspace>(key("GET /v1/workspace", null, null), (old) => {
    return old && { ...old, slots: patch.slots.of, slotsInUse: patch.slots.inUse };
  });
  // What has left the Dialer is told no more: the last that was told of it is old by now.
  if (patch.kind === "snapshot" || patch.gap) tasks.clear();
  for (const task of patch.tasks) tasks.set(task.id, task);
  const grown = patch.campaigns.some((one) => sizeOf(one) !== sizeOf(campaigns.get(one.id)));
  for (const one of patch.campaigns) campaigns.set(one.id, one);

  if (patch.campaigns.length > 0) {
    const known = new Set<string>();
    client.setQueriesData<InfiniteData<{ items: Campaign[]; nextCursor: string | null }>>(
      { queryKey: key("GET /v1/campaigns") },
      (old) => {
        if (old === undefined) return old;
        const pages = old.pages.map((page) => ({ ...page, items: page.items.map(freshCampaign) }));
        for (const { items } of pages) for (const { id } of items) known.add(id);
        return { ...old, pages };
      },
    );
    for (const { id } of patch.campaigns) {
      client.setQueryData<Campaign>(
        key("GET /v1/campaigns/{id}", { id }, null),
        (old) => old && freshCampaign(old),
      );
    }
    if (patch.campaigns.some(({ id }) => !known.has(id))) reread("GET /v1/campaigns");
    if (patch.kind === "patch") reread("GET /v1/calls", "GET /v1/workspace");
    if (grown && patch.kind === "patch") reread("GET /v1/campaigns/{id}/tasks");
  }
  if (patch.tasks.length > 0) {
    client.setQueriesData<TaskPage>(
      { queryKey: key("GET /v1/campaigns/{id}/tasks") },
      (old) => old && { ...old, items: old.items.map(freshTask) },
    );
    for (const { id } of patch.tasks) {
      client.setQueryData<Task>(
        key("GET /v1/tasks/{id}", { id }, null),
        (old) => old && freshTask(old),
      );
    }
  }
  if (patch.kind === "snapshot" && hasLeft(client, patch, looked)) {
    reread("GET /v1/campaigns/{id}/tasks", "GET /v1/tasks/{id}");
  }
  for (const { id, task } of patch.calls) {
    void client.invalidateQueries({ queryKey: key("GET /v1/tasks/{id}/calls", { id: task }) });
    void client.invalidateQueries({ queryKey: key("GET /v1/calls/{id}", { id }) });
  }
  if (patch.calls.length > 0) {
    // They gain and lose rows that are not watched; of the others, what is in view was told.
    const tasksOf = "GET /v1/campaigns/{id}/tasks";
    if (stale.get(tasksOf) === undefined) stale.set(tasksOf, "filtered");
    reread();
  }
  if (patch.gap) {
    reread("GET /v1/campaigns", "GET /v1/campaigns/{id}", "GET /v1/campaigns/{id}/tasks");
    reread("GET /v1/tasks/{id}", "GET /v1/tasks/{id}/calls", "GET /v1/calls");
  }
}

/**
 * Whether a watched task was read as one that goes on, and the Dialer has it no more: it ended
 * between the two, and nobody will tell.
 */
function hasLeft(client: QueryClient, patch: Patch, looked: readonly string[]): boolean {
  const told = new Set<string>(patch.tasks.map(({ id }) => id));
  const missing = new Set(looked.filter((id) => !told.has(id)));
  const key = (route: Route) => ({ queryKey: [chosenWorkspace(), route] });
  const pages = client.getQueriesData<TaskPage>(key("GET /v1/campaigns/{id}/tasks"));
  const single = client.getQueriesData<Task>(key("GET /v1/tasks/{id}"));
  const shown = [
    ...pages.flatMap(([, page]) => page?.items ?? []),
    ...single.map(([, one]) => one),
  ];
  return shown.some((task) => task !== undefined && missing.has(task.id) && task.endedAt === null);
}

function soon(work: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(() => {
    timer = undefined;
    work();
    stale.clear();
  }, REREAD_MS);
}

/** Whether a list of tasks was asked for by more than its order. */
function isFiltered(query: unknown): boolean {
  return ["status", "outcome", "phone"].some((name) => name in (query as object));
}

/** Tasks of a campaign, all together. */
function sizeOf(campaign: LiveCampaign | undefined): number {
  if (campaign === undefined) return 0;
  const { queued, running, completed, paused, archived } = campaign.counters;
  return queued + running + completed + paused + archived;
}
