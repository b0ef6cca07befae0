import { seal } from "../carriers/seal.ts";
import type { Form } from "../contract/form.ts";
import type { OPERATIONS } from "../contract/operations.ts";
import { type ConsentText, type FormSettings, RESERVED_NAMES } from "../core/form.ts";
import { localKey, makeId, type WorkspaceId } from "../core/ids.ts";
import { isCountry } from "../core/phone.ts";
import { type Issue, refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import {
  deleteForm,
  editForm,
  type FormRow,
  insertForm,
  listForms,
  readForm,
} from "../db/forms.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { findCampaign } from "./find.ts";
import { forgetForm } from "./form-of.ts";
import { randomText } from "./key-text.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler, Input } from "./serve.ts";

/** Texts that a page may still show; older ones are forgotten, and pages with them refused. */
const CONSENTS_KEPT = 50;
/** How often an edit is tried while others come between. */
const EDITS_MAX = 10;

type Body = Input<(typeof OPERATIONS)["POST /v1/forms"]>["body"];
type Edit = Input<(typeof OPERATIONS)["PATCH /v1/forms/{id}"]>["body"];
type Given = Omit<Body, "campaign" | "name" | "consentText">;

export const create: Handler<"POST /v1/forms"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const now = c.get("now");
  const { name, campaign, consentText, ...given } = body;
  const settings = settingsOf(c, given, null);
  const row = {
    id: makeId("frm", workspace, randomText(10)),
    name,
    campaign: await readCampaign(c, campaign),
    settings,
    consents: [{ version: 1, text: consentText, since: now }],
    sealed: await sealedOf(c, body.turnstile, null),
    createdAt: now,
  };
  const after = shownOf({ ...row, workspace });
  const entry = entryOf(c, { action: "form.create", targetKind: "form", target: row.id, after });
  await insertForm(database(c.env), workspace, row, entry);
  forgetForm(row.id);
  return c.json(formWire(c, { ...row, workspace }), 201);
};

export const list: Handler<"GET /v1/forms"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listForms(database(c.env), c.get("workspace"), page);
  return c.json(mapPage(found, (row) => formWire(c, row)));
};

export const read: Handler<"GET /v1/forms/{id}"> = async (c, { params }) =>
  c.json(formWire(c, await find(c, params.id)));

/** Two who edit at once: each is done on what the other left, or a version would have two texts. */
export const edit: Handler<"PATCH /v1/forms/{id}"> = async (c, { params, body }) => {
  for (let n = 0; n < EDITS_MAX; n++) {
    const edited = await tryEdit(c, await find(c, params.id), body);
    if (edited !== null) return c.json(formWire(c, edited));
  }
  throw new Refused(refuse("unavailable", "Others edit this form: repeat the request."));
};

/** The form after its edit, or null where it has changed since it was read. */
async function tryEdit(c: Ctx, row: FormRow, body: Edit): Promise<FormRow | null> {
  const workspace = c.get("workspace");
  const { name, campaign, consentText, turnstile, ...rest } = body;
  const given = { ...rest, ...(turnstile === undefined ? {} : { turnstile }) };
  const fields = {
    name: name ?? row.name,
    campaign: campaign === undefined ? row.campaign : await readCampaign(c, campaign),
    settings: settingsOf(c, given, row.settings),
    consents: consentsAfter(row.consents, consentText, c.get("now")),
    sealed: turnstile === undefined ? row.sealed : await sealedOf(c, turnstile, row.sealed),
  };
  const edited = { ...row, ...fields };
  const change = changeOf(shownOf(row), shownOf(edited));
  // A secret is in no entry, but that there is another one.
  if (turnstile?.secret !== undefined) change.after.turnstileSecret = "given";
  if (Object.keys(change.after).length === 0) return edited;
  const deed = { action: "form.edit", targetKind: "form", target: row.id, ...change };
  const done = await editForm(database(c.env), workspace, row, fields, entryOf(c, deed));
  forgetForm(row.id);
  return done ? edited : null;
}

export const remove: Handler<"DELETE /v1/forms/{id}"> = async (c, { params }) => {
  const row = await find(c, params.id);
  const before = shownOf(row);
  const deed = { action: "form.delete", targetKind: "form", target: row.id, before };
  await deleteForm(database(c.env), c.get("workspace"), row.id, entryOf(c, deed));
  forgetForm(row.id);
  return c.body(null, 204);
};

async function find(c: Ctx, id: string): Promise<FormRow> {
  const row = await readForm(database(c.env), c.get("workspace"), id);
  if (row === null) throw notFound("form");
  return row;
}

/** Settings after what was given, or all of their issues. */
function settingsOf(
  c: Ctx,
  given: Partial<Given> | Omit<Edit, "name">,
  before: FormSettings | null,
) {
  const issues: Issue[] = [];
  const { turnstile, origins, redirect, fields, country, ...rest } = given;
  const settings = {
    ...before,
    ...withoutUndefined(rest),
    ...(fields === undefined ? {} : { fields: readFields(fields, issues) }),
    ...(origins === undefined ? {} : { origins: readOrigins(c, origins, issues) }),
    ...(redirect === undefined ? {} : { redirect: readRedirect(redirect, issues) }),
    ...(country === undefined ? {} : { country: readCountry(country, issues) }),
    ...(turnstile === undefined ? {} : { siteKey: turnstile?.siteKey ?? null }),
  } as FormSettings;
  if (settings.ticketNeeded && settings.withoutOrigin) {
    const expected = "false where a post without an origin is taken: only a page's script has one";
    issues.push({ path: "ticketNeeded", expected, got: "true" });
  }
  if (issues.length > 0) throw invalid(...issues);
  return settings;
}

