import { readdirSync, readFileSync } from "node:fs";
import Papa from "papaparse";
import { describe, expect, test } from "vitest";
import { CONTEXT_BYTES_LIMIT } from "../../src/core/context.ts";
import {
  detectDelimiter,
  detectEncoding,
  type Header,
  missingPlaceholders,
  ROW_REASONS,
  type Row,
  RowStream,
  readHeader,
  readRow,
  rejectedCsv,
  rejectedHead,
  rejectedLines,
} from "../../src/core/csv.ts";
import type { PhoneReading } from "../../src/core/phone.ts";
import { lines } from "./bodies.ts";

/** mulberry32: the same numbers at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function rowsOf(pieces: Iterable<string>, delimiter = ","): Row[] {
  const stream = new RowStream(delimiter);
  const rows: Row[] = [];
  for (const piece of pieces) rows.push(...stream.push(piece));
  rows.push(...stream.end());
  return rows;
}

function headerOf(cells: string[]): Header {
  const read = readHeader(cells);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  return read.value;
}

type Report = {
  columns: string[];
  taken: { phone: string; context: Record<string, string> }[];
  rejected: { line: number; reason: string }[];
};

/** A file read as an import reads it. */
function report(bytes: Uint8Array, how: PhoneReading = {}): Report {
  const found = detectEncoding(bytes);
  if ("binary" in found) throw new Error("binary");
  const text = new TextDecoder(found.encoding).decode(bytes.subarray(found.bomBytes));
  const firstLine = text.trimStart().split(/[\r\n]/, 1)[0] ?? "";
  const [first, ...rows] = rowsOf([text], detectDelimiter(firstLine));
  const header = headerOf(first?.cells ?? []);
  const seen = new Set<string>();
  const result: Report = { columns: header.keys, taken: [], rejected: [] };
  for (const row of rows) {
    const read = readRow(header, row.cells, how);
    const reason =
      row.fault ?? (read.ok ? (seen.has(read.phone) ? "duplicate" : null) : read.reason);
    if (reason !== null) result.rejected.push({ line: row.line, reason });
    else if (read.ok) {
      seen.add(read.phone);
      result.taken.push({ phone: read.phone, context: read.context });
    }
  }
  return result;
}

const FIXTURES = new URL("../fixtures/csv/", import.meta.url);
const names = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".csv"))
  .map((name) => name.slice(0, -4));

describe("H7 an awkward file reads as its report says", () => {
  test.each(names)("%s", (name) => {
    const expected: Report = JSON.parse(
      readFileSync(new URL(`${name}.expected.json`, FIXTURES), "utf8"),
    );
    expect(report(readFileSync(new URL(`${name}.csv`, FIXTURES)))).toEqual(expected);
    for (const { reason } of expected.rejected) expect(ROW_REASONS).toContain(reason);
  });
});

