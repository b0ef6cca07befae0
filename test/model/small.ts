import type { Answer, Carrier, CarrierReport, Lookup } from "../../src/carriers/carrier.ts";
import {
  type CallId,
  type CampaignId,
  type ConnectionId,
  localKey,
  makeId,
  type TaskId,
} from "../../src/core/ids.ts";
import { Dialer } from "../../src/dialer/dialer.ts";
import { Flush } from "../../src/dialer/flush.ts";
import type { Outside, Statement } from "../../src/dialer/outside.ts";
import type { Sql } from "../../src/dialer/sql.ts";
import type { State } from "../../src/dialer/state.ts";
import type { WorkspaceDoc } from "../../src/dialer/verbs.ts";
import { CONNECTION, type Dialled, START, WORKSPACE, World } from "../support/node/world.ts";
import { type CallRow, type Facts, Judge, type TaskRow } from "./judge.ts";
import type { Scene } from "./worlds.ts";

/** Ids are told from everything else by their size, and instants by theirs. */
export const FIRST_ID = 7_000_000_000;
/** A person's patience: what waits for it changes nothing. */
const PATIENCE_MS = 2_000;
/** What the flush and the sweep wait for company, at most. */
const SOON_MS = 500;

/** The object died: thrown through whatever it was doing. */
export class Died extends Error {}

/** The store did not take a transaction; the object lives on. */
class NotStored extends Error {}

/** What happens at the n-th transaction of a move: the object dies before or after it, or it fails. */
export type Kill = { commit: number; when: "before" | "after" | "instead" };

type Open<T> = { resolve(value: T): void; reject(error: Error): void };
export type Message = { name: string; news: CarrierReport["news"] };

/** A dial as the carrier has it, which the Dialer may or may not know. */
export type Line = {
  name: string;
  call: CallId;
  key: number;
  task: string;
  dialled: Dialled;
  /** `asked`: on its way; `never`: it was refused or did not arrive. */
  truth: "asked" | "live" | "over" | "never";
  /** The answer that somebody still waits for. */
  answer: Open<Answer> | null;
  /** How it ended. */
  end: string | null;
  messages: Message[];
  /** What the present instance was told. */
  heard: string[];
};
export type Look = Open<Lookup> & { call: CallId };
export type Batch = Open<unknown[][]> & { statements: Statement[]; mark: number };

/** What the living instance keeps in memory, as its flush was shown it. */
let memory: { flush: Flush; state: State } | null = null;
/** The tables as the living instance has them. */
let living: Sql | null = null;
const noticed = Flush.prototype.noticed;
Flush.prototype.noticed = function (this: Flush, state: State, now: number) {
  if (state.sql === living) memory = { flush: this, state };
  noticed.call(this, state, now);
};

/**
 * A world in which nothing happens by itself: each answer of the carrier and of D1, each timer,
 * the alarm and every step of the clock is a move. It goes back to its start as often as wanted.
 */
export class Small extends World {
  readonly scene: Scene;
  judge: Judge;
  lines: Line[] = [];
  looks: Look[] = [];
  probes: Open<void>[] = [];
  batches: Batch[] = [];
  /** Batches that D1 may still run, though nobody waits for them any more. */
  strays: Statement[][] = [];
  timers: { at: number; work: () => void }[] = [];
  /** Failed passes in a row of this instance: they make its back-off. */
  failures = 0;
  /** What the instance believes of its alarm. */
  believed: number | null = null;
  alarmLost = false;
  /** Errors that are nobody's fault but the product's. */
  faults: string[] = [];
  kill: Kill | null = null;
  commits = 0;
  /** Of the last commit. */
  committedAt: number | null = null;
  /** A calm world answers by itself. */
  calm = false;
  readonly campaigns: { key: number; id: CampaignId; name: string }[] = [];
  readonly imports: string[] = [];
  #alarmAt: number | null = null;
  #life = 0;
  #started: { facts: Facts; now: number } | null = null;
  #before: Facts | null = null;
  /** Transactions of the move itself, where others came with it. */
  #own: number | null = null;
  readonly #prepared = new Map<string, ReturnType<World["d1"]["prepare"]>>();

  constructor(scene: Scene) {
    super();
    this.scene = scene;
    this.judge = new Judge({
      slots: 0,
      lengthMaxMs: 0,
      own: [],
      suppressing: [],
      usesCallback: false,
      campaigns: {},
      tasks: {},
      calls: {},
      imports: {},
      suppressed: [],
    });
    this.now = START;
    this.restart();
  }

  /** Sets the scene once; `toStart` comes back to it. */
  async open(): Promise<void> {
    this.calm = true;
    await this.scene.setUp(this);
    await this.settle();
    this.restart();
    this.calm = false;
    this.sql.db.exec("SAVEPOINT start");
    this.d1.exec("SAVEPOINT start");
    this.#started = { facts: structuredClone(this.judge.facts), now: this.now };
  }

