import type { Band } from "../core/campaign.ts";
import { compareRank, type Rank } from "../core/rank.ts";
import { type Window, windowAt } from "../core/window.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { Heap } from "./heap.ts";
import { first, type Sql } from "./sql.ts";

/** What tasks share while they wait. A key never changes; nulls are read from the campaign. */
export type LaneKey = {
  campaign: number;
  agent: string | null;
  number: string | null;
  opensMin: number | null;
  closesMin: number | null;
  days: number | null;
  timezone: string | null;
  callback: boolean;
  priority: number;
  import: string | null;
  /** The campaign's epoch in which these tasks were paused singly (H31), or null. */
  pause: number | null;
};
export type Head = { at: number; tiebreak: number; task: number };
export type Lane = LaneKey & {
  id: number;
  /** The first of the lane by (at, tiebreak, task); null when it is empty. */
  head: Head | null;
  /** Raised whenever the lane is ranked anew: older entries of the heaps are stale. */
  stamp: number;
};

type Sleeping = { lane: Lane; stamp: number; at: number };
type Ready = { lane: Lane; stamp: number; rank: Rank };

/** What lanes need to know of the rest of the Dialer. */
export type LaneSetting = {
  campaign(id: number): Campaign;
  importOpen(id: string): boolean;
};

export const LANE_KEY_FIELDS = [
  "campaign",
  "agent",
  "number",
  "opensMin",
  "closesMin",
  "days",
  "timezone",
  "callback",
  "priority",
  "import",
  "pause",
] as const satisfies readonly (keyof LaneKey)[];

/** Two keys are one lane exactly when their texts are equal. */
export function keyText(key: LaneKey): string {
  return JSON.stringify(LANE_KEY_FIELDS.map((field) => key[field]));
}

/**
 * All lanes with their heads, in memory: a cache of `lane` and `waiting` that a start rebuilds.
 * A lane with a head is in one of two heaps: `sleeping` by the instant at which time alone would
 * let it be dialled, or `ready` by rank. A lane held by a pause or an import is in neither; what
 * lifts that ranks it anew.
 */
export class Lanes {
  readonly #sql: Sql;
  readonly #setting: LaneSetting;
  readonly #byId = new Map<number, Lane>();
  readonly #byKey = new Map<string, Lane>();
  readonly #byCampaign = new Map<number, Set<Lane>>();
  readonly #windows = new Map<string, { open: boolean; until: number; from: number }>();
  #sleeping = new Heap<Sleeping>((a, b) => a.at - b.at);
  #ready = new Heap<Ready>((a, b) => compareRank(a.rank, b.rank));

  constructor(sql: Sql, setting: LaneSetting) {
    this.#sql = sql;
    this.#setting = setting;
  }

