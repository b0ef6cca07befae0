import { describe, expect, test } from "vitest";
import {
  ALL_DAYS,
  ALWAYS,
  dayNames,
  daysOf,
  nextOpening,
  WEEKDAYS,
  type Window,
  windowAt,
} from "../../src/core/window.ts";

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const DAY = 24 * 60 * MINUTE;

/**
 * A slow second opinion that knows only what a clock on the wall shows, minute by minute. A local
 * time is the first minute at which the wall shows it or, when the clock jumps over it, more.
 */
class Wall {
  readonly from: number;
  readonly #shown: number[] = [];

  constructor(timezone: string, from: number, to: number) {
    this.from = from;
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
    for (let at = from; at < to; at += MINUTE) {
      const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = format
        .format(at)
        .split(/\D+/)
        .map(Number);
      this.#shown.push(Date.UTC(year, month - 1, day, hour, minute) / MINUTE);
    }
  }

  /** Whether the window is open, for every minute. */
  openMinutes({ hours, days }: Window): boolean[] {
    const open = new Array<boolean>(this.#shown.length).fill(false);
    const firstDay = Math.floor(Math.min(...this.#shown) / 1440) - 3;
    const lastDay = Math.floor(Math.max(...this.#shown) / 1440);
    for (let day = firstDay; day <= lastDay; day++) {
      const weekday = (new Date(day * DAY).getUTCDay() + 6) % 7;
      if ((days & (1 << weekday)) === 0) continue;
      const opens = this.#first(day * 1440 + hours.opensMin);
      const closes = this.#first(day * 1440 + hours.closesMin);
      open.fill(true, opens, closes);
    }
    return open;
  }

  #first(local: number): number {
    const index = this.#shown.findIndex((minute) => minute >= local);
    return index === -1 ? this.#shown.length : index;
  }
}

const HOURS = [
  [600, 1140],
  [600, 840], // opens and closes as far from midnight
  [1320, 1560], // across midnight, into the hour that is skipped or repeated
  [120, 150],
  [135, 165],
  [150, 187],
  [105, 120],
  [180, 195],
  [180, 1560], // closes at the repeated hour, opens after the skipped one
  [0, 60],
  [0, 1440],
  [1425, 1440],
  [1439, 2878],
].map(([opensMin = 0, closesMin = 0]) => ({ opensMin, closesMin }));

const DAYS = [ALL_DAYS, daysOf(["sun"]), daysOf(["sat", "mon"]), daysOf(["mon", "tue", "fri"])];

const CHANGES = [
  ["Europe/Berlin", "2026-03-29"],
  ["Europe/Berlin", "2026-10-25"],
  ["America/New_York", "2026-03-08"],
  ["America/New_York", "2026-11-01"],
  ["Australia/Sydney", "2026-04-05"],
  ["Australia/Sydney", "2026-10-04"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Australia/Lord_Howe", "2026-10-04"],
  ["America/Sao_Paulo", "2018-11-04"], // the day starts at 01:00
  ["America/Sao_Paulo", "2018-02-18"], // midnight comes twice
  ["America/St_Johns", "2010-11-07"], // at 00:01 back into the day before
  ["Pacific/Apia", "2011-12-30"], // a Friday that never was
  ["Asia/Kolkata", "2026-03-29"], // no change at all
] as const;

describe("H12 a calling window on the days when the clock changes", () => {
  test.each(CHANGES)(
    "%s around %s agrees with the wall clock at every quarter hour",
    (timezone, date) => {
      const noon = Date.parse(`${date}T12:00:00Z`);
      const wall = new Wall(timezone, noon - 6 * DAY, noon + 18 * DAY);
      for (const hours of HOURS) {
        for (const days of DAYS) {
          const window: Window = { hours, days, timezone };
          const open = wall.openMinutes(window);
          for (let at = noon - 2 * DAY; at < noon + 2 * DAY; at += QUARTER) {
            const index = (at - wall.from) / MINUTE;
            const now = open[index];
            const flips = open.indexOf(!now, index);
            const edge = flips === -1 ? null : wall.from + flips * MINUTE;
            const said = windowAt(window, at);
            if (said.open !== now || said.edge !== edge) {
              expect({ window, at: new Date(at).toISOString(), ...said }).toEqual({
                open: now,
                edge,
              });
            }
          }
        }
      }
    },
  );
});

const berlin = (opensMin: number, closesMin: number, days = ALL_DAYS): Window => ({
  hours: { opensMin, closesMin },
  days,
  timezone: "Europe/Berlin",
});
const iso = (text: string): number => Date.parse(text);

describe("H12 a calling window", () => {
  test("is open at the instant it opens and closed at the instant it closes", () => {
    const window = berlin(600, 1140);
    const opens = iso("2026-06-01T10:00+02:00");
    const closes = iso("2026-06-01T19:00+02:00");
    expect(windowAt(window, opens - 1)).toEqual({ open: false, edge: opens });
    expect(windowAt(window, opens)).toEqual({ open: true, edge: closes });
    expect(windowAt(window, closes - 1)).toEqual({ open: true, edge: closes });
    expect(windowAt(window, closes)).toEqual({ open: false, edge: opens + DAY });
  });

  test("across midnight belongs to the day on which it opens", () => {
    const fridays = berlin(1320, 1560, daysOf(["fri"]));
    expect(windowAt(fridays, iso("2026-06-05T01:00+02:00")).open).toBe(false);
    expect(windowAt(fridays, iso("2026-06-05T23:00+02:00")).open).toBe(true);
    expect(windowAt(fridays, iso("2026-06-06T01:59+02:00")).open).toBe(true);
    expect(windowAt(fridays, iso("2026-06-06T22:30+02:00"))).toEqual({
      open: false,
      edge: iso("2026-06-12T22:00+02:00"),
    });
  });

  test("opens at the next instant that exists when the clock jumps over its opening", () => {
    const jump = iso("2026-03-29T03:00+02:00");
    expect(windowAt(berlin(150, 240), jump - 1)).toEqual({ open: false, edge: jump });
    expect(windowAt(berlin(150, 240), jump).open).toBe(true);
  });

  test("opens at the first of two instants that show its opening, and only then", () => {
    const window = berlin(150, 165);
    expect(windowAt(window, iso("2026-10-25T02:30+02:00")).open).toBe(true);
    expect(windowAt(window, iso("2026-10-25T02:30+01:00")).open).toBe(false);
  });

  test("whose hours the clock jumps over does not open that day", () => {
    expect(windowAt(berlin(135, 165), iso("2026-03-28T12:00+01:00"))).toEqual({
      open: false,
      edge: iso("2026-03-30T02:15+02:00"),
    });
  });

  test("of a full day on following weekdays stays open until the last of them ends", () => {
    const weekdays = { ...berlin(0, 1440, daysOf(["mon", "tue", "wed", "thu", "fri"])) };
    expect(windowAt(weekdays, iso("2026-06-01T00:00+02:00"))).toEqual({
      open: true,
      edge: iso("2026-06-06T00:00+02:00"),
    });
  });

  test("without days never opens", () => {
    expect(windowAt(berlin(600, 1140, 0), 0)).toEqual({ open: false, edge: null });
    expect(nextOpening(berlin(600, 1140, 0), 0)).toBeNull();
  });

  test("opens next at the instant itself while it is open", () => {
    const at = iso("2026-06-01T11:11+02:00");
    expect(nextOpening(berlin(600, 1140), at)).toBe(at);
    expect(nextOpening(berlin(720, 1140), at)).toBe(iso("2026-06-01T12:00+02:00"));
  });

  test("says the same whatever was asked before, years back and ahead", () => {
    const noons = Array.from({ length: 200 }, (_, n) => iso("2020-06-01T10:00Z") + n * 17 * DAY);
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit" });
    for (const at of [
      ...noons,
      ...noons.toReversed(),
      ...noons.map((_, n) => noons[(n * 67) % 200] ?? 0),
    ]) {
      const hour = Number(clock.format(at));
      const edge = at + (19 - hour) * 60 * MINUTE;
      expect(windowAt(berlin(600, 1140), at)).toEqual({ open: true, edge });
    }
  });

  test("opens behind the next change of the clock, however long ago the zone was looked up", () => {
    const thursdays = berlin(600, 1140, daysOf(["thu"]));
    windowAt(thursdays, iso("2026-02-20T12:00Z"));
    expect(windowAt(thursdays, iso("2027-03-26T12:00Z"))).toEqual({
      open: false,
      edge: iso("2027-04-01T10:00+02:00"),
    });
  });

  test("keeps working in every zone that the platform knows", () => {
    const at = iso("2026-06-01T12:00Z");
    for (const timezone of Intl.supportedValuesOf("timeZone")) {
      const { open, edge } = windowAt(
        { hours: { opensMin: 600, closesMin: 1140 }, days: 127, timezone },
        at,
      );
      expect(edge, timezone).toBeGreaterThan(at);
      expect(
        windowAt({ hours: { opensMin: 600, closesMin: 1140 }, days: 127, timezone }, edge ?? 0)
          .open,
      ).toBe(!open);
    }
  });
});

describe("H15 a window of 24 hours or more", () => {
  test("is always open", () => {
    for (const hours of [
      ALWAYS,
      { opensMin: 600, closesMin: 2040 },
      { opensMin: 0, closesMin: 2879 },
    ]) {
      expect(windowAt({ hours, days: ALL_DAYS, timezone: "Asia/Kolkata" }, 0)).toEqual({
        open: true,
        edge: null,
      });
    }
  });

  test("is open for the whole of its days and no other", () => {
    const mondays = berlin(600, 2040, daysOf(["mon"]));
    expect(windowAt(mondays, iso("2026-06-01T09:00+02:00"))).toEqual({
      open: true,
      edge: iso("2026-06-02T00:00+02:00"),
    });
    expect(windowAt(mondays, iso("2026-06-02T09:00+02:00")).open).toBe(false);
  });
});

describe("H15 weekdays", () => {
  test("turn into a bit set and back, for all 128 sets", () => {
    for (let days = 0; days <= ALL_DAYS; days++) expect(daysOf(dayNames(days))).toBe(days);
    expect(dayNames(ALL_DAYS)).toEqual([...WEEKDAYS]);
    expect(daysOf(["mon"])).toBe(1);
    expect(daysOf(["sun"])).toBe(64);
  });
});
