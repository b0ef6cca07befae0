import * as z from "zod";
import { SCOPES } from "../core/access.ts";
import { idParam, instant, instantOrNull, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

export const KeyBody = z
  .object({
    name: z.string().trim().min(1).max(100),
    expiresAt: z
      .int()
      .nullable()
      .optional()
      .meta({ description: "Refused from this instant on, epoch milliseconds" }),
  })
  .meta({ id: "KeyBody" });

export const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: "First letters of the key, to tell keys apart" }),
    scopes: z.array(z.enum(SCOPES)),
    expiresAt: instantOrNull("Refused from then on"),
    createdAt: instant("Created"),
  })
  .meta({ id: "Key" });

const example = {
  id: "key_k3v9q2m8xa_b8m1v4x0cz",
  name: "Website",
  prefix: "od_k3v9q2m8xa_b8m1v4x0cz",
  scopes: ["*"],
  expiresAt: null,
  createdAt: 1_764_576_000_000,
};

export const keyOperations = {
  "POST /v1/keys": operation({
    id: "createKey",
    tag: "Keys",
    summary: "Create a key",
    description: "The key itself is in this reply and nowhere else.",
    access: "govern",
    body: { schema: KeyBody, bytesMax: SETUP_BYTES_MAX, example: { name: "Website" } },
    reply: {
      status: 201,
      description: "The key, shown this once",
      schema: z.object({ ...Key.shape, apiKey: z.string() }),
      example: { ...example, apiKey: "od_k3v9q2m8xa_b8m1v4x0cz_…" },
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
  "DELETE /v1/keys/{id}": operation({
    id: "revokeKey",
    tag: "Keys",
    summary: "Revoke a key",
    description: "The very next request with it is a 401.",
    access: "govern",
    params: idParam("key", example.id),
    reply: { status: 204, description: "Revoked" },
    refusals: ["not_found"],
  }),
};
