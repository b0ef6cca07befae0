import { makeId, type WorkspaceId } from "../core/ids.ts";
import { textOf } from "../core/template.ts";
import { noteEntry } from "../db/audit.ts";
import { database } from "../db/database.ts";
import { readCursor } from "../db/page.ts";
import { contextKeys, type ExportRow, exportTasks } from "../db/tasks.ts";
import { csvReply, csvText } from "./csv-reply.ts";
import { entryOf } from "./entry.ts";
import { findCampaign, keyIn } from "./find.ts";
import type { Handler } from "./serve.ts";

const PAGE_ROWS = 500;
const KEYS_MAX = 500;
const COLUMNS = [
  "id",
  "status",
  "attempts",
  "last_outcome",
  "external_id",
  "import",
  "created_at",
  "ended_at",
  "last_call",
  "last_call_outcome",
  "last_call_word",
  "last_call_seconds",
  "analysis",
];

/** Streams a campaign's tasks page by page, as one CSV. */
export const exportCsv: Handler<"GET /v1/campaigns/{id}/tasks.csv"> = async (c, { params }) => {
  const campaign = await findCampaign(c, params.id);
  const workspace = c.get("workspace");
  const key = keyIn(c, "cmp", campaign.id);
  const deed = { action: "task.export", targetKind: "campaign", target: campaign.id };
  await noteEntry(database(c.env), workspace, entryOf(c, deed));
  const keys = await contextKeys(database(c.env), workspace, key, KEYS_MAX);
  return csvReply(`${campaign.id}-tasks.csv`, linesOf(c.env, { workspace, campaign: key, keys }));
};

type Export = { workspace: WorkspaceId; campaign: number; keys: string[] };

async function* linesOf(env: Env, what: Export): AsyncGenerator<string, void> {
  // The mark by which spreadsheets know UTF-8.
  yield `\ufeff${csvText([["phone", ...what.keys, ...COLUMNS]])}`;
  let after: string | null = null;
  do {
    const page = { limit: PAGE_ROWS, after };
    const found = await exportTasks(database(env), what.workspace, what.campaign, page);
    if (found.items.length > 0) yield csvText(found.items.map((row) => cellsOf(row, what)));
    after = found.nextCursor === null ? null : readCursor(found.nextCursor);
  } while (after !== null);
}

function cellsOf(row: ExportRow, what: Export): string[] {
  const context = JSON.parse(row.context) as Record<string, unknown>;
  return [
    row.phone,
    ...what.keys.map((key) => (Object.hasOwn(context, key) ? textOf(context[key]) : "")),
    makeId("tsk", what.workspace, row.id),
    row.status,
    String(row.attempts),
    row.lastOutcome ?? "",
    row.externalId ?? "",
    row.import ?? "",
    instant(row.createdAt),
    instant(row.endedAt),
    row.call === null ? "" : makeId("cal", what.workspace, row.call),
    row.outcome ?? "",
    row.word ?? "",
    row.talkMs === null ? "" : String(row.talkMs / 1000),
    row.analysis ?? "",
  ];
}

function instant(at: number | null): string {
  return at === null ? "" : new Date(at).toISOString();
}
