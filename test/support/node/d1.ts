import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import type { Db } from "../../../src/db/database.ts";

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
    const statement = d1.prepare(query);
    statement.setReturnArrays(true);
    const rows = statement.all(...bind);
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
