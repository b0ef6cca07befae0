import type { Import } from "../contract/import.ts";
import { PROBLEMS_SHOWN } from "../contract/import.ts";
import { readHeader, rejectedHead, rejectedLines } from "../core/csv.ts";
import { type ImportId, makeId, parseId, type WorkspaceId } from "../core/ids.ts";
import { countRejected } from "../core/import.ts";
import { refuse } from "../core/result.ts";
import { noteEntry } from "../db/audit.ts";
import { database } from "../db/database.ts";
import {
  type ImportRow,
  listImports,
  readImport,
  readProblems,
  readRejects,
} from "../db/imports.ts";
import { acceptImport } from "./accept.ts";
import type { Ctx } from "./context.ts";
import { csvReply } from "./csv-reply.ts";
import { entryOf } from "./entry.ts";
import { notFound, Refused } from "./errors.ts";
import { findCampaign, keyIn } from "./find.ts";
import { mapPage, pageRequest } from "./list.ts";
import { previewImport } from "./preview.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/campaigns/{id}/imports"> = async (c, { params, query }) => {
  const { dryRun, ...how } = query;
  if (dryRun) return c.json(await previewImport(c, params.id, how));
  return c.json(importWire(c, await acceptImport(c, params.id, how)), 202);
};

export const list: Handler<"GET /v1/campaigns/{id}/imports"> = async (c, { params, query }) => {
  const campaign = keyIn(c, "cmp", (await findCampaign(c, params.id)).id);
  const page = pageRequest(query, "text");
  const found = await listImports(database(c.env), c.get("workspace"), campaign, page);
  return c.json(mapPage(found, (row) => importWire(c, row)));
};

export const read: Handler<"GET /v1/campaigns/{id}/imports/{importId}"> = async (c, { params }) => {
  const row = await find(c, params);
  const problems = await readProblemsOf(c, row, PROBLEMS_SHOWN);
  return c.json({ ...importWire(c, row), problems });
};

/** Streams the rejected rows as a CSV that can be mended and imported again (H7). */
export const downloadRejected: Handler<
  "GET /v1/campaigns/{id}/imports/{importId}/rejected.csv"
> = async (c, { params }) => {
  const row = await find(c, params);
  const whole = row.completedAt !== null && countRejected(row.rejected) > 0;
  if (whole && (await readProblemsOf(c, row, 1)).length === 0) {
    const message = "The rejected rows of this import are gone: they are kept for 30 days.";
    throw new Refused(refuse("not_found", message));
  }
  const deed = { action: "import.export", targetKind: "import", target: row.id };
  await noteEntry(database(c.env), c.get("workspace"), entryOf(c, deed));
  return csvReply(`${row.id}-rejected.csv`, linesOf(c.env, row));
};

function readProblemsOf(c: Ctx, row: ImportRow, limit: number) {
  return readProblems(database(c.env), c.get("workspace"), row.id as ImportId, limit);
}

const GROUPS_AT_ONCE = 5;

async function* linesOf(env: Env, row: ImportRow): AsyncGenerator<string, void> {
  yield rejectedHead(row.header);
  let after = 0;
  const workspace = row.workspace as WorkspaceId;
  const id = row.id as ImportId;
  for (;;) {
    const groups = await readRejects(database(env), workspace, id, after, GROUPS_AT_ONCE);
    if (groups.length === 0) return;
    for (const group of groups) yield rejectedLines(row.header, group.rows);
    after = groups.at(-1)?.firstLine ?? after;
  }
}

/** An import of this campaign and workspace (H37). */
async function find(c: Ctx, params: { id: string; importId: string }): Promise<ImportRow> {
  const workspace = c.get("workspace");
  const campaign = keyIn(c, "cmp", params.id);
  const parsed = parseId("imp", params.importId);
  const mine = parsed !== null && parsed.workspace === workspace;
  const row = mine ? await readImport(database(c.env), workspace, campaign, parsed.id) : null;
  if (row === null) throw notFound("import");
  return row;
}

function importWire(c: Ctx, row: ImportRow): Import {
  const campaign = makeId("cmp", c.get("workspace"), row.campaign);
  const header = readHeader(row.header);
  const rejectedCount = countRejected(row.rejected);
  const path = `/v1/campaigns/${campaign}/imports/${row.id}/rejected.csv`;
  return {
    id: row.id,
    campaign,
    // Uploads that are no import yet are not seen.
    status: row.status as Import["status"],
    fileName: row.fileName,
    options: row.options,
    columns: header.ok ? header.value.keys : [],
    rows: row.rows,
    rowsRead: row.rowsRead,
    rowsTaken: row.rowsTaken,
    rejected: row.rejected,
    rejectedCount,
    rejectedUrl: rejectedCount === 0 ? null : `${c.env.PUBLIC_URL}${path}`,
    missingPlaceholders: row.missingPlaceholders,
    warnings: row.warnings,
    note: row.note,
    createdAt: row.createdAt,
    completedAt: row.completedAt,
  };
}
