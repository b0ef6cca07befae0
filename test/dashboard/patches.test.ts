import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { LiveTask, Patch } from "../../src/core/live.ts";
import { chosenWorkspace } from "../../src/dashboard/api.ts";
import { apply, forget, freshTask } from "../../src/dashboard/patches.ts";
import type { Task, TaskPage } from "../../src/dashboard/things.ts";

// What a browser has and Node has not.
vi.hoisted(() => {
  Object.assign(globalThis, { localStorage: { getItem: () => null } });
});

const TASK = "tsk_k3v9q2m8xa_1";
const KEY = [chosenWorkspace(), "GET /v1/campaigns/{id}/tasks", { id: "cmp_k3v9q2m8xa_1" }, {}];
const SNAPSHOT: Patch = {
  kind: "snapshot",
  at: 0,
  slots: { inUse: 0, of: 1 },
  campaigns: [],
  tasks: [],
  calls: [],
  gap: false,
};

/** Whether the list, read with a task that ended then or not, is read again after this message. */
async function isReadAgain(endedAt: number | null, patch: Patch, looked: string[]) {
  vi.useFakeTimers();
  try {
    const client = new QueryClient();
    const page = { items: [{ id: TASK, endedAt }], nextCursor: null } as unknown as TaskPage;
    client.setQueryData(KEY, page);
    apply(client, patch, looked);
    await vi.advanceTimersByTimeAsync(5_000);
    return client.getQueryState(KEY)?.isInvalidated;
  } finally {
    vi.useRealTimers();
  }
}

describe("H34 a snapshot without a task that is looked at", () => {
  it("has the list read again where the task was read as one that goes on", async () => {
    expect(await isReadAgain(null, SNAPSHOT, [TASK])).toBe(true);
  });

  it("leaves the list alone where the task has ended, was told, or is not looked at", async () => {
    expect(await isReadAgain(7, SNAPSHOT, [TASK])).toBe(false);
    const told = { ...SNAPSHOT, tasks: [{ id: TASK, endedAt: null } as unknown as LiveTask] };
    expect(await isReadAgain(null, told, [TASK])).toBe(false);
    expect(await isReadAgain(null, SNAPSHOT, [])).toBe(false);
    expect(await isReadAgain(null, { ...SNAPSHOT, kind: "patch" }, [TASK])).toBe(false);
  });
});

describe("H34 what was told of a task", () => {
  const running = {
    id: TASK,
    status: "running",
    endedAt: null,
    dueAt: null,
  } as unknown as LiveTask;
  const read = (endedAt: number | null) =>
    ({ id: TASK, status: endedAt === null ? "queued" : "completed", endedAt }) as unknown as Task;

  it("counts more than a list that is older", () => {
    apply(new QueryClient(), { ...SNAPSHOT, tasks: [running] });
    expect(freshTask(read(null)).status).toBe("running");
  });

  it("counts less than its end, and no more once something has left", () => {
    apply(new QueryClient(), { ...SNAPSHOT, tasks: [running] });
    expect(freshTask(read(7)).status).toBe("completed");
    apply(new QueryClient(), { ...SNAPSHOT, kind: "patch", gap: true });
    expect(freshTask(read(null)).status).toBe("queued");
    forget();
  });
});
