import { describe, expect, it } from "vitest";
import { member } from "../support/workerd/people.ts";
import {
  type Ask,
  ask,
  codeOf,
  itemsOf,
  type Json,
  listed,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
  type Reply,
} from "../support/workerd/workspace.ts";

const SHOP = "https://shop.example.com";
const PHONE = "+919876540001";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;

async function minted(body: Json = {}, campaign: Json = {}) {
  const workspace = await mintCallingWorkspace();
  const target = await pausedCampaign(workspace, campaign);
  const reply = await workspace.ask("POST /v1/forms", {
    body: {
      name: "Call me back",
      campaign: target,
      consentText: "You may call me.",
      fields: [{ name: "name", label: "Your name", required: true }],
      origins: [SHOP],
      country: "IN",
      ...body,
    },
  });
  expect(reply.status, reply.text).toBe(201);
  return { ...workspace, campaign: target, form: String(reply.json.id), shown: reply.json };
}
type Minted = Awaited<ReturnType<typeof minted>>;

/** A post as a page's script sends it. */
function post({ form }: { form: string }, body: Json = {}, more: Ask = {}): Promise<Reply> {
  return ask(`POST /f/${form}`, {
    body: { phone: PHONE, consent: 1, name: "Asha", ...body },
    ...more,
    headers: { origin: SHOP, accept: "application/json", ...more.headers },
  });
}

const tasksOf = async (workspace: Calling & { campaign: string }, count: number) =>
  itemsOf(await listed(workspace, `/v1/campaigns/${workspace.campaign}/tasks`, count));

async function nobody(workspace: Calling & { campaign: string }): Promise<void> {
  const state = await workspace.ask("GET /v1/workspace");
  expect(state.json.waiting).toBe(0);
  expect(await tasksOf(workspace, 0)).toEqual([]);
}

describe("a form", () => {
  it("is made, read, listed, edited and deleted", async () => {
    const { ask: as, form, campaign, shown } = await minted();
    expect(shown).toMatchObject({
      campaign,
      consent: { version: 1, text: "You may call me." },
      turnstile: null,
      repeatMs: 600_000,
      url: `http://outdial.test/f/${form}`,
      script: "http://outdial.test/form.js",
    });
    expect((await as(`GET /v1/forms/${form}`)).json).toEqual(shown);
    expect(itemsOf(await as("GET /v1/forms"))).toEqual([shown]);
    const edited = await as(`PATCH /v1/forms/${form}`, { body: { name: "Other", hourMax: 5 } });
    expect(edited.json).toEqual({ ...shown, name: "Other", hourMax: 5 });
    expect((await as(`DELETE /v1/forms/${form}`)).status).toBe(204);
    expect((await as(`GET /v1/forms/${form}`)).status).toBe(404);
    expect((await post({ form })).status).toBe(404);
  });

  it.each<[Json, string]>([
    [{ origins: ["shop.example.com"] }, "origins.0"],
    [{ origins: ["https://shop.example.com/cart"] }, "origins.0"],
    [{ origins: ["http://shop.example.com"] }, "origins.0"],
    [{ origins: ["https://me:secret@shop.example.com"] }, "origins.0"],
    [{ redirect: "javascript:alert(1)" }, "redirect"],
    [{ country: "in" }, "country"],
    [{ country: "XX" }, "country"],
    [{ fields: [{ name: "phone", label: "x" }] }, "fields.0.name"],
    [{ fields: [{ name: "a b", label: "x" }] }, "fields.0.name"],
    [
      {
        fields: [
          { name: "a", label: "x" },
          { name: "a", label: "y" },
        ],
      },
      "fields.1.name",
    ],
    [{ consentText: " " }, "consentText"],
    [{ repeatMs: 0 }, "repeatMs"],
    [{ turnstile: { siteKey: "k" } }, "turnstile.secret"],
    [{ withoutOrigin: true, ticketNeeded: true }, "ticketNeeded"],
    [{ campaign: "cmp_nope_1" }, "campaign"],
  ])("H38 refuses %j", async (body, path) => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const whole = { name: "F", campaign, consentText: "Yes.", ...body };
    const reply = await workspace.ask("POST /v1/forms", { body: whole });
    expect([reply.status, pathsOf(reply)]).toEqual([422, [path]]);
  });

  it("H1 is bound to a realtime campaign of its workspace", async () => {
    const workspace = await mintCallingWorkspace();
    const batch = await pausedCampaign(workspace, { type: "batch" });
    const other = await pausedCampaign(await mintCallingWorkspace());
    for (const campaign of [batch, other]) {
      const body = { name: "F", campaign, consentText: "Yes." };
      expect(pathsOf(await workspace.ask("POST /v1/forms", { body }))).toEqual(["campaign"]);
    }
  });

  it("gives two texts that come at once a version each", async () => {
    const { ask: as, form } = await minted();
    const edits = ["One.", "Two.", "Three."].map((consentText) =>
      as(`PATCH /v1/forms/${form}`, { body: { consentText } }),
    );
    const given = (await Promise.all(edits)).map((one) => one.json.consent as { version: number });
    const versions = given.map((one) => one.version).sort((a, b) => a - b);
    expect(versions).toEqual([2, 3, 4]);
  });

  it("gives each text of consent a version, and takes what older pages show", async () => {
    const workspace = await minted();
    const { ask: as, form } = workspace;
    const edit = (consentText: string) => as(`PATCH /v1/forms/${form}`, { body: { consentText } });
    expect((await edit("You may call me.")).json.consent).toMatchObject({ version: 1 });
    expect((await edit("You may call me today.")).json.consent).toMatchObject({ version: 2 });
    expect((await post(workspace)).status).toBe(201);
    expect((await post(workspace, { consent: "2", phone: "+919876540002" })).status).toBe(201);
    expect(pathsOf(await post(workspace, { consent: 3 }))).toEqual(["consent"]);
    const tasks = await tasksOf(workspace, 2);
    const texts = await Promise.all(
      tasks.map(async ({ id }) => (await as(`GET /v1/tasks/${id}`)).json.consent),
    );
    expect(texts).toEqual([
      expect.objectContaining({ version: 1, text: "You may call me." }),
      expect.objectContaining({ version: 2, text: "You may call me today." }),
    ]);
  });
});

