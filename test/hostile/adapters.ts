import type { CarrierSettings } from "../../src/carriers/carrier.ts";
import type { CarrierId } from "../../src/carriers/carriers.ts";
import { hmacBase64, hmacHex, joined } from "../../src/carriers/secret.ts";
import { BOLNA } from "../../src/carriers/templates.ts";

/** What hostile reports need to know of an adapter. A new carrier joins by adding itself to the list. */
export type Reporter = {
  carrier: CarrierId;
  settings: CarrierSettings;
  /** A good report of a call that is over, with further fields of the carrier's own. */
  report(call: string, fields?: Record<string, unknown>): unknown;
  /** Where the fields of a call are in it: these are put out of order. */
  fields(report: unknown): Record<string, unknown>;
  /** Nothing in a report proves it: the address of each call does. */
  byAddress?: true;
  /** How a report is written; left out, as JSON. */
  write?(report: unknown): string;
  /** The headers that prove a body, sent to this address, to be the carrier's own. */
  sign(
    settings: CarrierSettings,
    raw: string | Uint8Array,
    now: number,
    url: string,
  ): Promise<Record<string, string>>;
};

/** A report as it goes over the wire. */
export function written(reporter: Reporter, report: unknown): string {
  return reporter.write?.(report) ?? JSON.stringify(report);
}