function withoutUndefined<T extends object>(given: T): Partial<T> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

function readFields(fields: NonNullable<Body["fields"]>, issues: Issue[]): FormSettings["fields"] {
  const seen = new Set<string>();
  for (const [index, { name }] of fields.entries()) {
    const path = `fields.${index}.name`;
    if (RESERVED_NAMES.includes(name)) {
      issues.push({ path, expected: "a name that the form does not use itself", got: name });
    }
    if (seen.has(name)) issues.push({ path, expected: "a name of its own", got: name });
    seen.add(name);
  }
  return fields;
}

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** Each as a browser writes it in `Origin`: of https, of this deployment, or of somebody's own machine. */
function readOrigins(c: Ctx, origins: string[], issues: Issue[]): string[] {
  const own = new URL(c.env.PUBLIC_URL).origin;
  const read = origins.map((text, index) => {
    if (text === own) return own;
    const url = webAddress(text);
    const bare = url !== null && url.pathname === "/" && url.search === "" && url.hash === "";
    if (url !== null && bare) return url.origin;
    const expected = "the origin of a page, without a path: https://www.example.com";
    issues.push({ path: `origins.${index}`, expected, got: withoutLogin(text) });
    return text;
  });
  return [...new Set(read)];
}

function readRedirect(redirect: string | null, issues: Issue[]): string | null {
  if (redirect === null) return null;
  const url = webAddress(redirect);
  if (url !== null) return url.href;
  const expected = "the https address of a page, or null";
  issues.push({ path: "redirect", expected, got: withoutLogin(redirect) });
  return redirect;
}

/** Nobody's password comes back. */
function withoutLogin(text: string): string {
  return text.includes("@") ? "another address" : text;
}

function webAddress(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return null;
  const local = url.protocol === "http:" && LOCAL_HOSTS.includes(url.hostname);
  return url.protocol === "https:" || local ? url : null;
}

function readCountry(country: string | null, issues: Issue[]): string | null {
  if (country === null || isCountry(country)) return country;
  issues.push({
    path: "country",
    expected: "two capital letters of a country, or null",
    got: country,
  });
  return country;
}

/** The campaign's local key: a realtime one of this workspace. */
async function readCampaign(c: Ctx, id: string): Promise<number> {
  const expected = "the id of a realtime campaign of this workspace";
  const key = localKey("cmp", c.get("workspace"), id);
  const unknown = invalid({ path: "campaign", expected, got: "an unknown id" });
  if (key === null) throw unknown;
  const found = await findCampaign(c, id).catch((error: unknown) => {
    throw error instanceof Refused && error.refusal.code === "not_found" ? unknown : error;
  });
  const { type } = found.settings;
  if (type !== "realtime") throw invalid({ path: "campaign", expected, got: `a ${type} campaign` });
  return key;
}

/** Turnstile's secret, sealed; the one before stays where none is given. */
async function sealedOf(
  c: Ctx,
  turnstile: Body["turnstile"],
  before: string | null,
): Promise<string | null> {
  if (turnstile === null) return null;
  if (turnstile.secret !== undefined) return seal(c.env, turnstile.secret);
  if (before !== null) return before;
  const expected = "Turnstile's secret key, with its site key";
  throw invalid({ path: "turnstile.secret", expected, got: "nothing" });
}

function consentsAfter(
  before: ConsentText[],
  text: string | undefined,
  now: number,
): ConsentText[] {
  const last = before.at(-1);
  if (text === undefined || text === last?.text) return before;
  return [...before, { version: (last?.version ?? 0) + 1, text, since: now }].slice(-CONSENTS_KEPT);
}

type Shown = Pick<FormRow, "name" | "campaign" | "settings" | "consents"> & { workspace: string };

/** What an entry of the audit log says of a form. */
function shownOf({ name, campaign, settings, consents, workspace }: Shown) {
  const id = makeId("cmp", workspace as WorkspaceId, campaign);
  return { name, campaign: id, ...settings, consent: consents.at(-1) ?? null };
}

function formWire(c: Ctx, row: Omit<FormRow, "version" | "deletedAt">): Form {
  const { id, name, campaign, settings, consents, createdAt } = row;
  const { siteKey, ...rest } = settings;
  const consent = consents.at(-1);
  if (consent === undefined) throw new Error("bug: a form without a text of consent");
  return {
    id,
    name,
    campaign: makeId("cmp", row.workspace as WorkspaceId, campaign),
    ...rest,
    consent,
    turnstile: siteKey === null ? null : { siteKey },
    url: `${c.env.PUBLIC_URL}/f/${id}`,
    script: `${c.env.PUBLIC_URL}/form.js`,
    createdAt,
  };
}
