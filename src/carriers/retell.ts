import type { CallId } from "../core/ids.ts";
import { accepted, ask, byStatus, fetchSound, json, mustBeOk, placing, type Reply } from "./ask.ts";
import {
  type CallNews,
  type Carrier,
  type CarrierReport,
  type CarrierSettings,
  type Dial,
  type Lookup,
  NO_NEWS,
  type ReportRequest,
} from "./carrier.ts";
import { endingOf, endNews, type Words } from "./ending.ts";
import type { Outbound } from "./outbound.ts";
import {
  at,
  callbackIn,
  duration,
  type Fields,
  fieldsOf,
  instant,
  micros,
  outcomeIn,
  parseFields,
  text,
  turns,
} from "./reading.ts";
import { equalConstantTime, hmacHex, joined } from "./secret.ts";
import { baseOf, checkBase, checkFields, openFields, secret, settingOf } from "./settings.ts";

const BASES = ["https://api.retellai.com"];
const FIELDS = [secret("apiKey"), secret("webhookKey", false)];
const SIGNATURE = /^v=(\d{1,15}),d=([0-9a-f]{64})$/;
const SIGNATURE_TOLERANCE_MS = 300_000;
/** Longest call that Retell takes as a limit, ms. */
const LENGTH_MS = { min: 60_000, max: 7_200_000 };
/** Where our call id is in the call's metadata. */
const OURS = "outdial_call_id";

/** `disconnection_reason`, all that retell-sdk 5.66.1 lists. */
const WORDS: Words = {
  user_hangup: "connected",
  agent_hangup: "connected",
  call_transfer: "connected",
  transfer_bridged: "connected",
  transfer_cancelled: "connected",
  call_take_over: "connected",
  manual_stopped: "connected",
  max_duration_reached: "connected",
  // A menu that nobody got through, or a robot: somebody answered.
  ivr_reached: "connected",
  scam_detected: "connected",
  voicemail_reached: "voicemail",
  inactivity: "no_response",
  error_no_audio_received: "no_response",
  dial_no_answer: "no_answer",
  dial_busy: "busy",
  user_declined: "busy",
  dial_failed: "failed",
  marked_as_spam: "failed",
  telephony_provider_permission_denied: "failed",
  telephony_provider_unavailable: "failed",
  sip_routing_error: "failed",
  registered_call_timeout: "failed",
  error_llm_websocket_open: "failed",
  error_llm_websocket_lost_connection: "failed",
  error_llm_websocket_runtime: "failed",
  error_llm_websocket_corrupt_payload: "failed",
  error_asr: "failed",
  error_retell: "failed",
  error_unknown: "failed",
  error_user_not_joined: "failed",
  invalid_destination: "refused.permanent",
  concurrency_limit_reached: "refused.capacity",
  no_concurrency_fallback: "refused.capacity",
  no_valid_payment: "refused.connection",
};

/**
 * Retell. Settings: `apiKey`, and `webhookKey` where another key has the webhook badge.
 * Every call carries its own report address, in place of the agent's webhook.
 * retell-sdk 5.66.1 on npm: resources/call.d.ts, resources/concurrency.d.ts, lib/webhook_auth.js;
 * https://docs.retellai.com/features/webhook, https://docs.retellai.com/features/secure-webhook
 */
export function retell(out: Outbound): Carrier {
  return {
    id: "retell",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) =>
      placing(async () => {
        const reply = await send(
          out,
          settings,
          "POST",
          "/v2/create-phone-call",
          signal,
          body(dial),
        );
        const { status } = reply;
        if (status < 200 || status > 299) return byStatus(status, messageOf(reply));
        return accepted(text(at(reply.body, "call_id")), status);
      }),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) =>
      mustBeOk(await send(out, settings, "GET", "/get-concurrency", signal), "the test"),
    end: async (settings, carrierCallId, signal) => {
      const path = `/v2/stop-call/${encodeURIComponent(carrierCallId)}`;
      const reply = await send(out, settings, "POST", path, signal);
      // 404 is unknown, 400 over.
      if (reply.status !== 404 && reply.status !== 400) mustBeOk(reply, "the end");
    },
    verify,
    read,
    // Its addresses are open, or signed in themselves: no key goes there.
    recording: (_settings, url, range) => fetchSound(out, url, {}, range),
  };
}

