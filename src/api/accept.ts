import { type ImportId, makeId } from "../core/ids.ts";
import { type Part, PartCutter } from "../core/import.ts";
import { refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import type { ImportRow } from "../db/imports.ts";
import {
  abandonUpload,
  beginUpload,
  type NewUpload,
  removeUpload,
  startImport,
  storeParts,
} from "../db/uploads.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { entryOf } from "./entry.ts";
import { Refused, take } from "./errors.ts";
import { keyIn } from "./find.ts";
import { randomText } from "./key-text.ts";
import { type How, type Upload, warningsOf, withUpload } from "./upload.ts";

/** Parts stored at once: their text, and their number. */
const STORE_CHARS = 900_000;
const STORE_PARTS = 20;

/**
 * Takes an upload in: its rows go to D1 part by part while they come, then the Dialer opens the
 * import, then it runs. Whatever breaks before leaves nothing that counts: the upload is taken
 * back here, or by the watchdog. Once it runs it needs this request no more.
 */
export async function acceptImport(c: Ctx, campaign: string, how: How): Promise<ImportRow> {
  return withUpload(c, campaign, how, async (open) => {
    const workspace = c.get("workspace");
    const now = c.get("now");
    const id = makeId("imp", workspace, now.toString(36).padStart(9, "0") + randomText(7));
    const row: NewUpload = {
      id,
      campaign: keyIn(c, "cmp", open.campaign.id),
      fileName: open.fileName,
      options: open.options,
      header: open.csv.headerCells,
      missingPlaceholders: open.missing,
      createdAt: now,
    };
    let running: ImportRow;
    try {
      running = await run(c, id, open, await store(c, row, open));
    } catch (error) {
      await takeBack(c, id);
      throw error;
    }
    try {
      await c.env.INGEST.send({ workspace, import: id, part: 0 });
    } catch (error) {
      // Nothing is lost: the watchdog sends it again.
      logFault("ingest message", error, { workspace, import: id });
    }
    return running;
  });
}

/** Stores all rows as parts of an upload that nobody sees. */
async function store(
  c: Ctx,
  row: NewUpload,
  { csv, rowsMax }: Upload,
): Promise<{ rows: number; parts: number }> {
  const db = database(c.env);
  const workspace = c.get("workspace");
  const id = row.id as ImportId;
  const cutter = new PartCutter(csv.header.keys);
  let rows = 0;
  let stored = 0;
  let begun = false;
  let ready: Part[] = [];
  let chars = 0;
  const flush = async () => {
    if (!begun) await beginUpload(db, workspace, row);
    begun = true;
    if (!(await storeParts(db, workspace, id, stored, ready, Date.now()))) throw tooSlow();
    stored += ready.length;
    ready = [];
    chars = 0;
  };
  const add = async (part: Part | null) => {
    if (part === null) return;
    if (ready.length >= STORE_PARTS || chars + part.body.length > STORE_CHARS) await flush();
    ready.push(part);
    chars += part.body.length;
  };
  for await (const some of csv.rows(rowsMax)) {
    rows += some.length;
    for (const one of some) await add(cutter.add(one));
  }
  await add(cutter.end());
  await flush();
  return { rows, parts: stored };
}

/** The upload becomes an import: first the Dialer knows it, then D1 says so. */
async function run(
  c: Ctx,
  id: ImportId,
  open: Upload,
  counts: { rows: number; parts: number },
): Promise<ImportRow> {
  const workspace = c.get("workspace");
  take(await dialerOf(c.env, workspace).openImport(id, open.campaign.id));
  const whole = { ...counts, warnings: warningsOf(open) };
  const { fileName } = open;
  const after = { campaign: open.campaign.id, fileName, rows: counts.rows };
  const deed = { action: "import.start", targetKind: "import", target: id, after };
  const entry = { ...entryOf(c, deed), at: Date.now() };
  const started = await startImport(database(c.env), workspace, id, whole, entry);
  if (started === null) throw tooSlow();
  return started;
}

function tooSlow(): Refused {
  return new Refused(refuse("unavailable", "The upload took too long: upload the file again."));
}

/** Removes what an upload left behind, unless it runs; what fails here is the watchdog's. */
async function takeBack(c: Ctx, id: ImportId): Promise<void> {
  const workspace = c.get("workspace");
  try {
    if (!(await abandonUpload(database(c.env), workspace, id))) return;
    // The Dialer may have opened it: only once it holds nothing up there is it forgotten here.
    take(await dialerOf(c.env, workspace).dropImport(id));
    await removeUpload(database(c.env), workspace, id);
  } catch (error) {
    logFault("upload", error, { workspace, import: id });
  }
}
