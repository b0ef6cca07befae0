import type { Answer, CallNews, Lookup, RefusalKind } from "../../../src/carriers/carrier.ts";
import {
  type Agent,
  awaitsAnalysis,
  before,
  gapBefore,
  outcomeOf,
  type Place,
  priorityOf,
  triedAgain,
} from "./rules.ts";
import { isOpen } from "./time.ts";

/*
 * One workspace as the handbook has it: plain lists, no lanes, no caches, every question answered by
 * looking at everything. It is told what happens and what the Dialer claims, and breaks on what
 * must not be.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A promise is broken: which, and how. */
export class Broken extends Error {
  readonly invariant: string;

  constructor(invariant: string, story: string) {
    super(`${invariant}: ${story}`);
    this.invariant = invariant;
  }
}

export type Hours = { opens: number; closes: number };
/** What a task may have of its own, and a campaign has. */
export type Own = {
  agent: string | null;
  hours: Hours | null;
  days: number[] | null;
  zone: string | null;
  attempts: number | null;
  gaps: number[] | null;
  chosen: string[] | null;
};
export type CampaignWish = Own & {
  type: "batch" | "realtime";
  band: string;
  startAfter: number | null;
  endAfter: number | null;
  slots: number | null;
  paused: boolean;
};
export type TaskWish = Own & {
  startAfter: number | null;
  endAfter: number | null;
  priorities: number[] | null;
  externalId: string | null;
};
export type Connection = {
  id: string;
  lengthMaxMs: number;
  perSecond: number | null;
  callsMax: number | null;
};

export type Campaign = CampaignWish & {
  id: number;
  startsAt: number | null;
  startedAt: number | null;
  over: "completed" | "expired" | "archived" | null;
  overAt: number | null;
  epoch: number;
  tasks: Task[];
  imports: Map<string, { open: boolean; taken: number; parts: number }>;
  phones: Set<string>;
  external: Map<string, number>;
};

export type Task = TaskWish & {
  id: number;
  campaign: Campaign;
  phone: string;
  import: string | null;
  tiebreak: number;
  /** Attempts that were used. */
  used: number;
  state: "waiting" | "calling" | "completed" | "archived";
  /** Epoch in which it was paused alone, or null. */
  pausedIn: number | null;
  archiving: boolean;
  /** When the next attempt is due; null for the first of a batch's row. */
  due: number | null;
  callback: boolean;
  /** The call that runs, or the last that used an attempt. */
  call: Call | null;
  /** The last that was claimed, whatever became of it. */
  newest: Call | null;
  calls: Call[];
  lastOutcome: string | null;
  gone: boolean;
};

export type Call = {
  id: number;
  task: Task;
  attempt: number;
  /** The call of the attempt before it. */
  before: Call | null;
  agent: Agent;
  connection: string;
  claimedAt: number;
  state: "placing" | "placed" | "unknown" | "ended" | "concluded";
  carrierCallId: string | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  callbackAt: number | null;
  said: string | null;
  concludeBy: number | null;
  outcome: string | null;
  verdict: "completed" | "archived" | "retry" | "returned" | null;
  assumed: boolean;
  reported: string | null;
  aliveAt: number | null;
  /** Its answer came and could not be stored. */
  unheard: boolean;
  left: boolean;
};

type Trouble = {
  doubt: boolean;
  gap: number | null;
  /** The gap that a taken dial ended, until news show that it was really taken. */
  endedGap: number | null;
  until: number;
  /** Answers that were lost one after the other. */
  losses: number;
  /** When it may start its next call. */
  paceAt: number;
};

/** What of news the model reads. */
export type Heard = { news: CallNews; carrierCallId: string | null };

export class Model {
  slots: number;
  slotsMost: number;
  hours: Hours;
  days: number[];
  zone: string;
  readonly agents = new Map<string, Agent>();
  readonly connections = new Map<string, Connection>();
  readonly campaigns = new Map<number, Campaign>();
  readonly tasks = new Map<number, Task>();
  readonly calls = new Map<number, Call>();
  readonly open = new Set<Call>();
  readonly suppressed = new Set<string>();
  readonly troubles = new Map<string, Trouble>();
  /** News that name their call only by the carrier's id, before that is known. */
  readonly unnamed = new Map<string, { id: number; news: CallNews; at: number }[]>();
  /** What the last transaction changed. */
  readonly touched = {
    calls: new Set<Call>(),
    tasks: new Set<Task>(),
    campaigns: new Set<Campaign>(),
  };
  readonly cover: (what: string) => void;
  dials = 0;

