import { createHash } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, type Report, strict } from "./fake.ts";

/*
 * https://www.bolna.ai/docs/api-reference/calls/make, /executions/get_execution, /list-phone-call-status.
 * Webhooks carry the execution; they are not signed and go to the agent's own webhook address.
 */
const KEY = "bn-key-of-the-fake-vendor";

function execution(call: FakeCall, status: string, at: number): Record<string, unknown> {
  const over = ["completed", "call-disconnected"].includes(status);
  const done = status === "completed";
  return {
    id: call.id,
    agent_id: call.asked.agent_id,
    batch_id: null,
    status,
    error_message: null,
    answered_by_voice_mail: over && call.story === "voicemail",
    conversation_duration: done ? 42 : 0,
    total_cost: done ? 12.5 : 0,
    transcript: done ? "assistant: Hello\nuser: Hi, yes" : null,
    extracted_data: done && call.story === "own" ? { outcome: "not_interested" } : null,
    created_at: new Date(at).toISOString(),
    telephony_data: {
      duration: done ? "42.0" : null,
      to_number: call.phone,
      recording_url: done ? "https://bolna-call-recordings.example/REC1" : null,
      provider: "plivo",
      call_type: "outbound",
      hangup_reason: over ? "Normal Hangup" : null,
    },
    context_details: { recipient_data: call.asked.user_data },
  };
}

const WAYS: Record<string, string[]> = {
  connected: ["queued", "initiated", "ringing", "in-progress", "call-disconnected", "completed"],
  own: ["in-progress", "call-disconnected", "completed"],
  voicemail: ["ringing", "in-progress", "call-disconnected", "completed"],
  no_answer: ["queued", "initiated", "ringing", "no-answer"],
  busy: ["initiated", "busy"],
  failed: ["initiated", "failed"],
  canceled: ["canceled"],
  poor: ["balance-low"],
  odd: ["ringing", "some-new-status"],
};

const fake: Fake = {
  stories: Object.keys(WAYS),
  refusals: {
    unauthorized: { status: 401, body: { message: "Access denied" } },
    forbidden: { status: 403, body: { message: "Forbidden" } },
    limited: { status: 429, body: { message: "Too many requests" } },
    bad: { status: 400, body: { message: "recipient_phone_number is invalid" } },
    broken: { status: 500, body: { message: "Internal server error" } },
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== `Bearer ${KEY}`) {
      return { status: 401, body: { message: "Access denied" } };
    }
    if (method === "GET" && path === "/user/me")
      return { status: 200, body: { id: "u", wallet: 1 } };
    if (method === "POST" && path === "/call") {
      const body = strict(text, {
        agent_id: "string",
        recipient_phone_number: "phone",
        from_phone_number: "phone?",
        user_data: "object?",
      });
      if ("wrong" in body) return { status: 400, body: { message: body.wrong } };
      const phone = String(body.fields.recipient_phone_number);
      const id = createHash("sha1").update(`${phone}${memory.calls.size}`).digest("hex");
      memory.take({ phone, reportUrl: null, asked: body.fields }, id);
      return { status: 200, body: { execution_id: id, status: "queued", message: "done" } };
    }
    const [, id = "", verb] = /^\/(?:executions|call)\/([^/]+)(\/stop)?$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (call === undefined) return NOT_FOUND;
    if (verb !== undefined && method === "POST") {
      call.story = "canceled";
      return { status: 200, body: { message: "success", status: "stopped" } };
    }
    const status = call.story === null ? "in-progress" : (WAYS[call.story]?.at(-1) ?? "");
    return { status: 200, body: execution(call, status, Date.now()) };
  },
  reports(call, story, at, secret, url): Report[] {
    const token = `${url}?token=${encodeURIComponent(secret)}`;
    return (WAYS[story] ?? []).map((status) => json(token, execution(call, status, at)));
  },
};

export default fake;
