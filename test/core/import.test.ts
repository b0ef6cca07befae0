import { describe, expect, test } from "vitest";
import { readHeader } from "../../src/core/csv.ts";
import {
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
    ["of pictures", "🙂".repeat(4_000)],
  ])("with values %s are each small enough for D1 and for the Dialer", (_, value) => {
    const count = value.length === 1 ? 3_000 : 300;
    const rows = Array.from({ length: count }, (_, n): KeptRow => [n + 2, [phone, value]]);
    const parts = cut(["value"], rows);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(count);
    for (const part of parts) {
      expect(Buffer.byteLength(part.body)).toBeLessThan(1_000_000);
      expect(costOf(["phone", "value"], part)).toBeLessThan(2_000_000);
    }
  });

  test("count the names that each context repeats", () => {
    const keys = Array.from({ length: 180 }, (_, n) => `${"k".repeat(70)}${n}`);
    const rows = Array.from({ length: 3_000 }, (_, n): KeptRow => [n + 2, [phone]]);
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
});

describe("H28 a campaign takes an import", () => {
  const now = 1_764_576_000_000;
  const batch = { type: "batch" as const, endAfter: null, completedAt: null, archivedAt: null };

  test.each([
    ["live", {}, true],
    ["realtime (H1)", { type: "realtime" as const }, false],
    ["archived", { archivedAt: now - 1 }, false],
    ["at its end", { endAfter: now }, false],
    ["just before its end", { endAfter: now + 1 }, true],
    ["completed", { completedAt: now - 1 }, true],
    ["completed nearly 90 days ago", { completedAt: now - REVIVABLE_MS + 1 }, true],
    ["completed 90 days ago", { completedAt: now - REVIVABLE_MS }, false],
  ])("%s: %j", (_, fields, takes) => {
    expect(refusesImport({ ...batch, ...fields }, now) === null).toBe(takes);
  });
});