describe("a post", () => {
  it("is a task with context and consent, whatever its body is written in", async () => {
    const workspace = await minted();
    const fields = { phone: "098765 40001", consent: "1", name: " Asha ", other: "ignored" };
    const multipart = new FormData();
    for (const [name, value] of Object.entries({ ...fields, phone: "98765-40002" })) {
      multipart.append(name, value);
    }
    multipart.append("file", new File(["x"], "x.txt"));
    const encoded = new Response(multipart);
    const raws: Ask[] = [
      { body: { ...fields, phone: "+91 98765 40003" } },
      {
        raw: new URLSearchParams(fields).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
      {
        raw: new Uint8Array(await encoded.clone().arrayBuffer()),
        headers: { "content-type": encoded.headers.get("content-type") ?? "" },
      },
    ];
    for (const raw of raws) {
      const headers = {
        origin: SHOP,
        referer: `${SHOP}/cart?item=1`,
        "user-agent": "Canary/1.0",
        "cf-connecting-ip": "203.0.113.7",
        accept: "application/json",
        ...raw.headers,
      };
      const reply = await ask(`POST /f/${workspace.form}`, { ...raw, headers });
      expect(reply.status, reply.text).toBe(201);
    }
    const tasks = await tasksOf(workspace, 3);
    expect(tasks.map(({ phone }) => phone)).toEqual([
      ...["+919876540003", "+919876540001", "+919876540002"],
    ]);
    for (const { id, ...rest } of tasks) {
      expect(rest.context).toEqual({ name: "Asha" });
      expect(rest.consent, "not in lists").toBeUndefined();
      const whole = (await workspace.ask(`GET /v1/tasks/${id}`)).json;
      expect(whole.consent).toEqual({
        form: workspace.form,
        version: 1,
        text: "You may call me.",
        at: expect.any(Number),
        page: `${SHOP}/cart?item=1`,
        address: "203.0.113.7",
        userAgent: "Canary/1.0",
      });
    }
  });

  it("rings, and says so", async () => {
    const workspace = await minted({}, { paused: false });
    const reply = await post(workspace);
    expect([reply.status, reply.json]).toMatchObject([
      201,
      { when: "now", at: null, text: "now", message: "Thank you. We are calling you now." },
    ]);
    const [task] = await tasksOf(workspace, 1);
    const calls = await poll(
      () => workspace.ask(`GET /v1/tasks/${task?.id}/calls`),
      (one) => itemsOf(one).length > 0,
    );
    expect(itemsOf(calls)).toMatchObject([{ to: PHONE, attempt: 1 }]);
  });

  it("H12 outside of the campaign's hours says when the call comes", async () => {
    // Open on one day of the week which is neither today nor tomorrow.
    const day = new Date(Date.now() + 3 * 86_400_000);
    const days = [["sun", "mon", "tue", "wed", "thu", "fri", "sat"][day.getUTCDay()]];
    const hours = { timezone: "UTC", start: 1000, end: 1100, days, paused: false };
    const { json } = await post(await minted({}, hours));
    day.setUTCHours(10, 0, 0, 0);
    expect(json).toMatchObject({ when: "at", at: day.getTime(), timezone: "UTC" });
    expect(json.message).toMatch(/^Thank you. We will call you on \w+day \d+ \w+, at 10:00\.$/);
  });

  it("H8 reads a number by the form's country, or not at all without one", async () => {
    const none = await minted({ country: null });
    const reply = await post(none, { phone: "98765 40001" });
    expect(pathsOf(reply)).toEqual(["phone"]);
    expect(reply.text).toContain("no country code");
    expect(reply.text).not.toContain("98765");
    await nobody(none);
    expect((await post(none, { phone: "00 91 98765 40001" })).status).toBe(201);
  });

  it("takes mobile numbers alone where the form wants them", async () => {
    const workspace = await minted({ mobileOnly: true });
    const landline = await post(workspace, { phone: "+911123456789" });
    expect([landline.status, pathsOf(landline)]).toEqual([422, ["phone"]]);
    expect((await post(workspace)).status).toBe(201);
    expect(await tasksOf(workspace, 1)).toHaveLength(1);
  });

  it.each<[Json, string[]]>([
    [{ consent: undefined }, ["consent"]],
    [{ consent: "" }, ["consent"]],
    [{ consent: "on" }, ["consent"]],
    [{ consent: 0 }, ["consent"]],
    [{ phone: "" }, ["phone"]],
    [{ phone: "call me" }, ["phone"]],
    [{ phone: ["+919876540001"] }, ["phone"]],
    [{ name: "" }, ["name"]],
    [{ name: { first: "Asha" } }, ["name"]],
    [{ name: "x".repeat(501) }, ["name"]],
    [{ homepage: "http://spam.example" }, ["homepage"]],
    [{ phone: "", name: "", consent: "" }, ["phone", "name", "consent"]],
    [{ ticket: "x" }, ["ticket"]],
  ])("H38 of %j dials nobody and says all that is wrong", async (body, paths) => {
    const workspace = await minted();
    const reply = await post(workspace, body);
    expect([reply.status, pathsOf(reply)]).toEqual([422, paths]);
    await nobody(workspace);
  });

  it("H40 for a number on the do-not-call list dials nobody", async () => {
    const workspace = await minted();
    await workspace.ask("POST /v1/suppressions", { body: { phone: PHONE, reason: "asked" } });
    const reply = await post(workspace);
    expect([reply.status, pathsOf(reply)]).toEqual([422, ["phone"]]);
    await nobody(workspace);
  });

  it("once and again within the set time is one task with one answer, a double click too", async () => {
    const workspace = await minted();
    const replies = await Promise.all([post(workspace), post(workspace), post(workspace)]);
    for (const reply of replies)
      expect([reply.status, reply.json]).toEqual([201, replies[0]?.json]);
    expect(await tasksOf(workspace, 1)).toHaveLength(1);
  });

  it("beyond the limit of its form is a 429 that says when to come again", async () => {
    const workspace = await minted({ hourMax: 1 });
    expect((await post(workspace)).status).toBe(201);
    const reply = await post(workspace, { phone: "+919876540002" });
    expect([reply.status, codeOf(reply)]).toEqual([429, "too_many_requests"]);
    const wait = Number(reply.headers.get("retry-after"));
    expect(wait).toBeGreaterThan(3_500);
    expect(wait).toBeLessThanOrEqual(3_600);
    expect(await tasksOf(workspace, 1)).toHaveLength(1);
  });

  it("beyond the limit of its address is a 429", async () => {
    const workspace = await minted();
    const headers = { "cf-connecting-ip": "198.51.100.77" };
    let taken = 0;
    // The platform counts by the minute: one may begin meanwhile.
    for (let status = 201; status !== 429 && taken <= 61; taken++) {
      ({ status } = await post(workspace, {}, { headers }));
      expect([201, 429]).toContain(status);
    }
    expect(taken).toBeGreaterThan(30);
    expect(taken).toBeLessThanOrEqual(61);
  });

  it("H30 to a campaign that is over finds its form closed", async () => {
    const workspace = await minted();
    await workspace.ask(`POST /v1/campaigns/${workspace.campaign}/archive`);
    const reply = await post(workspace);
    expect([reply.status, codeOf(reply)]).toEqual([409, "conflict"]);
  });

  it("to a form that nobody has, or of another kind, is a 404", async () => {
    const { form, agent, id } = await minted();
    for (const other of [`${form}x`, agent, id, "frm", "frm_nobody99_x"]) {
      expect([other, (await post({ form: other })).status]).toEqual([other, 404]);
    }
  });

  it("larger than anybody types is a 413", async () => {
    const workspace = await minted();
    expect((await post(workspace, { name: "x".repeat(40_000) })).status).toBe(413);
  });
});

describe("pages of other origins", () => {
  const OTHER = "https://elsewhere.example";
  const bodies: [string, Ask][] = [
    ["as JSON", { body: { phone: PHONE, consent: 1, name: "Asha" } }],
    [
      "as a plain form",
      {
        raw: `phone=${encodeURIComponent(PHONE)}&consent=1&name=Asha`,
        headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/html" },
      },
    ],
    [
      "as text",
      {
        raw: JSON.stringify({ phone: PHONE, consent: 1, name: "A" }),
        headers: { "content-type": "text/plain" },
      },
    ],
  ];

  it.each(bodies)("are refused before anything is dialled, %s", async (_, request) => {
    const workspace = await minted();
    const strangers = [
      OTHER,
      "null",
      `${SHOP}.evil.example`,
      "http://shop.example.com",
      `${SHOP}:8443`,
    ];
    for (const origin of strangers) {
      const headers = { ...request.headers, origin };
      const reply = await ask(`POST /f/${workspace.form}`, { ...request, headers });
      expect([origin, reply.status]).toEqual([origin, 403]);
      expect(reply.headers.get("access-control-allow-origin")).toBeNull();
    }
    const bare = await ask(`POST /f/${workspace.form}`, request);
    expect(bare.status, "without an origin").toBe(403);
    await nobody(workspace);
  });

  it("may do without an origin where the form says so", async () => {
    const workspace = await minted({ withoutOrigin: true });
    const request = { body: { phone: PHONE, consent: 1, name: "Asha" } };
    const post_ = (origin?: string) =>
      ask(`POST /f/${workspace.form}`, {
        ...request,
        headers: origin === undefined ? {} : { origin },
      });
    expect((await post_(OTHER)).status).toBe(403);
    expect((await post_()).status).toBe(201);
  });

  it("hear beforehand whether they may, and read the answer if so", async () => {
    const { form } = await minted();
    const preflight = (origin: string) =>
      ask(`OPTIONS /f/${form}`, {
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      });
    const allowed = await preflight(SHOP);
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      "access-control-allow-origin": SHOP,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "content-type",
      vary: "Origin",
    });
    expect(allowed.headers.has("access-control-allow-credentials")).toBe(false);
    const refused = await preflight(OTHER);
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
      403,
      null,
    ]);
    for (const body of [{}, { phone: "" }]) {
      const reply = await post({ form }, body);
      expect(reply.headers.get("access-control-allow-origin")).toBe(SHOP);
      expect(reply.headers.get("vary")).toContain("Origin");
    }
  });
});

