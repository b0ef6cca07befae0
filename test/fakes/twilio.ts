import { createHmac, randomBytes } from "node:crypto";
import { checked, type Fake, type FakeCall, NOT_FOUND, type Report, sound } from "./fake.ts";

/*
 * twilio 6.3.1 on npm: lib/rest/api/v2010/account/call (CallListInstanceCreateOptions, CallResource),
 * lib/webhooks/webhooks.js (getExpectedTwilioSignature);
 * https://www.twilio.com/docs/voice/api/call-resource#statuscallback
 */
const SID = `AC${"0a".repeat(16)}`;
const TOKEN = "twilio-token-of-the-fake-vendor";
const ROOT = `/2010-04-01/Accounts/${SID}`;
const BASIC = `Basic ${Buffer.from(`${SID}:${TOKEN}`).toString("base64")}`;

/** CallStatus, AnsweredBy, SipResponseCode. */
const WAYS: Record<string, [string, string | null, string]> = {
  connected: ["completed", "human", "200"],
  unsure: ["completed", "unknown", "200"],
  undetected: ["completed", null, "200"],
  machine: ["completed", "machine_start", "200"],
  beep: ["completed", "machine_end_beep", "200"],
  fax: ["completed", "fax", "200"],
  busy: ["busy", null, "486"],
  no_answer: ["no-answer", null, "487"],
  failed: ["failed", null, "503"],
  canceled: ["canceled", null, "487"],
  gone: ["failed", null, "404"],
  incomplete: ["failed", null, "484"],
  odd: ["some-new-status", null, "200"],
};
const EVENTS = ["initiated", "ringing", "answered", "completed"];

function error(status: number, code: number, message: string) {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info, status } };
}

/** Fields by name; a name that comes again and again is a list. */
function formOf(text: string): Record<string, unknown> {
  const form = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const all = form.getAll(name);
      return [name, all.length === 1 ? all[0] : all];
    }),
  );
}

/** Well-formed as far as a call needs it: tags that match, and no bare sign. */
function isTwiml(twiml: unknown): boolean {
  if (typeof twiml !== "string" || twiml.length > 4000) return false;
  const open: string[] = [];
  const tag = /<(\/?)(\w+)((?:\s+\w+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos);[^"<&]*)*")*)\s*(\/?)>/g;
  const rest = twiml.replace(tag, (_, close: string, name: string, __: string, empty: string) => {
    if (close === "/") {
      if (open.pop() !== name) open.push("wrong");
    } else if (empty === "") open.push(name);
    return "";
  });
  const bare = rest.replace(/&(amp|lt|gt|quot|apos);/g, "");
  return open.length === 0 && !/[<&]/.test(bare) && twiml.startsWith("<Response>");
}

function resource(call: FakeCall, at: number): Record<string, unknown> {
  const [status, by] = WAYS[call.story ?? ""] ?? ["in-progress", null];
  const over = call.story !== null;
  return {
    sid: call.id,
    account_sid: SID,
    to: call.phone,
    from: call.asked.From,
    status,
    answered_by: by,
    start_time: new Date(at).toUTCString(),
    end_time: over ? new Date(at + 42_000).toUTCString() : null,
    duration: over ? "42" : null,
    price: over ? "-0.01300" : null,
    price_unit: "USD",
    queue_time: "0",
  };
}

function callback(url: string, fields: Record<string, string>, secret: string): Report {
  const data = Object.keys(fields)
    .sort()
    .reduce((whole, name) => whole + name + fields[name], url);
  const signature = createHmac("sha1", secret).update(data).digest("base64");
  return {
    url,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": signature,
    },
    body: new URLSearchParams(fields).toString(),
  };
}

