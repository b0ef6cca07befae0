import { isTooDeep } from "../core/deep.ts";
import type { CallId } from "../core/ids.ts";
import { accepted, ask, byStatus, mustBeOk, placing, type Reply, refused } from "./ask.ts";
import type {
  Answer,
  Carrier,
  CarrierReport,
  CarrierSettings,
  Dial,
  Lookup,
  ReportRequest,
} from "./carrier.ts";
import { fieldsOfBody, isKnownWord, readByRules } from "./http-report.ts";
import {
  parseTemplate,
  type Rendered,
  type RequestTemplate,
  renderRequest,
  secretValues,
  type Template,
  templateOf,
  valuesOf,
} from "./http-template.ts";
import type { Outbound } from "./outbound.ts";
import { at, fieldsOf } from "./reading.ts";
import { isCallAddress } from "./report-url.ts";
import { equalConstantTime, hmacBase64, hmacHex } from "./secret.ts";
import {
  checkFields,
  type Field,
  plain,
  type SettingIssue,
  secret,
  settingOf,
  shapeOf,
} from "./settings.ts";

const FIELDS: readonly Field[] = [
  plain("template", "a template (docs/carriers.md) as JSON text", /^\s*\{[\s\S]*\}\s*$/),
  secret("key", false),
  secret("keySecret", false),
  secret("reportSecret", false),
];

/**
 * Any HTTP API: a template says what is asked, and rules say what answers and reports mean.
 * Settings: `template` (open), `key` and `keySecret` (for `${key}`, `${keySecret}`, `${basic}`) and
 * `reportSecret`. A change of the template wants the secrets again: whoever sends them elsewhere
 * knows them. Templates for Bolna, Telnyx and Plivo are in `templates.ts`.
 */
export function http(out: Outbound): Carrier {
  return {
    id: "http",
    open: ["template"],
    check: (settings) => check(out, settings),
    place: (settings, dial, signal) => place(out, settings, dial, signal),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) => {
      const { test } = templateOf(settings.template);
      mustBeOk(await send(out, settings, test, {}, signal), "the test");
    },
    end: (settings, carrierCallId, signal) => end(out, settings, carrierCallId, signal),
    verify,
    read,
    recording: (settings, url, range) => recording(out, settings, url, range),
  };
}

/** The request that a dial would be, for people to look at: secrets are stars. */
export function previewRequest(template: Template, dial: Dial): Rendered {
  const values = { ...valuesOf(dial), key: "***", keySecret: "***", basic: "***" };
  return renderRequest(template.place, values, dial.dynamicVariables);
}

/** What a sample report would do. `known` is false for a word that no rule has: it changes nothing. */
export type Trial = { readable: false } | { readable: true; known: boolean; report: CarrierReport };

export function tryReport(template: Template, sample: string): Trial {
  if (isTooDeep(sample)) return { readable: false };
  try {
    const fields = fieldsOfBody(template.report.format, sample);
    const report = readByRules(template.report, fields);
    return { readable: true, known: isKnownWord(template.report, fields), report };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { readable: false };
  }
}

function check(out: Outbound, settings: CarrierSettings): SettingIssue[] {
  const issues = checkFields(FIELDS, settings).filter(({ path }) => path !== "baseUrl");
  if (settings.baseUrl !== undefined) {
    issues.push({ path: "baseUrl", expected: "nothing: the template has it", got: "something" });
  }
  if (issues.some(({ path }) => path === "template")) return issues;
  const source = settingOf(settings, "template");
  const template = parseTemplate(source);
  if ("wrong" in template) {
    issues.push({
      path: "template",
      expected: `a template (docs/carriers.md): ${template.wrong}`,
      got: shapeOf(source),
    });
    return issues;
  }
  for (const name of ["place", "test", "lookup", "end"] as const) {
    const refusal = template[name] === undefined ? null : out.check(template[name].url);
    if (refusal !== null) {
      const expected = `${name}.url: an https address on the public internet: ${refusal}`;
      issues.push({ path: "template", expected, got: "another address" });
    }
  }
  const { kind } = template.report.proof;
  if (kind !== "address" && settings.reportSecret === undefined) {
    issues.push({ path: "reportSecret", expected: `a secret for ${kind}`, got: "nothing" });
  }
  for (const name of ["key", "keySecret"] as const) {
    if (settings[name] === undefined && uses(source, name)) {
      issues.push({ path: name, expected: "a secret: the template uses it", got: "nothing" });
    }
  }
  return issues;
}

function uses(template: string, name: string): boolean {
  return template.includes(`\${${name}}`) || template.includes(`\${basic}`);
}

