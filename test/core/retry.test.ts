import { describe, expect, it } from "vitest";
import { isOutcome, OUTCOMES, type Outcome } from "../../src/core/outcome.ts";
import {
  awaitsAnalysis,
  decide,
  type Ending,
  intervalBefore,
  isRetried,
} from "../../src/core/retry.ts";

const OWN = ["interested", "wrong_person"];
const ALL: Outcome[] = [...OUTCOMES, ...OWN];
const CHOOSABLE = ["voicemail", "no_response", ...OWN];

function subsets<T>(items: T[]): T[][] {
  return Array.from({ length: 1 << items.length }, (_, mask) =>
    items.filter((_item, index) => (mask & (1 << index)) !== 0),
  );
}

const ENDING: Ending = {
  outcome: "no_answer",
  permanent: false,
  attempt: 1,
  attemptsMax: 3,
  intervalsMs: [1_000, 5_000],
  retryOutcomes: [],
  usesCallback: false,
  endedAt: 10_000,
  callbackAt: null,
  now: 10_500,
  archiving: false,
};

describe("outcomes", () => {
  it("H18 known outcomes and the agent's own are outcomes, other words are not", () => {
    for (const outcome of ALL) expect(isOutcome(outcome, OWN)).toBe(true);
    for (const outcome of OUTCOMES) expect(isOutcome(outcome, [])).toBe(true);
    for (const word of ["", "interested", "NO_ANSWER", "toString", "done"]) {
      expect(isOutcome(word, [])).toBe(false);
    }
  });
});

describe("intervals", () => {
  it("H17 the gap before attempt n is entry n − 2 and the last entry repeats", () => {
    const gaps = [10, 20, 30];
    expect([2, 3, 4, 5, 20].map((n) => intervalBefore(gaps, n))).toEqual([10, 20, 30, 30, 30]);
    expect([2, 3, 9].map((n) => intervalBefore([7], n))).toEqual([7, 7, 7]);
  });

  it("H2 an interval of zero is an interval", () => {
    expect(intervalBefore([0, 5], 2)).toBe(0);
    expect(intervalBefore([5, 0], 9)).toBe(0);
  });

  it("H17 without any value the gap is 30 minutes", () => {
    expect(intervalBefore([], 2)).toBe(1_800_000);
  });

  it("H16 a first attempt has no interval", () => {
    const why = "bug: only a second or later attempt has an interval";
    for (const n of [1, 0, -1, 1.5, Number.NaN]) expect(() => intervalBefore([1], n)).toThrow(why);
  });
});

describe("which outcomes are retried", () => {
  const always = ["no_answer", "busy", "failed", "init_failed"];

  it("H18 every outcome × every chosen set × the agent's use of callbacks", () => {
    let seen = 0;
    for (const retryOutcomes of subsets(CHOOSABLE)) {
      for (const usesCallback of [false, true]) {
        const retried = ALL.filter((outcome) =>
          isRetried(outcome, { retryOutcomes, usesCallback }),
        );
        const expected = [...always, ...retryOutcomes, ...(usesCallback ? ["busy_callback"] : [])];
        expect(retried.toSorted()).toEqual(expected.toSorted());
        seen += 1;
      }
    }
    expect(seen).toBe(32);
  });

  it("H18 choosing connected, or busy_callback for an agent without it, retries nothing", () => {
    const retryOutcomes = [...OUTCOMES];
    expect(isRetried("connected", { retryOutcomes, usesCallback: true })).toBe(false);
    expect(isRetried("busy_callback", { retryOutcomes, usesCallback: false })).toBe(false);
  });
});

