import { checkMac, mac } from "../carriers/secret.ts";
import type { FormAnswer } from "../contract/form.ts";
import { FORM_POST_BYTES_MAX } from "../contract/form.ts";
import type { Consent } from "../core/form.ts";
import { callComes, comingText } from "../core/form-answer.ts";
import { type Given, type Post, readPost } from "../core/form-post.ts";
import { makeId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { shown } from "../core/time.ts";
import type { Coming, PushedTask } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { mediaType, readBytes } from "./body.ts";
import type { Ctx } from "./context.ts";
import { invalid, notFound, Refused, statusOf } from "./errors.ts";
import { type OpenForm, openForm } from "./form-of.ts";
import { answerPage, formPage, refusalPage, sendPage } from "./form-pages.ts";
import { limitAddress } from "./limits.ts";
import type { Handler } from "./serve.ts";
import { mustBePerson } from "./turnstile.ts";

const PURPOSE = "form ticket";
const TICKET = /^([0-9a-z]{6,10})\.([0-9a-f]{32})$/;
/** How long a ticket is good: somebody may leave a page open, ms. */
const TICKET_GOOD_MS = 24 * 3_600_000;
const PAGE_CHARS_MAX = 500;
const AGENT_CHARS_MAX = 300;

/** Takes what a page posts, and answers when the call comes: as JSON, or as a page where one is wanted. */
export const post: Handler<"POST /f/{id}"> = async (c, { params, body }) => {
  const form = await find(c, params.id);
  const readable = wantsPage(c);
  try {
    const answer = await take(c, form, body);
    if (!readable) return c.json(answer, 201);
    const { redirect } = form.settings;
    if (redirect !== null) return c.redirect(withAnswer(redirect, answer), 303);
    return sendPage(c, form, answerPage(answer.message, backOf(c, form)));
  } catch (error) {
    if (!readable || !(error instanceof Refused)) throw error;
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
    const page = refusalPage(error.refusal, backOf(c, form));
    return sendPage(c, form, page, statusOf(error) as 409);
  }
};

/** A ticket for a page's script, or, for somebody who goes there, a page with the form. */
export const begin: Handler<"GET /f/{id}"> = async (c, { params }) => {
  const form = await find(c, params.id);
  if (!wantsPage(c)) {
    return c.json({ ticket: await newTicket(c, form), waitMs: form.settings.fillMinMs });
  }
  // Whoever may not post from a page of ours has none.
  if (!form.settings.origins.includes(new URL(c.env.PUBLIC_URL).origin)) throw notFound("form");
  const words = { title: form.name, lead: "Leave your number, and we call you.", note: "" };
  return sendPage(c, form, formPage(form, words));
};

async function find(c: Ctx, id: string): Promise<OpenForm> {
  const form = await openForm(c.env, id, c.get("now"));
  if (form === null) throw notFound("form");
  return form;
}

/** From the cheapest check to the dearest: what is refused has asked nobody, and nothing was dialled. */
async function take(c: Ctx, form: OpenForm, json: unknown): Promise<FormAnswer> {
  mustComeFrom(c, form);
  await limitAddress(c, "form");
  const read = readPost(form, await givenOf(c, json));
  if (!read.ok) throw invalid(...read.issues);
  await checkTicket(c, form, read.value.ticket);
  await mustBePerson(c, form, read.value.turnstile);
  return answerOf(c, await push(c, form, read.value));
}

/** Only pages of the form's list post to it: a browser names the page's origin, whatever sends it. */
function mustComeFrom(c: Ctx, { settings }: OpenForm): void {
  const origin = c.req.header("origin");
  if (origin === undefined ? settings.withoutOrigin : settings.origins.includes(origin)) return;
  const from = origin === undefined ? "without an Origin" : `from ${shown(origin)}`;
  throw new Refused(
    refuse("forbidden", `This form is not taken ${from}: its list has no such page.`),
  );
}

async function givenOf(c: Ctx, json: unknown): Promise<Given> {
  switch (mediaType(c)) {
    case "application/x-www-form-urlencoded":
    case "multipart/form-data":
      return fieldsOf(c, await readBytes(c, FORM_POST_BYTES_MAX));
    default:
      return json as Given;
  }
}

async function fieldsOf(c: Ctx, bytes: Uint8Array<ArrayBuffer>): Promise<Given> {
  const headers = { "content-type": c.req.header("content-type") ?? "" };
  try {
    const data = await new Response(bytes, { headers }).formData();
    // Files are none of a form's fields.
    return Object.fromEntries([...data].filter(([, value]) => typeof value === "string"));
  } catch {
    throw invalid({ path: "body", expected: "a form's fields", got: "another body" });
  }
}

async function newTicket(c: Ctx, form: OpenForm): Promise<string> {
  const time = c.get("now").toString(36);
  return `${time}.${await mac(c.env.SIGNING_SECRET, PURPOSE, `${form.id} ${time}`)}`;
}

/** Nobody fills in a form in no time; a page without script has no ticket that could tell. */
async function checkTicket(c: Ctx, form: OpenForm, ticket: string | null): Promise<void> {
  const { ticketNeeded, fillMinMs } = form.settings;
  const expected = "a ticket of this form, of today";
  if (ticket === null) {
    if (ticketNeeded) throw invalid({ path: "ticket", expected, got: "nothing" });
    return;
  }
  const [, time = "", proof = ""] = TICKET.exec(ticket) ?? [];
  const ours = await checkMac(c.env.SIGNING_SECRET, PURPOSE, `${form.id} ${time}`, proof);
  const age = c.get("now") - Number.parseInt(time, 36);
  if (!ours || age > TICKET_GOOD_MS)
    throw invalid({ path: "ticket", expected, got: "another one" });
  if (age >= fillMinMs) return;
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  const path = "ticket";
  throw invalid({
    path,
    expected: `at least ${seconds(fillMinMs)} to fill it in`,
    got: seconds(age),
  });
}

/** One transaction of the Dialer's: the task with its consent, or nothing. */
async function push(c: Ctx, form: OpenForm, post: Post): Promise<Coming> {
  const { id, workspace, settings } = form;
  const campaign = makeId("cmp", workspace, form.campaign);
  const { phone, context } = post;
  const request = {
    access: null,
    tasks: [{ body: { campaign, phone, context }, path: "", consent: consentOf(c, form, post) }],
    idempotency: null,
    form: {
      ...{ id, repeatMs: settings.repeatMs },
      ...{ numberMax: settings.numberMax, hourMax: settings.hourMax },
    },
  };
  const reply = await dialerOf(c.env, workspace).push(request);
  if (!reply.ok) throw reply.code === "full" ? new Refused(reply) : notFound("form");
  const [pushed] = reply.value;
  if (pushed === undefined) throw new Error("bug: a push without its answer");
  if (!pushed.ok) throw refused(pushed);
  if (pushed.coming === undefined) throw new Error("bug: a form without its answer");
  return pushed.coming;
}

/** What is wrong with the campaign is nothing that somebody at the form can mend. */
function refused(pushed: Extract<PushedTask, { ok: false }>): Refused {
  switch (pushed.code) {
    case "not_found":
    case "conflict":
      return new Refused(refuse("conflict", "This form is closed: it takes no more requests."));
    case "too_many_requests": {
      const seconds = Math.ceil((pushed.waitMs ?? 1_000) / 1_000);
      return new Refused(pushed, { "retry-after": String(seconds) });
    }
    default:
      return new Refused(pushed);
  }
}

function consentOf(c: Ctx, form: OpenForm, { consent, page }: Post): Consent {
  const userAgent = c.req.header("user-agent") ?? null;
  return {
    form: form.id,
    version: consent.version,
    text: consent.text,
    at: c.get("now"),
    page: pageOf(c, page),
    address: c.req.header("cf-connecting-ip") ?? null,
    userAgent: userAgent === null ? null : userAgent.slice(0, AGENT_CHARS_MAX),
  };
}

/** Where somebody agreed: what the page says of itself, what its browser says, or its origin alone. */
function pageOf(c: Ctx, given: string | null): string | null {
  const origin = c.req.header("origin");
  for (const text of [given, c.req.header("referer"), origin]) {
    if (text === undefined || text === null || !URL.canParse(text)) continue;
    const url = new URL(text);
    // A page that names another one is not believed.
    if (origin !== undefined && url.origin !== origin) continue;
    url.hash = "";
    return url.href.slice(0, PAGE_CHARS_MAX);
  }
  return null;
}

function answerOf(c: Ctx, { waiting, timezone }: Coming): FormAnswer {
  const now = c.get("now");
  const comes = callComes(waiting, now);
  const text = comingText(comes, now, timezone);
  const then = comes.when === "now" ? "We are calling you now." : `We will call you ${text}.`;
  return { ...comes, text, timezone, message: `Thank you. ${then}` };
}

/** A browser that has sent a form by itself wants a page; a script asks for JSON. */
function wantsPage(c: Ctx): boolean {
  return (c.req.header("accept") ?? "").includes("text/html");
}

function withAnswer(redirect: string, { when, at }: FormAnswer): string {
  const url = new URL(redirect);
  url.searchParams.set("call", when);
  if (at !== null) url.searchParams.set("at", String(at));
  return url.href;
}

/** The page that somebody came from, if the form's list has it. */
function backOf(c: Ctx, form: OpenForm): string | null {
  const back = pageOf(c, null);
  return back !== null && form.settings.origins.includes(new URL(back).origin) ? back : null;
}
