import { type Overview, WAIT_STEPS_MS } from "../contract/overview.ts";
import { offsetsOver } from "../core/time.ts";
import { database } from "../db/database.ts";
import { readOverview } from "../db/overview.ts";
import { findCampaign, keyIn } from "./find.ts";
import type { Handler } from "./serve.ts";

const SINCE_MS = 30 * 24 * 3_600_000;
const MINUTE_MS = 60_000;
const MINUTES = 60;

export const read: Handler<"GET /v1/campaigns/{id}/overview"> = async (c, { params }) => {
  const { id, settings } = await findCampaign(c, params.id);
  const now = c.get("now");
  const minutesSince = (Math.floor(now / MINUTE_MS) - MINUTES + 1) * MINUTE_MS;
  const since = now - SINCE_MS;
  const offsets = offsetsOver(settings.timezone, since, now);
  const clockChanges = offsets.slice(1).map((offset) => offset.from);
  const from = { since, minutesSince, clockChanges };
  const found = await readOverview(database(c.env), c.get("workspace"), keyIn(c, "cmp", id), from);
  const wire: Overview = {
    since,
    attempts: sumBy(found.groups, ({ attempt }) => attempt).map(([attempt, outcomes]) => {
      return { attempt, outcomes };
    }),
    minutes: found.minutes.map(({ minute, calls }) => ({ at: minute * MINUTE_MS, calls })),
    hours: sumBy(found.groups, ({ quarter, changes }) =>
      localHour(quarter, offsets[changes]?.minutes ?? 0),
    ).map(([hour, outcomes]) => ({ hour, outcomes })),
    firstDial: settings.type === "realtime" ? waitsOf(found.waits) : null,
  };
  return c.json(wire);
};

type Group = { outcome: string; calls: number };

/** Calls by outcome for each value of a key, the smallest first. */
function sumBy<G extends Group>(
  groups: G[],
  key: (group: G) => number,
): [number, Record<string, number>][] {
  const sums = new Map<number, Record<string, number>>();
  for (const group of groups) {
    const of = sums.get(key(group)) ?? {};
    of[group.outcome] = (of[group.outcome] ?? 0) + group.calls;
    sums.set(key(group), of);
  }
  return [...sums].sort(([a], [b]) => a - b);
}

/** The hour that a clock shows in a quarter of the day in UTC, so many minutes east of it. */
function localHour(quarter: number, offsetMin: number): number {
  const minutes = quarter * 15 + offsetMin;
  return Math.floor((((minutes % 1440) + 1440) % 1440) / 60);
}

function waitsOf(waits: number[]): Overview["firstDial"] {
  if (waits.length === 0) return null;
  const sorted = [...waits].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const steps = WAIT_STEPS_MS.map((upToMs, index) => {
    const above = WAIT_STEPS_MS[index - 1] ?? Number.NEGATIVE_INFINITY;
    return { upToMs, calls: sorted.filter((ms) => ms > above && ms <= upToMs).length };
  });
  const last = WAIT_STEPS_MS.at(-1) ?? 0;
  const longer = { upToMs: null, calls: sorted.filter((ms) => ms > last).length };
  return { medianMs: at(0.5), p95Ms: at(0.95), steps: [...steps, longer] };
}
