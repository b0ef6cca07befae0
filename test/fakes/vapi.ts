import { createHmac, randomUUID } from "node:crypto";
import { checked, type Fake, type FakeCall, json, NOT_FOUND, type Report, strict } from "./fake.ts";

/*
 * @vapi-ai/server-sdk 2.0.1 on npm: CreateCallDto, AssistantOverrides, Call, Monitor,
 * ServerMessageStatusUpdate, ServerMessageEndOfCallReport, HmacAuthenticationPlan (its defaults).
 * A server that comes with the call is told there, with its own headers; else the assistant's.
 */
const KEY = "vapi-key-of-the-fake-vendor";

const REASONS: Record<string, string> = {
  connected: "customer-ended-call",
  own: "assistant-ended-call",
  longest: "exceeded-max-duration",
  forwarded: "assistant-forwarded-call",
  hung_up: "call.in-progress.twilio-completed-call",
  voicemail: "voicemail",
  silent: "silence-timed-out",
  deaf: "call.in-progress.error-assistant-did-not-receive-customer-audio",
  no_answer: "customer-did-not-answer",
  unreached: "call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable",
  busy: "customer-busy",
  failed: "twilio-failed-to-connect-call",
  model: "call.in-progress.error-vapifault-openai-429-rate-limit-reached",
  not_started: "call.start.error-get-assistant",
  no_assistant: "assistant-not-found",
  misdialed: "twilio-reported-customer-misdialed",
  crowded: "call.start.error-subscription-concurrency-limit-reached",
  daily: "call.start.error-vapi-number-outbound-daily-limit",
  poor: "call.start.error-subscription-insufficient-credits",
  odd: "some-new-reason",
};
const CONNECTED = ["connected", "own", "longest", "forwarded", "hung_up", "silent", "deaf"];

function error(statusCode: number, message: string | string[], title: string) {
  return { status: statusCode, body: { statusCode, message, error: title } };
}

type Overrides = { server?: { url: string; headers?: Record<string, string> } };

function callOf(call: FakeCall, at: number, url: string): Record<string, unknown> {
  const over = call.story !== null;
  return {
    id: call.id,
    orgId: "org",
    type: "outboundPhoneCall",
    createdAt: new Date(at).toISOString(),
    updatedAt: new Date(at).toISOString(),
    status: over ? "ended" : "in-progress",
    phoneNumberId: call.asked.phoneNumberId,
    assistantId: call.asked.assistantId,
    customer: call.asked.customer,
    monitor: { controlUrl: `${url}/${call.id}/control` },
    ...(over ? endOf(call, at) : {}),
  };
}

function endOf(call: FakeCall, at: number): Record<string, unknown> {
  const story = call.story ?? "";
  const talked = CONNECTED.includes(story);
  const message = (role: string, said: string, seconds: number) => {
    return { role, message: said, time: at, endTime: at, secondsFromStart: seconds };
  };
  return {
    endedReason: REASONS[story],
    ...(talked ? { startedAt: new Date(at).toISOString() } : {}),
    endedAt: new Date(at + 42_000).toISOString(),
    cost: 0.125,
    artifact: {
      recording: { mono: { combinedUrl: "https://storage.vapi.example/mono.wav" } },
      transcript: "AI: Hello\nUser: Hi\n",
      messages: [
        message("system", "You are Asha.", 0),
        message("bot", "Hello", 0.4),
        message("user", "Hi", 1.2),
      ],
      structuredOutputs:
        story === "own" ? { "0b1c": { name: "outcome", result: "not_interested" } } : {},
    },
    analysis: talked ? { summary: "They talked.", successEvaluation: "true" } : {},
  };
}

const fake: Fake = {
  stories: Object.keys(REASONS),
  refusals: {
    unauthorized: error(
      401,
      "Invalid Key. Hot tip, you may be using the public key.",
      "Unauthorized",
    ),
    poor: error(402, "Wallet balance is too low.", "Payment Required"),
    limited: error(429, "Too Many Requests", "Too Many Requests"),
    daily: error(400, "Numbers bought on Vapi have a daily outbound call limit.", "Bad Request"),
    bad: error(400, ["assistantId must be a UUID"], "Bad Request"),
    broken: error(500, "Internal server error", "Internal Server Error"),
  },
  answer({ method, path, headers, text, url }, memory) {
    const [, controlled] = /^\/([^/]+)\/control$/.exec(path) ?? [];
    if (method === "POST" && controlled !== undefined) {
      const call = memory.calls.get(controlled);
      if (call === undefined) return NOT_FOUND;
      if (!("fields" in strict(text, { type: "string" }))) return error(400, "type", "Bad Request");
      call.story = "connected";
      return { status: 200, body: {} };
    }
    if (headers.authorization !== `Bearer ${KEY}`)
      return error(401, "Invalid Key.", "Unauthorized");
    if (method === "GET" && path === "/assistant") return { status: 200, body: [] };
    if (method === "POST" && path === "/call") {
      const body = strict(text, {
        assistantId: "string",
        phoneNumberId: "string",
        customer: "object",
        assistantOverrides: "object?",
      });
      if ("wrong" in body) return error(400, [body.wrong], "Bad Request");
      const customer = checked(body.fields.customer as Record<string, unknown>, {
        number: "phone",
        externalId: "string?",
      });
      const overrides = checked(body.fields.assistantOverrides as Record<string, unknown>, {
        variableValues: "object?",
        maxDurationSeconds: "number?",
        server: "object?",
        serverMessages: "any?",
      });
      for (const part of [customer, overrides]) {
        if ("wrong" in part) return error(400, [part.wrong], "Bad Request");
      }
      const { number, externalId } = body.fields.customer as Record<string, string>;
      if ((externalId ?? "").length > 40) return error(400, ["externalId"], "Bad Request");
      const { server } = body.fields.assistantOverrides as Overrides;
      const taken = { phone: number ?? "", reportUrl: server?.url ?? null, asked: body.fields };
      const call = memory.take(taken, randomUUID());
      return { status: 201, body: { ...callOf(call, Date.now(), url), status: "queued" } };
    }
    const [, id = ""] = /^\/call\/([^/]+)$/.exec(path) ?? [];
    const call = memory.calls.get(id);
    if (call === undefined || method !== "GET")
      return error(404, "Couldn't get call.", "Not Found");
    return { status: 200, body: callOf(call, Date.now(), url) };
  },
  reports(call, story, at, secret, url) {
    const { server } = call.asked.assistantOverrides as Overrides;
    const { artifact: _, analysis: __, ...known } = callOf({ ...call, story: null }, at, url);
    const send = (message: Record<string, unknown>): Report => {
      const whole = { timestamp: at, call: known, customer: call.asked.customer, ...message };
      const report = json(url, { message: whole });
      if (server !== undefined) {
        const own =
          server.headers?.["x-vapi-secret"] === undefined ? {} : { "x-vapi-secret": secret };
        return { ...report, headers: { ...report.headers, ...own } };
      }
      const digest = createHmac("sha256", secret).update(`${at}.${report.body}`).digest("hex");
      const signed = { "x-signature": digest, "x-timestamp": String(at) };
      return { ...report, headers: { ...report.headers, ...signed } };
    };
    return [
      send({ type: "status-update", status: "ringing" }),
      ...(CONNECTED.includes(story)
        ? [send({ type: "status-update", status: "in-progress" })]
        : []),
      send({ type: "status-update", status: "ended", endedReason: REASONS[story] }),
      send({ type: "end-of-call-report", ...endOf({ ...call, story }, at) }),
    ];
  },
};

export default fake;
