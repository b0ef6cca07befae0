import { describe, expect, it } from "vitest";
import { type Header, readHeader } from "../../src/core/csv.ts";
import { jsonWithout, partWithout, rejectsWithout } from "../../src/core/erasure.ts";
import type { BadRow, KeptRow } from "../../src/core/import.ts";

const PHONE = "+919876540001";
const read = readHeader(["phone", "name"]);
if (!read.ok) throw new Error("no header");
const HEADER: Header = read.value;

const without = (rows: KeptRow[], how = {}) => {
  const done = partWithout(JSON.stringify(rows), HEADER, how, PHONE);
  return done === null ? null : { rows: done.rows, body: JSON.parse(done.body) as KeptRow[] };
};

describe("a part of a file, of which a person is erased", () => {
  it("keeps the lines of his rows, rejected, and every other row as it is", () => {
    const others: KeptRow[] = [
      [3, ["+919876540002", "knows +919876540001"]],
      [5, ["not a number", "Ravi"]],
    ];
    const [first, second] = others as [KeptRow, KeptRow];
    expect(without([[2, [PHONE, "Asha"]], first, [4, ["+91 98765-40001", "A."]], second])).toEqual({
      rows: 2,
      body: [[2, [], "erased"], first, [4, [], "erased"], second],
    });
    expect(without(others)).toBe(null);
    expect(without([])).toBe(null);
  });

  it("knows his number as the import reads it", () => {
    expect(without([[2, ["9876540001", "Asha"]]], { defaultCountry: "IN" })?.rows).toBe(1);
    expect(without([[2, ["2025550123", "Al"]]], { defaultCountry: "US" })).toBe(null);
  });

  it("takes what cannot be read for his where any of its cells writes his number", () => {
    expect(without([[2, ["+91 98765 40001 ext. x", "Asha"]]])?.rows).toBe(1);
    expect(without([[2, ["", "0 98765 40001"]]])?.rows).toBe(1);
    expect(without([[2, [PHONE, "Asha", "one cell too many"], "unclosed_quote"]])?.rows).toBe(1);
    expect(without([[2, ["+919876540002", PHONE], "unclosed_quote"]])?.rows).toBe(1);
    expect(without([[2, ["+919876540002", "x"], "unclosed_quote"]])).toBe(null);
  });
});

describe("rejected rows, of which a person's are erased", () => {
  const row = (line: number, ...cells: string[]): BadRow => ({ line, cells, reason: "invalid" });

  it("lose his cells, and keep line and reason", () => {
    const rows = [row(2, "98765 40001x", "Asha"), row(3, "12", "Ravi"), row(4, "", PHONE)];
    expect(rejectsWithout(rows, PHONE)).toEqual({
      rows: [row(2), row(3, "12", "Ravi"), row(4)],
      emptied: 2,
    });
    expect(rejectsWithout([row(3, "12", "Ravi")], PHONE)).toBe(null);
    expect(rejectsWithout([], PHONE)).toBe(null);
  });
});

describe("a JSON text", () => {
  it("quotes the number no more, wherever a text of it did", () => {
    const text = {
      a: `call ${PHONE}`,
      b: [1, { c: "0 98765 40001", d: "+919876540002" }],
      e: null,
    };
    expect(JSON.parse(jsonWithout(JSON.stringify(text), PHONE) ?? "")).toEqual({
      a: "call +91••••••••01",
      b: [1, { c: "+91••••••••01", d: "+919876540002" }],
      e: null,
    });
  });

  it("is left alone where none did, numbers and names of fields too", () => {
    for (const value of [{}, [], "x", 919876540001, { "+919876540001": 1 }, ["+919876540002"]]) {
      expect(jsonWithout(JSON.stringify(value), PHONE)).toBe(null);
    }
  });
});
