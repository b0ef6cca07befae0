import { randomBytes } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, strict } from "./fake.ts";

/*
 * The product's guide (create-task body, statuses, outcomes), its event names, and what public users
 * of its API send and get. Events go to the task's `statusCallbackUrl` and are not signed.
 */
const KEY = "hl-key-of-the-fake-vendor";

/** status, endReason, outcome, connected. */
const WAYS: Record<string, [string, string, string | null, boolean]> = {
  connected: ["completed", "user_hangup", "connected", true],
  own: ["completed", "agent_hangup", "Not interested", true],
  voicemail: ["completed", "voicemail", "voicemail", true],
  silent: ["completed", "silence", "no_response", true],
  no_answer: ["no-answer", "no-answer", "no_answer", false],
  spelt: ["No Answer", "timeout", null, false],
  busy: ["busy", "busy", "busy", false],
  failed: ["failed", "carrier", "failed", false],
  init_failed: ["failed", "init", "init_failed", false],
  odd: ["some-new-status", "some-new-reason", null, false],
};

function event(call: FakeCall, name: string, at: number, more: Record<string, unknown>) {
  const [status, endReason] = WAYS[call.story ?? ""] ?? ["ringing", null];
  return {
    event: name,
    callInfo: {
      to: call.phone,
      from: call.asked.from,
      task: call.id,
      callSid: `sid-${call.id}`,
      attempt: 1,
      status: name === "callStart" ? "ringing" : status,
      ...(name === "callStart" ? {} : { endReason }),
    },
    beginTimestamp: new Date(at).toISOString(),
    ...more,
  };
}

const fake: Fake = {
  stories: Object.keys(WAYS),
  refusals: {
    unauthorized: { status: 401, body: { error: "Unauthorized" } },
    forbidden: { status: 403, body: { error: "Forbidden" } },
    limited: { status: 429, body: { error: "Too many requests" } },
    bad: { status: 422, body: { message: "agent is not one of this workspace" } },
    over: { status: 409, body: { message: "The campaign is archived." } },
    broken: { status: 500, body: { error: "Internal error" } },
  },
  answer({ method, path, headers, text }, memory) {
    if ((headers.authorization ?? "").replace(/^Bearer /, "") !== KEY) {
      return { status: 401, body: { error: "Unauthorized" } };
    }
    if (method === "GET" && path === "/routes/v1/campaigns/") return { status: 200, body: [] };
    if (method === "POST" && path === "/routes/v1/tasks/") {
      const body = strict(text, {
        campaign: "string",
        phone: "phone",
        from: "phone?",
        agent: "string?",
        context: "object?",
        start: "number?",
        end: "number?",
        timezone: "string?",
        startAfter: "string?",
        endAfter: "string?",
        retries: "number?",
        intervals: "any?",
        priorities: "any?",
        statusCallbackUrl: "url?",
      });
      if ("wrong" in body) return { status: 422, body: { message: body.wrong } };
      const { retries, intervals, phone, statusCallbackUrl } = body.fields;
      if (retries !== (intervals as unknown[]).length + 1) {
        return { status: 422, body: { message: "intervals must have retries - 1 entries" } };
      }
      if (Date.parse(String(body.fields.endAfter)) < Date.now()) {
        return { status: 422, body: { message: "endAfter is over" } };
      }
      const id = `task_${randomBytes(8).toString("hex")}`;
      const asked = body.fields;
      memory.take({ phone: String(phone), reportUrl: String(statusCallbackUrl), asked }, id);
      return { status: 201, body: { id, taskId: id, status: "queued" } };
    }
    const [, id = ""] = /^\/routes\/v1\/tasks\/([^/]+)$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (call === undefined || method !== "GET") return NOT_FOUND;
    const status = call.story === null ? "running" : "completed";
    return { status: 200, body: { id, taskId: id, status } };
  },
  reports(call, story, at, _secret, url) {
    const [, , outcome, connected] = WAYS[story] ?? ["", "", null, false];
    const told = { ...call, story };
    const end = {
      connected,
      duration: connected ? 42 : 0,
      ...(outcome === null ? {} : { outcome }),
    };
    const name = connected ? "callEndConnected" : "callEndNotConnected";
    const { outcome: _, ...before } = end;
    return [
      json(url, event(told, "callStart", at, {})),
      json(url, event(told, "callEnd", at, connected ? before : end)),
      json(url, event(told, name, at, end)),
    ];
  },
};

export default fake;
