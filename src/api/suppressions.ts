import Papa from "papaparse";
import { MB } from "../contract/operation.ts";
import { SUPPRESSIONS_MAX } from "../contract/suppression.ts";
import { maskPhone, readPhone } from "../core/phone.ts";
import { database } from "../db/database.ts";
import {
  listSuppressions,
  type NewSuppression,
  readSuppressions,
  SUPPRESSIONS_AT_ONCE,
  type SuppressionRow,
  suppress,
  unsuppress,
} from "../db/suppressions.ts";
import { dialerOf } from "../shell/dialer.ts";
import { mediaType, readBytes } from "./body.ts";
import type { Ctx } from "./context.ts";
import { entryOf, noteNumbers } from "./entry.ts";
import { invalid, notFound } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import { mapPage, pageRequest } from "./list.ts";
import { e164Of } from "./numbers.ts";
import type { Handler } from "./serve.ts";

const REJECTED_SHOWN = 50;
type Entry = {
  phone: string;
  reason?: string | null | undefined;
  expiresAt?: number | null | undefined;
};

export const create: Handler<"POST /v1/suppressions"> = async (c, { body }) => {
  const now = c.get("now");
  if (mediaType(c) === "text/csv") {
    const done = await enter(c, await readCsv(c), "csv");
    return c.json(done, 201);
  }
  if ("suppressions" in body) return c.json(await enter(c, body.suppressions, "api"), 201);
  const phone = e164Of(body.phone, "phone");
  const done = await enter(c, [{ ...body, phone }], "api");
  const { reason = null, expiresAt = null } = body;
  const entry = { id: phone, phone, reason, source: "api", expiresAt, createdAt: now };
  return c.json({ ...entry, ...done }, 201);
};

export const list: Handler<"GET /v1/suppressions"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const workspace = c.get("workspace");
  const found = await listSuppressions(database(c.env), workspace, page);
  await noteNumbers(c, "workspace", workspace);
  return c.json(mapPage(found, suppressionWire));
};

export const remove: Handler<"DELETE /v1/suppressions/{phone}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const ids = await idsOf(c, params.phone);
  const rows = ids.length === 0 ? [] : await readSuppressions(db, workspace, ids);
  if (rows.length === 0) throw notFound("entry");
  const found = rows.map((row) => row.phone);
  const target = shownPhone(params.phone);
  const entry = entryOf(c, { action: "suppression.remove", targetKind: "phone", target });
  await handOver(c.env, workspace, await unsuppress(db, workspace, found, entry));
  return c.body(null, 204);
};

/** Under which an entry may be: the number, and its hash should it have been erased. */
async function idsOf(c: Ctx, text: string): Promise<string[]> {
  if (text.startsWith("#")) return [text];
  const read = readPhone(text);
  if (!read.ok) return [];
  const hashes = await dialerOf(c.env, c.get("workspace")).hashPhones([read.phone]);
  return [read.phone, ...hashes.map((hash) => `#${hash}`)];
}

function shownPhone(text: string): string {
  return text.startsWith("#") ? text : maskPhone(text);
}

/** Enters what can be read, in slices, each in D1 and then with the Dialer. */
async function enter(c: Ctx, entries: Entry[], source: string) {
  const workspace = c.get("workspace");
  const rejected: { index: number; reason: string }[] = [];
  const good = new Map<string, NewSuppression>();
  for (const [index, entry] of entries.entries()) {
    const read = readPhone(entry.phone);
    if (!read.ok) rejected.push({ index, reason: read.reason });
    else {
      const { reason = null, expiresAt = null } = entry;
      good.set(read.phone, { phone: read.phone, reason, expiresAt });
    }
  }
  const all = [...good.values()];
  for (let at = 0; at < all.length; at += SUPPRESSIONS_AT_ONCE) {
    const slice = all.slice(at, at + SUPPRESSIONS_AT_ONCE);
    const [only, ...others] = slice;
    const entry = entryOf(c, {
      action: "suppression.enter",
      targetKind: "phone",
      target: only === undefined || others.length > 0 ? null : maskPhone(only.phone),
      after: { entered: slice.length, source },
    });
    const docs = await suppress(database(c.env), workspace, slice, source, entry);
    await handOver(c.env, workspace, docs);
  }
  return {
    entered: all.length,
    rejected: rejected.slice(0, REJECTED_SHOWN),
    rejectedCount: rejected.length,
  };
}

/** Rows of a CSV whose first column is `phone`; `reason` is read where there is one. */
async function readCsv(c: Ctx): Promise<Entry[]> {
  const text = new TextDecoder().decode(await readBytes(c, 21 * MB));
  const { data } = Papa.parse<string[]>(text.trim(), { skipEmptyLines: "greedy" });
  const [header = [], ...rows] = data;
  const names = header.map((name) => name.trim().toLowerCase());
  if (names[0] !== "phone") {
    const expected = "a CSV whose first column is `phone`";
    throw invalid({ path: "header", expected, got: "another header" });
  }
  if (rows.length === 0 || rows.length > SUPPRESSIONS_MAX) {
    const expected = `1 to ${SUPPRESSIONS_MAX} rows`;
    throw invalid({ path: "rows", expected, got: `${rows.length} rows` });
  }
  const reason = names.indexOf("reason");
  return rows.map((cells) => ({
    phone: cells[0] ?? "",
    reason: reason < 0 ? null : cells[reason]?.trim().slice(0, 500) || null,
  }));
}

function suppressionWire(row: SuppressionRow) {
  const { phone, reason, source, expiresAt, createdAt } = row;
  const erased = phone.startsWith("#");
  return { id: phone, phone: erased ? null : phone, reason, source, expiresAt, createdAt };
}
