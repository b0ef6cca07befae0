import type { CampaignType } from "./campaign.ts";
import { type Header, type Row, type RowReason, readRow } from "./csv.ts";
import type { PhoneReading } from "./phone.ts";
import { type Refusal, refuse } from "./result.ts";

/** Most rows of one file, unless the deployment sets another number (H6). */
export const IMPORT_ROWS_MAX = 100_000;

export const IMPORT_STATUSES = [
  "uploading", // its rows are being stored; nobody sees it, and it has no effect
  "abandoned", // such an upload that failed or stopped: it is being removed
  "running", // all rows are stored; the ingest queue carries them to the Dialer
  "completed", // each good row is a task
  "failed", // it can never complete; what it has taken stays
] as const;
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

/** How an import reads its numbers and what it does with repeated ones (H8, H9). */
export type ImportOptions = PhoneReading & { allowDuplicates: boolean };

/** How long a completed batch can be taken up again by an import, ms (H28). */
export const REVIVABLE_MS = 90 * 24 * 3_600_000;

/** Why a campaign takes no import, or null (H1, H28). */
export function refusesImport(
  campaign: {
    type: CampaignType;
    endAfter: number | null;
    completedAt: number | null;
    archivedAt: number | null;
  },
  now: number,
): Refusal | null {
  const { type, endAfter, completedAt, archivedAt } = campaign;
  if (type === "realtime") {
    return refuse("conflict", "A realtime campaign takes pushes, not imports.");
  }
  if (archivedAt !== null) {
    return refuse("conflict", "The campaign is archived: it takes no more rows.");
  }
  if (endAfter !== null && endAfter <= now) {
    return refuse("conflict", "The campaign's end has passed.");
  }
  if (completedAt !== null && completedAt <= now - REVIVABLE_MS) {
    return refuse("conflict", "The campaign was completed too long ago: make another one.");
  }
  return null;
}

/** A row of a file as a part keeps it: line, cells, and what was wrong with it before it was read. */
export type KeptRow = [line: number, cells: string[], reason?: RowReason];

/** Rows of a file that one call to the Dialer can carry, in one row of D1. */
export type Part = { rows: number; body: string };

const PART_ROWS_MAX = 2_500;
/** About the bytes of a call: half of what one value of SQLite holds, since the Dialer quotes twice. */
const PART_COST_MAX = 800_000;
/** What a row costs beside its text. */
const ROW_COST = 100;
/** A longer row, far beyond any context, is kept only in its beginnings. */
const ROW_CHARS_MAX = 65_536;
const CELLS_KEPT = 200;
const CELL_CHARS_KEPT = 100;

/** Cuts the rows of a file into parts, in order. */
export class PartCutter {
  readonly #headCost: number;
  #rows: string[] = [];
  #cost = 0;

  constructor(keys: readonly string[]) {
    this.#headCost = ROW_COST + bytesMost(JSON.stringify(keys)) + keys.length * 4;
  }

  /** Adds a row; the part that is full before it, or null. */
  add(row: Row): Part | null {
    const text = JSON.stringify(keptRow(row));
    const cost = this.#headCost + bytesMost(text);
    const full = this.#rows.length >= PART_ROWS_MAX || this.#cost + cost > PART_COST_MAX;
    const part = full ? this.end() : null;
    this.#rows.push(text);
    this.#cost += cost;
    return part;
  }

  /** What is left, or null. */
  end(): Part | null {
    if (this.#rows.length === 0) return null;
    const part = { rows: this.#rows.length, body: `[${this.#rows.join(",")}]` };
    this.#rows = [];
    this.#cost = 0;
    return part;
  }
}

/** A row as it is kept and read: one that is too long is rejected with the beginnings of its cells. */
export function keptRow({ line, cells, fault }: Row): KeptRow {
  const chars = cells.reduce((sum, cell) => sum + cell.length + 3, 0);
  if (chars > ROW_CHARS_MAX) {
    const kept = cells.slice(0, CELLS_KEPT).map((cell) => cell.slice(0, CELL_CHARS_KEPT));
    return [line, kept, "context_too_large"];
  }
  return fault === undefined ? [line, cells] : [line, cells, fault];
}

/** The rows that a part keeps. */
export function rowsOfPart(body: string): KeptRow[] {
  return JSON.parse(body) as KeptRow[];
}

/** At most this many bytes of UTF-8. */
function bytesMost(text: string): number {
  return /[^\0-\x7f]/.test(text) ? text.length * 3 : text.length;
}

export type GoodRow = { line: number; phone: string; context: Record<string, string> };
export type BadRow = { line: number; reason: RowReason; cells: string[] };

/** Rows by whether they can become tasks (H7); the Dialer still rejects some of the good ones. */
export function sortRows(
  header: Header,
  rows: readonly KeptRow[],
  how: PhoneReading,
): { good: GoodRow[]; bad: BadRow[] } {
  const good: GoodRow[] = [];
  const bad: BadRow[] = [];
  for (const [line, cells, damage] of rows) {
    if (damage !== undefined) {
      bad.push({ line, reason: damage, cells });
      continue;
    }
    const read = readRow(header, cells, how);
    if (read.ok) good.push({ line, phone: read.phone, context: read.context });
    else bad.push({ line, reason: read.reason, cells });
  }
  return { good, bad };
}

/** Rejected rows by reason. */
export type Rejected = Partial<Record<RowReason, number>>;

/** Counts rows by reason, on top of those before. */
export function countReasons(rows: readonly { reason: RowReason }[], before: Rejected): Rejected {
  const counts = { ...before };
  for (const { reason } of rows) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** All reasons together. */
export function countRejected(rejected: Rejected): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}
