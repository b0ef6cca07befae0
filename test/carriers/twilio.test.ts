import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dial } from "../../src/carriers/carrier.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { twilio } from "../../src/carriers/twilio.ts";
import { TWIML_CHARS_MAX, wordsOf } from "../../src/carriers/twiml.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.twilio);
describeCarrier(BENCHES.twilioStream);

const carrier = twilio(outboundOf({ PUBLIC_URL: "https://outdial.test.dev" }));
const settings = { accountSid: `AC${"0a".repeat(16)}`, authToken: "12345" };

function dialOf(changes: Partial<Dial>): Dial {
  return {
    prompt: null,
    carrierAgentId: "x",
    variables: {},
    dynamicVariables: changes.variables ?? {},
    agentSettings: {},
    ...changes,
  } as Dial;
}

describe("signatures of twilio", () => {
  // twilio 6.3.1, lib/webhooks/webhooks.js: getExpectedTwilioSignature("12345", url, params)
  const url = "https://outdial.test.dev/reports/con_a_1/cal_a_1.0f?x=%20y";
  const withPort = "https://outdial.test.dev:443/reports/con_a_1/cal_a_1.0f?x=%20y";
  const form = "To=%2B14155550100&CallSid=CA1&Digits=2&Digits=1&Digits=2&Note=caf%C3%A9+%26";
  const verify = (signature: string, body = form, address = url) =>
    carrier.verify(
      settings,
      {
        url: address,
        headers: new Headers({ "x-twilio-signature": signature }),
        body: new TextEncoder().encode(body),
      },
      Date.now(),
    );

  it("are read as its SDK makes them, with the port and without", async () => {
    expect(await verify("qtERpw/UFDQ5JVW27EnKDdOWxqM=")).toBe(true);
    expect(await verify("rP9JXBD3u2ryX8pz/XIMQRaRJlA=")).toBe(true);
    expect(
      await verify("qtERpw/UFDQ5JVW27EnKDdOWxqM=", form, withPort.replace(":443", ":8443")),
    ).toBe(true);
    expect(await verify("qtERpw/UFDQ5JVW27EnKDdOWxqM=", `${form}&a=b`)).toBe(false);
    expect(await verify("qtERpw/UFDQ5JVW27EnKDdOWxqM=", form, `${url}&z`)).toBe(false);
    expect(await verify("")).toBe(false);
  });

  it("of a body that is no form cover its hash in the address", async () => {
    const body = '{"a":"é"}';
    const hash = "b3a092a6af48807fa9482b2ee140105575daa26d5b24b3c0e60a7e2dee6683b1";
    const address = `${url}&bodySHA256=${hash}`;
    expect(await verify("Se50kaRZuk41tKw3z9iyqZQYjLo=", body, address)).toBe(true);
    expect(await verify("Se50kaRZuk41tKw3z9iyqZQYjLo=", `${body} `, address)).toBe(false);
  });
});

describe("words for twilio", () => {
  it("are an address, a voice bot with its values, TwiML or a text, and nothing else", () => {
    const variables = { name: 'A "<b>" & é' };
    const https = dialOf({ carrierAgentId: "https://bot.example.com/twiml", variables });
    expect(wordsOf(https)).toEqual({ Url: "https://bot.example.com/twiml" });
    expect(wordsOf(dialOf({ carrierAgentId: "wss://b.example.com/?a=1&b=2", variables }))).toEqual({
      Twiml:
        '<Response><Connect><Stream url="wss://b.example.com/?a=1&amp;b=2">' +
        '<Parameter name="name" value="A &quot;&lt;b&gt;&quot; &amp; é"/>' +
        "</Stream></Connect></Response>",
    });
    const text = dialOf({ prompt: "Hello <i>$" + "{name}</i> $" + "{gone}!", variables });
    expect(wordsOf(text)).toEqual({
      Twiml:
        "<Response><Say>Hello &lt;i&gt;A &quot;&lt;b&gt;&quot; &amp; é&lt;/i&gt; !</Say></Response>",
    });
    const markup = "<Response><Say>$" + "{name}</Say></Response>";
    expect(wordsOf(dialOf({ prompt: markup, variables }))).toEqual({
      Twiml: "<Response><Say>A &quot;&lt;b&gt;&quot; &amp; é</Say></Response>",
    });
    expect(wordsOf(dialOf({ carrierAgentId: "agent-7" }))).toHaveProperty("wrong");
    const long = dialOf({ prompt: "x".repeat(TWIML_CHARS_MAX) });
    expect(wordsOf(long)).toHaveProperty("wrong");
  });

  it("that cannot be said are asked of nobody, and use no attempt", async () => {
    const answer = await carrier.place(settings, dialOf({}), AbortSignal.timeout(1));
    expect(answer).toMatchObject({ kind: "refused", reason: "connection" });
  });

  it("hold no markup of a value's, whatever it is", { timeout: 30_000 }, () => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(value, (name) => {
        const words = wordsOf(
          dialOf({ prompt: "<Response>$" + "{name}</Response>", variables: { name } }),
        );
        const twiml = "Twiml" in words ? words.Twiml : "";
        const inside = /^<Response>([\s\S]*)<\/Response>$/.exec(twiml)?.[1];
        expect(inside).toBeDefined();
        expect(inside?.replace(/&(amp|lt|gt|quot|apos);/g, "")).not.toMatch(
          /[<>&"'\0\ud800-\udfff]/u,
        );
      }),
    );
  });
});