  constructor(
    workspace: { slots: number; hours: Hours; days: number[]; zone: string },
    cover: (what: string) => void,
  ) {
    this.slots = workspace.slots;
    this.slotsMost = workspace.slots;
    this.hours = workspace.hours;
    this.days = workspace.days;
    this.zone = workspace.zone;
    this.cover = cover;
  }

  trouble(connection: string): Trouble {
    let trouble = this.troubles.get(connection);
    if (trouble === undefined) {
      trouble = { doubt: false, gap: null, endedGap: null, until: 0, losses: 0, paceAt: 0 };
      this.troubles.set(connection, trouble);
    }
    return trouble;
  }

  // ---- what people do

  created(id: number, wish: CampaignWish, now: number): Campaign {
    const campaign: Campaign = {
      ...wish,
      id,
      startsAt: wish.startAfter ?? (wish.type === "batch" ? null : now),
      startedAt: null,
      over: null,
      overAt: null,
      epoch: 1,
      tasks: [],
      imports: new Map(),
      phones: new Set(),
      external: new Map(),
    };
    this.campaigns.set(id, campaign);
    this.touched.campaigns.add(campaign);
    return campaign;
  }

  edited(campaign: Campaign, change: Partial<CampaignWish>): void {
    Object.assign(campaign, change);
    this.touched.campaigns.add(campaign);
    this.cover("H4 a live edit");
  }

  movedCampaign(campaign: Campaign, move: string, now: number): void {
    this.touched.campaigns.add(campaign);
    if (move === "pause") campaign.paused = true;
    if (move === "resume") {
      campaign.paused = false;
      campaign.epoch += 1;
    }
    if (move === "archive") this.#over(campaign, "archived", now);
    this.cover(`H30 campaign: ${move}`);
  }

  /** Whether a person may move the campaign so (H30). */
  allowsCampaign(campaign: Campaign, move: string): boolean {
    if (campaign.over !== null) return false;
    if (move === "pause") return !campaign.paused;
    return move === "resume" ? campaign.paused : true;
  }

  isHeld(task: Task): boolean {
    return task.pausedIn !== null && task.pausedIn === task.campaign.epoch;
  }

  /** H29. */
  statusOf(task: Task): string {
    if (task.state === "completed" || task.state === "archived") return task.state;
    if (task.state === "calling") return "running";
    if (task.campaign.over !== null) return "archived";
    return task.campaign.paused || this.isHeld(task) ? "paused" : "queued";
  }

  statusOfCampaign(campaign: Campaign): string {
    if (campaign.over !== null) return campaign.over === "archived" ? "archived" : "completed";
    if (campaign.paused) return "paused";
    return campaign.startedAt === null ? "scheduled" : "running";
  }

  /** Whether a person may move the task so (H30, H31). */
  allowsTask(task: Task, move: string): boolean {
    const status = this.statusOf(task);
    if (status === "completed" || status === "archived" || task.campaign.over !== null)
      return false;
    if (move === "archive") return true;
    if (status === "running") {
      // What a pause would do after the call can be taken back while it runs.
      return move === "pause" ? true : this.isHeld(task) && !task.campaign.paused;
    }
    if (move === "pause") return status === "queued";
    return status === "paused" && !task.campaign.paused;
  }

  movedTask(task: Task, move: string, now: number): void {
    this.touched.tasks.add(task);
    if (move === "pause") task.pausedIn = task.campaign.epoch;
    if (move === "resume") task.pausedIn = null;
    if (move === "archive") {
      if (task.state === "calling") task.archiving = true;
      else this.#endTask(task, "archived");
    }
    this.cover(`H31 task ${task.state === "calling" ? "with a call" : "waiting"}: ${move}`);
    this.#completeIfDone(task.campaign, now);
  }

  added(task: Omit<Task, keyof typeof NEW_TASK | "calls">): Task {
    const whole: Task = { ...NEW_TASK, ...task, calls: [] };
    this.tasks.set(whole.id, whole);
    whole.campaign.tasks.push(whole);
    this.touched.tasks.add(whole);
    this.touched.campaigns.add(whole.campaign);
    if (task.campaign.paused) this.cover("H30 a task arrives while its campaign is paused");
    return whole;
  }

