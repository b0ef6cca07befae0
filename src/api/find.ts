import type { CallRecord } from "../core/call.ts";
import type { CampaignRecord } from "../core/campaign.ts";
import { type CallId, type CampaignId, localKey, type TaskId } from "../core/ids.ts";
import type { Refusal } from "../core/result.ts";
import type { TaskRecord } from "../core/task.ts";
import { readCallRecord } from "../db/calls.ts";
import { campaignOf, readCampaignRow } from "../db/campaigns.ts";
import { database } from "../db/database.ts";
import { readTaskRow, taskOf } from "../db/tasks.ts";
import type { Done } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { notFound, take } from "./errors.ts";

/*
 * Single reads ask the Dialer first, so that a client reads what it just wrote; what has left
 * it is in D1. An id of another workspace is never looked up: it is unknown (H37).
 */

/** The integer key of an id in the workspace of the request's key. */
export function keyIn(c: Ctx, kind: "tsk" | "cmp" | "cal", id: string): number {
  const key = localKey(kind, c.get("workspace"), id);
  if (key === null) throw notFound(NOUNS[kind]);
  return key;
}
const NOUNS = { tsk: "task", cmp: "campaign", cal: "call" } as const;

export async function findCampaign(c: Ctx, id: string): Promise<CampaignRecord> {
  const key = keyIn(c, "cmp", id);
  const workspace = c.get("workspace");
  const live = await dialerOf(c.env, workspace).readCampaign(id as CampaignId);
  return liveOrNull(live) ?? (await storedCampaign(c, key)) ?? Promise.reject(notFound("campaign"));
}

/** A campaign as D1 has it. */
export async function storedCampaign(c: Ctx, key: number): Promise<CampaignRecord | null> {
  const workspace = c.get("workspace");
  const row = await readCampaignRow(database(c.env), workspace, key);
  return row === null ? null : campaignOf(workspace, row);
}

export async function findTask(c: Ctx, id: string): Promise<TaskRecord> {
  const key = keyIn(c, "tsk", id);
  const live = await dialerOf(c.env, c.get("workspace")).readTask(id as TaskId);
  return liveOrNull(live) ?? (await storedTask(c, key)) ?? Promise.reject(notFound("task"));
}

/** A task as D1 has it. */
export async function storedTask(c: Ctx, key: number): Promise<TaskRecord | null> {
  const workspace = c.get("workspace");
  const row = await readTaskRow(database(c.env), workspace, key);
  return row === null ? null : taskOf(workspace, row);
}

/** The Dialer's record with what D1 alone still has: texts leave the Dialer before the call does. */
export async function findCall(c: Ctx, id: string): Promise<CallRecord> {
  const key = keyIn(c, "cal", id);
  const workspace = c.get("workspace");
  const stored = readCallRecord(database(c.env), workspace, key).catch((error: unknown) => error);
  const live = liveOrNull(await dialerOf(c.env, workspace).readCall(id as CallId));
  const kept = await stored;
  if (kept instanceof Error) {
    if (live === null) throw kept;
    logFault("stored call", kept, { workspace });
    return live;
  }
  const record = kept as CallRecord | null;
  if (live === null) return record ?? Promise.reject(notFound("call"));
  return record === null ? live : mergeCalls(live, record);
}

/** The newer record, its nulls filled from the older one: a null never overwrites a value. */
export function mergeCalls(newer: CallRecord, older: CallRecord): CallRecord {
  const known = Object.entries(newer).filter(([, value]) => value !== null);
  return { ...older, ...Object.fromEntries(known) };
}

function liveOrNull<T>(reply: Done<T> | Refusal): T | null {
  if (!reply.ok && reply.code === "not_found") return null;
  return take(reply);
}
