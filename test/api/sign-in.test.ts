import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { codeAt } from "../support/totp.ts";
import {
  Browser,
  entered,
  entriesOf,
  joins,
  mailed,
  mails,
  member,
  ORIGIN,
  PASSWORD,
  type Somebody,
  signedIn,
  signIn,
  somebody,
} from "../support/workerd/people.ts";
import { ask, codeOf, type Json, mintWorkspace, type Reply } from "../support/workerd/workspace.ts";

const OTHER = "seven boats on a lake";
const isIn = async (browser: Browser) => (await browser.ask("GET /v1/me")).status === 200;
const withoutId = ({ status, json }: Reply) => ({ status, json: { ...json, requestId: "" } });
const post = (one: Somebody, path: string, body: Json = {}) =>
  one.browser.ask(`POST /api/auth${path}`, { body });

describe("signing in", () => {
  it("gives a cookie that no other host can set and no script can read", async () => {
    const one = await somebody();
    const reply = await signIn(one);
    expect(reply.status, reply.text).toBe(200);
    const [cookie = ""] = reply.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-outdial\.session_token=/);
    for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]) {
      expect(cookie.toLowerCase()).toContain(part.toLowerCase());
    }
    expect(cookie).not.toMatch(/domain=/i);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(await isIn(one.browser)).toBe(true);
  });

  it("keeps the cookie's name where the deployment has https", async () => {
    const one = await somebody();
    const secure = { ...env, PUBLIC_URL: "https://outdial.test" } as Env;
    const body = JSON.stringify({ email: one.email, password: PASSWORD });
    const headers = { "content-type": "application/json", origin: "https://outdial.test" };
    const path = "https://outdial.test/api/auth/sign-in/email";
    const reply = await makeApp().request(path, { method: "POST", body, headers }, secure);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("set-cookie")).toMatch(/^__Host-outdial\.session_token=/);
  });

  it("answers an unknown address as a known one with a wrong password", async () => {
    const known = await signIn(await somebody(), "not the password");
    const unknown = await signIn({ email: "nobody@example.test", browser: new Browser() });
    expect(known.status).toBe(401);
    expect(withoutId(unknown)).toEqual(withoutId(known));
    expect(unknown.headers.getSetCookie()).toEqual([]);
  });

  it("is open to pages of ours alone, and closed to those who sign up", async () => {
    const one = await somebody();
    const body = { email: one.email, password: PASSWORD };
    const foreign = { origin: "https://elsewhere.test" };
    const crossed = await ask("POST /api/auth/sign-in/email", { body, headers: foreign });
    expect([crossed.status, crossed.headers.getSetCookie()]).toEqual([403, []]);
    const up = { ...body, email: "new@example.test", name: "New" };
    expect((await ask("POST /api/auth/sign-up/email", { body: up })).status).toBe(404);
  });

  it("has no routes but those it lists", async () => {
    const one = await somebody();
    await signedIn(one);
    const paths = ["/delete-user", "/change-email", "/verify-email", "/unlink-account", "/ok"];
    for (const path of [...paths, "/local-sign-in", "/sign-in/magic-link", "/x"]) {
      expect((await post(one, path)).status, path).toBe(404);
      expect((await one.browser.ask(`GET /api/auth${path}`)).status, path).toBe(404);
    }
  });

  it("takes no request with a cookie from another page, or from none", async () => {
    const workspace = await mintWorkspace({ name: "Before" });
    const { browser } = await member(workspace, "owner");
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = { name: "After" };
    const edit = (headers: Record<string, string>) =>
      ask("PATCH /v1/workspace", { body, headers: { cookie, ...headers } });
    for (const headers of [{ origin: "https://elsewhere.test" }, { origin: "null" }, {}]) {
      expect(codeOf(await edit(headers as Record<string, string>))).toBe("forbidden");
    }
    const out = await ask("POST /api/auth/sign-out", { body: {}, headers: { cookie } });
    expect(out.status).toBe(403);
    expect((await edit({ origin: ORIGIN })).json.name).toBe("After");
  });

  it("is written down, and so is everything that is done about it, and no secret of it", async () => {
    const workspace = await mintWorkspace();
    const one = await member(workspace, "viewer");
    const sessions = await one.browser.ask("GET /api/auth/list-sessions");
    const [{ token } = {}] = JSON.parse(sessions.text) as Json[];
    const other = { ...one, browser: new Browser() };
    await signedIn(other);
    const done = [
      await post(one, "/update-user", { name: "Another" }),
      await post(other, "/revoke-session", { token }),
      await post(other, "/sign-out"),
      await post(other, "/request-password-reset", { email: one.email }),
    ];
    expect(done.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await entered(workspace.id, "session.end", 2);
    const asked = await entered(workspace.id, "password.ask_reset");
    // Whoever asks may be anybody.
    expect(asked).toMatchObject([{ actor_kind: "outdial", actor: null, target: one.id }]);
    const entries = await entriesOf(workspace.id);
    const own = entries.filter(({ action }) => /^(session|person)\./.test(String(action)));
    expect(own.map(({ action, actor }) => [action, actor]).sort()).toEqual(
      [...["session.start", "session.start", "person.rename", "session.end", "session.end"]]
        .map((action) => [action, one.id])
        .sort(),
    );
    const text = JSON.stringify(entries);
    const reset = await mailed(one.email);
    for (const secret of [PASSWORD, String(token), reset]) expect(text).not.toContain(secret);
  });

  it("is written down in every workspace, and so is failing to", async () => {
    const [first, second] = [await mintWorkspace(), await mintWorkspace()];
    const one = await somebody();
    await joins(one, first.id, "viewer");
    await joins(one, second.id, "admin");
    one.browser.headers["cf-connecting-ip"] = "203.0.113.7";
    await signIn(one, "not the password");
    await signedIn(one);
    for (const { id } of [first, second]) {
      expect(await entered(id, "session.start")).toMatchObject([
        { actor_kind: "person", actor: one.id, target: one.id, ip: "203.0.113.7" },
      ]);
      // Who failed may be anybody.
      expect(await entered(id, "session.refuse")).toMatchObject([
        { actor_kind: "outdial", actor: null, target: one.id, ip: "203.0.113.7" },
      ]);
    }
  });
});