  /** The import is complete, or given up (H11). */
  importClosed(campaign: Campaign, id: string, now: number): void {
    const state = campaign.imports.get(id);
    if (state === undefined || !state.open) return;
    state.open = false;
    if (campaign.over !== null) return;
    if (campaign.startsAt === null && state.taken > 0) {
      campaign.startsAt = now;
      this.cover("H11 start now is the first import's completion");
    }
    this.#completeIfDone(campaign, now);
  }

  revived(campaign: Campaign): void {
    if (campaign.over !== "completed") return;
    campaign.over = null;
    campaign.overAt = null;
    this.touched.campaigns.add(campaign);
    this.cover("H28 an import revives a completed batch");
  }

  // ---- time

  /** Ends that have come (H13, H14). */
  timePassed(now: number): void {
    for (const campaign of this.campaigns.values()) {
      if (campaign.over !== null) continue;
      if (campaign.endAfter !== null && campaign.endAfter <= now) {
        this.#over(campaign, "expired", now);
        this.cover("H13 a campaign's end time passes");
      }
    }
    for (const task of this.ending) {
      if (task.endAfter === null || task.endAfter > now) continue;
      this.ending.delete(task);
      if (task.state === "calling") {
        task.archiving = true;
        this.cover("H14 a task's end passes during its call");
      }
      if (task.state !== "waiting" || task.campaign.over !== null) continue;
      this.#endTask(task, "archived");
      this.#completeIfDone(task.campaign, now);
      this.cover("H14 a waiting task's end passes");
    }
  }

  /** Requests to dial that are out: a report may come before their answer. */
  readonly out = new Set<Call>();

  outstanding(now: number, connection?: string): number {
    let count = 0;
    for (const call of this.out) {
      if (now >= call.claimedAt + 20 * SECOND && call.state !== "placing") this.out.delete(call);
      else if (connection === undefined || call.connection === connection) count += 1;
    }
    return count;
  }

  /** Tasks with an end of their own that has not come. */
  readonly ending = new Set<Task>();

  /** The object has started anew: answers that it awaited are lost (H22). */
  restarted(now: number): void {
    for (const call of this.open) if (call.state === "placing") this.#lost(call, now);
    this.out.clear();
    this.forgot();
  }

  /** Pace is memory alone. */
  forgot(): void {
    for (const trouble of this.troubles.values()) {
      trouble.paceAt = 0;
      trouble.endedGap = null;
    }
  }

  // ---- what carriers say

  answered(call: Call, answer: Answer, now: number) {
    const trouble = this.trouble(call.connection);
    this.out.delete(call);
    switch (answer.kind) {
      case "accepted":
        this.#taken(call, trouble);
        if (call.left) return;
        call.carrierCallId ??= answer.carrierCallId;
        if (call.state === "placing" || call.state === "unknown") this.#enter(call, "placed");
        return;
      case "refused":
        if (call.state !== "placing" && call.state !== "unknown") return;
        if (call.answeredAt !== null) return;
        return this.#refused(call, answer.reason, now);
      case "unknown":
        if (call.state === "placing") this.#lost(call, now);
    }
  }

