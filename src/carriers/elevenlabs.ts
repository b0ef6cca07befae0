import type { CallId } from "../core/ids.ts";
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
import { type Ending, endingAs, endingOf, endNews, type Words } from "./ending.ts";
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
import {
  baseOf,
  checkBase,
  checkFields,
  openFields,
  plain,
  secret,
  settingOf,
} from "./settings.ts";

/** The world's, and where data stays in one region. */
const BASES = [
  "https://api.elevenlabs.io",
  "https://api.us.elevenlabs.io",
  "https://api.eu.residency.elevenlabs.io",
  "https://api.in.residency.elevenlabs.io",
];
const FIELDS = [
  secret("apiKey"),
  secret("webhookSecret"),
  plain("telephony", "twilio, sip-trunk or exotel", /^(twilio|sip-trunk|exotel)$/, false),
];
const SIGNATURE = /^t=(\d{1,12}),v0=([0-9a-f]{64})$/;
const SIGNATURE_TOLERANCE_MS = 30 * 60_000;
const RECORDING = /\/v1\/convai\/conversations\/([\w-]+)\/audio$/;

/** `failure_reason` of a call that never began. */
const WORDS: Words = { busy: "busy", "no-answer": "no_answer", unknown: "failed" };

/**
 * ElevenLabs agents. Settings: `apiKey`, `webhookSecret`, and `telephony` where it is not Twilio.
 * One webhook of the account, sent to the connection's report address, tells of all calls once they
 * are over, with transcript and analysis; ours is found by `user_id`. It is not repeated, so the
 * look-up fetches what was lost. The number's `carrierNumberId` is the phone number's id there. A
 * call cannot be ended from outside: its longest time is the agent's own setting. Cost is in credits.
 * @elevenlabs/elevenlabs-js 2.73.0 on npm: wrapper/webhooks.js, TwilioOutboundCallResponse,
 * GetConversationResponseModel, ConversationHistoryMetadataCommonModel, ConversationsListRequest;
 * https://elevenlabs.io/docs/eleven-agents/workflows/post-call-webhooks
 */
export function elevenlabs(out: Outbound): Carrier {
  return {
    id: "elevenlabs",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) => placing(() => place(out, settings, dial, signal)),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) =>
      mustBeOk(await get(out, settings, "/v1/convai/agents?page_size=1", signal), "the test"),
    end: async () => undefined,
    verify,
    read,
    recording: async (settings, url, range) => {
      const id = RECORDING.exec(new URL(url).pathname)?.[1];
      if (id === undefined) throw new Error("no address of a recording");
      const headers = { "xi-api-key": settingOf(settings, "apiKey") };
      return fetchSound(out, audioOf(settings, id), headers, range);
    },
  };
}

function audioOf(settings: CarrierSettings, id: string): string {
  return `${baseOf(BASES, settings)}/v1/convai/conversations/${encodeURIComponent(id)}/audio`;
}

async function place(
  out: Outbound,
  settings: CarrierSettings,
  dial: Dial,
  signal: AbortSignal,
): Promise<Answer> {
  // Nothing is asked: no attempt is used, and the connection waits until somebody mends it.
  if (dial.carrierNumberId === null) {
    return refused("connection", "the calling number has no carrierNumberId");
  }
  const telephony = settingOf(settings, "telephony") || "twilio";
  const path = `/v1/convai/${telephony}/outbound-call`;
  const headers = { "xi-api-key": settingOf(settings, "apiKey") };
  const reply = await ask(
    out,
    baseOf(BASES, settings) + path,
    json("POST", headers, signal, {
      agent_id: dial.carrierAgentId,
      agent_phone_number_id: dial.carrierNumberId,
      to_number: dial.phone,
      conversation_initiation_client_data: {
        user_id: dial.call,
        dynamic_variables: dial.dynamicVariables,
      },
    }),
  );
  return classify(reply);
}

/** It refuses with a 200 too, and says so in `success`. */
function classify({ status, body }: Reply): Answer {
  if (status < 200 || status > 299) {
    const detail = at(body, "detail");
    return byStatus(status, text(at(detail, "status")) ?? text(at(detail, "message")));
  }
  if (at(body, "success") === false) {
    return refused("rejected", text(at(body, "message")) ?? "success: false");
  }
  return accepted(text(at(body, "conversation_id")), status);
}

/** By the conversation's id, else by ours as its user; a list without it decides nothing (H22). */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  call: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  const id = call.carrierCallId ?? (await findByOurs(out, settings, call.call, signal));
  if (id === null) return { kind: "unknown" };
  const path = `/v1/convai/conversations/${encodeURIComponent(id)}`;
  const reply = await get(out, settings, path, signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(reply.body);
  if (found === null) throw new Error("the look-up's answer cannot be read");
  switch (found.status) {
    case "done":
    case "failed":
      return { kind: "over", carrierCallId: id, news: readDone(settings, found).news };
    case "in-progress":
    case "processing":
      return { kind: "alive", carrierCallId: id, news: NO_NEWS };
    default:
      // A call that nobody answers stays `initiated`: that must not hold its slot for ever.
      return { kind: "unknown" };
  }
}

