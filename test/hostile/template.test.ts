import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeholders, render, textOf } from "../../src/core/template.ts";
import { oddText, tried } from "./runs.ts";

const OPEN = "$" + "{";
/** Everything of which a placeholder is made, and names that an object has by itself. */
const sign = fc.constantFrom(
  "$",
  "{",
  "}",
  OPEN,
  "$$",
  " ",
  "name",
  "a",
  "__proto__",
  "constructor",
  "toString",
  "x y",
  "\n",
  "$&",
  "$1",
  "$`",
);
const text = fc
  .array(fc.oneof({ weight: 5, arbitrary: sign }, oddText), { maxLength: 14 })
  .map((all) => all.join(""));
const key = fc.oneof(sign, text);
const value = fc.oneof(
  text,
  fc.jsonValue(),
  fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, -0, 1n, true),
  fc.record({ [OPEN]: text, a: fc.array(text, { maxLength: 3 }) }),
);
const context = fc
  .array(fc.tuple(key, value), { maxLength: 5 })
  .map((entries) => Object.fromEntries(entries));

describe("H10 a template", () => {
  test("never shows the start of a placeholder, whatever the values are", () => {
    const property = fc.property(text, context, (template, values) => {
      expect(render(template, values)).not.toContain(OPEN);
    });
    fc.assert(property, tried(3000));
  });

  test("fills each placeholder once: what looks like one in a value is not filled again", () => {
    const property = fc.property(text, text, (a, b) => {
      const values = { a, b: `${OPEN}secret}${b}`, secret: "SECRET" };
      const template = `<${OPEN}a}|${OPEN} b }>`;
      expect(render(template, values)).not.toContain("SECRET");
      const emptied = { ...values, secret: "" };
      expect(render(template, values)).toBe(render(template, emptied));
    });
    fc.assert(property, tried(500));
  });

  test("leaves texts without placeholders alone, and puts plain values in their places", () => {
    const plain = fc
      .string({ unit: "grapheme" })
      .filter((one) => !one.includes("$") && !/[{}]/.test(one));
    const property = fc.property(plain, plain, plain, (left, inner, right) => {
      expect(render(left, { inner })).toBe(left);
      expect(render(`${left}${OPEN}inner}${right}`, { inner })).toBe(left + inner + right);
      expect(render(`${left}${OPEN}inner}${right}`, {})).toBe(left + right);
    });
    fc.assert(property, tried(300));
  });

  test("finds nothing in what every object inherits", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
      expect(render(`[${OPEN}${name}}]`, {})).toBe("[]");
    }
  });

  test("names each of its placeholders once, and all of them filled leave nothing open", () => {
    const property = fc.property(text, text, (template, filling) => {
      const names = placeholders(template);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toBe(name.trim());
      const filled = render(template, Object.fromEntries(names.map((name) => [name, filling])));
      expect(filled).not.toContain(OPEN);
    });
    fc.assert(property, tried(500));
  });

  test("makes a text of every value", () => {
    const property = fc.property(value, (one) => {
      expect(typeof textOf(one)).toBe("string");
    });
    fc.assert(property, tried(500));
  });
});
