import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type {
  CampaignNote,
  FileNote,
  Hold,
  Kept,
  LimitNote,
  Notes,
  PushNote,
  ShutNote,
} from "./notes.ts";
import { RECEIVED } from "./world.ts";

/*
 * Holds what is left on disk to the promises, once everything has stopped: the rows of D1 and of
 * the objects, the carrier's book and the client's notes. Knows the tables, and nothing of the
 * code that writes them.
 */

/** A promise that did not hold, and where. */
export type Broken = { promise: string; where: string };
export type Verdict = { broken: Broken[]; acknowledged: number; dials: number; open: number };

type Row = Record<string, string | number | null>;
/** A call as the carrier wrote it down. */
type Dial = {
  id: string;
  callId: string;
  to: string;
  dialledAt: number;
  answeredAt: number | null;
  endedAt: number | null;
  outcome: string | null;
  analysisOutcome: string | null;
  refusal: string | null;
};
type D1Task = {
  id: number;
  campaign: number;
  import: string | null;
  phone: string;
  tag: string | null;
  ended: string | null;
  attempts: number;
  last_outcome: string | null;
};
type D1Call = {
  id: number;
  task: number;
  campaign: number;
  attempt: number;
  concluded: number;
  claimed_at: number;
  ended_at: number | null;
  placed_at: number | null;
  outcome: string | null;
  reported: string | null;
  to_phone: string;
};

/** The longest call of the rounds' connections and what a lease lasts beyond it (H22). */
const LEASE_MS = 60_000 + 5 * 60_000;
/** A dial may reach the carrier so long after it was claimed, ms: before what forbids it. */
const WAY_MS = 3_000;
const RETRIED = ["no_answer", "busy", "failed", "init_failed"];
const USUAL = [...RETRIED, "connected", "busy_callback", "voicemail", "no_response"];

/** What is undecided when the world stopped must be held by a lease that still ran then. */
export function check(folder: string): Verdict {
  const { until, holds, rounds } = JSON.parse(readFileSync(notesOf(folder), "utf8")) as Kept;
  const dials = readBook(bookOf(folder));
  const received = readReceived(folder);
  const d1 = openD1(folder, true);
  const objects = openObjects(folder, true);
  const broken: Broken[] = [];
  const known = new Set<string>();
  let open = 0;
  let acknowledged = 0;
  try {
    for (const one of rounds) {
      const object = objects.get(one.workspace);
      const round = new RoundCheck(received, one, d1, object ?? null, dials, until, holds);
      round.run();
      for (const id of round.dialIds) known.add(id);
      broken.push(...round.broken);
      open += round.open;
      acknowledged += round.acknowledged;
    }
  } finally {
    d1.close();
    for (const object of objects.values()) object.close();
  }
  for (const dial of dials) {
    if (known.has(dial.id)) continue;
    broken.push({ promise: DIALS_KNOWN, where: `call ${dial.callId} is of no round` });
  }
  return { broken, acknowledged, dials: dials.length, open };
}

/** Events by path. */
type Heard = Record<string, { id: string; status: number }[]>;

function readReceived(folder: string): Heard {
  return JSON.parse(readFileSync(join(folder, RECEIVED), "utf8")) as Heard;
}

export const KEPT = "H35 what was acknowledged is there";
export const ONCE = "H9 H36 the same push is one task";
export const ENDED = "every task ends";
export const ROWS = "H11 each good row is a task exactly once";
export const REJECTS = "H7 each rejected row is named";
export const IMPORTS = "H11 every import ends, and a half one leaves nothing";
export const DIALS_KNOWN = "H35 every dial of the carrier is known";
export const TWICE = "H22 no attempt is accepted twice";
export const SLOTS = "H23 never more calls than slots";
export const LIMIT = "H27 never more calls than the campaign's limit";
export const SHUT = "H12 H13 H14 H30 nothing is dialled while it may not be";
export const ATTEMPTS = "H16 H18 attempts are counted";
export const OUTCOMES = "H22 the outcome is the carrier's";
export const COUNTERS = "counters equal the rows";
export const EQUAL = "D1 equals the object";
export const TOLD = "every event gets to its receiver";
export const UNTOLD = "nothing is told that has not happened";