  /** Back to where it all started; then the workspace gets its slots. */
  async toStart(): Promise<void> {
    const started = this.#started;
    if (started === null) throw new Error("the scene is not set");
    this.sql.db.exec("ROLLBACK TO start");
    this.d1.exec("ROLLBACK TO start");
    this.restart();
    this.now = started.now;
    this.#alarmAt = null;
    this.alarmLost = false;
    this.calm = false;
    this.kill = null;
    this.lines = [];
    this.strays = [];
    this.faults = [];
    this.dials.length = 0;
    this.logged.length = 0;
    this.judge = new Judge(structuredClone(started.facts));
    this.judge.facts.slots = this.scene.slots;
    const [copy] = this.sql.all<{ doc: string }>("SELECT doc FROM copy WHERE kind = 'workspace'");
    const doc = { ...(JSON.parse(copy?.doc ?? "{}") as WorkspaceDoc), slots: this.scene.slots };
    await this.ask(() =>
      this.dialer.putCopies([{ kind: "workspace", id: WORKSPACE, version: 1_000, doc }]),
    );
    await this.settle();
  }

  get memory(): { flush: Flush; state: State } | null {
    return memory;
  }

  /** The object dies: memory, timers and whatever it waits for are gone; rows and the alarm stay. */
  override restart(): void {
    this.#life = (this.#life ?? 0) + 1;
    memory = null;
    this.timers = [];
    this.looks = [];
    this.probes = [];
    for (const { statements } of this.batches ?? []) this.strays.push(statements);
    this.batches = [];
    this.failures = 0;
    this.believed = null;
    for (const line of this.lines ?? []) {
      line.answer = null;
      line.heard = [];
    }
    living = this.#seam();
    this.dialer = new Dialer(living, this.#around());
  }

  override twin(): Dialer {
    const nothing = () => undefined;
    const around = { ...this.#around(), setAlarm: nothing, background: nothing, after: nothing };
    return new Dialer(this.#seam(), around);
  }

  /** SQLite as one life of the object has it: nested in the walk's own transaction. */
  #seam(): Sql {
    const life = this.#life;
    const { sql } = this;
    let calls = false;
    const checkLife = () => {
      if (life !== this.#life) throw new Died();
    };
    return {
      all: (query, ...bind) => {
        checkLife();
        return sql.all(query, ...bind);
      },
      run: (query, ...bind) => {
        checkLife();
        calls ||= query.startsWith("INSERT INTO call") || query.startsWith("UPDATE call");
        sql.run(query, ...bind);
      },
      size: () => 0,
      transaction: (work) => {
        checkLife();
        calls = false;
        this.commits += 1;
        const dies = this.kill?.commit === this.commits ? this.kill.when : null;
        this.judge.passes(this.now);
        sql.db.exec("SAVEPOINT step");
        try {
          const result = work();
          if (dies === "before") throw new Died();
          if (dies === "instead") throw new NotStored("the disk is full");
          sql.db.exec("RELEASE step");
          this.committedAt = this.now;
          if (calls) this.judge.learn(this.callRows(), this.now);
          if (dies === "after") this.restart();
          else return result;
        } catch (error) {
          sql.db.exec("ROLLBACK TO step");
          sql.db.exec("RELEASE step");
          if (dies === "before") this.restart();
          if (dies === "instead") memory = null;
          if (dies !== null && this.#before !== null) this.judge.facts = this.#before;
          this.#blame(error);
          throw error;
        }
        throw new Died();
      },
    };
  }

  #blame(error: unknown): void {
    if (error instanceof Died || error instanceof NotStored) return;
    const text = error instanceof Error ? error.message : String(error);
    if (!this.faults.includes(text)) this.faults.push(text);
  }

  #around(): Outside {
    const life = this.#life;
    const alive = () => life === this.#life;
    const never = new Promise<never>(() => undefined);
    const carrier = this.#scripted(alive);
    return {
      now: () => this.now,
      // Chance is drawn elsewhere: here all lots are equal.
      random: () => 0.5,
      setAlarm: (at) => {
        if (!alive()) return;
        this.#alarmAt = at;
        this.believed = at;
        this.alarmLost = false;
      },
      background: (work) => {
        work.catch((error: unknown) => {
          if (alive()) this.#blame(error);
        });
      },
      after: (ms, work) => {
        if (alive() && ms !== PATIENCE_MS) this.timers.push({ at: this.now + ms, work });
      },
      timeout: () => UNENDING,
      open: async (connection) => ({ carrier, settings: { connection: connection.id } }),
      reportUrl: async (_connection, call) => `https://outdial.test/${call}`,
      send: async () => undefined,
      viewers: () => [],
      wipe: async () => undefined,
      d1: async (statements) => {
        if (!alive()) return never;
        if (this.calm || this.scene.d1 === "at once") return this.runBatch(statements);
        const mark = memory?.state.changes.mark ?? 0;
        return new Promise((resolve, reject) =>
          this.batches.push({ statements, mark, resolve, reject }),
        );
      },
      log: () => undefined,
    };
  }

  #scripted(alive: () => boolean): Carrier {
    const never = new Promise<never>(() => undefined);
    return {
      id: "scripted",
      open: [],
      check: () => [],
      place: async (settings, dial) => {
        if (!alive()) return never;
        const dialled: Dialled = {
          ...dial,
          at: this.now,
          connection: settings.connection as ConnectionId,
          answer: null,
        };
        this.dials.push(dialled);
        return new Promise((resolve, reject) => this.#asked(dialled, { resolve, reject }));
      },
      lookup: async (_settings, { call }) => {
        if (!alive()) return never;
        return new Promise((resolve, reject) => this.looks.push({ call, resolve, reject }));
      },
      test: async () => {
        if (!alive()) return never;
        return new Promise((resolve, reject) => this.probes.push({ resolve, reject }));
      },
      end: async () => undefined,
      verify: async () => true,
      read: () => [],
      recording: async () => new Response(),
    };
  }

  #asked(dialled: Dialled, answer: Open<Answer>): void {
    const task = dialled.variables.who ?? dialled.phone;
    const key = localKey("cal", WORKSPACE, dialled.call) ?? 0;
    const again = this.lines.filter(
      (one) => one.task === task && one.dialled.attempt === dialled.attempt,
    ).length;
    const name = `${task}${dialled.attempt}${"'".repeat(again)}`;
    this.lines.push({
      name,
      call: dialled.call,
      key,
      task,
      dialled,
      truth: "asked",
      answer,
      end: null,
      messages: [],
      heard: [],
    });
    this.judge.asked(key, task, dialled.attempt);
  }

  runBatch(statements: readonly Statement[]): unknown[][] {
    this.d1.exec("SAVEPOINT batch");
    try {
      return statements.map(({ query, bind }) => {
        let statement = this.#prepared.get(query);
        if (statement === undefined) {
          statement = this.d1.prepare(query);
          this.#prepared.set(query, statement);
        }
        return statement.all(...bind);
      });
    } catch (error) {
      this.d1.exec("ROLLBACK TO batch");
      this.#blame(error);
      throw error;
    } finally {
      this.d1.exec("RELEASE batch");
    }
  }

  override random(): number {
    return 0.5;
  }

  override async idle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * All that comes by itself within a moment, where D1 answers at once. The clock stands still
   * meanwhile, so that it does not matter in which order two things happened.
   */
  async settle(): Promise<void> {
    await this.idle();
    if (this.scene.d1 === "by hand" && !this.calm) return;
    for (;;) {
      const timer = this.#nextTimer();
      if (timer !== null && timer.at <= this.now + SOON_MS) await this.#fire(timer);
      else if (this.#alarmAt !== null && this.#alarmAt <= this.now) await this.ring();
      else return;
    }
  }

  #nextTimer() {
    return this.timers.reduce<Small["timers"][number] | null>(
      (first, one) => (first === null || one.at < first.at ? one : first),
      null,
    );
  }

  async #fire(timer: Small["timers"][number]): Promise<void> {
    this.timers.splice(this.timers.indexOf(timer), 1);
    try {
      timer.work();
    } catch (error) {
      this.#blame(error);
    }
    await this.idle();
  }

