import * as z from "zod";
import { instantOrNull, outcome } from "./fields.ts";
import { KB, operation } from "./operation.ts";

const TEMPLATE_CHARS_MAX = 40_000;
const SAMPLE_CHARS_MAX = 200_000;

/** What the carrier `http` asks and reads; `core` of it is in `carriers/http-template.ts`. */
const template = z
  .string()
  .max(TEMPLATE_CHARS_MAX)
  .meta({ description: "The setting `template` of a connection to `http`: JSON text" });
const text = z.string().max(200);

const Preview = z
  .object({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().nullable(),
  })
  .meta({ id: "TemplatePreview", description: "The request of a dial; secrets are stars" });

const Trial = z
  .object({
    readable: z.boolean().meta({ description: "Whether the report has the template's format" }),
    known: z
      .boolean()
      .meta({ description: "Whether its word stands in `words`; else it is ignored" }),
    call: z.string().nullable().meta({ description: "Our call id, where the report has it" }),
    carrierCallId: z.string().nullable(),
    ended: z.boolean().meta({ description: "The call is over: its slot is free" }),
    concluding: z.boolean().meta({ description: "The outcome stands: the task is decided" }),
    refusal: z
      .string()
      .nullable()
      .meta({ description: "Set where the carrier refused after all (H21)" }),
    outcome: outcome.nullable(),
    word: z.string().nullable().meta({ description: "The carrier's own word, kept beside it" }),
    ringingAt: instantOrNull("Ringing"),
    answeredAt: instantOrNull("Answered"),
    endedAt: instantOrNull("Ended"),
    talkMs: z.int().nullable(),
    callbackAt: instantOrNull("Asked to be called again"),
    costMicros: z.int().nullable().meta({ description: "Millionths of `currency`" }),
    currency: z.string().nullable(),
    recording: z.boolean().meta({ description: "Whether there is an address of a recording" }),
    turns: z.int().meta({ description: "Spoken turns of the transcript" }),
    analysis: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: "TemplateTrial" });

/** A template as small as one can be; the description's example and nothing else. */
const EXAMPLE = JSON.stringify({
  place: {
    method: "POST",
    url: "https://api.example.com/calls",
    headers: { authorization: "Bearer $" + "{key}" },
    json: { to: "$" + "{phone}", agent: "$" + "{agent}", report: "$" + "{reportUrl}" },
  },
  test: { method: "GET", url: "https://api.example.com/me" },
  answer: { id: "id" },
  report: {
    format: "json",
    carrierCallId: "id",
    word: ["status"],
    words: { done: "connected", busy: "busy" },
    proof: { kind: "address" },
  },
});

export const templateOperations = {
  "GET /v1/templates": operation({
    id: "listTemplates",
    tag: "Templates",
    summary: "List shipped templates",
    description: "Templates of the carrier `http` to begin with, by the name of what they dial.",
    access: "see",
    reply: {
      status: 200,
      description: "All of them",
      schema: z.object({ items: z.array(z.object({ name: z.string(), template })) }),
      example: { items: [{ name: "Example", template: EXAMPLE }] },
    },
    refusals: [],
  }),
  "POST /v1/templates/preview": operation({
    id: "previewTemplate",
    tag: "Templates",
    summary: "See the request of a dial",
    description:
      "Renders a template for a made-up dial, with secrets as stars. Nothing is sent. A template that is wrong is a 422 that says where.",
    access: "set_up",
    body: {
      schema: z.object({
        template,
        phone: text.default("+14155550100"),
        from: text.default("+14155550000"),
        agent: text.default("agent_1").meta({ description: "The carrier's id of the agent" }),
        number: text
          .nullable()
          .default(null)
          .meta({ description: "The carrier's id of the number" }),
        prompt: z.string().max(20_000).nullable().default(null),
        context: z.record(z.string(), z.string()).default({}),
        settings: z
          .record(z.string(), z.unknown())
          .default({})
          .meta({ description: "The agent's own settings" }),
      }),
      bytesMax: 128 * KB,
      example: { template: EXAMPLE, context: { name: "Asha" } },
    },
    reply: {
      status: 200,
      description: "The request",
      schema: Preview,
      example: {
        method: "POST",
        url: "https://api.example.com/calls",
        headers: { authorization: "Bearer ***", "content-type": "application/json" },
        body: '{"to":"+14155550100"}',
      },
    },
    refusals: ["invalid"],
  }),
  "POST /v1/templates/trial": operation({
    id: "tryTemplate",
    tag: "Templates",
    summary: "Try a sample report",
    description:
      "What a template's rules make of a report: the outcome, and everything else that a call would get from it. Nothing is kept, and its proof is not looked at.",
    access: "set_up",
    body: {
      schema: z.object({
        template,
        report: z
          .string()
          .max(SAMPLE_CHARS_MAX)
          .meta({ description: "The report's body as the carrier sends it" }),
      }),
      bytesMax: 512 * KB,
      example: { template: EXAMPLE, report: '{"id":"c1","status":"busy"}' },
    },
    reply: {
      status: 200,
      description: "What it says",
      schema: Trial,
      example: {
        readable: true,
        known: true,
        call: null,
        carrierCallId: "c1",
        ended: true,
        concluding: true,
        refusal: null,
        outcome: "busy",
        word: "busy",
        ringingAt: null,
        answeredAt: null,
        endedAt: null,
        talkMs: null,
        callbackAt: null,
        costMicros: null,
        currency: null,
        recording: false,
        turns: 0,
        analysis: null,
      },
    },
    refusals: ["invalid"],
  }),
};
