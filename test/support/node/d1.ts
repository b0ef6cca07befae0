import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import type { Db } from "../../../src/db/database.ts";

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
