import { describe, expect, inject, it } from "vitest";
import {
  ask,
  codeOf,
  type Json,
  made,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

describe("the workspace", () => {
  it("shows its defaults and slots, and changes what is given", async () => {
    const { ask: as } = await mintWorkspace({
      slots: 3,
      timezone: "Asia/Kolkata",
      start: 1000,
      end: 1900,
    });
    const read = await as("GET /v1/workspace");
    expect(read.json).toMatchObject({
      slots: 3,
      slotsInUse: 0,
      timezone: "Asia/Kolkata",
      start: 1000,
      end: 1900,
    });
    const edited = await as("PATCH /v1/workspace", { body: { slots: 5, days: ["mon"] } });
    expect(edited.json).toMatchObject({ slots: 5, days: ["mon"], start: 1000 });
  });

  it("takes a default pair of its own, on one connection", async () => {
    const workspace = await mintCallingWorkspace();
    const body = { agent: workspace.agent, from: "+918047112233" };
    const edited = await workspace.ask("PATCH /v1/workspace", { body });
    expect(edited.json).toMatchObject({ ...body, fromId: workspace.from });
    const other = await made(workspace, "connections", {
      name: "Other",
      carrier: "simulator",
      settings: inject("carrier"),
    });
    const far = await made(workspace, "numbers", { phone: "+918047112299", connection: other });
    const wrong = await workspace.ask("PATCH /v1/workspace", { body: { from: far } });
    expect(wrong.status).toBe(422);
    expect(pathsOf(wrong)).toEqual(["from"]);
    const cleared = await workspace.ask("PATCH /v1/workspace", {
      body: { agent: null, from: null },
    });
    expect(cleared.json).toMatchObject({ agent: null, from: null });
  });
});

describe("connections", () => {
  it("never shows its settings, only which have a value", async () => {
    const workspace = await mintCallingWorkspace();
    const { apiKey, reportSecret } = inject("carrier");
    const read = await workspace.ask(`GET /v1/connections/${workspace.connection}`);
    expect(read.json.settingsGiven).toEqual(["apiKey", "baseUrl", "reportSecret"]);
    expect(read.text).not.toContain(apiKey);
    expect(read.text).not.toContain(reportSecret);
  });

  it("changes one setting and keeps the others", async () => {
    const workspace = await mintCallingWorkspace();
    const route = `PATCH /v1/connections/${workspace.connection}`;
    const good = await workspace.ask(route, {
      body: { settings: { apiKey: "next" }, perSecond: 0.5 },
    });
    expect(good.json).toMatchObject({
      settingsGiven: ["apiKey", "baseUrl", "reportSecret"],
      perSecond: 0.5,
    });
    const bad = await workspace.ask(route, { body: { settings: { apiKey: null } } });
    expect(pathsOf(bad)).toEqual(["settings.apiKey"]);
    const other = await workspace.ask(route, { body: { carrier: "another" } });
    expect(other.status).toBe(409);
  });

  it("refuses a carrier that nobody knows", async () => {
    const { ask: as } = await mintWorkspace();
    const body = { name: "X", carrier: "pigeon", settings: {} };
    expect(pathsOf(await as("POST /v1/connections", { body }))).toEqual(["carrier"]);
  });
});

describe("agents and numbers", () => {
  it("reads the placeholders of a prompt", async () => {
    const workspace = await mintCallingWorkspace();
    const body = {
      name: "B",
      connection: workspace.connection,
      carrierAgentId: "b",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
      prompt: "Hello ${name}, order ${orderId}",
    };
    const agent = await workspace.ask("POST /v1/agents", { body });
    expect(agent.json.placeholders).toEqual(["name", "orderId"]);
    const edited = await workspace.ask(`PATCH /v1/agents/${agent.json.id}`, {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
      body: { prompt: "Hello ${city}" },
    });
    expect(edited.json).toMatchObject({ placeholders: ["city"], name: "B" });
  });

  it("refuses outcomes that are built in, odd or there twice", async () => {
    const workspace = await mintCallingWorkspace();
    for (const outcomes of [
      [{ name: "busy" }],
      [{ name: "Not OK" }],
      [{ name: "a" }, { name: "a" }],
    ]) {
      const body = { name: "B", connection: workspace.connection, carrierAgentId: "b", outcomes };
      const reply = await workspace.ask("POST /v1/agents", { body });
      expect(reply.status, JSON.stringify(outcomes)).toBe(422);
      expect(pathsOf(reply)[0]).toMatch(/^outcomes/);
    }
  });

  it("never moves an agent or a number to another connection", async () => {
    const workspace = await mintCallingWorkspace();
    const other = await made(workspace, "connections", {
      name: "Other",
      carrier: "simulator",
      settings: inject("carrier"),
    });
    for (const path of [`agents/${workspace.agent}`, `numbers/${workspace.from}`]) {
      const reply = await workspace.ask(`PATCH /v1/${path}`, { body: { connection: other } });
      expect(reply.status).toBe(409);
    }
  });

  it("takes a number once for each connection", async () => {
    const workspace = await mintCallingWorkspace();
    const body = { phone: "+91 80471 12233", connection: workspace.connection };
    const again = await workspace.ask("POST /v1/numbers", { body });
    expect(again.status).toBe(409);
    const bad = await workspace.ask("POST /v1/numbers", { body: { ...body, phone: "80471" } });
    expect(pathsOf(bad)).toEqual(["phone"]);
  });

  it("deletes what nothing uses, and names what uses the rest", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const busy = await workspace.ask(`DELETE /v1/agents/${workspace.agent}`);
    expect(busy.status).toBe(409);
    expect(codeOf(busy)).toBe("in_use");
    expect(busy.text).toContain(campaign);
    expect((await workspace.ask(`DELETE /v1/numbers/${workspace.from}`)).status).toBe(409);
    const carried = await workspace.ask(`DELETE /v1/connections/${workspace.connection}`);
    expect(carried.text).toContain(workspace.agent);

    await workspace.ask(`POST /v1/campaigns/${campaign}/archive`);
    expect((await workspace.ask(`DELETE /v1/agents/${workspace.agent}`)).status).toBe(204);
    expect((await workspace.ask(`DELETE /v1/numbers/${workspace.from}`)).status).toBe(204);
    expect((await workspace.ask(`DELETE /v1/connections/${workspace.connection}`)).status).toBe(
      204,
    );
    expect((await workspace.ask(`GET /v1/agents/${workspace.agent}`)).status).toBe(404);
    expect((await workspace.ask(`DELETE /v1/agents/${workspace.agent}`)).status).toBe(404);
  });

  it("pages a list by its cursor", async () => {
    const workspace = await mintCallingWorkspace();
    for (const n of [1, 2, 3, 4]) {
      await made(workspace, "numbers", {
        phone: `+91804711220${n}`,
        connection: workspace.connection,
      });
    }
    const seen: unknown[] = [];
    let cursor: unknown = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page = await workspace.ask(`GET /v1/numbers?limit=2${query}`);
      seen.push(...(page.json.items as Json[]).map((item) => item.id));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
  });
});

