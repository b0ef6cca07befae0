import { makeId, type WorkspaceId } from "../../src/core/ids.ts";
import { EVENT_TYPES } from "../../src/core/webhook.ts";
import type {
  AgentDoc,
  ConnectionDoc,
  DialerVerbs,
  Doc,
  NumberDoc,
  WorkspaceDoc,
} from "../../src/dialer/verbs.ts";
import { handleEvents, type Shell } from "../../src/queues/events.ts";
import { handleIngest } from "../../src/queues/ingest.ts";
import type {
  EventsMessage,
  IngestMessage,
  ReportMessage,
  TurnMessage,
} from "../../src/queues/messages.ts";
import { handleDead, handleReports } from "../../src/queues/reports.ts";
import { watchdog } from "../../src/queues/watchdog.ts";
import { VirtualCarrier } from "./carrier.ts";
import { VirtualD1 } from "./d1.ts";
import { type Fault, Faults } from "./faults.ts";
import { Host } from "./host.ts";
import { Loop } from "./loop.ts";
import { type Meanings, Observer } from "./observer.ts";
import { People } from "./people.ts";
import type { Operation, Plan, WorkspacePlan } from "./plan.ts";
import { VirtualQueue } from "./queues.ts";
import { Random } from "./random.ts";
import { type Received, VirtualReceiver } from "./receiver.ts";
import { Broken, Model } from "./reference/model.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How long after its day everything must have ended: four attempts on one weekday, and then some. */
const SETTLE_MS = 45 * DAY;

export type Workspace = {
  id: WorkspaceId;
  host: Host;
  observer: Observer;
  people: People;
  carriers: VirtualCarrier[];
  doc: WorkspaceDoc;
};

/** Where all workspaces' events go. */
const HOOK = "https://crm.sim.test/hooks";

export type Outcome = {
  seed: number;
  broken: { invariant: string; story: string; at: number } | null;
  calls: number;
  steps: number;
  faults: Map<Fault, number>;
  covered: Map<string, number>;
};

/** What of a plan happens: a shrinker leaves things out. */
export type Cut = {
  operations: readonly Operation[];
  without: ReadonlySet<Fault>;
  end: number;
};

/** Everything of one seed: its time, its network, its people, and what is checked of it. */
export class World {
  readonly loop: Loop;
  readonly faults: Faults;
  readonly d1: VirtualD1;
  readonly ingest: VirtualQueue<IngestMessage>;
  readonly reports: VirtualQueue<ReportMessage>;
  readonly events: VirtualQueue<EventsMessage | TurnMessage>;
  readonly receiver: VirtualReceiver;
  readonly env: Env;
  readonly workspaces: Workspace[] = [];
  readonly covered = new Map<string, number>();
  readonly story: string[] = [];
  readonly #plan: Plan;
  readonly #cut: Cut;
  readonly #traced: boolean;
  #broken: { error: Broken; at: number } | null = null;

  constructor(plan: Plan, cut: Cut, traced: boolean) {
    this.#plan = plan;
    this.#cut = cut;
    this.#traced = traced;
    this.loop = new Loop(plan.start);
    const shares = new Map([...plan.shares].filter(([fault]) => !cut.without.has(fault)));
    this.faults = new Faults(plan.seed, shares);
    this.d1 = new VirtualD1(this.loop, this.faults);
    this.ingest = new VirtualQueue("outdial-ingest", this.loop, this.faults, 10);
    this.reports = new VirtualQueue("outdial-reports", this.loop, this.faults, 100);
    this.receiver = new VirtualReceiver(this.loop, this.faults, new Random(plan.seed, "receiver"));
    this.events = new VirtualQueue("outdial-events", this.loop, this.faults, 100);
    this.events.loses = true;
    const dead = new VirtualQueue<IngestMessage | ReportMessage>(
      "outdial-dead",
      this.loop,
      this.faults,
      10,
    );
    this.env = this.#env();
    this.ingest.dead = dead as unknown as VirtualQueue<IngestMessage>;
    this.reports.dead = dead as unknown as VirtualQueue<ReportMessage>;
    this.ingest.consumer = (batch) => handleIngest(batch, this.env);
    this.reports.consumer = (batch) => handleReports(batch, this.env);
    const drawn = new Random(plan.seed, "tries");
    const shell: Shell = {
      tell: (to, event) => this.receiver.take(to.url, event),
      secretsOf: async () => [],
      now: () => this.loop.now,
      random: () => drawn.next(),
      sleep: (ms) => this.loop.sleep(ms),
    };
    this.events.consumer = (batch) => handleEvents(batch, this.env, shell);
    dead.consumer = (batch) => handleDead(batch, this.env);
    for (const [index, one] of plan.workspaces.entries()) this.#add(one, index);
  }

