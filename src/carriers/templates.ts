// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are texts with placeholders
import type { Template } from "./http-template.ts";

/**
 * Bolna. Its webhook is set once per agent (Analytics tab): the connection's report address with
 * `?token=<reportSecret>`. Reports are not signed. The rest of a call comes two to three minutes
 * after `call-disconnected`, with `completed`.
 * https://www.bolna.ai/docs/list-phone-call-status,
 * https://www.bolna.ai/docs/api-reference/executions/get_execution, https://www.bolna.ai/docs/quickstarts/api
 */
export const BOLNA: Template = {
  place: {
    method: "POST",
    url: "https://api.bolna.ai/call",
    headers: { authorization: "Bearer ${key}" },
    json: {
      agent_id: "${agent}",
      recipient_phone_number: "${phone}",
      from_phone_number: "${from}",
      user_data: { "...": "${context}", outdial_call_id: "${callId}" },
    },
  },
  test: {
    method: "GET",
    url: "https://api.bolna.ai/user/me",
    headers: { authorization: "Bearer ${key}" },
  },
  lookup: {
    method: "GET",
    url: "https://api.bolna.ai/executions/${carrierCallId}",
    headers: { authorization: "Bearer ${key}" },
  },
  end: {
    method: "POST",
    url: "https://api.bolna.ai/call/${carrierCallId}/stop",
    headers: { authorization: "Bearer ${key}" },
  },
  answer: { id: "execution_id", word: "message" },
  report: {
    format: "json",
    carrierCallId: "id",
    word: ["status"],
    words: {
      scheduled: "nothing",
      queued: "nothing",
      rescheduled: "nothing",
      initiated: "nothing",
      ringing: "ringing",
      "in-progress": "talking",
      "call-disconnected": "over",
      completed: "connected",
      "no-answer": "no_answer",
      busy: "busy",
      failed: "failed",
      error: "failed",
      canceled: "failed",
      stopped: "failed",
      "balance-low": "refused.connection",
    },
    instead: [{ at: "answered_by_voice_mail", is: "true", outcome: "voicemail" }],
    reason: "telephony_data.hangup_reason",
    talk: { at: "telephony_data.duration", unitMs: 1000 },
    cost: { at: "total_cost", unit: 0.01, currency: "USD" },
    recording: "telephony_data.recording_url",
    transcript: { at: "transcript" },
    analysis: "extracted_data",
    proof: { kind: "token", query: "token" },
  },
};

/**
 * Telnyx Call Control: the agent is the id of a Call Control application, which speaks. Reports go to
 * the call's own address, whose secret proves them (their Ed25519 signature is not looked at).
 * `normal_clearing` of a call that a machine took is `connected`: only the application knows better.
 * telnyx 7.24.0 on npm: resources/calls/calls.d.ts (CallDialParams, CallRetrieveStatusResponse),
 * resources/webhooks.d.ts (CallHangup), resources/balance.js
 */
export const TELNYX: Template = {
  place: {
    method: "POST",
    url: "https://api.telnyx.com/v2/calls",
    headers: { authorization: "Bearer ${key}" },
    json: {
      connection_id: "${agent}",
      to: "${phone}",
      from: "${from}",
      webhook_url: "${reportUrl}",
      client_state: "${callIdBase64}",
      time_limit_secs: "${+lengthSeconds}",
    },
  },
  test: {
    method: "GET",
    url: "https://api.telnyx.com/v2/balance",
    headers: { authorization: "Bearer ${key}" },
  },
  lookup: {
    method: "GET",
    url: "https://api.telnyx.com/v2/calls/${carrierCallId}",
    headers: { authorization: "Bearer ${key}" },
  },
  found: "data",
  lookupRules: { word: ["is_alive"], words: { true: "talking", false: "ended" } },
  end: {
    method: "POST",
    url: "https://api.telnyx.com/v2/calls/${carrierCallId}/actions/hangup",
    headers: { authorization: "Bearer ${key}" },
    json: {},
  },
  answer: { id: "data.call_control_id", word: "errors.0.code" },
  report: {
    format: "json",
    carrierCallId: "data.payload.call_control_id",
    word: ["data.event_type", "data.payload.hangup_cause"],
    words: {
      "call.initiated": "ringing",
      "call.answered": "talking",
      "call.hangup normal_clearing": "connected",
      "call.hangup time_limit": "connected",
      "call.hangup user_busy": "busy",
      "call.hangup call_rejected": "busy",
      "call.hangup no_answer": "no_answer",
      "call.hangup timeout": "no_answer",
      "call.hangup originator_cancel": "failed",
      "call.hangup unspecified": "failed",
      "call.hangup not_found": "refused.permanent",
    },
    reason: "data.payload.hangup_cause",
    answeredAt: "data.payload.answered_at",
    endedAt: "data.payload.end_time",
    proof: { kind: "address" },
  },
};

/**
 * Plivo: the agent is the address of its answer XML; `key` is the Auth ID, `keySecret` the Auth
 * Token. Reports are forms to the call's own address, whose secret proves them. Plivo's call records
 * name no outcome, so a lost call is not looked up: its lease decides (H22).
 * plivo 4.79.0 on npm: dist/resources/call.d.ts (create); https://www.plivo.com/docs/voice/api/call
 */
export const PLIVO: Template = {
  place: {
    method: "POST",
    url: "https://api.plivo.com/v1/Account/${key}/Call/",
    headers: { authorization: "Basic ${basic}" },
    json: {
      from: "${from}",
      to: "${phone}",
      answer_url: "${agent}",
      answer_method: "POST",
      hangup_url: "${reportUrl}",
      hangup_method: "POST",
      ring_url: "${reportUrl}",
      ring_method: "POST",
      machine_detection: "true",
      time_limit: "${+lengthSeconds}",
    },
  },
  test: {
    method: "GET",
    url: "https://api.plivo.com/v1/Account/${key}/",
    headers: { authorization: "Basic ${basic}" },
  },
  end: {
    method: "DELETE",
    url: "https://api.plivo.com/v1/Account/${key}/Call/${carrierCallId}/",
    headers: { authorization: "Basic ${basic}" },
  },
  answer: { id: "request_uuid", word: "error" },
  report: {
    format: "form",
    carrierCallId: "CallUUID",
    word: ["CallStatus"],
    words: {
      ringing: "ringing",
      "in-progress": "talking",
      completed: "connected",
      busy: "busy",
      timeout: "no_answer",
      "no-answer": "no_answer",
      failed: "failed",
      cancel: "failed",
    },
    instead: [{ at: "Machine", is: "true", outcome: "voicemail" }],
    reason: "HangupCause",
    answeredAt: "AnswerTime",
    endedAt: "EndTime",
    talk: { at: "Duration", unitMs: 1000 },
    cost: { at: "TotalCost", unit: 1, currency: "USD" },
    proof: { kind: "address" },
  },
};

/** Templates to begin with, by the name that people know. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  Bolna: BOLNA,
  Telnyx: TELNYX,
  Plivo: PLIVO,
};
