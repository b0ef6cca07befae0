/** A row and the line of the file on which it starts; the first line is 1. */
export type Row = { cells: string[]; line: number; fault?: "unclosed_quote" };

/**
 * Cuts the text of a file into rows, piece by piece and in linear time. A cell that starts with a
 * quote runs to its closing quote, over delimiters and line ends; `""` in it is a quote, and text
 * behind it belongs to the cell. LF, CRLF and CR end a line. Rows of blank cells are left out.
 *
 * A quote that never closes, or only `CELL_CHARS_MAX` later, or on another line with text behind
 * it, costs no other line than its own (H7): its row ends with that line, read without regard to
 * the quote, and carries a `fault`; the next line is read as usual. That stays linear: a line that
 * left the quote open holds only pairs of quotes, so by itself it leaves none open.
 *
 * papaparse does not do this: cut into pieces it cuts rows, it knows one kind of line end a file,
 * and after `"Bob" Smith` it swallows the rows that follow. The tests compare the two.
 */
export class RowStream {
  readonly #delimiter: string;
  #rest = "";
  #pending = "";
  #line = 1;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The rows that this piece of text completes. */
  push(text: string): Row[] {
    this.#pending += text;
    // An unfinished row is read again from its start: only when a good part of it is new.
    if (this.#pending.length * 4 < this.#rest.length) return [];
    return this.#read(false);
  }

  /** The rows that are left when the file ends. */
  end(): Row[] {
    return this.#read(true);
  }

  #read(ended: boolean): Row[] {
    const text = this.#rest + this.#pending;
    const rows: Row[] = [];
    let at = 0;
    while (at < text.length) {
      const cut = cutRow({ text, ended, delimiter: this.#delimiter }, at);
      if (cut === null) break;
      const { cells, faulty } = cut;
      if (!cells.every(isBlank)) {
        const row = { cells, line: this.#line };
        rows.push(faulty ? { ...row, fault: "unclosed_quote" } : row);
      }
      this.#line += cut.lines;
      at = cut.next;
    }
    this.#rest = text.slice(at);
    this.#pending = "";
    return rows;
  }
}

/** Far beyond any value that fits a context: a quote still open after that is a mistake. */
export const CELL_CHARS_MAX = 262_144;
/** Far beyond any header: a line's further cells are dropped, so that no line fills the memory. */
const CELLS_MAX = 10_000;

const QUOTE = 34;
const LF = 10;
const CR = 13;

type Source = { text: string; ended: boolean; delimiter: string };
type Cut = { cells: string[]; next: number; lines: number; faulty: boolean };

/** The row that starts at `from`, or null while its end may lie in text to come. */
function cutRow(source: Source, from: number): Cut | null {
  const { text, ended, delimiter } = source;
  const cells: string[] = [];
  let lines = 1;
  for (let at = from; ; at += 1) {
    if (text.charCodeAt(at) !== QUOTE) {
      const end = cellEnd(text, at, delimiter);
      if (cells.length < CELLS_MAX) cells.push(text.slice(at, end));
      at = end;
    } else {
      const close = closingQuote(source, at);
      if (close === "later") return null;
      if (close === null) return endLine(source, at, { cells, lines });
      const end = cellEnd(text, close + 1, delimiter);
      const breaks = lineBreaks(text, at, close);
      const tail = text.slice(close + 1, end);
      if (breaks > 0 && !isBlank(tail)) return endLine(source, at, { cells, lines });
      const value = text.slice(at + 1, close).replaceAll('""', '"');
      if (cells.length < CELLS_MAX) cells.push(isBlank(tail) ? value : value + tail);
      lines += breaks;
      at = end;
    }
    if (at >= text.length) return ended ? { cells, next: at, lines, faulty: false } : null;
    if (text[at] !== delimiter) {
      const next = afterBreak(source, at);
      return next === null ? null : { cells, next, lines, faulty: false };
    }
  }
}

/** The end of a row whose cell at `at` opens a quote in vain: the end of that line. */
function endLine(source: Source, at: number, row: { cells: string[]; lines: number }): Cut | null {
  const { text, ended, delimiter } = source;
  const end = cellEnd(text, at, null);
  const cells = [...row.cells, ...text.slice(at, end).split(delimiter, CELLS_MAX)];
  if (end >= text.length) return ended ? { ...row, cells, next: end, faulty: true } : null;
  const next = afterBreak(source, end);
  return next === null ? null : { ...row, cells, next, faulty: true };
}

/** Where the quote at `open` closes; null when it does not, `later` when text to come decides. */
function closingQuote({ text, ended }: Source, open: number): number | "later" | null {
  let at = open;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return ended || text.length - open > CELL_CHARS_MAX ? null : "later";
    if (at - open > CELL_CHARS_MAX) return null;
    if (text.charCodeAt(at + 1) !== QUOTE) return at;
    at += 1;
  }
}

/** Where the delimiter or the line end after `from` is; the text's end when there is none. */
function cellEnd(text: string, from: number, delimiter: string | null): number {
  const stop = delimiter === null ? LF : delimiter.charCodeAt(0);
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === stop || code === LF || code === CR) return at;
  }
  return text.length;
}

/** Where the text goes on after the line end at `at`; null while a CR may be half of a CRLF. */
function afterBreak({ text, ended }: Source, at: number): number | null {
  if (text.charCodeAt(at) === LF) return at + 1;
  if (at + 1 >= text.length && !ended) return null;
  return text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
}

function lineBreaks(text: string, from: number, to: number): number {
  let breaks = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === LF || (code === CR && text.charCodeAt(at + 1) !== LF)) breaks += 1;
  }
  return breaks;
}

export function isBlank(cell: string): boolean {
  return cell.trim() === "";
}
