import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BANDS } from "../../src/core/campaign.ts";
import {
  batchPriority,
  compareRank,
  PRIORITY_MAX,
  priorityOf,
  type Rank,
  realtimePriority,
  roundPriority,
} from "../../src/core/rank.ts";
import { tried } from "./runs.ts";

const instant = fc.oneof(
  fc.constantFrom(0, 1, Date.UTC(2027, 0, 4), Number.MAX_SAFE_INTEGER),
  fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }),
);
const rank: fc.Arbitrary<Rank> = fc.record({
  callback: fc.boolean(),
  band: fc.constantFrom(...BANDS),
  priority: fc.oneof(fc.constantFrom(0, 1, 100, 200, PRIORITY_MAX), fc.nat(PRIORITY_MAX)),
  start: instant,
  tiebreak: fc.oneof(fc.constantFrom(0, 1, 2 ** 32 - 1), fc.maxSafeNat()),
  task: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.maxSafeNat()),
});
/** Ranks that share most of what they are ranked by. */
const near = fc
  .tuple(
    rank,
    fc.array(
      fc.tuple(
        rank,
        fc.constantFrom<keyof Rank>("band", "priority", "start", "tiebreak", "task", "callback"),
      ),
      { minLength: 2, maxLength: 8 },
    ),
  )
  .map(([one, others]) => [
    one,
    ...others.map(([other, field]) => ({ ...one, [field]: other[field] })),
  ]);
const ranks = fc.oneof(near, fc.array(rank, { minLength: 3, maxLength: 8 }));

/** What H24 says, as a list whose first difference decides; less is earlier. */
function written(one: Rank): number[] {
  const band = { high: 0, normal: 1, low: 2 }[one.band];
  return [one.callback ? 0 : 1, band, -one.priority, one.start, one.tiebreak, one.task];
}

function before(a: Rank, b: Rank): number {
  const other = written(b);
  const difference = written(a)
    .map((value, n) => (value === other[n] ? 0 : value < (other[n] ?? 0) ? -1 : 1))
    .find((sign) => sign !== 0);
  return difference ?? 0;
}

describe("H24 the order of due tasks", () => {
  test("is the handbook's, total, antisymmetric and transitive", () => {
    const property = fc.property(ranks, (some) => {
      for (const a of some) {
        expect(compareRank(a, a)).toBe(0);
        for (const b of some) {
          const sign = Math.sign(compareRank(a, b));
          expect(sign).toBe(before(a, b));
          expect(sign + Math.sign(compareRank(b, a))).toBe(0);
          if (sign === 0) expect(written(a)).toEqual(written(b));
          for (const c of some) {
            if (compareRank(a, b) <= 0 && compareRank(b, c) <= 0) {
              expect(compareRank(a, c)).toBeLessThanOrEqual(0);
            }
          }
        }
      }
    });
    fc.assert(property, tried(150));
  });

  test("does not depend on the order in which tasks came", () => {
    const property = fc.property(fc.uniqueArray(rank, { selector: (one) => one.task }), (some) => {
      const sorted = some.toSorted(compareRank);
      expect(some.toReversed().toSorted(compareRank)).toEqual(sorted);
    });
    fc.assert(property, tried(200));
  });
});

describe("the priority of an attempt", () => {
  const attempt = fc.integer({ min: 1, max: 20 });

  test("H25 H17 puts every earlier attempt first, and a push before any batch attempt", () => {
    const property = fc.property(attempt, attempt, (a, b) => {
      expect(batchPriority(a)).toBe(101 - a);
      expect(realtimePriority(a)).toBe(201 - a);
      if (a < b) {
        expect(batchPriority(a)).toBeGreaterThan(batchPriority(b));
        expect(realtimePriority(a)).toBeGreaterThan(realtimePriority(b));
      }
      expect(realtimePriority(a)).toBeGreaterThan(batchPriority(b));
    });
    fc.assert(property, tried(200));
  });

  test("H17 H25 is the task's own where it has one, the last of a short list again, never a batch's", () => {
    const property = fc.property(
      fc.option(fc.array(fc.nat(PRIORITY_MAX), { maxLength: 20 })),
      attempt,
      (own, n) => {
        expect(priorityOf("batch", own, n)).toBe(101 - n);
        const last = own?.at(-1);
        const expected = own === null || last === undefined ? 201 - n : (own[n - 1] ?? last);
        expect(priorityOf("realtime", own, n)).toBe(expected);
      },
    );
    fc.assert(property, tried(300));
  });

  test("H24 is rounded to the nearest whole number from 0 to 10,000, and says so", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.double({ min: -2, max: 10_002, noNaN: true }),
    );
    const property = fc.property(number, (n) => {
      const { priority, changed } = roundPriority(n);
      expect(Number.isInteger(priority) && priority >= 0 && priority <= PRIORITY_MAX).toBe(true);
      expect(Object.is(priority, -0)).toBe(false);
      expect(changed).toBe(n !== priority);
      if (n >= 0 && n <= PRIORITY_MAX) expect(Math.abs(priority - n)).toBeLessThanOrEqual(0.5);
      else expect(priority).toBe(n < 0 ? 0 : PRIORITY_MAX);
      expect(roundPriority(priority)).toEqual({ priority, changed: false });
    });
    fc.assert(property, tried(500));
  });
});
