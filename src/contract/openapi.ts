import * as z from "zod";
import type { RefusalCode } from "../core/result.ts";
import { EVENT_TYPES } from "../core/webhook.ts";
import { EVENTS, eventSchema } from "./event.ts";
import { ErrorBody } from "./fields.ts";
import type { Operation, ReplyBody } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

type Json = Record<string, unknown>;

/** Schemas with a name of their own, gathered while the document is written. */
type Named = Map<string, Json>;

/**
 * The OpenAPI 3.1 document of every operation, written from the schemas that requests are checked
 * with. `statusOf` is the app's map of refusals to HTTP statuses.
 */
export function openapi(publicUrl: string, statusOf: Record<RefusalCode, number>): Json {
  const named: Named = new Map();
  const paths: Record<string, Json> = {};
  for (const [route, operation] of Object.entries<Operation>(OPERATIONS)) {
    const [method = "", path = ""] = route.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation, named, statusOf) };
  }
  schemaOf(ErrorBody, named, "output");
  return {
    openapi: "3.1.0",
    info: {
      title: "outdial",
      version: "1",
      description:
        "Outbound phone campaigns by voice agents. Instants are epoch milliseconds, durations milliseconds, calling hours HHMM numbers.",
    },
    servers: [{ url: publicUrl }],
    tags: tagsOf(),
    paths,
    webhooks: webhooksOf(named),
    components: {
      schemas: Object.fromEntries([...named].sort(([a], [b]) => a.localeCompare(b))),
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A workspace's key; works bare too" },
        admin: { type: "http", scheme: "bearer", description: "The deployment's admin secret" },
      },
    },
  };
}

/** Requests that receivers get, by type of event. */
function webhooksOf(named: Named): Json {
  const told = EVENT_TYPES.map((type) => {
    const content = {
      "application/json": { schema: schemaOf(eventSchema(type), named, "output") },
    };
    const post = {
      operationId: `on ${type}`,
      tags: ["Webhooks"],
      summary: EVENTS[type].summary,
      parameters: HEADERS_OF_EVENTS,
      requestBody: { required: true, content },
      responses: {
        "2XX": { description: "Taken" },
        "410": { description: "Nothing is sent there any more" },
        default: { description: "Sent again, after a growing gap or `Retry-After`" },
      },
    };
    return [type, { post }];
  });
  return Object.fromEntries(told);
}

const HEADERS_OF_EVENTS = [
  ["webhook-id", "The same whenever the event is sent again"],
  ["webhook-timestamp", "When this request was sent, epoch seconds"],
  ["webhook-signature", "`v1,` and HMAC-SHA256 of `id.timestamp.body` as Base64, for each secret"],
].map(([name, description]) => {
  return { name, in: "header", required: true, description, schema: { type: "string" } };
});

function tagsOf(): { name: string }[] {
  const tags = Object.values<Operation>(OPERATIONS).map((operation) => operation.tag);
  return [...new Set(tags)].map((name) => ({ name }));
}

function describe(o: Operation, named: Named, statusOf: Record<RefusalCode, number>): Json {
  const parameters = [
    ...parametersOf(o.params, "path", named),
    ...parametersOf(o.query, "query", named),
    ...(o.idempotent === true ? [IDEMPOTENCY_KEY] : []),
  ];
  const body = requestBodyOf(o, named);
  return {
    operationId: o.id,
    tags: [o.tag],
    summary: o.summary,
    description: o.description,
    security: securityOf(o),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === null ? {} : { requestBody: body }),
    responses: {
      ...(o.otherReply === undefined ? {} : replyOf(o.otherReply, named)),
      ...replyOf(o.reply, named),
      ...refusalsOf(o, statusOf),
    },
  };
}

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: { type: "string", maxLength: 200 },
  description:
    "Repeating a request with its key gives its reply again, for 7 days; another body is a 409 (H9)",
};

function securityOf(o: Operation): Json[] {
  switch (o.access) {
    case "open":
    case "carrier":
    case "ticket":
      return [];
    case "admin":
      return [{ admin: [] }];
    default:
      return [{ key: [] }];
  }
}

function parametersOf(
  schema: z.ZodObject | undefined,
  where: "path" | "query",
  named: Named,
): Json[] {
  if (schema === undefined) return [];
  const whole = schemaOf(schema, named, "input");
  const required = (whole.required ?? []) as string[];
  return Object.entries(whole.properties as Record<string, Json>).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: where,
      required: where === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function requestBodyOf(o: Operation, named: Named): Json | null {
  if (o.rawBody !== undefined) {
    const { contentType, description, others = [] } = o.rawBody;
    const types = [contentType, ...others.map((other) => other.contentType)];
    const content = Object.fromEntries(types.map((type) => [type, { schema: {} }]));
    return { required: true, description, content };
  }
  if (o.body === undefined) return null;
  const json = { schema: schemaOf(o.body.schema, named, "input"), example: o.body.example };
  const others = (o.body.others ?? []).map(({ contentType, description }) => {
    return [contentType, { schema: { type: "string", description } }];
  });
  return {
    required: true,
    content: { "application/json": json, ...Object.fromEntries(others) },
  };
}

function replyOf(reply: ReplyBody, named: Named): Json {
  const { status, description } = reply;
  const headers = { "x-request-id": { schema: { type: "string" } } };
  if ("raw" in reply) {
    const { raw } = reply;
    const content = { [raw.contentType]: { schema: { description: raw.description } } };
    return { [status]: { description, headers, content } };
  }
  if (!("schema" in reply)) return { [status]: { description, headers } };
  const { schema, example } = reply;
  const content = { "application/json": { schema: schemaOf(schema, named, "output"), example } };
  return { [status]: { description, headers, content } };
}

/** Refusals that a route has because of what it takes. */
function refusalsOf(o: Operation, statusOf: Record<RefusalCode, number>): Json {
  const codes = new Set<RefusalCode>(o.refusals);
  if (o.access !== "open") codes.add("unauthorized");
  if (o.access !== "open" && o.access !== "carrier") codes.add("too_many_requests");
  if (o.body !== undefined || o.rawBody !== undefined) codes.add("too_large");
  codes.add("unavailable");
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const status = statusOf[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  if (o.body !== undefined) byStatus.set(400, ["invalid_json"]);
  const schema = { $ref: "#/components/schemas/Error" };
  const entries = [...byStatus].map(([status, names]) => [
    status,
    { description: names.join(", "), content: { "application/json": { schema } } },
  ]);
  return Object.fromEntries(entries);
}

/** A schema as JSON, the named ones in it moved to the components. */
function schemaOf(schema: z.ZodType, named: Named, io: "input" | "output"): Json {
  const {
    $schema: _,
    $defs,
    ...whole
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
  }) as Json & { $defs?: Record<string, Json> };
  for (const [id, json] of Object.entries($defs ?? {})) named.set(id, moved(json) as Json);
  const { id, ...rest } = moved(whole) as Json;
  if (typeof id !== "string") return rest;
  named.set(id, rest);
  return { $ref: `#/components/schemas/${id}` };
}

/** The same JSON with references that point to the components. */
function moved(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(moved);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(([key, value]) => {
    if (key === "$ref" && typeof value === "string") {
      return [key, value.replace("#/$defs/", "#/components/schemas/")];
    }
    return [key, moved(value)];
  });
  return Object.fromEntries(entries);
}