  /** Reads all lanes of live campaigns and ranks them: one row read per lane. */
  load(now: number): void {
    type Row = Omit<LaneKey, "callback"> & { id: number; callback: number };
    const rows = this.#sql.all<Row>(
      `SELECT id, campaign, agent, number, opens_min AS opensMin, closes_min AS closesMin, days,
         timezone, callback, priority, import, pause
       FROM lane WHERE campaign IN (SELECT id FROM campaign WHERE swept = 0)`,
    );
    for (const row of rows) {
      const lane: Lane = { ...row, callback: row.callback === 1, head: null, stamp: 0 };
      this.#keep(lane);
      this.refresh(lane, now);
    }
  }

  get(id: number): Lane | null {
    return this.#byId.get(id) ?? null;
  }

  ofCampaign(campaign: number): Iterable<Lane> {
    return this.#byCampaign.get(campaign) ?? [];
  }

  all(): Iterable<Lane> {
    return this.#byId.values();
  }

  /** The lane of this key, made when it does not exist yet. */
  find(key: LaneKey, nextId: () => number): Lane {
    const text = keyText(key);
    const known = this.#byKey.get(text);
    if (known !== undefined) return known;
    const lane: Lane = { ...key, id: nextId(), head: null, stamp: 0 };
    this.#sql.run(
      `INSERT INTO lane (id, key, campaign, agent, number, opens_min, closes_min, days, timezone,
         callback, priority, import, pause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      lane.id,
      text,
      key.campaign,
      key.agent,
      key.number,
      key.opensMin,
      key.closesMin,
      key.days,
      key.timezone,
      key.callback ? 1 : 0,
      key.priority,
      key.import,
      key.pause,
    );
    this.#keep(lane);
    return lane;
  }

  /** Forgets an empty lane, in memory and in its table. */
  drop(lane: Lane): void {
    this.#sql.run("DELETE FROM lane WHERE id = ?", lane.id);
    this.#byId.delete(lane.id);
    this.#byKey.delete(keyText(lane));
    this.#byCampaign.get(lane.campaign)?.delete(lane);
    lane.stamp++;
  }

  /** A task now waits in the lane: ranks it anew if the task is its new head. */
  arrived(lane: Lane, head: Head, now: number): void {
    if (lane.head !== null && compareHead(lane.head, head) <= 0) return;
    lane.head = head;
    this.rank(lane, now);
  }

  /** A task has left the lane: reads the next head if it was the first. */
  left(lane: Lane, task: number, now: number): void {
    if (lane.head?.task === task) this.refresh(lane, now);
  }

  /** Reads the lane's head, one row, and ranks it. */
  refresh(lane: Lane, now: number): void {
    lane.head = first<Head>(
      this.#sql,
      "SELECT at, tiebreak, task FROM waiting WHERE lane = ? ORDER BY at, tiebreak, task LIMIT 1",
      lane.id,
    );
    this.rank(lane, now);
  }

  /** Puts the lane where it belongs now, after its head or what it reads of its campaign changed. */
  rank(lane: Lane, now: number): void {
    lane.stamp++;
    if (lane.head === null) return;
    const campaign = this.#setting.campaign(lane.campaign);
    if (this.isHeld(lane, campaign) || campaign.startsAt === null) return;
    const at = Math.max(lane.head.at, campaign.startsAt, now);
    const opensAt = this.opensAt(lane, at, now);
    if (opensAt === null) return;
    if (opensAt > now) this.#sleeping.push({ lane, stamp: lane.stamp, at: opensAt });
    else this.#ready.push({ lane, stamp: lane.stamp, rank: rankOf(lane, lane.head, campaign) });
    if (this.#sleeping.size + this.#ready.size > 4 * this.#byId.size + 256) this.#compact(now);
  }

  /** After an edit, a pause or an import's end: all lanes of the campaign. */
  rankCampaign(campaign: number, now: number): void {
    for (const lane of this.ofCampaign(campaign)) this.rank(lane, now);
  }

  /** Whether something other than time keeps the lane shut: its campaign, a pause, an import. */
  isHeld(lane: Lane, campaign: Campaign): boolean {
    if (isOver(campaign) || campaign.paused || lane.pause === campaign.epoch) return true;
    return lane.import !== null && this.#setting.importOpen(lane.import);
  }

  window(lane: Lane, campaign: Campaign): Window {
    const { settings } = campaign;
    return {
      hours:
        lane.opensMin === null || lane.closesMin === null
          ? settings.hours
          : { opensMin: lane.opensMin, closesMin: lane.closesMin },
      days: lane.days ?? settings.days,
      timezone: lane.timezone ?? settings.timezone,
    };
  }

  /** The best lane that time lets be dialled at `now`, taken from its heap; the caller ranks it again. */
  takeReady(now: number): Lane | null {
    this.#wake(now);
    for (;;) {
      const top = this.#ready.pop();
      if (top === undefined) return null;
      if (top.stamp !== top.lane.stamp) continue;
      const campaign = this.#setting.campaign(top.lane.campaign);
      if (this.opensAt(top.lane, now, now) === now) return top.lane;
      assertNotHeld(this, top.lane, campaign);
      this.rank(top.lane, now); // its window has closed meanwhile
    }
  }

  /** When the next sleeping lane opens, or null. */
  nextOpening(): number | null {
    for (;;) {
      const top = this.#sleeping.peek();
      if (top === undefined) return null;
      if (top.stamp === top.lane.stamp) return top.at;
      this.#sleeping.pop();
    }
  }

  /** The first instant from `at` on at which the lane's window is open, or null. */
  opensAt(lane: Lane, at: number, now: number): number | null {
    const window = this.window(lane, this.#setting.campaign(lane.campaign));
    const state = at === now ? this.#stateNow(window, now) : windowAt(window, at);
    return state.open ? at : state.edge;
  }

  /** Windows are shared by many lanes: each is computed once until its next edge. */
  #stateNow(window: Window, now: number): { open: boolean; edge: number | null } {
    const { hours, days, timezone } = window;
    const key = `${hours.opensMin}/${hours.closesMin}/${days}/${timezone}`;
    const known = this.#windows.get(key);
    if (known !== undefined && now >= known.from && now < known.until) {
      return { open: known.open, edge: Number.isFinite(known.until) ? known.until : null };
    }
    const state = windowAt(window, now);
    const until = state.edge ?? Number.POSITIVE_INFINITY;
    if (this.#windows.size > 10_000) this.#windows.clear();
    this.#windows.set(key, { open: state.open, until, from: now });
    return state;
  }

  #wake(now: number): void {
    for (;;) {
      const top = this.#sleeping.peek();
      if (top === undefined || top.at > now) return;
      this.#sleeping.pop();
      if (top.stamp === top.lane.stamp) this.rank(top.lane, now);
    }
  }

  #compact(now: number): void {
    this.#sleeping.clear();
    this.#ready.clear();
    for (const lane of this.#byId.values()) this.rank(lane, now);
  }

  #keep(lane: Lane): void {
    this.#byId.set(lane.id, lane);
    this.#byKey.set(keyText(lane), lane);
    const siblings = this.#byCampaign.get(lane.campaign);
    if (siblings === undefined) this.#byCampaign.set(lane.campaign, new Set([lane]));
    else siblings.add(lane);
  }
}

function assertNotHeld(lanes: Lanes, lane: Lane, campaign: Campaign): void {
  if (lanes.isHeld(lane, campaign)) throw new Error("bug: a held lane is ranked");
}

/** H24 for a lane's head; a batch's first attempts start with their campaign. */
function rankOf(lane: Lane, head: Head, campaign: Campaign): Rank {
  const band: Band = campaign.settings.band;
  const start = head.at === 0 ? (campaign.startsAt ?? 0) : head.at;
  return {
    callback: lane.callback,
    band,
    priority: lane.priority,
    start,
    tiebreak: head.tiebreak,
    task: head.task,
  };
}

function compareHead(a: Head, b: Head): number {
  return a.at - b.at || a.tiebreak - b.tiebreak || a.task - b.task;
}
