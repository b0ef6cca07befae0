import { isTooDeep } from "../core/deep.ts";
import { OUTCOMES, OWN_OUTCOME } from "../core/outcome.ts";
import { render } from "../core/template.ts";
import { type Dial, REFUSAL_KINDS, type RefusalKind } from "./carrier.ts";
import { type Fields, fieldsOf } from "./reading.ts";

/** A request with placeholders. Of `json`, `form` and none, one is the body. */
export type RequestTemplate = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  json?: unknown;
  form?: Record<string, string>;
};

/**
 * What a word of the carrier's means: an outcome (the call is over and decided), `ringing`,
 * `talking`, `over` (connected and over, the rest comes later), `ended` (over, nobody says how),
 * `refused.<kind>` (H21) or `nothing`.
 */
export type Meaning = string;

/** How a report, or a look-up's answer, is read. Paths are like `data.payload.id`. */
export type ReportRules = {
  format: "json" | "form";
  /** Our call id, where the carrier gives it back. */
  call?: string;
  carrierCallId?: string;
  /** Paths whose texts, joined by a blank, are the word that `words` knows. */
  word: string[];
  words: Record<string, Meaning>;
  /** A text at `at` that is `is` gives a connected call this outcome instead. */
  instead?: { at: string; is: string; outcome: string }[];
  /** The carrier's reason, kept beside the outcome in place of the word. */
  reason?: string;
  ringingAt?: string;
  answeredAt?: string;
  endedAt?: string;
  talk?: { at: string; unitMs: number };
  /** `unit` is what one of it is worth in `currency`: 0.01 for cents. */
  cost?: { at: string; unit: number; currency: string };
  recording?: string;
  transcript?: { at: string; speaker?: string; text?: string };
  analysis?: string;
  /** How a report proves itself. `address` is the secret in our own report address. */
  proof:
    | { kind: "hmac"; header: string; prefix?: string; encoding: "hex" | "base64" }
    | { kind: "bearer"; header: string }
    | { kind: "token"; query: string }
    | { kind: "address" };
};

export type Template = {
  place: RequestTemplate;
  /** Places no call: tests the connection. */
  test: RequestTemplate;
  /** By the carrier's id. */
  lookup?: RequestTemplate;
  end?: RequestTemplate;
  answer: { id: string; word?: string; words?: Record<string, RefusalKind> };
  /** Where in a look-up's answer the call is, if not at its top. */
  found?: string;
  /** How its words are read, where they differ from those of reports. */
  lookupRules?: Partial<Pick<ReportRules, "word" | "words" | "carrierCallId">>;
  report: ReportRules;
};

/** A request ready to be sent. */
export type Rendered = {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
};

export const TEMPLATE_CHARS_MAX = 40_000;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const HEADER = /^[A-Za-z0-9-]{1,100}$/;
const MEANINGS = ["ringing", "talking", "over", "ended", "nothing"];

/** The template in a setting's text, or what is wrong with it. */
export function parseTemplate(source: unknown): Template | { wrong: string } {
  if (typeof source !== "string") return { wrong: "it is no text" };
  if (source.length > TEMPLATE_CHARS_MAX || isTooDeep(source)) return { wrong: "it is too large" };
  try {
    const template = fieldsOf(JSON.parse(source));
    if (template === null) return { wrong: "it is no JSON object" };
    const wrong = wrongIn(template);
    return wrong === null ? (template as Template) : { wrong };
  } catch {
    return { wrong: "it is no JSON" };
  }
}

/** The template of a connection: it was checked when it was stored. */
export function templateOf(source: unknown): Template {
  const template = parseTemplate(source);
  if ("wrong" in template) throw new Error(`bug: a stored template is wrong: ${template.wrong}`);
  return template;
}