function place(
  out: Outbound,
  settings: CarrierSettings,
  dial: Dial,
  signal: AbortSignal,
): Promise<Answer> {
  return placing(async () => {
    const template = templateOf(settings.template);
    const values = valuesOf(dial);
    const reply = await send(out, settings, template.place, values, signal, dial.dynamicVariables);
    return classify(template, reply);
  });
}

/** The template's words go first: some carriers refuse with a 200, and some say more than a status. */
function classify({ answer }: Template, { status, body }: Reply): Answer {
  const said = answer.word === undefined ? undefined : at(body, answer.word);
  const word = typeof said === "string" || typeof said === "number" ? String(said) : null;
  const known = answer.words ?? {};
  if (word !== null && status < 500 && Object.hasOwn(known, word)) {
    return refused(known[word] ?? "rejected", word);
  }
  if (status < 200 || status > 299) return byStatus(status, word);
  const id = at(body, answer.id);
  // Some give a list of one.
  const one = Array.isArray(id) ? id[0] : id;
  const ok = (typeof one === "string" && one !== "") || typeof one === "number";
  return accepted(ok ? String(one) : null, status);
}

/** By the carrier's id alone; a template without a look-up knows nothing (H22). */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  call: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  const template = templateOf(settings.template);
  const { carrierCallId } = call;
  if (template.lookup === undefined || carrierCallId === null) return { kind: "unknown" };
  const values = { callId: call.call, carrierCallId };
  const reply = await send(out, settings, template.lookup, values, signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(
    template.found === undefined ? reply.body : at(reply.body, template.found),
  );
  if (found === null) throw new Error("the look-up's answer cannot be read");
  const { news } = readByRules({ ...template.report, ...template.lookupRules }, found);
  return { kind: news.ended ? "over" : "alive", carrierCallId, news };
}

async function end(
  out: Outbound,
  settings: CarrierSettings,
  carrierCallId: string,
  signal: AbortSignal,
): Promise<void> {
  const { end: request } = templateOf(settings.template);
  if (request === undefined) return;
  const reply = await send(out, settings, request, { carrierCallId }, signal);
  if (reply.status !== 404) mustBeOk(reply, "the end");
}

/**
 * By the template's own kind of proof: an HMAC-SHA256 over the raw body, a bearer secret in a header
 * or in the address, or the secret that each of our report addresses has, which the API checked
 * before it asks. None of them carries a time: repeats change nothing anyway (H36).
 */
async function verify(settings: CarrierSettings, report: ReportRequest): Promise<boolean> {
  const { proof } = templateOf(settings.template).report;
  const secretText = settingOf(settings, "reportSecret");
  if (proof.kind === "address") return isCallAddress(report.url);
  if (secretText === "") return false;
  switch (proof.kind) {
    case "token": {
      const given = new URL(report.url, "https://x.invalid").searchParams.get(proof.query);
      return equalConstantTime(secretText, given ?? "");
    }
    case "bearer": {
      const given = report.headers.get(proof.header) ?? "";
      return equalConstantTime(secretText, given.replace(/^Bearer /i, ""));
    }
    case "hmac": {
      const given = report.headers.get(proof.header) ?? "";
      const digest =
        proof.encoding === "hex"
          ? await hmacHex(secretText, report.body)
          : await hmacBase64(secretText, report.body);
      return equalConstantTime(`${proof.prefix ?? ""}${digest}`, given);
    }
  }
}

function read(report: ReportRequest, _now: number, settings: CarrierSettings): CarrierReport[] {
  const { report: rules } = templateOf(settings.template);
  const fields = fieldsOfBody(rules.format, new TextDecoder().decode(report.body));
  return [readByRules(rules, fields)];
}

/** The carrier's keys go only where the template sends them anyway; other hosts get none. */
async function recording(
  out: Outbound,
  settings: CarrierSettings,
  url: string,
  range: string | null,
): Promise<Response> {
  const { test } = templateOf(settings.template);
  const ours = new URL(url).host === new URL(test.url).host;
  const headers = new Headers(ours ? rendered(settings, test, {}).headers : {});
  headers.delete("content-type");
  if (range !== null) headers.set("range", range);
  return out.fetch(url, { headers });
}

function rendered(
  settings: CarrierSettings,
  request: RequestTemplate,
  values: Record<string, string>,
  context: Record<string, string> = {},
): Rendered {
  const secrets = secretValues(settingOf(settings, "key"), settingOf(settings, "keySecret"));
  return renderRequest(request, { ...values, ...secrets }, context);
}

function send(
  out: Outbound,
  settings: CarrierSettings,
  request: RequestTemplate,
  values: Record<string, string>,
  signal: AbortSignal,
  context: Record<string, string> = {},
): Promise<Reply> {
  const { method, url, headers, body } = rendered(settings, request, values, context);
  return ask(out, url, { method, headers, signal, ...(body === null ? {} : { body }) });
}
