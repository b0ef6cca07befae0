import type { Waiting } from "./campaign.ts";

/** What keeps a lane, or the head of one, from being dialled at `now`. Instants are epoch ms. */
export type Standing = {
  now: number;
  /** By hand: the campaign, or this task alone (H30, H31). */
  paused: boolean;
  /** The import that brought the task is still open (H11). */
  importOpen: boolean;
  /** The campaign's start; null while a batch waits for its first import (H11, H13). */
  startsAt: number | null;
  /** When the task itself is due; 0 for a batch's first attempt. */
  at: number;
  /** What `at` is: the start of a first attempt, the end of an interval, or a time asked for. */
  kind: "first" | "retry" | "callback";
  /** The next opening of its calling window, or null while that is open (H12). */
  opensAt: number | null;
  /** The agent's connection is suspended or backs off, with its trouble in words (H21, H22). */
  connection: { reason: string; until: number | null } | null;
  /** The connection's pace allows no dial until then, or until an answer comes; or null. */
  pace: { until: number | null } | null;
  /** The campaign's own limit, or its connection's, is reached (H27). */
  limitReached: boolean;
  /** All slots of the workspace are in use (H23). */
  slotsFull: boolean;
};

const REASON_OF_KIND = { first: "start", retry: "interval", callback: "callback" } as const;

/**
 * Why nothing is dialled, and until when (H41), or null when it is due and next. When several
 * things hold it, the one that a person or an event must lift comes before what time lifts, and
 * that before what other calls take:
 * paused, import, start, its own time, hours, connection, pace, limit, slots.
 */
export function explain(standing: Standing): Waiting | null {
  const { now } = standing;
  if (standing.paused) return { reason: "paused", until: null };
  if (standing.importOpen || standing.startsAt === null) return { reason: "import", until: null };
  if (standing.startsAt > now) return { reason: "start", until: standing.startsAt };
  if (standing.at > now) return { reason: REASON_OF_KIND[standing.kind], until: standing.at };
  if (standing.opensAt !== null) return { reason: "hours", until: standing.opensAt };
  if (standing.connection !== null) {
    const { reason, until } = standing.connection;
    return { reason: "connection", until, detail: reason };
  }
  if (standing.pace !== null) return { reason: "pace", until: standing.pace.until };
  if (standing.limitReached) return { reason: "limit", until: null };
  return standing.slotsFull ? { reason: "slots", until: null } : null;
}
