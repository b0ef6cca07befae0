import { CONTEXT_BYTES_LIMIT, CONTEXT_KEY_LENGTH_LIMIT, CONTEXT_KEYS_LIMIT } from "./context.ts";
import { PHONE_REASONS, type PhoneReading, readPhone } from "./phone.ts";
import type { Issue, Result } from "./result.ts";
import { isBlank } from "./rowstream.ts";

export { type Row, RowStream } from "./rowstream.ts";

/** Why a row became no task (H7, H9, H11, H40). */
export const ROW_REASONS = [
  ...PHONE_REASONS,
  "duplicate", // the number came before in this campaign (H9)
  "suppressed", // on the do-not-call list (H40)
  "erased", // its number was erased while the import ran
  "campaign_over", // the campaign ended before the row arrived (H11)
  "extra_cells", // more values than the header has columns: something has shifted
  "context_too_large",
  "unclosed_quote",
] as const;
export type RowReason = (typeof ROW_REASONS)[number];

/** Columns that the download of rejected rows adds and an import ignores (H7). */
const REPORT_COLUMNS = ["outdial_line", "outdial_reason"];

export type Encoding =
  | { encoding: "utf-8" | "utf-16le" | "utf-16be"; bomBytes: number }
  | { binary: true };

/** What `detectEncoding` looks at. */
export const HEAD_BYTES = 4096;
const HEADER_START_BYTES = 10;

/** The encoding of a file by its first bytes: its mark, or where their NULs are; `binary` is no text. */
export function detectEncoding(head: Uint8Array): Encoding {
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: "utf-8", bomBytes: 3 };
  if (a === 0xff && b === 0xfe) return { encoding: "utf-16le", bomBytes: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: "utf-16be", bomBytes: 2 };
  // A pdf says "%PDF"; spreadsheets, old and new, have control bytes.
  if (a === 0x25 && b === 0x50 && c === 0x44) return { binary: true };

  // The first header is `phone`, in Latin: in UTF-16 every other byte of it is NUL, on one side
  // only. What follows may be of any script, whose bytes by themselves are controls and NULs.
  const start = head.subarray(0, HEADER_START_BYTES);
  const latin = (side: number) =>
    start.length >= 4 && start.every((byte, index) => (index % 2 === side ? byte > 8 : byte === 0));
  if (latin(0)) return { encoding: "utf-16le", bomBytes: 0 };
  if (latin(1)) return { encoding: "utf-16be", bomBytes: 0 };

  const bytes = head.subarray(0, HEAD_BYTES);
  const control = (byte: number) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13;
  if (bytes.some(control)) return { binary: true };
  return { encoding: "utf-8", bomBytes: 0 };
}

/**
 * The delimiter of a file by its first line: the first one outside quotes, since it follows the
 * first header, which is `phone`. A comma when there is none.
 */
