import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Answer, Carrier, CarrierReport, Lookup } from "../../src/carriers/carrier.ts";
import type { ConnectionId, WorkspaceId } from "../../src/core/ids.ts";
import { Dialer } from "../../src/dialer/dialer.ts";
import type { Outside } from "../../src/dialer/outside.ts";
import type { Sql, SqlValue } from "../../src/dialer/sql.ts";
import type { DialerVerbs, Doc, EventsMessage } from "../../src/dialer/verbs.ts";
import type { VirtualCarrier } from "./carrier.ts";
import type { VirtualD1 } from "./d1.ts";
import type { Faults } from "./faults.ts";
import type { Loop } from "./loop.ts";
import type { Random } from "./random.ts";

/** What a transaction of the Dialer came from: the first one of an event applies it. */
export type Cause =
  | { kind: "verb"; verb: keyof DialerVerbs; args: unknown[] }
  | { kind: "answer"; call: string; answer: Answer }
  | { kind: "found"; call: string; connection: ConnectionId; found: Lookup }
  | { kind: "tested"; connection: ConnectionId }
  | { kind: "copies"; docs: Doc[] }
  | { kind: "time" }
  /** What a start mends before anything else: no time passes in it. */
  | { kind: "start" };

/** A row that a transaction touched. */
export type Touched = { table: string; id: number };

/** Told of everything that the object commits. */
export type Watcher = {
  /** A new life of the object: answers under way are lost. */
  started(now: number): void;
  /** A transaction failed: what was in memory alone is gone. */
  forgot(cause: Cause | null): void;
  committed(cause: Cause, reply: unknown, touched: Touched[], now: number): void;
  logged(event: string, fields: Record<string, unknown>): void;
  /** The code threw what it does not foresee. */
  threw(error: unknown): void;
};

const WATCHED = ["call", "task", "campaign", "late"];

/** The object died: nothing of its life is heard of any more. */
class Died extends Error {}
/** Storage took nothing; the object lives on. */
class Failed extends Error {}

const foreseen = (error: unknown) => error instanceof Died || error instanceof Failed;

/**
 * One workspace's object: its rows, its alarm, and lives of the production Dialer one after the
 * other. A life ends between any two events, before a commit or right after one.
 */
export class Host {
  readonly workspace: WorkspaceId;
  readonly db = new DatabaseSync(":memory:");
  /** The alarm that the Dialer has asked for and that has not come, by its own clock. */
  alarmAsked: number | null = null;
  /** The platform has dropped it: nothing wakes the object but a request. */
  alarmDropped = false;
  lives = 0;
  /** Its clock against the loop's, ms. */
  skew = 0;
  dialer: Dialer | null = null;
  watcher: Watcher | null = null;
  readonly #loop: Loop;
  readonly #d1: VirtualD1;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #send: (messages: EventsMessage[]) => Promise<void>;
  readonly #carriers: Map<string, VirtualCarrier>;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #touched = new Map<string, Touched>();
  readonly #begin = this.db.prepare("BEGIN");
  readonly #commit = this.db.prepare("COMMIT");
  readonly #rollback = this.db.prepare("ROLLBACK");
  #watching = false;
  #cause: Cause | null = null;
  #life = 0;
  #alarmTicket = 0;
  /** Ends requests that wait for a reply of this life. */
  #waiting = new Set<(error: Error) => void>();

  constructor(
    workspace: WorkspaceId,
    world: {
      loop: Loop;
      d1: VirtualD1;
      faults: Faults;
      random: Random;
      send(messages: EventsMessage[]): Promise<void>;
    },
    carriers: Map<string, VirtualCarrier>,
  ) {
    this.workspace = workspace;
    this.#loop = world.loop;
    this.#d1 = world.d1;
    this.#faults = world.faults;
    this.#random = world.random;
    this.#send = world.send;
    this.#carriers = carriers;
    this.db.function("touch", (table, id) => {
      this.#touched.set(`${table} ${id}`, { table: String(table), id: Number(id) });
      return null;
    });
  }

  get now(): number {
    return this.#loop.now + this.skew;
  }

