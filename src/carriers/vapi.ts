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
import { type Ending, endingAs, endNews, type Words } from "./ending.ts";
import type { Outbound } from "./outbound.ts";
import {
  at,
  callbackIn,
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

const BASES = ["https://api.vapi.ai"];
const FIELDS = [
  secret("apiKey"),
  secret("reportSecret"),
  plain("reports", "`signed`, or left out", /^signed$/, false),
];
const SIGNATURE_TOLERANCE_MS = 300_000;
/** What Vapi takes as the longest call, seconds. */
const LENGTH_S = { min: 10, max: 43_200 };

/** `endedReason`: of about 600 words those that stand for themselves. */
const WORDS: Words = {
  "customer-did-not-answer": "no_answer",
  "customer-busy": "busy",
  voicemail: "voicemail",
  "silence-timed-out": "no_response",
  "twilio-reported-customer-misdialed": "refused.permanent",
  "exceeded-max-duration": "connected",
  "assistant-said-end-call-phrase": "connected",
  "vonage-completed": "connected",
  "call.start.error-subscription-concurrency-limit-reached": "refused.capacity",
  "call.start.error-vapi-number-outbound-daily-limit": "refused.capacity",
  "call.start.error-subscription-frozen": "refused.connection",
  "call.start.error-subscription-insufficient-credits": "refused.connection",
  "call.start.error-subscription-wallet-does-not-exist": "refused.connection",
  "manually-canceled": "failed",
  "call-deleted": "failed",
  "scheduled-call-deleted": "failed",
  "worker-shutdown": "failed",
  "customer-did-not-give-microphone-permission": "failed",
};

/** The rest by family; the first that fits counts. */
const FAMILIES: readonly [RegExp, string][] = [
  [/^(customer-ended-call|assistant-ended-call|assistant-forwarded-call)/, "connected"],
  [/-completed-call$/, "connected"],
  // The person was there, and was passed on or heard a last word.
  [/^call\.(forwarding|ending|ringing\.hook)/, "connected"],
  [/outbound-sip-(408|480)-/, "no_answer"],
  [/-did-not-receive-customer-audio$/, "no_response"],
  [/^call[.-]start[.-]/, "init_failed"],
  [/^assistant-(not|request|join)-/, "init_failed"],
  [/^(pipeline-(error|no)-|call\.(in-progress|ringing)\.(error|sip)-)/, "failed"],
  [/^(twilio|vonage|phone-call-provider)-/, "failed"],
];

/** Only statuses that prove that nothing was dialled; Vapi says these two with a 400. */
const CAPACITY = /concurrency limit|daily outbound/i;

/**
 * Vapi. Settings: `apiKey` and `reportSecret`. Every call carries its own report address, with the
 * secret in `X-Vapi-Secret`. With `reports: signed`, the assistant's saved server sends to the
 * connection's address instead and signs by a custom credential (HMAC, SHA-256, its defaults): a
 * server that comes with a call gets no credential. The number's `carrierNumberId` is Vapi's id.
 * @vapi-ai/server-sdk 2.0.1 on npm: CreateCallDto, AssistantOverrides, Server,
 * HmacAuthenticationPlan, ServerMessageStatusUpdate, ServerMessageEndOfCallReport, CallEndedReason;
 * https://docs.vapi.ai/server-url/server-authentication, https://docs.vapi.ai/calls/call-features
 */
export function vapi(out: Outbound): Carrier {
  return {
    id: "vapi",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) => placing(() => place(out, settings, dial, signal)),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) =>
      mustBeOk(await send(out, settings, "GET", "/assistant?limit=1", signal), "the test"),
    end: (settings, carrierCallId, signal) => end(out, settings, carrierCallId, signal),
    verify,
    read,
    // Its addresses are open, or signed in themselves: no key goes there.
    recording: (_settings, url, range) => fetchSound(out, url, {}, range),
  };
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
  const reply = await send(out, settings, "POST", "/call", signal, bodyOf(settings, dial));
  const { status, body } = reply;
  if (status >= 200 && status < 300) return accepted(text(at(body, "id")), status);
  const said = messageOf(reply);
  if (status === 400 && CAPACITY.test(said ?? "")) return refused("capacity", said ?? "");
  return byStatus(status, said);
}

function bodyOf(settings: CarrierSettings, dial: Dial): Fields {
  const seconds = Math.ceil(dial.lengthMaxMs / 1000);
  const server = {
    url: dial.reportUrl,
    headers: { "x-vapi-secret": settingOf(settings, "reportSecret") },
  };
  return {
    assistantId: dial.carrierAgentId,
    phoneNumberId: dial.carrierNumberId,
    customer: { number: dial.phone, externalId: dial.call },
    assistantOverrides: {
      variableValues: dial.dynamicVariables,
      maxDurationSeconds: Math.min(LENGTH_S.max, Math.max(LENGTH_S.min, seconds)),
      ...(isSigned(settings)
        ? {}
        : { server, serverMessages: ["status-update", "end-of-call-report"] }),
    },
  };
}

/** By Vapi's id alone: it finds no call by ours. */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  { carrierCallId }: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  if (carrierCallId === null) return { kind: "unknown" };
  const found = await callOf(out, settings, carrierCallId, signal);
  if (found === null) return { kind: "unknown" };
  if (found.status !== "ended") return { kind: "alive", carrierCallId, news: startOf(found) };
  return { kind: "over", carrierCallId, ...readEnd(found, found, true) };
}

