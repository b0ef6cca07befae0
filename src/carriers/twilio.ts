import type { CallId } from "../core/ids.ts";
import {
  accepted,
  ask,
  byStatus,
  fetchSound,
  mustBeOk,
  NotWell,
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
  type RefusalKind,
  type ReportRequest,
} from "./carrier.ts";
import { type Ending, endingAs, endingOf, endNews, type Words } from "./ending.ts";
import type { Outbound } from "./outbound.ts";
import { at, duration, type Fields, fieldsOf, instant, micros, number, text } from "./reading.ts";
import { equalConstantTime, hmacBase64, sha256Hex } from "./secret.ts";
import {
  baseOf,
  checkBase,
  checkFields,
  openFields,
  plain,
  secret,
  settingOf,
} from "./settings.ts";
import { wordsOf } from "./twiml.ts";

/** The world's, and the regions'. */
const BASES = [
  "https://api.twilio.com",
  "https://api.dublin.ie1.twilio.com",
  "https://api.sydney.au1.twilio.com",
];
const FIELDS = [
  plain("accountSid", "AC and 32 hex digits", /^AC[0-9a-f]{32}$/),
  secret("authToken"),
];
const RECORDING = /\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})\/Recordings\/(RE[0-9a-f]{32})/;
/** Most that Twilio takes, s. */
const LENGTH_MAX_S = 14_400;
const RING_MAX_S = 600;

/** `CallStatus` of a call that is over. */
const WORDS: Words = {
  completed: "connected",
  busy: "busy",
  "no-answer": "no_answer",
  failed: "failed",
  canceled: "failed",
};
const ALIVE = ["queued", "initiated", "ringing", "in-progress"];
/** Who answered, where that is nobody to talk to. */
const MACHINE = /^(machine_|fax$)/;
/** RFC 3261: not found, gone, address incomplete, does not exist anywhere. */
const NO_SUCH_NUMBER = ["404", "410", "484", "604"];

/** Error codes that say more than their status does: https://www.twilio.com/docs/api/errors */
const CODES: Record<string, RefusalKind> = {
  "20429": "capacity",
  "10004": "capacity",
  "20003": "connection",
  "20005": "connection",
  "10001": "connection",
  "21211": "permanent",
  "21217": "permanent",
  "13223": "permanent",
  "13224": "permanent",
};

/**
 * Twilio. Settings: `accountSid`, `authToken`. What an agent says is in `twiml.ts`; its settings are
 * `machineDetection` (`Enable`, which is the default, `DetectMessageEnd` or `off`), `ringSeconds` and
 * `record`. Every call carries its own report address. Dial below the account's calls per second:
 * what exceeds it waits in Twilio's queue for up to a day, and rings when it will. The price is not
 * in reports, and comes with a look-up alone.
 * twilio 6.3.1 on npm: rest/api/v2010/account/call.d.ts, webhooks/webhooks.js;
 * https://www.twilio.com/docs/voice/api/call-resource, https://www.twilio.com/docs/usage/security
 */
export function twilio(out: Outbound): Carrier {
  return {
    id: "twilio",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) => placing(() => place(out, settings, dial, signal)),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) => {
      const reply = await send(out, settings, ".json", signal);
      mustBeOk(reply, "the test");
      if (at(reply.body, "status") !== "active") throw new NotWell("the account is not active");
    },
    end: async (settings, carrierCallId, signal) => {
      const form = new URLSearchParams({ Status: "completed" });
      const reply = await send(out, settings, callPath(carrierCallId), signal, form);
      if (reply.status !== 404) mustBeOk(reply, "the end");
    },
    verify,
    read,
    recording: async (settings, url, range) => {
      const [path, sid] = RECORDING.exec(new URL(url).pathname) ?? [];
      if (path === undefined || sid !== settingOf(settings, "accountSid")) {
        throw new Error("no address of a recording of this account");
      }
      const address = `${baseOf(BASES, settings)}${path}.mp3`;
      return fetchSound(out, address, { authorization: basicOf(settings) }, range);
    },
  };
}

async function place(
  out: Outbound,
  settings: CarrierSettings,
  dial: Dial,
  signal: AbortSignal,
): Promise<Answer> {
  const words = wordsOf(dial);
  // Nothing is asked: no attempt is used, and the connection waits until somebody mends the agent.
  if ("wrong" in words) return refused("connection", words.wrong);
  const { machineDetection, ringSeconds, record } = dial.agentSettings;
  const ring = number(ringSeconds);
  const form = new URLSearchParams({
    To: dial.phone,
    From: dial.from,
    ...words,
    StatusCallback: dial.reportUrl,
    TimeLimit: String(Math.min(LENGTH_MAX_S, Math.ceil(dial.lengthMaxMs / 1000))),
  });
  for (const event of ["initiated", "ringing", "answered", "completed"]) {
    form.append("StatusCallbackEvent", event);
  }
  if (machineDetection !== "off") form.set("MachineDetection", text(machineDetection) ?? "Enable");
  if (ring !== null)
    form.set("Timeout", String(Math.min(RING_MAX_S, Math.max(1, Math.round(ring)))));
  if (record === true) form.set("Record", "true");
  return classify(await send(out, settings, "/Calls.json", signal, form));
}

function classify({ status, body }: Reply): Answer {
  if (status >= 200 && status < 300) return accepted(text(at(body, "sid")), status);
  const code = number(at(body, "code"));
  const said = code === null ? null : `${code} ${text(at(body, "message")) ?? ""}`;
  const kind = code === null || status >= 500 ? undefined : CODES[String(code)];
  return kind === undefined ? byStatus(status, said) : refused(kind, said ?? "");
}

