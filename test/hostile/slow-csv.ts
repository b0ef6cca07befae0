/** A row as the slow reading finds it: the line on which it starts, and whether a quote in it never closed. */
export type SlowRow = { line: number; cells: string[]; broken: boolean };

/** Far beyond any value: a quote still open after that is a mistake. */
const QUOTED_MAX = 262_144;
/** Far beyond any header: what a line has more is dropped. */
const CELLS_MAX = 10_000;

/**
 * The rows of a CSV, read the slow way: line by line and sign by sign, a quoted cell over as many
 * lines as it takes. A quote that never closes, or closes on another line in front of text, costs
 * its own line alone. Rows of blanks are left out.
 */
export function readSlowly(text: string, delimiter: string): SlowRow[] {
  const lines = text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  const rows: SlowRow[] = [];
  for (let line = 0; line < lines.length; ) {
    const row = rowAt(lines, line, delimiter);
    if (row.cells.some((cell) => cell.trim() !== "")) {
      rows.push({ line: line + 1, cells: row.cells.slice(0, CELLS_MAX), broken: row.broken });
    }
    line = row.last + 1;
  }
  return rows;
}

function rowAt(
  lines: string[],
  start: number,
  delimiter: string,
): { cells: string[]; last: number; broken: boolean } {
  const cells: string[] = [];
  let line = start;
  let column = 0;
  let own = withoutEnd(lines[line] ?? "");
  for (;;) {
    if (own[column] !== '"') {
      const end = own.indexOf(delimiter, column);
      cells.push(own.slice(column, end === -1 ? undefined : end));
      if (end === -1) return { cells, last: line, broken: false };
      column = end + 1;
      continue;
    }
    const quoted = quotedAt(lines, line, column);
    const there = quoted === null ? own : withoutEnd(lines[quoted.line] ?? "");
    const end = quoted === null ? -1 : there.indexOf(delimiter, quoted.column);
    const tail = quoted === null ? "" : there.slice(quoted.column, end === -1 ? undefined : end);
    if (quoted === null || (quoted.line !== line && tail.trim() !== "")) {
      return { cells: [...cells, ...own.slice(column).split(delimiter)], last: line, broken: true };
    }
    cells.push(tail.trim() === "" ? quoted.value : quoted.value + tail);
    line = quoted.line;
    own = there;
    if (end === -1) return { cells, last: line, broken: false };
    column = end + 1;
  }
}

/** The value of the quoted cell that starts here, and what follows its closing quote; null without one. */
function quotedAt(
  lines: string[],
  line: number,
  column: number,
): { value: string; line: number; column: number } | null {
  let value = "";
  let signs = 0;
  for (let at = line, from = column + 1; at < lines.length; at++, from = 0) {
    const text = lines[at] ?? "";
    for (let n = from; n < text.length; n++) {
      signs += 1;
      if (signs > QUOTED_MAX) return null;
      if (text[n] !== '"') {
        value += text[n];
      } else if (text[n + 1] === '"') {
        value += '"';
        signs += 1;
        n += 1;
      } else {
        return { value, line: at, column: n + 1 };
      }
    }
  }
  return null;
}

function withoutEnd(line: string): string {
  return line.replace(/[\r\n]+$/, "");
}

/** The delimiter of a file whose first header is `phone`: the sign behind it. */
export function delimiterOf(text: string): string {
  const match = /^\s*"*[^\S\t\r\n]*'?phone[^\S\t\r\n]*"*[^\S\t\r\n]*([,;\t])?/i.exec(text);
  return match?.[1] ?? ",";
}

/** One line of a CSV, every cell in quotes. */
export function quotedLine(cells: string[]): string {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\r\n`;
}
