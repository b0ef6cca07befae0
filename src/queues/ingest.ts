import { assert } from "../core/assert.ts";
import { type Header, readHeader } from "../core/csv.ts";
import { type CampaignId, type ImportId, makeId, type WorkspaceId } from "../core/ids.ts";
import { type BadRow, countReasons, rowsOfPart, sortRows } from "../core/import.ts";
import type { Refusal } from "../core/result.ts";
import { type Db, database } from "../db/database.ts";
import {
  failImport,
  findImport,
  type ImportRow,
  noteImport,
  type Progress,
  readPart,
  recordPart,
  type StoredPart,
} from "../db/imports.ts";
import type { IngestResult } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import type { IngestMessage } from "./messages.ts";

/** Parts that one message carries before it is sent on: far within the CPU time of a delivery. */
const PARTS_AT_ONCE = 40;
/** Shorter than the watchdog's patience, so that a message on its way back is not sent again. */
const RETRY_SECONDS_MAX = 30;
/** Rejected rows that share a row of D1. */
const REJECTS_ROWS = 500;
const REJECTS_CHARS = 250_000;

const AWAY = "Waits: a part of outdial is away. It goes on by itself.";

/**
 * Carries parts of imports to their Dialers: imports side by side, the parts of one in order. Only
 * D1 says which part is next, and the Dialer takes each part once, so messages may come twice, in
 * any order, or for what is over (H36).
 */
export async function handleIngest(batch: MessageBatch<IngestMessage>, env: Env): Promise<void> {
  const groups = new Map<ImportId, Message<IngestMessage>[]>();
  for (const message of batch.messages) {
    const group = groups.get(message.body.import);
    if (group === undefined) groups.set(message.body.import, [message]);
    else group.push(message);
  }
  await Promise.all([...groups.values()].map((group) => handleOne(env, group)));
}

/** Messages of one import: the one for the latest part stands for all. */
async function handleOne(env: Env, messages: Message<IngestMessage>[]): Promise<void> {
  const [latest, ...others] = messages.toSorted((a, b) => b.body.part - a.body.part);
  assert(latest !== undefined, "a group has a message");
  for (const message of others) message.ack();
  const { workspace, import: id } = latest.body;
  try {
    const next = await carry(env, latest);
    if (next !== null) await env.INGEST.send({ workspace, import: id, part: next });
    latest.ack();
  } catch (error) {
    logFault("ingest", error, { workspace, import: id });
    await noteImport(database(env), workspace, id, AWAY, Date.now()).catch(() => undefined);
    latest.retry({ delaySeconds: Math.min(RETRY_SECONDS_MAX, 2 ** latest.attempts) });
  }
}

/** Carries an import on from its next part; the part that another message must carry, or null. */
async function carry(env: Env, message: Message<IngestMessage>): Promise<number | null> {
  const { workspace, import: id, part } = message.body;
  let row = await findImport(database(env), workspace, id);
  if (row === null || row.status !== "running") return null;
  // A part that is done was carried by another message, which carries on; or by this one, which
  // broke off later.
  if (part < row.partsDone && message.attempts === 1) return null;
  const header = readHeader(row.header);
  assert(header.ok, "the upload has checked the header");
  for (let carried = 0; carried < PARTS_AT_ONCE; carried++) {
    row = await carryPart(env, row, header.value);
    if (row === null || row.status !== "running") return null;
  }
  return row.partsDone;
}

/** The import after its next part; null when it waits, is over, or another delivery was quicker. */
async function carryPart(env: Env, row: ImportRow, header: Header): Promise<ImportRow | null> {
  const db = database(env);
  const workspace = row.workspace as WorkspaceId;
  const id = row.id as ImportId;
  const part = row.partsDone;
  const read = await readPart(db, workspace, id, part);
  if (read === null) return withoutPart(env, db, row);

  const { good, bad } = sortRows(header, rowsOfPart(read.body), row.options);
  const reply = await dialerOf(env, workspace).ingest({
    import: id,
    part,
    last: part + 1 === row.parts,
    allowDuplicates: row.options.allowDuplicates,
    rows: good,
  });
  if (!reply.ok) return refused(env, db, row, reply);

  const found = [...bad, ...reply.value.rejected].sort((a, b) => a.line - b.line);
  const recorded = await record(db, row, read, reply.value, found);
  const { taken } = reply.value;
  console.log(JSON.stringify({ event: "ingest", import: id, part, taken, rejected: found.length }));
  return recorded;
}