describe("H7 the rows of a file", () => {
  const hostile = [
    'phone,name\r\n"+1","a ""b""\r\nc"\r+2,"Bob" Smith\n\n,,\n+3, "x"\r\r\n',
    '+4,"open\n+5,x\n+6,"late\n+7,y\n"",""""\n+8,"done"\n"x\ny" tail,1\n+9,"""\n""',
  ].join("");

  test("carry the line on which they start, whatever ends a line", () => {
    expect(rowsOf(['a\r\n"b\nc"\rd\n\n"e\r\rf\r\ng",x\nh'])).toEqual([
      { cells: ["a"], line: 1 },
      { cells: ["b\nc"], line: 2 },
      { cells: ["d"], line: 4 },
      { cells: ["e\r\rf\r\ng", "x"], line: 6 },
      { cells: ["h"], line: 10 },
    ]);
  });

  test("are the same wherever the text is cut", () => {
    const whole = rowsOf([hostile]);
    expect(rowsOf(hostile)).toEqual(whole);
    for (let i = 0; i <= hostile.length; i++) {
      for (let j = i; j <= hostile.length; j++) {
        const cut = rowsOf([hostile.slice(0, i), hostile.slice(i, j), hostile.slice(j)]);
        if (JSON.stringify(cut) !== JSON.stringify(whole)) expect({ i, j, cut }).toEqual(whole);
      }
    }
  });

  test("are the same wherever a text of any signs is cut", () => {
    const next = random(11);
    for (let n = 0; n < 3000; n++) {
      const text = Array.from({ length: 2 + Math.floor(next() * 30) }, () => {
        return ['"', '"', ",", "\n", "\r", "a", " ", "\r\n"][Math.floor(next() * 8)];
      }).join("");
      const whole = JSON.stringify(rowsOf([text]));
      expect(JSON.stringify(rowsOf(text))).toBe(whole);
      const at = Math.floor(next() * text.length);
      expect(JSON.stringify(rowsOf([text.slice(0, at), text.slice(at)]))).toBe(whole);
    }
  });

  test("are those that papaparse finds in a well-formed file", () => {
    const next = random(5);
    const signs = ["a", "ü", '"', ",", ";", "\t", "\n", "\r\n", " ", "'", "+1", ""];
    const cell = (): string =>
      Array.from(
        { length: Math.floor(next() * 5) },
        () => signs[Math.floor(next() * signs.length)],
      ).join("");
    for (let n = 0; n < 500; n++) {
      for (const delimiter of [",", ";", "\t"]) {
        const table = Array.from({ length: 6 }, () => ["x", cell(), cell(), cell()]);
        const text = Papa.unparse(table, { delimiter, newline: "\n", quotes: n % 2 === 0 });
        const cells = rowsOf([text], delimiter).map((row) => row.cells);
        expect(cells).toEqual(table);
        expect(cells).toEqual(Papa.parse(text, { delimiter, newline: "\n" }).data);
      }
    }
  });

  test("lose one line, and no other, to a quote that never closes", () => {
    const rows = rowsOf(['phone,name\n+1,a\n+2,"b,c\n+3,d\n+4,"e\nf"\n+5,g']);
    expect(rows).toEqual([
      { cells: ["phone", "name"], line: 1 },
      { cells: ["+1", "a"], line: 2 },
      { cells: ["+2", '"b', "c"], line: 3, fault: "unclosed_quote" },
      { cells: ["+3", "d"], line: 4 },
      { cells: ["+4", "e\nf"], line: 5 },
      { cells: ["+5", "g"], line: 7 },
    ]);
  });

  test("may run over lines as far as 262,144 signs behind their quote, and no further", () => {
    const line = "a".repeat(63);
    const value = `${`${line}\n`.repeat(4_095)}${line}`;
    expect(rowsOf([`"${value}",x\n+1,b\n`])).toEqual([
      { cells: [value, "x"], line: 1 },
      { cells: ["+1", "b"], line: 4_097 },
    ]);
    const [first, second] = rowsOf([`"${value}b",x\n+1,b\n`]);
    expect([first, second]).toEqual([
      { cells: [`"${line}`], line: 1, fault: "unclosed_quote" },
      { cells: [line], line: 2 },
    ]);
  });

  test("come as soon as their line has ended, in LF, CRLF or CR", () => {
    const stream = new RowStream(",");
    expect(stream.push('a\rb\r\n"c"\nd').map((row) => row.cells)).toEqual([["a"], ["b"], ["c"]]);
    expect(stream.push("e\n").map((row) => row.cells)).toEqual([["de"]]);
  });

  test("with a quote are told apart wherever in a long text it is", () => {
    const before = "+1,a\n".repeat(30_000);
    expect(rowsOf([`${before}+2,"b\nc"\n`]).at(-1)).toEqual({
      cells: ["+2", "b\nc"],
      line: 30_001,
    });
    const stream = new RowStream(",");
    expect(stream.push(`${before}"x\n${"+1,a\n".repeat(20_000)}`)).toHaveLength(30_000);
  });

  test("whose quote never closes say so, on the last line and when cut inside its line end", () => {
    expect(rowsOf(['+1,a\n+2,"open'])[1]).toEqual({
      cells: ["+2", '"open'],
      line: 2,
      fault: "unclosed_quote",
    });
    const long = `"${"a".repeat(262_145)}`;
    const rows = rowsOf([`${long}\r`, "\n+1,b\n"]);
    expect(rows.map((row) => [row.cells.at(-1), row.line])).toEqual([
      [long, 1],
      ["b", 2],
    ]);
  });

  test("behind a quote that never closes do not wait for the end of the file", () => {
    const stream = new RowStream(",");
    expect(stream.push(`"x\n${"+1,a\n".repeat(43_690)}`)).toEqual([]);
    expect(stream.push(`${"+1,a\n".repeat(20_000)}`)).toHaveLength(63_691);
  });

  test("have at most 10,000 cells: further ones are dropped", () => {
    for (const cell of ["x", '"x"', '"x" y']) {
      const [row, next] = rowsOf([`${`${cell},`.repeat(10_000)}${cell.replace("x", "z")}\n+1,b`]);
      expect(row?.cells).toHaveLength(10_000);
      expect(row?.cells.at(-1)).toContain("x");
      expect(next).toEqual({ cells: ["+1", "b"], line: 2 });
    }
    expect(rowsOf([`"${",".repeat(20_000)}\n`])[0]?.cells).toHaveLength(10_000);
  });
});

