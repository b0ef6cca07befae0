import * as z from "zod";
import { FIELD_KINDS } from "../core/form.ts";
import { COMINGS } from "../core/form-answer.ts";
import { durationMs, idParam, instant, instantOrNull } from "./fields.ts";
import { KB, operation } from "./operation.ts";
import { setupOperations } from "./setup.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
export const FORM_FIELDS_MAX = 20;
export const FORM_ORIGINS_MAX = 50;

const field = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z]\w{0,63}$/, "a letter, then letters, digits and _, at most 64")
    .meta({ description: "Name of the input, and key of the task's context" }),
  label: z.string().trim().min(1).max(200),
  kind: z.enum(FIELD_KINDS).default("text"),
  required: z.boolean().default(false),
});

const consentText = z.string().trim().min(1).max(2_000).meta({
  description: "What people agree to, as it stands beside the box; a change is a version",
});
const turnstile = z
  .object({
    siteKey: z.string().trim().min(1).max(200),
    secret: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: "Sealed, and never shown again; left out in an edit, it stays" }),
  })
  .nullable()
  .meta({ description: "Cloudflare's check that somebody is a person; null for none" });

const settings = {
  fields: z
    .array(field)
    .max(FORM_FIELDS_MAX)
    .meta({ description: "Asked for beside number and consent; what else is posted is ignored" }),
  origins: z
    .array(z.string().max(300))
    .max(FORM_ORIGINS_MAX)
    .meta({ description: "Pages that may post, as `https://www.example.com`" }),
  withoutOrigin: z.boolean().meta({
    description: "Whether a post without an `Origin` is taken, as apps and servers send it",
  }),
  country: z.string().nullable().meta({
    description: "How a number without `+` is read, two letters (H8); null: it is refused",
  }),
  mobileOnly: z.boolean().meta({ description: "Whether only mobile numbers are taken" }),
  redirect: z
    .string()
    .max(2_000)
    .nullable()
    .meta({ description: "Where a page without script goes afterwards; null for a page of ours" }),
  fillMinMs: durationMs("Least time between the ticket of a page's script and its post").max(
    10 * MINUTE_MS,
  ),
  ticketNeeded: z.boolean().meta({
    description: "Whether a post without a ticket is refused: pages then need the script",
  }),
  repeatMs: z.int().min(MINUTE_MS).max(DAY_MS).meta({
    description: "The same number again within this time gets the first answer, and rings once; ms",
  }),
  numberMax: z.int().min(1).max(100).meta({ description: "Calls of one number in 24 hours" }),
  hourMax: z.int().min(1).max(10_000).meta({ description: "Calls of all numbers in an hour" }),
};
const name = z.string().trim().min(1).max(200);
const campaign = z.string().max(60).meta({ description: "Id of a realtime campaign" });

export const FormBody = z
  .object({
    name,
    campaign,
    consentText,
    fields: settings.fields.default([]),
    origins: settings.origins.default([]),
    withoutOrigin: settings.withoutOrigin.default(false),
    country: settings.country.default(null),
    mobileOnly: settings.mobileOnly.default(false),
    redirect: settings.redirect.default(null),
    fillMinMs: settings.fillMinMs.default(2 * SECOND_MS),
    ticketNeeded: settings.ticketNeeded.default(false),
    repeatMs: settings.repeatMs.default(10 * MINUTE_MS),
    numberMax: settings.numberMax.default(3),
    hourMax: settings.hourMax.default(100),
    turnstile: turnstile.default(null),
  })
  .meta({ id: "FormBody" });
export const FormEdit = z
  .object({ ...settings, name, campaign, consentText, turnstile })
  .partial()
  .meta({ id: "FormEdit" });

export const Form = z
  .object({
    id: z.string(),
    name: z.string(),
    campaign: z.string(),
    ...settings,
    fields: z.array(z.object({ ...field.shape, kind: z.enum(FIELD_KINDS), required: z.boolean() })),
    consent: z.object({
      version: z.int().meta({ description: "What the box of a page sends" }),
      text: z.string(),
      since: instant("Since when"),
    }),
    turnstile: z.object({ siteKey: z.string() }).nullable(),
    url: z.string().meta({ description: "Where pages post" }),
    script: z.string().meta({ description: "What validates, submits and shows the answer" }),
    createdAt: instant("Created"),
  })
  .meta({ id: "Form" });
export type Form = z.output<typeof Form>;

const example: Form = {
  id: "frm_k3v9q2m8xa_h2t6c9w4pe",
  name: "Call me back",
  campaign: "cmp_k3v9q2m8xa_1",
  fields: [{ name: "name", label: "Your name", kind: "text", required: true }],
  origins: ["https://www.example.com"],
  withoutOrigin: false,
  country: "IN",
  mobileOnly: false,
  redirect: null,
  fillMinMs: 2_000,
  ticketNeeded: false,
  repeatMs: 600_000,
  numberMax: 3,
  hourMax: 100,
  consent: {
    version: 1,
    text: "Example Ltd may call me about my request.",
    since: 1_764_576_000_000,
  },
  turnstile: null,
  url: "https://outdial.example.com/f/frm_k3v9q2m8xa_h2t6c9w4pe",
  script: "https://outdial.example.com/form.js",
  createdAt: 1_764_576_000_000,
};

