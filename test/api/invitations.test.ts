import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  Browser,
  entered,
  mailApi,
  mailed,
  mails,
  member,
  PASSWORD,
  type Somebody,
  signedIn,
  somebody,
} from "../support/workerd/people.ts";
import { codeOf, itemsOf, type Json, mintWorkspace } from "../support/workerd/workspace.ts";

const address = () => `${crypto.randomUUID()}@example.test`;
const invite = (by: Somebody, email: string, more: Json = {}) =>
  by.browser.ask("POST /v1/invitations", { body: { email, role: "operator", ...more } });
const NEW = { name: "Maya", password: PASSWORD };

describe("an invitation", () => {
  it("is mailed, shown to whoever has the link, and makes somebody new a member", async () => {
    const workspace = await mintWorkspace({ name: "Acme" });
    const admin = await member(workspace, "admin");
    const email = address();
    const made = await invite(admin, email.toUpperCase());
    expect(made.status, made.text).toBe(201);
    expect(made.json).toMatchObject({ email, role: "operator", createdBy: admin.id });
    const week = Number(made.json.expiresAt) - Number(made.json.createdAt);
    expect(week).toBe(7 * 24 * 3_600_000);
    const token = await mailed(email);
    expect(made.text).not.toContain(token);
    const browser = new Browser();
    const seen = await browser.ask(`GET /invitations/${token}`);
    expect(seen.json).toMatchObject({
      workspace: { id: workspace.id, name: "Acme" },
      email,
      role: "operator",
      known: false,
    });
    const joined = await browser.ask(`POST /invitations/${token}`, { body: NEW });
    expect([joined.status, joined.json.role]).toEqual([201, "operator"]);
    const me = await browser.ask("GET /v1/me");
    expect(me.json).toMatchObject({ id: joined.json.person, email, name: "Maya" });
    expect(me.json.workspaces).toMatchObject([{ id: workspace.id, role: "operator" }]);
    const [entry] = await entered(workspace.id, "person.join");
    expect(entry).toMatchObject({ actor: joined.json.person, target: joined.json.person });
    expect(await entered(workspace.id, "invitation.create")).toMatchObject([
      { actor: admin.id, target: made.json.id },
    ]);
    // Used up.
    expect((await browser.ask(`GET /invitations/${token}`)).status).toBe(404);
    expect((await browser.ask(`POST /invitations/${token}`, { body: NEW })).status).toBe(404);
    expect(itemsOf(await admin.browser.ask("GET /v1/invitations"))).toEqual([]);
    // D1 has what proves the token, not the token.
    const rows = await env.DB.prepare("SELECT * FROM invitations WHERE id = ?")
      .bind(made.json.id)
      .all();
    expect(JSON.stringify(rows.results)).not.toContain(token.slice(-32));
  });

  it("is accepted by somebody known who is signed in with the same address, and by no other", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const known = await somebody();
    await invite(owner, known.email);
    const token = await mailed(known.email);
    const nobody = new Browser();
    expect((await nobody.ask(`GET /invitations/${token}`)).json.known).toBe(true);
    // Not a way to set another's password.
    const taken = await nobody.ask(`POST /invitations/${token}`, { body: NEW });
    expect([taken.status, codeOf(taken)]).toEqual([409, "conflict"]);
    const other = await somebody();
    await signedIn(other);
    const refused = await other.browser.ask(`POST /invitations/${token}`, { body: NEW });
    expect([refused.status, codeOf(refused)]).toEqual([403, "forbidden"]);
    await signedIn(known);
    const foreign = { origin: "https://elsewhere.test" };
    const crossed = await known.browser.ask(`POST /invitations/${token}`, {
      body: {},
      headers: foreign,
    });
    expect(crossed.status).toBe(403);
    const joined = await known.browser.ask(`POST /invitations/${token}`, { body: {} });
    expect([joined.status, joined.json.person]).toEqual([201, known.id]);
  });

  it("is accepted once, whoever tries at the same time", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    await invite(owner, email);
    const token = await mailed(email);
    const replies = await Promise.all(
      [1, 2, 3].map(() => new Browser().ask(`POST /invitations/${token}`, { body: NEW })),
    );
    expect(replies.map((reply) => reply.status).filter((status) => status === 201)).toHaveLength(1);
    for (const { status } of replies) expect([201, 404, 409]).toContain(status);
    expect(itemsOf(await owner.browser.ask("GET /v1/people"))).toHaveLength(2);
    expect(await entered(workspace.id, "person.join")).toHaveLength(1);
  });

  it("ends when it is revoked, runs out, or another one to the address is made", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    const looks = (token: string) => new Browser().ask(`GET /invitations/${token}`);
    const accepts = (token: string) =>
      new Browser().ask(`POST /invitations/${token}`, { body: NEW });
    await invite(owner, email);
    const first = await mailed(email);
    const again = await invite(owner, email);
    const second = await mailed(email);
    expect(second).not.toBe(first);
    expect((await looks(first)).status).toBe(404);
    expect((await looks(second)).status).toBe(200);
    expect(itemsOf(await owner.browser.ask("GET /v1/invitations"))).toHaveLength(1);
    const gone = await owner.browser.ask(`DELETE /v1/invitations/${again.json.id}`);
    expect(gone.status).toBe(204);
    expect((await owner.browser.ask(`DELETE /v1/invitations/${again.json.id}`)).status).toBe(404);
    expect((await accepts(second)).status).toBe(404);
    expect(await entered(workspace.id, "invitation.revoke")).toHaveLength(1);
    const late = await invite(owner, email, { expiresInDays: 1 });
    const third = await mailed(email);
    await env.DB.prepare("UPDATE invitations SET expires_at = 1 WHERE id = ?")
      .bind(late.json.id)
      .run();
    expect((await looks(third)).status).toBe(404);
    expect((await accepts(third)).status).toBe(404);
    expect(itemsOf(await owner.browser.ask("GET /v1/people"))).toHaveLength(1);
  });

  it("with a token that is not quite the mailed one is unknown", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    await invite(owner, email);
    const token = await mailed(email);
    const last = token.endsWith("a") ? "b" : "a";
    for (const wrong of [token.slice(0, -1) + last, token.slice(0, -33), "inv_x", "x"]) {
      expect((await new Browser().ask(`GET /invitations/${wrong}`)).status, wrong).toBe(404);
    }
  });

  it("takes no weak password, and needs a name", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    await invite(owner, email);
    const token = await mailed(email);
    const bodies = [
      { name: "Maya", password: "short" },
      { name: "Maya", password: "Dragon12345678" },
      { name: "Maya", password: "x".repeat(129) },
      { name: "Maya" },
      { password: PASSWORD },
    ];
    for (const body of bodies) {
      const reply = await new Browser().ask(`POST /invitations/${token}`, { body });
      expect([body, reply.status]).toEqual([body, 422]);
    }
  });
});

