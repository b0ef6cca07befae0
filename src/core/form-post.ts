import {
  CONSENT_INPUT,
  type ConsentText,
  type FormField,
  type FormSettings,
  PAGE_INPUT,
  PHONE_INPUT,
  TICKET_INPUT,
  TRAP_INPUT,
  TURNSTILE_INPUT,
} from "./form.ts";
import { isMobile } from "./mobile.ts";
import { type PhoneReason, readPhone } from "./phone.ts";
import type { Issue, Result } from "./result.ts";

/** Longest values, characters. */
const CHARS_MAX = { text: 500, email: 254, textarea: 2_000 } as const;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** What came from a page, by the names of its inputs. */
export type Given = Readonly<Record<string, unknown>>;

/** A post that was read and found good; what proves that a person sent it is still to be looked at. */
export type Post = {
  /** E.164 */
  phone: string;
  /** Values of the form's fields that have one. */
  context: Record<string, string>;
  consent: ConsentText;
  ticket: string | null;
  page: string | null;
  turnstile: string | null;
};

/**
 * A post as its form takes it, or all that is wrong with it. What an issue expected is worded for
 * the person at the form; of a number it says only why it is none.
 */
export function readPost(
  form: { settings: FormSettings; consents: readonly ConsentText[] },
  given: Given,
): Result<Post> {
  const issues: Issue[] = [];
  const { settings, consents } = form;
  const phone = readNumber(given[PHONE_INPUT], settings, issues);
  const context: Record<string, string> = {};
  for (const field of settings.fields) {
    const value = readField(field, given[field.name], issues);
    if (value !== "") context[field.name] = value;
  }
  const consent = readConsent(given[CONSENT_INPUT], consents, issues);
  if (textOf(given[TRAP_INPUT]) !== "") {
    issues.push({
      path: TRAP_INPUT,
      expected: "nothing: it is there for robots",
      got: "something",
    });
  }
  if (issues.length > 0 || phone === null || consent === null) return { ok: false, issues };
  const optional = (name: string) => textOf(given[name]) || null;
  return {
    ok: true,
    value: {
      ...{ phone, context, consent, ticket: optional(TICKET_INPUT), page: optional(PAGE_INPUT) },
      turnstile: optional(TURNSTILE_INPUT),
    },
  };
}

const REASONS: Record<PhoneReason, string> = {
  missing: "nothing",
  no_country_code: "no country code",
  scientific: "a number that a spreadsheet has shortened",
  letters: "letters",
  too_short: "too few digits",
  too_long: "too many digits",
  invalid: "no such number",
};

/** H8: without `+` only as the form says. */
function readNumber(value: unknown, settings: FormSettings, issues: Issue[]): string | null {
  const { country, mobileOnly } = settings;
  const kind = mobileOnly ? "a mobile number" : "a phone number";
  const national = country === null ? "" : ` as it is dialled in ${countryName(country)}, or`;
  const expected = `${kind}${national} with + and its country code`;
  const read = readPhone(textOf(value), country === null ? {} : { defaultCountry: country });
  if (!read.ok) {
    issues.push({ path: PHONE_INPUT, expected, got: REASONS[read.reason] });
    return null;
  }
  if (mobileOnly && !isMobile(read.phone)) {
    issues.push({ path: PHONE_INPUT, expected, got: "a number that is not mobile" });
    return null;
  }
  return read.phone;
}

function countryName(country: string): string {
  return new Intl.DisplayNames("en", { type: "region" }).of(country) ?? country;
}

function readField({ name, label, kind, required }: FormField, value: unknown, issues: Issue[]) {
  const text = textOf(value);
  const max = CHARS_MAX[kind];
  if (value !== undefined && value !== null && typeof value === "object") {
    issues.push({ path: name, expected: `a text for "${label}"`, got: "something else" });
  } else if (text === "") {
    if (required) issues.push({ path: name, expected: `"${label}" filled in`, got: "nothing" });
  } else if (text.length > max) {
    const got = `${text.length} characters`;
    issues.push({ path: name, expected: `at most ${max} characters`, got });
  } else if (kind === "email" && !EMAIL.test(text)) {
    issues.push({ path: name, expected: "an email address", got: "something else" });
  }
  return text;
}

/** The box sends the version of the text beside it: without it nothing is dialled. */
function readConsent(
  value: unknown,
  consents: readonly ConsentText[],
  issues: Issue[],
): ConsentText | null {
  const text = textOf(value);
  const found = consents.find(({ version }) => String(version) === text);
  if (found !== undefined) return found;
  issues.push(
    text === ""
      ? { path: CONSENT_INPUT, expected: "your consent to be called", got: "none" }
      : {
          path: CONSENT_INPUT,
          expected: `the version of a text of consent, now ${consents.at(-1)?.version ?? "none"}`,
          got: "another value",
        },
  );
  return null;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
