import { type Header, readRow } from "./csv.ts";
import { type BadRow, type KeptRow, rowsOfPart } from "./import.ts";
import { mentions, type PhoneReading, withoutNumber } from "./phone.ts";

/**
 * A part of a file without the rows of a person who was erased: each keeps its line and is rejected
 * as `erased`. Null when none is his. Others who mention the number in their values keep them.
 */
export function partWithout(
  body: string,
  header: Header,
  how: PhoneReading,
  phone: string,
): { body: string; rows: number } | null {
  let rows = 0;
  const kept = rowsOfPart(body).map((row): KeptRow => {
    if (!isOf(row, header, how, phone)) return row;
    rows += 1;
    return [row[0], [], "erased"];
  });
  return rows === 0 ? null : { body: JSON.stringify(kept), rows };
}

function isOf(
  [, cells, damage]: KeptRow,
  header: Header,
  how: PhoneReading,
  phone: string,
): boolean {
  const read = damage === undefined ? readRow(header, cells, how) : null;
  if (read?.ok) return read.phone === phone;
  return cells.some((cell) => mentions(cell, phone));
}

/** Rejected rows, those of a person who was erased without their cells; null when none is his. */
export function rejectsWithout(
  rows: readonly BadRow[],
  phone: string,
): { rows: BadRow[]; emptied: number } | null {
  let emptied = 0;
  const kept = rows.map((row) => {
    if (!row.cells.some((cell) => mentions(cell, phone))) return row;
    emptied += 1;
    return { ...row, cells: [] };
  });
  return emptied === 0 ? null : { rows: kept, emptied };
}

/** A JSON text whose texts do not quote this number any more; null where none did. */
export function jsonWithout(json: string, phone: string): string | null {
  let found = false;
  const kept: unknown = JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== "string") return value;
    const text = withoutNumber(value, phone);
    if (text !== value) found = true;
    return text;
  });
  return found ? JSON.stringify(kept) : null;
}