/** Twenty passwords are hashed: much, on a busy machine. */
const LONG = { timeout: 30_000 };

describe("attempts", () => {
  it(
    "at one account are limited, wherever they come from, whether there is one or not",
    LONG,
    async () => {
      const known = await somebody();
      for (const email of [known.email, `${crypto.randomUUID()}@example.test`]) {
        const tried = [];
        for (let n = 0; n < 11; n++) {
          const browser = new Browser({ "cf-connecting-ip": `198.51.100.${n}` });
          tried.push(await signIn({ email, browser }, "not the password"));
        }
        expect(tried.map((reply) => reply.status)).toEqual([...Array(10).fill(401), 429]);
        expect(Number(tried.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(60);
      }
      // The right password does not help, either.
      expect((await signIn(known)).status).toBe(429);
    },
  );

  it("are forgotten once somebody is in", LONG, async () => {
    const one = await somebody();
    for (let n = 0; n < 9; n++) await signIn(one, "not the password");
    await signedIn(one);
    for (let n = 0; n < 9; n++) {
      expect((await signIn(one, "not the password")).status).toBe(401);
    }
  });

  it.each([
    ["by the platform", env as Env],
    ["by D1 where the platform has no limits", { ...env, ATTEMPTS: undefined } as unknown as Env],
  ])("of one address are limited %s, a network of IPv6 being one", async (_, bindings) => {
    const network = crypto.randomUUID().slice(0, 4);
    const statuses = [];
    for (let n = 0; n < 32; n++) {
      const headers = { "cf-connecting-ip": `2001:db8:${network}:1::${n}`, origin: ORIGIN };
      const init = { method: "POST", body: "{}", headers };
      const reply = await makeApp().request("/api/auth/sign-out", init, bindings);
      statuses.push([reply.status, reply.headers.get("retry-after") !== null]);
    }
    expect(statuses.slice(0, 30).filter(([status]) => status === 429)).toEqual([]);
    expect(statuses.at(-1)).toEqual([429, true]);
    const elsewhere = { "cf-connecting-ip": `2001:db8:${network}:2::1`, origin: ORIGIN };
    const init = { method: "POST", body: "{}", headers: elsewhere };
    const reply = await makeApp().request("/api/auth/sign-out", init, bindings);
    expect(reply.status).not.toBe(429);
  });
});

describe("a password", () => {
  it("that is changed ends every other session, and is not a common one", async () => {
    const one = await somebody();
    await joins(one, (await mintWorkspace()).id, "viewer");
    await signedIn(one);
    const elsewhere = { ...one, browser: new Browser() };
    await signedIn(elsewhere);
    const change = (newPassword: string, currentPassword = PASSWORD) =>
      post(one, "/change-password", { newPassword, currentPassword });
    for (const weak of [
      "short",
      "Password1234!",
      "qwertyqwerty",
      "1qaz2wsx3edc",
      "x".repeat(129),
    ]) {
      expect([weak, (await change(weak)).status]).toEqual([weak, 422]);
    }
    expect((await change(OTHER, "not the password")).status).toBe(400);
    expect(await isIn(elsewhere.browser)).toBe(true);
    const kept = one.browser.copy();
    expect((await change(OTHER)).status).toBe(200);
    expect(await isIn(one.browser)).toBe(true);
    expect(await isIn(elsewhere.browser)).toBe(false);
    expect(await isIn(kept)).toBe(false);
    expect((await signIn({ ...one, browser: new Browser() })).status).toBe(401);
    expect((await signIn({ ...one, browser: new Browser() }, OTHER)).status).toBe(200);
  });

  it("is reset by mail, which ends every session; its link works once", async () => {
    const workspace = await mintWorkspace();
    const one = await member(workspace, "viewer");
    const asked = await ask("POST /api/auth/request-password-reset", {
      body: { email: one.email },
    });
    expect(asked.status).toBe(200);
    const token = await mailed(one.email);
    expect(mails.find((mail) => mail.to === one.email)?.text).toContain(
      `${ORIGIN}/reset-password#token=${token}`,
    );
    const kept = await env.DB.prepare("SELECT * FROM verifications").all();
    expect(JSON.stringify(kept.results)).not.toContain(token);
    const reset = (newPassword: string) =>
      ask("POST /api/auth/reset-password", { body: { newPassword, token } });
    expect((await reset("password1234")).status).toBe(422);
    expect((await reset(OTHER)).status).toBe(200);
    expect(await isIn(one.browser)).toBe(false);
    expect((await reset(PASSWORD)).status).toBe(400);
    expect((await signIn(one)).status).toBe(401);
    expect((await signIn(one, OTHER)).status).toBe(200);
    expect(await entered(workspace.id, "password.reset")).toMatchObject([{ actor: one.id }]);
  });

  it("is asked for anew with the same answer for an unknown address, and no mail", async () => {
    const known = await somebody();
    const forget = (email: string) =>
      ask("POST /api/auth/request-password-reset", { body: { email } });
    const replies = [await forget(known.email), await forget("nobody@example.test")];
    await mailed(known.email);
    expect(replies.map(withoutId)[0]).toEqual(replies.map(withoutId)[1]);
    expect(mails.filter((mail) => mail.to === "nobody@example.test")).toEqual([]);
    expect((await forget("no address")).status).toBe(422);
    for (let n = 0; n < 4; n++) expect((await forget(known.email)).status).toBe(200);
    expect((await forget(known.email)).status).toBe(429);
  });
});

describe("sessions", () => {
  it("end everywhere at once", async () => {
    const workspace = await mintWorkspace();
    const one = await member(workspace, "operator");
    const elsewhere = { ...one, browser: new Browser() };
    await signedIn(elsewhere);
    const kept = one.browser.copy();
    expect((await post(one, "/revoke-sessions")).status).toBe(200);
    for (const browser of [one.browser, elsewhere.browser, kept]) {
      expect(await isIn(browser)).toBe(false);
    }
    expect(await entered(workspace.id, "session.end_all")).toMatchObject([{ actor: one.id }]);
  });

  it("that were signed out are none, though somebody kept the cookie", async () => {
    const one = await somebody();
    await signedIn(one);
    const kept = one.browser.copy();
    expect((await post(one, "/sign-out")).status).toBe(200);
    expect(await isIn(kept)).toBe(false);
  });

  it("are no good with a cookie that was made up", async () => {
    const one = await somebody();
    await signedIn(one);
    const [[name = "", value = ""] = []] = [...one.browser.cookies];
    const forged = new Browser();
    forged.cookies.set(name, `${value.split(".")[0]}.${"A".repeat(43)}%3D`);
    expect(await isIn(forged)).toBe(false);
  });
});

describe("a second factor", () => {
  const HALF_MINUTE = 30_000;
  const totp = (browser: Browser, code: string) =>
    browser.ask("POST /api/auth/two-factor/verify-totp", { body: { code } });
  const backup = (browser: Browser, code: string) =>
    browser.ask("POST /api/auth/two-factor/verify-backup-code", { body: { code } });
  /** Somebody who has switched it on, with what the app and the drawer know. */
  async function careful() {
    const workspace = await mintWorkspace();
    const one = await member(workspace, "admin");
    const enabled = await post(one, "/two-factor/enable", { password: PASSWORD });
    expect(enabled.status, enabled.text).toBe(200);
    const uri = String(enabled.json.totpURI);
    const confirmed = await totp(one.browser, await codeAt(uri));
    expect(confirmed.status, confirmed.text).toBe(200);
    return { ...one, workspace, uri, codes: enabled.json.backupCodes as string[] };
  }

  it("is asked for after the password, which alone lets nobody in", async () => {
    const one = await careful();
    expect((await one.browser.ask("GET /v1/me")).json.secondFactor).toBe(true);
    await entered(one.workspace.id, "second_factor.enable");
    const browser = new Browser();
    const asked = await signIn({ ...one, browser });
    expect([asked.status, asked.json.twoFactorRedirect]).toEqual([200, true]);
    expect(await isIn(browser)).toBe(false);
    expect((await totp(browser, "000000")).status).toBe(401);
    expect(await isIn(browser)).toBe(false);
    const before = await entered(one.workspace.id, "session.start");
    const let_ = await totp(browser, await codeAt(one.uri, Date.now() + HALF_MINUTE));
    expect(let_.status, let_.text).toBe(200);
    expect(await isIn(browser)).toBe(true);
    expect(await entered(one.workspace.id, "session.refuse")).toMatchObject([{ target: one.id }]);
    const starts = await entered(one.workspace.id, "session.start", before.length + 1);
    expect(starts).toHaveLength(before.length + 1);
  });

  it("takes a code once", async () => {
    const one = await careful();
    const code = await codeAt(one.uri, Date.now() + HALF_MINUTE);
    const [first, second] = [new Browser(), new Browser()];
    await signIn({ ...one, browser: first });
    await signIn({ ...one, browser: second });
    expect((await totp(first, code)).status).toBe(200);
    expect((await totp(second, code)).status).toBe(429);
    expect(await isIn(second)).toBe(false);
  });

  it("takes each recovery code once", async () => {
    const one = await careful();
    const [code = ""] = one.codes;
    expect(one.codes.length).toBeGreaterThanOrEqual(8);
    const [first, second] = [new Browser(), new Browser()];
    await signIn({ ...one, browser: first });
    expect((await backup(first, code)).status).toBe(200);
    expect(await isIn(first)).toBe(true);
    await signIn({ ...one, browser: second });
    expect((await backup(second, code)).status).toBe(401);
    expect((await backup(second, one.codes[1] ?? "")).status).toBe(200);
    const rows = await env.DB.prepare("SELECT * FROM second_factors").all();
    for (const secret of [code, new URL(one.uri).searchParams.get("secret") ?? "none"]) {
      expect(JSON.stringify(rows.results)).not.toContain(secret);
    }
  });

  it("is not guessed: after some wrong codes the password is asked for again", async () => {
    const one = await careful();
    const browser = new Browser();
    await signIn({ ...one, browser });
    for (let n = 0; n < 5; n++) expect((await totp(browser, `00000${n}`)).status).toBe(401);
    const right = await totp(browser, await codeAt(one.uri, Date.now() + HALF_MINUTE));
    expect(right.status).toBeGreaterThanOrEqual(400);
    expect(await isIn(browser)).toBe(false);
  });

  it("is switched off with the password alone", async () => {
    const one = await careful();
    expect((await post(one, "/two-factor/disable", { password: "wrong" })).status).toBe(400);
    expect((await post(one, "/two-factor/disable", { password: PASSWORD })).status).toBe(200);
    const browser = new Browser();
    await signedIn({ ...one, browser });
    expect(await isIn(browser)).toBe(true);
    expect(await entered(one.workspace.id, "second_factor.disable")).toHaveLength(1);
  });
});

describe("a sign-in link", () => {
  const KEY = "a-local-key-of-at-least-32-characters";
  const open = (publicUrl: string, email: string, key = KEY) => {
    const bindings = { ...env, PUBLIC_URL: publicUrl, LOCAL_SIGN_IN: KEY } as Env;
    const query = new URLSearchParams({ key, email });
    return makeApp().request(`${publicUrl}/api/auth/local-sign-in?${query}`, {}, bindings);
  };

  it("works on this machine alone", async () => {
    const { email } = await somebody();
    const opened = await open("http://127.0.0.1:8787", email);
    expect([opened.status, opened.headers.get("location")]).toEqual([302, "/"]);
    expect(opened.headers.get("set-cookie")).toContain("__Host-outdial.session_token=");
    expect((await open("http://127.0.0.1:8787", email, "a guess")).status).toBe(401);
    expect((await open("https://outdial.example.com", email)).status).toBe(404);
  });
});