export function detectDelimiter(line: string): "," | ";" | "\t" {
  const sign = /[,;\t\r\n]/.exec(line.replace(/"[^"]*"/g, ""))?.[0];
  return sign === ";" || sign === "\t" ? sign : ",";
}

/** The first line of a file, understood. */
export type Header = {
  /** One for each column; null is ignored. The first is the phone and not in here as a key. */
  columns: ({ key: string } | null)[];
  /** The context keys, in order. */
  keys: string[];
};

/** The header of a file, or what is wrong with it (H5). */
export function readHeader(cells: string[]): Result<Header> {
  const names = cells.map((cell) => unguard(cell).trim());
  if (names[0]?.toLowerCase() !== "phone") {
    const got = names[0] ? JSON.stringify(names[0].slice(0, 80)) : "nothing";
    const expected = "`phone` as the first column's header";
    return { ok: false, issues: [{ path: "header.0", expected, got }] };
  }
  const issues: Issue[] = [];
  const keys = new Set<string>();
  const columns = names.map((name, index) => {
    const reported = REPORT_COLUMNS.includes(name.toLowerCase());
    if (index === 0 || name === "" || reported) return null;
    const got = JSON.stringify(name.slice(0, 80));
    if (keys.has(name) || name.toLowerCase() === "phone") {
      issues.push({ path: `header.${index}`, expected: "a header that no other column has", got });
    } else if (name.length > CONTEXT_KEY_LENGTH_LIMIT) {
      const expected = `a header of at most ${CONTEXT_KEY_LENGTH_LIMIT} characters`;
      issues.push({ path: `header.${index}`, expected, got });
    } else if (name === "__proto__") {
      issues.push({ path: `header.${index}`, expected: "another name", got });
    }
    keys.add(name);
    return { key: name };
  });
  if (keys.size > CONTEXT_KEYS_LIMIT) {
    const expected = `at most ${CONTEXT_KEYS_LIMIT} columns with a header beside phone`;
    issues.push({ path: "header", expected, got: String(keys.size) });
  }
  return issues.length > 0
    ? { ok: false, issues }
    : { ok: true, value: { columns, keys: [...keys] } };
}

export type RowRead =
  | { ok: true; phone: string; context: Record<string, string> }
  | { ok: false; reason: RowReason };

/**
 * A row as a task's phone and context, or why it is none (H7). Missing cells are empty values.
 * Filled cells beyond the header reject the row: an unquoted delimiter has shifted its values.
 */
export function readRow(header: Header, cells: string[], how: PhoneReading = {}): RowRead {
  const read = readPhone(cells[0] ?? "", how);
  if (!read.ok) return read;
  const { columns } = header;
  for (let index = columns.length; index < cells.length; index++) {
    if (!isBlank(unguard(cells[index] ?? ""))) return { ok: false, reason: "extra_cells" };
  }
  const context: Record<string, string> = {};
  let length = 2;
  columns.forEach((column, index) => {
    if (column === null) return;
    const value = unguard(cells[index] ?? "");
    context[column.key] = value;
    length += column.key.length + value.length + 6;
  });
  // No sign of text takes more than six bytes of JSON (`\u0000`): most rows need no counting.
  if (length * 6 > CONTEXT_BYTES_LIMIT && jsonBytes(context) > CONTEXT_BYTES_LIMIT) {
    return { ok: false, reason: "context_too_large" };
  }
  return { ok: true, phone: read.phone, context };
}

/** Bytes of a value as JSON in UTF-8. */
function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) bytes += code >= 0x800 && (code & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return bytes;
}

/** The placeholders of a prompt that no column fills (H10); `columns` are the file's context keys. */
export function missingPlaceholders(
  names: readonly string[],
  columns: readonly string[],
): string[] {
  return names.filter((name) => !columns.includes(name));
}

const FORMULA_START = /^[=+\-@\t\r\n]/;
const GUARDED = /^'[=+\-@\t\r\n]/;
const PLAIN_NUMBER = /^\+\d+$/;

/** Keeps a spreadsheet from running a cell; numbers of `+` and digits stay as they are (H7). */
function guard(cell: string): string {
  return FORMULA_START.test(cell) && !PLAIN_NUMBER.test(cell) ? `'${cell}` : cell;
}

function unguard(cell: string): string {
  return GUARDED.test(cell) ? cell.slice(1) : cell;
}

export type RejectedRow = { cells: string[]; line: number; reason: string };

/** The rejected rows as a file that can be mended and imported again (H7). */
export function rejectedCsv(headerCells: string[], rows: readonly RejectedRow[]): string {
  return rejectedHead(headerCells) + rejectedLines(headerCells, rows);
}

/** The first line of that file, with the mark by which spreadsheets know UTF-8. */
export function rejectedHead(headerCells: string[]): string {
  const [first = "", ...others] = withoutReport(headerCells, headerCells);
  return `\ufeff${csvLine([first.replace(/^\ufeff/, ""), ...others, ...REPORT_COLUMNS])}`;
}

/** Further lines of that file. Cells beyond the header stand at the end, where they stay extra. */
export function rejectedLines(headerCells: string[], rows: readonly RejectedRow[]): string {
  const own = rows.map((row) => {
    const cells = headerCells.map((_, index) => row.cells[index] ?? "");
    const extra = row.cells.slice(headerCells.length);
    return csvLine([...withoutReport(headerCells, cells), String(row.line), row.reason, ...extra]);
  });
  return own.join("");
}

/** The cells whose column is not one that an earlier download added. */
function withoutReport(headerCells: string[], cells: string[]): string[] {
  return cells.filter((_, index) => {
    const name = headerCells[index] ?? "";
    return !REPORT_COLUMNS.includes(name.trim().toLowerCase());
  });
}

function csvLine(cells: string[]): string {
  return `${cells.map((cell) => quote(guard(cell))).join(",")}\r\n`;
}

function quote(cell: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
