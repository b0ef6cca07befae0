import {
  detectDelimiter,
  detectEncoding,
  HEAD_BYTES,
  type Header,
  type Row,
  RowStream,
  readHeader,
} from "../core/csv.ts";
import { withoutNumbers } from "../core/phone.ts";
import type { Warning } from "../core/result.ts";
import { invalid } from "./errors.ts";

/** The first line decides on the delimiter; one that is longer decides by its beginning. */
const FIRST_LINE_CHARS = 65_536;
const HEADER_CHARS_MAX = 65_536;
const HEADER_CELLS_MAX = 1_000;
const REPLACEMENT = "\ufffd";

/** A CSV whose header is read and whose rows come as the file comes (H5, H7). */
export class CsvFile {
  readonly headerCells: string[];
  readonly header: Header;
  readonly #early: Row[];
  readonly #rest: AsyncGenerator<Row[], void>;
  readonly #text: FileText;

  private constructor(first: Row, early: Row[], rest: AsyncGenerator<Row[], void>, text: FileText) {
    this.headerCells = first.cells;
    this.header = headerOf(first);
    this.#early = early;
    this.#rest = rest;
    this.#text = text;
  }

  /** Reads to the header. An empty file, a binary one and a header without `phone` are refused. */
  static async open(pieces: AsyncIterable<Uint8Array>): Promise<CsvFile> {
    const text = new FileText(pieces);
    const rest = rowsOf(text.read());
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      const [first, ...early] = next.value;
      if (first !== undefined) return new CsvFile(first, early, rest, text);
    }
    throw invalid({ path: "file", expected: "a CSV with a header and rows", got: "an empty file" });
  }

  /** The rows below the header, some at a time; a file without any, or with too many, is refused. */
  async *rows(rowsMax: number): AsyncGenerator<Row[], void> {
    let count = this.#early.length;
    if (count > rowsMax) throw tooMany(rowsMax);
    yield this.#early;
    for await (const rows of this.#rest) {
      count += rows.length;
      if (count > rowsMax) throw tooMany(rowsMax);
      yield rows;
    }
    if (count === 0) {
      throw invalid({ path: "rows", expected: "at least one row below the header", got: "none" });
    }
  }

  /** What is odd about the file as a whole, once its rows were read. */
  warnings(): Warning[] {
    if (!this.#text.damaged) return [];
    const message = "Some letters are not UTF-8 and came as \ufffd: save the file as UTF-8.";
    return [{ path: "file", message }];
  }
}

/** The text of a file's bytes. */
class FileText {
  readonly #pieces: AsyncIterable<Uint8Array>;
  /** Whether bytes came that mean nothing in the file's encoding. */
  damaged = false;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces;
  }

  async *read(): AsyncGenerator<string, void> {
    let head = new Uint8Array();
    let decoder: TextDecoder | null = null;
    for await (const piece of this.#pieces) {
      if (decoder !== null) {
        yield this.#checked(decoder.decode(piece, { stream: true }));
        continue;
      }
      const longer = new Uint8Array(head.length + piece.length);
      longer.set(head);
      longer.set(piece, head.length);
      head = longer;
      if (head.length < HEAD_BYTES) continue;
      const found = encodingOf(head);
      decoder = found.decoder;
      yield this.#checked(decoder.decode(found.text, { stream: true }));
    }
    if (decoder === null) {
      const found = encodingOf(head);
      yield this.#checked(found.decoder.decode(found.text));
    } else {
      yield this.#checked(decoder.decode());
    }
  }

  #checked(text: string): string {
    if (!this.damaged && text.includes(REPLACEMENT)) this.damaged = true;
    return text;
  }
}

function encodingOf(head: Uint8Array): { decoder: TextDecoder; text: Uint8Array } {
  const found = detectEncoding(head);
  if ("binary" in found) {
    const expected = "a CSV: text in UTF-8 or UTF-16";
    throw invalid({ path: "file", expected, got: "a binary file" });
  }
  return { decoder: new TextDecoder(found.encoding), text: head.subarray(found.bomBytes) };
}

async function* rowsOf(texts: AsyncIterable<string>): AsyncGenerator<Row[], void> {
  let head = "";
  let isBlank = true;
  let stream: RowStream | null = null;
  for await (const text of texts) {
    if (stream !== null) {
      yield stream.push(text);
      continue;
    }
    head += text;
    // Looks at what is new alone: a file may come byte by byte.
    const start = isBlank ? text.search(/\S/) : 0;
    if (start >= 0) isBlank = false;
    const hasLine = start >= 0 && /[\r\n]/.test(text.slice(start));
    if (!hasLine && head.length < FIRST_LINE_CHARS) continue;
    stream = streamFor(head);
    yield stream.push(head);
  }
  if (stream !== null) return yield stream.end();
  stream = streamFor(head);
  yield [...stream.push(head), ...stream.end()];
}

function streamFor(head: string): RowStream {
  const firstLine = head
    .slice(0, FIRST_LINE_CHARS)
    .trimStart()
    .split(/[\r\n]/, 1)[0];
  return new RowStream(detectDelimiter(firstLine ?? ""));
}

function headerOf({ cells, fault }: Row): Header {
  if (fault !== undefined) {
    throw invalid({ path: "header", expected: "a closing quote", got: "an open quote" });
  }
  const chars = cells.reduce((sum, cell) => sum + cell.length, 0);
  if (cells.length > HEADER_CELLS_MAX || chars > HEADER_CHARS_MAX) {
    const expected = `at most ${HEADER_CELLS_MAX} columns and ${HEADER_CHARS_MAX} characters`;
    throw invalid({ path: "header", expected, got: `${cells.length} and ${chars}` });
  }
  const read = readHeader(cells);
  if (read.ok) return read.value;
  // A file without a header starts with a number.
  throw invalid(...read.issues.map((one) => ({ ...one, got: withoutNumbers(one.got) })));
}

function tooMany(rowsMax: number) {
  return invalid({ path: "rows", expected: `at most ${rowsMax} rows`, got: "more" });
}
