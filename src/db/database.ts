import type { BatchItem } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

export type Db = DrizzleD1Database;
/** A statement that a batch can hold. */
export type Statement = BatchItem<"sqlite">;

/** D1, typed by `schema.ts`. */
export function database(env: { DB: D1Database }): Db {
  return drizzle(env.DB);
}

/** Whether a batch was rolled back because a row of this table may not be as it would have been. */
export function brokeConstraint(error: unknown, table: string): boolean {
  if (!(error instanceof Error)) return false;
  if (new RegExp(`constraint failed: ${table}\\.`).test(error.message)) return true;
  return error.cause !== undefined && brokeConstraint(error.cause, table);
}
