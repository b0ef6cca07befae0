import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTooDeep, LEVELS_MAX } from "../../src/core/deep.ts";

const nested = (levels: number) => {
  const opening = Array.from({ length: levels }, (_, n) => (n % 2 === 0 ? "[" : '{"a":'));
  const closing = opening.map((one) => (one === "[" ? "]" : "}")).reverse();
  return `${opening.join("")}1${closing.join("")}`;
};

describe("a JSON text", () => {
  it("is too deep beyond a hundred levels, of lists and objects alike", () => {
    for (const levels of [0, 1, LEVELS_MAX - 1, LEVELS_MAX]) {
      expect(isTooDeep(nested(levels))).toBe(false);
    }
    expect(isTooDeep(nested(LEVELS_MAX + 1))).toBe(true);
    expect(isTooDeep("[".repeat(LEVELS_MAX + 1))).toBe(true);
    expect(isTooDeep('{"a":'.repeat(LEVELS_MAX + 1))).toBe(true);
  });

  it("is as deep as its deepest place, not as the sum of its places", () => {
    const side = nested(60);
    expect(isTooDeep(`[${Array.from({ length: 50 }, () => side).join(",")}]`)).toBe(false);
    expect(isTooDeep(`[${side},${nested(LEVELS_MAX)}]`)).toBe(true);
    expect(isTooDeep(`{"a":${side},"b":${"[]".repeat(200)}}`)).toBe(false);
    expect(isTooDeep("{},".repeat(200))).toBe(false);
  });

  it("may say what it wants in its texts", () => {
    const brackets = "[{".repeat(100);
    for (const text of [brackets, `\\"${brackets}`, `${brackets}\\\\`, `\\\\\\"${brackets}`]) {
      expect(isTooDeep(`["${text}", 1]`)).toBe(false);
      expect(isTooDeep(`["${text}", ${nested(LEVELS_MAX)}]`)).toBe(true);
    }
    expect(isTooDeep(`"${brackets}`)).toBe(false);
    expect(isTooDeep(`"\\`)).toBe(false);
  });

  it("is judged as a plain walk through its value would", () => {
    const depth = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depth))
        : 0;
    const wrapped = fc.tuple(fc.jsonValue(), fc.integer({ min: 90, max: 110 }));
    fc.assert(
      fc.property(wrapped, ([inner, levels]) => {
        let value: unknown = inner;
        for (let n = 0; n < levels; n++) value = n % 2 === 0 ? [value] : { [`"[${n}`]: value };
        expect(isTooDeep(JSON.stringify(value))).toBe(depth(value) > LEVELS_MAX);
      }),
    );
  });
});
