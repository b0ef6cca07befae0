import { localKey, makeId } from "../core/ids.ts";
import type { LiveCall, LiveCampaign, LiveTask, Patch, Watch } from "../core/live.ts";
import { callStatus } from "../core/status.ts";
import { type Call, findCalls } from "./calls.ts";
import { recordOf } from "./campaign.ts";
import { explainCampaign } from "./explain.ts";
import type { Outside } from "./outside.ts";
import { stand, taskRecord } from "./records.ts";
import type { State } from "./state.ts";
import { findTask } from "./tasks.ts";

/** Between two messages to the viewers, ms: at most four a second. */
export const MESSAGE_GAP_MS = 250;
/** Changed calls, tasks or campaigns that one message tells of. */
const TOLD_MAX = 200;

/** Somebody who looks: what he watches, and his socket. */
export type Viewer = { watch: Watch; send(text: string): void };

/**
 * Tells viewers what changes (H34). A change costs the transaction that makes it one entry in a
 * set, and nothing at all while nobody looks; messages are made from the state of their own
 * instant, each part once for all who get it.
 */
export class Live {
  readonly #outside: Outside;
  readonly #look: <T>(look: (state: State, now: number) => T) => T;
  readonly #changed = new Map([
    ["campaigns", new Set<number>()],
    ["tasks", new Set<number>()],
    ["calls", new Set<number>()],
  ]);
  /** Whether anybody looks: asked of the sockets once, and whenever one comes or goes. */
  #watched: boolean;
  #due = false;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(outside: Outside, look: <T>(look: (state: State, now: number) => T) => T) {
    this.#outside = outside;
    this.#look = look;
    this.#watched = outside.viewers().length > 0;
  }

  /** A socket came, went, or watches something else. */
  counted(): void {
    this.#watched = this.#outside.viewers().length > 0;
    if (!this.#watched) for (const set of this.#changed.values()) set.clear();
  }

  /** Something changed in the transaction that runs. */
  noticed(kind: "campaigns" | "tasks" | "calls", id: number): void {
    if (!this.#watched) return;
    const set = this.#changed.get(kind);
    // One more than is told of marks a gap.
    if (set !== undefined && set.size <= TOLD_MAX) set.add(id);
  }

  /** After a commit: a message is due, now or when the last one is old enough. */
  committed(now: number): void {
    if (this.#due || !this.#watched) return;
    if (![...this.#changed.values()].some((set) => set.size > 0)) return;
    this.#due = true;
    this.#outside.after(Math.max(1, this.#sentAt + MESSAGE_GAP_MS - now), () => this.#tell());
  }

  /** All live campaigns, and everything that this viewer watches. */
  snapshot(viewer: Viewer): void {
    const text = this.#look((state, now) => {
      if (state.copies.workspace === null) return null;
      const campaigns = [...state.liveCampaigns()].map((one) => campaignOf(state, one.id, now));
      const { campaign, tasks } = keysOf(state, viewer.watch);
      const calls = campaign === null ? [] : callsOf(state, campaign);
      return JSON.stringify({
        kind: "snapshot",
        at: now,
        slots: slotsOf(state),
        campaigns: campaigns.filter((one) => one !== null),
        tasks: tasks.map((task) => liveTask(state, task, now)).filter((one) => one !== null),
        calls: calls.slice(0, TOLD_MAX),
        gap: false,
      } satisfies Patch);
    });
    if (text !== null) viewer.send(text);
  }

  #tell(): void {
    this.#due = false;
    const viewers = this.#outside.viewers();
    if (viewers.length === 0) {
      this.counted();
      return;
    }
    const texts = this.#look((state, now) => {
      this.#sentAt = now;
      return this.#patches(state, viewers, now);
    });
    for (const [index, text] of texts.entries()) if (text !== null) viewers[index]?.send(text);
  }

  #patches(state: State, viewers: Viewer[], now: number): (string | null)[] {
    const taken = (kind: string) => {
      const set = this.#changed.get(kind as "calls") ?? new Set<number>();
      const ids = [...set];
      set.clear();
      return ids;
    };
    const [campaignIds, taskIds, callIds] = [taken("campaigns"), taken("tasks"), taken("calls")];
    if (state.copies.workspace === null) return viewers.map(() => null);
    const gap = [campaignIds, taskIds, callIds].some((ids) => ids.length > TOLD_MAX);
    const changed = campaignIds.slice(0, TOLD_MAX).map((id) => campaignOf(state, id, now));
    const campaigns = JSON.stringify(changed.filter((one) => one !== null));
    const calls = findCalls(state.sql, callIds.slice(0, TOLD_MAX));
    const tasks = new Set([...taskIds, ...calls.map((call) => call.task)]);
    const left = changed.includes(null) || calls.length < Math.min(callIds.length, TOLD_MAX);
    const slots = JSON.stringify(slotsOf(state));
    const taskTexts = new Map<number, string>();
    const callTexts = new Map<number, string>();
    const taskText = (id: number) => {
      const known = taskTexts.get(id);
      if (known !== undefined) return known;
      const task = liveTask(state, id, now);
      const text = task === null ? "" : JSON.stringify(task);
      taskTexts.set(id, text);
      return text;
    };
    const callsText = (campaign: number) => {
      const known = callTexts.get(campaign);
      if (known !== undefined) return known;
      const own = calls.filter((call) => call.campaign === campaign);
      const text = own.map((call) => JSON.stringify(liveCall(state, call))).join(",");
      callTexts.set(campaign, text);
      return text;
    };
    return viewers.map(({ watch }) => {
      const watched = keysOf(state, watch);
      const own = watched.tasks.filter((task) => tasks.has(task)).map(taskText);
      const gone = left || own.includes("");
      return `{"kind":"patch","at":${now},"slots":${slots},"campaigns":${campaigns},"tasks":[${own
        .filter((text) => text !== "")
        .join(",")}],"calls":[${
        watched.campaign === null ? "" : callsText(watched.campaign)
      }],"gap":${gap || gone}}`;
    });
  }
}

