import { describe, expect, test } from "vitest";
import {
  hoursWire,
  isTimezone,
  offsetsOver,
  readDays,
  readHours,
  readInstant,
  shown,
} from "../../src/core/time.ts";
import { ALL_DAYS, ALWAYS, WEEKDAYS } from "../../src/core/window.ts";

describe("H15 an instant", () => {
  const at = Date.UTC(2026, 2, 1, 3, 30);

  test.each([
    at,
    "2026-03-01T03:30:00Z",
    "2026-03-01T09:00:00+05:30",
    "2026-03-01T09:00+0530",
    "2026-02-28T22:30:00.000-05:00",
    " 2026-03-01T03:30Z ",
  ])("reads %j", (value) => {
    expect(readInstant(value, "startAfter")).toEqual({ ok: true, value: at });
  });

  test("lies between the years 2000 and 2099", () => {
    const first = Date.UTC(2000, 0, 1);
    const last = Date.UTC(2100, 0, 1) - 1;
    for (const at of [first, last]) {
      expect(readInstant(at, "endAfter")).toEqual({ ok: true, value: at });
    }
    const expected = "an instant between the years 2000 and 2099, in milliseconds";
    for (const at of [first - 1, last + 1]) {
      const issue = { path: "endAfter", expected, got: String(at) };
      expect(readInstant(at, "endAfter")).toEqual({ ok: false, issues: [issue] });
    }
  });

  test.each([
    "2026-03-01T09:00:00",
    "2026-03-01",
    "tomorrow",
    "",
    String(at),
    at + 0.5,
    Number.NaN,
    Math.round(at / 1000),
    at * 1000,
    -1,
    true,
    null,
    undefined,
    {},
    "2026-02-30T09:00:00Z",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
  ])("refuses %j and says where and what came", (value) => {
    const read = readInstant(value, "startAfter");
    expect(read).toMatchObject({ ok: false, issues: [{ path: "startAfter", got: shown(value) }] });
  });
});

describe("H15 calling hours", () => {
  test("read every HHMM number from 0 to 4800 with every kind of end", () => {
    for (let start = 0; start <= 4800; start++) {
      for (const end of [0, 1, 200, 1000, 1900, 2359, 2400, 2401, 3400, 4759]) {
        const read = readHours(start, end);
        const sound = start <= 4759 && start % 100 <= 59;
        const opens = Math.floor(start / 100) * 60 + (start % 100);
        const closes = Math.floor(end / 100) * 60 + (end % 100);
        const sameClock = opens % 1440 === closes % 1440;
        if (!sound || (sameClock && closes <= opens)) {
          expect(read.ok, `${start}-${end}`).toBe(false);
          continue;
        }
        const lengthMin = sameClock
          ? 1440
          : closes > opens
            ? closes - opens
            : (closes - opens + 2880) % 1440;
        const opensMin = opens % 1440;
        const expected = lengthMin >= 1440 ? ALWAYS : { opensMin, closesMin: opensMin + lengthMin };
        if (!read.ok || JSON.stringify(read.value) !== JSON.stringify(expected)) {
          expect({ start, end, read }).toEqual(expected);
        }
      }
    }
  });

  test("come back as they are written", () => {
    expect(hoursWire({ opensMin: 600, closesMin: 1140 })).toEqual({ start: 1000, end: 1900 });
    expect(hoursWire({ opensMin: 1320, closesMin: 1560 })).toEqual({ start: 2200, end: 200 });
    expect(hoursWire(ALWAYS)).toEqual({ start: 0, end: 2400 });
    for (let opensMin = 0; opensMin < 1440; opensMin += 7) {
      for (let lengthMin = 1; lengthMin < 1440; lengthMin += 11) {
        const hours = { opensMin, closesMin: opensMin + lengthMin };
        const { start, end } = hoursWire(hours);
        const read = readHours(start, end);
        if (
          !read.ok ||
          read.value?.closesMin !== hours.closesMin ||
          read.value.opensMin !== opensMin
        ) {
          expect({ start, end, read }).toEqual(hours);
        }
      }
    }
  });

  test("across midnight close on the next day, and hours past 24 mean the same", () => {
    const night = { ok: true, value: { opensMin: 1320, closesMin: 1560 } };
    expect(readHours(2200, 200)).toEqual(night);
    expect(readHours(2200, 2600)).toEqual(night);
  });

  test("of 24 hours or more are always open", () => {
    for (const [start, end] of [
      [0, 2400],
      [1000, 3400],
      [0, 4759],
      [100, 4759],
      [2200, 4759],
    ]) {
      expect(readHours(start, end)).toEqual({ ok: true, value: ALWAYS });
    }
  });

  test("are given together or not at all", () => {
    expect(readHours(undefined, undefined)).toEqual({ ok: true, value: null });
    expect(readHours(1000, undefined)).toMatchObject({
      ok: false,
      issues: [{ path: "end", got: "nothing" }],
    });
    expect(readHours(undefined, 1000)).toMatchObject({
      ok: false,
      issues: [{ path: "start", got: "nothing" }],
    });
  });

  test("with one clock time for both are refused", () => {
    for (const [start, end] of [
      [1000, 1000],
      [0, 0],
      [2400, 0],
      [3400, 1000],
      [4759, 4759],
    ]) {
      expect(readHours(start, end)).toMatchObject({ ok: false, issues: [{ path: "end" }] });
    }
  });

  test("of another kind are refused, each at its own path", () => {
    for (const wrong of ["1000", 10.5, -1, 960, 1060, 4760, 9900, true, [], Number.NaN]) {
      expect(readHours(wrong, wrong, { start: "a.start", end: "a.end" })).toMatchObject({
        ok: false,
        issues: [{ path: "a.start" }, { path: "a.end" }],
      });
    }
  });
});

