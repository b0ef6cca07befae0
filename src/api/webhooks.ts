import { outboundOf } from "../carriers/outbound.ts";
import { seal, unseal } from "../carriers/seal.ts";
import { makeId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { reactionTo } from "../core/webhook.ts";
import { database } from "../db/database.ts";
import {
  type DeliveryRow,
  forgiveReceiver,
  healthOf,
  listDeliveries,
  listOrigins,
  type ReceiverRow,
  replayDeliveries,
  replayDelivery,
} from "../db/deliveries.ts";
import {
  deleteWebhook,
  editWebhook,
  insertWebhook,
  listWebhooks,
  readWebhook,
  type WebhookRow,
} from "../db/webhooks.ts";
import { callbackSecret, newSecret, tell } from "../shell/webhook.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import { randomText } from "./key-text.ts";
import { pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

/** How long the secret before a roll goes on signing, ms. */
const OVERLAP_MS = 24 * 3_600_000;
/** Each costs a request for each event: more than these belong behind one of the receiver's own. */
const WEBHOOKS_MAX = 20;
/** Deliveries that one request sends again. */
const REPLAY_MAX = 1_000;

export const create: Handler<"POST /v1/webhooks"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  checkAddress(c, body.url);
  const others = await listWebhooks(database(c.env), workspace, {
    limit: WEBHOOKS_MAX,
    after: null,
  });
  if (others.items.length === WEBHOOKS_MAX) {
    throw new Refused(refuse("conflict", `A workspace has ${WEBHOOKS_MAX} webhooks at most.`));
  }
  const secret = newSecret();
  const row = {
    id: makeId("whk", workspace, randomText(10)),
    name: body.name,
    url: body.url,
    events: [...new Set(body.events)],
    texts: body.texts,
    shape: body.shape,
    sealed: await seal(c.env, secret),
    sealedOld: null,
    oldUntil: null,
    offAt: null,
    offReason: null,
    createdAt: c.get("now"),
  };
  const entry = entryOf(c, {
    action: "webhook.create",
    targetKind: "webhook",
    target: row.id,
    after: shownOf(row),
  });
  await handOver(c.env, workspace, await insertWebhook(database(c.env), workspace, row, entry));
  return c.json({ ...wireOf(row, null), secret }, 201);
};

export const list: Handler<"GET /v1/webhooks"> = async (c, { query }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const found = await listWebhooks(db, workspace, pageRequest(query, "text"));
  const ids = found.items.map((row) => row.id);
  const health = await healthOf(db, workspace, ids);
  const items = found.items.map((row) => wireOf(row, health.get(row.id) ?? null));
  return c.json({ items, nextCursor: found.nextCursor });
};

export const read: Handler<"GET /v1/webhooks/{id}"> = async (c, { params }) =>
  c.json(await wholeOf(c, await find(c, params.id)));

export const edit: Handler<"PATCH /v1/webhooks/{id}"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  if (body.url !== undefined) checkAddress(c, body.url);
  const { on, name, url, events, texts, shape } = body;
  const same = on === undefined || on === (row.offAt === null);
  const fields = {
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url }),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(texts === undefined ? {} : { texts }),
    ...(shape === undefined ? {} : { shape }),
    ...(same ? {} : { offAt: on ? null : c.get("now"), offReason: null }),
  };
  if (Object.keys(fields).length === 0) return c.json(await wholeOf(c, row));
  const after = { ...row, ...fields };
  const deed = { action: "webhook.edit", targetKind: "webhook", target: row.id };
  const entry = entryOf(c, { ...deed, ...changeOf(shownOf(row), shownOf(after)) });
  // Its failures of before must not switch it off again at the next one, nor hold up a new address.
  if (fields.offAt === null || after.url !== row.url)
    await forgiveReceiver(database(c.env), workspace, row.id);
  const docs = await editWebhook(database(c.env), workspace, row.id, fields, entry);
  await handOver(c.env, workspace, docs);
  return c.json(await wholeOf(c, after));
};

export const remove: Handler<"DELETE /v1/webhooks/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  const deed = { action: "webhook.delete", targetKind: "webhook", target: row.id };
  const entry = entryOf(c, { ...deed, before: shownOf(row) });
  await handOver(c.env, workspace, await deleteWebhook(database(c.env), workspace, row.id, entry));
  return c.body(null, 204);
};

export const roll: Handler<"POST /v1/webhooks/{id}/roll"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  const secret = newSecret();
  const fields = {
    sealed: await seal(c.env, secret),
    sealedOld: row.sealed,
    oldUntil: c.get("now") + OVERLAP_MS,
  };
  const deed = { action: "webhook.roll", targetKind: "webhook", target: row.id };
  const docs = await editWebhook(database(c.env), workspace, row.id, fields, entryOf(c, deed));
  await handOver(c.env, workspace, docs);
  return c.json({ ...(await wholeOf(c, { ...row, ...fields })), secret });
};

export const test: Handler<"POST /v1/webhooks/{id}/test"> = async (c, { params }) => {
  const row = await find(c, params.id);
  const now = c.get("now");
  const { sealed, sealedOld, oldUntil } = row;
  const both = sealedOld !== null && (oldUntil ?? 0) > now ? [sealed, sealedOld] : [sealed];
  const secrets = await Promise.all(both.map((one) => unseal(c.env, one)));
  const event = {
    id: `${row.id}-test-${randomText(8)}`,
    body: JSON.stringify({
      type: "webhook.test",
      timestamp: new Date(now).toISOString(),
      version: 1,
      workspace: row.workspace,
      data: { webhook: row.id },
    }),
  };
  const told = await tell(outboundOf(c.env), { url: row.url, secrets }, event, now);
  const works = reactionTo(told.status) === "delivered";
  return c.json({ works, code: told.status, said: told.answer, tookMs: told.tookMs });
};

