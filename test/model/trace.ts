import { createHash } from "node:crypto";
import type { Statement } from "../../src/dialer/outside.ts";
import { isDecided } from "./moves.ts";
import type { Small } from "./small.ts";

/*
 * Two states are one when everything that can decide what happens next is the same: the rows of
 * the object and of D1, what memory has, what is awaited, the carrier's truth and the judge's.
 * Instants count from now, ids by the order in which they appear; when something happened is left
 * out where only that it did matters. What memory alone has of errands in line is not seen.
 */

const OBJECT = [
  "SELECT hash, active, expires_at, pending IS NULL FROM suppressed",
  "SELECT id, backoff_ms, backoff_until, probe_ms, probe_at, losses FROM connection",
  `SELECT id, settings, paused, epoch, starts_at, started_at IS NULL, completed_at IS NULL,
     archived_at IS NULL, expired, swept, tasks, held, completed, archived FROM campaign ORDER BY id`,
  `SELECT id, context ->> 'who', attempts, last_outcome, lane, at, held, archiving, ends_at, ended
     FROM task ORDER BY id`,
  `SELECT id, task, attempt, state, carrier_call_id IS NULL, answered_at IS NULL, check_at, checks,
     conclude_by, outcome, reported, callback_at, assumed, verdict,
     CASE WHEN state <> 'concluded' THEN claimed_at || ' ' || expires_at END,
     CASE WHEN state = 'ended' OR assumed THEN ended_at END FROM call ORDER BY id`,
  "SELECT lane, at, task FROM waiting",
  `SELECT id, campaign, opens_min, closes_min, days, callback, priority, import, pause FROM lane
     ORDER BY id`,
  "SELECT * FROM import",
  "SELECT import, part FROM import_part",
  "SELECT * FROM dirty",
  "SELECT call, news FROM late ORDER BY id",
  "SELECT value FROM meta WHERE key = 'flushed_tasks'",
] as const;

const STORED = [
  `SELECT id, status, paused, epoch, counters, starts_at IS NULL, started_at IS NULL,
     completed_at IS NULL, archived_at IS NULL, version FROM campaigns ORDER BY id`,
  "SELECT id, ended, held, attempts, last_outcome, due_at, version FROM tasks ORDER BY id",
  `SELECT id, status, concluded, outcome, reported, answered_at IS NULL, version FROM calls
     ORDER BY id`,
  "SELECT phone, deleted_at IS NULL FROM suppressions ORDER BY phone",
] as const;

/** A state's name: equal for equal states. */
export function nameOf(small: Small): string {
  return createHash("sha1").update(textOf(small)).digest("base64");
}

export function textOf(small: Small): string {
  const byHand = small.scene.d1 === "by hand";
  const parts: unknown[] = OBJECT.map((query) => small.sql.all(query).map(valuesOf));
  parts.push(memoryOf(small), awaitedOf(small), factsOf(small));
  if (byHand) {
    parts.push(...STORED.map((query) => small.stored(query).map(valuesOf)));
    // Versions are ids: which of them is the newer one must stay seen.
    parts.push(small.batches.map(({ statements }) => bindsOf(statements)));
    parts.push(
      small.strays.map((statements) => [newerThan(small, statements), bindsOf(statements)]),
    );
  }
  if (small.scene.clock) parts.push(`clock ${small.now - Date.UTC(2027, 0, 1)}`);
  return canonical(JSON.stringify(parts), small.now);
}

const valuesOf = (row: unknown) => Object.values(row as Record<string, unknown>);

function bindsOf(statements: readonly Statement[]): unknown {
  return statements.map(({ query, bind }) => [query.length, bind]);
}

/** Rows of D1 that are older than a batch which may still be run. */
function newerThan(small: Small, statements: readonly Statement[]): unknown {
  const versions = statements.map(({ bind }) => Number(bind[1])).filter((one) => one > 0);
  const version = Math.max(0, ...versions);
  return ["campaigns", "tasks", "calls"].map((table) =>
    small.stored(`SELECT version < ? AS older FROM ${table} ORDER BY id`, version).map(valuesOf),
  );
}

/** What is not told, which dials are out, when the flush is due. */
function memoryOf(small: Small): unknown {
  const { memory } = small;
  if (memory === null) return null;
  const { changes, requests, unnamed } = memory.state;
  const mark = small.batches[0]?.mark ?? Number.POSITIVE_INFINITY;
  const untold = (["calls", "campaigns", "tasks"] as const).map((kind) =>
    [...changes[kind]].sort(([a], [b]) => a - b).map(([id, change]) => [id, change > mark]),
  );
  return [untold, [...requests], [...unnamed], memory.flush.dueAt];
}

function awaitedOf(small: Small): unknown {
  return [
    small.lines.map(({ name, key, truth, answer, end, messages, heard }) => {
      if (!isDecided(small, key)) return [name, key, truth, answer !== null, end, messages, heard];
      if (small.scene.again === false) return [key, answer !== null];
      return [key, truth, answer !== null, messages.map((one) => one.name), heard];
    }),
    small.looks.map((look) => small.lines.findIndex((line) => line.call === look.call)),
    small.probes.length,
    small.timers.map((timer) => timer.at).sort(),
    [small.alarm, small.believed, small.alarmLost, small.failures],
  ];
}

function factsOf(small: Small): unknown {
  const { calls, ...rest } = small.judge.facts;
  const told = Object.entries(calls).map(([key, call]) => {
    return isDecided(small, Number(key))
      ? [key, call.task, call.attempt, call.standing]
      : [key, call];
  });
  return [rest, told];
}

/** Instants from now, ids by their first appearance. */
function canonical(text: string, now: number): string {
  const ids = new Map<string, string>();
  return text.replace(/\b(?:7\d{9}|1[78]\d{11})\b/g, (number) => {
    if (number.length === 13) return `@${Number(number) - now}`;
    const known = ids.get(number);
    if (known !== undefined) return known;
    const name = `#${ids.size}`;
    ids.set(number, name);
    return name;
  });
}
