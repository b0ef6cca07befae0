import { readHeader } from "../core/csv.ts";
import { partWithout, rejectsWithout } from "../core/erasure.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { maskPhone } from "../core/phone.ts";
import { refuse } from "../core/result.ts";
import { type Db, database } from "../db/database.ts";
import {
  eraseMentions,
  eraseRecords,
  eraseReportTexts,
  hashSuppression,
  nextParts,
  nextRejects,
  type RejectedRows,
  rewritePart,
  rewriteRejects,
  uploadsNow,
  type WaitingPart,
} from "../db/erasures.ts";
import { readPart, readRejects } from "../db/imports.ts";
import { callsToForget } from "../db/recordings.ts";
import { dialerOf } from "../shell/dialer.ts";
import { forgetRecordings } from "../shell/recordings.ts";
import { originOf } from "./entry.ts";
import { Refused, take } from "./errors.ts";
import { e164Of } from "./numbers.ts";
import type { Handler } from "./serve.ts";

/**
 * Removes a person by his number, in an order in which nothing comes back: files that are not read
 * yet, then the Dialer with its flush, then what D1 keeps. A request that breaks off is repeated.
 */
export const create: Handler<"POST /v1/erasures"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const phone = e164Of(body.phone, "phone");
  const rows = await emptyParts(db, workspace, phone);
  await forgetCopies(c.env, db, workspace, phone);
  const uploads = await uploadsNow(db, workspace);
  const here = take(await dialerOf(c.env, workspace).erase(phone, uploads, originOf(c)));
  const stored = await eraseRecords(db, workspace, phone);
  // One that was made meanwhile; and, when a request is repeated, those that it has left.
  await forgetCopies(c.env, db, workspace, phone);
  const suppressed = await hashSuppression(db, workspace, phone, here.hash, c.get("now"));
  const rejected = await emptyRejects(db, workspace, phone);
  await eraseReportTexts(db, workspace, phone);
  await eraseMentions(db, workspace, phone);
  if (!here.told) {
    const message = "Erased, but what was on its way to D1 is not sure to be: repeat the request.";
    throw new Refused(refuse("unavailable", message), { "retry-after": "5" });
  }
  return c.json({
    phone: maskPhone(phone),
    tasks: here.tasks + stored.tasks,
    archived: here.archived,
    calls: here.calls + stored.calls,
    rows,
    rejected,
    suppressed,
  });
};

/** Copies of recordings go before their rows: while a row names the person, they can be found. */
async function forgetCopies(
  env: Env,
  db: Db,
  workspace: WorkspaceId,
  phone: string,
): Promise<void> {
  if (env.RECORDINGS === undefined) return;
  await forgetRecordings(env, workspace, await callsToForget(db, workspace, phone));
}

/** Rows of files that the Dialer has not got yet. */
async function emptyParts(db: Db, workspace: WorkspaceId, phone: string): Promise<number> {
  let rows = 0;
  let parts = await nextParts(db, workspace, null);
  while (parts.length > 0) {
    for (const part of parts) rows += await emptyPart(db, workspace, part, phone);
    parts = await nextParts(db, workspace, parts.at(-1) ?? null);
  }
  return rows;
}

async function emptyPart(
  db: Db,
  workspace: WorkspaceId,
  part: WaitingPart,
  phone: string,
): Promise<number> {
  const header = readHeader(part.header);
  const without = header.ok ? partWithout(part.body, header.value, part.options, phone) : null;
  if (without === null) return 0;
  if (await rewritePart(db, workspace, part, without)) return without.rows;
  // Somebody else was erased from it meanwhile, or its import is over.
  const again = await readPart(db, workspace, part.import, part.part);
  return again === null ? 0 : emptyPart(db, workspace, { ...part, ...again }, phone);
}

async function emptyRejects(db: Db, workspace: WorkspaceId, phone: string): Promise<number> {
  let rows = 0;
  let groups = await nextRejects(db, workspace, null);
  while (groups.length > 0) {
    for (const group of groups) rows += await emptyGroup(db, workspace, group, phone);
    groups = await nextRejects(db, workspace, groups.at(-1) ?? null);
  }
  return rows;
}

async function emptyGroup(
  db: Db,
  workspace: WorkspaceId,
  group: RejectedRows,
  phone: string,
): Promise<number> {
  const without = rejectsWithout(group.rows, phone);
  if (without === null) return 0;
  if (await rewriteRejects(db, workspace, group, without.rows)) return without.emptied;
  const [again] = await readRejects(db, workspace, group.import, group.firstLine - 1, 1);
  if (again?.firstLine !== group.firstLine) return 0;
  return emptyGroup(db, workspace, { ...group, ...again }, phone);
}
