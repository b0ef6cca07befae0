import { Draw } from "./draw.ts";

/*
 * What a round does, drawn from its seed alone: the workspace, its campaigns, what the client asks
 * and when, and the kills. Times are ms since the round began.
 */

export type RowPlan = { cell: string; phone: string | null; reason: string | null };
export type FilePlan = { at: number; name: string; rows: RowPlan[] };
export type TaskPlan = {
  tag: string;
  phone: string;
  body: Record<string, unknown>;
  startMs: number | null;
  endMs: number | null;
};
/** `keyed` and `external` pushes are repeated until they are acknowledged, `bare` ones never are. */
export type PushPlan = { at: number; how: "keyed" | "external" | "bare"; tasks: TaskPlan[] };
export type MovePlan =
  | { at: number; kind: "pause" | "resume" | "archive" | "shut" | "open" }
  | { at: number; kind: "limit"; slots: number | null }
  | { at: number; kind: "band"; priority: string }
  | { at: number; kind: "task"; move: "pause" | "resume" | "archive"; nth: number };
export type CampaignPlan = {
  name: string;
  body: Record<string, unknown>;
  type: "batch" | "realtime";
  startMs: number | null;
  endMs: number | null;
  /** Created with calling hours that are hours away. */
  shut: boolean;
  files: FilePlan[];
  pushes: PushPlan[];
  /** In order, one after the other. */
  moves: MovePlan[];
  /** Archived at the end of the round, or later; else everything in it is dialled to its end. */
  archived: "never" | "at once" | "when imported";
};
export type KillPlan = {
  at: number;
  of: "worker" | "carrier" | "both";
  downMs: number;
  /** A burst: killed again so long after each start, up or not. */
  again: number[];
};
export type Plan = {
  round: number;
  seed: string;
  slots: number;
  connection: { perSecond?: number; callsMax?: number };
  agent: {
    settings: Record<string, unknown>;
    usesCallback: boolean;
    outcomes: { name: string }[];
  };
  /** The carrier's waits before a report is repeated: the short ones give up while nobody listens. */
  retriesMs: number[];
  campaigns: CampaignPlan[];
  kills: KillPlan[];
};

/** How long the client acts. */
const LENGTH_MS = 8_000;
/** Numbers whose calls end soon, however (docs/simulator.md). */
const QUICK = [
  ...["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0012"],
  ...["0014", "0016", "0020", "0022", "0024", "0025", "0026", "0028", "0032", "0034", "0035"],
  ...["0036", "0037", "0038", "0039", "0040", "0041", "0042"],
];
/** Numbers that take a look-up, a back-off or a lease's end: few, since minutes pass. */
const SLOW = ["0015", "0017", "0019", "0021", "0023", "0029", "0030", "0031", "0033", "0043"];
const BAD_CELLS: readonly [cell: string, reason: string][] = [
  ["", "missing"],
  ["12345", "no_country_code"],
  ["9.19877E+11", "scientific"],
  ["call me", "letters"],
  ["+9155", "too_short"],
];

/** Numbers of one round, none twice, by which a dial is known to be of this round. */
class Numbers {
  readonly #head: string;
  #plain = 0;
  readonly #scripted = new Map<string, number>();

  constructor(round: number) {
    this.#head = `+9155${String(round).padStart(3, "0")}`;
  }

  next(): string {
    const n = this.#plain++;
    return `${this.#head}${Math.floor(n / 9_000)}${1_000 + (n % 9_000)}`;
  }

  /** One with this ending, or a plain one when all of them are used up. */
  ending(digits: string): string {
    const block = this.#scripted.get(digits) ?? 0;
    if (block > 9) return this.next();
    this.#scripted.set(digits, block + 1);
    return `${this.#head}${block}${digits}`;
  }
}

