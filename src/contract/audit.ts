import * as z from "zod";
import { ACTOR_KINDS } from "../core/audit.ts";
import { instant, pageOf, pageQuery } from "./fields.ts";
import { operation } from "./operation.ts";

const values = z.record(z.string(), z.unknown()).nullable();

export const AuditEntry = z
  .object({
    id: z.string(),
    at: instant("Done"),
    actor: z.object({
      kind: z.enum(ACTOR_KINDS),
      id: z.string().nullable(),
      name: z.string().nullable().meta({ description: "Of the person or key, as it is now" }),
    }),
    action: z.string().meta({ description: "A noun and a verb, such as `campaign.pause`" }),
    targetKind: z.string().nullable(),
    target: z.string().nullable().meta({ description: "Id; of a number, masked" }),
    before: values.meta({ description: "Fields that changed, as they were" }),
    after: values.meta({ description: "The same fields, as they are" }),
    ip: z.string().nullable().meta({ description: "Address that the request came from" }),
    requestId: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;

const filters = {
  actor: z.string().max(60).optional().meta({
    description: "Id of a person or key; or `deployment`, `outdial`",
  }),
  action: z.string().max(60).optional().meta({
    description: "`campaign.pause`, or `campaign` for all that was done to campaigns",
  }),
  target: z.string().max(60).optional().meta({ description: "Id of what it was done to" }),
};

const example = {
  id: "aud_k3v9q2m8xa_0mhx2k9ab1c0de4f",
  at: 1_764_576_000_000,
  actor: { kind: "person" as const, id: "p_8d2k", name: "Asha" },
  action: "campaign.edit",
  targetKind: "campaign",
  target: "cmp_k3v9q2m8xa_1",
  before: { slotsMax: 5 },
  after: { slotsMax: 25 },
  ip: "203.0.113.7",
  requestId: "b8f0c1d2-6a55-4a8e-9a53-1f2e3d4c5b6a",
};

export const auditOperations = {
  "GET /v1/audit": operation({
    id: "listAudit",
    tag: "Privacy",
    summary: "Read the audit log",
    description:
      "Who did what, newest first: changes by people and keys, sign-ins, exports, and whoever sees full numbers (`phone.read`, once an hour for each campaign, task or call; of a key for the whole workspace), reads a transcript or plays a recording. Pushes are not in it one by one: a task says when it came, and its key when it was last used. No entry holds a secret or a whole number.",
    access: "govern",
    query: z.object({ ...pageQuery, ...filters }),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(AuditEntry),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "GET /v1/audit.csv": operation({
    id: "exportAudit",
    tag: "Privacy",
    summary: "Export the audit log",
    description: "The same as a CSV, newest first; the export is itself recorded.",
    access: "govern",
    query: z.object(filters),
    reply: {
      status: 200,
      description: "The entries",
      raw: { contentType: "text/csv", description: "UTF-8, one line for each entry" },
    },
    refusals: ["invalid"],
  }),
};
