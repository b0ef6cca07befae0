import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { Browser, entriesOf, PASSWORD, signIn } from "../support/workerd/people.ts";
import { ask, codeOf, itemsOf, type Json, mintWorkspace } from "../support/workerd/workspace.ts";

const OWNER = {
  token: "test-setup-token-of-32-characters",
  name: "Maya",
  email: "Maya@Example.test",
  password: PASSWORD,
};
const count = (table: string) =>
  env.DB.prepare(`SELECT COUNT(*) AS count FROM ${table}`).first<number>("count");

/** In this order: a file has one D1, and it is set up once. */
describe("the first owner", () => {
  it("needs a name for a workspace where there is none", async () => {
    expect((await ask("GET /setup")).json).toEqual({
      ...{ open: true, needsWorkspace: true },
      accounts: [],
    });
    const reply = await ask("POST /setup", { body: OWNER });
    expect(reply.status).toBe(422);
    expect(reply.text).toContain("workspace.name");
  });

  it("needs the token, a password that is not common, and a workspace that is there", async () => {
    const workspace = { name: "Acme" };
    const wrong = await ask("POST /setup", { body: { ...OWNER, workspace, token: "a guess" } });
    expect([wrong.status, codeOf(wrong)]).toEqual([403, "forbidden"]);
    for (const password of ["short", "Password1234!", "passwordpassword", "123456789012"]) {
      const reply = await ask("POST /setup", { body: { ...OWNER, workspace, password } });
      expect([password, reply.status]).toEqual([password, 422]);
      expect(reply.text).not.toContain(password);
    }
    const unknown = { ...OWNER, workspace: { id: "ws_nothinghere" } };
    expect((await ask("POST /setup", { body: unknown })).status).toBe(422);
    expect(await count("people")).toBe(0);
    expect(await count("deployment")).toBe(0);
  });

  it("is not made from another page, nor where no token is set", async () => {
    const foreign = { origin: "https://elsewhere.test" };
    const body = { ...OWNER, workspace: { name: "Acme" } };
    expect((await ask("POST /setup", { body, headers: foreign })).status).toBe(403);
    const app = makeApp();
    const bare = { ...env, SETUP_TOKEN: undefined } as unknown as Env;
    const look = await app.request("/setup", {}, bare);
    expect(await look.json()).toMatchObject({ open: false, needsWorkspace: false });
    const init = { method: "POST", body: JSON.stringify({ ...body, token: "" }) };
    expect((await app.request("/setup", init, bare)).status).toBe(404);
  });

  it("is made once, whoever else tries at the same time", async () => {
    const there = await mintWorkspace({ name: "Main" });
    expect((await ask("GET /setup")).json).toMatchObject({ open: true, needsWorkspace: false });
    const browsers = [1, 2, 3, 4].map(() => new Browser());
    const replies = await Promise.all(
      browsers.map((browser, n) => {
        const body = { ...OWNER, email: `owner${n}@example.test`, workspace: { id: there.id } };
        return browser.ask("POST /setup", { body });
      }),
    );
    const winner = replies.findIndex((reply) => reply.status === 201);
    expect(winner, replies[0]?.text).toBeGreaterThanOrEqual(0);
    const others = replies.filter((_, n) => n !== winner).map((reply) => reply.status);
    for (const status of others) expect([404, 409]).toContain(status);
    expect([await count("people"), await count("members"), await count("deployment")]).toEqual([
      1, 1, 1,
    ]);
    const browser = browsers[winner] ?? new Browser();
    const me = await browser.ask("GET /v1/me");
    expect(me.json).toMatchObject({ email: `owner${winner}@example.test` });
    expect(me.json.workspaces).toMatchObject([{ id: there.id, name: "Main", role: "owner" }]);
    const [person] = itemsOf(await browser.ask("GET /v1/people"));
    expect(person).toMatchObject({ id: me.json.id, role: "owner" });
    const entries = await entriesOf(there.id);
    const made = entries.filter((entry: Json) => entry.action === "person.set_up");
    expect(made).toMatchObject([{ actor_kind: "person", actor: me.json.id }]);
    // The password is theirs from now on.
    const again = { email: String(me.json.email), browser: new Browser() };
    expect((await signIn(again)).status).toBe(200);
  });

  it("closes it for good: for the right token too, and without people", async () => {
    const closed = { open: false, needsWorkspace: false, accounts: [] };
    const body = { ...OWNER, workspace: { name: "Acme" } };
    const tried = async () => [
      (await ask("GET /setup")).json,
      (await ask("POST /setup", { body })).status,
      (await ask("POST /setup", { body: { ...body, token: "a guess" } })).status,
    ];
    expect(await tried()).toEqual([closed, 404, 404]);
    await env.DB.prepare("DELETE FROM people").run();
    expect(await tried()).toEqual([closed, 404, 404]);
  });

  it("is not made in a system with people, even without a row that closes it", async () => {
    await env.DB.batch([
      env.DB.prepare("DELETE FROM deployment"),
      env.DB.prepare("INSERT INTO people VALUES ('p', 'P', 'p@x.test', 1, NULL, NULL, 1, 1)"),
    ]);
    const body = { ...OWNER, workspace: { name: "Acme", slots: 3, timezone: "Asia/Kolkata" } };
    const reply = await ask("POST /setup", { body });
    expect([reply.status, codeOf(reply)]).toEqual([409, "conflict"]);
    await env.DB.prepare("DELETE FROM people").run();
    const browser = new Browser();
    const made = await browser.ask("POST /setup", { body });
    expect(made.status, made.text).toBe(201);
    const workspace = await browser.ask("GET /v1/workspace");
    expect(workspace.json).toMatchObject({ name: "Acme", slots: 3, timezone: "Asia/Kolkata" });
    expect((await browser.ask("GET /v1/me")).json.email).toBe("maya@example.test");
  });
});
