import { describe, expect, test } from "vitest";
import { readHeader } from "../../src/core/csv.ts";
import {
  countReasons,
  countRejected,
  type KeptRow,
  keptRow,
  type Part,
  PartCutter,
  REVIVABLE_MS,
  refusesImport,
  rowsOfPart,
  sortRows,
} from "../../src/core/import.ts";

function cut(keys: string[], rows: KeptRow[]): Part[] {
  const cutter = new PartCutter(keys);
  const parts = rows.map(([line, cells]) => cutter.add({ line, cells }));
  return [...parts, cutter.end()].filter((part) => part !== null);
}

function headerOf(cells: string[]) {
  const read = readHeader(cells);
  if (!read.ok) throw new Error("bad header");
  return read.value;
}

/** What one part costs the Dialer at most: its rows as JSON in which each context is JSON. */
function costOf(cells: string[], part: Part): number {
  const { good } = sortRows(headerOf(cells), rowsOfPart(part.body), {});
  const rows = good.map((row) => [
    2 ** 40,
    "imp_k3v9q2m8xa_0mi1b2c3dq4r5s6t",
    row.phone,
    "x".repeat(22),
    JSON.stringify(row.context),
    null,
    2 ** 40,
    0,
    2 ** 31,
    null,
    2 ** 41,
    null,
  ]);
  return Buffer.byteLength(JSON.stringify(rows));
}

describe("H35 the parts of a file", () => {
  const phone = "+919876540001";

  test("hold all its rows, in order", () => {
    const rows = Array.from({ length: 12_345 }, (_, n): KeptRow => [n + 2, [phone, `${n}`]]);
    const parts = cut(["n"], rows);
    expect(parts.flatMap((part) => rowsOfPart(part.body))).toEqual(rows);
    expect(parts.map((part) => part.rows)).toEqual([2500, 2500, 2500, 2500, 2345]);
    expect(cut(["n"], [])).toEqual([]);
  });

  test.each([
    ["short", "a"],
    ["long", "a".repeat(12_000)],
    ["of quotes", '"'.repeat(5_000)],
    ["of backslashes", "\\".repeat(5_000)],
    ["of control signs", "\u0001".repeat(2_600)],
    ["of line ends", "\r\n".repeat(2_000)],
    ["of letters that take three bytes", "名".repeat(5_000)],
    ["of letters that take three bytes, as long as a row may be", "名".repeat(65_000)],
    ["of pictures", "🙂".repeat(4_000)],
  ])("with values %s are each small enough for D1 and for the Dialer", (_, value) => {
    const count = value.length === 1 ? 3_000 : value.length > 50_000 ? 30 : 300;
    const rows = Array.from({ length: count }, (_, n): KeptRow => [n + 2, [phone, value]]);
    const parts = cut(["value"], rows);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(count);
    for (const part of parts) {
      expect(Buffer.byteLength(part.body)).toBeLessThan(1_000_000);
      expect(costOf(["phone", "value"], part)).toBeLessThan(2_000_000);
    }
  });

  test("are no smaller than they need be", () => {
    const rows = Array.from(
      { length: 300 },
      (_, n): KeptRow => [n + 2, [phone, "a".repeat(12_000)]],
    );
    expect(cut(["value"], rows)).toHaveLength(5);
  });

  test.each([
    ["long", 180, 70],
    ["short", 200, 0],
  ])("count the %s names that each context repeats", (_, count, length) => {
    const keys = Array.from({ length: count }, (_, n) => `${"k".repeat(length)}${n}`);
    const cells = [phone, ...keys.map(() => "")];
    const rows = Array.from({ length: 2_500 }, (_, n): KeptRow => [n + 2, cells]);
    for (const part of cut(keys, rows)) {
      expect(costOf(["phone", ...keys], part)).toBeLessThan(2_000_000);
    }
  });

  test("keep of a row that is far too long only its beginnings, and why", () => {
    const cells = [phone, "x".repeat(10_000_000), ...Array<string>(9_000).fill("y")];
    const [line, kept, reason] = keptRow({ line: 7, cells });
    expect({ line, reason }).toEqual({ line: 7, reason: "context_too_large" });
    expect(kept[0]).toBe(phone);
    expect(JSON.stringify(kept).length).toBeLessThan(25_000);
  });

  test("keep a row of 65,536 signs whole, counting what stands between its cells", () => {
    const whole = [phone, "x".repeat(65_536 - 3 - phone.length - 3)];
    expect(keptRow({ line: 7, cells: whole })).toEqual([7, whole]);
    const [, , reason] = keptRow({ line: 7, cells: [phone, `${whole[1]}x`] });
    expect(reason).toBe("context_too_large");
    const narrow = Array<string>(10_000).fill("abcd");
    expect(keptRow({ line: 7, cells: narrow })[2]).toBe("context_too_large");
  });

  test("keep what was wrong with a row before it was read (H7)", () => {
    const cells = [phone, '"Asha'];
    expect(keptRow({ line: 7, cells, fault: "unclosed_quote" })).toEqual([
      7,
      cells,
      "unclosed_quote",
    ]);
  });
});

