import { randomUUID } from "node:crypto";
import { type Fake, type FakeCall, NOT_FOUND, type Report, strict } from "./fake.ts";

/* plivo 4.79.0 on npm: dist/resources/call (create); https://www.plivo.com/docs/voice/api/call. */
const BASIC = `Basic ${Buffer.from("MAFAKEVENDOR:plivo-token").toString("base64")}`;
const ACCOUNT = "/v1/Account/MAFAKEVENDOR/";

const WAYS: Record<string, [status: string, cause: string]> = {
  connected: ["completed", "NORMAL_CLEARING"],
  voicemail: ["completed", "NORMAL_CLEARING"],
  busy: ["busy", "USER_BUSY"],
  no_answer: ["no-answer", "NO_ANSWER"],
  timeout: ["timeout", "ORIGINATOR_CANCEL"],
  failed: ["failed", "NETWORK_OUT_OF_ORDER"],
};

function form(url: string, fields: Record<string, string>): Report {
  return {
    url,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  };
}

function stamp(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function common(call: FakeCall) {
  return {
    CallUUID: call.id,
    RequestUUID: call.id,
    Direction: "outbound",
    From: String(call.asked.from).slice(1),
    To: call.phone.slice(1),
  };
}

const fake: Fake = {
  stories: Object.keys(WAYS),
  refusals: {
    unauthorized: { status: 401, body: { api_id: "a", error: "authentication failed" } },
    poor: { status: 402, body: { api_id: "a", error: "insufficient credit" } },
    limited: { status: 429, body: { api_id: "a", error: "too many requests" } },
    bad: { status: 400, body: { api_id: "a", error: "to parameter is invalid" } },
    broken: { status: 500, body: { api_id: "a", error: "server error" } },
  },
  answer({ method, path, headers, text }, memory) {
    if (headers.authorization !== BASIC) return { status: 401, body: { error: "authentication" } };
    if (method === "GET" && path === ACCOUNT) return { status: 200, body: { auth_id: "MA" } };
    if (method === "POST" && path === `${ACCOUNT}Call/`) {
      const body = strict(text, {
        from: "phone",
        to: "phone",
        answer_url: "url",
        answer_method: "string?",
        hangup_url: "url?",
        hangup_method: "string?",
        ring_url: "url?",
        ring_method: "string?",
        machine_detection: "string?",
        time_limit: "number?",
      });
      if ("wrong" in body) return { status: 400, body: { api_id: "a", error: body.wrong } };
      const id = randomUUID();
      const reportUrl = String(body.fields.hangup_url);
      memory.take({ phone: String(body.fields.to), reportUrl, asked: body.fields }, id);
      return { status: 201, body: { api_id: "a", message: "call fired", request_uuid: id } };
    }
    const [, id = ""] = /Call\/([^/]+)\/$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (call === undefined || method !== "DELETE") return NOT_FOUND;
    call.story = "connected";
    return { status: 204, text: "" };
  },
  reports(call, story, at, _secret, url) {
    const [status, cause] = WAYS[story] ?? ["", ""];
    const answered = status === "completed";
    return [
      form(url, { ...common(call), Event: "Ring", CallStatus: "ringing" }),
      form(url, {
        ...common(call),
        Event: "Hangup",
        CallStatus: status,
        HangupCause: cause,
        HangupCauseName: cause,
        HangupSource: "Callee",
        Duration: answered ? "42" : "0",
        BillDuration: answered ? "60" : "0",
        TotalCost: answered ? "0.00500" : "0.00000",
        StartTime: stamp(at),
        EndTime: stamp(at + 42_000),
        ...(answered ? { AnswerTime: stamp(at) } : {}),
        ...(story === "voicemail" ? { Machine: "true" } : {}),
      }),
    ];
  },
};

export default fake;
