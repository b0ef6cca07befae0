import { describe, expect, it } from "vitest";
import type { Dial } from "../../src/carriers/carrier.ts";
import { http, previewRequest, tryReport } from "../../src/carriers/http.ts";
import { parseTemplate, type Template } from "../../src/carriers/http-template.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { isCallAddress } from "../../src/carriers/report-url.ts";
import { hmacHex } from "../../src/carriers/secret.ts";
import { BOLNA, TEMPLATES } from "../../src/carriers/templates.ts";
import type { CallId } from "../../src/core/ids.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.bolna);
describeCarrier(BENCHES.telnyx);
describeCarrier(BENCHES.plivo);

const OUT = outboundOf({ PUBLIC_URL: "https://outdial.test.dev" });
const DIAL: Dial = {
  call: "cal_k3v9q2m8xa_1" as CallId,
  reportUrl: "https://outdial.test.dev/reports/con_k3v9q2m8xa_c1/cal_k3v9q2m8xa_1.ab",
  phone: "+14155550100",
  from: "+14155550000",
  carrierNumberId: null,
  carrierAgentId: 'agent"7/../x',
  prompt: null,
  agentSettings: {},
  variables: { name: 'Ann "A"\r\nx: y', note: "" },
  dynamicVariables: { name: 'Ann "A"\r\nx: y', note: "" },
  attempt: 2,
  lengthMaxMs: 61_000,
};

describe("a template", () => {
  it("that is shipped is good, as it stands, in a deployment", () => {
    for (const [name, template] of Object.entries(TEMPLATES)) {
      const settings = { template: JSON.stringify(template), key: "k", keySecret: "s" };
      const issues = http(OUT).check({ ...settings, reportSecret: "r" });
      expect([name, issues]).toEqual([name, []]);
    }
  });

  it("renders values as texts of where they stand, and never a secret in a preview", () => {
    const template: Template = {
      ...BOLNA,
      place: {
        method: "POST",
        url: "https://api.bolna.ai/call/$" + "{agent}?n=$" + "{context.name}",
        headers: { authorization: "Bearer $" + "{key}", "x-name": "$" + "{context.name}" },
        json: {
          list: ["$" + "{phone}", 1, null],
          all: "$" + "{context}",
          seconds: "$" + "{+lengthSeconds}",
          text: "for $" + "{context.name}, $" + "{context.gone}.",
        },
      },
    };
    const preview = previewRequest(template, DIAL);
    expect(preview.url).toBe(
      "https://api.bolna.ai/call/agent%227%2F..%2Fx?n=Ann%20%22A%22%0D%0Ax%3A%20y",
    );
    expect(preview.headers).toMatchObject({
      authorization: "Bearer ***",
      "x-name": 'Ann "A" x: y',
    });
    expect(JSON.parse(preview.body ?? "")).toEqual({
      list: ["+14155550100", 1, null],
      all: DIAL.variables,
      seconds: 61,
      text: 'for Ann "A"\r\nx: y, .',
    });
  });

  it("says what is wrong with it, by field", () => {
    const wrongs: [string, string][] = [
      ["{", "no JSON"],
      ["[]", "no JSON object"],
      ["{}", "place"],
      [JSON.stringify({ ...BOLNA, test: undefined }), "test"],
      [JSON.stringify({ ...BOLNA, answer: {} }), "answer.id"],
      [JSON.stringify({ ...BOLNA, report: { ...BOLNA.report, words: { a: "No!" } } }), "words"],
      [JSON.stringify({ ...BOLNA, report: { ...BOLNA.report, proof: {} } }), "proof"],
    ];
    for (const [text, expected] of wrongs) {
      const parsed = parseTemplate(text);
      expect([text, "wrong" in parsed ? parsed.wrong : null]).toEqual([
        text,
        expect.stringContaining(expected) as string,
      ]);
    }
  });

  it("has no host that a value could change, and none inside of a network", () => {
    for (const url of ["https://$" + "{context.host}/x", "https://api.$" + "{agent}.com/x"]) {
      const template = { ...BOLNA, place: { ...BOLNA.place, url } };
      expect(parseTemplate(JSON.stringify(template))).toMatchObject({ wrong: /place/ });
    }
    const inner = JSON.stringify(BOLNA).replaceAll("https://api.bolna.ai", "https://10.0.0.1");
    const issues = http(OUT).check({ template: inner, key: "k", reportSecret: "r" });
    expect(issues.map(({ path }) => path)).toContain("template");
  });

  it("tells what a sample report would do", () => {
    const sample = (status: string) => tryReport(BOLNA, JSON.stringify({ id: "e1", status }));
    expect(sample("busy")).toMatchObject({ known: true, report: { news: { outcome: "busy" } } });
    expect(sample("odd")).toMatchObject({ known: false, report: { news: { ended: false } } });
    expect(tryReport(BOLNA, "{")).toEqual({ readable: false });
  });
});

describe("proofs of a template", () => {
  const now = Date.now();
  const body = new TextEncoder().encode('{"id":"é"}');
  const url = "https://outdial.test.dev/reports/con_a_1";
  const settings = (proof: Template["report"]["proof"]) => ({
    template: JSON.stringify({ ...BOLNA, report: { ...BOLNA.report, proof } }),
    key: "k",
    reportSecret: "secret",
  });
  const verify = (
    proof: Template["report"]["proof"],
    headers: Record<string, string>,
    address = url,
  ) =>
    http(OUT).verify(settings(proof), { url: address, headers: new Headers(headers), body }, now);

  it("by HMAC are over the raw body", async () => {
    const proof = { kind: "hmac", header: "x-sig", prefix: "sha256=", encoding: "hex" } as const;
    const good = `sha256=${await hmacHex("secret", body)}`;
    expect(await verify(proof, { "x-sig": good })).toBe(true);
    for (const bad of ["", good.slice(7), good.toUpperCase(), `${good}0`]) {
      expect([bad, await verify(proof, { "x-sig": bad })]).toEqual([bad, false]);
    }
    const digest = Buffer.from(good.slice(7), "hex").toString("base64");
    const base64 = { kind: "hmac", header: "x-sig", encoding: "base64" } as const;
    expect(await verify(base64, { "x-sig": digest })).toBe(true);
  });

  it("by a secret are it and nothing else", async () => {
    const bearer = { kind: "bearer", header: "authorization" } as const;
    expect(await verify(bearer, { authorization: "Bearer secret" })).toBe(true);
    expect(await verify(bearer, { authorization: "Bearer secre" })).toBe(false);
    expect(await verify(bearer, {})).toBe(false);
    const token = { kind: "token", query: "t" } as const;
    expect(await verify(token, {}, `${url}?t=secret`)).toBe(true);
    expect(await verify(token, {}, url)).toBe(false);
  });

  it("by address are a call's own, which the API has checked", () => {
    expect(isCallAddress(`${url}/cal_a_1.0f`)).toBe(true);
    for (const other of [url, `${url}/`, `${url}/a/b`, `${url}?x=/a/b`]) {
      expect([other, isCallAddress(other)]).toEqual([other, false]);
    }
  });
});
