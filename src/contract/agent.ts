import * as z from "zod";
import { OUTCOMES, OWN_OUTCOME } from "../core/outcome.ts";
import { instant } from "./fields.ts";
import { setupOperations } from "./setup.ts";

const ownOutcome = z.object({
  name: z
    .string()
    .regex(OWN_OUTCOME, "lower-case letters, digits and _, up to 64")
    .refine((name) => !OUTCOMES.some((known) => known === name), "a name that is not built in"),
  suppress: z
    .boolean()
    .default(false)
    .meta({ description: "Puts the number on the do-not-call list (H40)" }),
});

const fields = {
  name: z.string().trim().min(1).max(200),
  carrierAgentId: z.string().min(1).max(200).meta({ description: "The carrier's id of the agent" }),
  prompt: z
    .string()
    .max(100_000)
    .nullable()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
    .meta({ description: "With ${placeholders}; null where the carrier keeps it" }),
  placeholders: z
    .array(z.string().trim().min(1).max(100))
    .max(200)
    .meta({ description: "Names that the prompt uses; left out, read from `prompt`" }),
  outcomes: z
    .array(ownOutcome)
    .max(50)
    .refine((list) => new Set(list.map((one) => one.name)).size === list.length, "no name twice")
    .meta({ description: "Outcomes of its own (H18)" }),
  usesCallback: z.boolean().meta({ description: "Whether it reports `busy_callback` (H20)" }),
  settings: z
    .record(z.string(), z.unknown())
    .meta({ description: "The agent's own settings for this carrier" }),
};
const connection = z.string().meta({ description: "Its carrier connection; never changes" });

export const AgentBody = z
  .object({
    ...fields,
    connection,
    prompt: fields.prompt.optional(),
    placeholders: fields.placeholders.optional(),
    outcomes: fields.outcomes.default([]),
    usesCallback: fields.usesCallback.default(false),
    settings: fields.settings.default({}),
  })
  .meta({ id: "AgentBody" });
export const AgentEdit = z
  .object({ ...fields, connection })
  .partial()
  .meta({ id: "AgentEdit" });

export const Agent = z
  .object({ id: z.string(), ...fields, connection, createdAt: instant("Created") })
  .meta({ id: "Agent" });
export type Agent = z.infer<typeof Agent>;

const example = {
  id: "agt_k3v9q2m8xa_p2d7f0w1zk",
  name: "Asha from sales",
  connection: "con_k3v9q2m8xa_u4n9e2s7qd",
  carrierAgentId: "agent-7",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
  prompt: "You are calling ${name} about their request.",
  placeholders: ["name"],
  outcomes: [{ name: "not_interested", suppress: true }],
  usesCallback: true,
  settings: {},
  createdAt: 1_764_576_000_000,
};
const { id: _id, createdAt: _createdAt, placeholders: _placeholders, ...body } = example;

const operations = setupOperations({
  noun: "agent",
  article: "an",
  tag: "Agents",
  body: AgentBody,
  edit: AgentEdit,
  doc: Agent,
  example,
  create: {
    description: "Who speaks: names a carrier connection and lists the outcomes it can report.",
    example: body,
  },
  change: {
    description: "Any subset; counts from the next dial on. Its connection never changes.",
    example: { name: "Asha" },
  },
  remove: "A 409 that names what uses it, while a live campaign or call does.",
});

export const agentOperations = {
  "POST /v1/agents": operations.create,
  "GET /v1/agents": operations.list,
  "GET /v1/agents/{id}": operations.read,
  "PATCH /v1/agents/{id}": operations.edit,
  "DELETE /v1/agents/{id}": operations.remove,
};
