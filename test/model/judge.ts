import { BANDS, type Band, type CampaignType } from "../../src/core/campaign.ts";
import { ALWAYS_RETRIED, type Outcome } from "../../src/core/outcome.ts";
import type { Move } from "../../src/core/status.ts";

/*
 * What must be, worked out anew from the handbook: who waits, who is out, what is decided, from
 * nothing but what people did, what the carrier was asked and what it said. It shares the words of
 * `src/core`, and no rule.
 */

const MINUTE = 60_000;
/** H22: beyond the longest call; what a look-up adds that calls a call alive, at least. */
const GRACE_MS = 5 * MINUTE;
/** H18 */
const ANALYSIS_MS = 2 * MINUTE;

export type CampaignFacts = {
  type: CampaignType;
  band: Band;
  attemptsMax: number;
  intervalMs: number;
  /** Outcomes chosen beside those always retried (H18). */
  chosen: Outcome[];
  slotsMax: number | null;
  startsAt: number | null;
  endsAt: number | null;
  /** When its window is open, or null for always; half-open (H12). */
  hours: { from: number; until: number }[] | null;
  paused: boolean;
  archived: boolean;
};
export type TaskFacts = {
  campaign: number;
  phone: string;
  import: string | null;
  endsAt: number | null;
  status: "waiting" | "out" | "completed" | "archived";
  /** Attempts used. */
  attempts: number;
  /** The start of H24; 0 for a batch's first attempt. */
  due: number;
  callback: boolean;
  held: boolean;
  /** Archived while its call runs (H30). */
  archiving: boolean;
};
/** What the Dialer can know of a call: `returned` used no attempt (H21). */
type CallFacts = {
  task: string;
  attempt: number;
  claimedAt: number;
  standing: "open" | "ended" | "concluded" | "returned";
  /** Whether the carrier was asked. */
  asked: boolean;
  /** The lease lasts until then at least. */
  until: number;
  /** The carrier took it, or spoke of it. */
  taken: boolean;
  answered: boolean;
  endedAt: number | null;
  outcome: Outcome | null;
  callbackAt: number | null;
  /** Decided by the lease's end, without news. */
  assumed: boolean;
};
export type News = {
  ended: boolean;
  concluding: boolean;
  refusal: "capacity" | "connection" | "unreachable" | "permanent" | "rejected" | null;
  outcome: Outcome | null;
  answeredAt: number | null;
  endedAt: number | null;
  callbackAt: number | null;
};
export type Facts = {
  slots: number;
  lengthMaxMs: number;
  /** The agent's own outcomes, and those that put a number on the do-not-call list (H40). */
  own: Outcome[];
  suppressing: Outcome[];
  usesCallback: boolean;
  campaigns: Record<number, CampaignFacts>;
  tasks: Record<string, TaskFacts>;
  calls: Record<number, CallFacts>;
  /** Whether an import is open. */
  imports: Record<string, boolean>;
  suppressed: string[];
};

/** What the object's tables say of a task and a call. */
export type TaskRow = {
  id: number;
  name: string;
  attempts: number;
  at: number;
  held: number;
  archiving: number;
  ended: "completed" | "archived" | null;
  waits: number;
  verdict: string | null;
};
export type CallRow = {
  id: number;
  task: string;
  attempt: number;
  state: "placing" | "placed" | "unknown" | "ended" | "concluded";
  outcome: Outcome | null;
  assumed: number;
  verdict: string | null;
  endedAt: number | null;
  /** When time decides it: its lease ends, or its analysis is asked for in vain. */
  dueAt: number | null;
};

export class Judge {
  facts: Facts;
  /** What was seen that must not be. */
  readonly broken: string[] = [];

  constructor(facts: Facts) {
    this.facts = facts;
  }

  task(name: string): TaskFacts {
    const task = this.facts.tasks[name];
    if (task === undefined) throw new Error(`nobody brought ${name}`);
    return task;
  }

  campaign(key: number): CampaignFacts {
    const campaign = this.facts.campaigns[key];
    if (campaign === undefined) throw new Error(`there is no campaign ${key}`);
    return campaign;
  }