  #taken(call: Call, trouble: Trouble): void {
    if (trouble.gap !== null && call.claimedAt < trouble.until) return;
    trouble.losses = 0;
    if (trouble.gap === null) return;
    trouble.endedGap = trouble.gap;
    trouble.gap = null;
  }

  #lost(call: Call, now: number): void {
    this.#enter(call, "unknown");
    const trouble = this.trouble(call.connection);
    this.cover("H22 an answer is lost");
    // What was on its way together is one loss.
    if (trouble.doubt) return;
    trouble.doubt = true;
    trouble.losses += 1;
    if (trouble.losses < 3 || (trouble.gap !== null && trouble.until > now)) return;
    this.cover("H22 answers lost in a row back off");
    trouble.gap = trouble.gap === null ? SECOND : Math.min(MINUTE, trouble.gap * 2);
    trouble.until = now + trouble.gap;
  }

  /** No answer in time, seen in its row (H22). */
  gaveUp(call: Call, now: number): void {
    if (now < call.claimedAt + 20 * SECOND && !call.unheard) {
      throw new Broken("an answer is awaited for 20 s", `call ${call.id} was given up early`);
    }
    this.#lost(call, now);
  }

  #refused(call: Call, reason: RefusalKind, now: number) {
    this.cover(`H21 refused: ${reason}${call.state === "placed" ? " by report" : ""}`);
    const trouble = this.trouble(call.connection);
    switch (reason) {
      case "permanent":
        this.#taken(call, trouble);
        return this.#conclude(call, "failed", true, now);
      case "rejected":
        this.#taken(call, trouble);
        return this.#conclude(call, "init_failed", false, now);
      default:
        if (trouble.gap === null || trouble.until <= now) {
          // A refusal by report: what seemed to be taken was not, and the gap grows on.
          const last = trouble.gap ?? (call.state === "placed" ? trouble.endedGap : null);
          trouble.gap = last === null ? SECOND : Math.min(MINUTE, last * 2);
          trouble.until = now + trouble.gap;
        }
        this.#giveBack(call, now);
    }
  }

  #giveBack(call: Call, now: number): void {
    const { task } = call;
    if (call.state === "placing") {
      call.left = true;
      this.cover("H21 a refused dial is forgotten");
    }
    call.endedAt ??= now;
    call.verdict = "returned";
    this.#enter(call, "concluded");
    this.open.delete(call);
    task.state = "waiting";
    // The dial used no attempt: it still waits for the one after the call before.
    task.call = call.before;
    this.touched.tasks.add(task);
    if (task.archiving || task.campaign.over !== null) {
      this.#endTask(task, "archived");
      this.cover("H21 a refused dial's task was archived meanwhile");
    } else if (this.isHeld(task) || task.campaign.paused) {
      this.cover("H21 a refused dial's task was paused meanwhile");
    }
    this.#completeIfDone(task.campaign, now);
  }

  /** News of a call, by a report or a look-up (H18, H22, H36). */
  heard(call: Call, { news, carrierCallId }: Heard, now: number) {
    call.carrierCallId ??= carrierCallId;
    if (call.left) return;
    if (call.state === "concluded") return this.#heardLate(call, news, now);
    const holds = call.state !== "ended";
    call.answeredAt ??= news.answeredAt;
    call.callbackAt ??= news.callbackAt;
    call.talkMs ??= news.talkMs;
    this.touched.calls.add(call);
    if (holds && news.refusal !== null && call.answeredAt === null) {
      // Whoever reports had taken it.
      if (call.state !== "placed") this.#enter(call, "placed");
      return this.#refused(call, news.refusal, now);
    }
    this.trouble(call.connection).endedGap = null;
    const answered = call.answeredAt !== null;
    if (holds && !news.ended && !news.concluding) {
      if (call.state === "placing") this.cover("H36 a report comes before the answer");
      if (call.state !== "placed") this.#enter(call, "placed");
      return;
    }
    if (holds) {
      if (call.state === "unknown") this.cover("H22 a report decides what an answer did not");
      this.#ended(call, news, now);
    }
    const outcome = outcomeOf(news.outcome, call.agent, answered);
    if (!holds && !news.concluding && outcome === null) return;
    if (!news.concluding && awaitsAnalysis(call.agent, outcome, answered)) {
      call.concludeBy ??= (call.endedAt ?? now) + 2 * MINUTE;
      call.said = outcome;
      this.cover("H18 a task awaits its analysis without a slot");
      return;
    }
    if (!holds) this.cover("H18 the analysis decides");
    this.#conclude(call, outcome ?? this.#assumed(call), false, now);
  }

  #ended(call: Call, news: CallNews, now: number): void {
    call.endedAt = Math.min(Math.max(news.endedAt ?? now, call.claimedAt), now);
    this.#enter(call, "ended");
  }

  #assumed(call: Call): string {
    return call.said ?? (call.answeredAt === null ? "failed" : "connected");
  }

  /** The analysis did not come, seen in its row (H18). */
  decidedWithout(call: Call, now: number): void {
    if (call.concludeBy === null || now < call.concludeBy) {
      throw new Broken("an analysis is awaited for 2 min", `call ${call.id} was decided early`);
    }
    this.cover("H18 an analysis never comes");
    this.#conclude(call, this.#assumed(call), false, now);
  }

  /** The lease has run out, seen in its row (H22). */
  rescued(call: Call, now: number): void {
    const length = this.connections.get(call.connection)?.lengthMaxMs ?? 0;
    const earliest = call.claimedAt + length + 5 * MINUTE;
    if (now < earliest) {
      throw new Broken("a lease lasts the longest call and 5 min", `call ${call.id} ended early`);
    }
    if (call.aliveAt !== null && now < call.aliveAt + 5 * MINUTE) {
      throw new Broken("a call that the carrier calls alive is extended", `call ${call.id}`);
    }
    call.assumed = true;
    call.endedAt = now;
    this.cover("H22 a lease runs out");
    this.#conclude(call, "failed", false, now);
  }

  #heardLate(call: Call, news: CallNews, now: number) {
    call.answeredAt ??= news.answeredAt;
    call.callbackAt ??= news.callbackAt;
    call.talkMs ??= news.talkMs;
    this.cover("H36 news of a call that is decided");
    const tells = news.concluding || (call.assumed && news.ended);
    if (!tells || call.reported !== null) return;
    let truth = outcomeOf(news.outcome, call.agent, call.answeredAt !== null);
    // A word that is no outcome tells nothing of what was decided before.
    if (!call.assumed && truth !== news.outcome) truth = null;
    let permanent = false;
    if (news.refusal !== null && call.answeredAt === null) {
      permanent = news.refusal === "permanent";
      truth = permanent ? "failed" : news.refusal === "rejected" ? "init_failed" : null;
    }
    if (truth === null || (truth === call.outcome && !permanent)) return;
    const { task } = call;
    const waits = task.state === "waiting" && task.call === call && task.campaign.over === null;
    if (call.assumed && call.verdict === "retry" && waits) {
      this.cover("H22 the true outcome replaces the assumed one");
      call.assumed = false;
      call.endedAt = Math.min(Math.max(news.endedAt ?? now, call.claimedAt), now);
      this.open.add(call);
      return this.#conclude(call, truth, permanent, now);
    }
    if (truth === call.outcome) return;
    call.reported = truth;
    this.touched.calls.add(call);
    this.cover("H22 a late outcome stands beside the assumed one");
    this.#suppressIf(call, truth);
  }

  /** A look-up's answer (H22). */
  found(call: Call, found: Lookup, taken: ReadonlySet<number>, now: number): void {
    const trouble = this.trouble(call.connection);
    trouble.doubt = false;
    this.cover(`H22 a look-up finds it ${found.kind}`);
    if (found.kind === "unknown") return;
    const ended = found.kind === "over";
    const news = { ...found.news, ended };
    this.heard(call, { news, carrierCallId: found.carrierCallId }, now);
    this.heardUnnamed(call, taken, now);
    if (found.kind === "alive" && this.holds(call)) call.aliveAt = now;
  }

  /** A request that places no call has succeeded (H22). */
  proved(connection: string): void {
    this.trouble(connection).doubt = false;
    this.cover("H22 a probe succeeds");
  }

  /** What waited for the call's name, in its order; `taken` are those that are heard now. */
  heardUnnamed(call: Call, taken: ReadonlySet<number>, now: number): void {
    const key = `${call.connection} ${call.carrierCallId}`;
    const waiting = this.unnamed.get(key);
    if (waiting === undefined) return;
    this.unnamed.delete(key);
    for (const { id, news } of waiting) {
      if (!taken.has(id)) throw new Broken("no report is lost", `a report of call ${call.id}`);
      this.cover("H36 a report that names its call only by the carrier's id");
      this.heard(call, { news, carrierCallId: null }, now);
    }
  }

  // ---- decisions

  #conclude(call: Call, outcome: string, permanent: boolean, now: number): void {
    const { task } = call;
    const { campaign } = task;
    call.endedAt ??= now;
    call.outcome = outcome;
    this.#enter(call, "concluded");
    this.open.delete(call);
    this.touched.tasks.add(task);
    this.touched.campaigns.add(campaign);
    this.#suppressIf(call, outcome);
    task.used = call.attempt;
    task.lastOutcome = outcome;
    const own = this.own(task);
    const again = !permanent && triedAgain(outcome, call.agent, own.chosen);
    this.cover(`H18 outcome ${KNOWN.includes(outcome) ? outcome : "of the agent's own"}`);
    if (!again || call.attempt >= own.attempts) {
      call.verdict = "completed";
      if (again) this.cover("H16 attempts are used up");
      this.#endTask(task, "completed");
    } else if (
      task.archiving ||
      campaign.over !== null ||
      (task.endAfter !== null && task.endAfter <= now)
    ) {
      call.verdict = "archived";
      this.cover("H30 what would be retried is archived");
      this.#endTask(task, "archived");
    } else {
      call.verdict = "retry";
      task.state = "waiting";
      task.call = call;
      task.callback = outcome === "busy_callback" && call.callbackAt !== null;
      task.due = task.callback
        ? Math.max(call.callbackAt ?? now, now)
        : (call.endedAt ?? now) + gapBefore(call.attempt + 1, own.gaps);
      this.cover(task.callback ? "H20 a callback" : "H19 a retry after its interval");
      if (campaign.paused || this.isHeld(task)) this.cover("H30 a retry becomes paused");
    }
    this.#completeIfDone(campaign, now);
  }

  #suppressIf(call: Call, outcome: string): void {
    if (!call.agent.own.some((one) => one.name === outcome && one.suppress)) return;
    this.suppressed.add(call.task.phone);
    this.cover("H40 an outcome puts the number on the list");
  }

  /** A waiting task ended without a dial, seen in its row: it must have had a reason. */
  endedWaiting(task: Task, how: string, now: number): void {
    const usedUp = task.used >= this.own(task).attempts;
    const past = task.endAfter !== null && task.endAfter <= now;
    if (how === "completed" && usedUp) this.cover("H4 an edit has used up the attempts");
    else if (how === "archived" && past) this.cover("H14 a waiting task's end passes");
    else if (how === "archived" && this.suppressed.has(task.phone)) {
      this.cover("H40 a waiting number is on the list");
    } else {
      throw new Broken("a task ends only for a reason", `task ${task.id} became ${how}`);
    }
    this.#endTask(task, how as "completed" | "archived");
    this.#completeIfDone(task.campaign, now);
  }

  #endTask(task: Task, how: "completed" | "archived"): void {
    task.state = how;
    this.ending.delete(task);
    this.touched.tasks.add(task);
    this.touched.campaigns.add(task.campaign);
  }

  #enter(call: Call, state: Call["state"]): void {
    this.cover(`call: ${call.state} → ${state}`);
    call.state = state;
    this.touched.calls.add(call);
  }

  #over(campaign: Campaign, how: "completed" | "expired" | "archived", now: number): void {
    campaign.over = how;
    campaign.overAt = now;
    this.touched.campaigns.add(campaign);
    if (campaign.tasks.some((task) => task.state === "calling")) {
      this.cover(`H30 a call goes on after its campaign is ${how}`);
    }
  }

  /** H28. */
  #completeIfDone(campaign: Campaign, now: number): void {
    if (campaign.type !== "batch" || campaign.over !== null || campaign.tasks.length === 0) return;
    for (const { open } of campaign.imports.values()) if (open) return;
    const busy = campaign.tasks.some(({ state }) => state === "waiting" || state === "calling");
    if (busy) return;
    this.#over(campaign, "completed", now);
    this.cover("H28 a batch completes");
  }

  // ---- who may be dialled

  /** Connections that the object's rows call in trouble: nobody has to be dialled over them. */
  excused: ReadonlySet<string> = new Set();

  own(task: Task): { attempts: number; gaps: number[]; chosen: string[]; opening: Opening } {
    const { campaign } = task;
    const hours = task.hours ?? campaign.hours ?? this.hours;
    return {
      attempts: task.attempts ?? campaign.attempts ?? 1,
      gaps: task.gaps ?? campaign.gaps ?? [30 * MINUTE],
      chosen: task.chosen ?? campaign.chosen ?? [],
      opening: {
        ...hours,
        days: task.days ?? campaign.days ?? this.days,
        zone: task.zone ?? campaign.zone ?? this.zone,
      },
    };
  }

  holds(call: Call): boolean {
    return call.state === "placing" || call.state === "placed" || call.state === "unknown";
  }

  leases(which: (call: Call) => boolean = () => true): number {
    let count = 0;
    for (const call of this.open) if (this.holds(call) && which(call)) count += 1;
    return count;
  }

  agentOf(task: Task): Agent {
    const agent = this.agents.get(task.agent ?? task.campaign.agent ?? "");
    if (agent === undefined) throw new Error(`task ${task.id} has no agent`);
    return agent;
  }

  /** Why a task must not be dialled now, or null. */
  bars(task: Task, now: number): string | null {
    const { campaign } = task;
    if (task.state !== "waiting") return `it is ${task.state}`;
    if (campaign.over !== null) return `its campaign is ${campaign.over}`;
    if (campaign.paused) return "its campaign is paused";
    if (this.isHeld(task)) return "it is paused";
    if (campaign.startsAt === null || campaign.startsAt > now)
      return "its campaign has not started";
    if (task.due !== null && task.due > now) return "it is not due";
    if (task.import !== null && task.used === 0 && campaign.imports.get(task.import)?.open) {
      return "its import is open";
    }
    const own = this.own(task);
    if (!isOpen(own.opening, now)) return "its calling hours are over";
    if (task.used >= own.attempts) return "its attempts are used up";
    if (task.endAfter !== null && task.endAfter <= now) return "its end has passed";
    if (this.suppressed.has(task.phone)) return "its number is on the do-not-call list";
    return null;
  }

  /** Why the connection of a task takes no dial now, or null. */
  shut(task: Task, now: number): string | null {
    const { connection } = this.agentOf(task);
    const doc = this.connections.get(connection);
    const trouble = this.trouble(connection);
    const mine = (call: Call) => call.connection === connection;
    const placing = this.outstanding(now, connection);
    if (trouble.doubt) return "an answer was lost";
    if (trouble.gap !== null && (trouble.until > now || placing > 0)) return "it backs off";
    if (placing >= 3) return "three dials wait for their answer";
    if (doc?.callsMax != null && this.leases(mine) >= doc.callsMax) return "its calls at once";
    if (doc?.perSecond != null && trouble.paceAt > now) return "its pace";
    const limit = task.campaign.slots;
    const inCampaign = (call: Call) => call.task.campaign === task.campaign;
    if (limit !== null && this.leases(inCampaign) >= limit) return "its campaign's limit";
    return null;
  }

  placeOf(task: Task): Place {
    const { campaign } = task;
    return {
      callback: task.callback,
      band: campaign.band,
      priority: priorityOf(campaign.type, task.priorities, task.used + 1),
      start: task.due ?? campaign.startsAt ?? 0,
      tiebreak: task.tiebreak,
    };
  }

  /** The Dialer claims a slot for a task: everything that must hold at this instant. */
  claimed(
    row: { id: number; task: number; attempt: number; agent: string; connection: string },
    now: number,
  ): void {
    const task = this.tasks.get(row.task);
    if (task === undefined) throw new Broken("a call has its task", `call ${row.id}`);
    const agent = this.agentOf(task);
    if (row.agent !== agent.id || row.connection !== agent.connection) {
      const text = `task ${task.id}: ${row.agent}, not ${agent.id}`;
      throw new Broken("who speaks is the task's or its campaign's agent", text);
    }
    const bar = this.bars(task, now);
    if (bar !== null)
      throw new Broken(BAR_RULES[bar] ?? "no dial that is barred", `task ${task.id}: ${bar}`);
    const shut = this.shut(task, now);
    if (shut !== null) throw new Broken(SHUT_RULES[shut] ?? shut, `task ${task.id}`);
    const leases = this.leases();
    if (leases >= this.slots) {
      throw new Broken("never more calls than slots", `${leases} of ${this.slots} are in use`);
    }
    if (this.outstanding(now) >= 5) {
      throw new Broken("at most five dials wait for their answer", `task ${task.id}`);
    }
    if (row.attempt !== task.used + 1) {
      throw new Broken(
        "attempts are counted one by one",
        `task ${task.id}: ${row.attempt} after ${task.used}`,
      );
    }
    this.#nobodyPassed(task, now);
    this.#claim(task, row, now);
  }

  /** H24, H26: no due task of higher rank whose way was free was passed over. */
  #nobodyPassed(task: Task, now: number): void {
    const place = this.placeOf(task);
    for (const campaign of this.campaigns.values()) {
      if (campaign.over !== null || campaign.paused) continue;
      for (const other of campaign.tasks) {
        if (other.state !== "waiting" || other === task) continue;
        if (!before(this.placeOf(other), place)) continue;
        if (this.bars(other, now) !== null || this.shut(other, now) !== null) continue;
        if (this.excused.has(this.agentOf(other).connection)) continue;
        throw new Broken(
          "no better task is passed over",
          `task ${task.id} over ${this.agentOf(task).connection} was dialled before task ${other.id} over ${this.agentOf(other).connection}`,
        );
      }
    }
  }

  #claim(task: Task, row: { id: number; attempt: number }, now: number): void {
    const agent = this.agentOf(task);
    const call: Call = {
      id: row.id,
      task,
      attempt: row.attempt,
      before: task.call,
      agent,
      connection: agent.connection,
      claimedAt: now,
      state: "placing",
      carrierCallId: null,
      answeredAt: null,
      endedAt: null,
      talkMs: null,
      callbackAt: null,
      said: null,
      concludeBy: null,
      outcome: null,
      verdict: null,
      assumed: false,
      reported: null,
      aliveAt: null,
      unheard: false,
      left: false,
    };
    this.calls.set(call.id, call);
    this.open.add(call);
    this.out.add(call);
    this.dials += 1;
    task.state = "calling";
    task.call = call;
    task.newest = call;
    task.calls.push(call);
    task.campaign.startedAt ??= now;
    this.touched.calls.add(call);
    this.touched.tasks.add(task);
    this.touched.campaigns.add(task.campaign);
    const perSecond = this.connections.get(call.connection)?.perSecond ?? null;
    if (perSecond !== null) {
      const trouble = this.trouble(call.connection);
      trouble.paceAt = Math.max(now, trouble.paceAt) + Math.ceil(SECOND / perSecond);
      this.cover("H41 a connection's pace");
    }
    this.cover(`H26 a dial of band ${task.callback ? "callback" : task.campaign.band}`);
    if (row.attempt > 1) this.cover("H25 a later attempt");
  }

  /** The best task that could be dialled now, or null: for checks that nobody waits for nothing. */
  dialable(now: number): Task | null {
    if (this.leases() >= this.slots) return null;
    if (this.outstanding(now) >= 5) return null;
    for (const campaign of this.campaigns.values()) {
      if (campaign.over !== null || campaign.paused) continue;
      if (campaign.startsAt === null || campaign.startsAt > now) continue;
      for (const task of campaign.tasks) {
        if (task.state !== "waiting") continue;
        if (this.bars(task, now) !== null || this.shut(task, now) !== null) continue;
        if (!this.excused.has(this.agentOf(task).connection)) return task;
      }
    }
    return null;
  }
}

