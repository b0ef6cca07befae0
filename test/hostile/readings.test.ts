import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ID_KINDS,
  localKey,
  makeId,
  parseId,
  parseWorkspaceId,
  type WorkspaceId,
} from "../../src/core/ids.ts";
import { maskPhone, type PhoneReading, readPhone, withoutNumbers } from "../../src/core/phone.ts";
import {
  hoursWire,
  isTimezone,
  readDays,
  readHours,
  readInstant,
  shown,
} from "../../src/core/time.ts";
import { ALWAYS, WEEKDAYS } from "../../src/core/window.ts";
import { oddText, tried } from "./runs.ts";

const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true }),
  fc.jsonValue(),
  oddText,
);

describe("H7 H8 a number", () => {
  const signs = fc
    .array(
      fc.constantFrom(
        ..."0123456789+-. ()'\u00a0\u200b\uff0b\uff11\u0661\u06f1eE,\t",
        "00",
        "+91",
        "+1",
        "\u2212",
      ),
      { maxLength: 24 },
    )
    .map((all) => all.join(""));
  const digits = fc
    .tuple(
      fc.constantFrom("+", "00", "", "+91", "+1", "+49", "+39", "+883", "+7", "0"),
      fc.stringMatching(/^[0-9]{4,12}$/),
    )
    .map(([start, rest]) => start + rest);
  const text = fc.oneof(signs, digits, oddText, fc.string({ unit: "binary", maxLength: 100 }));
  const how: fc.Arbitrary<PhoneReading> = fc.oneof(
    fc.constant({}),
    fc.constant({ numbers: "international-without-plus" as const }),
    fc
      .constantFrom("IN", "US", "DE", "IT", "AR", "CI", "001", "XX", "__proto__", "")
      .map((defaultCountry) => ({ defaultCountry })),
  );

  test("is E.164 or a reason, and what was accepted reads as itself again", () => {
    let taken = 0;
    const property = fc.property(text, how, (written, reading) => {
      const read = readPhone(written, reading);
      if (!read.ok) return;
      taken += 1;
      expect(read.phone).toMatch(/^\+[1-9]\d{1,14}$/);
      expect(readPhone(read.phone)).toEqual(read);
      expect(readPhone(read.phone, reading)).toEqual(read);
    });
    fc.assert(property, tried(3000));
    expect(taken).toBeGreaterThan(100);
  });

  test("with two trunk prefixes is none: read again it would be another number", () => {
    expect(readPhone("+91 0 98765 40001")).toEqual({ ok: true, phone: "+919876540001" });
    expect(readPhone("+91 00 98765 4000")).toEqual({ ok: false, reason: "invalid" });
    expect(readPhone("000000000000", { defaultCountry: "IN" }).ok).toBe(false);
  });

  test("is never guessed without a country code (H8)", () => {
    const local = fc.stringMatching(/^[1-9]\d{0,14}$/);
    const property = fc.property(local, (written) => {
      expect(readPhone(written)).toEqual({ ok: false, reason: "no_country_code" });
    });
    fc.assert(property, tried(200));
  });

  test("is masked but for its country and last two digits, alone and in a text", () => {
    const property = fc.property(digits, oddText, (written, around) => {
      const read = readPhone(written);
      if (!read.ok) return;
      const hidden = read.phone.slice(4, -2);
      expect(maskPhone(read.phone)).toHaveLength(read.phone.length);
      if (hidden.length < 4) return;
      expect(maskPhone(read.phone)).not.toContain(hidden);
      expect(withoutNumbers(`${around} ${read.phone} ${around}`)).not.toContain(read.phone);
    });
    fc.assert(property, tried(1000));
  });
});

describe("H15 an instant", () => {
  const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) - 1 });

  test("as ISO 8601 with any offset is the same as in milliseconds", () => {
    const property = fc.property(
      instant,
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (at, offset) => {
        const local = new Date(at + offset * 60_000).toISOString().slice(0, -1);
        const [sign, size] = [offset < 0 ? "-" : "+", Math.abs(offset)];
        const two = (n: number) => String(n).padStart(2, "0");
        const ends = [`${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`];
        ends.push(ends[0]?.replace(":", "") ?? "");
        if (offset === 0) ends.push("Z", "z");
        for (const end of ends) {
          expect(readInstant(local + end, "at")).toEqual({ ok: true, value: at });
        }
        expect(readInstant(at, "at")).toEqual({ ok: true, value: at });
        // Without an offset nobody knows when it is.
        expect(readInstant(local, "at").ok).toBe(false);
      },
    );
    fc.assert(property, tried(500));
  });

  test("is a whole number of this century, or an issue with its path, whatever came", () => {
    const property = fc.property(anything, (value) => {
      const read = readInstant(value, "startAfter");
      if (!read.ok) {
        expect(read.issues).toHaveLength(1);
        expect(read.issues[0]).toMatchObject({ path: "startAfter" });
        return;
      }
      expect(Number.isInteger(read.value)).toBe(true);
      expect(read.value).toBeGreaterThanOrEqual(Date.UTC(2000, 0, 1));
      expect(read.value).toBeLessThan(Date.UTC(2100, 0, 1));
    });
    fc.assert(property, tried(1000));
  });
});

