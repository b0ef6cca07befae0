import type { Fault } from "./fault.ts";

/** H24–H26: the best due task first. */
export const ORDER: Fault[] = [
  {
    name: "ties of a batch are broken by insertion",
    rule: "H24",
    file: "src/dialer/imports.ts",
    find: "tiebreak: Math.floor(random() * 2 ** 31)",
    replace: "tiebreak: id",
    by: "test/handbook/order.test.ts",
  },
  {
    name: "ties between lanes are broken by insertion",
    rule: "H24",
    file: "src/core/rank.ts",
    find: "  if (a.tiebreak !== b.tiebreak) return a.tiebreak - b.tiebreak;\n",
    replace: "",
    by: "test/core/rank.test.ts",
  },
  {
    name: "an equal start keeps the head that was there first",
    rule: "H24",
    file: "src/dialer/lanes.ts",
    find: "lane.head !== null && compareHead(lane.head, head) <= 0",
    replace: "lane.head !== null && lane.head.at <= head.at",
    by: "sim",
  },
  {
    name: "the band before the callback",
    rule: "H24",
    file: "src/core/rank.ts",
    find: `  if (a.callback !== b.callback) return a.callback ? -1 : 1;
  if (a.band !== b.band) return BANDS.indexOf(a.band) - BANDS.indexOf(b.band);`,
    replace: `  if (a.band !== b.band) return BANDS.indexOf(a.band) - BANDS.indexOf(b.band);
  if (a.callback !== b.callback) return a.callback ? -1 : 1;`,
    by: "test/core/rank.test.ts",
  },
  {
    name: "second attempts of a batch rank with its first",
    rule: "H25",
    file: "src/core/rank.ts",
    find: "return Math.max(0, 101 - attempt);",
    replace: "return attempt > 100 ? 0 : 100;",
    by: "sim",
  },
  {
    name: "a retry keeps the priority of the attempt before",
    rule: "H25",
    file: "src/dialer/conclude.ts",
    find: "laneKey(campaign, task.settings, decision.attempt, {",
    replace: "laneKey(campaign, task.settings, call.attempt, {",
    by: "sim",
  },
  {
    name: "a batch without an instant of its own is as old as time",
    rule: "H24",
    file: "src/dialer/lanes.ts",
    find: "const start = head.at === 0 ? (campaign.startsAt ?? 0) : head.at;",
    replace: "const start = head.at;",
    by: "test/handbook/order.test.ts",
  },
  {
    name: "the campaign's start counts as a push's own",
    rule: "H24",
    file: "src/dialer/push.ts",
    find: "at: task.settings.startAfter ?? now,",
    replace: "at: Math.max(task.settings.startAfter ?? now, campaign.startsAt ?? 0),",
    by: "test/handbook/order.test.ts",
  },
  {
    name: "a new band does not count for tasks that wait",
    rule: "H4",
    file: "src/dialer/campaigns.ts",
    find: "  state.lanes.rankCampaign(campaign.id, now);\n",
    replace: "",
    by: "sim",
  },
  {
    name: "a push's own priorities are read one attempt too late",
    rule: "H24",
    file: "src/core/rank.ts",
    find: "own?.[attempt - 1] ?? own?.at(-1)",
    replace: "own?.[attempt] ?? own?.at(-1)",
    by: "sim",
  },
];
