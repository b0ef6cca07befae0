import type { Habits } from "./carrier.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { Random } from "./random.ts";
import type { Connection } from "./reference/model.ts";
import type { Agent } from "./reference/rules.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What somebody does at an instant; what exactly is drawn from its own seed. */
export const OPERATIONS = [
  "create a batch",
  "create a realtime campaign",
  "import",
  "push",
  "push a burst",
  "race",
  "pause a campaign",
  "resume a campaign",
  "archive a campaign",
  "edit a campaign",
  "pause a task",
  "resume a task",
  "archive a task",
  "read",
  "change the slots",
  "forbid a number",
  "object dies",
  "object is evicted",
  "D1 goes away",
  "carrier goes away",
  "carrier goes deaf",
] as const;
export type Operation = {
  kind: (typeof OPERATIONS)[number];
  at: number;
  seed: number;
  who: number;
};

export type WorkspacePlan = {
  slots: number;
  zone: string;
  hours: { opens: number; closes: number };
  days: number[];
  connections: (Connection & { habits: Habits })[];
  agents: Agent[];
  /** About how many tasks it gets in its day. */
  tasks: number;
  /** Whether some of them have an address of their own, and whether it has a webhook. */
  callbacks: boolean;
  webhook: boolean;
};

/** A whole world before anything happens in it. */
export type Plan = {
  seed: number;
  start: number;
  end: number;
  cronMinutes: number;
  shares: Map<Fault, number>;
  workspaces: WorkspacePlan[];
  operations: Operation[];
};

/** Days on which something is odd about the clocks somewhere, and others. */
const STARTS = [
  Date.UTC(2027, 2, 13, 20), // New York, St John's: an hour forward
  Date.UTC(2027, 2, 27, 18), // Berlin: an hour forward
  Date.UTC(2027, 9, 30, 18), // Berlin: an hour back
  Date.UTC(2027, 10, 6, 20), // New York: an hour back
  Date.UTC(2027, 3, 3, 6), // Lord Howe and Chatham: back
  Date.UTC(2027, 9, 2, 6), // Lord Howe: half an hour forward
  Date.UTC(2026, 11, 31, 12),
  Date.UTC(2028, 1, 28, 12),
  Date.UTC(2027, 5, 16, 0),
  Date.UTC(2027, 7, 8, 3),
];
const ZONES = [
  "UTC",
  "Asia/Kolkata",
  "America/New_York",
  "Europe/Berlin",
  "Australia/Lord_Howe",
  "America/Sao_Paulo",
  "Asia/Kathmandu",
  "Pacific/Chatham",
  "America/St_Johns",
];

/** How likely each fault is at each of its opportunities, in a world that has it. */
const SHARES: Record<Fault, number> = {
  "object dies between two events": 0,
  "object dies before a commit": 0.002,
  "object dies after a commit": 0.002,
  "object is evicted": 0,
  "storage fails": 0.002,
  "alarm comes late": 0.05,
  "alarm comes twice": 0.05,
  "alarm is dropped": 0.02,
  "cron misses its minute": 0.1,
  "request to the object is lost": 0.01,
  "reply of the object is lost": 0.01,
  "request is sent twice": 0.02,
  "D1 refuses": 0.02,
  "D1 answers after it gave up": 0.02,
  "D1 is slow": 0.02,
  "D1 is away": 0,
  "queue delivers twice": 0.05,
  "queue delivers late": 0.02,
  "queue consumer dies": 0.03,
  "message becomes a dead letter": 0.05,
  "carrier answers late": 0.02,
  "carrier fails after dialling": 0.01,
  "carrier never answers": 0.005,
  "carrier refuses for capacity": 0.06,
  "carrier refuses the account": 0.005,
  "carrier is not reached": 0.005,
  "carrier refuses the request": 0.02,
  "number cannot exist": 0.02,
  "carrier refuses by report": 0.03,
  "carrier never reports": 0.03,
  "carrier reports twice": 0.1,
  "carrier reports before it answers": 0.05,
  "carrier reports after the lease": 0.04,
  "carrier reports out of order": 0.05,
  "carrier knows nothing at look-up": 0.3,
  "carrier fails at look-up": 0.1,
  "carrier has an outage": 0,
  "analysis comes late": 0.2,
  "hint is lost": 0.1,
  "hand-over of a copy is lost": 0.3,
  "clock is off": 0.5,
  "receiver is busy": 0.03,
  "receiver refuses": 0.01,
  "receiver takes it and does not answer": 0.02,
  "receiver is away": 0.002,
};
/** Drawn apart, so that worlds are what they were before there were any. */
const OF_RECEIVERS: readonly Fault[] = FAULTS.filter((fault) => fault.startsWith("receiver "));

