import { describe, expect, test } from "vitest";
import { lineOf, tableOf, type View } from "../../scripts/table.ts";
import { campaignExample } from "../../src/contract/campaign.ts";

const batch = {
  ...campaignExample,
  name: "Orders with a name that is too long",
  type: "batch" as const,
  status: "running" as const,
  priority: "normal" as const,
  days: [],
  waiting: null,
  counters: { ...campaignExample.counters, paused: 4, archived: 2, outcomes: { busy: 3 } },
};
const VIEW: View = {
  workspace: { slots: 10, slotsInUse: 4, waiting: 7 },
  campaigns: [batch],
  calls: [
    {
      campaign: batch.id,
      startedAt: 1_764_576_061_000,
      to: "+919876543210",
      status: "talking",
      outcome: null,
    },
    {
      campaign: "cmp_gone",
      startedAt: 1_764_576_060_000,
      to: "+12125550138",
      status: "ended",
      outcome: "busy",
    },
  ],
};

describe("what npm start shows", () => {
  test("slots in use, each campaign's tasks, outcomes and the last calls", () => {
    expect(tableOf(VIEW)).toEqual([
      "",
      "slots ████░░░░░░ 4 of 10 in use, 7 tasks waiting",
      "",
      "campaign             band    status      waiting   running completed  archived",
      "Orders with a name … normal  running           7         1        41         2",
      "",
      "outcomes  busy 3",
      "calls     08:01:01  +91••••••••10  Orders with a name … talking",
      "          08:01:00  +1••••••••38                        busy",
    ]);
  });

  test("the same in a line, for logs", () => {
    expect(lineOf(VIEW)).toBe(
      "slots 4/10 | Orders with a name that is too long running: 7 waiting, 1 running, 41 completed, 2 archived | busy 3",
    );
  });

  test("no number in full", () => {
    const shown = [...tableOf(VIEW), lineOf(VIEW)].join("\n");
    for (const { to } of VIEW.calls) expect(shown).not.toContain(to.slice(-6));
  });
});
