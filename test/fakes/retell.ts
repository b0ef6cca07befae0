import { createHash, createHmac } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, type Report, strict } from "./fake.ts";

/*
 * retell-sdk 5.66.1 on npm: resources/call.d.ts (CallCreatePhoneCallParams, PhoneCallResponse,
 * CallListParams), resources/concurrency.d.ts, lib/webhook_auth.js (symmetric.sign), core/error.js.
 */
const KEY = "key_of-the-fake-vendor";

const REASONS: Record<string, string> = {
  connected: "user_hangup",
  own: "agent_hangup",
  longest: "max_duration_reached",
  voicemail: "voicemail_reached",
  machine: "agent_hangup",
  silent: "inactivity",
  no_answer: "dial_no_answer",
  busy: "dial_busy",
  declined: "user_declined",
  failed: "dial_failed",
  broken: "error_retell",
  invalid: "invalid_destination",
  crowded: "concurrency_limit_reached",
  poor: "no_valid_payment",
  odd: "some_new_reason",
};
const CONNECTED = ["connected", "own", "longest", "machine", "silent", "voicemail", "broken"];

function error(status: number, message: string) {
  return { status, body: { status: "error", message } };
}

function callOf(call: FakeCall, at: number, analysed: boolean): Record<string, unknown> {
  const { story } = call;
  const common = {
    call_type: "phone_call",
    call_id: call.id,
    agent_id: call.asked.override_agent_id,
    agent_version: 1,
    call_status: story === null ? "ongoing" : CONNECTED.includes(story) ? "ended" : "not_connected",
    direction: "outbound",
    from_number: call.asked.from_number,
    to_number: call.phone,
    metadata: call.asked.metadata,
    retell_llm_dynamic_variables: call.asked.retell_llm_dynamic_variables,
  };
  if (story === null) return { ...common, start_timestamp: at };
  const data = story === "own" ? { outcome: "Not interested" } : {};
  return {
    ...common,
    disconnection_reason: REASONS[story],
    ...(CONNECTED.includes(story) ? { start_timestamp: at, duration_ms: 42_000 } : {}),
    end_timestamp: at + 42_000,
    transcript: "Agent: Hello\nUser: Hi",
    transcript_object: [
      { role: "agent", content: "Hello", words: [{ word: "Hello", start: 0, end: 0.4 }] },
      { role: "user", content: "Hi", words: [{ word: "Hi", start: 1, end: 1.2 }] },
    ],
    recording_url: "https://recordings.example/call.wav",
    call_cost: {
      combined_cost: 12.5,
      product_costs: [{ product: "elevenlabs_tts", unit_price: 1, cost: 12.5 }],
      total_duration_seconds: 42,
      total_duration_unit_price: 0.3,
    },
    ...(analysed
      ? {
          call_analysis: {
            call_summary: "They talked.",
            in_voicemail: story === "machine",
            user_sentiment: "Neutral",
            call_successful: true,
            custom_analysis_data: data,
          },
        }
      : {}),
  };
}

function signed(url: string, body: unknown, at: number, secret: string): Report {
  const report = json(url, body);
  const digest = createHmac("sha256", secret).update(`${report.body}${at}`).digest("hex");
  report.headers["x-retell-signature"] = `v=${at},d=${digest}`;
  return report;
}

const fake: Fake = {
  stories: Object.keys(REASONS),
  refusals: {
    unauthorized: error(401, "Invalid API Key"),
    poor: error(402, "Payment required"),
    limited: error(429, "Rate limit exceeded"),
    bad: error(422, "Cannot find requested asset under given api key"),
    invalid: error(400, "from_number is invalid"),
    broken: error(500, "An unexpected server error occurred."),
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== `Bearer ${KEY}`) return error(401, "Invalid API Key");
    if (method === "GET" && path === "/get-concurrency") {
      return { status: 200, body: { current_concurrency: 0, concurrency_limit: 20 } };
    }
    if (method === "POST" && path === "/v2/create-phone-call") {
      const body = strict(text, {
        from_number: "phone",
        to_number: "phone",
        override_agent_id: "string?",
        metadata: "object?",
        retell_llm_dynamic_variables: "texts?",
        agent_override: "object?",
      });
      if ("wrong" in body) return error(400, body.wrong);
      const override = body.fields.agent_override as { agent: Record<string, unknown> };
      const { webhook_url, max_call_duration_ms: length } = override.agent;
      if (typeof length !== "number" || length < 60_000 || length > 7_200_000) {
        return error(400, "max_call_duration_ms must be between 60000 and 7200000");
      }
      const phone = String(body.fields.to_number);
      const id = `call_${createHash("sha1").update(`${phone}${memory.calls.size}`).digest("hex")}`;
      const call = memory.take({ phone, reportUrl: String(webhook_url), asked: body.fields }, id);
      return {
        status: 201,
        body: { ...callOf(call, Date.now(), false), call_status: "registered" },
      };
    }
    if (method === "POST" && path === "/v3/list-calls") {
      const body = strict(text, { filter_criteria: "object?", limit: "number?" });
      if ("wrong" in body) return error(400, body.wrong);
      const criteria = body.fields.filter_criteria as { metadata: Record<string, unknown>[] };
      const [filter] = criteria.metadata;
      if (filter?.op !== "eq" || filter.type !== "string") return error(400, "filter is invalid");
      const items = [...memory.calls.values()]
        .filter(({ asked }) => {
          return (asked.metadata as Record<string, unknown>)[String(filter.key)] === filter.value;
        })
        .map((call) => callOf(call, Date.now(), false));
      return { status: 200, body: { items, has_more: false } };
    }
    const [, verb = "", id = ""] = /^\/v2\/(get-call|stop-call)\/([^/]+)$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (verb === "") return NOT_FOUND;
    if (call === undefined) return error(404, "Not Found");
    if (verb === "stop-call" && method === "POST") {
      if (call.story !== null) return error(400, "Call already ended");
      call.story = "connected";
      return { status: 204, text: "" };
    }
    return { status: 200, body: callOf(call, Date.now(), call.story !== null) };
  },
  reports(call, story, at, secret, url) {
    const send = (event: string, body: Record<string, unknown>) =>
      signed(url, { event, call: body }, at, secret);
    const started = { ...callOf({ ...call, story: null }, at, false) };
    return [
      ...(CONNECTED.includes(story) ? [send("call_started", started)] : []),
      send("call_ended", callOf(call, at, false)),
      send("call_analyzed", callOf(call, at, true)),
    ];
  },
};

export default fake;