describe("what becomes of a task", () => {
  it("H18 every outcome × attempts left × chosen set × callbacks × archiving × permanent", () => {
    let seen = 0;
    for (const outcome of ALL) {
      for (const [attempt, attemptsMax] of [
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 3],
        [3, 2],
      ] as const) {
        for (const retryOutcomes of subsets(CHOOSABLE)) {
          for (const usesCallback of [false, true]) {
            for (const archiving of [false, true]) {
              for (const permanent of [false, true]) {
                const rule = { retryOutcomes, usesCallback };
                const again = isRetried(outcome, rule) && attempt < attemptsMax && !permanent;
                const ending = {
                  ...ENDING,
                  ...rule,
                  outcome,
                  attempt,
                  attemptsMax,
                  archiving,
                  permanent,
                };
                const expected = !again
                  ? { next: "complete" }
                  : archiving
                    ? { next: "archive" }
                    : {
                        next: "retry",
                        attempt: attempt + 1,
                        at: 10_000 + (attempt === 1 ? 1_000 : 5_000),
                        callback: false,
                      };
                expect(decide(ending)).toEqual(expected);
                seen += 1;
              }
            }
          }
        }
      }
    }
    expect(seen).toBe(10 * 5 * 16 * 2 * 2 * 2);
  });

  it("H19 the next attempt is due at the end of the last plus the interval, however late it is decided", () => {
    expect(decide({ ...ENDING, now: 9_999_999 })).toMatchObject({ at: 11_000 });
    expect(decide({ ...ENDING, attempt: 2 })).toMatchObject({ attempt: 3, at: 15_000 });
  });

  it("H20 a callback is due at the time asked for, or at once when that has passed", () => {
    const asked = { ...ENDING, outcome: "busy_callback", usesCallback: true };
    const callback = { next: "retry", attempt: 2, callback: true };
    expect(decide({ ...asked, callbackAt: 99_000 })).toEqual({ ...callback, at: 99_000 });
    expect(decide({ ...asked, callbackAt: 10_500 })).toEqual({ ...callback, at: 10_500 });
    expect(decide({ ...asked, callbackAt: 3 })).toEqual({ ...callback, at: 10_500 });
  });

  it("H20 busy_callback without a time is an ordinary retry", () => {
    const asked = { ...ENDING, outcome: "busy_callback", usesCallback: true };
    expect(decide(asked)).toEqual({ next: "retry", attempt: 2, at: 11_000, callback: false });
  });

  it("H20 a callback uses an attempt like any other and waits under no archive", () => {
    const asked = { ...ENDING, outcome: "busy_callback", usesCallback: true, callbackAt: 99_000 };
    expect(decide({ ...asked, attempt: 3 })).toEqual({ next: "complete" });
    expect(decide({ ...asked, archiving: true })).toEqual({ next: "archive" });
    expect(decide({ ...asked, usesCallback: false })).toEqual({ next: "complete" });
  });

  it("H20 a time that comes with another outcome moves nothing", () => {
    expect(decide({ ...ENDING, callbackAt: 99_000 })).toMatchObject({
      at: 11_000,
      callback: false,
    });
    expect(decide({ ...ENDING, outcome: "connected", callbackAt: 99_000 })).toEqual({
      next: "complete",
    });
  });

  it("H21 a number that cannot exist completes its task with attempts left", () => {
    const gone = { ...ENDING, outcome: "failed", permanent: true };
    expect(decide(gone)).toEqual({ next: "complete" });
    expect(decide({ ...gone, archiving: true })).toEqual({ next: "complete" });
  });

  it("H4 attempts that an edit took away are used up", () => {
    expect(decide({ ...ENDING, attempt: 2, attemptsMax: 1 })).toEqual({ next: "complete" });
  });
});

describe("whether the analysis is awaited", () => {
  const agents = [
    { ownOutcomes: [], usesCallback: false },
    { ownOutcomes: [], usesCallback: true },
    { ownOutcomes: OWN, usesCallback: false },
    { ownOutcomes: OWN, usesCallback: true },
  ];

  it("H18 only for a connected call of an agent with such outcomes, whose end brought none", () => {
    for (const agent of agents) {
      for (const connected of [false, true]) {
        for (const outcome of [null, ...ALL]) {
          const has = agent.ownOutcomes.length > 0 || agent.usesCallback;
          const known: (string | null)[] = [...agent.ownOutcomes, "busy_callback"];
          const expected = has && connected && !known.includes(outcome);
          expect(awaitsAnalysis(agent, { connected, outcome })).toBe(expected);
        }
      }
    }
  });

  it("H18 examples: connected waits, interested does not, an agent without own outcomes never does", () => {
    const own = { ownOutcomes: OWN, usesCallback: false };
    const plain = { ownOutcomes: [], usesCallback: false };
    expect(awaitsAnalysis(own, { connected: true, outcome: "connected" })).toBe(true);
    expect(awaitsAnalysis(own, { connected: true, outcome: null })).toBe(true);
    expect(awaitsAnalysis(own, { connected: true, outcome: "interested" })).toBe(false);
    expect(awaitsAnalysis(own, { connected: false, outcome: "no_answer" })).toBe(false);
    expect(awaitsAnalysis(plain, { connected: true, outcome: "connected" })).toBe(false);
  });
});
