import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CsvFile } from "../../src/api/csv-file.ts";
import { Refused } from "../../src/api/errors.ts";
import {
  detectEncoding,
  type Header,
  readHeader,
  rejectedHead,
  rejectedLines,
} from "../../src/core/csv.ts";
import {
  type BadRow,
  type GoodRow,
  PartCutter,
  rowsOfPart,
  sortRows,
} from "../../src/core/import.ts";
import { damagedFiles, encoded, type File, files, goodPhone, randomBytes } from "./files.ts";
import { TIMEOUT, tried } from "./runs.ts";
import { delimiterOf, quotedLine, readSlowly } from "./slow-csv.ts";

type Imported = {
  headerCells: string[];
  header: Header;
  rows: { line: number; cells: string[]; broken: boolean }[];
  good: GoodRow[];
  bad: BadRow[];
};

/** A file on the way that an upload takes, in pieces of so many bytes; null where it is refused. */
async function imported(bytes: Uint8Array, pieceBytes: number): Promise<Imported | null> {
  try {
    const csv = await CsvFile.open(pieces(bytes, pieceBytes));
    const cutter = new PartCutter(csv.header.keys);
    const rows: Imported["rows"] = [];
    const parts: string[] = [];
    for await (const some of csv.rows(100_000)) {
      for (const row of some) {
        rows.push({ line: row.line, cells: row.cells, broken: row.fault !== undefined });
        const part = cutter.add(row);
        if (part !== null) parts.push(part.body);
      }
    }
    const last = cutter.end();
    if (last !== null) parts.push(last.body);
    const sorted = parts.map((body) => sortRows(csv.header, rowsOfPart(body), {}));
    const good = sorted.flatMap((one) => one.good);
    const bad = sorted.flatMap((one) => one.bad);
    return { headerCells: csv.headerCells, header: csv.header, rows, good, bad };
  } catch (error) {
    // H38: what cannot be read is refused by its field.
    if (!(error instanceof Refused)) throw error;
    expect(error.refusal.code).toBe("invalid");
    expect(error.refusal.issues?.length).toBeGreaterThan(0);
    return null;
  }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const CELLS_COMPARED = 10_000;

/** Every row of the file is taken or rejected, once, and is the row that the slow reading finds. */
function allThere(bytes: Uint8Array, read: Imported) {
  const encoding = detectEncoding(bytes);
  if ("binary" in encoding) throw new Error("a binary file was read");
  const text = new TextDecoder(encoding.encoding).decode(bytes.subarray(encoding.bomBytes));
  const [head, ...rows] = readSlowly(text, delimiterOf(text));
  same(read.headerCells, head?.cells ?? []);
  // Of a line with more cells than any row, how many are kept is nobody's business.
  same(
    read.rows.map((row) => ({ ...row, cells: row.cells.slice(0, CELLS_COMPARED) })),
    rows.map((row) => ({ ...row, cells: row.cells.slice(0, CELLS_COMPARED) })),
  );
  const lines = [...read.good, ...read.bad].map((row) => row.line);
  same(
    lines.toSorted((a, b) => a - b),
    rows.map((row) => row.line),
  );
  const broken = read.bad.filter((row) => row.reason === "unclosed_quote").map((row) => row.line);
  const tooLong = read.bad.filter((row) => row.reason === "context_too_large");
  const faulty = rows.filter((row) => row.broken).map((row) => row.line);
  expect([...broken, ...tooLong.map((row) => row.line)]).toEqual(expect.arrayContaining(faulty));
}

/** Cheap to ask while a long failure is shrunk. */
function same(got: unknown[], expected: unknown[]) {
  const index = expected.findIndex((one, n) => JSON.stringify(got[n]) !== JSON.stringify(one));
  if (index === -1 && got.length === expected.length) return;
  const pair = { at: index, expected: expected[index], got: got[index], count: got.length };
  throw new Error(`not the same: ${JSON.stringify(pair).slice(0, 1000)} of ${expected.length}`);
}

/** H7: what was rejected downloads, is mended, and imports to the last row. */
async function mends(read: Imported) {
  if (read.bad.length === 0) return;
  const text = rejectedHead(read.headerCells) + rejectedLines(read.headerCells, read.bad);
  const again = await imported(new TextEncoder().encode(text), 1000);
  expect(again?.rows.length).toBe(read.bad.length);
  expect(again?.header.keys).toEqual(read.header.keys);
  const [head, ...rows] = readSlowly(text.slice(1), ",");
  const columns = head?.cells.length ?? 0;
  expect(rows.map((row) => row.cells[columns - 2])).toEqual(
    read.bad.map((row) => String(row.line)),
  );
  expect(rows.map((row) => row.cells[columns - 1])).toEqual(read.bad.map((row) => row.reason));
  const short = (cell: string) => cell.slice(0, 50);
  const mended = rows.map(({ cells }, n) => [goodPhone(n), ...cells.slice(1, columns).map(short)]);
  const mendedText = `\ufeff${[head?.cells ?? [], ...mended].map(quotedLine).join("")}`;
  const done = await imported(new TextEncoder().encode(mendedText), 1000);
  expect(done?.bad).toEqual([]);
  expect(done?.good.map((row) => row.phone)).toEqual(read.bad.map((_, n) => goodPhone(n)));
  // Nothing that a row says has changed on the way: what it has too much stays, its values are meant.
  for (const [n, row] of read.bad.entries()) {
    const width = read.headerCells.length;
    const tooMuch = (cells: string[], from: number) =>
      cells.slice(from).map(unguarded).filter(isFilled);
    same(tooMuch(rows[n]?.cells ?? [], columns), tooMuch(row.cells, width));
    if (row.cells.some((cell) => cell.length > 48)) continue;
    expect(done?.good[n]?.context).toEqual(meant(read, row.cells));
  }
}

const isFilled = (cell: string) => cell.trim() !== "";
const unguarded = (cell: string) => cell.replace(/^'(?=[=+\-@\t\r\n])/, "");

/** H5 H7: the values of a row by the header's names, without the guard against formulas. */
function meant(read: Imported, cells: string[]): Record<string, string> {
  const pairs = read.header.columns.flatMap((column, index) => {
    const cell = cells[index] ?? "";
    if (column === null) return [];
    return [[column.key, unguarded(cell)]];
  });
  return Object.fromEntries(pairs);
}

const pieceBytes = fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 8, max: 5000 }));

