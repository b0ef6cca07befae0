import type { AuditEntry } from "../contract/audit.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { type AuditFilter, type ListedEntry, listEntries, noteEntry } from "../db/audit.ts";
import { database } from "../db/database.ts";
import { readCursor } from "../db/page.ts";
import { csvReply, csvText } from "./csv-reply.ts";
import { entryOf } from "./entry.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const list: Handler<"GET /v1/audit"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listEntries(database(c.env), c.get("workspace"), query, page);
  return c.json(mapPage(found, entryWire));
};

export const exportCsv: Handler<"GET /v1/audit.csv"> = async (c, { query }) => {
  const workspace = c.get("workspace");
  const deed = { action: "audit.export", targetKind: "workspace", target: workspace };
  await noteEntry(database(c.env), workspace, entryOf(c, deed));
  return csvReply(`${workspace}-audit.csv`, linesOf(c.env, workspace, query));
};

const PAGE_ROWS = 500;
const COLUMNS = [
  "id",
  "at",
  "actor_kind",
  "actor",
  "actor_name",
  "action",
  "target_kind",
  "target",
  "before",
  "after",
  "ip",
  "request_id",
];

async function* linesOf(
  env: Env,
  workspace: WorkspaceId,
  filter: AuditFilter,
): AsyncGenerator<string, void> {
  yield csvText([COLUMNS]);
  let after: string | null = null;
  do {
    const page = { limit: PAGE_ROWS, after };
    const found = await listEntries(database(env), workspace, filter, page);
    if (found.items.length > 0) yield csvText(found.items.map(cellsOf));
    after = found.nextCursor === null ? null : readCursor(found.nextCursor);
  } while (after !== null);
}

function cellsOf({ entry, person, key }: ListedEntry): string[] {
  return [
    entry.id,
    new Date(entry.at).toISOString(),
    entry.actorKind,
    entry.actor ?? "",
    person ?? key ?? "",
    entry.action,
    entry.targetKind ?? "",
    entry.target ?? "",
    entry.before ?? "",
    entry.after ?? "",
    entry.ip ?? "",
    entry.requestId ?? "",
  ];
}

function entryWire({ entry, person, key }: ListedEntry): AuditEntry {
  const { id, at, action, targetKind, target, ip, requestId } = entry;
  const actor = { kind: entry.actorKind, id: entry.actor, name: person ?? key };
  const before = valuesOf(entry.before);
  return {
    id,
    at,
    actor,
    action,
    targetKind,
    target,
    before,
    after: valuesOf(entry.after),
    ip,
    requestId,
  };
}

function valuesOf(json: string | null): Record<string, unknown> | null {
  return json === null ? null : (JSON.parse(json) as Record<string, unknown>);
}
