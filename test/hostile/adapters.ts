import type { CarrierSettings } from "../../src/carriers/carrier.ts";
import type { CarrierId } from "../../src/carriers/carriers.ts";
import { hmacHex } from "../../src/carriers/secret.ts";
import { BOLNA } from "../../src/carriers/templates.ts";

/** What hostile reports need to know of an adapter. A new carrier joins by adding itself to the list. */
export type Reporter = {
  carrier: CarrierId;
  settings: CarrierSettings;
  /** A good report of a call that is over, with further fields of the carrier's own. */
  report(call: string, fields?: Record<string, unknown>): unknown;
  /** Where the fields of a call are in it: these are put out of order. */
  fields(report: unknown): Record<string, unknown>;
  /** The headers that prove a body to be the carrier's own. */
  sign(
    settings: CarrierSettings,
    raw: string | Uint8Array,
    now: number,
  ): Promise<Record<string, string>>;
};

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
];
