/** Kinds of fields that a form asks for beside the number. */
export const FIELD_KINDS = ["text", "email", "textarea"] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** A field of a form: its value is in the task's context under its name. */
export type FormField = { name: string; label: string; kind: FieldKind; required: boolean };

/** What a person sets of a form, beside its name, its campaign and what pages say of consent. */
export type FormSettings = {
  fields: FormField[];
  /** Origins of the pages that may post: `https://www.example.com`. */
  origins: string[];
  /** Whether a post without an `Origin` is taken: of apps and servers, not of browsers. */
  withoutOrigin: boolean;
  /** How a number without `+` is read (H8), two letters, or null: then it is refused. */
  country: string | null;
  /** Only numbers that are mobile in their country. */
  mobileOnly: boolean;
  /** Where a page without script goes afterwards, or null for a page of ours. */
  redirect: string | null;
  /** Shortest time between the ticket that a page's script gets and its post, ms; 0 for none. */
  fillMinMs: number;
  /** Whether a post without such a ticket is refused: then a page needs the script. */
  ticketNeeded: boolean;
  /** For how long the same number gets the first answer again and does not ring a second time, ms. */
  repeatMs: number;
  /** Calls that one number can ask for in 24 h. */
  numberMax: number;
  /** Calls that everybody together can ask for in an hour. */
  hourMax: number;
  /** Public key of Turnstile, or null without it; its secret is sealed in a column of its own. */
  siteKey: string | null;
};

/** One text of consent that pages show or have shown; versions begin with 1. */
export type ConsentText = { version: number; text: string; since: number };

/** What a person agreed to who asked for a call, and how that is known (kept with the task). */
export type Consent = {
  form: string;
  version: number;
  /** As it stood beside the box. */
  text: string;
  /** Epoch ms. */
  at: number;
  /** Address of the page, as far as its browser told. */
  page: string | null;
  /** Network address that the post came from. */
  address: string | null;
  userAgent: string | null;
};

/** Inputs that every form has: no field of its own is called so. `homepage` must stay empty: bots fill it. */
export const PHONE_INPUT = "phone";
export const CONSENT_INPUT = "consent";
export const TRAP_INPUT = "homepage";
export const TICKET_INPUT = "ticket";
export const PAGE_INPUT = "page";
export const TURNSTILE_INPUT = "cf-turnstile-response";
export const RESERVED_NAMES: readonly string[] = [
  ...[PHONE_INPUT, CONSENT_INPUT, TRAP_INPUT, TICKET_INPUT, PAGE_INPUT, TURNSTILE_INPUT],
];
