import type { Waiting } from "./campaign.ts";

/**
 * When somebody who asked for a call gets it. `now`: it is dialled. `soon`: as soon as a line is
 * free. `at`: from an instant on, when calling hours open, say. `later`: nobody knows yet.
 */
export const COMINGS = ["now", "soon", "at", "later"] as const;
export type CallComes = { when: (typeof COMINGS)[number]; at: number | null };

/** When the call comes, by what keeps it (H41); `now` is epoch ms. */
export function callComes(waiting: Waiting | null, now: number): CallComes {
  if (waiting === null) return { when: "now", at: null };
  const { reason, until } = waiting;
  switch (reason) {
    case "slots":
    case "limit":
    case "pace":
      return { when: "soon", at: null };
    case "paused":
    case "connection":
    case "import":
      return { when: "later", at: null };
    case "start":
    case "hours":
    case "interval":
    case "callback":
      if (until === null) return { when: "later", at: null };
      return until <= now ? { when: "now", at: null } : { when: "at", at: until };
  }
}

/** The same for people: "now", "today at 14:00", "tomorrow at 10:00", "on Monday 1 December, at 10:00". */
export function comingText(comes: CallComes, now: number, timezone: string): string {
  switch (comes.when) {
    case "now":
      return "now";
    case "soon":
      return "as soon as a line is free";
    case "later":
      return "as soon as we can";
    case "at": {
      const at = comes.at ?? now;
      const time = part(at, timezone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      const day = dayText(at, now, timezone);
      return day.startsWith("on ") ? `${day}, at ${time}` : `${day} at ${time}`;
    }
  }
}

const DAY_MS = 86_400_000;

function dayText(at: number, now: number, timezone: string): string {
  const days = (localDay(at, timezone) - localDay(now, timezone)) / DAY_MS;
  if (days === 0) return "today";
  if (days === 1) return "tomorrow";
  return `on ${part(at, timezone, { weekday: "long", day: "numeric", month: "long" })}`;
}

/** Midnight of the local day, written as if it were UTC's. */
function localDay(at: number, timezone: string): number {
  const text = part(at, timezone, { year: "numeric", month: "2-digit", day: "2-digit" });
  const [day = 1, month = 1, year = 1970] = text.split("/").map(Number);
  return Date.UTC(year, month - 1, day);
}

function part(at: number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-GB", { ...options, timeZone }).format(at);
}
