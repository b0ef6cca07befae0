import { describe, expect, it } from "vitest";
import { WAITING_REASONS, type WaitingReason } from "../../src/core/campaign.ts";
import type { ConsentText, FormSettings } from "../../src/core/form.ts";
import { callComes, comingText } from "../../src/core/form-answer.ts";
import { type Given, readPost } from "../../src/core/form-post.ts";
import { escapeHtml, type Snippet, snippetOf } from "../../src/core/form-snippet.ts";
import { isMobile } from "../../src/core/mobile.ts";

const SETTINGS: FormSettings = {
  ...{ fields: [], origins: [], withoutOrigin: false, country: "IN", mobileOnly: false },
  ...{ redirect: null, fillMinMs: 0, ticketNeeded: false, repeatMs: 60_000, numberMax: 3 },
  ...{ hourMax: 100, siteKey: null },
};
const CONSENTS: ConsentText[] = [
  { version: 4, text: "Then.", since: 1 },
  { version: 5, text: "Now.", since: 2 },
];

function read(given: Given, settings: Partial<FormSettings> = {}) {
  const whole = { phone: "+919876540001", consent: "5", ...given };
  return readPost({ settings: { ...SETTINGS, ...settings }, consents: CONSENTS }, whole);
}
function issuesOf(...given: Parameters<typeof read>) {
  const post = read(...given);
  return post.ok ? [] : post.issues;
}

describe("a post", () => {
  it("is number, context, consent, and what proves that a person sent it", () => {
    const fields = [
      { name: "name", label: "Name", kind: "text", required: true },
      { name: "mail", label: "Mail", kind: "email", required: false },
      { name: "age", label: "Age", kind: "text", required: false },
    ] as const;
    const proof = { ticket: "t", page: "https://a.example/", "cf-turnstile-response": "x" };
    const given = { name: " Asha ", mail: "", age: 30, other: "no", ...proof };
    expect(read(given, { fields: [...fields] })).toEqual({
      ok: true,
      value: {
        phone: "+919876540001",
        context: { name: "Asha", age: "30" },
        consent: CONSENTS[1],
        ticket: "t",
        page: "https://a.example/",
        turnstile: "x",
      },
    });
    expect(read({})).toMatchObject({ value: { ticket: null, page: null, turnstile: null } });
  });

  it("H8 reads a number by its country, and says in words what is wrong with one", () => {
    expect(read({ phone: "098765 40001" })).toMatchObject({ value: { phone: "+919876540001" } });
    const expected = "a phone number as it is dialled in India, or with + and its country code";
    for (const [phone, got] of [
      ["", "nothing"],
      [undefined, "nothing"],
      ["abc", "letters"],
      ["98", "too few digits"],
      ["9876543210987654", "too many digits"],
      ["+0001234567", "no such number"],
      ["9.19877E+11", "a number that a spreadsheet has shortened"],
    ]) {
      expect(issuesOf({ phone })).toEqual([{ path: "phone", expected, got }]);
    }
    expect(issuesOf({ phone: "9876540001" }, { country: null })).toEqual([
      {
        path: "phone",
        expected: "a phone number with + and its country code",
        got: "no country code",
      },
    ]);
  });

  it("takes mobile numbers alone where the form wants them", () => {
    const mobile = { country: null, mobileOnly: true };
    expect(read({}, mobile).ok).toBe(true);
    expect(issuesOf({ phone: "+911123456789" }, mobile)).toEqual([
      {
        path: "phone",
        expected: "a mobile number with + and its country code",
        got: "a number that is not mobile",
      },
    ]);
  });

  it("names the version of a text that the form has", () => {
    expect(read({ consent: 4 })).toMatchObject({ value: { consent: CONSENTS[0] } });
    const missing = { path: "consent", expected: "your consent to be called", got: "none" };
    expect(issuesOf({ consent: "" })).toEqual([missing]);
    expect(issuesOf({ consent: null })).toEqual([missing]);
    for (const consent of ["on", true, 3, "5.0", "05"]) {
      expect(issuesOf({ consent })).toEqual([
        {
          path: "consent",
          expected: "the version of a text of consent, now 5",
          got: "another value",
        },
      ]);
    }
  });

  it("H38 says all that is wrong at once", () => {
    const fields: FormSettings["fields"] = [
      { name: "name", label: "Your name", kind: "text", required: true },
      { name: "mail", label: "Mail", kind: "email", required: true },
      { name: "text", label: "Text", kind: "textarea", required: false },
      { name: "odd", label: "Odd", kind: "text", required: false },
    ];
    const given = {
      ...{ phone: "x", consent: "", homepage: "x", mail: "no", odd: {} },
      ...{ text: "x".repeat(2_001) },
    };
    expect(issuesOf(given, { fields }).map(({ path, expected }) => [path, expected])).toEqual([
      ["phone", expect.any(String)],
      ["name", '"Your name" filled in'],
      ["mail", "an email address"],
      ["text", "at most 2000 characters"],
      ["odd", 'a text for "Odd"'],
      ["consent", expect.any(String)],
      ["homepage", "nothing: it is there for robots"],
    ]);
  });
});

