import { describe, expect, it } from "vitest";
import { elevenlabs } from "../../src/carriers/elevenlabs.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.elevenlabs);

describe("elevenlabs", () => {
  const carrier = elevenlabs(outboundOf({ PUBLIC_URL: "https://outdial.test.dev" }));
  const settings = { apiKey: "key", webhookSecret: "wsec_a" };

  it("takes a signature that its SDK takes", async () => {
    // @elevenlabs/elevenlabs-js 2.73.0, wrapper/webhooks.js: constructEvent(body, signature, "wsec_a")
    const at = 1_764_576_000_000;
    const body = '{"type":"post_call_transcription","data":{"note":"caf\u00e9"}}';
    const signature =
      "t=1764576000,v0=ef398c1384ecebec7a7ce5649587f0302428aaf10c6d941cce4e3283c97316fc";
    const verify = (text: string, now: number) =>
      carrier.verify(
        settings,
        {
          url: "https://outdial.test.dev/reports/con_a_1",
          headers: new Headers({ "elevenlabs-signature": signature }),
          body: new TextEncoder().encode(text),
        },
        now,
      );
    expect(await verify(body, at)).toBe(true);
    expect(await verify(`${body} `, at)).toBe(false);
    expect(await verify(body, at + 1_801_000)).toBe(false);
  });
});