export const REPORTERS: readonly Reporter[] = [
  {
    carrier: "simulator",
    settings: { reportSecret: "secret" },
    report: (call, fields = {}) => ({
      event: "call.analyzed",
      call: {
        id: `sim_${call}`,
        metadata: { callId: call },
        ringingAt: Date.now() - 9_000,
        answeredAt: Date.now() - 8_000,
        endedAt: Date.now(),
        talkMs: 8_000,
        outcome: "connected",
        endedReason: "hangup",
        refusal: null,
        callbackAt: null,
        costMicros: 12_000,
        currency: "USD",
        recordingUrl: "https://carrier.test/v1/recordings/1.wav",
        transcript: [{ role: "agent", text: "Hello", atMs: 0 }],
        analysis: { outcome: "connected", summary: "fine", callbackAt: null },
        ...fields,
      },
    }),
    fields: (report) => (report as { call: Record<string, unknown> }).call,
    sign: async ({ reportSecret }, raw, now) => {
      const text = new TextEncoder().encode(`${now}.`);
      const body = typeof raw === "string" ? new TextEncoder().encode(raw) : raw;
      const signed = new Uint8Array([...text, ...body]);
      return {
        "x-simulator-signature": `t=${now},v1=${await hmacHex(String(reportSecret), signed)}`,
      };
    },
  },
  {
    carrier: "http",
    settings: {
      template: JSON.stringify({
        ...BOLNA,
        report: {
          ...BOLNA.report,
          proof: { kind: "hmac", header: "x-signature", encoding: "hex" },
        },
      }),
      key: "key",
      reportSecret: "secret",
    },
    report: (call, fields = {}) => ({
      id: `exe_${call}`,
      status: "completed",
      answered_by_voice_mail: false,
      total_cost: 12.5,
      transcript: "assistant: Hello",
      extracted_data: { outcome: "connected", callbackAt: null },
      telephony_data: {
        duration: "42.0",
        hangup_reason: "Normal Hangup",
        recording_url: "https://carrier.test/1",
      },
      ...fields,
    }),
    fields: (report) => report as Record<string, unknown>,
    sign: async ({ reportSecret }, raw) => ({
      "x-signature": await hmacHex(String(reportSecret), raw),
    }),
  },
  {
    carrier: "retell",
    settings: { apiKey: "secret" },
    report: (call, fields = {}) => ({
      event: "call_analyzed",
      call: {
        call_id: `call_${call}`,
        call_type: "phone_call",
        call_status: "ended",
        metadata: { outdial_call_id: call },
        disconnection_reason: "user_hangup",
        start_timestamp: Date.now() - 8_000,
        end_timestamp: Date.now(),
        duration_ms: 8_000,
        transcript_object: [{ role: "agent", content: "Hello", words: [] }],
        recording_url: "https://carrier.test/1.wav",
        call_cost: { combined_cost: 12.5 },
        call_analysis: { in_voicemail: false, custom_analysis_data: { outcome: "connected" } },
        ...fields,
      },
    }),
    fields: (report) => (report as { call: Record<string, unknown> }).call,
    sign: async ({ apiKey }, raw, now) => ({
      "x-retell-signature": `v=${now},d=${await hmacHex(String(apiKey), joined(raw, String(now)))}`,
    }),
  },
  {
    carrier: "vapi",
    settings: { apiKey: "key", reportSecret: "secret", reports: "signed" },
    report: (call, fields = {}) => ({
      message: {
        type: "end-of-call-report",
        timestamp: Date.now(),
        endedReason: "customer-ended-call",
        startedAt: new Date(Date.now() - 8_000).toISOString(),
        endedAt: new Date().toISOString(),
        cost: 0.125,
        call: { id: `vapi_${call}`, customer: { externalId: call } },
        artifact: {
          messages: [{ role: "bot", message: "Hello", secondsFromStart: 0.4 }],
          recordingUrl: "https://carrier.test/1.wav",
        },
        analysis: { summary: "fine", structuredData: { outcome: "connected" } },
        ...fields,
      },
    }),
    fields: (report) => (report as { message: Record<string, unknown> }).message,
    sign: async ({ reportSecret }, raw, now) => ({
      "x-signature": await hmacHex(String(reportSecret), joined(`${now}.`, raw)),
      "x-timestamp": String(now),
    }),
  },
  {
    carrier: "bland",
    settings: { apiKey: "key", webhookSecret: "secret" },
    report: (call, fields = {}) => ({
      call_id: `bland_${call}`,
      metadata: { outdial_call_id: call },
      completed: true,
      queue_status: "complete",
      answered_by: "human",
      status: "completed",
      error_message: null,
      started_at: new Date(Date.now() - 8_000).toISOString(),
      end_at: new Date().toISOString(),
      corrected_duration: "8",
      price: 0.063,
      transcripts: [{ text: "Hello", user: "assistant" }],
      summary: "fine",
      recording_url: "https://carrier.test/1.mp3",
      analysis: { outcome: "connected" },
      ...fields,
    }),
    fields: (report) => report as Record<string, unknown>,
    sign: async ({ webhookSecret }, raw) => ({
      "x-webhook-signature": await hmacHex(String(webhookSecret), raw),
    }),
  },
  {
    carrier: "elevenlabs",
    settings: { apiKey: "key", webhookSecret: "secret" },
    report: (call, fields = {}) => ({
      type: "post_call_transcription",
      event_timestamp: Math.floor(Date.now() / 1000),
      data: {
        conversation_id: `conv_${call}`,
        user_id: call,
        status: "done",
        has_audio: true,
        transcript: [{ role: "user", message: "Hello", time_in_call_secs: 0 }],
        metadata: {
          start_time_unix_secs: Math.floor(Date.now() / 1000) - 8,
          call_duration_secs: 8,
          cost: 296,
          termination_reason: "Call ended by remote party",
        },
        analysis: {
          transcript_summary: "fine",
          data_collection_results: { outcome: { value: "connected" } },
        },
        ...fields,
      },
    }),
    fields: (report) => (report as { data: Record<string, unknown> }).data,
    sign: async ({ webhookSecret }, raw, now) => {
      const time = Math.floor(now / 1000);
      const digest = await hmacHex(String(webhookSecret), joined(`${time}.`, raw));
      return { "elevenlabs-signature": `t=${time},v0=${digest}` };
    },
  },
  {
    carrier: "twilio",
    settings: { accountSid: `AC${"0a".repeat(16)}`, authToken: "secret" },
    report: (call, fields = {}) => ({
      CallSid: `CA_${call}`,
      CallStatus: "completed",
      AnsweredBy: "human",
      CallDuration: "8",
      Timestamp: new Date().toUTCString(),
      SipResponseCode: "200",
      RecordingUrl: "https://carrier.test/1",
      ...fields,
    }),
    fields: (report) => report as Record<string, unknown>,
    write: (report) => {
      const texts = Object.entries(report as Record<string, unknown>).map(([name, value]) => [
        name,
        typeof value === "string" ? value.toWellFormed() : JSON.stringify(value),
      ]);
      return new URLSearchParams(Object.fromEntries(texts)).toString();
    },
    sign: async ({ authToken }, raw, _now, url) => {
      const body = typeof raw === "string" ? raw : new TextDecoder().decode(raw);
      const form = new URLSearchParams(body);
      const names = [...new Set(form.keys())].sort();
      const signed = names.map((name) =>
        [...new Set(form.getAll(name))].sort().map((value) => name + value),
      );
      const text = url + signed.flat().join("");
      return { "x-twilio-signature": await hmacBase64(String(authToken), text, "SHA-1") };
    },
  },
  {
    carrier: "hooman",
    settings: { apiKey: "key", campaign: "leads-1" },
    report: (call, fields = {}) => ({
      event: "callEndConnected",
      callInfo: { task: `task_${call}`, status: "completed", endReason: "user_hangup" },
      connected: true,
      duration: 8,
      beginTimestamp: new Date(Date.now() - 8_000).toISOString(),
      outcome: "connected",
      ...fields,
    }),
    fields: (report) => report as Record<string, unknown>,
    byAddress: true,
    sign: async () => ({}),
  },
];
