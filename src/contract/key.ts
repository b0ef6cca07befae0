import * as z from "zod";
import { SCOPES } from "../core/access.ts";
import { idParam, instant, instantOrNull, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

const name = z.string().trim().min(1).max(100);
const expiresAt = z
  .int()
  .nullable()
  .optional()
  .meta({ description: "Refused from this instant on, epoch milliseconds; null for never" });
const DAY_HOURS = 24;

export const KeyBody = z
  .object({
    name,
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).meta({
      description:
        "What it may do, and never more than who makes it: `tasks:write` pushes tasks and nothing else, `read` sees everything, `campaigns:write` pushes tasks and runs campaigns, `admin` does all but what owners alone may, `*` everything",
    }),
    campaign: z.string().nullable().optional().meta({
      description:
        "The only campaign that it may push into, a realtime one; only with the scopes `tasks:write` alone",
    }),
    expiresAt,
  })
  .meta({ id: "KeyBody" });

export const KeyEdit = z.object({ name: name.optional() }).meta({ id: "KeyEdit" });

export const KeyRoll = z
  .object({
    overlapHours: z
      .number()
      .min(0)
      .max(30 * DAY_HOURS)
      .default(DAY_HOURS)
      .meta({ description: "How long the old key goes on; 0 ends it at once" }),
    expiresAt: expiresAt.meta({
      description: "Of the new key, epoch milliseconds; left out: as the old one had it",
    }),
  })
  .meta({ id: "KeyRoll" });

export const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: "First letters of the key, to tell keys apart" }),
    scopes: z.array(z.enum(SCOPES)),
    campaign: z
      .string()
      .nullable()
      .meta({ description: "The only campaign that it may push into; null for all" }),
    createdBy: z
      .object({ id: z.string(), name: z.string().nullable() })
      .nullable()
      .meta({ description: "Person or key that made it; null where the deployment did" }),
    expiresAt: instantOrNull("Refused from then on"),
    lastUsedAt: instantOrNull("Last used, to the hour"),
    replaces: z.string().nullable().meta({ description: "The key in whose stead it came" }),
    createdAt: instant("Created"),
  })
  .meta({ id: "Key" });
export type Key = z.output<typeof Key>;

const example = {
  id: "key_k3v9q2m8xa_b8m1v4x0cz",
  name: "Website",
  prefix: "outdial_k3v9q2m8xa_b8m1v4x0cz",
  scopes: ["tasks:write"],
  campaign: "cmp_k3v9q2m8xa_1",
  createdBy: { id: "p5w2j8n1rt", name: "Maya" },
  expiresAt: null,
  lastUsedAt: 1_764_579_600_000,
  replaces: null,
  createdAt: 1_764_576_000_000,
};
const shown = { ...example, lastUsedAt: null, apiKey: "outdial_k3v9q2m8xa_b8m1v4x0cz_…" };
const NewKey = z.object({ ...Key.shape, apiKey: z.string() });

export const keyOperations = {
  "POST /v1/keys": operation({
    id: "createKey",
    tag: "Keys",
    summary: "Create a key",
    description:
      "The key itself is in this reply and nowhere else. Scopes beyond what who asks may do are a 403.",
    access: "govern",
    body: {
      schema: KeyBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { name: "Website", scopes: ["tasks:write"], campaign: "cmp_k3v9q2m8xa_1" },
    },
    reply: {
      status: 201,
      description: "The key, shown this once",
      schema: NewKey,
      example: shown,
    },
    refusals: ["invalid"],
  }),
  "GET /v1/keys": operation({
    id: "listKeys",
    tag: "Keys",
    summary: "List keys",
    description: "Without the keys themselves.",
    access: "govern",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Key),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "PATCH /v1/keys/{id}": operation({
    id: "editKey",
    tag: "Keys",
    summary: "Rename a key",
    description: "What a key may do never changes: make another, or roll it.",
    access: "govern",
    params: idParam("key", example.id),
    body: { schema: KeyEdit, bytesMax: SETUP_BYTES_MAX, example: { name: "Shop" } },
    reply: {
      status: 200,
      description: "The key after the edit",
      schema: Key,
      example: { ...example, name: "Shop" },
    },
    refusals: ["invalid", "not_found"],
  }),
  "POST /v1/keys/{id}/roll": operation({
    id: "rollKey",
    tag: "Keys",
    summary: "Roll a key",
    description:
      "A new key with the same rights, shown this once; the old one expires after the overlap, and both work meanwhile. A 409 for one that has expired.",
    access: "govern",
    params: idParam("key", example.id),
    body: { schema: KeyRoll, bytesMax: SETUP_BYTES_MAX, example: { overlapHours: 24 } },
    reply: {
      status: 201,
      description: "The new key, shown this once",
      schema: NewKey,
      example: { ...shown, id: "key_k3v9q2m8xa_c1n7d5s2ka", replaces: example.id },
    },
    refusals: ["invalid", "not_found", "conflict"],
  }),
  "DELETE /v1/keys/{id}": operation({
    id: "revokeKey",
    tag: "Keys",
    summary: "Revoke a key",
    description: "The very next request with it is a 401. Repeating it is harmless.",
    access: "govern",
    params: idParam("key", example.id),
    reply: { status: 204, description: "Revoked" },
    refusals: ["not_found"],
  }),
};
