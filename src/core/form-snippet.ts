import { CONSENT_INPUT, type FormField, PHONE_INPUT, TRAP_INPUT } from "./form.ts";

/** What the text to paste needs of a form, and where its page finds the deployment. */
export type Snippet = {
  url: string;
  script: string;
  fields: readonly FormField[];
  consent: { version: number; text: string };
  country: string | null;
  siteKey: string | null;
};

export const TURNSTILE_SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js";

/**
 * The form as plain HTML, to be pasted into a page: it works as it stands, and the script, where it
 * runs, validates, submits and shows the answer without leaving the page. Its order is kept: what a
 * person reads last before the button is what he agrees to.
 */
export function snippetOf(form: Snippet): string {
  const { url, script, fields, consent, siteKey } = form;
  const lines = [
    `<form action="${escapeHtml(url)}" method="post" data-outdial>`,
    ...fields.map(
      (field) => `  <p><label>${escapeHtml(field.label)} ${inputOf(field)}</label></p>`,
    ),
    `  <p><label>Phone number ${phoneInput(form)}</label></p>`,
    `  <p hidden><label>Leave this empty <input name="${TRAP_INPUT}" tabindex="-1" autocomplete="off"></label></p>`,
    `  <p><label><input type="checkbox" name="${CONSENT_INPUT}" value="${consent.version}" required> ${escapeHtml(consent.text)}</label></p>`,
    ...(siteKey === null
      ? []
      : [`  <div class="cf-turnstile" data-sitekey="${escapeHtml(siteKey)}"></div>`]),
    "  <p><button>Call me</button></p>",
    "</form>",
    `<script src="${escapeHtml(script)}" async></script>`,
    ...(siteKey === null ? [] : [`<script src="${TURNSTILE_SCRIPT}" async defer></script>`]),
  ];
  return `${lines.join("\n")}\n`;
}

function inputOf({ name, kind, required }: FormField): string {
  const must = required ? " required" : "";
  switch (kind) {
    case "text":
      return `<input name="${name}"${name === "name" ? ' autocomplete="name"' : ""} maxlength="500"${must}>`;
    case "email":
      return `<input type="email" name="${name}" autocomplete="email" maxlength="254"${must}>`;
    case "textarea":
      return `<textarea name="${name}" rows="4" maxlength="2000"${must}></textarea>`;
  }
}

/** The script wants a `+` only where the form reads no number without it. */
function phoneInput({ country }: Snippet): string {
  const needs = country === null ? ' placeholder="+" data-international' : "";
  return `<input type="tel" name="${PHONE_INPUT}" autocomplete="tel"${needs} required>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" },
};

/** A text as it may stand in HTML, in an attribute between `"` too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