/** Records a part; the cells of whoever was erased from it meanwhile stay out of what is kept. */
async function record(
  db: Db,
  row: ImportRow,
  part: StoredPart,
  result: IngestResult,
  found: readonly Omit<BadRow, "cells">[],
): Promise<ImportRow | null> {
  const workspace = row.workspace as WorkspaceId;
  const kept = rowsOfPart(part.body);
  const cells = new Map(kept.map(([line, cells]) => [line, cells]));
  const bad = found.map(({ line, reason }) => {
    return { line, reason, cells: reason === "erased" ? [] : (cells.get(line) ?? []) };
  });
  const progress = { ...progressOf(row, kept.length, result, bad), read: part.rows };
  const recorded = await recordPart(db, workspace, row, progress, Date.now());
  if (recorded !== null) return recorded;
  const again = await readPart(db, workspace, row.id as ImportId, row.partsDone);
  // The same still: another delivery was quicker.
  if (again === null || again.rows === part.rows) return null;
  return record(db, row, again, result, found);
}

function progressOf(
  row: ImportRow,
  rows: number,
  result: IngestResult,
  bad: BadRow[],
): Omit<Progress, "read"> {
  return {
    rowsRead: row.rowsRead + rows,
    rowsTaken: row.rowsTaken + result.taken,
    rejected: countReasons(bad, row.rejected),
    bad: groupsOf(bad),
    note: null,
  };
}

/** Rejected rows in groups that fit a row of D1. */
function groupsOf(bad: BadRow[]): BadRow[][] {
  const groups: BadRow[][] = [];
  let chars = 0;
  for (const row of bad) {
    const own = row.cells.reduce((sum, cell) => sum + cell.length + 3, 60);
    const last = groups.at(-1);
    if (last === undefined || last.length >= REJECTS_ROWS || chars + own > REJECTS_CHARS) {
      groups.push([row]);
      chars = own;
    } else {
      last.push(row);
      chars += own;
    }
  }
  return groups;
}

/** What a Dialer that takes no rows means for the import (H11, H41). */
async function refused(
  env: Env,
  db: Db,
  row: ImportRow,
  refusal: Refusal,
): Promise<ImportRow | null> {
  const workspace = row.workspace as WorkspaceId;
  const id = row.id as ImportId;
  switch (refusal.code) {
    case "full":
      // The watchdog asks again, every minute.
      await noteImport(db, workspace, id, `Waits: ${refusal.message}`, Date.now());
      return null;
    case "unavailable":
      throw new Error(`the Dialer takes no rows now: ${refusal.message}`);
    case "not_found": {
      const campaign: CampaignId = makeId("cmp", workspace, row.campaign);
      const opened = await dialerOf(env, workspace).openImport(id, campaign);
      if (opened.ok) return row;
      return fail(env, db, row, opened.message);
    }
    default:
      return fail(env, db, row, refusal.message);
  }
}

async function withoutPart(env: Env, db: Db, row: ImportRow): Promise<null> {
  const again = await findImport(db, row.workspace as WorkspaceId, row.id as ImportId);
  if (again?.status !== "running" || again.partsDone !== row.partsDone) return null;
  return fail(env, db, row, "A part of the file is missing.");
}

/** The import can get no further: what it has taken is let go, and it says why. */
async function fail(env: Env, db: Db, row: ImportRow, why: string): Promise<null> {
  const workspace = row.workspace as WorkspaceId;
  const id = row.id as ImportId;
  await dialerOf(env, workspace).dropImport(id);
  const note = `Failed: ${why} Import the missing rows again.`;
  await failImport(db, workspace, id, note, Date.now());
  return null;
}
