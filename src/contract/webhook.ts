import * as z from "zod";
import { DELIVERY_STATUSES, EVENT_TYPES, WEBHOOK_SHAPES } from "../core/webhook.ts";
import { durationMs, idParam, instant, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

const fields = {
  name: z.string().trim().min(1).max(200),
  url: z.string().trim().min(1).max(2_000).meta({
    description: "Where events are posted: https, on the public internet",
  }),
  events: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .max(EVENT_TYPES.length)
    .meta({ description: "Types of events that are told" }),
  texts: z.boolean().meta({
    description: "Whether `call.analyzed` brings transcript and analysis",
  }),
  shape: z.enum(WEBHOOK_SHAPES).meta({
    description:
      "`guide`: events of calls as `callStart`, `callEnd`, `callEndConnected` and `callEndNotConnected`, with the number",
  }),
};

export const WebhookBody = z
  .object({
    ...fields,
    texts: fields.texts.default(false),
    shape: fields.shape.default("standard"),
  })
  .meta({ id: "WebhookBody" });
export const WebhookEdit = z
  .object({
    ...fields,
    on: z
      .boolean()
      .meta({ description: "Switches it on or off; what happens meanwhile is not told later" }),
  })
  .partial()
  .meta({ id: "WebhookEdit" });

const health = {
  failingSince: instant("Its first failure since it last took an event").nullable(),
  waiting: instant("When what waits for it is tried next; null when nothing waits").nullable(),
};

export const Webhook = z
  .object({
    id: z.string(),
    ...fields,
    on: z.boolean(),
    off: z
      .object({ at: instant("Switched off"), reason: z.string().nullable() })
      .nullable()
      .meta({ description: "Why it is off; a `reason` where no person did it" }),
    oldSecretUntil: instant("Until then the secret before the last one signs, too").nullable(),
    ...health,
    createdAt: instant("Created"),
  })
  .meta({ id: "Webhook" });

const WithSecret = Webhook.extend({
  secret: z.string().meta({ description: "Signs what is sent; shown this once" }),
}).meta({ id: "WebhookWithSecret" });

export const Delivery = z
  .object({
    sequence: z.int().meta({ description: "Grows with time in the workspace" }),
    event: z.string().meta({ description: "`webhook-id`" }),
    type: z.string(),
    url: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.int(),
    createdAt: instant("When it happened"),
    lastAt: instant("Last tried").nullable(),
    nextAt: instant("Tried next").nullable(),
    request: z.record(z.string(), z.unknown()).meta({
      description: "What was sent, without transcript and analysis and before any other shape",
    }),
    code: z.int().nullable().meta({ description: "HTTP status of the last answer" }),
    answer: z.string().nullable().meta({ description: "What it said, or what went wrong; cut" }),
    tookMs: durationMs("How long the last answer took").nullable(),
  })
  .meta({ id: "Delivery" });

const Replayed = z.object({
  replayed: z.int(),
  more: z
    .boolean()
    .meta({ description: "There may be more than one request takes: go on `after` the last" }),
  last: z.int().nullable().meta({ description: "`sequence` of the last one" }),
});

const AT = 1_764_576_000_000;
const example = {
  id: "whk_k3v9q2m8xa_u4n9e2s7qd",
  name: "CRM",
  url: "https://crm.example.com/hooks/outdial",
  events: ["call.ended", "task.completed"],
  texts: false,
  shape: "standard",
  on: true,
  off: null,
  oldSecretUntil: null,
  failingSince: null,
  waiting: null,
  createdAt: AT,
};
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const params = idParam("webhook", example.id);
const delivery = {
  sequence: 4711,
  event: "cal_k3v9q2m8xa_3n5-ended",
  type: "call.ended",
  url: example.url,
  status: "delivered",
  attempts: 1,
  createdAt: AT,
  lastAt: AT + 210,
  nextAt: null,
  request: { type: "call.ended", sequence: 4711, data: { call: "cal_k3v9q2m8xa_3n5" } },
  code: 200,
  answer: "ok",
  tookMs: 87,
};

/** A webhook, or all addresses of tasks at one origin. */
const receiver = {
  webhook: z.string().max(60).optional().meta({ description: "A webhook's id" }),
  origin: z
    .string()
    .max(300)
    .optional()
    .meta({ description: "In its stead: the origin of tasks' own addresses" }),
};

export const webhookOperations = {
  "POST /v1/webhooks": operation({
    id: "createWebhook",
    tag: "Webhooks",
    summary: "Create a webhook",
    description:
      "Events from now on are posted there, signed as Standard Webhooks have it. The secret is in this reply and in none after it.",
    access: "set_up",
    body: {
      schema: WebhookBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { name: example.name, url: example.url, events: example.events },
    },
    reply: {
      status: 201,
      description: "The new webhook",
      schema: WithSecret,
      example: { ...example, secret },
    },
    refusals: ["invalid", "conflict"],
  }),
  "GET /v1/webhooks": operation({
    id: "listWebhooks",
    tag: "Webhooks",
    summary: "List webhooks",
    description: "All of the workspace, by id, with how they answer.",
    access: "set_up",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Webhook),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "GET /v1/webhooks/{id}": operation({
    id: "readWebhook",
    tag: "Webhooks",
    summary: "Read a webhook",
    description: "One webhook of the workspace.",
    access: "set_up",
    params,
    reply: { status: 200, description: "The webhook", schema: Webhook, example },
    refusals: ["not_found"],
  }),
  "PATCH /v1/webhooks/{id}": operation({
    id: "editWebhook",
    tag: "Webhooks",
    summary: "Edit a webhook",
    description: "Any subset. What waits goes to the address that it was meant for.",
    access: "set_up",
    params,
    body: { schema: WebhookEdit, bytesMax: SETUP_BYTES_MAX, example: { texts: true } },
    reply: { status: 200, description: "The webhook after the edit", schema: Webhook, example },
    refusals: ["not_found", "invalid"],
  }),
  "DELETE /v1/webhooks/{id}": operation({
    id: "deleteWebhook",
    tag: "Webhooks",
    summary: "Delete a webhook",
    description: "What waits for it is given up.",
    access: "set_up",
    params,
    reply: { status: 204, description: "Deleted" },
    refusals: ["not_found"],
  }),
  "POST /v1/webhooks/{id}/roll": operation({
    id: "rollWebhook",
    tag: "Webhooks",
    summary: "Roll a webhook's secret",
    description:
      "A new secret, in this reply and in none after it. For a day both sign: a receiver that knows either takes what comes.",
    access: "set_up",
    params,
    reply: {
      status: 200,
      description: "The webhook with its new secret",
      schema: WithSecret,
      example: { ...example, oldSecretUntil: AT + 86_400_000, secret },
    },
    refusals: ["not_found"],
  }),
  "POST /v1/webhooks/{id}/test": operation({
    id: "testWebhook",
    tag: "Webhooks",
    summary: "Test a webhook",
    description:
      "Sends a `webhook.test` at once and once: 200 also where it is not taken, and says why.",
    access: "set_up",
    params,
    reply: {
      status: 200,
      description: "How the receiver answered",
      schema: z.object({
        works: z.boolean(),
        code: z.int().nullable(),
        said: z.string(),
        tookMs: durationMs("How long it took to answer"),
      }),
      example: { works: true, code: 200, said: "ok", tookMs: 87 },
    },
    refusals: ["not_found"],
  }),
  "GET /v1/deliveries": operation({
    id: "listDeliveries",
    tag: "Webhooks",
    summary: "List deliveries",
    description: "Of one receiver, the newest first, for 30 days.",
    access: "set_up",
    query: z.object({
      ...pageQuery,
      ...receiver,
      status: z.enum(["waiting", "failed"]).optional(),
    }),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Delivery),
      example: { items: [delivery], nextCursor: null },
    },
    refusals: ["invalid", "not_found"],
  }),
  "POST /v1/deliveries/replay": operation({
    id: "replayDeliveries",
    tag: "Webhooks",
    summary: "Replay deliveries",
    description:
      "Sends one again (`sequence`), or what was given up since a time (`since`), or everything since then (`all`), oldest first, at most 1,000 at a time. Events keep their ids.",
    access: "set_up",
    body: {
      schema: z.object({
        ...receiver,
        sequence: z.int().min(1).optional(),
        since: z.int().min(0).optional(),
        after: z
          .int()
          .min(0)
          .optional()
          .meta({ description: "With `since`: only what has a larger `sequence`" }),
        all: z.boolean().default(false),
      }),
      bytesMax: SETUP_BYTES_MAX,
      example: { webhook: example.id, since: AT },
    },
    reply: {
      status: 200,
      description: "How many go out again",
      schema: Replayed,
      example: { replayed: 12, more: false, last: 4711 },
    },
    refusals: ["invalid", "not_found", "conflict"],
  }),
  "GET /v1/callbacks": operation({
    id: "listCallbacks",
    tag: "Webhooks",
    summary: "List tasks' own addresses",
    description:
      "Origins of `statusCallbackUrl`, how they answer, and the secret that signs what is sent there.",
    access: "set_up",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(z.object({ origin: z.string(), ...health })).extend({ secret: z.string() }),
      example: {
        items: [{ origin: "https://crm.example.com", failingSince: null, waiting: null }],
        nextCursor: null,
        secret,
      },
    },
    refusals: ["invalid"],
  }),
};