describe("who invites", () => {
  it("is an admin or an owner, and only an owner invites owners", async () => {
    const workspace = await mintWorkspace();
    for (const role of ["viewer", "operator"] as const) {
      const one = await member(workspace, role);
      for (const reply of [
        await invite(one, address()),
        await one.browser.ask("GET /v1/invitations"),
      ]) {
        expect([role, codeOf(reply)]).toEqual([role, "forbidden"]);
      }
    }
    const admin = await member(workspace, "admin");
    expect(codeOf(await invite(admin, address(), { role: "owner" }))).toBe("forbidden");
    const owner = await member(workspace, "owner");
    expect((await invite(owner, address(), { role: "owner" })).status).toBe(201);
  });

  it("leaves no open invitation behind when removed or demoted", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const second = await member(workspace, "owner");
    const [asOwner, asAdmin] = [address(), address()];
    await invite(second, asOwner, { role: "owner" });
    await invite(second, asAdmin, { role: "admin" });
    const open = async () =>
      itemsOf(await owner.browser.ask("GET /v1/invitations")).map((one) => one.email);
    await owner.browser.ask(`PATCH /v1/people/${second.id}`, { body: { role: "admin" } });
    expect(await open()).toEqual([asAdmin]);
    await owner.browser.ask(`DELETE /v1/people/${second.id}`);
    expect(await open()).toEqual([]);
    expect((await new Browser().ask(`GET /invitations/${await mailed(asAdmin)}`)).status).toBe(404);
  });

  it("does not invite who belongs already, nor into another workspace's invitations", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const viewer = await member(workspace, "viewer");
    expect(codeOf(await invite(owner, viewer.email))).toBe("conflict");
    const made = await invite(owner, address());
    const stranger = await member(await mintWorkspace(), "owner");
    const reply = await stranger.browser.ask(`DELETE /v1/invitations/${made.json.id}`);
    expect(reply.status).toBe(404);
    expect(itemsOf(await owner.browser.ask("GET /v1/invitations"))).toHaveLength(1);
  });

  it("hears of a mail that was not taken, and invites again", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    mailApi.status = 500;
    const failed = await invite(owner, email);
    mailApi.status = 200;
    expect([failed.status, codeOf(failed)]).toEqual([503, "unavailable"]);
    expect(mails.filter((mail) => mail.to === email)).toEqual([]);
    expect((await invite(owner, email)).status).toBe(201);
    expect(itemsOf(await owner.browser.ask("GET /v1/invitations"))).toHaveLength(1);
  });

  it("does not fill a mailbox: a 429 that says when to go on", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const email = address();
    for (let n = 0; n < 5; n++) expect((await invite(owner, email)).status).toBe(201);
    const refused = await invite(owner, email);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(60);
    expect(mails.filter((mail) => mail.to === email)).toHaveLength(5);
    expect((await invite(owner, address())).status).toBe(201);
  });
});