describe("H15 days", () => {
  test("are a list of weekdays", () => {
    expect(readDays(["mon", "sun", "mon"], "days")).toEqual({ ok: true, value: 65 });
    expect(readDays([...WEEKDAYS], "days")).toEqual({ ok: true, value: ALL_DAYS });
  });

  test("name the entry that is none", () => {
    expect(readDays(["mon", "Tuesday", 3], "days")).toMatchObject({
      ok: false,
      issues: [
        { path: "days.1", got: '"Tuesday"' },
        { path: "days.2", got: "3" },
      ],
    });
    for (const wrong of [[], "mon", null, undefined, 127, {}]) {
      expect(readDays(wrong, "days")).toMatchObject({ ok: false, issues: [{ path: "days" }] });
    }
  });
});

describe("H12 a timezone", () => {
  test("is any name that the platform knows", () => {
    for (const name of Intl.supportedValuesOf("timeZone"))
      expect(isTimezone(name), name).toBe(true);
    for (const name of ["UTC", "Etc/GMT+5", "Asia/Calcutta", "US/Eastern"])
      expect(isTimezone(name)).toBe(true);
  });

  test.each([
    "",
    "+05:30",
    "-0800",
    "05:30",
    "Mars/Olympus",
    "Asia/Kolkata ",
    "Asia//Kolkata",
    "IST+5:30",
    "x".repeat(500),
  ])("is not %j", (text) => {
    expect(isTimezone(text)).toBe(false);
    expect(isTimezone(text)).toBe(false);
  });
});

describe("the offsets of a zone over a span", () => {
  const [january, december] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 1)];

  test("are one where its clocks are left alone, halves and quarters of an hour too", () => {
    for (const [zone, minutes] of [
      ["UTC", 0],
      ["Asia/Kolkata", 330],
      ["Asia/Kathmandu", 345],
      ["America/Phoenix", -420],
    ] as const) {
      expect(offsetsOver(zone, january, december)).toEqual([{ from: january, minutes }]);
    }
  });

  test("change when its clocks do, at either end of the span too", () => {
    const forward = Date.UTC(2026, 2, 29, 1);
    const back = Date.UTC(2026, 9, 25, 1);
    expect(offsetsOver("Europe/Berlin", january, december)).toEqual([
      { from: january, minutes: 60 },
      { from: forward, minutes: 120 },
      { from: back, minutes: 60 },
    ]);
    expect(offsetsOver("Europe/Berlin", forward, back)).toEqual([
      { from: forward, minutes: 120 },
      { from: back, minutes: 60 },
    ]);
    expect(offsetsOver("Europe/Berlin", forward - 1, back - 1)).toEqual([
      { from: forward - 1, minutes: 60 },
      { from: forward, minutes: 120 },
    ]);
    expect(offsetsOver("Europe/Berlin", january, january)).toEqual([
      { from: january, minutes: 60 },
    ]);
  });
});

describe("H38 what came", () => {
  test("is shown short and whatever it is", () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(shown(loop)).toBe("an object");
    // Whatever is in there may be a phone number or a secret.
    expect(shown([loop, "+919876540001"])).toBe("a list of 2");
    expect(shown([3, 2])).toBe("[3,2]");
    expect(shown([])).toBe("[]");
    expect(shown(1n)).toBe("bigint");
    expect(shown(() => 1)).toBe("function");
    expect(shown("x".repeat(500))).toBe(`"${"x".repeat(78)}…`);
    expect(shown("x".repeat(79))).toBe(`"${"x".repeat(78)}…`);
    expect(shown("x".repeat(78))).toBe(`"${"x".repeat(78)}"`);
    expect(shown(undefined)).toBe("nothing");
  });
});
