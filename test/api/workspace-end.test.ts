import { createExecutionContext, env, SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { endWorkspace } from "../../src/db/endings.ts";
import { watchdog } from "../../src/queues/watchdog.ts";
import { withDialer } from "../support/workerd/imports.ts";
import { entriesOf, member } from "../support/workerd/people.ts";
import {
  ask,
  codeOf,
  type Json,
  made,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
  type Workspace,
} from "../support/workerd/workspace.ts";

const NAME = { name: "Test" };
const end = (workspace: Pick<Workspace, "ask">, body: Json = NAME) =>
  workspace.ask("DELETE /v1/workspace", { body });

async function endsOf(workspace: string): Promise<Json[]> {
  return (await entriesOf(workspace)).filter(({ action }) => action === "workspace.end");
}

describe("DELETE /v1/workspace", () => {
  it("wants the workspace's name, and changes nothing without it", async () => {
    const workspace = await mintWorkspace();
    for (const body of [{}, { name: "Tesst" }, { name: "" }, { name: "test" }, { name: 7 }]) {
      const reply = await end(workspace, body);
      expect([reply.status, codeOf(reply), pathsOf(reply)]).toEqual([422, "invalid", ["name"]]);
    }
    expect((await workspace.ask("GET /v1/workspace")).status).toBe(200);
    expect(await endsOf(workspace.id)).toEqual([]);
  });

  it("is for owners and keys that may everything", async () => {
    const workspace = await mintWorkspace();
    const admin = await made(workspace, "keys", { name: "Admin", scopes: ["admin"] });
    const rolled = await workspace.ask(`POST /v1/keys/${admin}/roll`, { body: {} });
    const key = String(rolled.json.apiKey);
    const headers = { authorization: `Bearer ${key}` };
    expect((await ask("DELETE /v1/workspace", { body: NAME, headers })).status).toBe(403);
    for (const role of ["viewer", "operator", "admin"] as const) {
      const { browser } = await member(workspace, role);
      expect((await end(browser)).status).toBe(403);
    }
    const { id, browser } = await member(workspace, "owner");
    const reply = await end(browser);
    expect(reply.status, reply.text).toBe(202);
    expect(reply.json).toMatchObject({ id: workspace.id, callsOpen: 0 });
    expect(await endsOf(workspace.id)).toMatchObject([
      { actor_kind: "person", actor: id, target: workspace.id, at: reply.json.endedAt },
    ]);
  });

  it("lets nobody in from the very next request on", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const { browser } = await member(workspace, "owner");
    const ticket = new URL(String((await workspace.ask("POST /v1/live")).json.url));
    expect((await end(workspace)).status).toBe(202);
    const body = { campaign, phone: "+919876500001" };
    for (const route of ["GET /v1/workspace", "GET /v1/tasks", "POST /v1/live"]) {
      expect([route, (await workspace.ask(route)).status]).toEqual([route, 401]);
      expect([route, (await browser.ask(route)).status]).toEqual([route, 404]);
    }
    for (const route of ["POST /v1/tasks", "POST /routes/v1/tasks"]) {
      expect([route, (await workspace.ask(route, { body })).status]).toEqual([route, 401]);
      expect([route, (await browser.ask(route, { body })).status]).toEqual([route, 404]);
    }
    expect((await end(workspace)).status).toBe(401);
    expect((await browser.ask("GET /v1/me")).json.workspaces).toEqual([]);
    const headers = { upgrade: "websocket" };
    const socket = await SELF.fetch(`http://outdial.test/v1/live${ticket.search}`, { headers });
    expect(socket.status).toBe(401);
  });

  it("closes what people look at", async () => {
    const workspace = await mintWorkspace();
    const { search } = new URL(String((await workspace.ask("POST /v1/live")).json.url));
    const headers = { upgrade: "websocket" };
    const { webSocket } = await SELF.fetch(`http://outdial.test/v1/live${search}`, { headers });
    const closed: number[] = [];
    webSocket?.addEventListener("close", ({ code }) => closed.push(code));
    webSocket?.accept();
    await end(workspace);
    await poll(
      async () => closed,
      ({ length }) => length > 0,
    );
    expect(closed).toEqual([4003]);
  });

  it("ends once, however often and by how many it is asked for at a time", async () => {
    const workspace = await mintWorkspace();
    const replies = await Promise.all([1, 2, 3].map(() => end(workspace)));
    for (const { status } of replies) expect([202, 401]).toContain(status);
    expect(await endsOf(workspace.id)).toHaveLength(1);
  });

  it("refuses a key that a request made which had begun before", async () => {
    const workspace = await mintWorkspace();
    await end(workspace);
    // As its statement leaves it, when it comes after the end's.
    await env.DB.prepare("UPDATE keys SET deleted_at = NULL WHERE id = ?")
      .bind(workspace.keyId)
      .run();
    expect((await workspace.ask("GET /v1/workspace")).status).toBe(401);
    const push = await workspace.ask("POST /v1/tasks", { body: { campaign: "x", phone: "y" } });
    expect(push.status).toBe(401);
  });

  it("is neither ended nor recorded when D1 takes only a part", async () => {
    const workspace = await mintWorkspace();
    const db = database(env as Env);
    const entry = {
      ...{ actorKind: "key" as const, actor: null, ip: null, requestId: null },
      ...{ action: "workspace.end", targetKind: "workspace", target: workspace.id, at: 5 },
    };
    const broken = { ...entry, action: null as unknown as string };
    await expect(endWorkspace(db, workspace.id as WorkspaceId, broken)).rejects.toThrow();
    expect((await workspace.ask("GET /v1/workspace")).status).toBe(200);
    expect(await endsOf(workspace.id)).toEqual([]);
  });

  it("goes on without the Dialer, which the watchdog tells within a minute", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const away = withDialer({ end: () => Promise.reject(new Error("Network connection lost.")) });
    const request = new Request("http://outdial.test/v1/workspace", {
      method: "DELETE",
      body: JSON.stringify(NAME),
      headers: { authorization: `Bearer ${workspace.key}`, "content-type": "application/json" },
    });
    const reply = await makeApp().fetch(request, away, createExecutionContext());
    expect([reply.status, ((await reply.json()) as Json).callsOpen]).toEqual([202, null]);
    expect((await workspace.ask("GET /v1/workspace")).status).toBe(401);
    const kept = withDialer({
      vanish: async () => ({ ok: false, code: "in_use", message: "A call goes on." }),
    });
    await watchdog(kept, Date.now());
    const stored = await env.DB.prepare("SELECT archived_at FROM campaigns WHERE workspace = ?")
      .bind(workspace.id)
      .first<number>("archived_at");
    expect([typeof stored, campaign.length > 0]).toEqual(["number", true]);
    const body = { campaign, phone: "+919876500001" };
    expect((await workspace.ask("POST /v1/tasks", { body })).status).toBe(401);
  });
});

describe("retentionDays of the workspace", () => {
  it("is a whole number of days from 1 to 3650, or null for never", async () => {
    const workspace = await mintWorkspace();
    expect((await workspace.ask("GET /v1/workspace")).json.retentionDays).toBeNull();
    for (const retentionDays of [0, 3651, -1, 1.5, "30", true]) {
      const reply = await workspace.ask("PATCH /v1/workspace", { body: { retentionDays } });
      expect([reply.status, pathsOf(reply)]).toEqual([422, ["retentionDays"]]);
    }
    for (const retentionDays of [1, 3650, null]) {
      const reply = await workspace.ask("PATCH /v1/workspace", { body: { retentionDays } });
      expect([reply.status, reply.json.retentionDays]).toEqual([200, retentionDays]);
      const read = await workspace.ask("GET /v1/workspace");
      expect(read.json.retentionDays).toBe(retentionDays);
    }
    const edits = (await entriesOf(workspace.id)).filter(
      ({ action }) => action === "workspace.edit",
    );
    expect(edits.map(({ after }) => JSON.parse(String(after)))).toEqual([
      { retentionDays: 1 },
      { retentionDays: 3650 },
      { retentionDays: null },
    ]);
  });
});
