import * as fc from "fast-check";

/** What is written into a file, and its bytes. */
export type File = {
  header: string[];
  /** Rows with their cells as they were meant; the first is the phone. */
  rows: string[][];
  delimiter: string;
  bytes: Uint8Array<ArrayBuffer>;
};

const ENCODINGS = [
  "utf-8",
  "utf-8 bom",
  "utf-16le bom",
  "utf-16be bom",
  "utf-16le",
  "utf-16be",
] as const;
type Encoding = (typeof ENCODINGS)[number];

/** The n-th of many numbers that can be dialled. */
export function goodPhone(n: number): string {
  return `+9198${String(n % 100_000_000).padStart(8, "0")}`;
}

const badPhone = fc.constantFrom(
  "9876540001",
  "9.19877E+11",
  "+91call-me",
  "+1",
  "+9198765400011234567",
  "",
  "n/a",
  "'",
  "=1+1",
  "\u200b",
  "++919876540001",
);

/** A cell: words, and everything that a CSV has trouble with. */
export const cell: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.constantFrom(
          "a",
          " ",
          '"',
          ",",
          ";",
          "\t",
          "\n",
          "\r",
          "\r\n",
          "'",
          "=",
          "+",
          "é",
          "\u2028",
        ),
        { maxLength: 6 },
      )
      .map((signs) => signs.join("")),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "=1+1",
      "'=1+1",
      "@x",
      "-5",
      "+5",
      "'",
      '""',
      "$" + "{name}",
      "\ufffd",
      "x".repeat(300),
    ),
  },
);

const name = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 10 })
  .filter((text) => text.trim() !== "" && !/^(phone|__proto__|outdial_.*)$/i.test(text.trim()));
const names = fc
  .uniqueArray(name, { maxLength: 4, selector: (text) => text.replace(/^'(?=[=+\-@])/, "").trim() })
  .chain((some) => fc.tuple(fc.constant(some), fc.boolean()))
  .map(([some, blank]) => (blank && some.length > 1 ? ["", ...some.slice(1)] : some));

/** Whole files, as many spreadsheets would write them. */
export function files(rowsMax: number): fc.Arbitrary<File> {
  return fc
    .record({
      phone: fc.constantFrom("phone", "Phone", " PHONE "),
      names,
      phones: fc.array(fc.option(badPhone, { freq: 3, nil: null }), {
        minLength: 1,
        maxLength: rowsMax,
      }),
      first: fc.nat(90_000_000),
      cells: fc.array(cell, { minLength: 16, maxLength: 16 }),
      delimiter: fc.constantFrom(",", ";", "\t"),
      lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
      encoding: fc.constantFrom<Encoding>(...ENCODINGS),
      quotes: fc.constantFrom("all", "needed", "some"),
      emptyLines: fc.nat(3),
      ended: fc.boolean(),
    })
    .map((one) => {
      const { delimiter, lineEnd, quotes } = one;
      const header = [one.phone, ...one.names];
      const rows = one.phones.map((bad, n) => {
        const phone = bad ?? goodPhone(one.first + n);
        const others = one.names.map((_, column) => one.cells[(n * 5 + column) % 16] ?? "");
        return [phone, ...others];
      });
      const lines = [header, ...rows].map((cells, n) =>
        cells
          .map((text, m) => written(text, quotes === "some" ? (n + m) % 2 === 0 : quotes === "all"))
          .join(delimiter),
      );
      const text =
        lines.join(lineEnd) + (one.ended ? lineEnd : "") + lineEnd.repeat(one.emptyLines);
      return { header, rows, delimiter, bytes: encoded(text, one.encoding) };
    });
}

function written(cell: string, quoted: boolean): string {
  const needed = /["\r\n,;\t]/.test(cell);
  return quoted || needed ? `"${cell.replaceAll('"', '""')}"` : cell;
}

export function encoded(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
  const marked = encoding.endsWith("bom") ? `\ufeff${text}` : text;
  if (encoding.startsWith("utf-8"))
    return new TextEncoder().encode(marked) as Uint8Array<ArrayBuffer>;
  const bytes = new Uint8Array(marked.length * 2);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < marked.length; n++) {
    view.setUint16(n * 2, marked.charCodeAt(n), encoding.startsWith("utf-16le"));
  }
  return bytes;
}

type Damage = (bytes: number[]) => number[];
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const QUOTE = 34;

/** What can happen to the bytes of a file on its way. */
const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(
    ([at, mask]): Damage =>
      (bytes) => {
        const index = Math.floor(at * bytes.length);
        return bytes.map((byte, n) => (n === index ? byte ^ mask : byte));
      },
  ),
  fc.tuple(place, fc.nat(40)).map(
    ([at, length]): Damage =>
      (bytes) => {
        const from = Math.floor(at * bytes.length);
        return bytes.toSpliced(from, length);
      },
  ),
  fc
    .tuple(
      place,
      fc.constantFrom(
        [0],
        [QUOTE],
        [QUOTE, QUOTE],
        [13],
        [10],
        [44],
        [59],
        [9],
        [0xff],
        [0xc3],
        [0xef, 0xbb, 0xbf],
      ),
    )
    .map(
      ([at, some]): Damage =>
        (bytes) =>
          bytes.toSpliced(Math.floor(at * bytes.length), 0, ...some),
    ),
  fc.tuple(place, fc.uint8Array({ maxLength: 30 })).map(
    ([at, some]): Damage =>
      (bytes) =>
        bytes.toSpliced(Math.floor(at * bytes.length), 0, ...some),
  ),
  place.map(
    (at): Damage =>
      (bytes) =>
        bytes.slice(0, Math.floor(at * bytes.length)),
  ),
  fc.constant<Damage>((bytes) => bytes.filter((byte) => byte !== QUOTE)),
  place.map(
    (at): Damage =>
      (bytes) => {
        const quotes = bytes.flatMap((byte, n) => (byte === QUOTE ? [n] : []));
        const gone = quotes[Math.floor(at * quotes.length)];
        return bytes.filter((_, n) => n !== gone);
      },
  ),
  // A part comes twice: the header in the middle of the file, half a row, a row again.
  fc.tuple(place, place, fc.nat(120)).map(
    ([from, to, length]): Damage =>
      (bytes) => {
        const start = Math.floor(from * bytes.length);
        const part = bytes.slice(start, start + length);
        return bytes.toSpliced(Math.floor(to * bytes.length), 0, ...part);
      },
  ),
  fc.constant<Damage>((bytes) => [...bytes, ...bytes]),
);

/** A file that was whole once. */
export function damagedFiles(rowsMax: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc
    .tuple(files(rowsMax), fc.array(damages, { minLength: 1, maxLength: 4 }))
    .map(([file, some]) =>
      Uint8Array.from(some.reduce((bytes, damage) => damage(bytes), [...file.bytes])),
    );
}

/** Bytes of no meaning, with and without a good beginning. */
export const randomBytes: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc
  .tuple(
    fc.constantFrom("", "phone", "phone,a\n", "phone;\r\n", "phone\ta\r+919876540001\t", 'phone,"'),
    fc.uint8Array({ maxLength: 400 }),
  )
  .map(([head, bytes]) => Uint8Array.from([...new TextEncoder().encode(head), ...bytes]));
