import { describe, expect, it } from "vitest";
import { WAITING_REASONS, type Waiting } from "../../src/core/campaign.ts";
import { explain, type Standing } from "../../src/core/waiting.ts";

const NOW = 1_000;
const FREE: Standing = {
  now: NOW,
  paused: false,
  importOpen: false,
  startsAt: 500,
  at: 0,
  kind: "first",
  opensAt: null,
  connection: null,
  pace: null,
  limitReached: false,
  slotsFull: false,
};

/** Everything that can hold a task, the strongest first. */
const HOLDS: { set: Partial<Standing>; waiting: Waiting }[] = [
  { set: { paused: true }, waiting: { reason: "paused", until: null } },
  { set: { importOpen: true }, waiting: { reason: "import", until: null } },
  { set: { startsAt: 9_001 }, waiting: { reason: "start", until: 9_001 } },
  { set: { at: 9_002, kind: "retry" }, waiting: { reason: "interval", until: 9_002 } },
  { set: { opensAt: 9_003 }, waiting: { reason: "hours", until: 9_003 } },
  {
    set: { connection: { reason: "401 Unauthorized", until: 9_004 } },
    waiting: { reason: "connection", until: 9_004, detail: "401 Unauthorized" },
  },
  { set: { pace: { until: 9_005 } }, waiting: { reason: "pace", until: 9_005 } },
  { set: { limitReached: true }, waiting: { reason: "limit", until: null } },
  { set: { slotsFull: true }, waiting: { reason: "slots", until: null } },
];

describe("why something waits", () => {
  it("H41 of every set of holds the strongest is told", () => {
    for (let mask = 0; mask < 1 << HOLDS.length; mask++) {
      const held = HOLDS.filter((_, index) => (mask & (1 << index)) !== 0);
      const standing = held.reduce((all, hold) => Object.assign(all, hold.set), { ...FREE });
      expect(explain(standing)).toEqual(held[0]?.waiting ?? null);
    }
  });

  it("H41 what is due and next waits for nothing", () => {
    expect(explain(FREE)).toBeNull();
    expect(explain({ ...FREE, startsAt: NOW, at: NOW })).toBeNull();
  });

  it("H41 a task's own time is named by its kind", () => {
    const reasons = (["first", "retry", "callback"] as const).map((kind) =>
      explain({ ...FREE, at: NOW + 1, kind }),
    );
    expect(reasons).toEqual([
      { reason: "start", until: NOW + 1 },
      { reason: "interval", until: NOW + 1 },
      { reason: "callback", until: NOW + 1 },
    ]);
  });

  it("H11 a batch without an import waits for one", () => {
    expect(explain({ ...FREE, startsAt: null })).toEqual({ reason: "import", until: null });
  });

  it("H41 every reason can be told", () => {
    const told = HOLDS.map((hold) => hold.waiting.reason);
    expect([...told, "callback"].toSorted()).toEqual([...WAITING_REASONS].toSorted());
  });

  it("H41 dials that wait for their answer hold up the pace, until one comes", () => {
    const waiting = { reason: "pace", until: null };
    expect(explain({ ...FREE, pace: { until: null } })).toEqual(waiting);
  });

  it("H41 a suspended connection may have no known end", () => {
    const connection = { reason: "no credit", until: null };
    expect(explain({ ...FREE, connection })).toEqual({
      reason: "connection",
      until: null,
      detail: "no credit",
    });
  });
});
