import { createHash } from "node:crypto";
import type { Answer } from "../carriers/carrier.ts";
import type { Origin } from "../core/audit.ts";
import type { CampaignBody } from "../core/campaign-body.ts";
import type { CampaignId, ConnectionId, ImportId, TaskId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import type { Move } from "../core/status.ts";
import { answered, lost } from "./answer.ts";
import { attend, type Errand } from "./attend.ts";
import { findCall } from "./calls.ts";
import * as campaigns from "./campaigns.ts";
import { Changes } from "./changes.ts";
import { type Claim, dispatch, PLACE_LOST_MS } from "./dispatch.ts";
import { end, hasEnded, openCalls } from "./ending.ts";
import { erase } from "./erase.ts";
import { Errands } from "./errands.ts";
import { explainCampaign } from "./explain.ts";
import { Flush } from "./flush.ts";
import { hearReport, hearUnnamed } from "./hear.ts";
import * as imports from "./imports.ts";
import { Live, type Viewer } from "./live.ts";
import { campaignOf, moveOneTask, moveWholeCampaign } from "./moves.ts";
import type { OpenCarrier, Outside } from "./outside.ts";
import { push } from "./push.ts";
import * as records from "./records.ts";
import { hasTables, migrate } from "./schema.ts";
import { Sender } from "./sender.ts";
import * as setup from "./setup.ts";
import type { Sql } from "./sql.ts";
import { State } from "./state.ts";
import { sweep, tidy } from "./sweep.ts";
import type { DialerVerbs, ReportItem } from "./verbs.ts";
import { nextEvent, Wake } from "./wake.ts";

/** The carrier's answer to a dial is given up after this, ms (H22). */
const PLACE_GIVE_UP_MS = 15_000;
/** How long a person's change waits for D1 to have it, ms. */
const FLUSH_WAIT_MS = 2_000;
/** Reports that memory knows as heard, at most. */
const HEARD_MAX = 5_000;
/** Between two slices of a sweep, ms. */
const SWEEP_GAP_MS = 20;

/**
 * Decides whom to dial now, exactly once, in order. There is only ever one per workspace, and it
 * alone changes that workspace's campaigns, tasks, calls and counters.
 *
 * Every verb is one transaction: what time has brought, then what is asked, then free slots to
 * the best due tasks. Only after its commit are carriers asked. Nothing in here awaits a carrier
 * or D1 before it answers, but for verbs of campaigns, which wait a moment for the flush.
 */
export class Dialer implements DialerVerbs {
  readonly #sql: Sql;
  readonly #outside: Outside;
  readonly #live: Live;
  readonly #changes: Changes;
  readonly #flush: Flush;
  readonly #errands: Errands;
  readonly #sender: Sender;
  readonly #wake: Wake;
  #state: State | null = null;
  /** Dials whose answer this instance awaits, with their connection; those of one before are lost. */
  readonly #requests = new Map<number, { connection: string; until: number }>();
  readonly #heard = new Set<string>();
  /** When the next slice of a sweep is due, or null when nothing is left to sweep. */
  #sweepAt: number | null = null;
  #sweeps = 0;
  /** All that was here is removed. */
  #gone = false;

  constructor(sql: Sql, outside: Outside) {
    this.#sql = sql;
    this.#outside = outside;
    this.#live = new Live(outside, (look) => this.#read(look));
    this.#changes = new Changes((kind, id) => this.#live.noticed(kind, id));
    this.#flush = new Flush(
      outside,
      (work) => this.#commit(work),
      () => this.#sweepSoon(),
    );
    this.#errands = new Errands(outside, (work) => this.#commit(work));
    this.#sender = new Sender(outside, (work) => this.#commit(work));
    this.#wake = new Wake((at) => outside.setAlarm(at));
  }

  async putCopies(docs: Parameters<DialerVerbs["putCopies"]>[0]) {
    if (this.#isEmpty()) {
      if (this.#gone || !setup.bringsWorkspace(docs)) return setup.NO_WORKSPACE_YET;
      migrate(this.#sql);
    }
    return this.#commit((state, now) => setup.putCopies(state, docs, now));
  }

  async retire(...[kind, id, version]: Parameters<DialerVerbs["retire"]>) {
    return this.#commit((state) => setup.retire(state, kind, id, version));
  }

  async readConnection(id: ConnectionId) {
    const doc = this.#isEmpty() ? null : this.#read((state) => state.copies.connection(id));
    return doc === null
      ? refuse("not_found", "There is no such connection.")
      : { ok: true as const, value: doc };
  }

  async hashPhones(...[phones]: Parameters<DialerVerbs["hashPhones"]>) {
    if (this.#isEmpty()) return [];
    return this.#read((state) => phones.map((phone) => state.hashPhone(phone)));
  }

  async createCampaign(
    request: Parameters<DialerVerbs["createCampaign"]>[0],
    origin: Origin | null = null,
  ) {
    return this.#told((state, now) => campaigns.create(state, request, origin, now));
  }

  async editCampaign(id: CampaignId, body: CampaignBody, origin: Origin | null = null) {
    return this.#told((state, now) => campaigns.edit(state, id, body, origin, now));
  }

  async moveCampaign(id: CampaignId, move: Move, origin: Origin | null = null) {
    return this.#told((state, now) => moveWholeCampaign(state, id, move, origin, now));
  }

  async readCampaign(...[id]: Parameters<DialerVerbs["readCampaign"]>) {
    return this.#read((state, now) => campaigns.read(state, id, now));
  }

  async explainCampaigns(...[ids]: Parameters<DialerVerbs["explainCampaigns"]>) {
    return this.#read((state, now) =>
      ids.map((id) => {
        const campaign = campaignOf(state, id);
        return campaign === null ? null : explainCampaign(state, campaign, now);
      }),
    );
  }

  async explainTasks(...[ids]: Parameters<DialerVerbs["explainTasks"]>) {
    return this.#read((state, now) =>
      ids.map((id) => {
        const read = records.readTask(state, id, now);
        return read.ok ? read.value.waiting : null;
      }),
    );
  }

  async push(request: Parameters<DialerVerbs["push"]>[0]) {
    if (this.#isEmpty()) return NOTHING_HERE;
    return this.#commit((state, now) => push(state, request, this.#outside.random, now));
  }

  async moveTask(id: TaskId, move: Move, origin: Origin | null = null) {
    return this.#commit((state, now) => moveOneTask(state, id, move, origin, now));
  }

  async readTask(...[id]: Parameters<DialerVerbs["readTask"]>) {
    return this.#read((state, now) => records.readTask(state, id, now));
  }

  async readCalls(...[task]: Parameters<DialerVerbs["readCalls"]>) {
    return this.#read((state) => records.readCalls(state, task));
  }

  async readCall(...[id]: Parameters<DialerVerbs["readCall"]>) {
    return this.#read((state) => records.readCall(state, id));
  }

  async openImport(...[id, campaign]: Parameters<DialerVerbs["openImport"]>) {
    return this.#commit((state, now) => imports.open(state, id, campaign, now));
  }

  async dropImport(...[id]: Parameters<DialerVerbs["dropImport"]>) {
    return this.#commit((state, now) => imports.drop(state, id, now));
  }

  async ingest(request: Parameters<DialerVerbs["ingest"]>[0]) {
    return this.#commit((state, now) => imports.ingest(state, request, this.#outside.random, now));
  }

  async report(items: Parameters<DialerVerbs["report"]>[0]) {
    const marks = items.map((item) => markOf(item));
    const heard = marks.map((mark) => this.#heard.has(mark));
    if (!heard.includes(false)) return { ok: true as const, value: { known: heard } };
    if (this.#isEmpty()) return NO_WORKSPACE;
    const reply = this.#commit((state, now) => {
      if (state.copies.workspace === null) return NO_WORKSPACE;
      const known = items.map((item, index) => heard[index] || hearReport(state, item, now));
      return { ok: true as const, value: { known } };
    });
    if (reply.ok) this.#remember(marks.filter((_, index) => reply.value.known[index]));
    return reply;
  }

  /** Reports that are committed: the queue brings each a second time, and it changes nothing (H36). */
  #remember(marks: string[]): void {
    for (const mark of marks) this.#heard.add(mark);
    if (this.#heard.size > HEARD_MAX) this.#heard.clear();
  }

  async eventsTold(rows: number[]) {
    if (this.#isEmpty()) return { ok: true as const, value: null };
    this.#commit((state) => state.outbox.forget(state, rows));
    return { ok: true as const, value: null };
  }

  async erase(phone: string, uploads: ImportId[] = [], origin: Origin | null = null) {
    if (this.#isEmpty()) return NO_WORKSPACE;
    let mark = 0;
    const done = await this.#told((state, now) => {
      const value = erase(state, phone, uploads, origin, now);
      mark = state.changes.mark;
      return { ok: true as const, value };
    });
    return { ok: true as const, value: { ...done.value, told: this.#flush.hasTold(mark) } };
  }

  async end() {
    if (this.#isEmpty()) return { ok: true as const, value: { open: 0 } };
    return this.#told((state, now) => ({ ok: true as const, value: end(state, now) }));
  }

  async vanish() {
    if (this.#isEmpty()) return { ok: true as const, value: null };
    const open = this.#read((state) => (hasEnded(state) ? openCalls(state) : null));
    if (open === null) return refuse("conflict", "The workspace has not ended.");
    if (open > 0) return refuse("in_use", `Calls go on: ${open}.`);
    if (this.#flush.dueAt !== null) return refuse("unavailable", "D1 has not heard of everything.");
    // What still comes to life in this instance finds nothing and leaves nothing.
    this.#gone = true;
    this.#state = null;
    try {
      await this.#outside.wipe();
    } catch (error) {
      this.#gone = false;
      throw error;
    }
    return { ok: true as const, value: null };
  }

  async readWorkspace() {
    if (this.#isEmpty()) return NO_WORKSPACE;
    return this.#read((state) => setup.readWorkspace(state));
  }

  async tick() {
    if (this.#isEmpty()) return { ok: true as const, value: null };
    this.#commit((state, now) => tidy(state, now));
    await this.#flush.run();
    return { ok: true as const, value: null };
  }

  /** Whether there is anything to look at. */
  isOver(): boolean {
    return this.#isEmpty() || this.#read(hasEnded);
  }

  /** Somebody began to look, or looks at something else: he gets a snapshot (H34). */
  looks(viewer: Viewer): void {
    this.#live.counted();
    this.#live.snapshot(viewer);
  }

  /** Somebody has gone. */
  looksAway(): void {
    this.#live.counted();
  }

  /** What the alarm calls: the transaction does all that is due. Faults end in it. */
  async alarm(): Promise<void> {
    this.#wake.came();
    if (this.#isEmpty()) return;
    this.#commit(() => undefined);
    const { dueAt } = this.#flush;
    if (this.#sweepAt !== null) this.#sweepSoon();
    if (dueAt === null || dueAt > this.#outside.now()) return;
    this.#outside.background(this.#flush.run().then(() => undefined));
  }

  /** A change that a person made: D1 has it before the reply, if D1 answers soon. */
  async #told<T extends { ok: boolean }>(work: (state: State, now: number) => T): Promise<T> {
    const reply = this.#commit(work);
    if (!reply.ok) return reply;
    const flushed = this.#flush.runAnew();
    this.#outside.background(flushed.then(() => undefined));
    await Promise.race([
      flushed,
      new Promise<void>((resolve) => this.#outside.after(FLUSH_WAIT_MS, resolve)),
    ]);
    return reply;
  }

  /** Anybody can ask for an invented workspace: looking at one leaves nothing behind. */
  #isEmpty(): boolean {
    return this.#gone || (this.#state === null && !hasTables(this.#sql));
  }

  /** Looks without a transaction. */
  #read<T>(look: (state: State, now: number) => T): T {
    const now = this.#outside.now();
    return look(this.#stateAt(now), now);
  }

  /**
   * One transaction: what has fallen due, the work, free slots to the best due tasks. A throw
   * leaves nothing behind: the rows roll back, and memory is built anew from them.
   */
  #commit<T>(work: (state: State, now: number) => T): T {
    const now = this.#outside.now();
    const state = this.#stateAt(now);
    let done: { result: T; errands: Errand[]; claims: Claim[]; dispatchAt: number | null };
    try {
      done = this.#sql.transaction(() => {
        const errands = attend(state, now);
        const result = work(state, now);
        const { claims, wakeAt } = dispatch(state, now);
        state.saveTouched(now);
        return { result, errands, claims, dispatchAt: wakeAt };
      });
    } catch (error) {
      this.#state = null;
      throw error;
    }
    for (const claim of done.claims) {
      const request = { connection: claim.connection.id, until: now + PLACE_LOST_MS };
      this.#requests.set(claim.call, request);
      this.#outside.background(this.#place(claim));
    }
    if (done.claims.length > 0) {
      this.#outside.log("dispatch", { calls: done.claims.map((claim) => claim.call) });
    }
    this.#errands.add(done.errands);
    this.#live.committed(now);
    this.#flush.noticed(state, now);
    this.#sender.noticed(state, now);
    this.#need(state, done.dispatchAt, now);
    return done.result;
  }

  #stateAt(now: number): State {
    if (this.#isEmpty()) throw new Error("nothing is set up here, or it has ended");
    if (this.#state !== null) return this.#state;
    migrate(this.#sql);
    const kept = { changes: this.#changes, requests: this.#requests };
    const state = new State(this.#sql, kept, now, this.#outside.random);
    // Kept only once its first transaction is: what a throw leaves in memory was never stored.
    this.#loseAnswers(state, now);
    this.#state = state;
    return state;
  }

  /** Answers that an instance before this one awaited never come: nobody knows what was dialled (H22). */
  #loseAnswers(state: State, now: number): void {
    if (state.ledger.placing === 0) return;
    this.#sql.transaction(() => {
      for (const id of state.ledger.ids()) {
        const entry = state.ledger.get(id);
        if (entry?.state !== "placing" || this.#requests.has(id)) continue;
        const call = findCall(state.sql, id);
        if (call !== null) lost(state, call, "restarted before the answer", now);
      }
      state.outbox.save(state, now);
    });
    this.#need(state, null, now);
  }

  /** Sets the alarm for what can make progress by itself. */
  #need(state: State, dispatchAt: number | null, now: number): void {
    const own = { flush: this.#flush.dueAt, sweep: this.#sweepAt, events: this.#sender.dueAt };
    this.#wake.need(nextEvent(state, now, dispatchAt, own), now);
  }

  /** Asks the carrier to dial a committed claim, once. */
  async #place(claim: Claim): Promise<void> {
    const answer = await this.#ask(claim);
    const { connection } = claim;
    if (answer.kind !== "accepted") {
      this.#outside.log("place", { call: claim.call, connection: connection.id, ...answer });
    }
    try {
      this.#commit((state, now) => {
        // Not before: memory that is built anew right now would take the answer for lost.
        this.#requests.delete(claim.call);
        const call = findCall(state.sql, claim.call);
        if (call !== null) answered(state, call, answer, now);
        // Reports have decided it before its answer, and it has left.
        else if (answer.kind === "accepted") state.connections.taken(connection.id, claim.at);
        hearUnnamed(state, claim.call, now);
      });
    } finally {
      this.#requests.delete(claim.call);
    }
  }

  async #ask(claim: Claim): Promise<Answer> {
    const { connection, dial } = claim;
    let open: OpenCarrier;
    let reportUrl: string;
    try {
      open = await this.#outside.open(connection);
      reportUrl = await this.#outside.reportUrl(connection.id, dial.call);
    } catch (error) {
      // Nothing was sent.
      const word = error instanceof Error ? error.message : String(error);
      return { kind: "refused", reason: "connection", word };
    }
    try {
      const signal = this.#outside.timeout(PLACE_GIVE_UP_MS);
      return await open.carrier.place(open.settings, { ...dial, reportUrl }, signal);
    } catch (error) {
      return { kind: "unknown", word: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Lets what is over leave, in slices, whenever D1 knows everything. */
  #sweepSoon(): void {
    if (this.#flush.dueAt !== null) return;
    const turn = ++this.#sweeps;
    this.#outside.after(SWEEP_GAP_MS, () => {
      // The newest turn counts; what is not told yet sweeps once it is.
      // All may have been removed meanwhile.
      if (turn !== this.#sweeps || this.#flush.dueAt !== null || this.#gone) return;
      const more = this.#commit((state, now) => {
        const left = sweep(state, now);
        this.#sweepAt = left ? now + SWEEP_GAP_MS : null;
        return left;
      });
      if (more) this.#sweepSoon();
    });
  }
}

const NO_WORKSPACE = refuse("not_found", "There is no such workspace.");
const NOTHING_HERE = {
  ok: false,
  code: "unknown_key",
  message: "Nothing is set up here.",
} as const;

function markOf(item: ReportItem): string {
  return createHash("sha256").update(JSON.stringify(item)).digest("base64");
}