function keysOf(state: State, watch: Watch): { campaign: number | null; tasks: number[] } {
  const { workspace } = state;
  const campaign = watch.campaign === null ? null : localKey("cmp", workspace, watch.campaign);
  return { campaign, tasks: watch.tasks.flatMap((id) => localKey("tsk", workspace, id) ?? []) };
}

function slotsOf(state: State): Patch["slots"] {
  return { inUse: state.ledger.total, of: state.copies.workspace?.slots ?? 0 };
}

function campaignOf(state: State, id: number, now: number): LiveCampaign | null {
  const campaign = state.findCampaign(id);
  if (campaign === null) return null;
  const { status, counters } = recordOf(campaign, state.workspace, null);
  return {
    id: makeId("cmp", state.workspace, id),
    status,
    counters,
    waiting: explainCampaign(state, campaign, now),
  };
}

function liveTask(state: State, id: number, now: number): LiveTask | null {
  const task = findTask(state.sql, id);
  if (task === null) return null;
  const record = taskRecord(state, stand(state, task), now);
  const { status, attempts, lastOutcome, dueAt, endedAt, waiting } = record;
  return { id: record.id, status, attempts, lastOutcome, dueAt, endedAt, waiting };
}

/** Calls of a campaign that are not over, the newest first. */
function callsOf(state: State, campaign: number): LiveCall[] {
  const open = [...state.ledger.ids()].filter((id) => {
    const entry = state.ledger.get(id);
    return entry?.campaign === campaign && entry.state !== "concluded";
  });
  return findCalls(state.sql, open)
    .map((call) => liveCall(state, call))
    .reverse();
}

function liveCall(state: State, call: Call): LiveCall {
  const { attempt, claimedAt, answeredAt, endedAt, outcome } = call;
  return {
    id: makeId("cal", state.workspace, call.id),
    task: makeId("tsk", state.workspace, call.task),
    attempt,
    status: callStatus(call.state, call.ringingAt, call.answeredAt),
    claimedAt,
    answeredAt,
    endedAt,
    outcome,
  };
}
