import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import type { Db } from "../../../src/db/database.ts";

const MIGRATIONS = new URL("../../../migrations/", import.meta.url);
let empty: Uint8Array | null = null;

/** D1's tables in Node's SQLite, from the real migrations: these run once, the rest are copies. */
export function openD1(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  if (empty !== null) {
    db.deserialize(empty);
    return db;
  }
  for (const file of readdirSync(MIGRATIONS).sort()) {
    if (file.endsWith(".sql")) db.exec(readFileSync(new URL(file, MIGRATIONS), "utf8"));
  }
  empty = db.serialize();
  return db;
}

type Prepared = Map<string, StatementSync>;
const prepared = new WeakMap<DatabaseSync, { objects: Prepared; arrays: Prepared }>();

/** A query of that database, prepared once: that is most of what a short one costs. */
export function prepare(
  d1: DatabaseSync,
  query: string,
  rows: "objects" | "arrays" = "objects",
): StatementSync {
  const all = prepared.get(d1) ?? { objects: new Map(), arrays: new Map() };
  prepared.set(d1, all);
  const known = all[rows].get(query);
  if (known !== undefined) return known;
  const made = d1.prepare(query);
  made.setReturnArrays(rows === "arrays");
  all[rows].set(query, made);
  return made;
}

/** Reads all that everybody, or a workspace, has in a table; a view's tables have steps of their own. */
const WHOLE = /^SCAN (?!.*VIRTUAL TABLE|CONSTANT|copies$)|^SEARCH .* \(workspace=\?\)$/;
const plans = new Map<string, string[]>();

/** Steps of a query that cost more the more there is. A query is looked at once. */
export function wholeReads(d1: DatabaseSync, query: string): string[] {
  const known = plans.get(query);
  if (known !== undefined) return known;
  const plan = d1.prepare(`EXPLAIN QUERY PLAN ${query}`).all() as { detail: string }[];
  const found = plan.map(({ detail }) => detail).filter((detail) => WHOLE.test(detail));
  plans.set(query, found);
  return found;
}

/** D1 for the queries of `src/db`, on Node's SQLite. */
export function databaseOf(d1: DatabaseSync): Db {
  const run = (query: string, bind: SQLInputValue[], method: string) => {
    const rows = prepare(d1, query, "arrays").all(...bind);
    return { rows: method === "get" ? rows[0] : rows } as { rows: unknown[] };
  };
  const db = drizzle(
    async (query, bind, method) => run(query, bind, method),
    // One transaction, as D1's is.
    async (queries) => {
      d1.exec("BEGIN");
      try {
        const results = queries.map(({ sql, params, method }) => {
          return run(sql, params as SQLInputValue[], method);
        });
        d1.exec("COMMIT");
        return results;
      } catch (error) {
        d1.exec("ROLLBACK");
        throw error;
      }
    },
  );
  // Queries are built alike for both drivers.
  return db as unknown as Db;
}
