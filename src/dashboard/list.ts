import {
  detectDelimiter,
  detectEncoding,
  HEAD_BYTES,
  type Row,
  type RowReason,
  RowStream,
  readHeader,
  readRow,
} from "../core/csv.ts";
import { IMPORT_ROWS_MAX } from "../core/import.ts";
import type { PhoneReading } from "../core/phone.ts";

/** What a list would come to, read in the browser by the rules of the import itself. */
export type ListReading = {
  columns: string[];
  rows: number;
  good: number;
  rejected: Partial<Record<RowReason, number>>;
  /** The first rejected rows, with what stands in their first cells. */
  problems: { line: number; reason: RowReason; cells: string[] }[];
  /** The first rows as they stand in the file. */
  sample: string[][];
};
export type Told =
  | { kind: "progress"; share: number }
  | { kind: "read"; reading: ListReading }
  | { kind: "refused"; message: string };

const SAMPLE = 5;
const PROBLEMS = 20;
const CELLS = 8;

class Unreadable extends Error {}

/** Reads a list to its end; `tell` hears how far it is. */
export async function readList(
  file: Blob,
  how: PhoneReading,
  tell: (told: Told) => void,
): Promise<void> {
  try {
    tell({ kind: "read", reading: await read(file, how, tell) });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    tell({ kind: "refused", message: error.message });
  }
}

async function read(
  file: Blob,
  how: PhoneReading,
  tell: (told: Told) => void,
): Promise<ListReading> {
  const found = detectEncoding(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if ("binary" in found) {
    throw new Unreadable("This is no text. Save the list as CSV (UTF-8) and choose that.");
  }
  const reader = file
    .slice(found.bomBytes)
    .stream()
    .pipeThrough(new TextDecoderStream(found.encoding))
    .getReader();
  let rows: RowStream | null = null;
  let tally: Tally | null = null;
  let chars = 0;
  const take = (some: Row[]) => {
    for (const row of some) {
      if (tally === null) tally = new Tally(row.cells, how);
      else tally.add(row);
    }
  };
  for (let next = await reader.read(); next.done !== true; next = await reader.read()) {
    rows ??= new RowStream(detectDelimiter(next.value.split(/[\r\n]/, 1)[0] ?? ""));
    take(rows.push(next.value));
    chars += next.value.length;
    tell({ kind: "progress", share: Math.min(1, chars / file.size) });
  }
  take(rows?.end() ?? []);
  const whole = tally as Tally | null;
  if (whole === null) throw new Unreadable("The file is empty.");
  if (whole.reading.rows === 0) throw new Unreadable("There is no row below the header.");
  return whole.reading;
}

class Tally {
  readonly reading: ListReading;
  readonly #header: Parameters<typeof readRow>[0];
  readonly #how: PhoneReading;
  readonly #seen = new Set<string>();

  constructor(cells: string[], how: PhoneReading) {
    const header = readHeader(cells);
    if (!header.ok) {
      const words = header.issues.map(({ expected, got }) => `expected ${expected}, got ${got}`);
      throw new Unreadable(`The first line cannot be read: ${words.join("; ")}.`);
    }
    this.#header = header.value;
    this.#how = how;
    const columns = header.value.keys;
    this.reading = { columns, rows: 0, good: 0, rejected: {}, problems: [], sample: [] };
  }

  add(row: Row): void {
    const { reading } = this;
    reading.rows += 1;
    if (reading.rows > IMPORT_ROWS_MAX) {
      throw new Unreadable(`The list has more than ${IMPORT_ROWS_MAX} rows: cut it in two.`);
    }
    if (reading.sample.length < SAMPLE) reading.sample.push(row.cells.slice(0, CELLS));
    const reason = this.#judge(row);
    if (reason === null) {
      reading.good += 1;
      return;
    }
    reading.rejected[reason] = (reading.rejected[reason] ?? 0) + 1;
    if (reading.problems.length < PROBLEMS) {
      reading.problems.push({ line: row.line, reason, cells: row.cells.slice(0, 2) });
    }
  }

  #judge({ cells, fault }: Row): RowReason | null {
    if (fault !== undefined) return fault;
    const read = readRow(this.#header, cells, this.#how);
    if (!read.ok) return read.reason;
    if (this.#seen.has(read.phone)) return "duplicate";
    this.#seen.add(read.phone);
    return null;
  }
}

/** The column that a placeholder without one may mean, or null. */
export function nearestColumn(placeholder: string, columns: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  const wanted = plain(placeholder);
  const near = columns.find((column) => {
    const one = plain(column);
    return one === wanted || (wanted.length > 2 && (one.includes(wanted) || wanted.includes(one)));
  });
  return near ?? null;
}
