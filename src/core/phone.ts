import {
  type CountryCode,
  Metadata,
  ParseError,
  type PhoneNumber,
  parsePhoneNumberWithError,
  validatePhoneNumberLength,
} from "libphonenumber-js/core";
// "min" (83 kB) knows every country's possible lengths and prefixes; "max" (157 kB) adds patterns
// by type of number, which would refuse numbers that a carrier can reach and reserved test numbers.
import metadata from "libphonenumber-js/min/metadata";
import { unreachable } from "./assert.ts";

/** How an import reads numbers without `+` or `00`; without it they are rejected (H8). */
export type PhoneReading = {
  numbers?: "e164" | "international-without-plus";
  /** Two letters, `IN`. */
  defaultCountry?: string;
};

/** Why a text is no number to dial (H7). */
export const PHONE_REASONS = [
  "missing", // nothing there
  "no_country_code", // neither `+` nor `00`, and nothing says how to read it (H8)
  "scientific", // `9.19877E+11`: a spreadsheet dropped the digits
  "letters",
  "too_short",
  "too_long",
  "invalid", // no such country code, no such length, or signs that no number has
] as const;
export type PhoneReason = (typeof PHONE_REASONS)[number];

export type PhoneRead = { ok: true; phone: string } | { ok: false; reason: PhoneReason };

const E164_DIGITS_MAX = 15;
const TEXT_MAX = 64;
const PLAIN = /^\+[1-9]\d{6,14}$/;
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const SEPARATORS = /[\s.()\u2010-\u2015\u2212\uff08\uff09\uff0d\uff0e\ufe63-]/g;
const OTHER_DIGITS = /[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]/g;
const SCIENTIFIC = /^\+?\d+([.,]\d*)?e\+?\d+$/i;
/** A whole number that went through a decimal column: `919876540001.0`. */
const DECIMAL = /^(\+?\d{7,})\.0$/;

/**
 * The E.164 number that a text writes, or why it writes none (H5, H7, H8). Blanks, dots, dashes
 * and parentheses are dropped, and one leading `'`; `00` reads as `+`. A number is taken when its
 * length is possible in its country: whether it exists only the carrier knows.
 */
export function readPhone(text: string, how: PhoneReading = {}): PhoneRead {
  const digits = PLAIN.test(text) ? text : tidy(text);
  if (digits === "") return rejected("missing");
  if (SCIENTIFIC.test(digits)) return rejected("scientific");
  if (/\p{L}/u.test(digits)) return rejected("letters");
  if (!/^\+?\d*$/.test(digits)) return rejected("invalid");

  if (digits.startsWith("+")) return international(digits);
  if (digits.startsWith("00")) return international(`+${digits.slice(2)}`);
  if (how.numbers === "international-without-plus") return international(`+${digits}`);
  if (how.defaultCountry !== undefined) return national(digits, how.defaultCountry);
  return rejected("no_country_code");
}

/** The text without what people and spreadsheets put around and between digits. */
function tidy(text: string): string {
  let rest = text.replace(INVISIBLE, "").trim();
  if (rest.startsWith("'")) rest = rest.slice(1).trim();
  rest = rest.replace(OTHER_DIGITS, (digit) => String(digit.charCodeAt(0) & 15));
  rest = rest.replaceAll("\uff0b", "+");
  return rest.replace(DECIMAL, "$1").replace(SEPARATORS, "");
}

function rejected(reason: PhoneReason): PhoneRead {
  return { ok: false, reason };
}

function international(number: string): PhoneRead {
  if (number.length - 1 > E164_DIGITS_MAX) return rejected("too_long");
  const code = callingCodeOf(number);
  if (code !== null) {
    const rest = number.slice(1 + code.length);
    const plan = planOf(code);
    if (plan.lengths.has(rest.length) && !plan.prefix?.test(rest))
      return { ok: true, phone: number };
  }
  return bySlowRead(number, undefined);
}

function national(digits: string, country: string): PhoneRead {
  if (!isCountry(country)) return rejected("no_country_code");
  const plan = planOf(country);
  const unclear =
    plan.prefix?.test(digits) || plan.idd.test(digits) || digits.startsWith(plan.code);
  const fits = plan.code.length + digits.length <= E164_DIGITS_MAX;
  if (fits && plan.lengths.has(digits.length) && !unclear) {
    return { ok: true, phone: `+${plan.code}${digits}` };
  }
  return bySlowRead(digits, country);
}

