import type { CarrierReport } from "../../src/carriers/carrier.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import { MINUTE, START } from "../support/node/world.ts";
import { campaignsMove, leaseEnds, type Step, tasksMove } from "./moves.ts";
import { begin, bring, found, numberOf, part } from "./people.ts";
import type { Small } from "./small.ts";

/** A way for a call to end, and outcomes that its analysis may bring later. */
export type End = {
  name: string;
  news: (now: number) => Partial<CarrierReport["news"]>;
  analyses?: readonly string[];
};

/** A small world: what it has, and what may happen in it. Left out: everything that may be left out. */
export type Scene = {
  name: string;
  /** Moves that are walked in every order, by default. */
  depth: number;
  slots: number;
  /** `at once`: D1 hears of each move before the next; `away`: it hears of nothing. */
  d1: "at once" | "by hand" | "away";
  /** Whether the object may die around each commit of each move. */
  kills: boolean;
  answers: readonly ("rings first" | "loses" | "capacity" | "rejected" | "permanent")[];
  ends: readonly End[];
  looks?: readonly ("finds" | "knows nothing" | "fails")[];
  /** A call's being answered is reported too. */
  rings?: boolean;
  unheard?: false;
  again?: false;
  /** `alone`: nobody asks for it right after. */
  dies?: false | "alone";
  /** The alarm may be late or lost, and the tick comes. */
  alarms?: boolean;
  /** What happens depends on the hour. */
  clock?: boolean;
  setUp(small: Small): Promise<void>;
  people?(small: Small): Step[];
  /** Instants to which the clock may jump, past whatever is due before. */
  instants?(small: Small): { name: string; at: number }[];
  /** What must be done so that everything can end. */
  finish?(small: Small): Promise<void>;
};

const noAnswer: End = {
  name: "no answer",
  news: (now) => ({ ended: true, concluding: true, outcome: "no_answer", endedAt: now }),
};
const connected: End = {
  name: "connected",
  news: (now) => ({
    ended: true,
    concluding: true,
    outcome: "connected",
    answeredAt: now,
    endedAt: now,
  }),
};
const refusedLater: End = {
  name: "refused after all",
  news: (now) => ({ ended: true, concluding: true, refusal: "capacity", endedAt: now }),
};
const hangsUp: End = {
  name: "hung up",
  news: (now) => ({ ended: true, answeredAt: now, endedAt: now }),
  analyses: ["interested", "stop"],
};
const callback: End = {
  name: "asks for a callback",
  news: (now) => ({
    ended: true,
    concluding: true,
    outcome: "busy_callback",
    answeredAt: now,
    endedAt: now,
    callbackAt: now + 3 * MINUTE,
  }),
};

const first = (small: Small): CampaignId => {
  const [campaign] = small.campaigns;
  if (campaign === undefined) throw new Error("there is no campaign");
  return campaign.id;
};

/** A push that may come once. */
function push(small: Small, name: string, campaign: CampaignId): Step[] {
  if (small.judge.facts.tasks[name] !== undefined) return [];
  return [{ name: `${name} is pushed`, run: () => bring(small, name, campaign) }];
}

