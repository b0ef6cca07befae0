import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Dial } from "../../src/carriers/carrier.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { vapi } from "../../src/carriers/vapi.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.vapi);
describeCarrier(BENCHES.vapiSigned);

describe("vapi", () => {
  const carrier = vapi(outboundOf({ PUBLIC_URL: "https://outdial.test.dev" }));
  const now = 1_764_576_000_000;
  const body = '{"message":{"type":"status-update","note":"é"}}';
  const url = "https://outdial.test.dev/reports/con_a_1";
  const verify = (settings: Record<string, string>, headers: Record<string, string>) =>
    carrier.verify(
      { apiKey: "key", reportSecret: "secret", ...settings },
      { url, headers: new Headers(headers), body: new TextEncoder().encode(body) },
      now,
    );

  it("takes the time of a signature in seconds as in milliseconds", async () => {
    for (const time of [String(now), String(now / 1000)]) {
      const digest = createHmac("sha256", "secret").update(`${time}.${body}`).digest("hex");
      const headers = { "x-signature": digest, "x-timestamp": time };
      expect(await verify({ reports: "signed" }, headers)).toBe(true);
    }
  });

  it("takes the secret alone only where reports are not signed", async () => {
    expect(await verify({}, { "x-vapi-secret": "secret" })).toBe(true);
    expect(await verify({}, { "x-vapi-secret": "secre" })).toBe(false);
    expect(await verify({ reports: "signed" }, { "x-vapi-secret": "secret" })).toBe(false);
  });

  it("asks nobody for a number that has no id at Vapi, and uses no attempt", async () => {
    const dial = { carrierNumberId: null, phone: "+14155550100" } as Dial;
    const settings = { apiKey: "key", reportSecret: "secret" };
    expect(await carrier.place(settings, dial, AbortSignal.timeout(1))).toMatchObject({
      kind: "refused",
      reason: "connection",
    });
  });
});