/** What the library makes of it: it strips trunk prefixes and knows the odd national rules. */
function bySlowRead(number: string, defaultCountry: CountryCode | undefined): PhoneRead {
  if (number.length > TEXT_MAX) return rejected("too_long");
  const options = defaultCountry === undefined ? {} : { defaultCountry };
  let read: PhoneNumber;
  try {
    read = parsePhoneNumberWithError(number, { ...options, extract: false }, metadata);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const short = error.message === "TOO_SHORT" || number.length < 4;
    return rejected(short ? "too_short" : error.message === "TOO_LONG" ? "too_long" : "invalid");
  }
  if (read.number.length - 1 > E164_DIGITS_MAX) return rejected("too_long");
  if (read.isPossible())
    return isSettled(read.number, number) ? { ok: true, phone: read.number } : rejected("invalid");
  const fault = validatePhoneNumberLength(number, options, metadata);
  switch (fault) {
    case "TOO_SHORT":
      return rejected("too_short");
    case "TOO_LONG":
      return rejected("too_long");
    case undefined:
    case "INVALID_LENGTH":
    case "INVALID_COUNTRY":
    case "NOT_A_NUMBER":
      return rejected("invalid");
    default:
      return unreachable(fault);
  }
}

/** Whether what was read reads as itself: of two trunk prefixes the second would go only next time. */
function isSettled(phone: string, from: string): boolean {
  if (phone === from) return true;
  const again = international(phone);
  return again.ok && again.phone === phone;
}

/** Whether `code` is a country that `defaultCountry` can name: two capital letters. */
export function isCountry(code: string): code is CountryCode {
  return Object.hasOwn(metadata.countries, code);
}

/** The number with its country code and last two digits, for logs: `+91••••••••42`. */
export function maskPhone(phone: string): string {
  const code = callingCodeOf(phone);
  const shownStart = code === null ? "" : `+${code}`;
  const hidden = Math.max(0, phone.length - shownStart.length - 2);
  return `${shownStart}${"•".repeat(hidden)}${phone.slice(shownStart.length + hidden)}`;
}

/** Fewer digits than any number with its area has: they say nothing of whose it is. */
const TELLING_DIGITS = 7;

/**
 * Whether a text writes this number: with or without its country code, whatever stands around and
 * between its digits. When in doubt it does.
 */
export function mentions(text: string, phone: string): boolean {
  const number = digitsOf(phone);
  const digits = digitsOf(text);
  if (number.length < TELLING_DIGITS || digits.length < TELLING_DIGITS) return false;
  if (digits.includes(number)) return true;
  const local = digits.replace(/^0+/, "");
  return local.length >= TELLING_DIGITS && number.endsWith(local);
}

function digitsOf(text: string): string {
  return text.replace(OTHER_DIGITS, (digit) => String(digit.charCodeAt(0) & 15)).replace(/\D/g, "");
}

/** A text whose longer runs of digits are masked: whoever wrote it may have quoted a number. */
export function withoutNumbers(text: string): string {
  return text.replace(/\+?\d[\d .()-]{4,}\d/g, (number) =>
    maskPhone(number.replace(/[ .()-]/g, "")),
  );
}

/** The text without this number, however it is spelt: masked where it stands. */
export function withoutNumber(text: string, phone: string): string {
  return text.replace(/\+?\d[\d .()-]{4,}\d/g, (run) =>
    mentions(run, phone) ? maskPhone(phone) : run,
  );
}

/** What every usual spelling of a number has in one piece: a quick look before a closer one. */
export function lastDigits(phone: string): string {
  return phone.slice(-4);
}

function callingCodeOf(number: string): string | null {
  if (!number.startsWith("+")) return null;
  for (let length = 1; length <= 3; length++) {
    const code = number.slice(1, 1 + length);
    if (Object.hasOwn(metadata.country_calling_codes, code)) return code;
    if (Object.hasOwn(metadata.nonGeographic, code)) return code;
  }
  return null;
}

/** What the quick read needs of a numbering plan. Where it is not certain, the library decides. */
type Plan = {
  code: string;
  /** Lengths that are possible in every country that shares the calling code. */
  lengths: Set<number>;
  /** Trunk prefixes and the like, which the library strips or rewrites. */
  prefix: RegExp | null;
  /** What one dials before an international number. */
  idd: RegExp;
};
const plans = new Map<string, Plan>();

/** The plan of a calling code or of a country. */
function planOf(key: string): Plan {
  const known = plans.get(key);
  if (known !== undefined) return known;
  const own = numberingPlan(key);
  const code = own.callingCode();
  const sharers = metadata.country_calling_codes[code] ?? [];
  const shared = sharers.map((sharer) => numberingPlan(sharer).possibleLengths());
  const lengths = new Set(
    own.possibleLengths().filter((length) => shared.every((each) => each.includes(length))),
  );
  const prefixes = own.nationalPrefixForParsing();
  const prefix = prefixes ? new RegExp(`^(?:${prefixes})`) : null;
  const plan = { code, lengths, prefix, idd: new RegExp(`^(?:${own.IDDPrefix() || "00"})`) };
  plans.set(key, plan);
  return plan;
}

/** The library's class has more than its types tell: calling codes select a plan, too. */
type PlanReader = {
  callingCode(): string;
  possibleLengths(): number[];
  nationalPrefixForParsing(): string | undefined;
  IDDPrefix(): string | undefined;
};

function numberingPlan(key: string): PlanReader {
  const reader = new Metadata(metadata);
  reader.selectNumberingPlan(key as CountryCode);
  return reader.numberingPlan as unknown as PlanReader;
}
