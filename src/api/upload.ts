import { IMPORT_BYTES_MAX } from "../contract/import.ts";
import { KB } from "../contract/operation.ts";
import type { CampaignRecord } from "../core/campaign.ts";
import { missingPlaceholders } from "../core/csv.ts";
import { IMPORT_ROWS_MAX, type ImportOptions, refusesImport } from "../core/import.ts";
import { isCountry } from "../core/phone.ts";
import type { Warning } from "../core/result.ts";
import { readAgent } from "../db/agents.ts";
import { database } from "../db/database.ts";
import { bodyPieces, tooLarge } from "./body.ts";
import type { Ctx } from "./context.ts";
import { CsvFile } from "./csv-file.ts";
import { invalid, Refused } from "./errors.ts";
import { findCampaign } from "./find.ts";
import { uploadedFile } from "./multipart.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Most rows of one imported file; 100,000 when left out (H6). */
      IMPORT_ROWS_MAX?: string;
    }
  }
}

/** What a form adds to its file. */
const FORM_BYTES = 64 * KB;

/** An import's query. */
export type How = {
  numbers?: "e164" | "international-without-plus" | undefined;
  defaultCountry?: string | undefined;
  allowDuplicates: boolean;
};

/** An upload, read to its header. */
export type Upload = {
  campaign: CampaignRecord;
  fileName: string | null;
  options: ImportOptions;
  csv: CsvFile;
  missing: string[];
  rowsMax: number;
};

/** Reads an upload to its header and hands it on; the body is let go whatever happens. */
export async function withUpload<T>(
  c: Ctx,
  id: string,
  how: How,
  work: (open: Upload) => Promise<T>,
): Promise<T> {
  const pieces = bodyPieces(c, IMPORT_BYTES_MAX + FORM_BYTES);
  try {
    const options = optionsOf(how);
    const campaign = await findCampaign(c, id);
    const refusal = refusesImport({ ...campaign, ...campaign.settings }, c.get("now"));
    if (refusal !== null) throw new Refused(refusal);
    const file = await uploadedFile(c, pieces);
    const csv = await CsvFile.open(atMost(file.pieces, IMPORT_BYTES_MAX));
    const missing = await missingOf(c, campaign, csv.header.keys);
    const rowsMax = Number(c.env.IMPORT_ROWS_MAX) || IMPORT_ROWS_MAX;
    return await work({ campaign, fileName: file.fileName, options, csv, missing, rowsMax });
  } finally {
    await pieces.return();
    if (c.req.raw.body?.locked === false) await c.req.raw.body.cancel().catch(() => undefined);
  }
}

function optionsOf({ numbers, defaultCountry, allowDuplicates }: How): ImportOptions {
  const country = defaultCountry?.trim().toUpperCase();
  if (country !== undefined && !isCountry(country)) {
    const expected = "a country as two letters, such as IN";
    throw invalid({ path: "defaultCountry", expected, got: JSON.stringify(defaultCountry) });
  }
  if (country !== undefined && numbers === "international-without-plus") {
    const expected = "numbers or defaultCountry: a number can be read one way only";
    throw invalid({ path: "defaultCountry", expected, got: "both" });
  }
  return {
    ...(numbers === undefined ? {} : { numbers }),
    ...(country === undefined ? {} : { defaultCountry: country }),
    allowDuplicates,
  };
}

async function* atMost(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array, void> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.byteLength;
    if (size > bytesMax) throw tooLarge(bytesMax, "file");
    yield piece;
  }
}

/** H10: placeholders of the campaign's agent that no column fills. */
async function missingOf(c: Ctx, campaign: CampaignRecord, keys: string[]): Promise<string[]> {
  const { agent } = campaign.settings;
  if (agent === null) return [];
  const row = await readAgent(database(c.env), c.get("workspace"), agent);
  return missingPlaceholders(row?.placeholders ?? [], keys);
}

/** What the upload should know of its file (H10). */
export function warningsOf({ missing, csv }: Upload): Warning[] {
  const unfilled = missing.map((name) => {
    const message = `The agent's placeholder ${name} has no column: it is left empty.`;
    return { path: "header", message };
  });
  return [...unfilled, ...csv.warnings()];
}