describe("H7 the encoding of a file", () => {
  const utf16 = (text: string, big: boolean): Uint8Array => {
    const bytes = Buffer.from(text, "utf16le");
    return big ? bytes.swap16() : bytes;
  };

  test.each([
    ["UTF-8 with its mark", Buffer.from("\ufeffphone"), { encoding: "utf-8", bomBytes: 3 }],
    ["UTF-8", Buffer.from("phone,ünï\r\n+1\t"), { encoding: "utf-8", bomBytes: 0 }],
    ["UTF-16 with its mark", utf16("\ufeffphone", false), { encoding: "utf-16le", bomBytes: 2 }],
    [
      "big-endian UTF-16 with its mark",
      utf16("\ufeffphone", true),
      { encoding: "utf-16be", bomBytes: 2 },
    ],
    ["UTF-16 without one", utf16("phone,名前\n", false), { encoding: "utf-16le", bomBytes: 0 }],
    [
      "big-endian UTF-16 without one",
      utf16("phone,名前\n", true),
      { encoding: "utf-16be", bomBytes: 0 },
    ],
    ["an empty file", new Uint8Array(), { encoding: "utf-8", bomBytes: 0 }],
    ["one byte", Buffer.from("p"), { encoding: "utf-8", bomBytes: 0 }],
    ["a spreadsheet", Buffer.from("PK\u0003\u0004xl/worksheets"), { binary: true }],
    [
      "an old spreadsheet",
      Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0]),
      { binary: true },
    ],
    ["a PDF", Buffer.from("%PDF-1.7 text"), { binary: true }],
    [
      "an image",
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10, 0, 0, 0, 13]),
      { binary: true },
    ],
    [
      "text with a stray NUL",
      Buffer.from("phone,name\0,a long enough line of text"),
      { binary: true },
    ],
    ["UTF-16 of two letters", utf16("ph", false), { encoding: "utf-16le", bomBytes: 0 }],
    ["UTF-16 that starts with a tab", utf16("\tp", false), { encoding: "utf-16le", bomBytes: 0 }],
    ["what would start with a backspace", utf16("\bp", false), { binary: true }],
  ])("%s is known by its first bytes", (_, bytes, encoding) => {
    expect(detectEncoding(new Uint8Array(bytes))).toEqual(encoding);
  });

  test.each([
    ["UTF-8's mark", [0xef, 0xbb, 0xbf]],
    ["UTF-16's mark", [0xff, 0xfe]],
    ["big-endian UTF-16's mark", [0xfe, 0xff]],
    ["a PDF's start", [0x25, 0x50, 0x44]],
  ])("with one byte beside %s is plain text", (_, mark) => {
    for (const index of mark.keys()) {
      const bytes = [...mark.with(index, 0x61), 0x61, 0x61];
      expect(detectEncoding(new Uint8Array(bytes))).toEqual({ encoding: "utf-8", bomBytes: 0 });
    }
  });
});

describe("H7 the delimiter of a file", () => {
  test.each([
    ["phone", ","],
    ["", ","],
    ["phone,name", ","],
    ["phone;name", ";"],
    ["phone\tname", "\t"],
    ['phone;"a,b,c,d";x', ";"],
    ['"phone","a;b;c;d"', ","],
    ["phone\tname, first", "\t"],
    ["phone;amount, EUR,,,", ";"],
    ["phone\n;;;", ","],
    ['"Phone";"a,b"', ";"],
    ['"name, first";phone', ";"],
  ])("of %j is %j", (line, delimiter) => {
    expect(detectDelimiter(line)).toBe(delimiter);
  });
});