export function planRound(round: number, seed: string): Plan {
  const draw = new Draw(seed);
  const numbers = new Numbers(round);
  const slow = draw.shuffle(SLOW).slice(0, draw.whole(0, 2));
  const phone = (): string => {
    const last = slow.length > 0 && draw.chance(0.05) ? slow.pop() : undefined;
    if (last !== undefined) return numbers.ending(last);
    return draw.chance(0.12) ? numbers.ending(draw.pick(QUICK)) : numbers.next();
  };
  const campaigns = [planLeads(draw, phone), planBatch(draw, phone)];
  if (draw.chance(0.4)) campaigns.push(planShut(draw, phone));
  if (draw.chance(0.4)) campaigns.push(planBrief(draw, phone));
  if (draw.chance(0.3)) campaigns.push(planLater(draw, phone));
  if (draw.chance(0.3)) campaigns.push(planLarge(draw, () => numbers.next()));
  const own = draw.chance(0.4);
  return {
    round,
    seed,
    slots: draw.whole(2, 12),
    connection: {
      ...(draw.chance(0.15) ? { perSecond: draw.whole(8, 30) } : {}),
      ...(draw.chance(0.2) ? { callsMax: draw.whole(2, 8) } : {}),
    },
    agent: {
      settings: {
        mix: {
          connected: 6,
          no_answer: 2,
          busy: 1,
          failed: 0.5,
          voicemail: 0.5,
          busy_callback: 0.5,
        },
        ringMs: [10, draw.whole(20, 200)],
        talkMs: [20, draw.whole(50, 900)],
        analysisMs: [10, draw.whole(20, 400)],
        callbackMs: draw.chance(0.5) ? draw.whole(200, 2_000) : null,
        reports: draw.chance(0.3) ? "end" : "all",
        ...(own ? { outcomes: ["interested", "not_interested"] } : {}),
      },
      usesCallback: draw.chance(0.7),
      outcomes: own ? [{ name: "interested" }, { name: "not_interested" }] : [],
    },
    retriesMs: draw.pick([
      [200, 500],
      [200, 500, 1_000, 2_000, 5_000, 10_000],
      [1_000, 2_000, 5_000],
    ]),
    campaigns,
    kills: planKills(draw),
  };
}

export type Special = "disk-full" | "stopped" | "carrier-away";

/** A round for one trouble alone: what the trouble would make ambiguous is left out. */
export function planSpecial(name: Special, round: number, seed: string): Plan {
  const plan = planRound(round, seed);
  const campaigns = plan.campaigns.filter((one) => one.name !== "large");
  if (name === "disk-full") {
    const numbers = new Numbers(round + 1);
    campaigns.push(planLarge(new Draw(`${seed}-large`), () => numbers.next()));
  }
  // A request that waited at a stopped process may be taken after the client has asked again.
  if (name === "stopped") for (const one of campaigns) one.moves = [];
  const kills = plan.kills.map((kill) => ({ ...kill, of: "worker" as const }));
  return { ...plan, campaigns, kills: name === "carrier-away" ? kills : [] };
}

/** A realtime campaign that leads are pushed to, one by one and in bulk. */
function planLeads(draw: Draw, phone: () => string): CampaignPlan {
  const pushes: PushPlan[] = [];
  let n = 0;
  const task = (): TaskPlan => planTask(draw, `leads-${n++}`, phone());
  for (let count = draw.whole(10, 40); count > 0; count--) {
    const how = draw.pick(["keyed", "keyed", "external", "bare"] as const);
    pushes.push({ at: draw.whole(0, LENGTH_MS), how, tasks: [task()] });
  }
  for (let count = draw.whole(0, 2); count > 0; count--) {
    const tasks = Array.from({ length: draw.whole(5, 60) }, task);
    pushes.push({ at: draw.whole(0, LENGTH_MS), how: "keyed", tasks });
  }
  const priority = draw.pick(["high", "normal", "low"]);
  return {
    ...bare("leads", "realtime", { priority, ...attempts(draw) }),
    pushes: pushes.sort((a, b) => a.at - b.at),
    moves: planMoves(draw, true),
    archived: draw.chance(0.2) ? "at once" : "never",
  };
}

function planBatch(draw: Draw, phone: () => string): CampaignPlan {
  const files = [planFile(draw, "rows", phone, draw.whole(20, 120), draw.whole(0, 2_000))];
  if (draw.chance(0.4)) {
    files.push(planFile(draw, "more", phone, draw.whole(5, 40), draw.whole(2_000, LENGTH_MS)));
  }
  return {
    ...bare("batch", "batch", { priority: draw.pick(["normal", "low"]), ...attempts(draw) }),
    files,
    moves: planMoves(draw, false),
    archived: draw.chance(0.1) ? "at once" : "never",
  };
}

/** Its calling hours are not now; they are opened when the round ends. */
function planShut(draw: Draw, phone: () => string): CampaignPlan {
  const files = [planFile(draw, "shut", phone, draw.whole(3, 20), draw.whole(0, 4_000))];
  return { ...bare("shut", "batch", attempts(draw)), shut: true, files };
}

/** Its end passes while it is being dialled. */
function planBrief(draw: Draw, phone: () => string): CampaignPlan {
  const files = [planFile(draw, "brief", phone, draw.whole(20, 100), draw.whole(0, 3_000))];
  const endMs = draw.whole(2_500, LENGTH_MS);
  return { ...bare("brief", "batch", attempts(draw)), endMs, files };
}