describe("H7 no row is lost", () => {
  test("of a whole file: each is what was written", TIMEOUT, async () => {
    const property = fc.asyncProperty(files(30), pieceBytes, async (file, size) => {
      const read = await imported(file.bytes, size);
      if (written(file).length === 0) {
        expect(read).toBeNull();
        return;
      }
      if (read === null) throw new Error("a good file was refused");
      allThere(file.bytes, read);
      expect(read.rows.map((row) => row.cells)).toEqual(written(file));
      const cells = new Map(read.rows.map((row) => [row.line, row.cells]));
      for (const { line, context } of read.good) {
        expect(context).toEqual(meant(read, cells.get(line) ?? []));
      }
      await mends(read);
    });
    await fc.assert(property, tried(150));
  });

  test(
    "of a damaged file, and the rejected ones, mended, import to the rest",
    TIMEOUT,
    async () => {
      let taken = 0;
      const property = fc.asyncProperty(damagedFiles(12), pieceBytes, async (bytes, size) => {
        const read = await imported(bytes, size);
        if (read === null) return;
        taken += 1;
        allThere(bytes, read);
        await mends(read);
      });
      await fc.assert(property, tried(600));
      expect(taken).toBeGreaterThan(0);
    },
  );

  test("of a long first line that comes in small pieces: each is looked at once", async () => {
    const line = `phone,${"a".repeat(60_000)}`;
    const opened = CsvFile.open(pieces(new TextEncoder().encode(`${line}\n12,b\n`), 16));
    await expect(opened).rejects.toThrow(Refused);
  });

  test("of bytes without any meaning", TIMEOUT, async () => {
    const property = fc.asyncProperty(randomBytes, pieceBytes, async (bytes, size) => {
      const read = await imported(bytes, size);
      if (read === null) return;
      allThere(bytes, read);
      await mends(read);
    });
    await fc.assert(property, tried(400));
  });

  test("of a file with a cell as long as a book", TIMEOUT, async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 10_000, max: 300_000 }),
      fc.constantFrom("x", '"', "\n", "é", ",", '""', "\r\n"),
      fc.constantFrom('"', ""),
      async (length, sign, quote) => {
        const long = quote + sign.repeat(length / sign.length) + quote;
        const text = `phone,a\n+919876540001,1\n+919876540002,${long}\n+919876540003,3\n`;
        const bytes = new TextEncoder().encode(text);
        const read = await imported(bytes, 65_536);
        if (read === null) throw new Error("the file was refused");
        allThere(bytes, read);
        expect(read.good[0]?.phone).toBe("+919876540001");
        expect(read.good.at(-1)?.phone).toBe("+919876540003");
        await mends(read);
      },
    );
    await fc.assert(property, tried(12));
  });
});

/** The rows of a file that have something in them. */
function written({ rows }: File): string[][] {
  return rows.filter((cells) => cells.some((cell) => cell.trim() !== ""));
}

test("H7 UTF-16 without its mark is read, whatever scripts it is written in", async () => {
  for (const name of ["Łukasz", "Иван", "一郎", "Ω", "a\u3000b", "𐀀", "Ā"]) {
    for (const little of [true, false]) {
      const text = `phone,name\n+919876540001,${name}\n`;
      const read = await imported(encoded(text, little ? "utf-16le" : "utf-16be"), 1000);
      const row = { line: 2, phone: "+919876540001", context: { name } };
      expect(read?.good, name).toEqual([row]);
    }
  }
});

test("H7 a blank cell beyond the header stays blank on the way through the download", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const first = await imported(encode('phone,a\n12,x,"\t"\n'), 1000);
  expect(first?.bad).toMatchObject([{ line: 2, reason: "no_country_code" }]);
  const text =
    rejectedHead(first?.headerCells ?? []) + rejectedLines(["phone", "a"], first?.bad ?? []);
  const mended = await imported(encode(text.replace("\n12,", "\n+919876540001,")), 1000);
  expect(mended?.bad).toEqual([]);
});

test("H5 a header is read or refused, whatever it is", () => {
  const property = fc.property(fc.array(fc.string({ unit: "binary" })), (cells) => {
    const read = readHeader(["phone", ...cells]);
    if (!read.ok) {
      expect(read.issues.length).toBeGreaterThan(0);
      return;
    }
    expect(read.value.columns.length).toBe(cells.length + 1);
    expect(new Set(read.value.keys).size).toBe(read.value.keys.length);
  });
  fc.assert(property, tried(300));
});