export const SCENES: readonly Scene[] = [
  {
    name: "one task, every fault",
    depth: 4,
    slots: 1,
    d1: "at once",
    kills: true,
    answers: ["rings first", "loses", "capacity", "rejected", "permanent"],
    ends: [noAnswer, refusedLater],
    instants: leaseEnds,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads"));
    },
  },
  {
    name: "two tasks, two slots, retries",
    depth: 6,
    slots: 2,
    d1: "at once",
    kills: false,
    answers: ["loses", "capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    setUp: async (small) => {
      await found(small);
      const campaign = await begin(small, "Leads", { maxAttempts: 3 });
      await bring(small, "A", campaign);
      await bring(small, "B", campaign);
    },
  },
  {
    name: "batch and high leads, one slot",
    depth: 6,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small);
      const batch = await begin(small, "Batch", { type: "batch" });
      await begin(small, "Leads", { priority: "high", maxAttempts: 1 });
      await part(small, batch, { id: "i1", part: 0, last: true }, ["A", "B"]);
    },
    people: (small) => [
      ...push(small, "C", (small.campaigns[1] ?? { id: first(small) }).id),
      ...campaignsMove(small, ["pause", "resume"], "Batch"),
    ],
  },
  {
    name: "analysis and do-not-call",
    depth: 6,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: [],
    rings: true,
    ends: [hangsUp],
    looks: ["finds", "knows nothing"],
    setUp: async (small) => {
      await found(small, {
        agent: {
          outcomes: [
            { name: "interested", suppress: false },
            { name: "stop", suppress: true },
          ],
        },
      });
      const leads = await begin(small, "Leads", { retryOutcomes: ["interested"] });
      const more = await begin(small, "More", { priority: "low" });
      await bring(small, "A", leads);
      await bring(small, "B", more, { phone: numberOf("A") });
    },
  },
  {
    name: "callback",
    depth: 6,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["capacity"],
    ends: [callback, noAnswer],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small, { agent: { usesCallback: true } });
      const leads = await begin(small, "Leads", { priority: "low", intervals: 2 * MINUTE });
      for (const name of ["A", "B", "C"]) await bring(small, name, leads);
    },
    instants: () => [{ name: "five minutes past", at: START + 5 * MINUTE }],
  },
  {
    name: "the window's edge",
    depth: 5,
    slots: 1,
    d1: "at once",
    kills: false,
    clock: true,
    answers: ["loses", "capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    instants: (small) => [
      { name: "the moment before it closes", at: CLOSES - 1 },
      { name: "the moment it closes", at: CLOSES },
      ...leaseEnds(small),
    ],
    setUp: async (small) => {
      await found(small);
      const leads = await begin(small, "Leads", { start: 800, end: 910, hours: OPEN });
      await bring(small, "A", leads);
      await bring(small, "B", leads);
    },
  },
  {
    name: "an import with an open part",
    depth: 6,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: [],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small);
      const batch = await begin(small, "Batch", { type: "batch" });
      await part(small, batch, { id: "i1", part: 0, last: true }, ["A"]);
      await part(small, batch, { id: "i2", part: 0, last: false }, ["B"]);
    },
    people: (small) => [
      ...(small.judge.facts.imports.i2
        ? [{ name: "the last part comes", run: () => lastPart(small) }]
        : []),
      ...campaignsMove(small, ["pause", "resume", "archive"]),
    ],
    finish: async (small) => {
      if (small.judge.facts.imports.i2) await lastPart(small);
    },
  },
  {
    name: "deaths around a part and a move",
    depth: 3,
    slots: 1,
    d1: "at once",
    kills: true,
    answers: [],
    ends: [],
    again: false,
    setUp: async (small) => {
      await found(small);
      const batch = await begin(small, "Batch", { type: "batch" });
      await part(small, batch, { id: "i1", part: 0, last: true }, ["A"]);
      await part(small, batch, { id: "i2", part: 0, last: false }, ["B"]);
    },
    people: (small) => [
      ...(small.judge.facts.imports.i2
        ? [{ name: "the last part comes", run: () => lastPart(small) }]
        : []),
      ...campaignsMove(small, ["pause", "resume", "archive"]),
      ...tasksMove(small, ["A", "B"], ["archive"]),
    ],
    finish: async (small) => {
      if (small.judge.facts.imports.i2) await lastPart(small);
    },
  },
  {
    name: "ends of a campaign and of a task",
    depth: 5,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["loses", "capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    instants: (small) => [
      { name: "the end of A", at: START + 4 * MINUTE },
      { name: "the end of the campaign", at: START + 6 * MINUTE },
      ...leaseEnds(small),
    ],
    setUp: async (small) => {
      await found(small);
      const leads = await begin(small, "Leads", { endAfter: START + 6 * MINUTE });
      await bring(small, "A", leads, { endAfter: START + 4 * MINUTE });
      await bring(small, "B", leads);
    },
    people: (small) => campaignsMove(small, ["pause"]),
  },
  {
    name: "pauses and archives",
    depth: 5,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small);
      const leads = await begin(small, "Leads");
      await bring(small, "A", leads);
      await bring(small, "B", leads);
    },
    people: (small) => [
      ...tasksMove(small, ["A"], ["pause", "resume", "archive"]),
      ...tasksMove(small, ["B"], ["pause", "resume"]),
      ...campaignsMove(small, ["pause", "resume", "archive"]),
    ],
  },
  {
    name: "late reports after a rescue",
    depth: 5,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["loses"],
    ends: [connected, noAnswer],
    looks: ["knows nothing"],
    instants: leaseEnds,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads", { intervals: 10 * MINUTE }));
    },
    people: (small) => [
      ...tasksMove(small, ["A"], ["pause", "resume", "archive"]),
      ...campaignsMove(small, ["archive"]),
    ],
  },
  {
    name: "late reports while D1 is away",
    depth: 6,
    slots: 1,
    d1: "away",
    kills: false,
    answers: [],
    ends: [noAnswer],
    looks: ["knows nothing"],
    again: false,
    instants: leaseEnds,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads", { intervals: 10 * MINUTE }));
    },
    people: (small) => [
      ...tasksMove(small, ["A"], ["pause", "resume", "archive"]),
      ...campaignsMove(small, ["archive"]),
    ],
  },
  {
    name: "edits",
    depth: 6,
    slots: 1,
    d1: "at once",
    kills: false,
    answers: ["capacity"],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small);
      const leads = await begin(small, "Leads", { slots: 1 });
      const more = await begin(small, "More", { priority: "low" });
      await bring(small, "A", leads);
      await bring(small, "B", more);
    },
    people: (small) => edits(small),
  },
  {
    name: "alarms late and lost",
    depth: 5,
    slots: 1,
    d1: "at once",
    kills: false,
    alarms: true,
    answers: ["loses"],
    ends: [noAnswer],
    again: false,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads"));
    },
  },
  {
    name: "D1 by hand",
    depth: 9,
    slots: 1,
    d1: "by hand",
    kills: false,
    dies: "alone",
    answers: [],
    ends: [noAnswer],
    looks: ["finds"],
    unheard: false,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads", { maxAttempts: 1 }));
    },
  },
  {
    name: "deaths around a flush",
    depth: 4,
    slots: 1,
    d1: "by hand",
    kills: true,
    answers: [],
    ends: [connected],
    looks: ["finds"],
    unheard: false,
    again: false,
    setUp: async (small) => {
      await found(small);
      await bring(small, "A", await begin(small, "Leads"));
    },
    people: (small) => tasksMove(small, ["A"], ["pause", "resume"]),
  },
];