function planLater(draw: Draw, phone: () => string): CampaignPlan {
  const files = [planFile(draw, "later", phone, draw.whole(5, 30), draw.whole(0, 3_000))];
  const startMs = draw.whole(3_000, LENGTH_MS + 2_000);
  return { ...bare("later", "batch", attempts(draw)), startMs, files };
}

/** Several parts, so that kills come in the middle of its import; never dialled. */
function planLarge(draw: Draw, phone: () => string): CampaignPlan {
  const files = [planFile(draw, "large", phone, draw.whole(6_000, 15_000), draw.whole(0, 5_000))];
  const archived = draw.chance(0.3) ? "at once" : "when imported";
  return { ...bare("large", "batch", { paused: true }), files, archived };
}

function bare(
  name: string,
  type: "batch" | "realtime",
  body: Record<string, unknown>,
): CampaignPlan {
  const nothing = { startMs: null, endMs: null, shut: false, archived: "never" } as const;
  return { name, type, body, ...nothing, files: [], pushes: [], moves: [] };
}

function attempts(draw: Draw): Record<string, unknown> {
  return {
    retries: draw.whole(0, 2),
    intervals: draw.whole(100, 1_500),
    ...(draw.chance(0.3) ? { retryOutcomes: ["voicemail"] } : {}),
    ...(draw.chance(0.25) ? { slots: draw.whole(1, 5) } : {}),
  };
}

function planTask(draw: Draw, tag: string, phone: string): TaskPlan {
  const own = draw.chance(0.2);
  const total = draw.whole(1, 3);
  const startMs = draw.chance(0.1) ? draw.whole(500, 5_000) : null;
  return {
    tag,
    phone,
    body: own ? { retries: total, intervals: Array.from({ length: total - 1 }, () => 300) } : {},
    startMs,
    endMs: startMs === null && draw.chance(0.05) ? draw.whole(3_000, LENGTH_MS + 2_000) : null,
  };
}

function planFile(
  draw: Draw,
  name: string,
  phone: () => string,
  count: number,
  at: number,
): FilePlan {
  const rows: RowPlan[] = [];
  const numbers: string[] = [];
  for (let n = 0; n < count; n++) {
    if (draw.chance(0.05)) {
      const [cell, reason] = draw.pick(BAD_CELLS);
      rows.push({ cell, phone: null, reason });
    } else if (numbers.length > 0 && draw.chance(0.03)) {
      const again = draw.pick(numbers);
      rows.push({ cell: again, phone: again, reason: "duplicate" });
    } else {
      const number = phone();
      numbers.push(number);
      rows.push({ cell: number, phone: number, reason: null });
    }
  }
  return { at, name, rows };
}

/** Pause and resume, hours shut and opened, another limit, another band, single tasks. */
function planMoves(draw: Draw, singles: boolean): MovePlan[] {
  const moves: MovePlan[] = [];
  let at = draw.whole(500, 3_000);
  while (at < LENGTH_MS) {
    const kind = draw.pick(["pause", "hours", "limit", "band", "task", "none"] as const);
    const until = at + draw.whole(300, 2_500);
    if (kind === "pause") moves.push({ at, kind: "pause" }, { at: until, kind: "resume" });
    if (kind === "hours") moves.push({ at, kind: "shut" }, { at: until, kind: "open" });
    if (kind === "limit") {
      moves.push({ at, kind: "limit", slots: draw.chance(0.3) ? null : draw.whole(1, 6) });
    }
    if (kind === "band")
      moves.push({ at, kind: "band", priority: draw.pick(["high", "normal", "low"]) });
    if (kind === "task" && singles) {
      const nth = draw.whole(0, 1_000);
      if (draw.chance(0.3)) moves.push({ at, kind: "task", move: "archive", nth });
      else {
        moves.push({ at, kind: "task", move: "pause", nth });
        moves.push({ at: until, kind: "task", move: "resume", nth });
      }
    }
    at = until + draw.whole(100, 3_000);
  }
  return moves;
}

/** Mostly the Worker, sometimes the carrier, sometimes both at once; sometimes again and again. */
function planKills(draw: Draw): KillPlan[] {
  const kills: KillPlan[] = [];
  let at = 0;
  for (let count = draw.pick([1, 2, 2, 3]); count > 0; count--) {
    at += draw.whole(300, 4_500);
    const of = draw.pick(["worker", "worker", "worker", "worker", "carrier", "both"] as const);
    const burst = of !== "carrier" && draw.chance(0.25) ? draw.whole(1, 3) : 0;
    kills.push({
      at,
      of,
      downMs: draw.chance(0.3) ? draw.whole(300, 2_500) : 0,
      again: Array.from({ length: burst }, () => draw.whole(100, 4_500)),
    });
  }
  return kills;
}
