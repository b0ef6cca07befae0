import { describe, expect, test } from "vitest";
import { placeholders, render, textOf } from "../../src/core/template.ts";

describe("H10 placeholders", () => {
  test("are the distinct trimmed names in order of appearance", () => {
    expect(
      placeholders("Hi ${ name }, ${due date} for ${name}: ${Betrag (€)} ${} ${ } ${a{b}}"),
    ).toEqual(["name", "due date", "Betrag (€)"]);
  });

  test("are filled with values of every kind", () => {
    const context = { name: "Ana", n: 3, yes: true, no: null, list: [1, "a"], deep: { a: 1 } };
    expect(render("${name} ${ n } ${yes} [${no}] ${list} ${deep}", context)).toBe(
      'Ana 3 true [] [1,"a"] {"a":1}',
    );
  });

  test("without a value render as empty text", () => {
    expect(render("[${name}][${}][${constructor}][${__proto__}]", {})).toBe("[][][][]");
  });

  test("inside values are not filled and do not leak", () => {
    expect(render("Hi ${a}!", { a: "${b} x", b: "secret" })).toBe("Hi  x!");
  });

  test("keep replacement patterns of a value as they are", () => {
    expect(render("${a}", { a: "$& $1 $$ $`" })).toBe("$& $1 $$ $`");
    expect(render("You owe $${a}.", { a: "50" })).toBe("You owe $50.");
  });

  test("never leave the start of a placeholder, however pieces meet", () => {
    const parts = ["$", "${", "{", "}", "a", "${a}", "${b}", " "];
    const values = ["", "$", "{a}", "${a}", "${", "}", "$${a}{", "{"];
    for (const one of parts) {
      for (const two of parts) {
        for (const three of parts) {
          for (const a of values) {
            const text = render(one + two + three, { a, b: "{" });
            if (text.includes("${")) expect({ template: one + two + three, a, text }).toBeNull();
          }
        }
      }
    }
  });

  test("of a long prompt render in linear time", () => {
    expect(render("${".repeat(200_000), {})).toBe("{".repeat(200_000));
    expect(render("${a}".repeat(200_000), { a: 1 })).toHaveLength(200_000);
  });
});

describe("H10 a value as text", () => {
  test("is what a person would say, and nothing for nothing", () => {
    expect([null, undefined, Number.NaN, () => 1, Symbol("x")].map(textOf)).toEqual([
      "",
      "",
      "",
      "",
      "",
    ]);
    expect([0, -1.5, false, 10n, ""].map(textOf)).toEqual(["0", "-1.5", "false", "10", ""]);
  });
});
