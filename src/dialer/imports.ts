import { assert } from "../core/assert.ts";
import { refusesImport } from "../core/import.ts";
import { type Refusal, refuse } from "../core/result.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { erasedAmong } from "./erase.ts";
import { tellOfImport } from "./events.ts";
import { campaignOf } from "./moves.ts";
import { hasRoom, NO_ROOM } from "./room.ts";
import { first } from "./sql.ts";
import type { ImportState, State } from "./state.ts";
import { suppressedAmong } from "./suppressed.ts";
import { type Arrival, completeIfDone, enqueue, laneKey } from "./tasks.ts";
import type { Done, ImportRow, IngestRequest, IngestResult } from "./verbs.ts";

/** Opens an import into a batch (H1, H28); repeating it is harmless. */
export function open(
  state: State,
  id: string,
  campaignId: string,
  now: number,
): Done<null> | Refusal {
  const campaign = campaignOf(state, campaignId);
  if (campaign === null) return refuse("not_found", "There is no such campaign.");
  const known = state.importOf(id);
  if (known !== null) return { ok: true, value: null };
  const closed = refusesRows(campaign, now);
  if (closed !== null) return closed;
  state.saveImport({ id, campaign: campaign.id, open: true, taken: 0 });
  return { ok: true, value: null };
}

/** Why a campaign takes no rows now, or null (H1, H28). */
function refusesRows({ settings, completedAt, archivedAt }: Campaign, now: number): Refusal | null {
  return refusesImport({ ...settings, completedAt, archivedAt }, now);
}

/** Ends an import that will never complete: rows that it took wait no longer for it (H11). */
export function drop(state: State, id: string, now: number): Done<null> | Refusal {
  const known = state.importOf(id);
  if (known?.open) close(state, known, now);
  else state.sql.run("DELETE FROM erased WHERE import = ?", id);
  return { ok: true, value: null };
}

/**
 * Takes one part of an import in, exactly once (H35, H36): a repeated part gets the stored
 * answer. Parts come in order, so that of two equal numbers the first row wins (H9).
 */
export function ingest(
  state: State,
  request: IngestRequest,
  random: () => number,
  now: number,
): Done<IngestResult> | Refusal {
  const known = state.importOf(request.import);
  if (known === null) return refuse("not_found", "There is no such import.");
  const stored = first<{ result: string }>(
    state.sql,
    "SELECT result FROM import_part WHERE import = ? AND part = ?",
    request.import,
    request.part,
  );
  if (stored !== null) return { ok: true, value: JSON.parse(stored.result) as IngestResult };
  if (!known.open) return refuse("conflict", "The import is complete.");
  if (request.part !== nextPart(state, request.import)) {
    return refuse("conflict", "The parts of an import come in order.");
  }
  if (!hasRoom(state)) return NO_ROOM;
  const campaign = state.campaign(known.campaign);
  const result = takeRows(state, campaign, request, random, now);
  state.sql.run(
    "INSERT INTO import_part (import, part, result) VALUES (?, ?, ?)",
    request.import,
    request.part,
    JSON.stringify(result),
  );
  if (result.taken > 0 || request.last) {
    known.taken += result.taken;
    if (request.last) close(state, known, now);
    else state.saveImport(known);
  }
  return { ok: true, value: result };
}

function nextPart(state: State, id: string): number {
  const row = first<{ part: number | null }>(
    state.sql,
    "SELECT MAX(part) AS part FROM import_part WHERE import = ?",
    id,
  );
  return (row?.part ?? -1) + 1;
}

function takeRows(
  state: State,
  campaign: Campaign,
  request: IngestRequest,
  random: () => number,
  now: number,
): IngestResult {
  const { rows } = request;
  if (rows.length === 0) return { taken: 0, rejected: [] };
  if (refusesRows(campaign, now) !== null) {
    const rejected = rows.map(({ line }) => ({ line, reason: "campaign_over" as const }));
    return { taken: 0, rejected };
  }
  const hashes = rows.map((row) => state.hashPhone(row.phone));
  const erased = erasedAmong(state, request.import, hashes);
  const suppressed = suppressedAmong(state.sql, hashes, now);
  const seen = seenAmong(state, campaign, hashes);
  const rejected: IngestResult["rejected"] = [];
  const taken: { row: ImportRow; hash: string }[] = [];
  for (const [index, row] of rows.entries()) {
    const hash = hashes[index];
    assert(hash !== undefined, "every row has its hash");
    if (erased.has(hash)) rejected.push({ line: row.line, reason: "erased" });
    else if (suppressed.has(hash)) rejected.push({ line: row.line, reason: "suppressed" });
    else if (seen.has(hash) && !request.allowDuplicates) {
      rejected.push({ line: row.line, reason: "duplicate" });
    } else {
      seen.add(hash);
      taken.push({ row, hash });
    }
  }
  if (taken.length > 0) {
    revive(state, campaign);
    keepSeen(state, campaign, taken);
    enqueue(state, campaign, arrivalsOf(state, campaign, request, taken, random, now), now);
  }
  return { taken: taken.length, rejected };
}

function seenAmong(state: State, campaign: Campaign, hashes: string[]): Set<string> {
  const rows = state.sql.all<{ hash: string }>(
    "SELECT hash FROM seen_phone WHERE campaign = ? AND hash IN (SELECT value FROM json_each(?))",
    campaign.id,
    JSON.stringify(hashes),
  );
  return new Set(rows.map((row) => row.hash));
}

function keepSeen(state: State, campaign: Campaign, taken: { hash: string }[]): void {
  state.sql.run(
    `INSERT INTO seen_phone (campaign, hash) SELECT ?, value FROM json_each(?) WHERE true
     ON CONFLICT DO NOTHING`,
    campaign.id,
    JSON.stringify(taken.map((one) => one.hash)),
  );
}

function arrivalsOf(
  state: State,
  campaign: Campaign,
  request: IngestRequest,
  taken: { row: ImportRow; hash: string }[],
  random: () => number,
  now: number,
): Arrival[] {
  const at = { callback: false, import: request.import, pause: null };
  const lane = state.lane(laneKey(campaign, null, 1, at));
  let id = state.nextIds(taken.length);
  return taken.map(({ row, hash }) => ({
    id: id++,
    import: request.import,
    phone: row.phone,
    hash,
    context: row.context,
    settings: null,
    externalId: null,
    lane,
    at: 0,
    tiebreak: Math.floor(random() * 2 ** 31),
    createdAt: now,
    endsAt: null,
  }));
}

/** Rows bring a completed batch back (H28). */
function revive(state: State, campaign: Campaign): void {
  if (campaign.completedAt === null) return;
  campaign.completedAt = null;
  campaign.swept = false;
  state.touch(campaign, "all");
}

/** The import is complete: its lanes open, and "start now" was this instant (H11). */
function close(state: State, known: ImportState, now: number): void {
  known.open = false;
  state.saveImport(known);
  state.sql.run("DELETE FROM erased WHERE import = ?", known.id);
  tellOfImport(state, known);
  const campaign = state.campaign(known.campaign);
  if (isOver(campaign)) {
    // What kept its tasks from leaving is gone: a flush lets them go.
    state.changes.other();
    return;
  }
  if (campaign.startsAt === null && known.taken > 0) {
    campaign.startsAt = now;
    state.touch(campaign, "all");
  }
  state.lanes.rankCampaign(campaign.id, now);
  completeIfDone(state, campaign, now);
}
