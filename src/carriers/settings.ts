import * as z from "zod";
import type { CarrierSettings } from "./carrier.ts";
import type { Outbound } from "./outbound.ts";

/** One setting of a connection: what it may be, and whether it is ever shown again. */
export type Field = {
  name: string;
  secret: boolean;
  required: boolean;
  /** What is expected, in words, and what such a text looks like. */
  expected: string;
  form: RegExp;
};

export type SettingIssue = { path: string; expected: string; got: string };

/** Printable and without blanks: it goes into a header as it is. */
const SECRET = /^[\x21-\x7e]{1,500}$/;

export function secret(name: string, required = true): Field {
  const expected = "a secret of printable characters without blanks";
  return { name, secret: true, required, expected, form: SECRET };
}

export function plain(name: string, expected: string, form: RegExp, required = true): Field {
  return { name, secret: false, required, expected, form };
}

/** The names of the settings that may be shown whole; `baseUrl` is one wherever it is taken. */
export function openFields(fields: readonly Field[]): string[] {
  return ["baseUrl", ...fields.filter((field) => !field.secret).map(({ name }) => name)];
}

/** Issues of the settings by field; a value appears in none of them. */
export function checkFields(fields: readonly Field[], settings: CarrierSettings): SettingIssue[] {
  const read = schemaOf(fields).safeParse(settings);
  if (read.success) return [];
  const known = ["baseUrl", ...fields.map(({ name }) => name)];
  return read.error.issues.flatMap((issue): SettingIssue[] => {
    if (issue.code === "unrecognized_keys") {
      const expected = `one of ${known.join(", ")}`;
      return issue.keys.map((path) => ({ path, expected, got: "another name" }));
    }
    const path = String(issue.path[0]);
    const expected = fields.find(({ name }) => name === path)?.expected ?? "a setting";
    return [{ path, expected, got: shapeOf(settings[path]) }];
  });
}

/** The settings of a carrier; its address is looked at by itself (`checkBase`). */
function schemaOf(fields: readonly Field[]) {
  const shape = fields.map(({ name, required, form }) => {
    const text = z.string().regex(form);
    return [name, required ? text : text.optional()] as const;
  });
  return z.strictObject({ baseUrl: z.unknown().optional(), ...Object.fromEntries(shape) });
}

/**
 * A vendor has fixed addresses. Another one is for local runs: plain http goes out only where
 * OUTBOUND_ALLOW lists it.
 */
export function checkBase(
  out: Outbound,
  bases: readonly string[],
  settings: CarrierSettings,
): SettingIssue[] {
  const { baseUrl } = settings;
  if (baseUrl === undefined) return [];
  if (typeof baseUrl === "string") {
    if (bases.includes(trimmed(baseUrl))) return [];
    const local = URL.canParse(baseUrl) && new URL(baseUrl).protocol === "http:";
    if (local && out.check(baseUrl) === null) return [];
  }
  return [{ path: "baseUrl", expected: `one of ${bases.join(", ")}`, got: shapeOf(baseUrl) }];
}

/** The address in use, without a slash at its end: the first of the vendor's, where none was given. */
export function baseOf(bases: readonly string[], settings: CarrierSettings): string {
  return typeof settings.baseUrl === "string" ? trimmed(settings.baseUrl) : (bases[0] ?? "");
}

/** A setting that was checked when the connection was stored; empty where it was left out. */
export function settingOf(settings: CarrierSettings, name: string): string {
  const value = settings[name];
  return typeof value === "string" ? value : "";
}

/** What came, without the value. */
export function shapeOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === "") return "an empty text";
  if (typeof value === "string") return "another text";
  return value === null ? "null" : typeof value;
}

function trimmed(address: string): string {
  return address.replace(/\/+$/, "");
}
