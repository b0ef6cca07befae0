import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, inject, it, vi } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { seal, sealingKey } from "../../src/carriers/seal.ts";
import { askWith } from "../support/workerd/bindings.ts";
import { readAlong } from "../support/workerd/leaks.ts";
import {
  type Json,
  listed,
  made,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
  type Reply,
} from "../support/workerd/workspace.ts";

const SHOP = "https://shop.example.com";
/** As the stand-in knows it. */
const SECRET = "turnstile-secret-of-the-test-suite";
const KEYS = { siteKey: "1x00000000000000000000AA", secret: SECRET };
const here = { ...env, TURNSTILE_URL: inject("turnstile") } as unknown as Env;

async function minted(body: Json = {}) {
  const workspace = await mintCallingWorkspace();
  const campaign = await pausedCampaign(workspace);
  const whole = { name: "F", campaign, consentText: "Yes.", origins: [SHOP], turnstile: KEYS };
  return { ...workspace, campaign, form: await made(workspace, "forms", { ...whole, ...body }) };
}

/** A post to a Worker that asks the stand-in, or these bindings. */
async function post(form: string, token: string | undefined, bindings = here): Promise<Reply> {
  const phone = "+919876540001";
  const body = {
    phone,
    consent: 1,
    ...(token === undefined ? {} : { "cf-turnstile-response": token }),
  };
  const request = new Request(`http://outdial.test/f/${form}`, {
    method: "POST",
    headers: {
      origin: SHOP,
      "content-type": "application/json",
      "cf-connecting-ip": "203.0.113.9",
    },
    body: JSON.stringify(body),
  });
  const context = createExecutionContext();
  const response = await makeApp().fetch(request, bindings, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  readAlong("POST /f/{id}", response.status, text);
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

describe("a form with Turnstile's keys", () => {
  it("takes a post that Turnstile takes for a person's, a double click too", async () => {
    const { form, ask, campaign, ...rest } = await minted();
    const replies = await Promise.all([post(form, `good ${form}`), post(form, `good ${form}`)]);
    expect(replies.map(({ status }) => status)).toEqual([201, 201]);
    await listed({ ask, ...rest }, `/v1/campaigns/${campaign}/tasks`, 1);
  });

  it("dials nobody for another one, and says what is missing", async () => {
    const { form, ask, campaign, ...rest } = await minted();
    const other = await minted();
    expect((await post(other.form, `good twice ${form}`)).status).toBe(201);
    for (const token of [undefined, "", "bad"]) {
      const reply = await post(form, token);
      expect([token, reply.status, pathsOf(reply)]).toEqual([
        token,
        422,
        ["cf-turnstile-response"],
      ]);
    }
    expect((await ask("GET /v1/workspace")).json.waiting).toBe(0);
    await listed({ ask, ...rest }, `/v1/campaigns/${campaign}/tasks`, 0);
  });

  it("dials nobody while Turnstile does not answer, or our own key is wrong: a 503", async () => {
    const { form, ask } = await minted();
    const wrong = await minted({ turnstile: { siteKey: "k", secret: "another" } });
    const nowhere = { ...env, TURNSTILE_URL: "http://127.0.0.1:9/siteverify" } as unknown as Env;
    for (const [of, token, bindings] of [
      [form, "broken", here],
      [form, "good", nowhere],
      [wrong.form, "good", here],
    ] as const) {
      const reply = await post(of, token, bindings);
      expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, "60"]);
      expect(reply.text).toContain("does not work right now");
    }
    expect((await ask("GET /v1/workspace")).json.waiting).toBe(0);
  });

  it("waits for its answer for so long and no longer", async () => {
    const { form } = await minted();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      expect(ms).toBe(5_000);
      const control = new AbortController();
      setTimeout(() => control.abort(new DOMException("late", "TimeoutError")), 50);
      return control.signal;
    });
    expect((await post(form, "slow")).status).toBe(503);
    timeout.mockRestore();
  });

  it("never shows its secret, and keeps it where an edit gives none", async () => {
    const { form, ask, id } = await minted();
    const edit = (turnstile: Json | null) =>
      ask(`PATCH /v1/forms/${form}`, { body: { turnstile } });
    const renamed = await edit({ siteKey: "another" });
    expect(renamed.json.turnstile).toEqual({ siteKey: "another" });
    const list = await ask("GET /v1/forms");
    const entries = await ask("GET /v1/audit?action=form");
    for (const { text } of [renamed, list, entries]) expect(text).not.toContain(SECRET);
    expect((await post(form, `good ${id}`)).status).toBe(201);
    expect((await edit({ siteKey: "another", secret: "new" })).status).toBe(200);
    expect((await ask("GET /v1/audit?action=form.edit")).text).toContain("turnstileSecret");
    expect((await edit(null)).json.turnstile).toBeNull();
    expect((await post(form, undefined)).status).toBe(201);
    const row = env.DB.prepare("SELECT sealed FROM forms WHERE id = ?").bind(form);
    expect(await row.first("sealed")).toBeNull();
  });

  it("has its secret sealed anew when the deployment's key changes", async () => {
    const { form, id } = await minted();
    const { SEALING_KEY_2: _, ...before } = env as unknown as Record<string, string>;
    const sealed = await seal(before as never, SECRET);
    await env.DB.prepare("UPDATE forms SET sealed = ? WHERE id = ?").bind(sealed, form).run();
    let after: unknown = null;
    do {
      const body = { key: sealingKey(here), after };
      const reply = await askWith(here, "POST /v1/connections/reseal", env.ADMIN_SECRET, body);
      expect(reply.status, reply.text).toBe(200);
      after = reply.json.next;
    } while (after !== null);
    const row = env.DB.prepare("SELECT sealed FROM forms WHERE id = ?").bind(form);
    expect(await row.first("sealed")).toMatch(/^v2\.2\./);
    expect((await post(form, `good anew ${id}`)).status).toBe(201);
  });
});