describe("a ticket", () => {
  const ticketOf = async (form: string) =>
    String((await ask(`GET /f/${form}`, { headers: { origin: SHOP } })).json.ticket);

  it("refuses what was filled in within no time, and is good afterwards", async () => {
    const workspace = await minted({ fillMinMs: 2_000 });
    const ticket = await ticketOf(workspace.form);
    const early = await post(workspace, { ticket });
    expect([early.status, pathsOf(early)]).toEqual([422, ["ticket"]]);
    await scheduler.wait(2_050);
    expect((await post(workspace, { ticket })).status).toBe(201);
    const other = await minted();
    expect(pathsOf(await post(other, { ticket }))).toEqual(["ticket"]);
    const [time = "", proof = ""] = ticket.split(".");
    const older = `${(Number.parseInt(time, 36) - 10_000).toString(36)}.${proof}`;
    expect(pathsOf(await post(workspace, { ticket: older, phone: "+919876540002" }))).toEqual([
      "ticket",
    ]);
  });

  it("is asked of everybody where the form says so", async () => {
    const workspace = await minted({ ticketNeeded: true, fillMinMs: 0 });
    expect(pathsOf(await post(workspace))).toEqual(["ticket"]);
    const ticket = await ticketOf(workspace.form);
    expect((await post(workspace, { ticket })).status).toBe(201);
  });
});