/** 09:10, in the walk's first minutes; it opens again at 08:00. */
const CLOSES = START + 10 * MINUTE;
const DAY = 24 * 60 * MINUTE;
const OPEN = [0, 1, 2, 3, 4, 5].map((day) => ({
  from: START - 60 * MINUTE + day * DAY,
  until: CLOSES + day * DAY,
}));

function lastPart(small: Small): Promise<void> {
  return part(small, first(small), { id: "i2", part: 1, last: true }, ["C"]);
}

/** H4: what counts from the next dial on, and what from the next conclusion. */
function edits(small: Small): Step[] {
  const [leads, more] = small.campaigns;
  if (leads === undefined || more === undefined) return [];
  const edit = (of: typeof leads, body: object, tell: () => void) => () =>
    small.ask(() => small.dialer.editCampaign(of.id, body), tell);
  const facts = small.judge.campaign(leads.key);
  const other = small.judge.campaign(more.key);
  const steps: Step[] = [];
  const retries = facts.attemptsMax === 2 ? 1 : 2;
  steps.push({
    name: `Leads gets ${retries} attempts`,
    run: edit(leads, { maxAttempts: retries }, () => {
      facts.attemptsMax = retries;
    }),
  });
  const band = other.band === "low" ? "high" : "low";
  steps.push({
    name: `More gets priority ${band}`,
    run: edit(more, { priority: band }, () => {
      other.band = band;
    }),
  });
  if (facts.intervalMs === MINUTE) {
    steps.push({
      name: "Leads gets longer intervals",
      run: edit(leads, { intervals: 3 * MINUTE }, () => {
        facts.intervalMs = 3 * MINUTE;
      }),
    });
  }
  return steps;
}
