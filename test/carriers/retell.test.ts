import { describe, expect, it } from "vitest";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { retell } from "../../src/carriers/retell.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.retell);

describe("retell", () => {
  const carrier = retell(outboundOf({ PUBLIC_URL: "https://outdial.test.dev" }));

  it("reads signatures as its SDK makes them", async () => {
    // retell-sdk 5.66.1, lib/webhook_auth.js: symmetric.sign(body, key, 1764576000000)
    const at = 1_764_576_000_000;
    const body = '{"event":"call_ended","call":{"call_id":"c1","note":"caf\u00e9"}}';
    const signature =
      "v=1764576000000,d=fb7e6c3785cedae64271e471526d5382a027716f33461c8b7310be7dd3aa0198";
    const report = (headers: Record<string, string>, text = body) => ({
      url: "https://outdial.test.dev/reports/con_a_1",
      headers: new Headers(headers),
      body: new TextEncoder().encode(text),
    });
    const signed = report({ "x-retell-signature": signature });
    const settings = { apiKey: "key_a", webhookKey: "key_b" };
    expect(await carrier.verify(settings, signed, at)).toBe(true);
    expect(await carrier.verify({ apiKey: "key_b" }, signed, at)).toBe(true);
    // The key with the badge signs, and no other.
    expect(await carrier.verify({ apiKey: "key_a" }, signed, at)).toBe(false);
    const longer = report({ "x-retell-signature": signature }, `${body} `);
    expect(await carrier.verify(settings, longer, at)).toBe(false);
  });
});