describe("H40 the do-not-call list", () => {
  it("takes one number, shows it and takes it off", async () => {
    const { ask: as } = await mintWorkspace();
    const entered = await as("POST /v1/suppressions", {
      body: { phone: "+91 98765 40009", reason: "asked" },
    });
    expect(entered.status).toBe(201);
    expect(entered.json).toMatchObject({ id: "+919876540009", entered: 1, reason: "asked" });
    const listed = await as("GET /v1/suppressions");
    expect(listed.json.items).toMatchObject([{ phone: "+919876540009", source: "api" }]);
    expect((await as("DELETE /v1/suppressions/+919876540009")).status).toBe(204);
    expect((await as("DELETE /v1/suppressions/+919876540009")).status).toBe(404);
    expect((await as("GET /v1/suppressions")).json.items).toEqual([]);
    const bad = await as("POST /v1/suppressions", { body: { phone: "98765" } });
    expect(pathsOf(bad)).toEqual(["phone"]);
  });

  it("takes many, and reports those that cannot be read", async () => {
    const { ask: as } = await mintWorkspace();
    const suppressions = [{ phone: "+919876540001" }, { phone: "12" }, { phone: "+919876540002" }];
    const entered = await as("POST /v1/suppressions", { body: { suppressions } });
    expect(entered.json).toMatchObject({ entered: 2, rejectedCount: 1 });
    expect(entered.json.rejected).toMatchObject([{ index: 1 }]);
  });

  it("takes a CSV", async () => {
    const { ask: as } = await mintWorkspace();
    const headers = { "content-type": "text/csv" };
    const raw = "Phone,reason\n+919876540001,moved\n+919876540002,\nnobody,\n";
    const entered = await as("POST /v1/suppressions", { raw, headers });
    expect(entered.json).toMatchObject({ entered: 2, rejectedCount: 1 });
    const listed = await as("GET /v1/suppressions?limit=1");
    expect(listed.json.items).toMatchObject([{ reason: "moved", source: "csv" }]);
    const wrong = await as("POST /v1/suppressions", { raw: "number\n+91987\n", headers });
    expect(pathsOf(wrong)).toEqual(["header"]);
  });
});

describe("health", () => {
  it("answers when D1 and an object do", async () => {
    const reply = await ask("GET /healthz");
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({ status: "ok" });
  });
});