type Opening = { opens: number; closes: number; days: readonly number[]; zone: string };

const NEW_TASK = {
  used: 0,
  state: "waiting",
  pausedIn: null,
  archiving: false,
  callback: false,
  call: null,
  newest: null,
  lastOutcome: null,
  gone: false,
} as const;

const BAR_RULES: Record<string, string> = {
  "its campaign is archived": "nobody archived is dialled",
  "its campaign is expired": "nobody is dialled after the end",
  "its campaign is completed": "nobody is dialled after the end",
  "its campaign is paused": "nobody paused is dialled",
  "it is paused": "nobody paused is dialled",
  "its campaign has not started": "nobody is dialled before the start",
  "it is not due": "nobody is dialled before the due time",
  "its import is open": "nobody is dialled before the import is complete",
  "its calling hours are over": "nobody is dialled outside calling hours",
  "its attempts are used up": "no attempt beyond the allowed ones",
  "its end has passed": "nobody is dialled after the end",
  "its number is on the do-not-call list": "nobody on the do-not-call list is dialled",
};

const SHUT_RULES: Record<string, string> = {
  "an answer was lost": "nothing is claimed while an answer is in doubt",
  "it backs off": "a refused connection backs off",
  "three dials wait for their answer": "at most three dials of a connection wait",
  "its calls at once": "never more calls than the connection takes",
  "its pace": "a connection's pace is kept",
  "its campaign's limit": "never more calls than the campaign's limit",
};

const KNOWN: readonly string[] = [
  "connected",
  "no_answer",
  "busy",
  "failed",
  "init_failed",
  "busy_callback",
  "voicemail",
  "no_response",
];
