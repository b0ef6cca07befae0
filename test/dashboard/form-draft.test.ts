import { describe, expect, it } from "vitest";
import {
  bodyOf,
  draftOf,
  NEW_FORM,
  previewOf,
  snippetFor,
  stateOf,
} from "../../src/dashboard/form-draft.ts";
import type { Form } from "../../src/dashboard/things.ts";

const FORM: Form = {
  id: "frm_a_b",
  name: "Call me back",
  campaign: "cmp_a_1",
  fields: [{ name: "name", label: "Your name", kind: "text", required: true }],
  origins: ["https://a.example", "https://b.example"],
  withoutOrigin: false,
  country: "IN",
  mobileOnly: true,
  redirect: null,
  fillMinMs: 2_500,
  ticketNeeded: false,
  repeatMs: 600_000,
  numberMax: 3,
  hourMax: 100,
  consent: { version: 4, text: "You may call me.", since: 1 },
  turnstile: { siteKey: "k" },
  url: "https://o.example/f/frm_a_b",
  script: "https://o.example/form.js",
  createdAt: 1,
};

describe("a form that is written", () => {
  it("comes back as it was read, its secret left alone", () => {
    const { id: _, url: _u, script: _s, createdAt: _c, consent, turnstile, ...rest } = FORM;
    const expected = { ...rest, consentText: consent.text, turnstile };
    expect(bodyOf(draftOf(FORM))).toEqual(expected);
  });

  it("leaves out what is empty, and takes origins however they are parted", () => {
    const draft = {
      ...NEW_FORM,
      origins: " https://a.example \n\nhttps://b.example",
      redirect: " ",
    };
    const body = bodyOf({ ...draft, siteKey: " ", secret: "x" });
    expect(body).toMatchObject({
      country: null,
      redirect: null,
      turnstile: null,
      repeatMs: 600_000,
    });
    expect(body.origins).toEqual(["https://a.example", "https://b.example"]);
    expect(bodyOf({ ...draft, siteKey: " k ", secret: " s " }).turnstile).toEqual({
      ...{ siteKey: "k", secret: "s" },
    });
  });

  it("can be pasted only once its text of consent has a version", () => {
    const draft = draftOf(FORM);
    const changed = { ...draft, consentText: "Or not." };
    expect([stateOf(draft, null), stateOf(draft, FORM), stateOf(changed, FORM)]).toEqual([
      ...["new", "made", "changed"],
    ]);
    expect(snippetFor(draft, FORM)).toContain('value="4" required> You may call me.');
    expect(snippetFor(changed, FORM)).toContain('value="5" required> Or not.');
  });

  it("is previewed without any script", () => {
    const preview = previewOf(snippetFor(draftOf(FORM), FORM));
    expect(preview).toContain("<form ");
    expect(preview).not.toContain("<script");
  });
});