describe("H5 a header", () => {
  test("starts with phone, in any case and between blanks; other names keep their case", () => {
    for (const phone of ["phone", "PHONE", " Phone ", "\ufeffphone"]) {
      expect(readHeader([phone, " First Name ", "", "name", "Name", " "])).toEqual({
        ok: true,
        value: {
          columns: [null, { key: "First Name" }, null, { key: "name" }, { key: "Name" }, null],
          keys: ["First Name", "name", "Name"],
        },
      });
    }
  });

  test("without phone in front is refused", () => {
    for (const cells of [
      [],
      [""],
      ["name", "phone"],
      ["phone number"],
      ["pho\ufeffne"],
      ["+919876540001", "Asha"],
    ]) {
      expect(readHeader(cells)).toMatchObject({ ok: false, issues: [{ path: "header.0" }] });
    }
  });

  test("that repeats a name is refused, at each repeated column", () => {
    expect(readHeader(["phone", "a", " a", "b", "Phone", "a"])).toMatchObject({
      ok: false,
      issues: [{ path: "header.2" }, { path: "header.4" }, { path: "header.5" }],
    });
    expect(readHeader(["phone", "__proto__"]).ok).toBe(false);
  });

  test("beyond the limits of a context is refused", () => {
    const columns = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n}`);
    expect(readHeader(["phone", ...columns(200), "", ""]).ok).toBe(true);
    expect(readHeader(["phone", ...columns(201)])).toMatchObject({ issues: [{ path: "header" }] });
    expect(readHeader(["phone", "x".repeat(100)]).ok).toBe(true);
    expect(readHeader(["phone", "x".repeat(101)])).toMatchObject({
      issues: [{ path: "header.1" }],
    });
  });

  test("H38 that is wrong says where, what was expected and what came, in short", () => {
    const long = "x".repeat(101);
    const short = `"${"x".repeat(80)}"`;
    const other = "a header that no other column has";
    expect(lines(readHeader([]))).toEqual([
      "header.0 | `phone` as the first column's header | nothing",
    ]);
    expect(lines(readHeader([long]))).toEqual([
      `header.0 | \`phone\` as the first column's header | ${short}`,
    ]);
    expect(lines(readHeader(["phone", "a", "a", "Phone", "__proto__", long]))).toEqual([
      `header.2 | ${other} | "a"`,
      `header.3 | ${other} | "Phone"`,
      'header.4 | another name | "__proto__"',
      `header.5 | a header of at most 100 characters | ${short}`,
    ]);
    const many = Array.from({ length: 201 }, (_, n) => `c${n}`);
    expect(lines(readHeader(["phone", ...many]))).toEqual([
      "header | at most 200 columns with a header beside phone | 201",
    ]);
  });

  test("ignores the columns of an earlier report, even twice (H7)", () => {
    const { keys } = headerOf(["phone", "a", "outdial_line", "Outdial_Reason", "outdial_line"]);
    expect(keys).toEqual(["a"]);
  });
});

describe("H7 a row", () => {
  const header: Header = {
    columns: [null, { key: "name" }, null, { key: "city" }],
    keys: ["name", "city"],
  };

  test("gives its phone and its values by column; missing cells are empty", () => {
    expect(readRow(header, ["+919876540001", " Asha ", "x", "Pune"])).toEqual({
      ok: true,
      phone: "+919876540001",
      context: { name: " Asha ", city: "Pune" },
    });
    expect(readRow(header, ["+919876540001"])).toMatchObject({
      ok: true,
      context: { name: "", city: "" },
    });
    expect(readRow(header, [])).toEqual({ ok: false, reason: "missing" });
  });

  test("with filled cells beyond the header is rejected, with blank ones it is not", () => {
    expect(readRow(header, ["+919876540001", "a", "b", "c", "", " "]).ok).toBe(true);
    expect(readRow(header, ["+919876540001", "a", "b", "c", "", "d"])).toEqual({
      ok: false,
      reason: "extra_cells",
    });
  });

  test("loses one quote before what a spreadsheet would run, and no other", () => {
    for (const [cell, value] of [
      ["'=1", "=1"],
      ["''=1", "''=1"],
      ["'a'=1", "'a'=1"],
      ["a'=1", "a'=1"],
      ["'Tis", "'Tis"],
    ] as const) {
      expect(readRow(header, ["+919876540001", cell])).toMatchObject({ context: { name: value } });
    }
  });

  test("reads numbers as the import says (H8)", () => {
    expect(readRow(header, ["98765 40001"], { defaultCountry: "IN" })).toMatchObject({
      phone: "+919876540001",
    });
    expect(readRow(header, ["919876540001"])).toEqual({ ok: false, reason: "no_country_code" });
  });

  test.each(["a", "ü", "\u0080", "\u0800", "名", "🙂", '"', "\n", "\u0001"])(
    "may have a context of 16 KB of JSON and no more, written in %j",
    (sign) => {
      const bytesOf = (name: string): number =>
        Buffer.byteLength(JSON.stringify({ name, city: "" }));
      const each = bytesOf(sign) - bytesOf("");
      const room = CONTEXT_BYTES_LIMIT - bytesOf("");
      const filler = "a".repeat(room % each);
      const full = sign.repeat(Math.floor(room / each)) + filler;
      expect(bytesOf(full)).toBe(CONTEXT_BYTES_LIMIT);
      expect(readRow(header, ["+919876540001", full]).ok).toBe(true);
      expect(readRow(header, ["+919876540001", `${full}a`])).toEqual({
        ok: false,
        reason: "context_too_large",
      });
    },
  );
});