  /** Triggers see every row that changes, whoever changes it; made once the tables are there. */
  #watch(): void {
    for (const table of WATCHED) {
      for (const [event, row] of [
        ["INSERT", "new"],
        ["UPDATE", "new"],
        ["DELETE", "old"],
      ]) {
        this.db.exec(`CREATE TEMP TRIGGER IF NOT EXISTS ${table}_${event} AFTER ${event} ON main.${table}
          BEGIN SELECT touch('${table}', ${row}.id); END`);
      }
    }
  }

  #statement(query: string): StatementSync {
    let statement = this.#prepared.get(query);
    if (statement === undefined) {
      statement = this.db.prepare(query);
      this.#prepared.set(query, statement);
    }
    return statement;
  }

  /** Rows, for checks. */
  rows<Row = Record<string, unknown>>(query: string, ...bind: SqlValue[]): Row[] {
    return this.#statement(query).all(...bind) as Row[];
  }

  /** A life that is over reads and writes nothing more, whatever its code still does. */
  #openSql(): Sql {
    const life = this.#life;
    const alive = () => {
      if (life !== this.#life) throw new Died("its life is over");
    };
    return {
      all: <Row>(query: string, ...bind: SqlValue[]) => {
        alive();
        return this.rows<Row>(query, ...bind);
      },
      run: (query, ...bind) => {
        alive();
        this.#statement(query).run(...bind);
      },
      transaction: (work) => {
        alive();
        return this.#transaction(work);
      },
      size: () => 0,
    };
  }

  #transaction<T>(work: () => T): T {
    const now = this.now;
    this.#touched.clear();
    this.#begin.run();
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.#rollback.run();
      throw error;
    }
    if (this.#faults.hits("storage fails")) {
      this.#rollback.run();
      this.watcher?.forgot(this.#cause);
      this.#cause = null;
      throw new Failed("disk I/O error: SQLITE_IOERR");
    }
    if (this.#faults.hits("object dies before a commit")) {
      this.#rollback.run();
      this.#die();
      throw new Died("before the commit");
    }
    this.#commit.run();
    this.#committed(result, now);
    if (this.#faults.hits("object dies after a commit")) {
      this.#die();
      throw new Died("after the commit");
    }
    return result;
  }

  #committed(result: unknown, now: number): void {
    if (
      !this.#watching &&
      this.rows("SELECT 1 FROM sqlite_master WHERE name = 'late'").length > 0
    ) {
      this.#watching = true;
      this.#watch();
    }
    const touched = [...this.#touched.values()];
    // What a start mends has no reply and is nobody's request.
    const whole = typeof result === "object" && result !== null && "claims" in result;
    const cause: Cause = whole ? (this.#cause ?? { kind: "time" }) : { kind: "start" };
    if (whole) this.#cause = null;
    const reply = whole ? (result as { result?: unknown }).result : undefined;
    this.watcher?.committed(cause, reply, touched, now);
  }

  /** The object is gone from memory; its rows stay. */
  die(): void {
    if (this.dialer !== null) this.#die();
  }

  #die(): void {
    this.#life += 1;
    this.dialer = null;
    this.#cause = null;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const end of waiting) end(new Error("Network connection lost."));
  }

  #alive(): Dialer {
    if (this.dialer === null) {
      this.lives += 1;
      const random = this.#faults.random("clock is off");
      this.skew = this.#faults.hits("clock is off") ? random.whole(-2_000, 2_000) : 0;
      this.dialer = new Dialer(this.#openSql(), this.#outside());
      this.watcher?.started(this.now);
    }
    return this.dialer;
  }

  /** A request from elsewhere, over the network: lost, doubled, or without a reply as faults have it. */
  async call<V extends keyof DialerVerbs>(
    verb: V,
    ...args: Parameters<DialerVerbs[V]>
  ): Promise<Awaited<ReturnType<DialerVerbs[V]>>> {
    await this.#loop.sleep(this.#random.whole(1, 4));
    if (this.#faults.hits("request to the object is lost")) throw lost();
    if (this.#faults.hits("request is sent twice")) {
      void this.run(verb, ...args).catch(() => undefined);
    }
    const reply = await this.run(verb, ...args);
    if (this.#faults.hits("reply of the object is lost")) throw lost();
    return reply;
  }

  /** A request that arrives now. */
  run<V extends keyof DialerVerbs>(
    verb: V,
    ...args: Parameters<DialerVerbs[V]>
  ): Promise<Awaited<ReturnType<DialerVerbs[V]>>> {
    return new Promise((resolve, reject) => {
      let reply: Promise<unknown>;
      try {
        const dialer = this.#alive();
        this.#cause = { kind: "verb", verb, args };
        this.#waiting.add(reject);
        reply = (dialer[verb] as (...args: unknown[]) => Promise<unknown>).apply(dialer, args);
        this.#cause = null;
      } catch (error) {
        reject(error);
        return;
      }
      const life = this.#life;
      reply.then(
        (value) => {
          this.#waiting.delete(reject);
          if (life === this.#life) resolve(value as Awaited<ReturnType<DialerVerbs[V]>>);
        },
        (error) => {
          this.#waiting.delete(reject);
          if (!foreseen(error)) this.watcher?.threw(error);
          reject(lost());
        },
      );
    });
  }

  #setAlarm(at: number): void {
    const ticket = ++this.#alarmTicket;
    this.alarmAsked = at;
    this.alarmDropped = this.#faults.hits("alarm is dropped");
    if (this.alarmDropped) return;
    const late = this.#faults.hits("alarm comes late")
      ? this.#faults.random("alarm comes late").whole(1_000, 60_000)
      : 0;
    const twice = this.#faults.hits("alarm comes twice");
    this.#loop.at(at - this.skew + late, () => {
      if (ticket !== this.#alarmTicket) return;
      this.alarmAsked = null;
      void this.#alarm();
      if (twice) this.#loop.after(this.#random.whole(0, 500), () => void this.#alarm());
    });
  }

  async #alarm(): Promise<void> {
    this.#cause = null;
    try {
      await this.#alive().alarm();
    } catch (error) {
      if (!foreseen(error)) this.watcher?.threw(error);
      // The platform tries a failed alarm again.
      this.alarmDropped = true;
      this.#loop.after(2_000, () => void this.#alarm());
    }
  }

  #outside(): Outside {
    const life = this.#life;
    const alive = () => life === this.#life;
    return {
      now: () => this.now,
      random: () => this.#random.next(),
      setAlarm: (at) => {
        if (alive()) this.#setAlarm(at);
      },
      background: (work) => {
        work.catch((error: unknown) => {
          if (!foreseen(error)) this.watcher?.threw(error);
        });
      },
      after: (ms, work) => {
        this.#loop.after(ms, () => {
          if (!alive()) return;
          this.#cause = null;
          try {
            work();
          } catch (error) {
            if (!foreseen(error)) this.watcher?.threw(error);
          }
        });
      },
      timeout: (ms) => {
        const controller = new AbortController();
        this.#loop.after(ms, () => controller.abort("timeout"));
        return controller.signal;
      },
      open: async (doc) => ({ carrier: this.#seam(doc.id, alive), settings: {} }),
      reportUrl: async (connection, call) => `https://sim.test/reports/${connection}/${call}`,
      send: (messages) => this.#ask(alive, () => this.#send(messages), null),
      viewers: () => [],
      wipe: async () => undefined,
      d1: (statements) => {
        const fetches = statements[0]?.query.includes("FROM copies") ?? false;
        return this.#ask(
          alive,
          () => this.#d1.batch(statements),
          fetches ? ([rows]) => ({ kind: "copies", docs: docsOf(rows ?? []) }) : null,
        );
      },
      log: (event, fields) => {
        if (alive()) this.watcher?.logged(event, fields);
      },
    };
  }

  /** An answer from outside reaches this life or nobody, each in an event of its own. */
  #ask<T>(alive: () => boolean, work: () => Promise<T>, cause: ((value: T) => Cause) | null) {
    return new Promise<T>((resolve, reject) => {
      work().then(
        (value) => {
          this.#loop.after(0, () => {
            if (!alive()) return;
            this.#cause = cause?.(value) ?? null;
            resolve(value);
          });
        },
        (error: unknown) => {
          this.#loop.after(0, () => {
            if (!alive()) return;
            this.#cause = null;
            reject(error);
          });
        },
      );
    });
  }

  #seam(connection: ConnectionId, alive: () => boolean): Carrier {
    const carrier = this.#carriers.get(connection);
    if (carrier === undefined) throw new Error("no such connection");
    return {
      id: "virtual",
      open: [],
      check: () => [],
      place: (_settings, dial, signal) => {
        const failed = (error: unknown): Answer => ({ kind: "unknown", word: String(error) });
        const answer = this.#ask(
          alive,
          () => carrier.place(this, dial, signal).catch(failed),
          (given) => ({ kind: "answer", call: dial.call, answer: given }),
        );
        // As adapters do: what is thrown is unknown.
        return answer.then((given) => {
          if (given.kind === "unknown") throw new Error(given.word);
          return given;
        });
      },
      lookup: (_settings, asked) =>
        this.#ask(
          alive,
          () => carrier.lookup(asked),
          (found) => ({ kind: "found", call: asked.call, connection, found }),
        ),
      test: () =>
        this.#ask(
          alive,
          () => carrier.test(),
          () => ({ kind: "tested", connection }),
        ),
      end: async () => undefined,
      verify: async () => true,
      read: () => [],
      recording: async () => new Response(),
    };
  }

  /** A report that the carrier sends right now, as the API would hand it on as a hint. */
  hint(connection: ConnectionId, report: CarrierReport): void {
    void this.call("report", [{ connection, report }]).catch(() => undefined);
  }
}

function docsOf(rows: Record<string, unknown>[]): Doc[] {
  return rows.map(({ kind, id, version, doc }) => {
    return { kind, id, version, doc: doc === null ? null : JSON.parse(String(doc)) } as Doc;
  });
}

function lost(): Error {
  return new Error("Network connection lost.");
}