  /** The alarm comes. */
  async ring(): Promise<void> {
    this.now = Math.max(this.now, this.#alarmAt ?? this.now);
    this.#alarmAt = null;
    this.believed = null;
    const stored = await this.ask(() => this.dialer.alarm().then(() => ({ ok: true })));
    // The platform comes again.
    if (!stored) this.#alarmAt ??= this.now + 2_000;
  }

  /** The next event of time, or null. */
  get next(): { at: number; timer: Small["timers"][number] | null } | null {
    const timer = this.#nextTimer();
    const alarm = this.#alarmAt;
    if (timer !== null && (alarm === null || timer.at <= alarm)) return { at: timer.at, timer };
    return alarm === null ? null : { at: alarm, timer: null };
  }

  /** Time passes to the next timer or alarm, and where D1 answers at once to the first that does something. */
  async pass(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      const { next } = this;
      if (next === null) return;
      const { written } = this.sql;
      if (next.timer === null) await this.ring();
      else {
        this.now = Math.max(this.now, next.at);
        await this.#fire(next.timer);
      }
      if (round === 0) this.#own = this.commits;
      await this.settle();
      if (this.scene.d1 === "by hand" && !this.calm) return;
      if (this.sql.written > written || this.looks.length + this.probes.length > 0) return;
    }
  }