/** By Twilio's id alone: it finds no call by ours. */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  { carrierCallId }: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  if (carrierCallId === null) return { kind: "unknown" };
  const reply = await send(out, settings, callPath(carrierCallId), signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const found = fieldsOf(reply.body);
  if (found === null) throw new Error("the look-up's answer cannot be read");
  const word = text(found.status);
  if (word === null || ALIVE.includes(word)) return { kind: "alive", carrierCallId, news: NO_NEWS };
  const ending = endingBy(word, text(found.answered_by), null);
  const talked = ending.outcome === "connected";
  const costMicros = micros(found.price);
  const news = {
    ...NO_NEWS,
    ...endNews(ending, null, true),
    word,
    answeredAt: talked ? instant(found.start_time) : null,
    endedAt: instant(found.end_time),
    talkMs: talked ? duration(found.duration, 1000) : null,
    costMicros,
    currency: costMicros === null ? null : (text(found.price_unit) ?? "USD"),
  };
  return { kind: "over", carrierCallId, news, ...(ending.known ? {} : { unknownWord: word }) };
}

function callPath(carrierCallId: string): string {
  return `/Calls/${encodeURIComponent(carrierCallId)}.json`;
}

/**
 * `x-twilio-signature`: HMAC-SHA1 of the whole address, and for a form each name with its value, by
 * name; of any other body the address has the SHA-256. Twilio signs the address with its port or
 * without. There is no time in it: repeats change nothing (H36).
 */
async function verify(settings: CarrierSettings, report: ReportRequest): Promise<boolean> {
  const given = report.headers.get("x-twilio-signature") ?? "";
  const url = new URL(report.url);
  const hash = url.searchParams.get("bodySHA256");
  if (hash !== null && !equalConstantTime(await sha256Hex(report.body), hash)) return false;
  const signed = hash === null ? signedForm(new TextDecoder().decode(report.body)) : "";
  const port = url.protocol === "https:" ? ":443" : ":80";
  const origins = [url.origin, `${url.protocol}//${url.hostname}${url.port === "" ? port : ""}`];
  const rest = report.url.replace(/^\w+:\/\/[^/?#]*/, "");
  let good = false;
  for (const origin of origins) {
    const digest = await hmacBase64(
      settingOf(settings, "authToken"),
      origin + rest + signed,
      "SHA-1",
    );
    good = equalConstantTime(digest, given) || good;
  }
  return good;
}

/** Names in order, each followed by its different values, in order. */
function signedForm(body: string): string {
  const form = new URLSearchParams(body);
  return [...new Set(form.keys())]
    .sort()
    .map((name) =>
      [...new Set(form.getAll(name))]
        .sort()
        .map((value) => name + value)
        .join(""),
    )
    .join("");
}

function read(report: ReportRequest): CarrierReport[] {
  const fields: Fields = Object.fromEntries(
    new URLSearchParams(new TextDecoder().decode(report.body)),
  );
  const carrierCallId = text(fields.CallSid);
  if (carrierCallId === null) return [];
  const word = text(fields.CallStatus);
  const time = instant(fields.Timestamp);
  const recordingUrl = text(fields.RecordingUrl);
  if (word === null || ALIVE.includes(word)) {
    const news = {
      ...NO_NEWS,
      ringingAt: word === "ringing" ? time : null,
      answeredAt: word === "in-progress" ? time : null,
      recordingUrl,
    };
    return [{ call: null, carrierCallId, news }];
  }
  const ending = endingBy(word, text(fields.AnsweredBy), text(fields.SipResponseCode));
  const news = {
    ...NO_NEWS,
    ...endNews(ending, null, true),
    word: wordOf(fields, word),
    endedAt: time,
    talkMs: ending.outcome === "connected" ? duration(fields.CallDuration, 1000) : null,
    recordingUrl,
  };
  return [{ call: null, carrierCallId, news, ...(ending.known ? {} : { unknownWord: word }) }];
}

function endingBy(word: string, by: string | null, sip: string | null): Ending {
  if (word === "completed" && MACHINE.test(by ?? "")) return endingAs("voicemail");
  if (word === "failed" && NO_SUCH_NUMBER.includes(sip ?? "")) return endingAs("refused.permanent");
  return endingOf(WORDS, word);
}

/** Who answered, or what the network said, stands beside Twilio's word. */
function wordOf(fields: Fields, word: string): string {
  const sip = word === "completed" ? null : text(fields.SipResponseCode);
  const more = word === "completed" ? text(fields.AnsweredBy) : sip === null ? null : `SIP ${sip}`;
  return more === null ? word : `${word} (${more})`;
}

function basicOf(settings: CarrierSettings): string {
  return `Basic ${btoa(`${settingOf(settings, "accountSid")}:${settingOf(settings, "authToken")}`)}`;
}

/** A path below the account; with a form it is a POST. */
function send(
  out: Outbound,
  settings: CarrierSettings,
  path: string,
  signal: AbortSignal,
  form?: URLSearchParams,
): Promise<Reply> {
  const account = `/2010-04-01/Accounts/${settingOf(settings, "accountSid")}`;
  const address = baseOf(BASES, settings) + account + path;
  const headers = { authorization: basicOf(settings) };
  return ask(
    out,
    address,
    form === undefined ? { headers, signal } : formed(headers, signal, form),
  );
}

function formed(
  headers: Record<string, string>,
  signal: AbortSignal,
  form: URLSearchParams,
): RequestInit {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", headers: { ...headers, ...type }, body: form.toString(), signal };
}
