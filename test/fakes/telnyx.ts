import { createHash } from "node:crypto";
import { type Fake, type FakeCall, json, NOT_FOUND, strict } from "./fake.ts";

/* telnyx 7.24.0 on npm: CallDialParams, CallDialResponse, CallHangup, CallRetrieveStatusResponse. */
const KEY = "KEY-of-the-fake-vendor";

const CAUSES: Record<string, string> = {
  connected: "normal_clearing",
  longest: "time_limit",
  busy: "user_busy",
  rejected: "call_rejected",
  no_answer: "no_answer",
  timeout: "timeout",
  failed: "unspecified",
  invalid: "not_found",
};

function errors(status: number, code: string, title: string) {
  return { status, body: { errors: [{ code, title, detail: title }] } };
}

function event(call: FakeCall, type: string, at: number, more: Record<string, unknown> = {}) {
  return {
    data: {
      record_type: "event",
      event_type: type,
      id: `${type}-${call.id}`,
      occurred_at: new Date(at).toISOString(),
      payload: {
        call_control_id: call.id,
        call_leg_id: `leg-${call.id}`,
        call_session_id: `ses-${call.id}`,
        client_state: call.asked.client_state,
        connection_id: call.asked.connection_id,
        from: call.asked.from,
        to: call.phone,
        ...more,
      },
    },
  };
}

const fake: Fake = {
  stories: Object.keys(CAUSES),
  refusals: {
    unauthorized: errors(401, "10009", "Authentication failed"),
    forbidden: errors(403, "10010", "Authorization failed"),
    limited: errors(429, "10011", "Too many requests"),
    bad: errors(422, "10015", "Invalid value for connection_id"),
    broken: errors(500, "10007", "Unexpected error"),
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== `Bearer ${KEY}`) {
      return errors(401, "10009", "Authentication failed");
    }
    if (method === "GET" && path === "/v2/balance") {
      return { status: 200, body: { data: { balance: "10.00", currency: "USD" } } };
    }
    if (method === "POST" && path === "/v2/calls") {
      const body = strict(text, {
        connection_id: "string",
        to: "phone",
        from: "phone",
        webhook_url: "url",
        client_state: "string",
        time_limit_secs: "number",
      });
      if ("wrong" in body) return errors(422, "10015", body.wrong);
      const state = String(body.fields.client_state);
      if (Buffer.from(state, "base64").toString("base64") !== state) {
        return errors(422, "10015", "client_state must be Base64");
      }
      const phone = String(body.fields.to);
      const id = `v3:${createHash("sha1").update(`${phone}${memory.calls.size}`).digest("hex")}`;
      memory.take({ phone, reportUrl: String(body.fields.webhook_url), asked: body.fields }, id);
      const data = { record_type: "call", call_control_id: id, call_leg_id: "l", is_alive: false };
      return { status: 200, body: { data } };
    }
    const [, raw = "", verb] = /^\/v2\/calls\/([^/]+)(\/actions\/hangup)?$/.exec(path) ?? [];
    const call = memory.calls.get(decodeURIComponent(raw));
    if (call === undefined) return errors(404, "10005", "Resource not found");
    if (verb !== undefined && method === "POST") {
      call.story = "connected";
      return { status: 200, body: { data: { result: "ok" } } };
    }
    if (method !== "GET") return NOT_FOUND;
    const data = { record_type: "call", call_control_id: call.id, is_alive: call.story === null };
    return { status: 200, body: { data } };
  },
  reports(call, story, at, _secret, url) {
    const answered = story === "connected" || story === "longest";
    return [
      json(url, event(call, "call.initiated", at, { state: "bridging", direction: "outgoing" })),
      ...(answered
        ? [json(url, event(call, "call.answered", at + 100, { state: "answered" }))]
        : []),
      json(
        url,
        event(call, "call.hangup", at + 9000, {
          hangup_cause: CAUSES[story],
          hangup_source: "callee",
          sip_hangup_cause: "200",
          state: "hangup",
          start_time: new Date(at).toISOString(),
          end_time: new Date(at + 9000).toISOString(),
        }),
      ),
    ];
  },
};

export default fake;