describe("H7 the download of rejected rows", () => {
  const headerCells = ["\ufeffPhone", "name", "outdial_line", "outdial_reason"];

  test("has the file's columns, then line and reason, then what was beyond the header", () => {
    const text = rejectedCsv(headerCells, [
      { cells: ["12", "a", "7", "letters"], line: 2, reason: "too_short" },
      { cells: ["+919876540001"], line: 3, reason: "duplicate" },
      { cells: ["+919876540002", "b", "", "", "more"], line: 4, reason: "extra_cells" },
    ]);
    expect(text).toBe(
      "\ufeffPhone,name,outdial_line,outdial_reason\r\n" +
        "12,a,2,too_short\r\n+919876540001,,3,duplicate\r\n+919876540002,b,4,extra_cells,more\r\n",
    );
  });

  test("replaces the report of an earlier download, whatever blanks are around its headers", () => {
    expect(rejectedHead(["phone", " Outdial_Line ", "outdial_reason", "a"])).toBe(
      "\ufeffphone,a,outdial_line,outdial_reason\r\n",
    );
  });

  test("puts quotes where a reader needs them, and nowhere else", () => {
    const cells = ["+1", "Asha Rao", " x", "y ", "a,b", "a;b", "a\tb", 'a"b', "a\nb", "a\rb", ""];
    const text = rejectedLines(cells, [{ cells, line: 2, reason: "too_short" }]);
    expect(text).toBe(
      '+1,Asha Rao," x","y ","a,b","a;b","a\tb","a""b","a\nb","a\rb",,2,too_short\r\n',
    );
  });

  test("keeps spreadsheets from running cells, and leaves numbers alone", () => {
    const cells = [
      "+919876540001",
      "=1+1",
      "+91 98",
      "-5",
      "@x",
      "\ta",
      "\rb",
      "a=b",
      "'Tis",
      "+",
      "",
    ];
    const text = rejectedCsv(["phone"], [{ cells, line: 2, reason: "extra_cells" }]);
    expect(rowsOf([text.slice(1)])[1]?.cells).toEqual([
      "+919876540001",
      "2",
      "extra_cells",
      ...["'=1+1", "'+91 98", "'-5", "'@x", "'\ta", "'\rb", "a=b", "'Tis", "'+", ""],
    ]);
  });

  test("mended and imported again gives the rows as they were meant", () => {
    const next = random(3);
    const signs = ["a", '"', ",", "\n", "\r", "=", "+", "-", "@", "\t", "'", " ", "ü", ";"];
    const cell = (): string =>
      Array.from(
        { length: Math.floor(next() * 6) },
        () => signs[Math.floor(next() * signs.length)],
      ).join("");
    const header = ["phone", "-odd", "b;c", ""];
    for (let n = 0; n < 2000; n++) {
      const cells = ["919876540001", cell(), cell(), cell()];
      const meant = readRow(headerOf(header), ["+919876540001", ...cells.slice(1)]);
      const text = rejectedCsv(header, [{ cells, line: 2, reason: "no_country_code" }]);
      const [first, row] = rowsOf([text.replace("919876540001", "+919876540001")]);
      const again = readRow(headerOf(first?.cells ?? []), row?.cells ?? []);
      expect(again).toEqual(meant);
      expect(row).toMatchObject({ line: 2 });
      expect(row).not.toHaveProperty("fault");
    }
  });

  test("is the same in one piece and in many", () => {
    const rows = [1, 2, 3].map((line) => ({ cells: ["x", `=${line}`], line, reason: "letters" }));
    expect(
      rejectedHead(["phone", "a"]) +
        rows.map((row) => rejectedLines(["phone", "a"], [row])).join(""),
    ).toBe(rejectedCsv(["phone", "a"], rows));
  });
});

describe("H10 placeholders without a column", () => {
  test("are named, whatever columns there are besides", () => {
    expect(missingPlaceholders(["name", "Name", "due"], ["name", "city"])).toEqual(["Name", "due"]);
    expect(missingPlaceholders([], ["a"])).toEqual([]);
  });
});