export const deliveries: Handler<"GET /v1/deliveries"> = async (c, { query }) => {
  const target = await targetOf(c, query);
  const page = pageRequest(query, "integer");
  const workspace = c.get("workspace");
  const status = query.status ?? null;
  const found = await listDeliveries(database(c.env), workspace, target, status, page);
  return c.json({ items: found.items.map(deliveryWire), nextCursor: found.nextCursor });
};

export const replay: Handler<"POST /v1/deliveries/replay"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const target = await targetOf(c, body);
  const db = database(c.env);
  const { sequence, since, after = 0 } = body;
  if ((sequence === undefined) === (since === undefined)) {
    throw invalid({ path: "sequence", expected: "either sequence or since", got: "both or none" });
  }
  await mustBeOn(c, body.webhook);
  const now = c.get("now");
  let replayed: number[];
  if (sequence !== undefined) {
    if (!(await replayDelivery(db, workspace, { target, sequence }, now, entryFor(c, target)))) {
      throw notFound("delivery");
    }
    replayed = [sequence];
  } else {
    const which = { since: since ?? now, after, failedOnly: !body.all, limit: REPLAY_MAX };
    replayed = await replayDeliveries(db, workspace, target, which, now, entryFor(c, target));
  }
  await c.env.EVENTS.send({ workspace, target });
  const more = replayed.length === REPLAY_MAX;
  return c.json({ replayed: replayed.length, more, last: replayed.at(-1) ?? null });
};

function entryFor(c: Ctx, target: string) {
  return entryOf(c, { action: "webhook.replay", targetKind: "webhook", target });
}

export const callbacks: Handler<"GET /v1/callbacks"> = async (c, { query }) => {
  const workspace = c.get("workspace");
  const found = await listOrigins(database(c.env), workspace, pageRequest(query, "text"));
  const secret = await callbackSecret(c.env.SIGNING_SECRET, workspace);
  const items = found.items.map((row) => ({ origin: row.target, ...healthWire(row) }));
  return c.json({ items, nextCursor: found.nextCursor, secret });
};

/** What is sent to a webhook that is off would be given up at once. */
async function mustBeOn(c: Ctx, id: string | undefined): Promise<void> {
  if (id === undefined || (await find(c, id)).offAt === null) return;
  throw new Refused(refuse("conflict", "The webhook is switched off: switch it on, then replay."));
}

/** The receiver that a request names: a webhook of the workspace, or an origin. */
async function targetOf(
  c: Ctx,
  { webhook, origin }: { webhook?: string | undefined; origin?: string | undefined },
): Promise<string> {
  if ((webhook === undefined) === (origin === undefined)) {
    throw invalid({ path: "webhook", expected: "either webhook or origin", got: "both or none" });
  }
  if (webhook !== undefined) return (await find(c, webhook)).id;
  const text = origin ?? "";
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    const expected = "an origin, as https://crm.example.com";
    throw invalid({ path: "origin", expected, got: "something else" });
  }
  const known = await healthOf(database(c.env), c.get("workspace"), [text]);
  if (!known.has(text)) throw notFound("origin");
  return text;
}

async function find(c: Ctx, id: string): Promise<WebhookRow> {
  const row = await readWebhook(database(c.env), c.get("workspace"), id);
  if (row === null) throw notFound("webhook");
  return row;
}

function checkAddress(c: Ctx, url: string): void {
  const refusal = outboundOf(c.env).check(url);
  if (refusal === null) return;
  const expected = "an https address on the public internet";
  throw invalid({ path: "url", expected, got: refusal });
}

type Shown = Pick<WebhookRow, "name" | "url" | "events" | "texts" | "shape" | "offAt">;

/** What an entry of the audit log says: of the address its origin, for its path may be a secret. */
function shownOf({ name, url, events, texts, shape, offAt }: Shown) {
  const { origin } = new URL(url);
  return { name, origin, events, texts, shape, on: offAt === null };
}

type Wired = Omit<WebhookRow, "workspace" | "version" | "deletedAt">;

async function wholeOf(c: Ctx, row: Wired) {
  const health = await healthOf(database(c.env), c.get("workspace"), [row.id]);
  return wireOf(row, health.get(row.id) ?? null);
}

function wireOf(row: Wired, health: ReceiverRow | null) {
  const { offAt, offReason, oldUntil } = row;
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    events: row.events,
    texts: row.texts,
    shape: row.shape,
    on: offAt === null,
    off: offAt === null ? null : { at: offAt, reason: offReason },
    oldSecretUntil: oldUntil,
    ...healthWire(health),
    createdAt: row.createdAt,
  };
}

function healthWire(health: ReceiverRow | null) {
  return { failingSince: health?.failingSince ?? null, waiting: health?.dueAt ?? null };
}

function deliveryWire(row: DeliveryRow) {
  return {
    sequence: row.sequence,
    event: row.event,
    type: row.type,
    url: row.url,
    status: row.status,
    attempts: row.attempts,
    createdAt: row.createdAt,
    lastAt: row.lastAt,
    nextAt: row.nextAt,
    request: JSON.parse(row.body) as Record<string, unknown>,
    code: row.code,
    answer: row.answer,
    tookMs: row.tookMs,
  };
}
