import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { Browser, member, ORIGIN, somebody } from "../support/workerd/people.ts";
import { mintWorkspace } from "../support/workerd/workspace.ts";

/** What GitHub says of whoever comes back from it. */
let account = { id: 0, email: "", verified: true };
const realFetch = globalThis.fetch;
globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
  const { hostname, pathname } = new URL(input instanceof Request ? input.url : String(input));
  if (!hostname.endsWith("github.com")) return realFetch(input, init);
  if (hostname === "github.com") {
    return Response.json({ access_token: "gho_x", token_type: "bearer", scope: "user:email" });
  }
  const { id, email, verified } = account;
  if (pathname === "/user/emails") return Response.json([{ email, verified, primary: true }]);
  return Response.json({ id, login: "maya", name: "Maya", email });
};

const bindings = { ...env, GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "secret" } as Env;
const app = makeApp();

/** Goes to GitHub and comes back; the session's cookie, or null. */
async function comesBack(id: number, email: string, verified = true): Promise<string | null> {
  account = { id, email, verified };
  const headers = { origin: ORIGIN, "content-type": "application/json" };
  const body = JSON.stringify({ provider: "github", callbackURL: "/" });
  const path = `${ORIGIN}/api/auth/sign-in/social`;
  const left = await app.request(path, { method: "POST", headers, body }, bindings);
  expect(left.status).toBe(200);
  const { url } = (await left.json()) as { url: string };
  const state = new URL(url).searchParams.get("state") ?? "";
  const cookie = left.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  const back = `${ORIGIN}/api/auth/callback/github?code=c&state=${encodeURIComponent(state)}`;
  const reply = await app.request(back, { headers: { cookie } }, bindings);
  expect(reply.status).toBe(302);
  const session = reply.headers
    .getSetCookie()
    .find((one) => one.startsWith("__Host-outdial.session_token="));
  return session?.split(";")[0] ?? null;
}

const emailOf = async (cookie: string | null) => {
  const browser = new Browser({ cookie: cookie ?? "" });
  return (await browser.ask("GET /v1/me")).json.email;
};

describe("an account at GitHub", () => {
  it("is offered only where it is set up whole", async () => {
    const offered = async (more: Partial<Env>) => {
      const reply = await app.request("/setup", {}, { ...env, ...more } as Env);
      return ((await reply.json()) as { accounts: string[] }).accounts;
    };
    expect(await offered({})).toEqual([]);
    expect(await offered({ GITHUB_CLIENT_ID: "id" })).toEqual([]);
    expect(await offered(bindings)).toEqual(["github"]);
  });

  it("signs somebody known in, by the same verified address", async () => {
    const one = await somebody();
    expect(await emailOf(await comesBack(1, one.email))).toBe(one.email);
    expect(await comesBack(2, (await somebody()).email, false)).toBe(null);
  });

  it("makes nobody who was not invited", async () => {
    expect(await comesBack(3, "stranger@example.test")).toBe(null);
    const sql = "SELECT COUNT(*) AS count FROM people WHERE email = 'stranger@example.test'";
    expect(await env.DB.prepare(sql).first("count")).toBe(0);
  });

  it("makes somebody whose verified address has an open invitation, and no member by itself", async () => {
    const owner = await member(await mintWorkspace(), "owner");
    const invite = (email: string) =>
      owner.browser.ask("POST /v1/invitations", { body: { email, role: "viewer" } });
    const [unproved, revoked, invited] = ["a@x.test", "b@x.test", "c@x.test"] as const;
    await invite(unproved);
    expect(await comesBack(4, unproved, false)).toBe(null);
    const { json } = await invite(revoked);
    await owner.browser.ask(`DELETE /v1/invitations/${json.id}`);
    expect(await comesBack(5, revoked)).toBe(null);
    await invite(invited);
    const cookie = await comesBack(6, invited);
    expect(await emailOf(cookie)).toBe(invited);
    const me = await new Browser({ cookie: cookie ?? "" }).ask("GET /v1/me");
    expect(me.json.workspaces).toEqual([]);
    const rows = await env.DB.prepare("SELECT * FROM accounts").all();
    expect(JSON.stringify(rows.results)).not.toContain("gho_x");
  });
});
