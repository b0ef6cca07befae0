import { describe, expect, it } from "vitest";
import { BANDS } from "../../src/core/campaign.ts";
import {
  batchPriority,
  compareRank,
  priorityOf,
  type Rank,
  realtimePriority,
  roundPriority,
} from "../../src/core/rank.ts";

const SPACE: Rank[] = [];
for (const callback of [false, true]) {
  for (const band of BANDS) {
    for (const priority of [0, 100]) {
      for (const start of [0, 5_000]) {
        for (const tiebreak of [1, 2]) {
          for (const task of [1, 2])
            SPACE.push({ callback, band, priority, start, tiebreak, task });
        }
      }
    }
  }
}
const BASE: Rank = {
  callback: false,
  band: "normal",
  priority: 100,
  start: 5,
  tiebreak: 5,
  task: 5,
};

function expectFirst(first: Partial<Rank>, second: Partial<Rank>) {
  expect(compareRank({ ...BASE, ...first }, { ...BASE, ...second })).toBeLessThan(0);
}

describe("rank", () => {
  it("H24 is a total order: every pair is decided, and alike from both sides", () => {
    for (const a of SPACE) {
      for (const b of SPACE) {
        const there = Math.sign(compareRank(a, b));
        expect(there + Math.sign(compareRank(b, a))).toBe(0);
        expect(there === 0).toBe(a === b);
      }
    }
  });

  it("H24 is a total order: of all triples, a before b before c puts a before c", () => {
    const order = SPACE.map((a) => SPACE.map((b) => Math.sign(compareRank(a, b))));
    const size = SPACE.length;
    let broken = 0;
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) {
        if ((order[a]?.[b] ?? 0) >= 0) continue;
        for (let c = 0; c < size; c++) {
          if ((order[b]?.[c] ?? 0) < 0 && (order[a]?.[c] ?? 0) >= 0) broken += 1;
        }
      }
    }
    expect(broken).toBe(0);
  });

  it("H24 each level outweighs all below it", () => {
    const worst = { band: "low", priority: 0, start: 9, tiebreak: 9, task: 9 } as const;
    const best = { band: "high", priority: 10_000, start: 0, tiebreak: 0, task: 0 } as const;
    expectFirst({ ...worst, callback: true }, { ...best, callback: false });
    expectFirst({ ...worst, band: "high" }, { ...best, band: "normal" });
    expectFirst({ ...worst, band: "normal" }, { ...best, band: "low" });
    const level = { band: "normal" } as const;
    expectFirst({ ...worst, ...level, priority: 2 }, { ...best, ...level, priority: 1 });
    expectFirst({ start: 1, tiebreak: 9, task: 9 }, { start: 2, tiebreak: 0, task: 0 });
    expectFirst({ tiebreak: 1, task: 9 }, { tiebreak: 2, task: 0 });
    expectFirst({ task: 1 }, { task: 2 });
  });

  it("H26 a high campaign's last attempt comes before a normal one's first", () => {
    expectFirst(
      { band: "high", priority: 0, start: 9 },
      { band: "normal", priority: 10_000, start: 0 },
    );
  });

  it("H20 callbacks rank among themselves like other tasks", () => {
    expectFirst({ callback: true, band: "high" }, { callback: true, band: "low" });
    expectFirst({ callback: true, start: 1 }, { callback: true, start: 2 });
  });
});

describe("priority of an attempt", () => {
  const attempts = Array.from({ length: 300 }, (_, index) => index + 1);

  it("H25 batch attempt n has 101 − n, never below 0", () => {
    expect([1, 2, 3, 20, 100, 101].map(batchPriority)).toEqual([100, 99, 98, 81, 1, 0]);
    for (const n of attempts) expect(batchPriority(n)).toBe(n > 101 ? 0 : 101 - n);
  });

  it("H17 a push's attempt n has 201 − n, before every batch attempt", () => {
    expect([1, 2, 20, 200, 201].map(realtimePriority)).toEqual([200, 199, 181, 1, 0]);
    for (const n of attempts) expect(realtimePriority(n)).toBe(n > 201 ? 0 : 201 - n);
    for (let n = 1; n <= 20; n++) expect(realtimePriority(n)).toBeGreaterThan(batchPriority(1));
  });

  it("H17 own numbers count attempt by attempt, and a list too short repeats its last", () => {
    expect([1, 2, 3, 4].map((n) => priorityOf("realtime", [70, 0], n))).toEqual([70, 0, 0, 0]);
    expect([3, 4, 5].map((n) => priorityOf("realtime", [70, 30, 10], n))).toEqual([10, 10, 10]);
    expect([1, 2].map((n) => priorityOf("realtime", null, n))).toEqual([200, 199]);
    expect(priorityOf("realtime", [], 2)).toBe(199);
  });

  it("H25 a batch has no numbers of its own", () => {
    expect([1, 2].map((n) => priorityOf("batch", [7, 7], n))).toEqual([100, 99]);
    expect(priorityOf("batch", null, 3)).toBe(98);
  });

  it("H24 numbers are rounded into the whole ones from 0 to 10,000, and it says so", () => {
    for (const n of [0, 1, 9_999, 10_000])
      expect(roundPriority(n)).toEqual({ priority: n, changed: false });
    const rounded = [-1, -0.2, 0.4, 0.5, 9_999.5, 10_001, 1e300, -1e300].map(roundPriority);
    expect(rounded.map((one) => one.priority)).toEqual([0, 0, 0, 1, 10_000, 10_000, 10_000, 0]);
    expect(rounded.every((one) => one.changed)).toBe(true);
    expect(Object.is(roundPriority(-0.2).priority, 0)).toBe(true);
  });
});
