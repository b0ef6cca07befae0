import type { BatchItem } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

export type Db = DrizzleD1Database;
/** A statement that a batch can hold. */
export type Statement = BatchItem<"sqlite">;

/** D1, typed by `schema.ts`. */
export function database(env: { DB: D1Database }): Db {
  return drizzle(env.DB);
}