class RoundCheck {
  readonly broken: Broken[] = [];
  readonly dialIds = new Set<string>();
  /** Tasks that wait for a look-up or the end of a lease. */
  open = 0;
  acknowledged = 0;
  readonly #notes: Notes;
  readonly #d1: DatabaseSync;
  readonly #object: DatabaseSync | null;
  readonly #until: number;
  readonly #holds: readonly Hold[];
  readonly #tasks: D1Task[];
  readonly #calls: D1Call[];
  readonly #campaigns: Row[];
  readonly #dials: Dial[];
  readonly #received: Heard;

  constructor(
    received: Heard,
    notes: Notes,
    d1: DatabaseSync,
    object: DatabaseSync | null,
    dials: readonly Dial[],
    until: number,
    holds: readonly Hold[],
  ) {
    this.#received = received;
    this.#notes = notes;
    this.#d1 = d1;
    this.#object = object;
    this.#until = until;
    this.#holds = holds;
    const { workspace } = notes;
    this.#tasks = this.#rows(
      `SELECT id, campaign, import, phone, context ->> 'tag' AS tag, ended, attempts, last_outcome
       FROM tasks WHERE workspace = ?`,
    ) as D1Task[];
    this.#calls = this.#rows(
      `SELECT id, task, campaign, attempt, concluded, claimed_at, placed_at, ended_at, outcome,
       reported, to_phone FROM calls WHERE workspace = ?`,
    ) as D1Call[];
    this.#campaigns = this.#rows("SELECT * FROM campaigns WHERE workspace = ?");
    this.#dials = dials.filter((dial) => dial.callId.startsWith(`cal_${workspace.slice(3)}_`));
    for (const dial of this.#dials) this.dialIds.add(dial.id);
  }

  run(): void {
    for (const campaign of this.#notes.campaigns) this.#campaign(campaign);
    const tags = new Map<string, D1Task[]>();
    for (const task of this.#tasks) {
      if (task.tag !== null) tags.set(task.tag, [...(tags.get(task.tag) ?? []), task]);
    }
    for (const push of this.#notes.pushes) this.#push(push, tags.get(push.tag) ?? []);
    for (const file of this.#notes.files) this.#file(file);
    this.#halfImports();
    this.#leftOver();
    this.#dialled();
    this.#slots();
    this.#attempts();
    this.#equal();
    this.#told();
  }

  /** What the receiver has heard, against D1. Two tellings of one event share its id. */
  #told(): void {
    const { workspace } = this.#notes;
    // It hears of some that it does not take.
    const taken = (this.#received[`/${workspace}`] ?? []).filter((one) => one.status < 300);
    const heard = new Set(taken.map((one) => one.id));
    const id = (kind: string, key: number) => `${kind}_${workspace.slice(3)}_${key.toString(36)}`;
    const happened = new Set<string>();
    const wanted: string[] = [];
    for (const call of this.#calls) {
      const name = id("cal", call.id);
      happened.add(`${name}-started`).add(`${name}-ended`);
      // What goes on when the world stops is told later.
      if (call.concluded === 0) continue;
      wanted.push(`${name}-ended`);
      if (call.placed_at !== null) wanted.push(`${name}-started`);
    }
    for (const task of this.#tasks) {
      if (task.ended === null) continue;
      const event = `${id("tsk", task.id)}-${task.ended}`;
      happened.add(event);
      if (task.ended === "completed") wanted.push(event);
    }
    const waits = this.#untold();
    for (const event of wanted) {
      if (heard.has(event)) continue;
      // What D1 or the object holds is told later.
      if (waits.has(event)) this.open += 1;
      else this.#break(TOLD, event);
    }
    for (const event of heard) {
      const known = /^(cal_.*-(started|ended)|tsk_.*)$/.test(event);
      if (known && !happened.has(event)) this.#break(UNTOLD, event);
    }
    const given = this.#rows(
      "SELECT event FROM deliveries WHERE workspace = ? AND status NOT IN ('delivered', 'waiting')",
    );
    for (const { event } of given) this.#break(TOLD, `${event} was given up`);
  }

  /** Events that wait: in D1 for another try, or in the object's outbox. */
  #untold(): Set<string> {
    const waits = this.#rows(
      "SELECT event FROM deliveries WHERE workspace = ? AND status = 'waiting'",
    ).map((row) => String(row.event));
    const rows = this.#object?.prepare("SELECT events FROM outbox").all() ?? [];
    const boxed = (rows as Row[]).flatMap((row) => {
      return (JSON.parse(String(row.events)) as { id: string }[]).map((one) => one.id);
    });
    return new Set([...waits, ...boxed]);
  }

  #break(promise: string, where: string): void {
    const { round, seed } = this.#notes;
    this.broken.push({ promise, where: `round ${round}, seed ${seed}: ${where}` });
  }

  #rows(query: string): Row[] {
    return this.#d1.prepare(query).all(this.#notes.workspace) as Row[];
  }

  #campaign({ id, name, type }: CampaignNote): void {
    this.acknowledged += 1;
    const row = this.#campaigns.find((one) => one.id === keyOf(id));
    if (row === undefined) {
      this.#break(KEPT, `campaign ${name} ${id} is not in D1`);
      return;
    }
    const tasks = this.#tasks.filter((task) => task.campaign === row.id);
    const over = row.archived_at !== null || row.completed_at !== null;
    const left = tasks.some((task) => task.ended === null);
    if (type === "batch" && tasks.length > 0 && !over && !left) {
      this.#break(ENDED, `batch ${name} ${id} is ${row.status}`);
    }
    this.#counters(name, row, tasks);
  }

  /** What the campaign counts, against tasks and calls one by one. */
  #counters(name: string, row: Row, tasks: readonly D1Task[]): void {
    const calls = this.#calls.filter((call) => call.campaign === row.id);
    const over = row.archived_at !== null || row.completed_at !== null;
    const running = new Set(calls.filter((call) => call.concluded === 0).map((call) => call.task));
    const waits = tasks.filter((task) => task.ended === null && !running.has(task.id));
    const decided = calls.filter((call) => call.concluded === 1 && call.outcome !== null);
    const outcomes: Record<string, number> = {};
    for (const { outcome } of decided) outcomes[outcome ?? ""] = (outcomes[outcome ?? ""] ?? 0) + 1;
    const rows = {
      completed: tasks.filter((task) => task.ended === "completed").length,
      archived:
        tasks.filter((task) => task.ended === "archived").length + (over ? waits.length : 0),
      attempts: decided.length,
      outcomes: sorted(outcomes),
    };
    const counters = JSON.parse(String(row.counters)) as typeof rows;
    const said = {
      completed: counters.completed,
      archived: counters.archived,
      attempts: counters.attempts,
      outcomes: sorted(counters.outcomes),
    };
    if (JSON.stringify(said) !== JSON.stringify(rows)) {
      const both = `says ${JSON.stringify(said)}, the rows ${JSON.stringify(rows)}`;
      this.#break(COUNTERS, `campaign ${name}: ${both}`);
    }
  }

  #push(push: PushNote, tasks: readonly D1Task[]): void {
    const ids = new Set(push.ids);
    if (ids.size > 0) this.acknowledged += 1;
    if (ids.size > 1) this.#break(ONCE, `push ${push.tag} was answered with ${ids.size} tasks`);
    if (tasks.length > 1) this.#break(ONCE, `push ${push.tag} is ${tasks.length} tasks`);
    for (const id of ids) {
      const task = tasks.find((one) => one.id === keyOf(id));
      if (task === undefined) this.#break(KEPT, `push ${push.tag}, task ${id}, is not in D1`);
      else if (task.phone !== push.phone) this.#break(KEPT, `task ${id} has another number`);
    }
  }

  #file(file: FileNote): void {
    const campaign = keyOf(file.campaign);
    const note = this.#notes.campaigns.find((one) => one.id === file.campaign);
    const imports = this.#rows(
      "SELECT id, status, rows, rows_read, rows_taken, header FROM imports WHERE workspace = ?",
    ).filter((row) => String(row.header).includes(`row_of_${file.name}"`));
    if (file.import !== null && !imports.some((row) => row.id === file.import)) {
      this.#break(KEPT, `import ${file.import} of ${file.name} is not in D1`);
    }
    if (imports.length > file.sent) {
      this.#break(IMPORTS, `${file.name} was sent ${file.sent} times, ${imports.length} are there`);
    }
    const byPhone = new Map<string, D1Task[]>();
    for (const task of this.#tasks) {
      if (task.campaign !== campaign) continue;
      byPhone.set(task.phone, [...(byPhone.get(task.phone) ?? []), task]);
    }
    for (const row of imports) this.#import(file, row, byPhone, note?.over ?? false);
    if (imports.length === 0) return;
    let taken = 0;
    for (const { phone, reason, line } of file.rows) {
      if (phone === null || reason !== null) continue;
      const tasks = byPhone.get(phone) ?? [];
      taken += tasks.length;
      if (tasks.length > 1 || (tasks.length === 0 && !note?.over)) {
        this.#break(ROWS, `line ${line} of ${file.name} is ${tasks.length} tasks`);
      }
    }
    if (file.import !== null) this.acknowledged += taken;
  }

  /** One import of a file: each of its lines is a task of its own or a rejected row, never both. */
  #import(
    file: FileNote,
    row: Row,
    byPhone: ReadonlyMap<string, readonly D1Task[]>,
    over: boolean,
  ): void {
    const id = String(row.id);
    if (row.status !== "completed") {
      this.#break(IMPORTS, `import ${id} of ${file.name} is ${row.status}`);
      return;
    }
    type Bad = { line: number; reason: string; cells: string[] };
    const groups = this.#d1.prepare("SELECT rows FROM import_rejects WHERE import = ?").all(id);
    const bad = groups.flatMap((group) => JSON.parse(String((group as Row).rows)) as Bad[]);
    const reasons = new Map(bad.map((one) => [one.line, one]));
    if (reasons.size !== bad.length) this.#break(REJECTS, `${id}: a line is rejected twice`);
    for (const { line, cell, phone, reason } of file.rows) {
      const said = reasons.get(line);
      const mine = phone !== null && (byPhone.get(phone) ?? []).some((task) => task.import === id);
      if (said !== undefined && (said.cells[0] ?? "") !== cell) {
        this.#break(REJECTS, `${id}, line ${line}: not its cells`);
      }
      const allowed =
        reason !== null
          ? [reason, ...(over ? ["campaign_over"] : [])]
          : [...(mine ? [] : ["duplicate"]), ...(over && !mine ? ["campaign_over"] : [])];
      const fits = said === undefined ? mine && reason === null : allowed.includes(said.reason);
      if (!fits) {
        const promise = said === undefined && reason === null ? ROWS : REJECTS;
        this.#break(
          promise,
          `${id}, line ${line}: ${said?.reason ?? "neither taken nor rejected"}`,
        );
      }
    }
    const taken = file.rows.length - bad.length;
    if (row.rows !== file.rows.length || row.rows_read !== row.rows || row.rows_taken !== taken) {
      const counts = `${row.rows_read} read, ${row.rows_taken} taken of ${row.rows}`;
      this.#break(REJECTS, `${id}: ${counts}, ${bad.length} rejected`);
    }
  }

  #halfImports(): void {
    const names = this.#notes.files.map((file) => `row_of_${file.name}"`);
    for (const row of this.#rows("SELECT id, status, header FROM imports WHERE workspace = ?")) {
      if (names.some((name) => String(row.header).includes(name))) continue;
      this.#break(IMPORTS, `import ${row.id} (${row.status}) is of no file`);
    }
    const chunks = this.#rows(
      `SELECT k.import, COUNT(*) AS parts FROM import_chunks k JOIN imports i ON i.id = k.import
       WHERE i.workspace = ? GROUP BY k.import`,
    );
    for (const { import: id, parts } of chunks) {
      this.#break(IMPORTS, `${parts} parts of import ${id} are left`);
    }
  }

  /** When the open call of a task is decided at the latest, or null without one. */
  #lease(task: D1Task): number | null {
    const query =
      "SELECT expires_at, conclude_by, claimed_at FROM call WHERE state <> 'concluded' AND task = ?";
    const row = this.#object?.prepare(query).get(task.id) as Row | undefined;
    if (row === undefined) return null;
    return Math.max(Number(row.expires_at), Number(row.conclude_by ?? 0) + 30_000);
  }

  /** A task waits for a look-up or a lease's end, or behind those that do and hold the slots. */
  #leftOver(): void {
    const over = new Set(
      this.#campaigns
        .filter((row) => row.archived_at !== null || row.completed_at !== null)
        .map((row) => row.id),
    );
    const waiting = this.#tasks.filter((task) => task.ended === null);
    const leases = new Map(waiting.map((task) => [task.id, this.#lease(task)]));
    const jammed = [...leases.values()].some((until) => until !== null && until > this.#until);
    for (const task of waiting) {
      const until = leases.get(task.id) ?? null;
      if (until !== null && until <= this.#until) {
        this.#break(ENDED, `task ${task.id}: its lease ended ${this.#until - until} ms ago`);
      } else if (until === null && over.has(task.campaign)) {
        // It counts as archived, with its campaign (H13, H30).
      } else if (until !== null || jammed) this.open += 1;
      else this.#break(ENDED, `task ${task.id} waits after ${task.attempts} attempts`);
    }
  }

  /** Each call that the carrier took, against D1, the notes and the rules of time. */
  #dialled(): void {
    const calls = new Map(this.#calls.map((call) => [call.id, call]));
    const tasks = new Map(this.#tasks.map((task) => [task.id, task]));
    const taken = new Map<string, Dial>();
    for (const dial of this.#dials) {
      const before = taken.get(dial.callId);
      if (before !== undefined) {
        this.#break(TWICE, `${dial.callId} was taken as ${before.id} and ${dial.id}`);
        continue;
      }
      taken.set(dial.callId, dial);
    }
    const attempts = new Map<string, string>();
    for (const [callId, dial] of taken) {
      const call = calls.get(keyOf(callId)) ?? this.#openCall(keyOf(callId));
      const task = call === null ? undefined : tasks.get(call.task);
      if (call === null || task === undefined) {
        this.#break(DIALS_KNOWN, `${callId} at the carrier is not in D1`);
        continue;
      }
      if (task.phone !== dial.to || call.to_phone !== dial.to) {
        this.#break(DIALS_KNOWN, `${callId} rang at another number than its task's`);
      }
      this.#inTime(dial, call, task);
      this.#outcome(dial, call);
      // One that was refused for want of capacity after all used no attempt (H21).
      if (dial.refusal === "capacity" && dial.answeredAt === null) continue;
      const which = `task ${call.task}, attempt ${call.attempt}`;
      const other = attempts.get(which);
      if (other !== undefined) this.#break(TWICE, `${which} was dialled as ${other} and ${callId}`);
      attempts.set(which, callId);
    }
  }

  /** A call that D1 does not know because nobody knows yet what became of it. */
  #openCall(id: number): D1Call | null {
    const query = `SELECT k.id, k.task, k.campaign, k.attempt, 0 AS concluded, k.claimed_at,
      k.ended_at, k.outcome, k.reported, t.phone AS to_phone FROM call k JOIN task t ON t.id = k.task
      WHERE k.id = ? AND k.state <> 'concluded'`;
    return (this.#object?.prepare(query).get(id) as D1Call | undefined) ?? null;
  }

  #inTime(dial: Dial, call: D1Call, task: D1Task): void {
    const campaign = this.#notes.campaigns.find((one) => keyOf(one.id) === call.campaign);
    const push = this.#notes.pushes.find((one) => one.tag === task.tag);
    const single = this.#notes.tasks.find((one) => keyOf(one.id) === task.id);
    const shut: ShutNote[] = [...(campaign?.shut ?? []), ...(single?.shut ?? [])];
    if (push?.startsAt != null)
      shut.push({ from: 0, until: push.startsAt, why: "before its start" });
    if (push?.endsAt != null) shut.push({ from: push.endsAt, until: null, why: "after its end" });
    for (const { from, until, why } of shut) {
      const inside = (at: number): boolean => at > from && (until === null || at < until);
      const left = dial.dialledAt - this.#wayMs(call.claimed_at, dial.dialledAt);
      if (!inside(call.claimed_at) && !(inside(dial.dialledAt) && inside(left))) continue;
      const after = `claimed ${call.claimed_at - from} ms, dialled ${dial.dialledAt - from} ms`;
      this.#break(SHUT, `${dial.callId} was dialled ${why}: ${after} after that began`);
    }
  }

  /** What a request may be on its way: whoever stood still in between could not send it. */
  #wayMs(claimedAt: number, dialledAt: number): number {
    const held = this.#holds.map(
      ({ from, until }) => Math.min(until, dialledAt) - Math.max(from, claimedAt),
    );
    return held.reduce((sum, ms) => sum + Math.max(0, ms), WAY_MS);
  }

  /** What the carrier says became of a call is what D1 has, unless its lease ran out before. */
  #outcome(dial: Dial, call: D1Call): void {
    if (call.concluded === 0 || dial.endedAt === null || dial.refusal !== null) return;
    if (dial.analysisOutcome !== null || dial.outcome === null) return;
    const said = dial.outcome.toLowerCase() === dial.outcome ? dial.outcome : "failed";
    // An agent's own outcome counts only where the agent lists it.
    if (!USUAL.includes(said)) return;
    if (call.outcome === said || call.reported === said) return;
    if (call.outcome === "failed" && (call.ended_at ?? 0) - call.claimed_at >= LEASE_MS) return;
    this.#break(OUTCOMES, `${dial.callId} ended with ${said}, D1 has ${call.outcome}`);
  }

  /** Calls in flight at the carrier, dial by dial. */
  #slots(): void {
    const campaigns = new Map(this.#notes.campaigns.map((one) => [keyOf(one.id), one]));
    const claims = new Map(this.#calls.map((call) => [call.id, call]));
    const begun = this.#dials.toSorted((a, b) => a.dialledAt - b.dialledAt);
    const flying: { dial: Dial; campaign: number | undefined }[] = [];
    let most = 0;
    for (const dial of begun) {
      const call = claims.get(keyOf(dial.callId)) ?? this.#openCall(keyOf(dial.callId));
      const { dialledAt } = dial;
      const still = flying.filter(
        (one) => one.dial.endedAt === null || one.dial.endedAt > dialledAt,
      );
      still.push({ dial, campaign: call?.campaign });
      flying.splice(0, flying.length, ...still);
      if (still.length > this.#notes.slots && still.length > most) {
        this.#break(SLOTS, `${still.length} calls in ${this.#notes.slots} slots`);
      }
      most = Math.max(most, still.length);
      const campaign = campaigns.get(call?.campaign ?? 0);
      if (campaign === undefined) continue;
      const own = still.filter((one) => one.campaign === call?.campaign).length;
      const limit = limitAt(campaign.limits, call?.claimed_at ?? dialledAt, dialledAt);
      if (own > limit) this.#break(LIMIT, `${campaign.name}: ${own} calls within ${limit}`);
    }
  }

  #attempts(): void {
    const byTask = new Map<number, D1Call[]>();
    for (const call of this.#calls) {
      if (call.concluded === 0 || call.outcome === null) continue;
      byTask.set(call.task, [...(byTask.get(call.task) ?? []), call]);
    }
    const campaigns = new Map(this.#notes.campaigns.map((one) => [keyOf(one.id), one]));
    const pushes = new Map(this.#notes.pushes.map((one) => [one.tag, one]));
    for (const task of this.#tasks) {
      const calls = (byTask.get(task.id) ?? []).toSorted((a, b) => a.attempt - b.attempt);
      const most =
        pushes.get(task.tag ?? "")?.attemptsMax ?? campaigns.get(task.campaign)?.attemptsMax ?? 1;
      const numbers = calls.map((call) => call.attempt);
      const expected = calls.map((_, n) => n + 1);
      if (numbers.join() !== expected.join()) {
        this.#break(ATTEMPTS, `task ${task.id} had the attempts ${numbers.join(", ")}`);
      }
      if (calls.length > most) {
        this.#break(ATTEMPTS, `task ${task.id} had ${calls.length} attempts of ${most}`);
      }
      if (task.attempts !== calls.length) {
        this.#break(ATTEMPTS, `task ${task.id} says ${task.attempts}, D1 has ${calls.length}`);
      }
      const done = calls.slice(0, -1).find((call) => call.outcome === "connected");
      if (done !== undefined) {
        this.#break(ATTEMPTS, `task ${task.id} was dialled again after it was ${done.outcome}`);
      }
    }
  }

  /** Whatever is left in the object says the same as D1. */
  #equal(): void {
    const object = this.#object;
    if (object === null) {
      this.#break(EQUAL, "there is no object");
      return;
    }
    const all = (query: string): Row[] => object.prepare(query).all() as Row[];
    const held = new Set(
      all("SELECT task FROM call WHERE state <> 'concluded'").map((r) => r.task),
    );
    for (const { n, what } of all(
      `SELECT COUNT(*) AS n, 'tasks D1 has not heard of' AS what FROM dirty UNION ALL
       SELECT COUNT(*), 'late news' FROM late UNION ALL
       SELECT COUNT(*), 'open imports' FROM import WHERE open = 1`,
    )) {
      if (Number(n) > 0) this.#break(EQUAL, `${n} ${what}`);
    }
    for (const row of all("SELECT * FROM campaign")) {
      const there = this.#campaigns.find((one) => one.id === row.id);
      if (there === undefined) {
        this.#break(EQUAL, `campaign ${row.id} is not in D1`);
        continue;
      }
      for (const name of [
        "paused",
        "epoch",
        "starts_at",
        "started_at",
        "completed_at",
        "archived_at",
        "settings",
      ]) {
        if (row[name] !== there[name]) this.#break(EQUAL, `campaign ${row.id}: ${name} differs`);
      }
      const counters = JSON.parse(String(there.counters)) as Record<string, unknown>;
      const over = there.archived_at !== null || there.completed_at !== null;
      for (const name of ["completed", "archived", "attempts"]) {
        if (name === "archived" && over) continue;
        if (row[name] !== counters[name]) this.#break(EQUAL, `campaign ${row.id}: ${name} differs`);
      }
      const tasks = this.#tasks.filter((task) => task.campaign === row.id).length;
      if (row.tasks !== tasks) {
        this.#break(EQUAL, `campaign ${row.id} has ${row.tasks} tasks, D1 ${tasks}`);
      }
    }
    const tasks = new Map(this.#tasks.map((task) => [task.id, task]));
    for (const row of all("SELECT id, campaign, phone, attempts, last_outcome, ended FROM task")) {
      const there = tasks.get(Number(row.id));
      if (there === undefined) {
        this.#break(EQUAL, `task ${row.id} is not in D1`);
        continue;
      }
      if (row.phone !== there.phone || row.campaign !== there.campaign) {
        this.#break(EQUAL, `task ${row.id} differs`);
      }
      const waits = row.ended === null && there.ended === null && !held.has(row.id);
      if (waits && row.attempts !== there.attempts) {
        this.#break(EQUAL, `task ${row.id}: attempts ${row.attempts}, D1 ${there.attempts}`);
      }
    }
    const calls = new Map(this.#calls.map((call) => [call.id, call]));
    for (const row of all("SELECT id, task, attempt, state, outcome FROM call")) {
      const there = calls.get(Number(row.id));
      // D1 hears of a call once it was taken, lost or over.
      if (there === undefined && row.state === "placing") continue;
      const concluded = row.state === "concluded" ? 1 : 0;
      if (
        there === undefined ||
        there.task !== row.task ||
        there.attempt !== row.attempt ||
        there.concluded !== concluded ||
        (concluded === 1 && there.outcome !== row.outcome)
      ) {
        this.#break(EQUAL, `call ${row.id} (${row.state}) differs`);
      }
    }
  }
}

/** The largest limit that may have been in force between claim and dial. */
function limitAt(limits: readonly LimitNote[], from: number, to: number): number {
  const held = limits.filter((one) => one.from <= to && (one.until === null || one.until >= from));
  return Math.max(...held.map((one) => one.slots ?? Number.POSITIVE_INFINITY));
}

/** What the carrier wrote down: the last line of a call counts. */
function readBook(path: string): Dial[] {
  const calls = new Map<string, Dial>();
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  for (const line of text.split("\n")) {
    const value = parse(line);
    if (value?.call == null) continue;
    const { call } = value;
    calls.set(call.id, {
      ...{ id: call.id, callId: String(call.dial.metadata.callId), to: call.dial.to },
      ...{ dialledAt: call.dialledAt, answeredAt: call.answeredAt, endedAt: call.endedAt },
      outcome: call.outcome,
      analysisOutcome: call.plan.analysisOutcome,
      refusal: call.plan.refusal,
    });
  }
  return [...calls.values()];
}

type Line = {
  call?: {
    id: string;
    dial: { to: string; metadata: { callId?: unknown } };
    plan: { analysisOutcome: string | null; refusal: string | null };
    dialledAt: number;
    answeredAt: number | null;
    endedAt: number | null;
    outcome: string | null;
  };
};

/** A line, or null for one that a kill cut off. */
function parse(line: string): Line | null {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return null;
  }
}

export const notesOf = (folder: string): string => join(folder, "notes.json");
export const bookOf = (folder: string): string => join(folder, "book.jsonl");

export function openD1(folder: string, readOnly: boolean): DatabaseSync {
  const [path] = filesOf(join(folder, "state", "d1", "miniflare-D1DatabaseObject"));
  if (path === undefined) throw new Error(`${folder}: no D1`);
  return new DatabaseSync(path, { readOnly });
}

/** The SQLite files of a kind of object, without the runtime's own. */
function filesOf(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  return names.map((name) => join(folder, name));
}

/** Each workspace's object, by what it keeps of its workspace. */
export function openObjects(folder: string, readOnly: boolean): Map<string, DatabaseSync> {
  const objects = new Map<string, DatabaseSync>();
  for (const path of filesOf(join(folder, "state", "do", "outdial-DialerObject"))) {
    const object = new DatabaseSync(path, { readOnly });
    const row = object.prepare("SELECT id FROM copy WHERE kind = 'workspace'").get();
    if (row === undefined) object.close();
    else objects.set(String((row as Row).id), object);
  }
  return objects;
}

/** The integer in a public id. */
function keyOf(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf("_") + 1), 36);
}

function sorted(record: Record<string, number>): Record<string, number> {
  const entries = Object.entries(record).filter(([, n]) => n !== 0);
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}
