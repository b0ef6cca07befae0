import {
  createExecutionContext,
  env,
  evictDurableObject,
  runInDurableObject,
} from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import {
  ask,
  codeOf,
  mintCallingWorkspace,
  mintWorkspace,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

describe("keys", () => {
  it("shows a key once, in the reply that made it", async () => {
    const workspace = await mintWorkspace();
    const made = await workspace.ask("POST /v1/keys", { body: { name: "Website" } });
    expect(made.status).toBe(201);
    const listed = await workspace.ask("GET /v1/keys");
    expect(listed.text).not.toContain(String(made.json.apiKey));
    expect(listed.text).toContain(String(made.json.prefix));
    expect((listed.json.items as unknown[]).length).toBe(2);
  });

  it.each(["Bearer ", "bearer ", ""])("H39 takes a key with %j before it", async (before) => {
    const { key } = await mintWorkspace();
    const headers = { authorization: `${before}${key}` };
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(200);
  });

  it("H37 refuses what is no key, a forged one and none at all", async () => {
    const { key } = await mintWorkspace();
    const forged = `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
    for (const authorization of ["", "Bearer nonsense", forged]) {
      const reply = await ask("GET /v1/workspace", { headers: { authorization } });
      expect(reply.status).toBe(401);
      expect(codeOf(reply)).toBe("unauthorized");
      expect(reply.json.requestId).toBe(reply.headers.get("x-request-id"));
    }
  });

  it("refuses a revoked key in the very next request, push or not", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await workspace.ask("POST /v1/keys", { body: { name: "Website" } });
    const headers = { authorization: String(made.json.apiKey) };
    const push = () =>
      ask("POST /v1/tasks", { body: { campaign, phone: "+919876540001" }, headers });
    expect((await push()).status).toBe(201);
    const gone = await workspace.ask(`DELETE /v1/keys/${made.json.id}`);
    expect(gone.status).toBe(204);
    expect((await push()).status).toBe(401);
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
    expect((await workspace.ask(`DELETE /v1/keys/${made.json.id}`)).status).toBe(404);
  });

  it("refuses a key from the instant it expires", async () => {
    const workspace = await mintWorkspace();
    const body = { name: "Old", expiresAt: Date.now() - 1 };
    const made = await workspace.ask("POST /v1/keys", { body });
    const headers = { authorization: String(made.json.apiKey) };
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
  });

  it("looks a key up in D1 that the Dialer's copy lacks", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await workspace.ask("POST /v1/keys", { body: { name: "Lost" } });
    const dialer = env.DIALER.get(env.DIALER.idFromName(workspace.id));
    await runInDurableObject(dialer, (_object, state) => {
      state.storage.sql.exec("DELETE FROM copy WHERE kind = 'key'");
    });
    await evictDurableObject(dialer);
    const headers = { authorization: String(made.json.apiKey) };
    const body = { campaign, phone: "+919876540001" };
    expect((await ask("POST /v1/tasks", { body, headers })).status).toBe(201);
  });

  it("makes workspaces with the admin secret alone", async () => {
    const { key } = await mintWorkspace();
    for (const authorization of ["", `Bearer ${key}`, "Bearer wrong"]) {
      const reply = await ask("POST /v1/workspaces", {
        body: { name: "X" },
        headers: { authorization },
      });
      expect(reply.status).toBe(401);
    }
  });

  it("answers 429 with Retry-After to a key that asks too often", async () => {
    const workspace = await mintWorkspace();
    const bindings = { ...env, REQUESTS_PER_SECOND: "2" } as unknown as Env;
    const app = makeApp();
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) {
      const headers = { authorization: workspace.key };
      const request = new Request("http://outdial.test/v1/keys", { headers });
      const reply = await app.fetch(request, bindings, createExecutionContext());
      statuses.push(reply.status);
      if (reply.status === 429) expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
      await reply.body?.cancel();
    }
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses).toContain(429);
  });
});