  /** H28: whether it takes no further dials, for good or until rows bring a batch back. */
  isOver(key: number, now: number): boolean {
    const campaign = this.campaign(key);
    if (campaign.archived || (campaign.endsAt !== null && campaign.endsAt <= now)) return true;
    const tasks = Object.values(this.facts.tasks).filter((one) => one.campaign === key);
    const open = tasks.some((one) => one.status === "waiting" || one.status === "out");
    return campaign.type === "batch" && tasks.length > 0 && !open && !this.#hasOpenImport(key);
  }

  #hasOpenImport(key: number): boolean {
    return Object.values(this.facts.tasks).some(
      (one) => one.campaign === key && one.import !== null && this.facts.imports[one.import],
    );
  }

  /** Why the next attempt of a task must not be dialled now, or null. */
  barred(name: string, now: number): string | null {
    const task = this.task(name);
    const campaign = this.campaign(task.campaign);
    if (task.status !== "waiting") return `it is ${task.status}`;
    if (task.attempts >= campaign.attemptsMax) return "its attempts are used up (H16)";
    if (task.due > now) return "it is not due (H19)";
    if (task.held) return "it is paused (H31)";
    if (task.endsAt !== null && task.endsAt <= now) return "its end has passed (H14)";
    if (task.import !== null && this.facts.imports[task.import]) return "its import is open (H11)";
    if (this.facts.suppressed.includes(task.phone)) return "its number must not be called (H40)";
    if (campaign.paused) return "its campaign is paused (H30)";
    if (campaign.archived) return "its campaign is archived (H30)";
    if (campaign.endsAt !== null && campaign.endsAt <= now) return "its campaign has ended (H13)";
    if (campaign.startsAt === null || campaign.startsAt > now) return "its campaign starts later";
    const open = campaign.hours?.some(({ from, until }) => from <= now && now < until) ?? true;
    return open ? null : "its window is closed (H12)";
  }

  /** Leases that the Dialer must count, of all campaigns or of one (H23, H27). */
  leases(now: number, campaign?: number): number {
    return Object.values(this.facts.calls).filter(
      (call) =>
        call.standing === "open" &&
        now < call.until &&
        (campaign === undefined || this.task(call.task).campaign === campaign),
    ).length;
  }

  /** The limit of a task's campaign is reached (H27). */
  limited(name: string, now: number): boolean {
    const { campaign } = this.task(name);
    const { slotsMax } = this.campaign(campaign);
    return slotsMax !== null && this.leases(now, campaign) >= slotsMax;
  }

  /** A slot was given to a task. */
  claimed(call: number, name: string, attempt: number, now: number): void {
    const task = this.facts.tasks[name];
    const which = `${name}, attempt ${attempt}`;
    if (task === undefined) {
      this.broken.push(`H35 ${which} is dialled, and nobody brought it`);
      return;
    }
    const bar = this.barred(name, now);
    if (bar !== null) this.broken.push(`${which} is dialled: ${bar}`);
    if (attempt !== task.attempts + 1) {
      this.broken.push(`H22 ${which} is dialled after ${task.attempts} attempts`);
    }
    for (const [other, one] of Object.entries(this.facts.calls)) {
      if (Number(other) === call) this.broken.push(`H22 ${which}: the same dial twice`);
      if (one.task === name && one.attempt === attempt && one.standing !== "returned") {
        this.broken.push(`H22 ${which} is dialled again, after no refusal`);
      }
    }
    if (this.leases(now) >= this.facts.slots) {
      this.broken.push(`H23 ${which} is dialled while all ${this.facts.slots} slots are taken`);
    }
    if (this.limited(name, now)) {
      this.broken.push(`H27 ${which} is dialled beyond its campaign's own limit`);
    }
    for (const other of Object.keys(this.facts.tasks)) {
      if (other === name || this.barred(other, now) !== null || this.limited(other, now)) continue;
      if (this.#rank(other, name) < 0) {
        this.broken.push(`H24 ${which} is dialled before ${other}, which is better and due`);
      }
    }
    task.status = "out";
    this.facts.calls[call] = {
      task: name,
      attempt,
      claimedAt: now,
      asked: false,
      standing: "open",
      until: now + this.facts.lengthMaxMs + GRACE_MS,
      taken: false,
      answered: false,
      endedAt: null,
      outcome: null,
      callbackAt: null,
      assumed: false,
    };
  }

  /** H24, but for the lot: negative when `a` comes first. */
  #rank(a: string, b: string): number {
    const order = (name: string) => {
      const task = this.task(name);
      const campaign = this.campaign(task.campaign);
      const top = campaign.type === "batch" ? 101 : 201;
      return [
        task.callback ? 0 : 1,
        BANDS.indexOf(campaign.band),
        task.attempts + 1 - top,
        task.due === 0 ? (campaign.startsAt ?? 0) : task.due,
      ];
    };
    const [first, second] = [order(a), order(b)];
    for (const [index, value] of first.entries()) {
      const other = second[index] ?? 0;
      if (value !== other) return value - other;
    }
    return 0;
  }

  /** The Dialer hears the carrier's answer to `place`; null for a lost one. */
  answered(key: number, refusal: News["refusal"], now: number): void {
    const call = this.facts.calls[key];
    if (call === undefined || call.standing !== "open") return;
    if (refusal === null) call.taken = true;
    else if (!call.taken) this.#refused(call, refusal, now);
  }

  #refused(call: CallFacts, refusal: NonNullable<News["refusal"]>, now: number): void {
    if (refusal === "permanent") this.#conclude(call, "failed", now, { permanent: true });
    else if (refusal === "rejected") this.#conclude(call, "init_failed", now);
    else {
      const task = this.task(call.task);
      call.standing = "returned";
      const over = task.archiving || this.isOver(task.campaign, now);
      task.status = over ? "archived" : "waiting";
    }
  }

  /** The Dialer hears news of a call, by a report or a look-up. */
  heard(key: number, news: News, now: number): void {
    const call = this.facts.calls[key];
    if (call === undefined || call.standing === "returned") return;
    if (call.standing === "concluded") {
      this.#heardLate(call, news, now);
      return;
    }
    if (news.answeredAt !== null) call.answered = true;
    call.callbackAt ??= news.callbackAt;
    call.taken = true;
    if (call.standing === "open" && news.refusal !== null && !call.answered) {
      this.#refused(call, news.refusal, now);
    } else this.#heardInTime(call, news, now);
  }

  #heardInTime(call: CallFacts, news: News, now: number): void {
    const wasOpen = call.standing === "open";
    if (wasOpen && (news.ended || news.concluding)) {
      call.standing = "ended";
      call.endedAt = instant(news.endedAt ?? now, call.claimedAt, now);
    }
    if (call.standing !== "ended") return;
    if (!wasOpen && !news.concluding && news.outcome === null) return;
    if (!news.concluding && this.#awaits(call, news.outcome)) call.outcome = news.outcome;
    else this.#conclude(call, news.outcome ?? supposed(call), now);
  }

  /** H18 */
  #awaits(call: CallFacts, outcome: Outcome | null): boolean {
    const { own, usesCallback } = this.facts;
    if (own.length === 0 && !usesCallback) return false;
    if (outcome === null) return call.answered;
    return outcome === "connected";
  }

  /** H22: the truth takes the place of what was assumed, while nothing came of it yet. */
  #heardLate(call: CallFacts, news: News, now: number): void {
    if (!call.assumed || news.outcome === null || news.outcome === call.outcome) return;
    if (!news.ended && !news.concluding) return;
    const task = this.task(call.task);
    const later = Object.values(this.facts.calls).some(
      (one) =>
        one.task === call.task &&
        one !== call &&
        one.attempt > call.attempt &&
        // A dial that the carrier never took is as if it had not been.
        (one.standing !== "returned" || one.taken),
    );
    const waits = task.status === "waiting" && task.attempts === call.attempt && !later;
    if (!waits || this.isOver(task.campaign, now)) {
      this.#suppress(call, news.outcome);
      return;
    }
    call.assumed = false;
    call.callbackAt ??= news.callbackAt;
    call.endedAt = instant(news.endedAt ?? now, call.claimedAt, now);
    this.#conclude(call, news.outcome, now);
  }

  /** The carrier calls it alive (H22). */
  alive(key: number, now: number): void {
    const call = this.facts.calls[key];
    if (call?.standing !== "open") return;
    call.taken = true;
    call.until = Math.max(call.until, now + GRACE_MS);
  }

  /** H16–H21, H30 */
  #conclude(call: CallFacts, outcome: Outcome, now: number, how = { permanent: false }): void {
    const task = this.task(call.task);
    const campaign = this.campaign(task.campaign);
    call.standing = "concluded";
    call.outcome = outcome;
    call.endedAt ??= now;
    this.#suppress(call, outcome);
    task.attempts = call.attempt;
    const retried =
      ALWAYS_RETRIED.some((one) => one === outcome) ||
      (outcome === "busy_callback" ? this.facts.usesCallback : campaign.chosen.includes(outcome));
    const ends = task.endsAt !== null && task.endsAt <= now;
    // Its own task is out, so a batch is not complete by itself.
    const over = task.archiving || ends || this.isOver(task.campaign, now);
    if (how.permanent || !retried || call.attempt >= campaign.attemptsMax) {
      task.status = "completed";
    } else if (over) task.status = "archived";
    else {
      const asked = outcome === "busy_callback" ? call.callbackAt : null;
      task.status = "waiting";
      task.callback = asked !== null;
      task.due = asked === null ? call.endedAt + campaign.intervalMs : Math.max(asked, now);
    }
  }

  #suppress(call: CallFacts, outcome: Outcome): void {
    const { suppressing, suppressed } = this.facts;
    const { phone } = this.task(call.task);
    if (suppressing.includes(outcome) && !suppressed.includes(phone)) suppressed.push(phone);
  }

  moveCampaign(key: number, move: Move): void {
    const campaign = this.campaign(key);
    if (move === "archive") campaign.archived = true;
    else campaign.paused = move === "pause";
    if (move !== "resume") return;
    for (const task of Object.values(this.facts.tasks)) {
      if (task.campaign === key) task.held = false;
    }
  }

  moveTask(name: string, move: Move): void {
    const task = this.task(name);
    if (move !== "archive") task.held = move === "pause";
    else if (task.status === "out") task.archiving = true;
    else task.status = "archived";
  }

  /** H14: what its own end does to a task; the next transaction sees it. */
  passes(now: number): void {
    for (const task of Object.values(this.facts.tasks)) {
      if (task.endsAt === null || task.endsAt > now) continue;
      if (task.status === "out") task.archiving = true;
      if (task.status === "waiting") task.status = "archived";
    }
  }

  /** The carrier is asked: for a claim, once. */
  asked(key: number, name: string, attempt: number): void {
    const call = this.facts.calls[key];
    if (call === undefined || call.asked || call.task !== name || call.attempt !== attempt) {
      this.broken.push(`H22 ${name}, attempt ${attempt}, is dialled without a claim of its own`);
    } else call.asked = true;
  }

  /** After a commit: who was given a slot in it, and what time alone has decided. */
  learn(rows: readonly CallRow[], now: number): void {
    for (const row of rows) {
      const call = this.facts.calls[row.id];
      if (call !== undefined && row.state === "concluded") {
        if (call.standing === "open" && row.assumed !== 1) {
          this.broken.push(`${textOf(call)} is concluded as ${row.outcome} without news (H22)`);
        }
        this.#decide(call, row.endedAt, now);
      }
    }
    for (const row of rows) {
      if (this.facts.calls[row.id] === undefined) this.claimed(row.id, row.task, row.attempt, now);
    }
  }

  /** Its lease has ended, or its analysis is overdue. */
  timesUp(row: CallRow, now: number): void {
    const call = this.facts.calls[row.id];
    if (call !== undefined) this.#decide(call, row.endedAt ?? now, now);
  }

  /** Time alone decides a call: neither too early, nor one of which nobody had heard (H18, H22). */
  #decide(call: CallFacts, endedAt: number | null, now: number): void {
    const say = (what: string) => this.broken.push(`${textOf(call)} ${what}`);
    if (call.standing === "open") {
      if (now < call.until) say("is given up before its lease has ended (H22)");
      call.assumed = true;
      call.endedAt = endedAt;
      this.#conclude(call, "failed", now);
    } else if (call.standing === "ended") {
      const by = (call.endedAt ?? now) + ANALYSIS_MS;
      if (now < by) say("is concluded before its analysis is overdue (H18)");
      this.#conclude(call, supposed(call), now);
    }
  }

  /** The rows must say the same. */
  compare(rows: { tasks: TaskRow[]; calls: CallRow[]; stored: Map<string, string> }, now: number) {
    const byId = new Map(rows.calls.map((row) => [row.id, row]));
    for (const [key, call] of Object.entries(this.facts.calls)) {
      const what = this.#compareCall(call, byId.get(Number(key)));
      if (what !== null) this.broken.push(`${textOf(call)} ${what}`);
    }
    const byName = new Map(rows.tasks.map((row) => [row.name, row]));
    for (const name of Object.keys(this.facts.tasks)) {
      const what = this.#compareTask(name, byName.get(name), rows.stored.get(name), now);
      if (what !== null) this.broken.push(`${name} ${what}`);
    }
  }

  #compareCall(call: CallFacts, row: CallRow | undefined): string | null {
    const state = row?.state ?? "gone";
    switch (call.standing) {
      case "open":
        return state === "placing" || state === "placed" || state === "unknown"
          ? null
          : `is open, and its row is ${state}`;
      case "ended":
        return state === "ended" ? null : `has ended, and its row is ${state}`;
      case "returned":
        return row === undefined || row.verdict === "returned"
          ? null
          : `was refused, and its row is ${state}`;
      default:
        if (row === undefined) return null;
        if (state !== "concluded") return `is over, and its row is ${state} (H23)`;
        return row.outcome === call.outcome
          ? null
          : `ended with ${call.outcome}, and its row says ${row.outcome}`;
    }
  }

  #compareTask(
    name: string,
    row: TaskRow | undefined,
    stored: string | undefined,
    now: number,
  ): string | null {
    const task = this.task(name);
    const over = this.isOver(task.campaign, now);
    const decided = row?.verdict === "completed" || row?.verdict === "archived";
    const ended = row === undefined ? stored : (row.ended ?? (decided ? row.verdict : null));
    if (task.status === "waiting" && ended != null) {
      // What has come up and must not be dialled ends there (H4, H40).
      if (task.attempts >= this.campaign(task.campaign).attemptsMax && ended === "completed") {
        task.status = "completed";
      } else if (this.facts.suppressed.includes(task.phone) && ended === "archived") {
        task.status = "archived";
      }
    }
    if (row === undefined) {
      const status = over && task.status === "waiting" ? "archived" : task.status;
      return stored === status
        ? null
        : `is ${status}, and D1 has it as ${stored ?? "unknown"} (H35)`;
    }
    switch (task.status) {
      case "waiting":
        if (ended !== null) return `waits, and its row is ${ended} (H29)`;
        if (row.waits !== 1) return "waits, and is in no lane (H35)";
        if (row.attempts !== task.attempts) {
          return `has used ${task.attempts} attempts, and its row says ${row.attempts} (H16)`;
        }
        if (row.at !== task.due) {
          return `is due in ${task.due - now} ms, and its row says ${row.at - now} (H19)`;
        }
        if (!over && (row.held === 1) !== task.held) {
          return `is ${task.held ? "" : "not "}paused singly, and its row says otherwise (H31)`;
        }
        return null;
      case "out":
        return row.waits === 1 || ended !== null ? "has a call, and its row says otherwise" : null;
      default:
        if (ended === task.status) return null;
        if (task.endsAt !== null && task.endsAt <= now && row.waits === 1) return null;
        return `is ${task.status}, and its row is ${ended ?? (row.waits === 1 ? "waiting" : "out")} (H29)`;
    }
  }
}

function textOf({ task, attempt }: CallFacts): string {
  return `the call of ${task}, attempt ${attempt},`;
}

/** What is known of a call that ended without an outcome. */
function supposed(call: CallFacts): Outcome {
  return call.outcome ?? (call.answered ? "connected" : "failed");
}

function instant(at: number, from: number, until: number): number {
  return Math.min(Math.max(at, from), until);
}
