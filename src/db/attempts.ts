import { lt, sql } from "drizzle-orm";
import type { Db } from "./database.ts";
import { attempts } from "./schema.ts";

/** How many attempts count in which time; the count begins anew after it. */
export type Allowance = { max: number; windowMs: number };

/** Longer than every window: a row that is older says nothing any more. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Counts one attempt under a key, in one statement: 0, or how many ms to wait. */
export async function countAttempt(
  db: Db,
  key: string,
  { max, windowMs }: Allowance,
  now: number,
): Promise<number> {
  const over = sql`${attempts.since} <= ${now - windowMs}`;
  const [rows] = await db.batch([
    db
      .insert(attempts)
      .values({ key, count: 1, since: now })
      .onConflictDoUpdate({
        target: attempts.key,
        set: {
          count: sql`CASE WHEN ${over} THEN 1 ELSE ${attempts.count} + 1 END`,
          since: sql`CASE WHEN ${over} THEN ${now} ELSE ${attempts.since} END`,
        },
      })
      .returning(),
    db.delete(attempts).where(lt(attempts.since, now - KEPT_MS)),
  ]);
  const row = rows[0];
  if (row === undefined || row.count <= max) return 0;
  return Math.max(1, row.since + windowMs - now);
}

/** What was counted under this key counts no more. */
export async function forgetAttempts(db: Db, key: string): Promise<void> {
  await db.delete(attempts).where(sql`${attempts.key} = ${key}`);
}