describe("a page without script", () => {
  const plain = (
    workspace: Minted,
    body: Record<string, string>,
    more: Record<string, string> = {},
  ) =>
    ask(`POST /f/${workspace.form}`, {
      raw: new URLSearchParams(body).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: "text/html,application/xhtml+xml,*/*;q=0.8",
        origin: SHOP,
        referer: `${SHOP}/`,
        ...more,
      },
    });
  const good = { phone: PHONE, consent: "1", name: "Asha" };

  it("comes to a page that says when the call comes", async () => {
    const reply = await plain(await minted(), good);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toContain("text/html");
    expect(reply.text).toContain("We will call you as soon as we can.");
    expect(reply.text).toContain(`href="${SHOP}/"`);
    expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(reply.text).not.toMatch(/<script|\son\w+=/);
  });

  it("or goes on to the form's own page", async () => {
    const workspace = await minted({ redirect: "https://shop.example.com/thanks?a=1" });
    const reply = await plain(workspace, good);
    const to = "https://shop.example.com/thanks?a=1&call=later";
    expect([reply.status, reply.headers.get("location")]).toEqual([303, to]);
  });

  it("hears all that is wrong, as text", async () => {
    const workspace = await minted({
      fields: [{ name: "name", label: "<b>Name</b>", required: true }],
    });
    const reply = await plain(workspace, { phone: "x" });
    expect(reply.status).toBe(422);
    expect(reply.text).toContain("&lt;b&gt;Name&lt;/b&gt;");
    expect(reply.text).not.toContain("<b>");
    expect(reply.text).toContain("your consent to be called");
    await nobody(workspace);
  });
});

