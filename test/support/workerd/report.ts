import { inject } from "vitest";
import { hmacHex } from "../../../src/carriers/secret.ts";
import type { Json } from "./workspace.ts";

/** A call as the simulated carrier reports it once it is over. */
export function endedCall(fields: Json = {}): Json {
  const now = Date.now();
  return {
    id: `sim_${crypto.randomUUID()}`,
    ringingAt: now - 9000,
    answeredAt: now - 8000,
    endedAt: now,
    talkMs: 8000,
    outcome: "connected",
    endedReason: "hangup",
    costMicros: 12_000,
    currency: "USD",
    transcript: [{ role: "agent", text: "Hello", atMs: 0 }],
    analysis: { summary: "fine" },
    ...fields,
  };
}

/** A report as the simulated carrier sends it, signed. */
export async function signedReport(
  event: string,
  call: Json,
): Promise<{ raw: string; headers: Record<string, string> }> {
  const raw = JSON.stringify({ event, call });
  return { raw, headers: { "x-simulator-signature": await signatureOf(raw) } };
}

export async function signatureOf(raw: string): Promise<string> {
  const at = Date.now();
  return `t=${at},v1=${await hmacHex(inject("carrier").reportSecret, `${at}.${raw}`)}`;
}
