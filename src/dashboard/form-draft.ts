import type { FormField } from "../core/form.ts";
import { snippetOf } from "../core/form-snippet.ts";
import type { Form } from "./things.ts";

/** A form while somebody writes it: numbers as they are typed, a line for each origin. */
export type FormDraft = {
  name: string;
  campaign: string | null;
  fields: FormField[];
  origins: string;
  consentText: string;
  country: string;
  mobileOnly: boolean;
  redirect: string;
  withoutOrigin: boolean;
  ticketNeeded: boolean;
  fillSeconds: number | string;
  repeatMinutes: number | string;
  numberMax: number | string;
  hourMax: number | string;
  siteKey: string;
  /** Empty: the one that is there stays. */
  secret: string;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const NEW_FORM: FormDraft = {
  name: "",
  campaign: null,
  fields: [{ name: "name", label: "Your name", kind: "text", required: true }],
  origins: "",
  consentText: "",
  country: "",
  mobileOnly: false,
  redirect: "",
  withoutOrigin: false,
  ticketNeeded: false,
  fillSeconds: 2,
  repeatMinutes: 10,
  numberMax: 3,
  hourMax: 100,
  siteKey: "",
  secret: "",
};

export function draftOf(form: Form): FormDraft {
  return {
    ...form,
    origins: form.origins.join("\n"),
    consentText: form.consent.text,
    country: form.country ?? "",
    redirect: form.redirect ?? "",
    fillSeconds: form.fillMinMs / SECOND_MS,
    repeatMinutes: form.repeatMs / MINUTE_MS,
    siteKey: form.turnstile?.siteKey ?? "",
    secret: "",
  };
}

/** What the API takes of it. */
export function bodyOf(draft: FormDraft) {
  const { name, fields, mobileOnly, withoutOrigin, ticketNeeded, siteKey, secret } = draft;
  const key = siteKey.trim();
  return {
    ...{ name, fields, mobileOnly, withoutOrigin, ticketNeeded },
    campaign: draft.campaign ?? "",
    origins: draft.origins.split(/\s+/).filter((line) => line !== ""),
    consentText: draft.consentText,
    country: draft.country === "" ? null : draft.country,
    redirect: draft.redirect.trim() === "" ? null : draft.redirect.trim(),
    fillMinMs: Math.round(Number(draft.fillSeconds) * SECOND_MS),
    repeatMs: Math.round(Number(draft.repeatMinutes) * MINUTE_MS),
    numberMax: Number(draft.numberMax),
    hourMax: Number(draft.hourMax),
    turnstile:
      key === "" ? null : { siteKey: key, ...(secret === "" ? {} : { secret: secret.trim() }) },
  };
}

/** Whether it can be pasted as it is: a page that shows another text than any version is refused. */
export function stateOf(draft: FormDraft, made: Form | null): "new" | "changed" | "made" {
  if (made === null) return "new";
  return made.consent.text === draft.consentText.trim() ? "made" : "changed";
}

/** The text to paste, of a form that is made or of one that is still written. */
export function snippetFor(draft: FormDraft, made: Form | null): string {
  const { fields, consentText, country, siteKey } = draft;
  const changed = stateOf(draft, made) === "changed";
  return snippetOf({
    url: made?.url ?? `${location.origin}/f/…`,
    script: made?.script ?? `${location.origin}/form.js`,
    fields,
    consent: {
      version: (made?.consent.version ?? 1) + (changed ? 1 : 0),
      text: consentText.trim() || "What people agree to stands here.",
    },
    country: country === "" ? null : country,
    siteKey: siteKey.trim() === "" ? null : siteKey.trim(),
  });
}

/** A page with nothing but the form, for the preview: no script runs in it. */
export function previewOf(snippet: string): string {
  const form = snippet.replaceAll(/<script[^>]*><\/script>\n/g, "");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Preview</title><style>
:root { color-scheme: light; background: #fff; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 16px; }
p { margin: 0 0 12px; }
input:not([type=checkbox]), textarea { display: block; width: 100%; box-sizing: border-box; padding: 6px 8px; font: inherit; }
button { font: inherit; padding: 6px 14px; }
</style><body>${form}</body></html>`;
}
