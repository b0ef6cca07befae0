import { createHmac } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, type Report, sound, strict } from "./fake.ts";

/*
 * @elevenlabs/elevenlabs-js 2.73.0 on npm (twilio outboundCall, GetConversationResponseModel,
 * ConversationsListRequest, wrapper/webhooks.js);
 * https://elevenlabs.io/docs/eleven-agents/workflows/post-call-webhooks
 */
const KEY = "sk_key-of-the-fake-vendor";

const REASONS: Record<string, string> = {
  connected: "Call ended by remote party",
  own: "end_call tool was called.",
  longest: "Conversation exceeded maximum duration.",
  voicemail: "voicemail_detection tool was called.",
  silent: "Conversation ended due to inactivity.",
  broken: "Internal error",
};
const FAILURES: Record<string, string> = {
  busy: "busy",
  no_answer: "no-answer",
  failed: "unknown",
  odd: "some-new-reason",
};

function error(status: number, code: string, message: string) {
  return { status, body: { detail: { status: code, message } } };
}

type Client = { user_id: string; dynamic_variables: unknown };

function conversation(call: FakeCall, at: number): Record<string, unknown> {
  const story = call.story ?? "";
  const over = call.story !== null;
  const turn = (role: string, message: string | null, seconds: number) => {
    return { role, message, tool_calls: [], tool_results: [], time_in_call_secs: seconds };
  };
  const client = call.asked.conversation_initiation_client_data as Client;
  return {
    agent_id: call.asked.agent_id,
    status: over ? (story === "broken" ? "failed" : "done") : "in-progress",
    user_id: client.user_id,
    conversation_id: call.id,
    has_audio: over,
    has_user_audio: over,
    has_response_audio: over,
    transcript: over
      ? [
          turn("agent", "Hello", 0),
          ...(story === "silent" ? [] : [turn("user", "Hi", 1)]),
          turn("agent", null, 2),
        ]
      : [],
    metadata: {
      start_time_unix_secs: Math.floor(at / 1000),
      call_duration_secs: over ? 42 : 0,
      cost: over ? 296 : null,
      termination_reason: over ? REASONS[story] : null,
      error: story === "broken" ? { code: 1011, reason: "Internal error" } : null,
      features_usage: { voicemail_detection: { enabled: true, used: story === "voicemail" } },
    },
    analysis: over
      ? {
          evaluation_criteria_results: {},
          data_collection_results:
            story === "own"
              ? {
                  outcome: {
                    data_collection_id: "outcome",
                    value: "not_interested",
                    rationale: "They said so.",
                  },
                }
              : {},
          call_successful: "success",
          transcript_summary: "They talked.",
        }
      : null,
    conversation_initiation_client_data: client,
  };
}

function signed(url: string, body: unknown, at: number, secret: string): Report {
  const report = json(url, body);
  const time = Math.floor(at / 1000);
  const digest = createHmac("sha256", secret).update(`${time}.${report.body}`).digest("hex");
  return {
    ...report,
    headers: { ...report.headers, "elevenlabs-signature": `t=${time},v0=${digest}` },
  };
}

const fake: Fake = {
  stories: [...Object.keys(REASONS), ...Object.keys(FAILURES)],
  refusals: {
    unauthorized: error(401, "invalid_api_key", "Invalid API key"),
    poor: error(401, "quota_exceeded", "This request exceeds your quota."),
    limited: error(429, "too_many_concurrent_requests", "Too many concurrent requests."),
    bad: { status: 422, body: { detail: [{ loc: ["body", "agent_id"], msg: "Field required" }] } },
    said: {
      status: 200,
      body: { success: false, message: "Twilio refused", conversation_id: null },
    },
    broken: error(500, "internal_error", "Internal error"),
  },
  answer({ method, path, query, headers, text }, memory) {
    if (headers["xi-api-key"] !== KEY) return error(401, "invalid_api_key", "Invalid API key");
    if (method === "GET" && path === "/v1/convai/agents") {
      return { status: 200, body: { agents: [], has_more: false } };
    }
    if (method === "POST" && path === "/v1/convai/twilio/outbound-call") {
      const body = strict(text, {
        agent_id: "string",
        agent_phone_number_id: "string",
        to_number: "phone",
        conversation_initiation_client_data: "object?",
      });
      if ("wrong" in body) return { status: 422, body: { detail: [{ msg: body.wrong }] } };
      const phone = String(body.fields.to_number);
      const id = `conv_${(1000 + memory.calls.size).toString(36)}`;
      memory.take({ phone, reportUrl: null, asked: body.fields }, id);
      const message = "Success";
      return { status: 200, body: { success: true, message, conversation_id: id, callSid: "CA1" } };
    }
    if (method === "GET" && path === "/v1/convai/conversations") {
      const conversations = [...memory.calls.values()]
        .map((call) => conversation(call, Date.now()))
        .filter((one) => one.user_id === query.get("user_id"))
        .slice(0, Number(query.get("page_size") ?? 30));
      return { status: 200, body: { conversations, has_more: false } };
    }
    if (method === "GET" && /^\/v1\/convai\/conversations\/[\w-]+\/audio$/.test(path)) {
      return sound(headers.range);
    }
    const [, id = ""] = /^\/v1\/convai\/conversations\/([^/]+)$/.exec(path) ?? [];
    if (id === "" || method !== "GET") return NOT_FOUND;
    const call = memory.calls.get(id);
    if (call === undefined) return error(404, "conversation_not_found", "Not found");
    return { status: 200, body: conversation(call, Date.now()) };
  },
  reports(call, story, at, secret, url) {
    const failure = FAILURES[story];
    const time = Math.floor(at / 1000);
    const data =
      failure === undefined
        ? conversation({ ...call, story }, at)
        : {
            agent_id: call.asked.agent_id,
            conversation_id: call.id,
            failure_reason: failure,
            metadata: { type: "twilio", body: { CallSid: "CA1", CallStatus: failure } },
          };
    const type = failure === undefined ? "post_call_transcription" : "call_initiation_failure";
    return [signed(url, { type, event_timestamp: time, data }, at, secret)];
  },
};

export default fake;