describe("a mobile number", () => {
  it.each([
    ["+919876543210", true],
    ["+4915112345678", true],
    ["+33612345678", true],
    ["+911123456789", false],
    ["+442079460123", false],
    ["+493012345678", false],
    // Where numbers do not tell.
    ["+12125550123", true],
    ["+999", false],
    ["nonsense", false],
  ])("%s: %s", (phone, mobile) => expect(isMobile(phone)).toBe(mobile));
});

describe("when the call comes", () => {
  const NOW = Date.UTC(2027, 0, 4, 12, 30);
  const until = Date.UTC(2027, 0, 5, 4, 30);

  it("follows from what keeps it", () => {
    const when = (reason: WaitingReason, at: number | null = null) =>
      callComes({ reason, until: at }, NOW);
    expect(callComes(null, NOW)).toEqual({ when: "now", at: null });
    const expected: Record<WaitingReason, string> = {
      ...{ slots: "soon", limit: "soon", pace: "soon" },
      ...{ paused: "later", connection: "later", import: "later" },
      ...{ start: "at", hours: "at", interval: "at", callback: "at" },
    };
    for (const reason of WAITING_REASONS) {
      const at = expected[reason] === "at" ? until : null;
      expect([reason, when(reason, until)]).toEqual([reason, { when: expected[reason], at }]);
    }
    expect(when("hours")).toEqual({ when: "later", at: null });
    expect(when("hours", NOW)).toEqual({ when: "now", at: null });
  });

  it.each([
    [Date.UTC(2027, 0, 4, 13, 5), "UTC", "today at 13:05"],
    [Date.UTC(2027, 0, 5, 0, 0), "UTC", "tomorrow at 00:00"],
    [until, "Asia/Kolkata", "tomorrow at 10:00"],
    // 19:30 in Kolkata is Monday; in Auckland it is Tuesday already.
    [Date.UTC(2027, 0, 4, 20, 0), "Pacific/Auckland", "today at 09:00"],
    [Date.UTC(2027, 0, 6, 10, 0), "UTC", "on Wednesday 6 January, at 10:00"],
    // The night in which a clock is set forward.
    [Date.UTC(2027, 2, 28, 8, 0), "Europe/Berlin", "on Sunday 28 March, at 10:00"],
  ])("%i in %s is %s", (at, zone, text) =>
    expect(comingText({ when: "at", at }, NOW, zone)).toBe(text),
  );

  it("has words for the rest", () => {
    const text = (when: "now" | "soon" | "later") => comingText({ when, at: null }, NOW, "UTC");
    expect([text("now"), text("soon"), text("later")]).toEqual([
      ...["now", "as soon as a line is free", "as soon as we can"],
    ]);
  });
});

describe("the text to paste", () => {
  const FORM: Snippet = {
    url: "https://o.example/f/frm_a_b",
    script: "https://o.example/form.js",
    fields: [
      { name: "name", label: "Your name", kind: "text", required: true },
      { name: "mail", label: "Mail", kind: "email", required: false },
      { name: "more", label: '"More" <b>', kind: "textarea", required: false },
    ],
    consent: { version: 7, text: "You & I <agree>" },
    country: "IN",
    siteKey: null,
  };

  it("has every input, the version of its consent, and nothing that is not text", () => {
    const text = snippetOf(FORM);
    expect(text.match(/name="\w+"/g)).toEqual([
      ...['name="name"', 'name="mail"', 'name="more"', 'name="phone"', 'name="homepage"'],
      'name="consent"',
    ]);
    expect(text).toContain('value="7" required> You &amp; I &lt;agree&gt;</label>');
    expect(text).toContain("&quot;More&quot; &lt;b&gt; <textarea");
    expect(text).not.toContain("turnstile");
    expect(text).not.toContain("data-international");
  });

  it("asks for a + where no number is read without, and for Turnstile's check", () => {
    expect(snippetOf({ ...FORM, country: null })).toContain("data-international");
    const text = snippetOf({ ...FORM, siteKey: 'k"' });
    expect(text).toContain('<div class="cf-turnstile" data-sitekey="k&quot;"></div>');
    expect(text).toContain("https://challenges.cloudflare.com/turnstile/v0/api.js");
  });

  it("escapes all that HTML means something by", () => {
    expect(escapeHtml(`<a href='x'>"&"</a>`)).toBe(
      "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;",
    );
  });
});
