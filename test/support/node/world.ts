import type {
  Answer,
  Carrier,
  CarrierReport,
  Dial,
  Lookup,
} from "../../../src/carriers/carrier.ts";
import { NO_NEWS } from "../../../src/carriers/carrier.ts";
import type { CallRecord } from "../../../src/core/call.ts";
import type { CampaignRecord } from "../../../src/core/campaign.ts";
import type { CampaignBody } from "../../../src/core/campaign-body.ts";
import {
  type AgentId,
  type CampaignId,
  type ConnectionId,
  type ImportId,
  localKey,
  makeId,
  type NumberId,
  type TaskId,
  type WorkspaceId,
} from "../../../src/core/ids.ts";
import type { TaskRecord } from "../../../src/core/task.ts";
import type { TaskBody } from "../../../src/core/task-body.ts";
import { ALL_DAYS, ALWAYS } from "../../../src/core/window.ts";
import { callsOfTask } from "../../../src/db/calls.ts";
import { readTaskRow, taskOf } from "../../../src/db/tasks.ts";
import { Dialer } from "../../../src/dialer/dialer.ts";
import type { Viewer } from "../../../src/dialer/live.ts";
import type { Outside, Statement } from "../../../src/dialer/outside.ts";
import type { SqlValue } from "../../../src/dialer/sql.ts";
import type {
  AgentDoc,
  ConnectionDoc,
  Doc,
  EventsMessage,
  WorkspaceDoc,
} from "../../../src/dialer/verbs.ts";
import { databaseOf, openD1, prepare, wholeReads } from "./d1.ts";
import { openSql } from "./sql.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** A Monday, 09:00 UTC. */
export const START = Date.UTC(2027, 0, 4, 9);

export const WORKSPACE = "ws_k3v9q2m8xa" as WorkspaceId;
export const CONNECTION = makeId("con", WORKSPACE, "c1");
export const AGENT = makeId("agt", WORKSPACE, "a1");
export const NUMBER = makeId("num", WORKSPACE, "n1");

/** A dial as the carrier saw it, and what it answered; null while it has not. */
export type Dialled = Dial & { at: number; connection: ConnectionId; answer: Answer | null };

type Timer = { at: number; work: () => void };

/**
 * One Dialer in a world of its own: a clock that only `run` moves, a carrier that does what the
 * test says, D1 that can be away. The Dialer's code is the production code, all of it.
 */
export class World {
  now = START;
  readonly sql = openSql();
  readonly d1 = openD1();
  /** Set to make D1 fail with this. */
  d1Fault: Error | null = null;
  /** Set to make the removal of everything fail with this. */
  wipeFault: Error | null = null;
  /** Comes between D1's commit of a batch and its answer. */
  d1Answers: () => void | Promise<void> = () => undefined;
  /** Hears each statement of a batch that reaches D1. */
  d1Asked: (statement: Statement) => void = () => undefined;
  d1Batches = 0;
  /** Statements of the Dialer that read whole tables of D1: what they cost grows for ever. */
  readonly d1WholeReads: string[] = [];
  /** Rows of the outbox that were handed to the queue of events. */
  readonly sent: EventsMessage[] = [];
  /** Set to make that queue refuse with this. */
  sendFault: Error | null = null;
  readonly dials: Dialled[] = [];
  readonly lookups: { call: string; at: number }[] = [];
  tests = 0;
  readonly logged: { event: string; fields: Record<string, unknown> }[] = [];
  /** Those who look (H34); `dialer.looks` tells the Dialer of a change here. */
  viewers: Viewer[] = [];
  /** How often the alarm came. */
  alarms = 0;
  /** Called after every step, when no transaction is open. */
  watch: () => void = () => undefined;
  /** What the carrier answers to a dial; a promise that stays open keeps it placing. */
  answer: (dial: Dialled) => Answer | Promise<Answer> = (dial) => ({
    kind: "accepted",
    carrierCallId: `c-${dial.call}`,
  });
  lookup: (call: string) => Lookup = () => ({ kind: "unknown" });
  test: () => void = () => undefined;
  dialer: Dialer;
  #alarm: number | null = null;
  #timers: Timer[] = [];
  #work = new Set<Promise<void>>();
  #seed: number;
  #generation = 0;