/** Hangs up by the call's own control address; `DELETE` would remove what is known of it. */
async function end(
  out: Outbound,
  settings: CarrierSettings,
  carrierCallId: string,
  signal: AbortSignal,
): Promise<void> {
  const call = await callOf(out, settings, carrierCallId, signal);
  if (call === null || call.status === "ended") return;
  const address = text(at(call, "monitor.controlUrl"));
  if (address === null || !isVapis(settings, address)) throw new Error("no control address");
  const headers = { authorization: `Bearer ${settingOf(settings, "apiKey")}` };
  const reply = await ask(out, address, json("POST", headers, signal, { type: "end-call" }));
  if (reply.status !== 404) mustBeOk(reply, "the end");
}

function isVapis(settings: CarrierSettings, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { host } = new URL(address);
  return host.endsWith(".vapi.ai") || host === new URL(baseOf(BASES, settings)).host;
}

async function callOf(
  out: Outbound,
  settings: CarrierSettings,
  id: string,
  signal: AbortSignal,
): Promise<Fields | null> {
  const reply = await send(out, settings, "GET", `/call/${encodeURIComponent(id)}`, signal);
  if (reply.status === 404) return null;
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(reply.body);
  if (found === null) throw new Error("the look-up's answer cannot be read");
  return found;
}

/** The secret in `x-vapi-secret`, or HMAC-SHA256 of `<time>.<raw body>` in `x-signature`, as hex. */
async function verify(
  settings: CarrierSettings,
  { headers, body }: ReportRequest,
  now: number,
): Promise<boolean> {
  const wanted = settingOf(settings, "reportSecret");
  if (!isSigned(settings)) return equalConstantTime(wanted, headers.get("x-vapi-secret") ?? "");
  const time = headers.get("x-timestamp") ?? "";
  const signedAt = /^\d{10,13}$/.test(time) ? instant(time) : null;
  if (signedAt === null || Math.abs(now - signedAt) > SIGNATURE_TOLERANCE_MS) return false;
  const digest = await hmacHex(wanted, joined(`${time}.`, body));
  return equalConstantTime(digest, headers.get("x-signature") ?? "");
}

function isSigned(settings: CarrierSettings): boolean {
  return settingOf(settings, "reports") === "signed";
}

function read(report: ReportRequest): CarrierReport[] {
  const message = fieldsOf(parseFields(report.body).message);
  const call = fieldsOf(message?.call);
  if (message === null || call === null) return [];
  const ids = {
    call: text(at(call, "customer.externalId")) ?? text(at(message, "customer.externalId")),
    carrierCallId: text(call.id),
  };
  if (message.type === "end-of-call-report") return [{ ...ids, ...readEnd(message, call, true) }];
  if (message.type !== "status-update") return [];
  if (message.status === "ended") return [{ ...ids, ...readEnd(message, call, false) }];
  const time = instant(message.timestamp);
  const news = {
    ...NO_NEWS,
    ringingAt: message.status === "ringing" ? time : null,
    answeredAt: message.status === "in-progress" ? time : null,
  };
  return [{ ...ids, news }];
}

function startOf(call: Fields) {
  return { ...NO_NEWS, answeredAt: instant(call.startedAt) };
}

/** A call that is over; the end-of-call report, and a look-up, have everything: nothing comes later. */
function readEnd(
  message: Fields,
  call: Fields,
  whole: boolean,
): Pick<CarrierReport, "news" | "unknownWord"> {
  const word = text(message.endedReason) ?? text(call.endedReason);
  const ending = endingOf(word);
  const own = ownOf(message);
  const connected = ending.outcome === "connected";
  const answeredAt = connected ? instant(message.startedAt ?? call.startedAt) : null;
  const endedAt = instant(message.endedAt ?? call.endedAt);
  const costMicros = micros(message.cost ?? call.cost);
  const mono = at(message, "artifact.recording.mono.combinedUrl");
  const news = {
    ...NO_NEWS,
    ...endNews(ending, outcomeIn(own), whole),
    word,
    answeredAt,
    endedAt,
    talkMs: answeredAt === null || endedAt === null ? null : Math.max(0, endedAt - answeredAt),
    callbackAt: callbackIn(own),
    costMicros,
    currency: costMicros === null ? null : "USD",
    recordingUrl: text(mono) ?? text(at(message, "artifact.recordingUrl")),
    transcript: turns(at(message, "artifact.messages"), {
      speaker: "role",
      text: "message",
      at: "secondsFromStart",
      unitMs: 1000,
    }),
    analysis: analysisOf(message, own),
  };
  return { news, ...(ending.known ? {} : { unknownWord: word ?? "" }) };
}

function endingOf(word: string | null): Ending {
  if (word === null) return endingAs(null);
  if (Object.hasOwn(WORDS, word)) return endingAs(WORDS[word] ?? null);
  return endingAs(FAMILIES.find(([family]) => family.test(word))?.[1] ?? null);
}

/** What the assistant found out: `structuredData`, and each structured output by its name. */
function ownOf(message: Fields): Fields {
  const outputs = fieldsOf(at(message, "artifact.structuredOutputs")) ?? {};
  const named = Object.values(outputs).flatMap((one): [string, unknown][] => {
    const name = text(at(one, "name"));
    return name === null ? [] : [[name, at(one, "result")]];
  });
  return { ...Object.fromEntries(named), ...fieldsOf(at(message, "analysis.structuredData")) };
}

function analysisOf(message: Fields, own: Fields): Fields | null {
  const analysis = { ...fieldsOf(message.analysis) };
  if (Object.keys(own).length > 0) analysis.structuredData = own;
  return Object.keys(analysis).length === 0 ? null : analysis;
}

function messageOf({ body }: Reply): string | null {
  const said = at(body, "message");
  return text(Array.isArray(said) ? said[0] : said) ?? text(at(body, "error"));
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