describe("pages of ours", () => {
  it("have the form where its list has this deployment, and a policy of their own", async () => {
    const headers = { accept: "text/html" };
    const own = await minted({ origins: ["http://outdial.test"], redirect: `${SHOP}/thanks` });
    const page = await ask(`GET /f/${own.form}`, { headers });
    expect(page.status).toBe(200);
    expect(page.text).toContain(`<form action="/f/${own.form}" method="post" data-outdial>`);
    expect(page.headers.get("content-security-policy")).toContain(`form-action 'self' ${SHOP};`);
    const other = await minted();
    expect((await ask(`GET /f/${other.form}`, { headers })).status).toBe(404);
  });

  it("have no demo but the local one's", async () => {
    expect((await ask("GET /demo/form")).status).toBe(404);
  });
});

describe("H37 what is personal", () => {
  it("is shown to nobody who may not see it", async () => {
    const workspace = await minted();
    await post(workspace);
    const [task] = await tasksOf(workspace, 1);
    const read = await workspace.ask("POST /v1/keys", { body: { name: "r", scopes: ["read"] } });
    const sees = await ask(`GET /v1/tasks/${task?.id}`, {
      headers: { authorization: `Bearer ${read.json.apiKey}` },
    });
    expect(sees.json.consent).toMatchObject({ version: 1 });
    const viewer = await member(workspace, "viewer");
    const path = `GET /v1/tasks/${task?.id}`;
    const masked = await viewer.browser.ask(path, { headers: { "x-workspace": workspace.id } });
    expect([masked.status, masked.json.masked, masked.json.consent]).toEqual([200, true, null]);
  });
});
