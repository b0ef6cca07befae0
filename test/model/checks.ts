import { NO_NEWS } from "../../src/carriers/carrier.ts";
import { checkRows, checkWorld } from "../support/node/invariants.ts";
import { MINUTE } from "../support/node/world.ts";
import { campaignsMove, offered, tasksMove, truthOf } from "./moves.ts";
import type { Small } from "./small.ts";

/** The most that a look-up's gap and a lease can add up to, many times over. */
const CALM_MS = 4 * 24 * 60 * MINUTE;

/** What is wrong in this state, or null. */
export function wrong(small: Small): string | null {
  const [fault] = small.faults;
  if (fault !== undefined) return fault;
  try {
    checkRows(small);
  } catch (error) {
    return short(error);
  }
  small.judge.compare(small.rows(), small.now);
  return small.judge.broken[0] ?? leftWaiting(small) ?? asleep(small);
}

function short(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").slice(0, 40).join("\n");
}

/** H23: what is due is not left while a slot is free. */
function leftWaiting(small: Small): string | null {
  const at = small.committedAt;
  if (small.memory === null || at === null || !hasFreeSlot(small)) return null;
  for (const name of Object.keys(small.judge.facts.tasks)) {
    if (small.judge.barred(name, at) === null && !small.judge.limited(name, at)) {
      return `H23 ${name} is due, a slot is free, and it is not dialled`;
    }
  }
  return null;
}

function hasFreeSlot(small: Small): boolean {
  const [{ leases, troubles } = { leases: 0, troubles: 0 }] = small.sql.all<{
    leases: number;
    troubles: number;
  }>(
    `SELECT (SELECT COUNT(*) FROM call WHERE state IN ('placing', 'placed', 'unknown')) AS leases,
       (SELECT COUNT(*) FROM connection
         WHERE probe_at IS NOT NULL OR backoff_until IS NOT NULL) AS troubles`,
  );
  const out = small.lines.filter((line) => line.answer !== null).length;
  return leases < small.judge.facts.slots && troubles === 0 && out < 3;
}

/** The alarm comes no later than the first thing that time alone moves on. */
function asleep(small: Small): string | null {
  if (small.memory === null || small.alarmLost || small.committedAt === null) return null;
  const [row] = small.sql.all<{ at: number | null }>(
    `SELECT MIN(at) AS at FROM (
       SELECT MIN(check_at, expires_at) AS at FROM call WHERE state IN ('placing', 'placed', 'unknown')
       UNION ALL SELECT COALESCE(check_at, conclude_by) FROM call WHERE state = 'ended'
       UNION ALL SELECT ends_at FROM task WHERE ends_at IS NOT NULL
       UNION ALL SELECT probe_at FROM connection WHERE probe_at IS NOT NULL
       UNION ALL SELECT settings ->> 'endAfter' FROM campaign
         WHERE archived_at IS NULL AND completed_at IS NULL)`,
  );
  const events = [row?.at ?? null, hasFreeSlot(small) ? nextDue(small) : null];
  const next = Math.min(...events.map((at) => at ?? Number.POSITIVE_INFINITY));
  if (next === Number.POSITIVE_INFINITY) return null;
  const latest = Math.max(next, small.committedAt + 1);
  if (small.alarm !== null && small.alarm <= latest) return null;
  return `H35 something is due in ${next - small.now} ms, and the alarm is ${
    small.alarm === null ? "not set" : `set ${small.alarm - small.now} ms ahead`
  }`;
}

/** When the first task that waits for nothing but time can be dialled, or null. */
function nextDue(small: Small): number | null {
  const { judge } = small;
  let next: number | null = null;
  for (const [name, task] of Object.entries(judge.facts.tasks)) {
    const { hours, startsAt } = judge.campaign(task.campaign);
    const from = Math.max(task.due, startsAt ?? 0, small.now);
    for (const at of [from, ...(hours ?? []).map((span) => span.from)]) {
      if (at < from || at <= small.now || judge.barred(name, at) !== null) continue;
      if (!judge.limited(name, small.now)) next = Math.min(next ?? at, at);
    }
  }
  return next;
}

/**
 * Faults end: every answer comes, what is paused is resumed, each call ends and is reported. Then
 * everything ends by itself, and D1 says what the object says. What is wrong with that, or null.
 */
export async function endsWell(small: Small): Promise<string | null> {
  small.calm = true;
  small.strays = [];
  const until = small.now + CALM_MS;
  for (let round = 0; small.now < until; round++) {
    if (round === 0) await small.step(() => resume(small), null);
    const answered = await answerAll(small);
    if (isAllOver(small)) break;
    // An alarm that was lost is set again by whoever asks next (architecture, *Waking*).
    if (!answered && small.next === null) await small.step(() => tick(small), null);
    if (!answered && small.next === null) small.now += MINUTE;
    if (!answered) await small.step(() => small.pass(), null);
    const found = wrong(small);
    if (found !== null) return found;
  }
  if (!isAllOver(small)) return `H35 not everything ends: ${JSON.stringify(left(small))}`;
  await small.step(() => tick(small), null);
  try {
    await checkWorld(small);
  } catch (error) {
    return short(error);
  }
  return wrong(small);
}

function tick(small: Small): Promise<unknown> {
  return small.ask(() => small.dialer.tick());
}

async function resume(small: Small): Promise<void> {
  const names = Object.keys(small.judge.facts.tasks);
  for (const step of campaignsMove(small, ["resume"])) await step.run();
  for (const step of tasksMove(small, names, ["resume"])) await step.run();
  await small.scene.finish?.(small);
}

/** Whatever is awaited comes as it really is; every call ends. Whether anything was. */
async function answerAll(small: Small): Promise<boolean> {
  const step = async (run: () => unknown) => {
    await small.step(run, null);
    return true;
  };
  for (const batch of small.batches.splice(0)) {
    small.failures = 0;
    return step(() => batch.resolve(small.runBatch(batch.statements)));
  }
  for (const probe of small.probes.splice(0)) return step(() => probe.resolve());
  for (const look of small.looks.splice(0, 1)) {
    const line = small.lines.find((one) => one.call === look.call);
    if (line === undefined || line.truth === "asked" || line.truth === "never") {
      return step(() => look.resolve({ kind: "unknown" }));
    }
    small.due();
    return step(() => look.resolve(truthOf(small, line)));
  }
  for (const line of small.lines) {
    const answer = offered(small).find(
      (one) =>
        one.name === `${line.name} is accepted` || one.name === `${line.name} is accepted, late`,
    );
    if (line.answer !== null && answer !== undefined) return step(answer.run);
    if (line.truth === "live") {
      line.truth = "over";
      const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "connected" };
      const message = {
        name: "calm",
        news: { ...news, endedAt: small.now, answeredAt: small.now },
      };
      line.messages.push(message);
      return step(() => small.tell(line, message));
    }
    const untold = line.messages.find((one) => !line.heard.includes(one.name));
    if (untold !== undefined) return step(() => small.tell(line, untold));
  }
  return false;
}

function left(small: Small): unknown {
  const open = Object.entries(small.judge.facts.tasks).filter(
    ([, task]) =>
      (task.status === "waiting" || task.status === "out") &&
      !small.judge.isOver(task.campaign, small.now),
  );
  return open.map(([name, { status }]) => `${name} is ${status}`);
}

function isAllOver(small: Small): boolean {
  if (small.callRows().some((call) => call.state !== "concluded")) return false;
  return (left(small) as unknown[]).length === 0;
}