const fake: Fake = {
  stories: Object.keys(WAYS),
  refusals: {
    unauthorized: error(401, 20003, "Authenticate"),
    suspended: error(401, 20005, "Account not active"),
    limited: error(429, 20429, "Too Many Requests"),
    crowded: error(400, 10004, "Call concurrency limit exceeded"),
    invalid: error(400, 21211, "The 'To' number +14155550000 is not a valid phone number."),
    forbidden: error(400, 21215, "Account not authorized to call +14155550000."),
    bad: error(400, 21205, "Url is not a valid URL: x"),
    broken: error(500, 20500, "Internal Server Error"),
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== BASIC) return error(401, 20003, "Authenticate");
    if (method === "GET" && path === `${ROOT}.json`) {
      return { status: 200, body: { sid: SID, status: "active", type: "Full" } };
    }
    if (method === "POST" && path === `${ROOT}/Calls.json`) {
      if (headers["content-type"] !== "application/x-www-form-urlencoded") return NOT_FOUND;
      const body = checked(formOf(text), {
        To: "phone",
        From: "phone",
        Url: "url?",
        Twiml: "string?",
        StatusCallback: "url?",
        StatusCallbackEvent: "any?",
        Timeout: "string?",
        TimeLimit: "string?",
        Record: "string?",
        MachineDetection: "string?",
      });
      if ("wrong" in body) return error(400, 21200, body.wrong);
      const { Url, Twiml, MachineDetection: detect, StatusCallbackEvent: events } = body.fields;
      if (Url === undefined && !isTwiml(Twiml)) return error(400, 12100, "Document parse failure");
      if (detect !== undefined && detect !== "Enable" && detect !== "DetectMessageEnd") {
        return error(400, 21200, "MachineDetection");
      }
      if (JSON.stringify(events) !== JSON.stringify(EVENTS)) return error(400, 21626, "events");
      const id = `CA${randomBytes(16).toString("hex")}`;
      const asked = body.fields;
      const call = memory.take(
        { phone: String(asked.To), reportUrl: String(asked.StatusCallback), asked },
        id,
      );
      return { status: 201, body: { ...resource(call, Date.now()), status: "queued" } };
    }
    if (method === "GET" && path === `${ROOT}/Recordings/RE${"0b".repeat(16)}.mp3`) {
      return sound(headers.range);
    }
    const [, id = ""] = /\/Calls\/([^/]+)\.json$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (call === undefined) return error(404, 20404, "The requested resource was not found");
    if (method === "POST") {
      if (formOf(text).Status !== "completed") return error(400, 21218, "Invalid Status");
      call.story = "undetected";
    }
    return { status: 200, body: resource(call, Date.now()) };
  },
  reports(call, story, at, secret, url) {
    const [status, by, sip] = WAYS[story] ?? ["", null, ""];
    const talked = status === "completed";
    const send = (n: number, CallStatus: string, more: Record<string, string> = {}) =>
      callback(
        url,
        {
          ApiVersion: "2010-04-01",
          AccountSid: SID,
          CallSid: call.id,
          From: String(call.asked.From),
          To: call.phone,
          Direction: "outbound-api",
          CallbackSource: "call-progress-events",
          SequenceNumber: String(n),
          Timestamp: new Date(at + n * 1000).toUTCString(),
          CallStatus,
          ...more,
        },
        secret,
      );
    const end = {
      CallDuration: talked ? "42" : "0",
      Duration: talked ? "1" : "0",
      SipResponseCode: sip,
      ...(by === null ? {} : { AnsweredBy: by }),
      ...(talked
        ? {
            RecordingUrl: `https://api.twilio.com${ROOT}/Recordings/RE${"0b".repeat(16)}`,
            RecordingSid: `RE${"0b".repeat(16)}`,
            RecordingDuration: "41",
          }
        : {}),
    };
    return [
      send(0, "initiated"),
      send(1, "ringing"),
      ...(talked ? [send(2, "in-progress", by === null ? {} : { AnsweredBy: by })] : []),
      send(3, status, end),
    ];
  },
};

export default fake;
