import type { CallId } from "../core/ids.ts";
import { render } from "../core/template.ts";
import {
  accepted,
  ask,
  byStatus,
  fetchSound,
  json,
  mustBeOk,
  placing,
  type Reply,
  refused,
} from "./ask.ts";
import {
  type Answer,
  type Carrier,
  type CarrierReport,
  type CarrierSettings,
  type Dial,
  type Lookup,
  NO_NEWS,
  type ReportRequest,
} from "./carrier.ts";
import { type Ending, endingOf as endingBy, endNews, type Words } from "./ending.ts";
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
  turnsOfText,
} from "./reading.ts";
import { equalConstantTime, hmacHex } from "./secret.ts";
import { baseOf, checkBase, checkFields, openFields, secret, settingOf } from "./settings.ts";

const BASES = ["https://api.bland.ai"];
const FIELDS = [secret("apiKey"), secret("webhookSecret")];
const MINUTE_MS = 60_000;

/**
 * Words of `queue_status`, `answered_by` and `status`. "completed" covers voicemail too, so a word
 * that means connected counts only where no other means anything else.
 */
const WORDS: Words = {
  pre_queue_error: "init_failed",
  queue_error: "failed",
  call_error: "failed",
  complete_error: "failed",
  voicemail: "voicemail",
  "no-answer": "no_answer",
  busy: "busy",
  failed: "failed",
  canceled: "failed",
  human: "connected",
  unknown: "connected",
  completed: "connected",
};

/**
 * Bland. Settings: `apiKey` and `webhookSecret` (Account Settings, Keys). An agent with a prompt is
 * a `task`, one without is the pathway that `carrierAgentId` names; its settings go along as they
 * are (`voice`, `language`, `model`, `analysis_schema` …). Every call carries its own report address,
 * and is reported once, with everything. The signature has no time: repeats change nothing (H36).
 * https://docs.bland.ai/api-v1/post/calls.md, https://docs.bland.ai/api-v1/get/calls-id.md,
 * https://docs.bland.ai/tutorials/webhook-signing.md
 */
export function bland(out: Outbound): Carrier {
  return {
    id: "bland",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) =>
      placing(async () =>
        classify(await send(out, settings, "POST", "/v1/calls", signal, bodyOf(dial))),
      ),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) =>
      mustBeOk(await send(out, settings, "GET", "/v1/me", signal), "the test"),
    end: async (settings, carrierCallId, signal) => {
      const path = `/v1/calls/${encodeURIComponent(carrierCallId)}/stop`;
      const reply = await send(out, settings, "POST", path, signal, {});
      if (reply.status !== 404) mustBeOk(reply, "the end");
    },
    verify: async (settings, { headers, body }) =>
      equalConstantTime(
        await hmacHex(settingOf(settings, "webhookSecret"), body),
        headers.get("x-webhook-signature") ?? "",
      ),
    read,
    // Its addresses are open, or signed in themselves: no key goes there.
    recording: (_settings, url, range) => fetchSound(out, url, {}, range),
  };
}

function bodyOf(dial: Dial): Fields {
  // A task is filled in here: a value that it does not name goes nowhere.
  const words =
    dial.prompt === null
      ? { pathway_id: dial.carrierAgentId, request_data: dial.dynamicVariables }
      : { task: render(dial.prompt, dial.variables) };
  return {
    ...dial.agentSettings,
    ...words,
    // Always E.164: Bland makes +1 of a number without its country code.
    phone_number: dial.phone,
    from: dial.from,
    metadata: { outdial_call_id: dial.call },
    webhook: dial.reportUrl,
    answered_by_enabled: true,
    max_duration: Math.ceil(dial.lengthMaxMs / MINUTE_MS),
  };
}

function classify({ status, body }: Reply): Answer {
  const said = text(at(body, "message"));
  if (status < 200 || status > 299) return byStatus(status, said);
  const id = text(at(body, "call_id"));
  if (id === null && at(body, "status") === "error") return refused("rejected", said ?? "error");
  return accepted(id, status);
}

/** By Bland's id alone: it finds no call by ours. */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  { carrierCallId }: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  if (carrierCallId === null) return { kind: "unknown" };
  const path = `/v1/calls/${encodeURIComponent(carrierCallId)}`;
  const reply = await send(out, settings, "GET", path, signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(reply.body);
  if (found === null) throw new Error("the look-up's answer cannot be read");
  const read = readCall(found);
  return { ...read, kind: read.news.ended ? "over" : "alive", carrierCallId };
}

function read(report: ReportRequest): CarrierReport[] {
  const call = parseFields(report.body);
  return text(call.call_id) === null ? [] : [readCall(call)];
}

function isOver(call: Fields): boolean {
  return call.completed === true || String(call.queue_status).endsWith("_error");
}

function readCall(call: Fields): CarrierReport {
  const ids = {
    call: text(at(call, "metadata.outdial_call_id")),
    carrierCallId: text(call.call_id),
  };
  const startedAt = instant(call.started_at);
  if (!isOver(call)) return { ...ids, news: NO_NEWS };
  const { ending, word } = endingOf(call);
  const analysis = fieldsOf(call.analysis);
  const connected = ending.outcome === "connected";
  const costMicros = micros(call.price);
  const summary = text(call.summary);
  const news = {
    ...NO_NEWS,
    ...endNews(ending, outcomeIn(analysis), true),
    word: text(call.error_message) ?? word,
    answeredAt: connected ? startedAt : null,
    endedAt: instant(call.end_at),
    talkMs: connected ? talkOf(call) : null,
    callbackAt: callbackIn(analysis),
    costMicros,
    currency: costMicros === null ? null : "USD",
    recordingUrl: text(call.recording_url),
    transcript:
      turns(call.transcripts, { speaker: "user", text: "text" }) ??
      turnsOfText(call.concatenated_transcript),
    analysis:
      analysis === null && summary === null
        ? null
        : { ...analysis, ...(summary === null ? {} : { summary }) },
  };
  return { ...ids, news, ...(ending.known ? {} : { unknownWord: word ?? "" }) };
}

/** `corrected_duration` is seconds, `call_length` minutes. */
function talkOf(call: Fields): number | null {
  return duration(call.corrected_duration, 1000) ?? duration(call.call_length, MINUTE_MS);
}

function endingOf(call: Fields): { ending: Ending; word: string | null } {
  const said = [call.queue_status, call.answered_by, call.status].flatMap((one) => text(one) ?? []);
  const known = said.filter((word) => Object.hasOwn(WORDS, word));
  const word = known.find((one) => WORDS[one] !== "connected") ?? known[0] ?? said.at(-1) ?? null;
  return { ending: endingBy(WORDS, word), word };
}

function send(
  out: Outbound,
  settings: CarrierSettings,
  method: string,
  path: string,
  signal: AbortSignal,
  sent?: Fields,
): Promise<Reply> {
  const headers = { authorization: settingOf(settings, "apiKey") };
  return ask(out, baseOf(BASES, settings) + path, json(method, headers, signal, sent));
}
