import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTimezone } from "../../src/core/time.ts";
import { daysOf, nextOpening, WEEKDAYS, windowAt } from "../../src/core/window.ts";
import { TIMES, tried } from "./runs.ts";
import { Clock, type Said, Wall } from "./wall.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const FROM = Date.UTC(2024, 0, 1);
const TO = Date.UTC(2031, 0, 1);
/** Around an instant: what is asked about, and what the reference must know beyond that. */
const ASKED = 2 * DAY;
const BEFORE = ASKED + 5 * DAY;
const AFTER = ASKED + 16 * DAY;
/** From here on every change of every clock is walked, and every minute of it is read. */
const WHOLE = TIMES >= 20;

const ZONES = Intl.supportedValuesOf("timeZone");

/** Hours from any minute of a day, to at most 47:59 of it: inside a day, across midnight, longer. */
const hours = fc.oneof(
  fc.tuple(fc.nat(1439), fc.integer({ min: 1, max: 1440 })),
  // Near the hours in which clocks are set.
  fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 90 })),
  fc.tuple(fc.integer({ min: 1380, max: 1439 }), fc.integer({ min: 1, max: 240 })),
  fc.tuple(fc.nat(1439), fc.integer({ min: 1435, max: 2879 })),
);
const said: fc.Arbitrary<Said> = fc
  .tuple(hours, fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }))
  .map(([[opens, length], some]) => {
    const days = some.includes(true) ? some : some.map(() => true);
    return { opens, closes: Math.min(opens + length, 2879), days };
  });

function windowOf({ opens, closes, days }: Said, timezone: string) {
  const names = WEEKDAYS.filter((_, index) => days[index]);
  return { hours: { opensMin: opens, closesMin: closes }, days: daysOf(names), timezone };
}

/** Where a window and the reference disagree within two days of an instant, or null. */
function disagreement(zone: string, wall: Wall, one: Said, instants: number[]): string | null {
  const open = wall.open(one);
  const window = windowOf(one, zone);
  const at = (minute: number) => wall.from + minute * MINUTE;
  const [first, last] = [(BEFORE - ASKED) / MINUTE, (BEFORE + ASKED) / MINUTE];
  const minutes = instants.map((instant) => Math.floor((instant - wall.from) / MINUTE));
  for (let n = first; n < last; n++) {
    if (open[n] !== open[n - 1]) minutes.push(n - 1, n);
  }
  let checked = 0;
  for (const minute of WHOLE ? minutes.concat(range(first, last, 7)) : minutes) {
    if (minute < first || minute >= last) continue;
    checked += 1;
    const isOpen = open[minute] === 1;
    let edge = minute + 1;
    while (edge < open.length && open[edge] === open[minute]) edge++;
    // Also in the last millisecond of the minute: edges lie on whole ones.
    for (const now of [at(minute), at(minute + 1) - 1]) {
      const got = windowAt(window, now);
      const beyond = edge === open.length;
      const right =
        got.open === isOpen &&
        (beyond ? (got.edge ?? at(edge)) >= at(edge) : got.edge === at(edge));
      if (!right) {
        const expected = { open: isOpen, edge: beyond ? "later" : new Date(at(edge)) };
        const shown = { open: got.open, edge: got.edge === null ? null : new Date(got.edge) };
        return JSON.stringify({ zone, one, now: new Date(now), expected, got: shown });
      }
      const opening = nextOpening(window, now);
      if (opening !== (got.open ? now : got.edge)) return `next opening at ${now} in ${zone}`;
    }
  }
  return checked > 0 ? null : "nothing was compared";
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => from + n * step);
}

/** Where to look: at one change of the clocks or anywhere; with `WHOLE` at all of them. */
function places(changes: number[], choice: number, minute: number): number[] {
  if (WHOLE) return [...changes, minute * MINUTE];
  const change = changes[choice % Math.max(1, changes.length)];
  return [choice % 5 === 0 || change === undefined ? minute * MINUTE : change];
}

describe("H12 calling hours agree with the clock on the wall, minute by minute", () => {
  const title = "in every zone of the tz database, around its changes of 2024 to 2030";
  test(title, { timeout: 3_600_000 }, () => {
    expect(ZONES.length).toBeGreaterThan(400);
    let changed = 0;
    for (const zone of ZONES) {
      expect(isTimezone(zone), zone).toBe(true);
      const clock = new Clock(zone);
      const changes = clock.changes(FROM, TO);
      changed += changes.length;
      const property = fc.property(
        fc.nat(1_000_000),
        fc.integer({ min: FROM / MINUTE, max: TO / MINUTE }),
        fc.array(said, { minLength: 2, maxLength: 2 }),
        fc.array(fc.integer({ min: -ASKED, max: ASKED - 1 }), { minLength: 8, maxLength: 8 }),
        (choice, minute, windows, offsets) => {
          for (const around of places(changes, choice, minute)) {
            const wall = new Wall(clock, around - BEFORE, around + AFTER, WHOLE);
            const instants = offsets.map((offset) => around + offset);
            for (const one of windows) {
              const fault = disagreement(zone, wall, one, instants);
              if (fault !== null) throw new Error(fault);
            }
          }
        },
      );
      fc.assert(property, WHOLE ? { ...tried(1), numRuns: 2 } : tried(2));
    }
    expect(changed).toBeGreaterThan(1000);
  });
});