async function findByOurs(
  out: Outbound,
  settings: CarrierSettings,
  call: CallId,
  signal: AbortSignal,
): Promise<string | null> {
  const path = `/v1/convai/conversations?page_size=1&user_id=${encodeURIComponent(call)}`;
  const reply = await get(out, settings, path, signal);
  mustBeOk(reply, "the look-up");
  return text(at(reply.body, "conversations.0.conversation_id"));
}

/** `elevenlabs-signature: t=<s>,v0=<hex>`: HMAC-SHA256 of `<t>.<raw body>`. */
async function verify(
  settings: CarrierSettings,
  { headers, body }: ReportRequest,
  now: number,
): Promise<boolean> {
  const [, time = "", given = ""] = SIGNATURE.exec(headers.get("elevenlabs-signature") ?? "") ?? [];
  if (given === "" || Math.abs(now - Number(time) * 1000) > SIGNATURE_TOLERANCE_MS) return false;
  const digest = await hmacHex(settingOf(settings, "webhookSecret"), joined(`${time}.`, body));
  return equalConstantTime(digest, given);
}

function read(report: ReportRequest, _now: number, settings: CarrierSettings): CarrierReport[] {
  const { type, data, event_timestamp: time } = parseFields(report.body);
  const call = fieldsOf(data);
  if (call === null) return [];
  if (type === "post_call_transcription") return [readDone(settings, call)];
  if (type !== "call_initiation_failure") return [];
  const word = text(call.failure_reason);
  const ending = endingOf(WORDS, word);
  const news = { ...NO_NEWS, ...endNews(ending, null, true), word, endedAt: instant(time) };
  return [{ ...idsOf(call), news, ...(ending.known ? {} : { unknownWord: word ?? "" }) }];
}

function idsOf(call: Fields) {
  const ours = text(call.user_id) ?? text(at(call, "conversation_initiation_client_data.user_id"));
  return { call: ours, carrierCallId: text(call.conversation_id) };
}

/** A conversation that is over and analysed: nothing comes later. */
function readDone(settings: CarrierSettings, call: Fields): CarrierReport {
  const said = turns(call.transcript, {
    speaker: "role",
    text: "message",
    at: "time_in_call_secs",
    unitMs: 1000,
  });
  const ending = endingOfCall(call, said?.some(({ speaker }) => speaker === "person") === true);
  const own = ownOf(call);
  const ids = idsOf(call);
  const startedAt = instant(at(call, "metadata.start_time_unix_secs"));
  const talkMs = duration(at(call, "metadata.call_duration_secs"), 1000);
  const costMicros = micros(at(call, "metadata.cost"));
  const summary = text(at(call, "analysis.transcript_summary"));
  const answered = ending.outcome !== "failed";
  const news = {
    ...NO_NEWS,
    ...endNews(ending, outcomeIn(own), true),
    word: text(at(call, "metadata.error.reason")) ?? text(at(call, "metadata.termination_reason")),
    answeredAt: answered ? startedAt : null,
    endedAt: startedAt === null || talkMs === null ? null : startedAt + talkMs,
    talkMs: answered ? talkMs : null,
    callbackAt: callbackIn(own),
    costMicros,
    currency: costMicros === null ? null : "credits",
    recordingUrl:
      call.has_audio === true && ids.carrierCallId !== null
        ? audioOf(settings, ids.carrierCallId)
        : null,
    transcript: said,
    analysis: call.analysis === undefined || call.analysis === null ? null : { ...own, summary },
  };
  return { ...ids, news };
}

/** What the call itself says: its `termination_reason` is written for people. */
function endingOfCall(call: Fields, answered: boolean): Ending {
  if (at(call, "metadata.features_usage.voicemail_detection.used") === true) {
    return endingAs("voicemail");
  }
  if (call.status === "failed") return endingAs("failed");
  return endingAs(answered ? "connected" : "no_response");
}

/** `data_collection_results`, each by its id. */
function ownOf(call: Fields): Fields {
  const results = fieldsOf(at(call, "analysis.data_collection_results")) ?? {};
  return Object.fromEntries(Object.entries(results).map(([id, one]) => [id, at(one, "value")]));
}

function get(
  out: Outbound,
  settings: CarrierSettings,
  path: string,
  signal: AbortSignal,
): Promise<Reply> {
  const headers = { "xi-api-key": settingOf(settings, "apiKey") };
  return ask(out, baseOf(BASES, settings) + path, json("GET", headers, signal));
}
