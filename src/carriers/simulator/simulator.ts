import type { CallId } from "../../core/ids.ts";
import { mustBeOk } from "../ask.ts";
import type {
  Answer,
  Carrier,
  CarrierReport,
  CarrierSettings,
  Dial,
  Lookup,
  ReportRequest,
} from "../carrier.ts";
import { AddressRefused, type Outbound } from "../outbound.ts";
import { equalConstantTime, hmacHex, joined } from "../secret.ts";
import { newsOf, readCall, readReport } from "./news.ts";

/** How old or how far ahead a report's signature may be, ms. */
const SIGNATURE_TOLERANCE_MS = 300_000;
const SIGNATURE = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/;

type Settings = { baseUrl: string; apiKey: string; reportSecret: string };

/** The simulated carrier (docs/simulator.md). Settings: `baseUrl`, `apiKey`, `reportSecret`. */
export function simulator(out: Outbound): Carrier {
  return {
    id: "simulator",
    open: ["baseUrl"],
    check: (settings) => check(out, settings),
    place: (settings, dial, signal) => place(out, settings, dial, signal),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: (settings, signal) => test(out, settings, signal),
    end: (settings, carrierCallId, signal) => end(out, settings, carrierCallId, signal),
    verify,
    read,
    recording: (settings, url, range) => recording(out, settings, url, range),
  };
}

function check(
  out: Outbound,
  settings: CarrierSettings,
): { path: string; expected: string; got: string }[] {
  const issues: { path: string; expected: string; got: string }[] = [];
  const refusal = refusalOf(out, settings.baseUrl);
  if (refusal !== null) {
    issues.push({
      path: "baseUrl",
      expected: `an https address on the public internet: ${refusal}`,
      got: nameOf(settings.baseUrl, true),
    });
  }
  for (const path of ["apiKey", "reportSecret"] as const) {
    const value = settings[path];
    if (typeof value !== "string" || value === "") {
      issues.push({ path, expected: "a text that is not empty", got: nameOf(value, false) });
    }
  }
  return issues;
}