describe("H7 the rows of a part", () => {
  const phone = "+919876540001";

  test("are tasks or rejected, each with its line, in order", () => {
    const rows: KeptRow[] = [
      [2, [phone, "Asha"]],
      [3, ["12", "Ravi"]],
      [5, [phone, '"Mira'], "unclosed_quote"],
      [6, ["919876540002", "Uma"]],
    ];
    const header = headerOf(["phone", "name"]);
    expect(sortRows(header, rows, { numbers: "international-without-plus" })).toEqual({
      good: [
        { line: 2, phone, context: { name: "Asha" } },
        { line: 6, phone: "+919876540002", context: { name: "Uma" } },
      ],
      bad: [
        { line: 3, reason: "too_short", cells: ["12", "Ravi"] },
        { line: 5, reason: "unclosed_quote", cells: [phone, '"Mira'] },
      ],
    });
    expect(sortRows(header, [], {})).toEqual({ good: [], bad: [] });
  });

  test("are counted by reason, on top of those before", () => {
    const rows = (["letters", "duplicate", "letters"] as const).map((reason) => ({ reason }));
    const before = { letters: 2, missing: 1 };
    const counts = countReasons(rows, before);
    expect(counts).toEqual({ letters: 4, missing: 1, duplicate: 1 });
    expect(before).toEqual({ letters: 2, missing: 1 });
    expect(countRejected(counts)).toBe(6);
    expect(countRejected({})).toBe(0);
  });
});

describe("H28 a campaign takes an import", () => {
  const now = 1_764_576_000_000;
  const batch = { type: "batch" as const, endAfter: null, completedAt: null, archivedAt: null };
  const archived = "The campaign is archived: it takes no more rows.";
  const old = "The campaign was completed too long ago: make another one.";

  test.each([
    ["live", {}, null],
    [
      "realtime (H1)",
      { type: "realtime" as const },
      "A realtime campaign takes pushes, not imports.",
    ],
    ["archived", { archivedAt: now - 1 }, archived],
    ["archived after it was completed", { completedAt: 0, archivedAt: now - 1 }, archived],
    ["at its end", { endAfter: now }, "The campaign's end has passed."],
    ["just before its end", { endAfter: now + 1 }, null],
    ["completed", { completedAt: now - 1 }, null],
    ["completed nearly 90 days ago", { completedAt: now - REVIVABLE_MS + 1 }, null],
    ["completed 90 days ago", { completedAt: now - REVIVABLE_MS }, old],
  ])("%s: %j", (_, fields, message) => {
    const refusal = message === null ? null : { ok: false, code: "conflict", message };
    expect(refusesImport({ ...batch, ...fields }, now)).toEqual(refusal);
  });

  test("of 90 days are 7,776,000,000 ms", () => {
    expect(REVIVABLE_MS).toBe(7_776_000_000);
  });
});