  constructor(seed = 1) {
    this.#seed = seed;
    this.dialer = new Dialer(this.sql, this.#outside());
  }

  /** The object dies: memory, timers and work under way are gone; rows and the alarm stay. */
  restart(): void {
    this.#generation += 1;
    this.#timers = [];
    this.#work = new Set();
    this.dialer = new Dialer(this.sql, this.#outside());
  }

  /** Another Dialer on the same rows, to compare with: it can only be asked, and does nothing. */
  twin(): Dialer {
    const nothing = () => undefined;
    return new Dialer(this.sql, {
      ...this.#outside(),
      setAlarm: nothing,
      background: nothing,
      after: nothing,
    });
  }

  #outside(): Outside {
    const generation = this.#generation;
    const alive = () => generation === this.#generation;
    const carrier = this.#carrier(alive);
    const never = new Promise<never>(() => undefined);
    return {
      now: () => this.now,
      random: () => this.random(),
      setAlarm: (at) => {
        if (alive()) this.#alarm = at;
      },
      background: (work) => {
        const kept = work
          .catch((error: unknown) => {
            if (alive()) throw error;
          })
          .finally(() => this.#work.delete(kept));
        this.#work.add(kept);
      },
      after: (ms, work) => {
        if (alive()) this.#timers.push({ at: this.now + ms, work });
      },
      timeout: () => new AbortController().signal,
      open: async (connection) => ({ carrier, settings: { connection: connection.id } }),
      reportUrl: async (_connection, call) => `https://outdial.test/${call}`,
      send: async (messages) => {
        if (this.sendFault !== null) throw this.sendFault;
        if (alive()) this.sent.push(...messages);
      },
      viewers: () => this.viewers,
      wipe: async () => {
        if (this.wipeFault !== null) throw this.wipeFault;
        for (const name of this.tables()) this.sql.run(`DROP TABLE "${name}"`);
        this.#alarm = null;
      },
      d1: async (statements) => {
        if (!alive()) return never;
        const rows = await this.#batch(statements);
        await this.d1Answers();
        return alive() ? rows : never;
      },
      log: (event, fields) => this.logged.push({ event, fields }),
    };
  }

  #carrier(alive: () => boolean): Carrier {
    const never = new Promise<never>(() => undefined);
    return {
      id: "scripted",
      open: [],
      check: () => [],
      place: async (settings, dial) => {
        if (!alive()) return never;
        const connection = settings.connection as ConnectionId;
        const dialled: Dialled = { ...dial, at: this.now, connection, answer: null };
        this.dials.push(dialled);
        dialled.answer = await this.answer(dialled);
        return alive() ? dialled.answer : never;
      },
      lookup: async (_settings, call) => {
        this.lookups.push({ call: call.call, at: this.now });
        const found = this.lookup(call.call);
        return alive() ? found : never;
      },
      test: async () => {
        this.tests += 1;
        this.test();
        if (!alive()) await never;
      },
      end: async () => undefined,
      verify: async () => true,
      read: () => [],
      recording: async () => new Response(),
    };
  }

  async #batch(statements: Statement[]): Promise<unknown[][]> {
    await Promise.resolve();
    if (this.d1Fault !== null) throw this.d1Fault;
    this.d1Batches += 1;
    for (const { query } of statements) {
      for (const step of wholeReads(this.d1, query)) this.d1WholeReads.push(`${step}: ${query}`);
    }
    this.d1.exec("BEGIN");
    try {
      const rows = statements.map((statement) => {
        this.d1Asked(statement);
        return prepare(this.d1, statement.query).all(...statement.bind);
      });
      this.d1.exec("COMMIT");
      return rows;
    } catch (error) {
      this.d1.exec("ROLLBACK");
      throw error;
    }
  }