describe("H15 calling hours", () => {
  test("are read from every pair of HHMM numbers as the handbook says, and written back", () => {
    const number = fc.oneof(
      fc.tuple(fc.nat(47), fc.nat(59)).map(([hour, minute]) => hour * 100 + minute),
      fc.integer({ min: -100, max: 5000 }),
      fc.constantFrom(0, 2359, 2400, 2401, 4759, 4760, 1060, 1.5, Number.NaN, 1e300),
    );
    const isHour = (n: number) => Number.isInteger(n) && n >= 0 && n <= 4759 && n % 100 < 60;
    const property = fc.property(number, number, (start, end) => {
      const read = readHours(start, end);
      if (!isHour(start) || !isHour(end)) {
        const paths = read.ok ? [] : read.issues.map((issue) => issue.path);
        expect(paths).toEqual([
          ...(isHour(start) ? [] : ["start"]),
          ...(isHour(end) ? [] : ["end"]),
        ]);
        return;
      }
      const [opens, closes] = [start, end].map((n) => Math.floor(n / 100) * 60 + (n % 100)) as [
        number,
        number,
      ];
      if (closes - opens >= 1440) {
        expect(read).toEqual({ ok: true, value: ALWAYS });
      } else if ((closes - opens) % 1440 === 0) {
        expect(read.ok).toBe(false);
      } else {
        const opensMin = opens % 1440;
        // The clock shows the closing time next after the opening one.
        let closesMin = opensMin + 1;
        while (closesMin % 1440 !== closes % 1440) closesMin += 1;
        expect(read).toEqual({ ok: true, value: { opensMin, closesMin } });
      }
      if (!read.ok || read.value === null) return;
      const wire = hoursWire(read.value);
      expect(readHours(wire.start, wire.end)).toEqual(read);
    });
    fc.assert(property, tried(2000));
  });

  test("and weekdays and zones are good or an issue, whatever came", () => {
    const value = fc.oneof(
      anything,
      fc.array(fc.oneof(fc.constantFrom<string>(...WEEKDAYS), anything)),
    );
    const property = fc.property(value, value, (one, other) => {
      const hours = readHours(one, other);
      if (!hours.ok) expect(hours.issues.length).toBeGreaterThan(0);
      const days = readDays(one, "days");
      if (!days.ok) expect(days.issues.every((issue) => issue.path.startsWith("days"))).toBe(true);
      else expect(days.value > 0 && days.value < 128).toBe(true);
      expect(shown(one).length).toBeLessThanOrEqual(80);
      if (typeof one === "string") isTimezone(one);
    });
    fc.assert(property, tried(1000));
  });
});

describe("H37 an id", () => {
  const part = fc.stringMatching(/^[a-z0-9]{6,16}$/);
  const workspace = part.map((text) => `ws_${text}` as WorkspaceId);

  test("names its kind, workspace and place, and nothing else is taken for it", () => {
    const local = fc.oneof(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.stringMatching(/^[a-z0-9]{1,16}$/),
    );
    const property = fc.property(
      workspace,
      workspace,
      local,
      fc.constantFrom(...ID_KINDS),
      (own, other, one, kind) => {
        const id = makeId(kind, own, one);
        const text = typeof one === "number" ? one.toString(36) : one;
        expect(parseWorkspaceId(own)).toBe(own);
        expect(parseId(kind, id)).toEqual({ id, workspace: own, local: text });
        for (const wrong of ID_KINDS) if (wrong !== kind) expect(parseId(wrong, id)).toBeNull();
        expect(parseWorkspaceId(id)).toBeNull();
        if (kind !== "tsk" && kind !== "cmp" && kind !== "cal") return;
        if (typeof one === "number") expect(localKey(kind, own, id)).toBe(one);
        if (own !== other) expect(localKey(kind, other, id)).toBeNull();
      },
    );
    fc.assert(property, tried(1000));
  });

  test("of one text is of one kind at the most, and one key has one text", () => {
    const almost = fc.oneof(
      fc.stringMatching(
        /^(tsk|cmp|cal|imp|agt|num|con|key|sup|ws|TSK)_[a-zA-Z0-9_]{0,18}_?[a-z0-9.-]{0,18}\n?$/,
      ),
      oddText,
      fc.string({ unit: "binary" }),
    );
    const property = fc.property(almost, (text) => {
      const kinds = ID_KINDS.filter((kind) => parseId(kind, text) !== null);
      expect(kinds.length + (parseWorkspaceId(text) === null ? 0 : 1)).toBeLessThanOrEqual(1);
      for (const kind of ["tsk", "cmp", "cal"] as const) {
        const parsed = parseId(kind, text);
        const key = parsed === null ? null : localKey(kind, parsed.workspace, text);
        if (parsed !== null && key !== null) expect(makeId(kind, parsed.workspace, key)).toBe(text);
      }
    });
    fc.assert(property, tried(2000));
  });
});