/** Asks for one call. Never throws: a fault is an unknown answer, since the dial may have got through (H22). */
async function place(
  out: Outbound,
  settings: CarrierSettings,
  dial: Dial,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const response = await request(out, settings, "/v1/calls", signal, {
      to: dial.phone,
      from: dial.from,
      agentId: dial.carrierAgentId,
      prompt: dial.prompt,
      variables: dial.dynamicVariables,
      metadata: { callId: dial.call, attempt: dial.attempt },
      reportUrl: dial.reportUrl,
      maxDurationMs: dial.lengthMaxMs,
      settings: dial.agentSettings,
    });
    return classify(response.status, await bodyOf(response));
  } catch (cause) {
    // Nothing left: the connection is at fault, and no attempt is used.
    if (cause instanceof AddressRefused) {
      return { kind: "refused", reason: "connection", word: cause.message };
    }
    return { kind: "unknown", word: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** What an answer to a dial means (H21). Only a status that proves that nothing was dialled is a refusal. */
function classify(status: number, body: Record<string, unknown>): Answer {
  const error = body.error as { code?: unknown } | null | undefined;
  const code = typeof error?.code === "string" ? error.code : null;
  const word = code ?? `http ${status}`;
  if (status >= 200 && status < 300) {
    return typeof body.id === "string"
      ? { kind: "accepted", carrierCallId: body.id }
      : { kind: "unknown", word: `http ${status} without an id` };
  }
  if (status === 429) return { kind: "refused", reason: "capacity", word };
  if (status === 401 || status === 402 || status === 403) {
    return { kind: "refused", reason: "connection", word };
  }
  if (status === 422 && code === "invalid_number") {
    return { kind: "refused", reason: "permanent", word };
  }
  if (status === 521 || status === 523 || status === 530) {
    return { kind: "refused", reason: "unreachable", word };
  }
  if (status >= 400 && status < 500) return { kind: "refused", reason: "rejected", word };
  return { kind: "unknown", word };
}

/** Finds a call by the carrier's id, else by ours. A 404 or an empty list decides nothing (H22). */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  call: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  const path =
    call.carrierCallId === null
      ? `/v1/calls?callId=${encodeURIComponent(call.call)}`
      : `/v1/calls/${encodeURIComponent(call.carrierCallId)}`;
  const response = await request(out, settings, path, signal);
  const body = await bodyOf(response);
  if (response.status === 404) return { kind: "unknown" };
  mustBeOk(response, "simulator: look-up");
  const found = Array.isArray(body.calls) ? body.calls[0] : body;
  if (found === undefined) return { kind: "unknown" };
  const read = readCall(found);
  if (read === null) throw new Error("simulator: the look-up's answer cannot be read");
  return {
    kind: read.endedAt === null ? "alive" : "over",
    carrierCallId: read.id,
    news: newsOf(read),
  };
}

async function test(out: Outbound, settings: CarrierSettings, signal: AbortSignal): Promise<void> {
  const response = await request(out, settings, "/v1/account", signal);
  await response.text();
  mustBeOk(response, "simulator: test");
}

/** Hangs up. A call that the carrier does not know, or that is over, needs no end. */
async function end(
  out: Outbound,
  settings: CarrierSettings,
  carrierCallId: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `/v1/calls/${encodeURIComponent(carrierCallId)}/end`;
  const response = await request(out, settings, path, signal, {});
  await response.text();
  if (response.status !== 404) mustBeOk(response, "simulator: end");
}

/** `x-simulator-signature: t=<ms>,v1=<hex>` over `<t>.<raw body>`, not older than 5 minutes. */
async function verify(
  settings: CarrierSettings,
  report: ReportRequest,
  now: number,
): Promise<boolean> {
  const match = SIGNATURE.exec(report.headers.get("x-simulator-signature") ?? "");
  if (match === null) return false;
  const [, at = "", given = ""] = match;
  if (Math.abs(now - Number(at)) > SIGNATURE_TOLERANCE_MS) return false;
  const signed = joined(`${at}.`, report.body);
  return equalConstantTime(await hmacHex(settingsOf(settings).reportSecret, signed), given);
}

function read(report: ReportRequest): CarrierReport[] {
  return readReport(new TextDecoder().decode(report.body));
}

/** Our key goes to the carrier's own address and nowhere else, whatever a report names. */
async function recording(
  out: Outbound,
  settings: CarrierSettings,
  url: string,
  range: string | null,
): Promise<Response> {
  const name = /\/v1\/recordings\/([\w-]+\.wav)$/.exec(new URL(url).pathname)?.[1];
  if (name === undefined) throw new Error("simulator: no address of a recording");
  const { baseUrl, apiKey } = settingsOf(settings);
  const headers = new Headers({ authorization: `Bearer ${apiKey}` });
  if (range !== null) headers.set("range", range);
  const address = `${baseUrl.replace(/\/+$/, "")}/v1/recordings/${name}`;
  return out.fetch(address, { headers });
}

function request(
  out: Outbound,
  settings: CarrierSettings,
  path: string,
  signal: AbortSignal,
  body?: Record<string, unknown>,
): Promise<Response> {
  const { baseUrl, apiKey } = settingsOf(settings);
  const address = baseUrl.replace(/\/+$/, "") + path;
  const authorization = `Bearer ${apiKey}`;
  if (body === undefined) {
    return out.fetch(address, { headers: { authorization }, signal });
  }
  return out.fetch(address, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}

/** Reads a body to its end, so that the connection can be used again; empty when it is no JSON object. */
async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await response.text());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The settings were checked when the connection was stored. */
function settingsOf(settings: CarrierSettings): Settings {
  return settings as Settings;
}

function refusalOf(out: Outbound, value: unknown): string | null {
  if (typeof value !== "string" || !URL.canParse(value)) return "this is no address";
  const { search, hash } = new URL(value);
  if (search !== "" || hash !== "") return "nothing may follow its path";
  return out.check(value);
}

/** What came, without the value where that is a secret. */
function nameOf(value: unknown, show: boolean): string {
  if (value === undefined) return "nothing";
  if (value === "") return "an empty text";
  return show && typeof value === "string" ? value : value === null ? "null" : typeof value;
}