  /** Tables of the object. */
  tables(): string[] {
    const query = "SELECT name FROM sqlite_master WHERE type = 'table'";
    return this.sql.all<{ name: string }>(query).map((row) => row.name);
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  /** Lets all work that needs no time finish. */
  async idle(): Promise<void> {
    for (let round = 0; round < 50; round++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    this.watch();
  }

  /** Moves the clock, firing timers and the alarm on their way. */
  async run(ms: number): Promise<void> {
    const until = this.now + ms;
    await this.idle();
    for (;;) {
      const timer = this.#timers.reduce<Timer | null>(
        (first, one) => (first === null || one.at < first.at ? one : first),
        null,
      );
      const at = Math.min(
        timer?.at ?? Number.POSITIVE_INFINITY,
        this.#alarm ?? Number.POSITIVE_INFINITY,
      );
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if (timer !== null && timer.at <= this.now) {
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        timer.work();
      } else {
        this.#alarm = null;
        this.alarms += 1;
        await this.dialer.alarm();
      }
      await this.idle();
    }
    this.now = until;
  }

  /** The platform drops the alarm. */
  loseAlarm(): void {
    this.#alarm = null;
  }

  get alarm(): number | null {
    return this.#alarm;
  }

  /** The workspace with one connection, agent and number, in D1 and with the Dialer. */
  async setUp(
    more: {
      workspace?: Partial<WorkspaceDoc>;
      agent?: Partial<AgentDoc>;
      connection?: Partial<ConnectionDoc>;
    } = {},
  ): Promise<void> {
    await this.put("workspace", WORKSPACE, { ...WORKSPACE_DOC, ...more.workspace });
    await this.put("connection", CONNECTION, { ...CONNECTION_DOC, ...more.connection });
    await this.put("agent", AGENT, { ...AGENT_DOC, ...more.agent });
    await this.put("number", NUMBER, NUMBER_DOC);
  }

  #version = 0;
  async put<K extends Doc["kind"]>(
    kind: K,
    id: string,
    doc: Extract<Doc, { kind: K }>["doc"],
  ): Promise<void> {
    this.#version += 1;
    taken(await this.dialer.putCopies([{ kind, id, version: this.#version, doc } as Doc]));
  }

  async campaign(body: CampaignBody = {}): Promise<CampaignId> {
    const whole = { name: "Leads", type: "realtime", agent: AGENT, from: NUMBER, ...body };
    const reply = this.dialer.createCampaign({ body: whole, idempotency: null });
    return taken(await this.#soon(reply)).campaign.id;
  }

  async edit(id: CampaignId, body: CampaignBody): Promise<CampaignRecord> {
    return taken(await this.#soon(this.dialer.editCampaign(id, body))).campaign;
  }

  async move(id: CampaignId, move: "pause" | "resume" | "archive"): Promise<CampaignRecord> {
    return taken(await this.#soon(this.dialer.moveCampaign(id, move)));
  }

  /** A reply that waits for a flush which needs no time. */
  async #soon<T>(reply: Promise<T>): Promise<T> {
    await this.idle();
    const fault = this.d1Fault;
    if (fault !== null) await this.run(2_000);
    return reply;
  }

  async push(campaign: CampaignId, body: TaskBody = {}): Promise<TaskRecord> {
    const [answer] = await this.pushAll([{ campaign, phone: this.phone(), ...body }]);
    if (answer === undefined || !answer.ok || !("task" in answer)) {
      throw new Error(`not taken: ${JSON.stringify(answer)}`);
    }
    return answer.task;
  }

  async pushAll(bodies: TaskBody[]) {
    const tasks = bodies.map((body, index) => ({ body, path: `tasks.${index}.` }));
    const reply = await this.dialer.push({ access: null, tasks, idempotency: null });
    await this.idle();
    return taken(reply);
  }

  #phones = 0;
  /** A number that was not used before. */
  phone(): string {
    this.#phones += 1;
    return `+9198765${String(this.#phones).padStart(5, "0")}`;
  }

  #imports = 0;
  /** Imports rows into a batch in one part. */
  async import(campaign: CampaignId, phones: string[], allowDuplicates = false) {
    this.#imports += 1;
    const id = makeId("imp", WORKSPACE, `i${this.#imports}`) as ImportId;
    taken(await this.dialer.openImport(id, campaign));
    const rows = phones.map((phone, index) => ({ line: index + 2, phone, context: {} }));
    const request = { import: id, part: 0, last: true, allowDuplicates, rows };
    const result = taken(await this.dialer.ingest(request));
    await this.idle();
    return result;
  }

  /** From the Dialer while it is there, then from D1. */
  async task(id: TaskId): Promise<TaskRecord> {
    const reply = await this.dialer.readTask(id);
    if (reply.ok || reply.code !== "not_found") return taken(reply);
    const key = localKey("tsk", WORKSPACE, id) ?? 0;
    const row = await readTaskRow(databaseOf(this.d1), WORKSPACE, key);
    return row === null ? taken(reply) : taskOf(WORKSPACE, row);
  }

  /** Calls of a task, first attempt first: the Dialer's, then D1's. */
  async calls(task: TaskId): Promise<CallRecord[]> {
    const reply = await this.dialer.readCalls(task);
    const here = reply.ok ? reply.value : [];
    const { campaign } = await this.task(task);
    const keys = [localKey("cmp", WORKSPACE, campaign), localKey("tsk", WORKSPACE, task)] as const;
    const stored = await callsOfTask(databaseOf(this.d1), WORKSPACE, keys[0] ?? 0, keys[1] ?? 0);
    const left = stored.filter((one) => here.every((call) => call.id !== one.id));
    return [...left, ...here].sort((a, b) => a.claimedAt - b.claimedAt);
  }

  async read(id: CampaignId): Promise<CampaignRecord> {
    return taken(await this.dialer.readCampaign(id));
  }

  /** The carrier reports about a dial. */
  async report(dial: Dialled, news: Partial<CarrierReport["news"]>): Promise<void> {
    const report = {
      call: dial.call,
      carrierCallId: `c-${dial.call}`,
      news: { ...NO_NEWS, ...news },
    };
    taken(await this.dialer.report([{ connection: dial.connection, report }]));
    await this.idle();
  }

  /** The call is over, with this outcome, for good. */
  async finish(dial: Dialled, outcome: string, news: Partial<CarrierReport["news"]> = {}) {
    const answeredAt = outcome === "no_answer" || outcome === "busy" ? null : this.now;
    await this.report(dial, {
      ended: true,
      concluding: true,
      outcome,
      word: outcome,
      answeredAt,
      endedAt: this.now,
      ...news,
    });
  }

  /** The newest dial. */
  last(): Dialled {
    const dial = this.dials.at(-1);
    if (dial === undefined) throw new Error("nothing was dialled");
    return dial;
  }

  /** Rows of D1. */
  stored(query: string, ...bind: SqlValue[]): Record<string, unknown>[] {
    return prepare(this.d1, query).all(...bind) as Record<string, unknown>[];
  }
}

const WORKSPACE_DOC: WorkspaceDoc = {
  id: WORKSPACE,
  name: "Test",
  slots: 10,
  timezone: "UTC",
  hours: ALWAYS,
  days: ALL_DAYS,
  agent: null,
  from: null,
};
export const CONNECTION_DOC: ConnectionDoc = {
  id: CONNECTION,
  name: "Carrier",
  carrier: "scripted",
  sealed: "",
  lengthMaxMs: 30 * MINUTE,
  perSecond: null,
  callsMax: null,
};
export const AGENT_DOC: AgentDoc = {
  id: AGENT as AgentId,
  name: "Asha",
  connection: CONNECTION,
  carrierAgentId: "agent-1",
  prompt: null,
  placeholders: [],
  outcomes: [],
  usesCallback: false,
  settings: {},
};
const NUMBER_DOC = {
  id: NUMBER as NumberId,
  phone: "+918047112233",
  connection: CONNECTION,
  carrierNumberId: null,
};

/** The value of a reply; a refusal fails the test. */
export function taken<T>(reply: { ok: true; value: T } | { ok: false; message: string }): T {
  if (!reply.ok) throw new Error(JSON.stringify(reply));
  return reply.value;
}
