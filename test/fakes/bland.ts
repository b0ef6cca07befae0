import { createHmac, randomUUID } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, strict } from "./fake.ts";

/*
 * https://docs.bland.ai/api-v1/post/calls.md, /api-v1/get/calls-id.md, /tutorials/webhook-signing.md:
 * one report after the call, which is the call object.
 */
const KEY = "org_key-of-the-fake-vendor";

/** queue_status, answered_by, status, error_message. */
const WAYS: Record<string, [string, string | null, string, string | null]> = {
  connected: ["complete", "human", "completed", null],
  own: ["complete", "human", "completed", null],
  unsure: ["complete", "unknown", "completed", null],
  voicemail: ["complete", "voicemail", "completed", null],
  no_answer: ["complete", "no-answer", "no-answer", null],
  unheard: ["complete", "unknown", "no-answer", null],
  busy: ["complete", null, "busy", null],
  failed: ["call_error", null, "failed", "The call could not be completed."],
  broken: ["queue_error", null, "failed", "Queue error"],
  refused: ["pre_queue_error", null, "failed", "Pre-queue error"],
  odd: ["complete", "some-new-word", "some-new-status", null],
};

function error(status: number, message: string) {
  return { status, body: { status: "error", message, errors: [message] } };
}

function callOf(call: FakeCall, at: number): Record<string, unknown> {
  const { story } = call;
  const [queue, by, status, message] = WAYS[story ?? ""] ?? ["started", null, "in-progress", null];
  const talked = story !== null && queue === "complete";
  return {
    call_id: call.id,
    to: call.phone,
    from: call.asked.from,
    completed: talked,
    queue_status: queue,
    answered_by: by,
    status,
    error_message: message,
    request_data: call.asked.request_data,
    metadata: call.asked.metadata,
    max_duration: call.asked.max_duration,
    created_at: new Date(at).toISOString(),
    started_at: new Date(at).toISOString(),
    end_at: story === null ? null : new Date(at + 42_000).toISOString(),
    call_length: talked ? 0.7 : null,
    corrected_duration: talked ? "42" : null,
    price: talked ? 0.063 : 0,
    transcripts: talked
      ? [
          { id: 1, created_at: new Date(at).toISOString(), text: "Hello", user: "assistant" },
          { id: 2, created_at: new Date(at).toISOString(), text: "Hi", user: "user" },
          {
            id: 3,
            created_at: new Date(at).toISOString(),
            text: "Ended call",
            user: "agent-action",
          },
        ]
      : [],
    concatenated_transcript: talked ? "assistant: Hello\nuser: Hi" : "",
    summary: talked ? "They talked." : null,
    recording_url: talked ? "https://recordings.bland.example/call.mp3" : null,
    analysis: story === "own" ? { outcome: "not_interested" } : null,
  };
}

const fake: Fake = {
  stories: Object.keys(WAYS),
  refusals: {
    unauthorized: error(401, "Invalid key"),
    poor: error(402, "Insufficient balance"),
    limited: error(429, "Rate limit exceeded"),
    bad: error(400, "Invalid parameters"),
    said: error(200, "Call failed to queue."),
    broken: error(500, "Internal server error"),
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== KEY) return error(401, "Invalid key");
    if (method === "GET" && path === "/v1/me") {
      return { status: 200, body: { status: "active", billing: { current_balance: 10 } } };
    }
    if (method === "POST" && path === "/v1/calls") {
      const body = strict(text, {
        phone_number: "phone",
        from: "phone?",
        task: "string?",
        pathway_id: "string?",
        voice: "string?",
        language: "string?",
        request_data: "object?",
        metadata: "object?",
        webhook: "url?",
        answered_by_enabled: "boolean?",
        record: "boolean?",
        max_duration: "number?",
      });
      if ("wrong" in body) return error(400, body.wrong);
      const { task, pathway_id: pathway, phone_number: phone, webhook } = body.fields;
      if ((task === undefined) === (pathway === undefined)) return error(400, "task or pathway_id");
      if (!Number.isInteger(body.fields.max_duration)) return error(400, "max_duration");
      const asked = { phone: String(phone), reportUrl: String(webhook), asked: body.fields };
      const call = memory.take(asked, randomUUID());
      const message = "Call successfully queued.";
      return { status: 200, body: { status: "success", message, call_id: call.id } };
    }
    const [, id = "", verb] = /^\/v1\/calls\/([^/]+)(\/stop)?$/.exec(path) ?? [];
    if (id === "") return NOT_FOUND;
    const call = memory.calls.get(id);
    if (call === undefined) return error(404, "Call not found");
    if (verb !== undefined && method === "POST") {
      call.story = "connected";
      return { status: 200, body: { status: "success", message: "Call ended successfully." } };
    }
    return { status: 200, body: callOf(call, Date.now()) };
  },
  reports(call, story, at, secret, url) {
    const report = json(url, callOf({ ...call, story }, at));
    const digest = createHmac("sha256", secret).update(report.body).digest("hex");
    return [{ ...report, headers: { ...report.headers, "x-webhook-signature": digest } }];
  },
};

export default fake;
