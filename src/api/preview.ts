import { type ImportPreview, PROBLEMS_SHOWN } from "../contract/import.ts";
import {
  type BadRow,
  countReasons,
  countRejected,
  type GoodRow,
  keptRow,
  sortRows,
} from "../core/import.ts";
import { database } from "../db/database.ts";
import { knownPhones } from "../db/uploads.ts";
import type { Ctx } from "./context.ts";
import { keyIn } from "./find.ts";
import { type How, type Upload, warningsOf, withUpload } from "./upload.ts";

/** Numbers looked up at once: a list of them stays below the 2 MB of one value. */
const PHONES_AT_ONCE = 50_000;

/** What an import would do; nothing is stored. Its doubles and suppressed rows are those D1 knows. */
export async function previewImport(c: Ctx, campaign: string, how: How): Promise<ImportPreview> {
  return withUpload(c, campaign, how, async (open) => {
    const { csv, options } = open;
    const good: GoodRow[] = [];
    const bad: BadRow[] = [];
    let rows = 0;
    for await (const some of csv.rows(open.rowsMax)) {
      rows += some.length;
      const sorted = sortRows(csv.header, some.map(keptRow), options);
      for (const { line, phone } of sorted.good) good.push({ line, phone, context: {} });
      for (const { line, reason } of sorted.bad) bad.push({ line, reason, cells: [] });
    }
    const all = [...bad, ...(await doubles(c, open, good))].sort((a, b) => a.line - b.line);
    const rejected = countReasons(all, {});
    const rejectedCount = countRejected(rejected);
    return {
      dryRun: true,
      campaign: open.campaign.id,
      fileName: open.fileName,
      options,
      columns: csv.header.keys,
      rows,
      rowsTaken: rows - rejectedCount,
      rejected,
      rejectedCount,
      missingPlaceholders: open.missing,
      warnings: warningsOf(open),
      problems: all.slice(0, PROBLEMS_SHOWN).map(({ line, reason }) => ({ line, reason })),
    };
  });
}

/** Good rows that the Dialer would reject: suppressed ones first, then those that came before (H9, H40). */
async function doubles(c: Ctx, open: Upload, good: GoodRow[]): Promise<BadRow[]> {
  const workspace = c.get("workspace");
  const campaign = keyIn(c, "cmp", open.campaign.id);
  const phones = [...new Set(good.map((row) => row.phone))];
  const suppressed = new Set<string>();
  const seen = new Set<string>();
  for (let at = 0; at < phones.length; at += PHONES_AT_ONCE) {
    const slice = phones.slice(at, at + PHONES_AT_ONCE);
    const known = await knownPhones(database(c.env), workspace, campaign, slice, c.get("now"));
    for (const phone of known.suppressed) suppressed.add(phone);
    for (const phone of known.seen) seen.add(phone);
  }
  const bad: BadRow[] = [];
  for (const { line, phone } of good) {
    if (suppressed.has(phone)) bad.push({ line, reason: "suppressed", cells: [] });
    else if (seen.has(phone) && !open.options.allowDuplicates) {
      bad.push({ line, reason: "duplicate", cells: [] });
    } else seen.add(phone);
  }
  return bad;
}
