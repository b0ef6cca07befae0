import { describe, expect, it } from "vitest";
import { isWatch, WATCHED_TASKS_MAX } from "../../src/core/live.ts";

describe("what somebody looks at", () => {
  it("is a campaign or none, and up to two hundred tasks", () => {
    const tasks = Array.from({ length: WATCHED_TASKS_MAX }, (_, n) => `tsk_k3v9q2m8xa_${n}`);
    expect(isWatch({ campaign: null, tasks: [] })).toBe(true);
    expect(isWatch({ campaign: "cmp_k3v9q2m8xa_1", tasks })).toBe(true);
    expect(isWatch({ campaign: null, tasks: [...tasks, "tsk_k3v9q2m8xa_x"] })).toBe(false);
  });

  it("is nothing else", () => {
    for (const other of [
      ...[null, undefined, 1, "cmp", true, [], {}],
      ...[{ campaign: null }, { tasks: [] }, { campaign: undefined, tasks: [] }],
      ...[
        { campaign: 1, tasks: [] },
        { campaign: {}, tasks: [] },
      ],
      ...[
        { campaign: null, tasks: {} },
        { campaign: null, tasks: "tsk" },
      ],
      ...[
        { campaign: null, tasks: [1] },
        { campaign: null, tasks: ["tsk", null] },
      ],
      { campaign: null, tasks: { length: 0, every: () => true } },
    ]) {
      expect([other, isWatch(other)]).toEqual([other, false]);
    }
  });
});