  #env(): Env {
    const env = {
      DB: this.d1.binding(),
      INGEST: this.ingest,
      REPORTS: this.reports,
      EVENTS: this.events,
      PUBLIC_URL: "https://sim.test",
      SIGNING_SECRET: "a signing secret of the simulation",
      DIALER: {
        idFromName: (name: string) => name,
        get: (name: string) => {
          const host = this.workspaces.find((one) => one.id === name)?.host;
          const verb = (_: object, name: string | symbol) => {
            return (...args: Parameters<DialerVerbs["push"]>) =>
              host?.call(name as "push", ...args);
          };
          return new Proxy({}, { get: verb });
        },
      },
    };
    return env as unknown as Env;
  }

  #cover = (what: string): void => {
    this.covered.set(what, (this.covered.get(what) ?? 0) + 1);
  };

  #add(plan: WorkspacePlan, index: number): void {
    const id = `ws_sim${String.fromCharCode(97 + index)}0000` as WorkspaceId;
    const { loop, d1, faults } = this;
    const random = new Random(this.#plan.seed, `object ${index}`);
    const carriers = plan.connections.map((one) => {
      const name = makeId("con", id, one.id);
      return new VirtualCarrier(name, one.habits, { loop, faults, seed: this.#plan.seed });
    });
    const byId = new Map(carriers.map((one) => [one.id as string, one]));
    const send = (messages: EventsMessage[]) =>
      this.events.sendBatch(messages.map((body) => ({ body })));
    const host = new Host(id, { loop, d1, faults, random, send }, byId);
    const model = new Model(plan, this.#cover);
    for (const one of plan.connections) {
      const name = makeId("con", id, one.id);
      model.connections.set(name, { ...one, id: name });
    }
    for (const one of plan.agents) {
      one.id = makeId("agt", id, one.id.split("_")[2] ?? one.id);
      one.connection = makeId("con", id, one.connection.split("_")[2] ?? one.connection);
      model.agents.set(one.id, one);
    }
    const meanings: Meanings = {
      campaigns: new WeakMap(),
      edits: new WeakMap(),
      tasks: new WeakMap(),
    };
    const observer = new Observer(host, d1, model, meanings);
    const first = plan.agents[0];
    const doc: WorkspaceDoc = {
      id,
      name: `Workspace ${index}`,
      slots: plan.slots,
      timezone: plan.zone,
      hours: { opensMin: plan.hours.opens, closesMin: plan.hours.closes },
      days: 127,
      agent: (first?.id ?? null) as WorkspaceDoc["agent"],
      from: (first?.connection.replace(/^con_/, "num_") ?? null) as WorkspaceDoc["from"],
    };
    const mine: Workspace = {
      id,
      host,
      observer,
      people: undefined as unknown as People,
      carriers,
      doc,
    };
    mine.people = new People(this, mine, plan, meanings);
    observer.say = (text) => this.say(`${id}: ${text}`);
    observer.patienceMs = (5 + 2 * this.#plan.cronMinutes) * MINUTE;
    this.workspaces.push(mine);
    for (const carrier of carriers) this.#connect(mine, carrier);
  }

  /** Reports go the way of the API: into the queue, and at once as a hint; dials are looked at. */
  #connect(mine: Workspace, carrier: VirtualCarrier): void {
    const { faults, reports } = this;
    carrier.send = (report, quick) => {
      void reports.send({
        workspace: mine.id,
        connection: carrier.id,
        report,
        texts: null,
        cut: false,
      });
      if (quick && !faults.hits("hint is lost")) mine.host.hint(carrier.id, report);
    };
    const { model } = mine.observer;
    const dialled = new Map<string, number>();
    carrier.dialled = (dial, at) => {
      const call = model.calls.get(Number.parseInt(dial.call.split("_")[2] ?? "", 36));
      if (call === undefined)
        return mine.observer.fail(new Broken("a dial has its call", dial.call));
      const { task } = call;
      if (dial.phone !== task.phone) {
        mine.observer.fail(new Broken("the right number is dialled", `task ${task.id}`));
      }
      const attempt = `${task.id} ${call.attempt}`;
      const before = model.calls.get(dialled.get(attempt) ?? -1);
      if (before !== undefined && before.verdict !== "returned") {
        mine.observer.fail(new Broken("an attempt is dialled once", `task ${attempt}`));
      }
      dialled.set(attempt, call.id);
      let inFlight = 1;
      for (const one of mine.carriers) {
        for (const truth of one.calls.values()) {
          if (!truth.refused && truth.endsAt > at && truth.phone !== dial.phone) inFlight += 1;
        }
      }
      if (inFlight > model.slotsMost) {
        mine.observer.fail(
          new Broken("never more phones ring than there are slots", `${inFlight}`),
        );
      }
    };
  }

  say(text: string): void {
    if (!this.#traced) return;
    this.story.push(`${new Date(this.loop.now).toISOString()} ${text}`);
  }

  async run(): Promise<Outcome> {
    const now = Date.now;
    const { log, error } = console;
    Date.now = () => this.loop.now;
    console.log = (line: string) => this.say(line);
    console.error = (line: string) => this.say(line);
    try {
      await this.#run();
    } catch (thrown) {
      const known = thrown instanceof Broken;
      const text = thrown instanceof Error ? (thrown.stack ?? "") : String(thrown);
      const broken = known ? thrown : new Broken("the simulation does not throw", text);
      this.#broken ??= { error: broken, at: this.loop.now };
    } finally {
      Date.now = now;
      console.log = log;
      console.error = error;
    }
    const calls = this.workspaces.reduce((sum, one) => sum + one.observer.model.dials, 0);
    const broken = this.#broken;
    return {
      seed: this.#plan.seed,
      broken:
        broken === null
          ? null
          : { invariant: broken.error.invariant, story: broken.error.message, at: broken.at },
      calls,
      steps: this.loop.steps,
      faults: this.faults.counts,
      covered: this.covered,
    };
  }

  async #run(): Promise<void> {
    for (const one of this.workspaces) await this.#setUp(one);
    for (const operation of this.#cut.operations) {
      this.loop.at(operation.at, () => this.#operate(operation));
    }
    this.#cron(this.#plan.cronMinutes);
    await this.#runUntil(this.#cut.end);
    this.faults.calm = true;
    this.d1.awayUntil = 0;
    this.receiver.awayUntil = 0;
    for (const { carriers } of this.workspaces) {
      for (const one of carriers) Object.assign(one, { outageUntil: 0, deafUntil: 0 });
    }
    this.say("the day is over: no more faults");
    await this.#settle();
  }

  async #setUp({ id, host, doc, observer }: Workspace): Promise<void> {
    const { model } = observer;
    const docs: Doc[] = [{ kind: "workspace", id, version: 1, doc }];
    for (const one of model.connections.values()) {
      const connection: ConnectionDoc = {
        id: one.id as ConnectionDoc["id"],
        name: "Carrier",
        carrier: "virtual",
        sealed: "",
        lengthMaxMs: one.lengthMaxMs,
        perSecond: one.perSecond,
        callsMax: one.callsMax,
      };
      docs.push({ kind: "connection", id: one.id, version: 1, doc: connection });
      const number: NumberDoc = {
        id: one.id.replace(/^con_/, "num_") as NumberDoc["id"],
        phone: "+918047112233",
        connection: connection.id,
        carrierNumberId: null,
      };
      docs.push({ kind: "number", id: number.id, version: 1, doc: number });
    }
    for (const one of model.agents.values()) {
      const agent: AgentDoc = {
        id: one.id as AgentDoc["id"],
        name: "Asha",
        connection: one.connection as AgentDoc["connection"],
        carrierAgentId: one.id,
        prompt: null,
        placeholders: ["name"],
        outcomes: one.own,
        usesCallback: one.usesCallback,
        settings: {},
      };
      docs.push({ kind: "agent", id: one.id, version: 1, doc: agent });
    }
    const webhook = this.#webhookOf(id);
    if (webhook !== null) docs.push(webhook);
    this.#store(doc, docs);
    this.faults.calm = true;
    await host.run("putCopies", docs);
    this.faults.calm = false;
  }

  /** Three in ten workspaces want to hear of everything. */
  #webhookOf(id: WorkspaceId): Doc | null {
    const index = this.workspaces.findIndex((one) => one.id === id);
    if (this.#plan.workspaces[index]?.webhook !== true) return null;
    const webhook = makeId("whk", id, "w1");
    this.d1.rows(
      `INSERT INTO webhooks (id, workspace, version, created_at, name, url, events, texts, shape, sealed)
       VALUES (?, ?, 1, ?, 'All', ?, ?, 0, 'standard', '')`,
      webhook,
      id,
      // Clocks of entry points differ a little.
      this.#plan.start - MINUTE,
      HOOK,
      JSON.stringify(EVENT_TYPES),
    );
    const doc = { id: webhook, events: [...EVENT_TYPES] };
    return { kind: "webhook", id: webhook, version: 1, doc };
  }

  /** What the API wrote to D1 when all this was set up. */
  #store(doc: WorkspaceDoc, docs: Doc[]): void {
    const { d1 } = this;
    d1.rows(
      `INSERT INTO workspaces (id, name, slots, timezone, opens_min, closes_min, days, agent,
         from_number, config_version, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?)`,
      doc.id,
      doc.name,
      doc.slots,
      doc.timezone,
      doc.hours.opensMin,
      doc.hours.closesMin,
      doc.days,
      doc.agent,
      doc.from,
      this.#plan.start,
    );
    for (const one of docs) {
      if (one.kind !== "agent" || one.doc === null) continue;
      d1.rows(
        `INSERT INTO agents (id, workspace, version, created_at, name, connection, carrier_agent_id,
           placeholders, outcomes, uses_callback, settings) VALUES (?, ?, 1, ?, ?, ?, ?, '[]', ?, ?, '{}')`,
        one.id,
        doc.id,
        this.#plan.start,
        one.doc.name,
        one.doc.connection,
        one.doc.carrierAgentId,
        JSON.stringify(one.doc.outcomes),
        one.doc.usesCallback ? 1 : 0,
      );
    }
  }

  #operate(operation: Operation): void {
    const mine = this.workspaces[operation.who];
    if (mine === undefined) return;
    this.say(`${mine.id}: ${operation.kind}`);
    const random = new Random(operation.seed, "how");
    const { faults, loop } = this;
    const has = (fault: Fault) => this.#plan.shares.has(fault) && !this.#cut.without.has(fault);
    const hit = (fault: Fault) => {
      if (has(fault)) faults.note(fault);
      return has(fault);
    };
    switch (operation.kind) {
      case "object dies":
        if (hit("object dies between two events")) mine.host.die();
        return;
      case "object is evicted":
        if (hit("object is evicted")) mine.host.die();
        return;
      case "D1 goes away":
        if (hit("D1 is away")) this.d1.awayUntil = loop.now + random.skewed(MINUTE, 4 * HOUR);
        return;
      case "carrier goes away":
        if (!hit("carrier has an outage")) return;
        random.pick(mine.carriers).outageUntil = loop.now + random.skewed(MINUTE, 2 * HOUR);
        return;
      case "carrier goes deaf":
        if (!hit("carrier has an outage")) return;
        random.pick(mine.carriers).deafUntil = loop.now + random.skewed(10 * MINUTE, 2 * HOUR);
        return;
      default:
        mine.people.do(operation).catch((error: unknown) => mine.observer.fail(error));
    }
  }

  /** The platform's minute, every so many: it takes up what a lost alarm or message left behind. */
  #cron(minutes: number): void {
    this.loop.after(minutes * MINUTE, () => {
      // Without faults nothing needs it but what they have left behind.
      const calm = this.loop.now < this.#cut.end + 2 * HOUR ? 10 : 60;
      this.#cron(this.faults.calm ? calm : this.#plan.cronMinutes);
      if (this.faults.hits("cron misses its minute")) return;
      void watchdog(this.env, this.loop.now).catch(() => undefined);
    });
  }

  async #runUntil(until: number): Promise<void> {
    await this.loop.run(until, () => this.#check());
    this.#check();
  }

  #looked = 0;

  #check(): void {
    for (const { observer } of this.workspaces) {
      if (observer.broken !== null) throw observer.broken;
    }
    this.#looked += 1;
    if (this.#looked % 25 === 0) {
      for (const { observer } of this.workspaces) {
        observer.compareAlarm();
        observer.looked();
      }
    }
    if (this.#looked % 700 !== 0) return;
    for (const { observer } of this.workspaces) {
      observer.compareCounters();
      observer.compareRows();
    }
  }

  /** Faults are over and everybody lets go: everything must end by itself (architecture). */
  async #settle(): Promise<void> {
    const { loop } = this;
    await this.#runUntil(loop.now + 10 * MINUTE);
    await this.#resumeAll();
    // A task that was paused during a long call is found paused only after it.
    await this.#runUntil(loop.now + HOUR);
    await this.#resumeAll();
    const last = loop.now + SETTLE_MS;
    while (loop.now < last && this.#unended() !== null) await this.#runUntil(loop.now + HOUR);
    const unended = this.#unended();
    if (unended !== null) throw new Broken("everything ends", unended);
    await this.#runUntil(loop.now + 3 * HOUR);
    for (const one of this.workspaces) this.#end(one);
  }

  async #resumeAll(): Promise<void> {
    for (const { people } of this.workspaces) {
      const resumed = people.resumeAll();
      await this.#runUntil(this.loop.now + MINUTE);
      await resumed;
    }
  }

  #unended(): string | null {
    if (this.ingest.waiting > 0) return "an import is on its way";
    for (const { host } of this.workspaces) {
      const [row] = host.rows("SELECT COUNT(*) AS n FROM outbox");
      if (row?.n !== 0) return `${row?.n} rows are in the outbox`;
    }
    const [waits] = this.d1.rows("SELECT COUNT(*) AS n FROM deliveries WHERE status = 'waiting'");
    if (waits?.n !== 0) return `${waits?.n} deliveries wait`;
    for (const { observer } of this.workspaces) {
      for (const task of observer.model.tasks.values()) {
        const status = observer.model.statusOf(task);
        if (status !== "completed" && status !== "archived") return `task ${task.id} is ${status}`;
      }
      if (observer.model.open.size > 0) return "a call is open";
    }
    return null;
  }

  /** D1 equals the object equals the model, and every acknowledged task is accounted for. */
  #end({ id, observer, people, host }: Workspace): void {
    const { model } = observer;
    observer.compareCounters();
    observer.compareRows();
    observer.compareOrder();
    for (const campaign of model.campaigns.values()) {
      observer.compareCampaign(campaign);
      const [row] = this.d1.rows(
        "SELECT status, counters FROM campaigns WHERE workspace = ? AND id = ?",
        id,
        campaign.id,
      );
      const status = model.statusOfCampaign(campaign);
      if (row?.status !== status) {
        throw new Broken(
          "D1 equals the object",
          `campaign ${campaign.id}: ${row?.status}, not ${status}`,
        );
      }
      const counters = JSON.parse(String(row.counters)) as Record<string, number>;
      const count = (what: string) =>
        campaign.tasks.filter((one) => model.statusOf(one) === what).length;
      for (const what of ["queued", "running", "completed", "paused", "archived"]) {
        if (counters[what] !== count(what)) {
          const text = `campaign ${campaign.id}: ${counters[what]} ${what}, not ${count(what)}`;
          throw new Broken("D1 equals the object", text);
        }
      }
    }
    const stored = new Map(
      this.d1
        .rows("SELECT id, status, attempts, phone FROM task_view WHERE workspace = ?", id)
        .map((row) => [Number(row.id), row]),
    );
    for (const task of model.tasks.values()) {
      const row = stored.get(task.id);
      const status = model.statusOf(task);
      if (row?.status !== status || row.attempts !== task.used || row.phone !== task.phone) {
        const text = `task ${task.id}: ${JSON.stringify(row)}, not ${status} after ${task.used}`;
        throw new Broken("D1 equals the object", text);
      }
    }
    if (stored.size !== model.tasks.size) throw new Broken("D1 equals the object", "more tasks");
    for (const call of model.calls.values()) {
      if (call.verdict === "returned" && call.left) continue;
      const [row] = this.d1.rows(
        "SELECT outcome, concluded, attempt FROM calls WHERE workspace = ? AND id = ?",
        id,
        call.id,
      );
      if (row?.outcome !== call.outcome || row.concluded !== 1 || row.attempt !== call.attempt) {
        throw new Broken(
          "D1 equals the object",
          `call ${call.id}: ${JSON.stringify(row)}, not ${call.outcome}`,
        );
      }
    }
    for (const task of people.tasks) {
      if (!model.tasks.has(Number.parseInt(task.split("_")[2] ?? "", 36))) {
        throw new Broken("what was acknowledged is there", task);
      }
    }
    for (const one of people.imports) this.#endImport(one);
    this.#endEvents(id);
    const [left] = host.rows(
      "SELECT (SELECT COUNT(*) FROM waiting) + (SELECT COUNT(*) FROM task) AS n",
    );
    if (left?.n !== 0) this.#leftovers(host);
  }

  /**
   * Everybody has heard of everything that D1 holds, and of nothing else: compared with D1, which
   * by now is known to be right.
   */
  #endEvents(id: WorkspaceId): void {
    const calls = this.d1.rows(
      "SELECT id, task, placed_at AS placedAt FROM calls WHERE workspace = ?",
      id,
    );
    const tasks = this.d1.rows(
      `SELECT t.id, t.ended, t.ended_at AS endedAt, COALESCE(c.archived_at, c.completed_at) AS overAt,
         v.status, t.settings ->> '$.statusCallbackUrl' AS url FROM tasks t JOIN campaigns c ON c.workspace = t.workspace AND c.id = t.campaign
         JOIN task_view v ON v.workspace = t.workspace AND v.id = t.id WHERE t.workspace = ?`,
      id,
    );
    const name = (kind: "cal" | "tsk", row: Record<string, unknown>, what: string) =>
      `${makeId(kind, id, Number(row.id))}-${what}`;
    const ofCalls = (row: Record<string, unknown>) => [
      ...(row.placedAt === null ? [] : [name("cal", row, "started")]),
      name("cal", row, "ended"),
    ];
    const hook = this.d1.rows("SELECT id FROM webhooks WHERE workspace = ?", id).length > 0;
    if (hook) {
      const told = this.receiver.at(id, HOOK);
      const wanted = calls.flatMap(ofCalls);
      const allowed = new Set<string>(wanted);
      for (const row of tasks) {
        if (row.ended === null) continue;
        const event = name("tsk", row, String(row.ended));
        allowed.add(event);
        const over = row.overAt === null ? Number.POSITIVE_INFINITY : Number(row.overAt);
        // One that is archived with its campaign has no event of its own (H30).
        if (row.ended === "completed" || Number(row.endedAt) < over) wanted.push(event);
      }
      this.#compareEvents(told, wanted, allowed);
    }
    // The same person may be called by several tasks, with one address.
    const byUrl = new Map<string, string[]>();
    for (const row of tasks) {
      if (row.url === null) continue;
      const mine = calls.filter((call) => call.task === row.id).flatMap(ofCalls);
      const wanted = byUrl.get(String(row.url)) ?? [];
      byUrl.set(String(row.url), [...wanted, ...mine, name("tsk", row, String(row.status))]);
    }
    for (const [url, wanted] of byUrl) {
      this.#compareEvents(this.receiver.at(id, url), wanted, new Set(wanted));
    }
  }

  #compareEvents(told: Received, wanted: readonly string[], allowed: ReadonlySet<string>): void {
    const missing = wanted.find((event) => !told.ids.has(event));
    if (missing !== undefined) throw new Broken("every event gets through", missing);
    for (const [event] of told.ids) {
      const what = event.split("-")[1] ?? "";
      const known = what === "started" || what === "ended" || event.startsWith("tsk_");
      if (known && !event.startsWith("cmp_") && !allowed.has(event)) {
        throw new Broken(
          "nothing is told that has not happened",
          `${event} ${told.bodies.get(event)}`,
        );
      }
    }
    this.#cover("an event is told");
    const twice = [...told.ids.values()].some((times) => times > 1);
    if (twice) this.#cover("an event is told twice, under one id");
    const sequences = [...told.bodies.values()].map((body) => JSON.parse(body).sequence as number);
    if (new Set(sequences).size !== sequences.length) {
      throw new Broken("events have numbers of their own", String(sequences));
    }
  }

  #leftovers(host: Host): void {
    const rows = host.rows(
      "SELECT t.id, t.ended, c.archived_at, c.completed_at, c.swept FROM task t JOIN campaign c ON c.id = t.campaign LIMIT 5",
    );
    throw new Broken("what is over leaves the object", JSON.stringify(rows));
  }

  #endImport(one: People["imports"][number]): void {
    const [row] = this.d1.rows("SELECT * FROM imports WHERE id = ?", one.id);
    const rejected = Object.values(
      JSON.parse(String(row?.rejected ?? "{}")) as Record<string, number>,
    );
    const sum = rejected.reduce((all, n) => all + n, 0);
    const whole = row?.status === "completed" && row.rows_read === one.rows;
    if (!whole || Number(row?.rows_taken) + sum !== one.rows) {
      throw new Broken(
        "each row of an import is taken or named",
        JSON.stringify({ ...row, rows: one.rows, sum }),
      );
    }
  }
}