  override get alarm(): number | null {
    return this.#alarmAt;
  }

  override loseAlarm(): void {
    this.#alarmAt = null;
    this.alarmLost = true;
  }

  /** One move of somebody, in which the object may die; how many transactions it had. */
  async step(move: () => unknown, kill: Kill | null): Promise<number> {
    this.commits = 0;
    this.committedAt = null;
    this.kill = kill;
    this.#before = kill === null ? null : structuredClone(this.judge.facts);
    this.#own = null;
    await move();
    await this.idle();
    const commits = this.#own ?? this.commits;
    this.kill = null;
    await this.settle();
    return commits;
  }

  /**
   * Asks for a verb and waits as far as it gets; a refusal is a fault. The judge hears of it first.
   * False when the store did not take it.
   */
  async ask(verb: () => Promise<{ ok: boolean }>, tell?: () => void): Promise<boolean> {
    const life = this.#life;
    let stored = true;
    const fail = (error: unknown) => {
      this.#blame(error);
      if (error instanceof NotStored) stored = false;
    };
    // The judge must not hear of what an instance that reads its tables first never gets to.
    if (memory === null && tell !== undefined) {
      await this.dialer.readWorkspace().catch(fail);
      if (life !== this.#life || !stored) return stored;
    }
    if (tell !== undefined) {
      this.due();
      tell();
    }
    verb().then((answer) => {
      if (!answer.ok) this.faults.push(`refused: ${JSON.stringify(answer)}`);
    }, fail);
    await this.idle();
    return stored;
  }

  /** Lets an instance read its tables before an answer comes; false when the object dies of it or cannot. */
  async reads(): Promise<boolean> {
    const life = this.#life;
    const stored = memory !== null || (await this.ask(() => this.dialer.readWorkspace()));
    if (life !== this.#life || !stored) return false;
    this.due();
    return true;
  }

  /** What has fallen due comes before anything else that a transaction does: the judge hears it first. */
  due(): void {
    const rows = this.callRows().filter((row) => row.dueAt !== null && row.dueAt <= this.now);
    for (const row of rows) this.judge.timesUp(row, this.now);
  }

  async tell(line: Line, message: Message): Promise<void> {
    const report = { call: line.call, carrierCallId: `c-${line.call}`, news: message.news };
    const verb = () => this.dialer.report([{ connection: CONNECTION, report }]);
    // What an instance has heard it does not hear again (H36).
    if (line.heard.includes(message.name)) {
      await this.ask(verb);
      return;
    }
    const before = line.heard;
    const stored = await this.ask(verb, () => {
      line.heard = [...line.heard, message.name].sort();
      this.judge.heard(line.key, message.news, this.now);
    });
    if (!stored) line.heard = before;
  }

  taskId(name: string): TaskId | null {
    const row = this.rows().tasks.find((one) => one.name === name);
    return row === undefined ? null : makeId("tsk", WORKSPACE, row.id);
  }

  callRows(): CallRow[] {
    return this.sql.all<CallRow>(
      `SELECT k.id, t.context ->> 'who' AS task, k.attempt, k.state, k.outcome, k.assumed,
         k.verdict, k.ended_at AS endedAt, CASE k.state WHEN 'concluded' THEN NULL
           WHEN 'ended' THEN k.check_at ELSE k.expires_at END AS dueAt
       FROM call k JOIN task t ON t.id = k.task ORDER BY k.id`,
    );
  }

  rows(): { tasks: TaskRow[]; calls: CallRow[]; stored: Map<string, string> } {
    const tasks = this.sql.all<TaskRow>(
      `SELECT t.id, t.context ->> 'who' AS name, t.attempts, t.at, t.held IS c.epoch AS held,
         t.archiving, t.ended,
         EXISTS (SELECT 1 FROM waiting w WHERE w.task = t.id) AS waits,
         (SELECT k.verdict FROM call k WHERE k.task = t.id AND k.verdict <> 'returned'
           ORDER BY k.id DESC LIMIT 1) AS verdict
       FROM task t JOIN campaign c ON c.id = t.campaign`,
    );
    const calls = this.callRows();
    const here = new Set(tasks.map((row) => row.name));
    const left = Object.keys(this.judge.facts.tasks).some((name) => !here.has(name));
    const stored = left
      ? this.stored("SELECT context ->> 'who' AS name, status FROM task_view")
      : [];
    return {
      tasks,
      calls,
      stored: new Map(stored.map((row) => [String(row.name), String(row.status)])),
    };
  }
}

const UNENDING = new AbortController().signal;
