import type { CampaignRecord } from "../core/campaign.ts";
import type { CampaignBody } from "../core/campaign-body.ts";
import { type CampaignId, makeId } from "../core/ids.ts";
import { type Refusal, refuse } from "../core/result.ts";
import { type Move, moveCampaign } from "../core/status.ts";
import { campaignOf, listCampaigns } from "../db/campaigns.ts";
import { database } from "../db/database.ts";
import type { Done } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { campaignsWire, oneCampaignWire } from "./campaign-wire.ts";
import type { Ctx } from "./context.ts";
import { originOf } from "./entry.ts";
import { notFound, take } from "./errors.ts";
import { findCampaign, keyIn, storedCampaign } from "./find.ts";
import { idempotency } from "./idempotency.ts";
import { pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/campaigns"> = (c, { body }) => createFrom(c, body);

/** H39: under the guide's path the type falls to realtime. */
export const createRealtime: Handler<"POST /routes/v1/campaigns"> = (c, { body }) =>
  createFrom(c, { ...body, type: body.type ?? "realtime" });

async function createFrom(c: Ctx, body: CampaignBody): Promise<Response> {
  const workspace = c.get("workspace");
  const again = await idempotency(c, "campaigns");
  const request = { body, idempotency: again };
  const made = take(await dialerOf(c.env, workspace).createCampaign(request, originOf(c)));
  const wire = await oneCampaignWire(c.env, workspace, made.campaign);
  return c.json({ ...wire, warnings: made.warnings }, 201);
}

export const list: Handler<"GET /v1/campaigns"> = async (c, { query }) => {
  const workspace = c.get("workspace");
  const page = pageRequest(query, "integer");
  const { items, nextCursor } = await listCampaigns(database(c.env), workspace, query, page);
  const records = items.map((row) => campaignOf(workspace, row));
  const [wires, waiting] = await Promise.all([
    campaignsWire(c.env, workspace, records),
    explain(c, records),
  ]);
  const whole = wires.map((wire, index) => ({ ...wire, waiting: waiting[index] ?? null }));
  return c.json({ items: whole, nextCursor });
};

/** H41: a list is worth more than its reasons, so a Dialer that is away leaves them out. */
async function explain(c: Ctx, records: CampaignRecord[]) {
  if (records.length === 0) return [];
  try {
    const ids = records.map((record) => record.id);
    return await dialerOf(c.env, c.get("workspace")).explainCampaigns(ids);
  } catch (error) {
    logFault("explain", error, { workspace: c.get("workspace") });
    return [];
  }
}

export const read: Handler<"GET /v1/campaigns/{id}"> = async (c, { params }) => {
  const record = await findCampaign(c, params.id);
  return c.json(await oneCampaignWire(c.env, c.get("workspace"), record));
};

export const edit: Handler<"PATCH /v1/campaigns/{id}"> = async (c, { params, body }) => {
  const key = keyIn(c, "cmp", params.id);
  const workspace = c.get("workspace");
  const reply = await dialerOf(c.env, workspace).editCampaign(
    params.id as CampaignId,
    body,
    originOf(c),
  );
  const done = take(await unlessLeft(c, key, reply, (record) => over(record)));
  const wire = await oneCampaignWire(c.env, workspace, done.campaign);
  return c.json({ ...wire, warnings: done.warnings });
};

/** Pauses, resumes or archives (H30). */
export function move(verb: Move): Handler<"POST /v1/campaigns/{id}/pause"> {
  return async (c, { params }) => {
    const key = keyIn(c, "cmp", params.id);
    const workspace = c.get("workspace");
    const id = makeId("cmp", workspace, key);
    const reply = await dialerOf(c.env, workspace).moveCampaign(id, verb, originOf(c));
    const moved = await unlessLeft(c, key, reply, (record) => {
      const allowed = moveCampaign(record.status, verb);
      return allowed.ok ? over(record) : allowed;
    });
    return c.json(await oneCampaignWire(c.env, workspace, take(moved)));
  };
}

/** A campaign that the Dialer does not know but D1 does has left it: it is over, not unknown. */
async function unlessLeft<T>(
  c: Ctx,
  key: number,
  reply: Done<T> | Refusal,
  refusal: (record: CampaignRecord) => Refusal,
): Promise<Done<T> | Refusal> {
  if (reply.ok || reply.code !== "not_found") return reply;
  const record = await storedCampaign(c, key);
  if (record === null) throw notFound("campaign");
  return refusal(record);
}

function over(record: CampaignRecord): Refusal {
  return refuse("conflict", `The campaign is ${record.status}: it cannot change any more.`);
}