const OUTCOMES = ["connected", "no_answer", "busy", "voicemail", "no_response", "failed"];

export function planOf(seed: number): Plan {
  const random = new Random(seed, "plan");
  const start = random.pick(STARTS) + random.whole(0, 6 * 60) * MINUTE;
  const shares = new Map<Fault, number>();
  const bad = random.next();
  for (const fault of FAULTS) {
    if (OF_RECEIVERS.includes(fault)) continue;
    // Some worlds have all faults, some have few, a few have none.
    if (random.chance(0.25 + bad * 0.7)) shares.set(fault, SHARES[fault] * (0.5 + random.next()));
  }
  if (random.chance(0.04)) shares.clear();
  else {
    const own = new Random(seed, "receivers");
    for (const fault of OF_RECEIVERS) {
      if (own.chance(0.25 + bad * 0.7)) shares.set(fault, SHARES[fault] * (0.5 + own.next()));
    }
  }
  const count = random.pick([1, 1, 1, 2, 2, 3, 4]);
  const tasks = random.skewed(250, 2_000);
  const workspaces = Array.from({ length: count }, (_, index) =>
    workspaceOf(new Random(seed, `workspace ${index}`), index, Math.ceil(tasks / count)),
  );
  // In each fifth world many wait for few slots when the hours end, or their time, or a pause comes.
  const isCrowded = seed % 5 === 0;
  if (isCrowded) for (const one of workspaces) crowd(new Random(seed, `crowd ${one.zone}`), one);
  const end = start + DAY;
  const operations = workspaces.flatMap((one, who) =>
    operationsOf(new Random(seed, `operations ${who}`), { start, end, who, tasks: one.tasks }),
  );
  const day = { start, workspaces: count };
  // More than few slots take.
  if (isCrowded) operations.push(...often("push a burst", 60, new Random(seed, "bursts"), day));
  // In another fifth carriers go deaf again and again: they answer everything but dials.
  if (seed % 5 === 1) {
    shares.set("carrier has an outage", 0);
    operations.push(...often("carrier goes deaf", 12, new Random(seed, "deaf"), day));
  }
  operations.sort((a, b) => a.at - b.at);
  const cronMinutes = random.pick([2, 5, 10]);
  return { seed, start, end, cronMinutes, shares, workspaces, operations };
}

function workspaceOf(random: Random, index: number, tasks: number): WorkspacePlan {
  const connections = Array.from({ length: random.pick([1, 1, 2]) }, (_, n) => {
    const id = `c${index}${n}`;
    return {
      id,
      lengthMaxMs: random.pick([1, 3, 10, 30]) * MINUTE,
      perSecond: random.chance(0.2) ? random.pick([0.5, 1, 5]) : null,
      callsMax: random.chance(0.2) ? random.whole(1, 20) : null,
      habits: habitsOf(random),
    };
  });
  const agents = connections.flatMap((connection, n) =>
    Array.from({ length: 2 }, (_, m) => agentOf(random, `a${index}${n}${m}`, connection)),
  );
  return {
    slots: random.skewed(1, 200),
    zone: random.pick(ZONES),
    hours: random.chance(0.6) ? { opens: 0, closes: 1440 } : hoursOf(random),
    days: [0, 1, 2, 3, 4, 5, 6],
    connections,
    agents,
    tasks,
    webhook: random.chance(0.3),
    callbacks: random.chance(0.15),
  };
}

/** Has calls wait for slots: few of them, long talks, hours that end. */
function crowd(random: Random, workspace: WorkspacePlan): void {
  workspace.slots = random.whole(1, 2);
  workspace.hours = hoursOf(random);
  for (const { habits } of workspace.connections) {
    habits.talkMaxMs = random.whole(5, 10) * MINUTE;
    habits.outcomes = sharesOf(
      habits.outcomes.map(([name, share]) => [name, name === "connected" ? share + 1 : share]),
    );
  }
}

