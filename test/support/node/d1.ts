import type { DatabaseSync } from "node:sqlite";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import type { Db } from "../../../src/db/database.ts";

/** D1 for the queries of `src/db`, on Node's SQLite. */
export function databaseOf(d1: DatabaseSync): Db {
  const db = drizzle(async (query, bind, method) => {
    const statement = d1.prepare(query);
    statement.setReturnArrays(true);
    const rows = statement.all(...bind);
    return { rows: method === "get" ? rows[0] : rows } as { rows: unknown[] };
  });
  // Queries are built alike for both drivers; only batches are D1's own.
  return db as unknown as Db;
}
