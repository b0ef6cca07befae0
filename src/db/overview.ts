import { and, desc, eq, gte, isNotNull, sql } from "drizzle-orm";
import type { WorkspaceId } from "../core/ids.ts";
import { isOf } from "./calls.ts";
import type { Db } from "./database.ts";
import { calls, tasks } from "./schema.ts";

/** First attempts whose wait is told of: the newest. */
const WAITS = 1_000;

export type CallGroup = {
  attempt: number;
  outcome: string;
  /** How many changes of the clock came before it. */
  changes: number;
  quarter: number;
  calls: number;
};
export type Overview = {
  /** Concluded calls by attempt, outcome, stretch between changes, and quarter of the day in UTC, 0 to 95. */
  groups: CallGroup[];
  /** Calls started in each minute; `minute` is epoch ms / 60,000. */
  minutes: { minute: number; calls: number }[];
  /** From a task's acceptance to its first call, ms; tasks with a wish of their own left out. */
  waits: number[];
};

/**
 * What a campaign's calls since an instant come to, told apart by `clockChanges`, epoch ms. One pass over them by the index of its campaign:
 * a hundred thousand take about a tenth of a second, and what other campaigns have is not read.
 */
export async function readOverview(
  db: Db,
  workspace: WorkspaceId,
  campaign: number,
  from: { since: number; minutesSince: number; clockChanges: number[] },
): Promise<Overview> {
  const mine = and(eq(calls.workspace, workspace), isOf(campaign));
  // Literals: a bound number is a REAL, and would not divide whole.
  const quarter = sql<number>`${calls.claimedAt} / 900000 % 96`.as("quarter");
  const before = from.clockChanges.map((at) => sql`(${calls.claimedAt} >= ${at})`);
  const changes = sql<number>`0 ${sql.join(before.map((one) => sql` + ${one}`))}`.as("changes");
  const minute = sql<number>`${calls.claimedAt} / 60000`.as("minute");
  const number = sql<number>`COUNT(*)`;
  const [groups, minutes, waits] = await db.batch([
    db
      .select({
        attempt: calls.attempt,
        outcome: sql<string>`${calls.outcome}`,
        changes,
        quarter,
        calls: number,
      })
      .from(calls)
      .where(and(mine, gte(calls.claimedAt, from.since), isNotNull(calls.outcome)))
      .groupBy(calls.attempt, calls.outcome, sql`changes`, sql`quarter`),
    db
      .select({ minute, calls: number })
      .from(calls)
      .where(and(mine, gte(calls.claimedAt, from.minutesSince)))
      .groupBy(sql`minute`)
      .orderBy(sql`minute`),
    db
      .select({ ms: sql<number>`${calls.claimedAt} - ${tasks.createdAt}` })
      .from(calls)
      .innerJoin(tasks, and(eq(tasks.workspace, workspace), eq(tasks.id, calls.task)))
      .where(and(mine, eq(calls.attempt, 1), sql`${tasks.settings} ->> 'startAfter' IS NULL`))
      .orderBy(desc(calls.id))
      .limit(WAITS),
  ]);
  return { groups, minutes, waits: waits.map(({ ms }) => ms) };
}