const operations = setupOperations({
  noun: "form",
  article: "a",
  tag: "Forms",
  body: FormBody,
  edit: FormEdit,
  doc: Form,
  example,
  create: {
    description:
      "A form for pages of yours, bound to one realtime campaign. Pages post to its `url` without any secret.",
    example: {
      name: "Call me back",
      campaign: "cmp_k3v9q2m8xa_1",
      fields: [{ name: "name", label: "Your name", required: true }],
      origins: ["https://www.example.com"],
      country: "IN",
      consentText: "Example Ltd may call me about my request.",
    },
  },
  change: {
    description:
      "Any subset. Another text of consent is its next version; pages that still show an older one are taken, and that one is kept with the task. It counts everywhere within ten seconds.",
    example: { numberMax: 2 },
  },
  remove: "Pages that still post to it get a 404, within ten seconds.",
});

/** Largest post, bytes: nobody types more. */
export const FORM_POST_BYTES_MAX = 32 * KB;

const posted = {
  phone: z.unknown().meta({ type: "string", description: "The number to call" }),
  consent: z.unknown().meta({
    type: ["string", "integer"],
    description: "Version of the text that the person agreed to: the value of the box",
  }),
  ticket: z.unknown().meta({ type: ["string", "null"], description: "From `GET /f/{id}`" }),
  page: z.unknown().meta({ type: ["string", "null"], description: "Address of the page" }),
  homepage: z.unknown().meta({ type: ["string", "null"], description: "Must be left empty" }),
  "cf-turnstile-response": z.unknown().meta({
    type: ["string", "null"],
    description: "Turnstile's token, where the form asks for it",
  }),
};

export const FormPost = z
  .looseObject(posted)
  .partial()
  .meta({ id: "FormPost", description: "With the form's own fields beside these" });

export const FormAnswer = z
  .object({
    when: z.enum(COMINGS).meta({
      description:
        "`now`: it rings. `soon`: as soon as a line is free. `at`: at that instant, when calling hours open, say. `later`: not known",
    }),
    at: instantOrNull("When the call comes, for `at`"),
    text: z.string().meta({ description: "The same for people: `now`, `tomorrow at 10:00`" }),
    timezone: z.string().meta({ description: "Whose clock the text reads" }),
    message: z.string(),
  })
  .meta({ id: "FormAnswer" });
export type FormAnswer = z.output<typeof FormAnswer>;

const answerExample: FormAnswer = {
  when: "at",
  at: 1_764_649_800_000,
  text: "tomorrow at 10:00",
  timezone: "Asia/Kolkata",
  message: "Thank you. We will call you tomorrow at 10:00.",
};

const page = (description: string) => ({ contentType: "text/html", description });

export const formOperations = {
  "POST /v1/forms": operations.create,
  "GET /v1/forms": operations.list,
  "GET /v1/forms/{id}": operations.read,
  "PATCH /v1/forms/{id}": operations.edit,
  "DELETE /v1/forms/{id}": operations.remove,

  "POST /f/{id}": operation({
    id: "postForm",
    tag: "Forms",
    summary: "Ask for a call",
    description:
      "What a page posts, as JSON, urlencoded or multipart, from an origin in the form's list. Without consent nothing is dialled. Where HTML is accepted, the answer is the form's redirect (303, with `call` and `at` in its query) or a page.",
    access: "open",
    params: idParam("form", example.id),
    body: {
      schema: FormPost,
      bytesMax: FORM_POST_BYTES_MAX,
      example: { phone: "+919876543210", consent: "1", name: "Asha" },
      others: [
        { contentType: "application/x-www-form-urlencoded", description: "As a form sends it" },
        { contentType: "multipart/form-data", description: "As a form sends it; no files" },
      ],
    },
    reply: {
      status: 201,
      description: "When the call comes",
      schema: FormAnswer,
      example: answerExample,
    },
    otherReply: { status: 200, description: "The same", raw: page("A page for people") },
    refusals: [
      ...(["invalid", "forbidden", "not_found", "conflict", "too_many_requests"] as const),
      ...(["unavailable", "full"] as const),
    ],
  }),
  "GET /f/{id}": operation({
    id: "readFormTicket",
    tag: "Forms",
    summary: "Begin to fill in a form",
    description:
      "A ticket that says when somebody began: a page's script sends it along. Where HTML is accepted, and the form lists this deployment's own origin, a page with the form.",
    access: "open",
    params: idParam("form", example.id),
    reply: {
      status: 200,
      description: "The ticket, good for a day",
      schema: z.object({
        ticket: z.string(),
        waitMs: durationMs("How long a post with it has to wait"),
      }),
      example: { ticket: "miyo3k5c.6f1f1d6c1f7a0f6a2b3c4d5e6f708192", waitMs: 2_000 },
    },
    refusals: ["not_found"],
  }),
  "GET /form.js": operation({
    id: "readFormScript",
    tag: "Forms",
    summary: "Script of forms",
    description:
      "For `<script src>` on pages of yours: validates, submits and shows the answer, without any library.",
    access: "open",
    reply: {
      status: 200,
      description: "The script",
      raw: { contentType: "text/javascript", description: "At most 5 kB compressed" },
    },
    refusals: [],
  }),
  "GET /demo/form": operation({
    id: "readDemoForm",
    tag: "Forms",
    summary: "A page with a form",
    description: "A page as a customer would have it; only in the local demo, a 404 elsewhere.",
    access: "open",
    reply: { status: 200, description: "The page", raw: page("With the demo's form") },
    refusals: ["not_found"],
  }),
};