function wrongIn(template: Fields): string | null {
  for (const name of ["place", "test", "lookup", "end"]) {
    const request = template[name];
    if (request === undefined && (name === "lookup" || name === "end")) continue;
    const wrong = wrongInRequest(fieldsOf(request));
    if (wrong !== null) return `${name}: ${wrong}`;
  }
  const answer = fieldsOf(template.answer);
  if (typeof answer?.id !== "string") return "answer.id: a path is expected";
  if (!isTexts(answer.words ?? {}, isRefusal)) return "answer.words: refusals are expected";
  if (answer.word !== undefined && typeof answer.word !== "string") return "answer.word: a path";
  const report = fieldsOf(template.report);
  if (report === null) return "report: rules are expected";
  const wrong = wrongInReport(report);
  if (wrong !== null) return `report: ${wrong}`;
  if (template.found !== undefined && typeof template.found !== "string") return "found: a path";
  const found = fieldsOf(template.lookupRules ?? {});
  if (found === null) return "lookupRules: rules are expected";
  const rules = { ...report, ...found };
  const wrongFound = wrongInReport(rules);
  return wrongFound === null ? null : `lookupRules: ${wrongFound}`;
}

function wrongInRequest(request: Fields | null): string | null {
  if (request === null) return "a request is expected";
  if (!METHODS.includes(String(request.method))) return `method: one of ${METHODS.join(", ")}`;
  if (typeof request.url !== "string") return "url: an address is expected";
  // The host is fixed: no value of a task decides where secrets go.
  if (!/^https?:\/\/[^/?#$\s]+([/?]|$)/.test(request.url)) return "url: its host is written out";
  const headers = fieldsOf(request.headers ?? {});
  if (headers === null || !isTexts(headers, () => true)) return "headers: texts are expected";
  if (!Object.keys(headers).every((name) => HEADER.test(name))) return "headers: an odd name";
  if (request.form !== undefined && !isTexts(request.form, () => true)) return "form: texts";
  if (request.form !== undefined && request.json !== undefined) return "json or form, not both";
  return null;
}

function wrongInReport(report: Fields): string | null {
  if (report.format !== "json" && report.format !== "form") return "format: json or form";
  const { word } = report;
  if (!Array.isArray(word) || word.length === 0 || !word.every((one) => typeof one === "string")) {
    return "word: a list of paths is expected";
  }
  if (!isTexts(report.words, isMeaning)) return "words: a meaning for every word is expected";
  for (const name of PATHS) {
    if (report[name] !== undefined && typeof report[name] !== "string") return `${name}: a path`;
  }
  const { instead = [] } = report;
  if (!Array.isArray(instead) || !instead.every(isInstead)) return "instead: {at, is, outcome}";
  const { talk, cost, transcript } = report;
  if (talk !== undefined && !hasShape(talk, { at: "string", unitMs: "number" })) return "talk";
  if (cost !== undefined && !hasShape(cost, { at: "string", unit: "number", currency: "string" })) {
    return "cost: {at, unit, currency}";
  }
  if (transcript !== undefined && !hasShape(transcript, { at: "string" })) return "transcript";
  return wrongInProof(fieldsOf(report.proof));
}

const PATHS = [
  ...["call", "carrierCallId", "reason", "ringingAt", "answeredAt", "endedAt"],
  ...["recording", "analysis"],
];

function wrongInProof(proof: Fields | null): string | null {
  switch (proof?.kind) {
    case "address":
      return null;
    case "token":
      return typeof proof.query === "string" ? null : "proof.query: a name is expected";
    case "bearer":
      return HEADER.test(String(proof.header)) ? null : "proof.header: a header is expected";
    case "hmac":
      if (!HEADER.test(String(proof.header))) return "proof.header: a header is expected";
      return proof.encoding === "hex" || proof.encoding === "base64"
        ? null
        : "proof.encoding: hex or base64";
    default:
      return "proof: hmac, bearer, token or address";
  }
}

function isMeaning(text: string): boolean {
  if (MEANINGS.includes(text) || isRefusal(text.replace(/^refused\./, "."), ".")) return true;
  return OUTCOMES.some((known) => known === text) || OWN_OUTCOME.test(text);
}

function isRefusal(text: string, prefix = ""): boolean {
  return REFUSAL_KINDS.some((kind) => prefix + kind === text);
}

function isInstead(value: unknown): boolean {
  return hasShape(value, { at: "string", is: "string", outcome: "string" });
}

function hasShape(value: unknown, shape: Record<string, "string" | "number">): boolean {
  const fields = fieldsOf(value);
  return (
    fields !== null && Object.entries(shape).every(([name, type]) => typeof fields[name] === type)
  );
}

function isTexts(value: unknown, good: (text: string) => boolean): boolean {
  const fields = fieldsOf(value);
  return (
    fields !== null && Object.values(fields).every((one) => typeof one === "string" && good(one))
  );
}

/** What placeholders stand for. Values of the task are text wherever they go, never markup. */
export type Values = Record<string, string>;

/**
 * The values of a dial: `phone from agent number callId callIdBase64 reportUrl prompt attempt lengthSeconds`,
 * `context.<name>` and `setting.<name>` (the agent's own settings).
 */
export function valuesOf(dial: Dial): Values {
  const values: Values = {
    phone: dial.phone,
    from: dial.from,
    agent: dial.carrierAgentId,
    number: dial.carrierNumberId ?? "",
    callId: dial.call,
    callIdBase64: btoa(dial.call),
    reportUrl: dial.reportUrl,
    prompt: dial.prompt ?? "",
    attempt: String(dial.attempt),
    lengthSeconds: String(Math.ceil(dial.lengthMaxMs / 1000)),
  };
  for (const [name, value] of Object.entries(dial.variables)) values[`context.${name}`] = value;
  for (const [name, value] of Object.entries(dial.agentSettings)) {
    values[`setting.${name}`] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return values;
}

/** The secrets of a connection, as placeholders: `key`, `keySecret`, and both as `basic`. */
export function secretValues(key: string, keySecret: string): Values {
  return { key, keySecret, basic: btoa(`${key}:${keySecret}`) };
}

/** A pure rendering: in an address values are escaped, in JSON they are texts, in headers one line. */
export function renderRequest(
  template: RequestTemplate,
  values: Values,
  context: Record<string, string> = {},
): Rendered {
  const url = render(
    template.url,
    map(values, (value) => encodeURIComponent(value.toWellFormed())),
  );
  const headers = map(template.headers ?? {}, (one) => render(one, map(values, oneLine)));
  if (template.form !== undefined) {
    headers["content-type"] = "application/x-www-form-urlencoded";
    const form = new URLSearchParams(map(template.form, (one) => render(one, values)));
    return { method: template.method, url, headers, body: form.toString() };
  }
  if (template.json === undefined) return { method: template.method, url, headers, body: null };
  headers["content-type"] = "application/json";
  const body = JSON.stringify(fill(template.json, values, context));
  return { method: template.method, url, headers, body };
}

/**
 * `${context}` alone, as a whole value, is the object of all values; under the name `...` its values
 * go into the object around it. `${+lengthSeconds}` is a number.
 */
function fill(value: unknown, values: Values, context: Record<string, string>): unknown {
  if (typeof value === "string") {
    const alone = /^\$\{\s*(\+?)([^{}]+?)\s*\}$/.exec(value);
    if (alone?.[2] === "context") return context;
    if (alone?.[1] === "+") return Number(values[alone[2] ?? ""] ?? 0);
    return render(value, values);
  }
  if (Array.isArray(value)) return value.map((one) => fill(one, values, context));
  const fields = fieldsOf(value);
  if (fields === null) return value;
  const filled = Object.entries(fields).flatMap(([name, one]) => {
    const whole = fill(one, values, context);
    return name === "..." ? Object.entries(fieldsOf(whole) ?? {}) : [[name, whole]];
  });
  return Object.fromEntries(filled);
}

function oneLine(value: string): string {
  // Headers are bytes: what is no printable ASCII does not travel in one.
  return value.replace(/[^\x20-\x7e]+/g, " ");
}

function map(
  values: Record<string, string>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
