import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Statement } from "../../src/dialer/outside.ts";
import type { SqlValue } from "../../src/dialer/sql.ts";
import type { Faults } from "./faults.ts";
import type { Loop } from "./loop.ts";

const folder = new URL("../../migrations/", import.meta.url);
const MIGRATIONS = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .sort()
  .map((file) => readFileSync(new URL(file, folder), "utf8"));

/** D1 behind the network: its real tables in SQLite; slow, away, or failing after it has written. */
export class VirtualD1 {
  readonly db = new DatabaseSync(":memory:");
  /** Away until this instant. */
  awayUntil = 0;
  /** The last instant at which it failed. */
  failedAt = 0;
  readonly #loop: Loop;
  readonly #faults: Faults;
  readonly #prepared = new Map<string, ReturnType<DatabaseSync["prepare"]>>();

  constructor(loop: Loop, faults: Faults) {
    this.#loop = loop;
    this.#faults = faults;
    for (const sql of MIGRATIONS) this.db.exec(sql);
  }

  /** Rows, at once and without faults: for checks. */
  rows(query: string, ...bind: SqlValue[]): Record<string, unknown>[] {
    return this.#statement(query).all(...bind) as Record<string, unknown>[];
  }

  /** One request: statements in one transaction. */
  async batch(statements: readonly Statement[]): Promise<Record<string, unknown>[][]> {
    const random = this.#faults.random("D1 is slow");
    const slow = this.#faults.hits("D1 is slow");
    await this.#loop.sleep(slow ? random.whole(1_000, 20_000) : random.whole(4, 12));
    if (this.#loop.now < this.awayUntil || this.#faults.hits("D1 refuses")) {
      this.failedAt = this.#loop.now;
      throw new Error("D1_ERROR: Network connection lost.");
    }
    const rows = this.#write(statements);
    await this.#loop.sleep(random.whole(4, 12));
    if (this.#faults.hits("D1 answers after it gave up")) {
      this.failedAt = this.#loop.now;
      throw new Error("D1_ERROR: no answer in time");
    }
    return rows;
  }

  #write(statements: readonly Statement[]): Record<string, unknown>[][] {
    this.db.exec("BEGIN");
    try {
      const rows = statements.map(({ query, bind }) => this.rows(query, ...bind));
      this.db.exec("COMMIT");
      return rows;
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    }
  }

  #statement(query: string) {
    let statement = this.#prepared.get(query);
    if (statement === undefined) {
      statement = this.db.prepare(query);
      this.#prepared.set(query, statement);
    }
    return statement;
  }

  /** The binding as Workers have it. */
  binding(): D1Database {
    const one = (statement: Statement) => this.batch([statement]).then(([rows]) => rows ?? []);
    const prepare = (query: string, bind: SqlValue[] = []): unknown => ({
      query,
      bind,
      bind_: bind,
      all: async () => ({ results: await one({ query, bind }), success: true, meta: {} }),
      run: async () => ({ results: await one({ query, bind }), success: true, meta: {} }),
      first: async () => (await one({ query, bind }))[0] ?? null,
      raw: async () => (await one({ query, bind })).map((row) => Object.values(row)),
    });
    const bindable = (query: string) => {
      const statement = prepare(query) as Record<string, unknown>;
      return { ...statement, bind: (...values: SqlValue[]) => prepare(query, values) };
    };
    const database = {
      prepare: bindable,
      batch: async (statements: { query: string; bind_?: SqlValue[]; bind: unknown }[]) => {
        const asked = statements.map((statement) => ({
          query: statement.query,
          bind: statement.bind_ ?? [],
        }));
        const rows = await this.batch(asked);
        return rows.map((results) => ({ results, success: true, meta: {} }));
      },
    };
    return database as unknown as D1Database;
  }
}