function body(dial: Dial): Fields {
  const length = Math.min(LENGTH_MS.max, Math.max(LENGTH_MS.min, dial.lengthMaxMs));
  return {
    from_number: dial.from,
    to_number: dial.phone,
    override_agent_id: dial.carrierAgentId,
    metadata: { [OURS]: dial.call },
    retell_llm_dynamic_variables: dial.dynamicVariables,
    agent_override: { agent: { webhook_url: dial.reportUrl, max_call_duration_ms: length } },
  };
}

/** By Retell's id, else by ours in the metadata; a list without it decides nothing (H22). */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  call: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  const id = call.carrierCallId ?? (await findByOurs(out, settings, call.call, signal));
  if (id === null) return { kind: "unknown" };
  const path = `/v2/get-call/${encodeURIComponent(id)}`;
  const reply = await send(out, settings, "GET", path, signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(reply.body);
  if (found === null) throw new Error("the look-up's answer cannot be read");
  const read = readCall(found, isOver(found));
  return { ...read, kind: read.news.ended ? "over" : "alive", carrierCallId: id };
}

async function findByOurs(
  out: Outbound,
  settings: CarrierSettings,
  call: CallId,
  signal: AbortSignal,
): Promise<string | null> {
  const metadata = [{ key: OURS, op: "eq", type: "string", value: call }];
  const query = { filter_criteria: { metadata }, limit: 1 };
  const reply = await send(out, settings, "POST", "/v3/list-calls", signal, query);
  mustBeOk(reply, "the look-up");
  return text(at(reply.body, "items.0.call_id"));
}

function isOver(call: Fields): boolean {
  return ["ended", "error", "not_connected"].includes(String(call.call_status));
}

/** `x-retell-signature: v=<ms>,d=<hex>`: HMAC-SHA256 of the raw body and then the time. */
async function verify(
  settings: CarrierSettings,
  report: ReportRequest,
  now: number,
): Promise<boolean> {
  const [, at = "", given = ""] =
    SIGNATURE.exec(report.headers.get("x-retell-signature") ?? "") ?? [];
  if (given === "" || Math.abs(now - Number(at)) > SIGNATURE_TOLERANCE_MS) return false;
  const key = settingOf(settings, "webhookKey") || settingOf(settings, "apiKey");
  return equalConstantTime(await hmacHex(key, joined(report.body, at)), given);
}

function read(report: ReportRequest): CarrierReport[] {
  const fields = parseFields(report.body);
  const call = fieldsOf(fields.call);
  switch (fields.event) {
    case "call_started":
      return call === null ? [] : [readCall(call, false)];
    case "call_ended":
    case "call_analyzed":
      return call === null ? [] : [readCall(call, true)];
    default:
      return [];
  }
}

function readCall(call: Fields, over: boolean): CarrierReport {
  const ids = { call: text(at(call, `metadata.${OURS}`)), carrierCallId: text(call.call_id) };
  const startedAt = instant(call.start_timestamp);
  if (!over) return { ...ids, news: { ...NO_NEWS, answeredAt: startedAt } };
  const word = text(call.disconnection_reason);
  const ending = endingOf(WORDS, word);
  const analysis = fieldsOf(call.call_analysis);
  const own = fieldsOf(analysis?.custom_analysis_data);
  const machine = analysis?.in_voicemail === true ? "voicemail" : null;
  const costMicros = micros(at(call, "call_cost.combined_cost"), 0.01);
  const connected = ending.outcome === "connected";
  const news: CallNews = {
    ...NO_NEWS,
    ...endNews(ending, outcomeIn(own) ?? machine, analysis !== null),
    word,
    answeredAt: connected ? startedAt : null,
    endedAt: instant(call.end_timestamp),
    talkMs: connected ? duration(call.duration_ms, 1) : null,
    callbackAt: callbackIn(own),
    costMicros,
    currency: costMicros === null ? null : "USD",
    recordingUrl: text(call.recording_url),
    transcript: turns(call.transcript_object, { speaker: "role", text: "content" }),
    analysis,
  };
  return { ...ids, news, ...(ending.known ? {} : { unknownWord: word ?? "" }) };
}

function messageOf({ body: said }: Reply): string | null {
  return text(at(said, "message")) ?? text(at(said, "error_message"));
}

function send(
  out: Outbound,
  settings: CarrierSettings,
  method: string,
  path: string,
  signal: AbortSignal,
  sent?: Fields,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${settingOf(settings, "apiKey")}` };
  return ask(out, baseOf(BASES, settings) + path, json(method, headers, signal, sent));
}
