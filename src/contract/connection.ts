import * as z from "zod";
import { durationMs, idParam, instant } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";
import { setupOperations } from "./setup.ts";

const MIN_MS = 60_000;
const fields = {
  name: z.string().trim().min(1).max(200),
  lengthMaxMs: z
    .int()
    .min(MIN_MS)
    .max(240 * MIN_MS)
    .meta({ description: "Longest call, ms (H22)" }),
  perSecond: z.number().min(0.001).max(1000).nullable().meta({
    description:
      "Calls started a second; null for no pace. Left out, what the carrier takes by default",
  }),
  callsMax: z
    .int()
    .min(1)
    .nullable()
    .meta({ description: "Calls at once; null for no limit of its own" }),
};
const carrier = z.string().max(40).meta({ description: "What places the calls; never changes" });
const settings = z.record(z.string(), z.unknown()).meta({
  description:
    "Credentials and addresses, by the carrier's own names; secrets are never shown again. Addresses are https, on the public internet",
});

export const ConnectionBody = z
  .object({
    name: fields.name,
    carrier,
    settings,
    lengthMaxMs: fields.lengthMaxMs.default(30 * MIN_MS),
    perSecond: fields.perSecond.optional(),
    callsMax: fields.callsMax.optional(),
  })
  .meta({ id: "ConnectionBody" });
export const ConnectionEdit = z
  .object({ ...fields, carrier, settings })
  .partial()
  .meta({ id: "ConnectionEdit" });

export const Connection = z
  .object({
    id: z.string(),
    name: z.string(),
    carrier,
    settingsGiven: z.array(z.string()).meta({ description: "Which settings have a value" }),
    settings: z.record(z.string(), z.string()).meta({
      description: "Addresses whole; of secrets the last four characters after …, or only …",
    }),
    lengthMaxMs: durationMs("Longest call"),
    perSecond: fields.perSecond,
    callsMax: fields.callsMax,
    unknownWords: z
      .array(z.object({ word: z.string(), count: z.int(), lastAt: instant("Last reported") }))
      .meta({
        description:
          "Words of the carrier's that outdial has no meaning for, by how often reports and look-ups brought them: such calls count as `failed`. Only where one connection is read",
      }),
    reportsUrl: z.string().meta({ description: "Where the carrier may send reports" }),
    createdAt: instant("Created"),
  })
  .meta({ id: "Connection" });

const example = {
  id: "con_k3v9q2m8xa_u4n9e2s7qd",
  name: "Simulator",
  carrier: "simulator",
  settingsGiven: ["apiKey", "baseUrl", "reportSecret"],
  settings: { apiKey: "…k7Qd", baseUrl: "https://carrier.example.com", reportSecret: "…" },
  lengthMaxMs: 1_800_000,
  perSecond: null,
  callsMax: null,
  unknownWords: [],
  reportsUrl: "https://outdial.example.com/reports/con_k3v9q2m8xa_u4n9e2s7qd",
  createdAt: 1_764_576_000_000,
};

const operations = setupOperations({
  noun: "connection",
  article: "a",
  tag: "Connections",
  body: ConnectionBody,
  edit: ConnectionEdit,
  doc: Connection,
  example,
  create: {
    description: "A carrier account. Its settings are checked, sealed, and never shown again.",
    example: {
      name: "Simulator",
      carrier: "simulator",
      settings: { baseUrl: "https://carrier.example.com", apiKey: "…", reportSecret: "…" },
    },
  },
  change: {
    description:
      "Any subset; given settings replace those of the same name, null removes one. Another address needs the secrets again.",
    example: { callsMax: 20 },
  },
  remove: "A 409 that names the agents, numbers or calls that use it.",
});

export const connectionOperations = {
  "POST /v1/connections": operations.create,
  "POST /v1/connections/reseal": operation({
    id: "resealConnections",
    tag: "Connections",
    summary: "Seal connections anew",
    description:
      "A slice of all connections of the deployment, by the newest sealing key: what `npm run keys:rotate` repeats until nothing is left. A 409 while another key seals here.",
    access: "admin",
    body: {
      schema: z.object({
        key: z.int().min(1).meta({ description: "Number of the key that is to seal" }),
        after: z
          .string()
          .max(60)
          .nullable()
          .optional()
          .meta({ description: "`next` of the slice before" }),
      }),
      bytesMax: SETUP_BYTES_MAX,
      example: { key: 2, after: null },
    },
    reply: {
      status: 200,
      description: "What was done",
      schema: z.object({
        seen: z.int(),
        sealed: z.int().meta({ description: "Those that another key had sealed" }),
        next: z.string().nullable().meta({ description: "Where to go on; null at the end" }),
      }),
      example: { seen: 20, sealed: 20, next: "con_k3v9q2m8xa_u4n9e2s7qd" },
    },
    refusals: ["invalid", "conflict"],
  }),
  "POST /v1/connections/{id}/test": operation({
    id: "testConnection",
    tag: "Connections",
    summary: "Test a connection",
    description:
      "Asks the carrier for something that places no call, with the connection's own credentials: 200 also where it does not work, and says why.",
    access: "set_up",
    params: idParam("connection", example.id),
    reply: {
      status: 200,
      description: "How the carrier answered",
      schema: z.object({
        works: z.boolean(),
        said: z
          .string()
          .nullable()
          .meta({ description: "What is wrong, as far as the carrier's answer says; else null" }),
        tookMs: durationMs("How long it took to answer"),
      }),
      example: { works: false, said: "the test answered http 401", tookMs: 212 },
    },
    refusals: ["not_found"],
  }),
  "GET /v1/connections": operations.list,
  "GET /v1/connections/{id}": operations.read,
  "PATCH /v1/connections/{id}": operations.edit,
  "DELETE /v1/connections/{id}": operations.remove,
};