/** The same thing again and again, all day long. */
function often(
  kind: Operation["kind"],
  times: number,
  random: Random,
  { start, workspaces }: { start: number; workspaces: number },
): Operation[] {
  return Array.from({ length: times }, () => ({
    kind,
    at: start + random.whole(10, 20 * 60) * MINUTE,
    who: random.whole(0, workspaces - 1),
    seed: random.whole(1, 2 ** 31),
  }));
}

/** Weights as shares of one. */
function sharesOf(weights: [string, number][]): [string, number][] {
  const sum = weights.reduce((all, [, weight]) => all + weight, 0);
  return weights.map(([name, weight]) => [name, weight / sum]);
}

function habitsOf(random: Random): Habits {
  const shares = OUTCOMES.map((outcome) => [outcome, random.next()] as [string, number]);
  if (random.chance(0.6)) shares.push(["busy_callback", random.next() * 0.5]);
  if (random.chance(0.6)) shares.push(["interested", random.next()], ["stop", random.next() * 0.3]);
  if (random.chance(0.1)) shares.push(["word_of_its_own", 0.2]);
  return {
    answerMs: random.skewed(20, 6_000),
    callsMax: random.chance(0.2) ? random.skewed(1, 50) : 1_000,
    talkMaxMs: random.skewed(20_000, 10 * MINUTE),
    outcomes: sharesOf(shares),
    names: random.pick(["ours", "both", "both", "theirs"]),
    chatty: random.chance(0.5),
    analyses: random.chance(0.4),
    skew: random.chance(0.3) ? random.whole(-2_000, 2_000) : 0,
    blind: random.chance(0.25),
  };
}

function agentOf(random: Random, id: string, connection: Connection): Agent {
  const own = random.chance(0.6)
    ? [
        { name: "interested", suppress: false },
        { name: "stop", suppress: true },
      ]
    : [];
  return { id, connection: connection.id, own, usesCallback: random.chance(0.6) };
}

/** Calling hours in minutes; some cross midnight, some are longer than a day. */
export function hoursOf(random: Random): { opens: number; closes: number } {
  const luck = random.next();
  if (luck < 0.1) return { opens: random.whole(0, 1400), closes: 2879 };
  const opens = random.whole(0, 47) * 30 + (random.chance(0.2) ? random.whole(1, 29) : 0);
  return { opens, closes: opens + random.whole(60, 16 * 60) };
}

const RATES: [Operation["kind"], number][] = [
  ["pause a campaign", 4],
  ["resume a campaign", 6],
  ["archive a campaign", 1.2],
  ["edit a campaign", 6],
  ["pause a task", 12],
  ["resume a task", 10],
  ["archive a task", 8],
  ["read", 6],
  ["change the slots", 1],
  ["forbid a number", 6],
  ["race", 3],
  ["object dies", 6],
  ["object is evicted", 3],
  ["D1 goes away", 0.8],
  ["carrier goes away", 0.8],
];

function operationsOf(
  random: Random,
  world: { start: number; end: number; who: number; tasks: number },
): Operation[] {
  const { start, end, who } = world;
  const operations: Operation[] = [];
  const add = (kind: Operation["kind"], at: number) => {
    operations.push({ kind, at, who, seed: random.whole(1, 2 ** 31) });
  };
  const within = (from: number, to: number) => Math.round(from + random.next() * (to - from));
  add("create a batch", start + 1_000);
  add("create a realtime campaign", start + 2_000);
  for (let n = random.whole(0, 3); n > 0; n--) {
    const kind = random.chance(0.5) ? "create a batch" : "create a realtime campaign";
    add(kind, within(start, start + 12 * HOUR));
  }
  const imports = random.whole(1, 5);
  for (let n = 0; n < imports; n++) add("import", within(start + MINUTE, start + 15 * HOUR));
  const pushes = Math.ceil(world.tasks / 12);
  for (let n = 0; n < pushes; n++) add("push", within(start + MINUTE, end - HOUR));
  for (let n = random.whole(1, 4); n > 0; n--)
    add("push a burst", within(start + MINUTE, end - HOUR));
  for (const [kind, rate] of RATES) {
    const times = Math.round(rate * 2 * random.next());
    for (let n = 0; n < times; n++) add(kind, within(start + 5 * MINUTE, end));
  }
  return operations;
}
