import { describe, expect, it } from "vitest";
import {
  type Json,
  made,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
} from "../support/workerd/workspace.ts";

describe("H2 batch campaigns", () => {
  it("need name, agent and number, and show what they were given", async () => {
    const workspace = await mintCallingWorkspace({
      timezone: "Asia/Kolkata",
      start: 900,
      end: 2100,
    });
    const { agent } = workspace;
    const body = { name: "January", type: "batch", agent, from: "+918047112233", retries: 2 };
    const reply = await workspace.ask("POST /v1/campaigns", { body });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.json).toMatchObject({
      name: "January",
      type: "batch",
      status: "scheduled",
      agent,
      from: "+918047112233",
      fromId: workspace.from,
      priority: "normal",
      timezone: "Asia/Kolkata",
      start: 900,
      end: 2100,
      retries: 2,
      maxAttempts: 3,
      slots: null,
    });
    expect(reply.json.sampleTask).toBeUndefined();
    const without = await workspace.ask("POST /v1/campaigns", {
      body: { name: "X", type: "batch" },
    });
    expect(pathsOf(without)).toEqual(expect.arrayContaining(["agent", "from"]));
  });

  it("H1 take no pushes", async () => {
    const workspace = await mintCallingWorkspace();
    const { agent, from } = workspace;
    const campaign = await made(workspace, "campaigns", { name: "X", type: "batch", agent, from });
    const body = { campaign, phone: "+919876540001" };
    expect((await workspace.ask("POST /v1/tasks", { body })).status).toBe(409);
  });
});

describe("H3 realtime campaigns", () => {
  it("need only a name, and return a sample that can be pushed as it stands", async () => {
    const workspace = await mintCallingWorkspace({ timezone: "Asia/Kolkata" });
    const body = { name: "Leads", type: "realtime", retries: 1, paused: true };
    const reply = await workspace.ask("POST /v1/campaigns", { body });
    expect(reply.json).toMatchObject({ priority: "normal", timezone: "Asia/Kolkata" });
    const sample = reply.json.sampleTask as Json;
    expect(sample).toMatchObject({
      campaign: reply.json.id,
      agent: workspace.agent,
      from: "+918047112233",
      retries: 2,
    });
    const pushed = await workspace.ask("POST /v1/tasks", { body: sample });
    expect(pushed.status, pushed.text).toBe(201);
    expect(pushed.json.warnings).toEqual([]);
  });

  it("H16 count retries as additional attempts", async () => {
    const workspace = await mintCallingWorkspace();
    for (const [body, maxAttempts] of [
      [{ retries: 0 }, 1],
      [{ retries: 3 }, 4],
      [{ maxAttempts: 3 }, 3],
      [{ retries: 2, maxAttempts: 3 }, 3],
      [{}, 1],
    ] as const) {
      const reply = await workspace.ask("POST /v1/campaigns", {
        body: { name: "X", type: "realtime", ...body },
      });
      expect(reply.json).toMatchObject({ maxAttempts, retries: maxAttempts - 1 });
    }
  });
});

describe("edits and moves", () => {
  it("H4 change what is given and keep the rest", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace, { retries: 1 });
    const body = { priority: "high", start: 900, end: 1000, slots: 4 };
    const edited = await workspace.ask(`PATCH /v1/campaigns/${campaign}`, { body });
    expect(edited.json).toMatchObject({ ...body, name: "Leads", retries: 1 });
    const read = await workspace.ask(`GET /v1/campaigns/${campaign}`);
    expect(read.json).toMatchObject(body);
    const type = await workspace.ask(`PATCH /v1/campaigns/${campaign}`, {
      body: { type: "batch" },
    });
    expect(type.status).toBe(409);
    const bad = await workspace.ask(`PATCH /v1/campaigns/${campaign}`, { body: { start: 900 } });
    expect(pathsOf(bad)).toEqual(["end"]);
  });

  it("H30 pause, resume and archive, and refuse a wrong move with its reason", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const move = (verb: string) => workspace.ask(`POST /v1/campaigns/${campaign}/${verb}`);
    expect((await move("pause")).status).toBe(409);
    expect((await move("resume")).json.status).toBe("scheduled");
    expect((await move("pause")).json.status).toBe("paused");
    expect((await move("archive")).json.status).toBe("archived");
    for (const verb of ["pause", "resume", "archive"]) {
      const wrong = await move(verb);
      expect(wrong.status).toBe(409);
      expect((wrong.json.error as Json).message).toContain("archived");
    }
    const edit = await workspace.ask(`PATCH /v1/campaigns/${campaign}`, { body: { name: "Y" } });
    expect(edit.status).toBe(409);
  });

  it("H9 repeat a creation with its Idempotency-Key", async () => {
    const workspace = await mintCallingWorkspace();
    const headers = { "idempotency-key": "campaign-1" };
    const body = { name: "Once", type: "realtime" };
    const first = await workspace.ask("POST /v1/campaigns", { body, headers });
    const second = await workspace.ask("POST /v1/campaigns", { body, headers });
    expect(second.status).toBe(201);
    expect(second.json.id).toBe(first.json.id);
    const other = await workspace.ask("POST /v1/campaigns", {
      body: { ...body, name: "Twice" },
      headers,
    });
    expect(other.status).toBe(409);
  });
});

describe("the list of campaigns", () => {
  it("is newest first and stable under inserts", async () => {
    const workspace = await mintCallingWorkspace();
    const ids: string[] = [];
    for (const name of ["A", "B", "C", "D", "E"])
      ids.push(await pausedCampaign(workspace, { name }));
    await poll(
      () => workspace.ask("GET /v1/campaigns"),
      (reply) => (reply.json.items as unknown[]).length === 5,
    );
    const first = await workspace.ask("GET /v1/campaigns?limit=2");
    await pausedCampaign(workspace, { name: "F" });
    const second = await workspace.ask(`GET /v1/campaigns?limit=2&cursor=${first.json.nextCursor}`);
    const third = await workspace.ask(`GET /v1/campaigns?limit=2&cursor=${second.json.nextCursor}`);
    const seen = [first, second, third].flatMap((page) => page.json.items as Json[]);
    expect(seen.map((item) => item.id)).toEqual(ids.toReversed());
    expect(third.json.nextCursor).toBeNull();
  });

  it("filters by type and status", async () => {
    const workspace = await mintCallingWorkspace();
    const paused = await pausedCampaign(workspace, { name: "Paused" });
    await made(workspace, "campaigns", { name: "Open", type: "realtime" });
    const query = "GET /v1/campaigns?type=realtime&status=paused";
    const listed = await poll(
      () => workspace.ask(query),
      (reply) => (reply.json.items as unknown[]).length > 0,
    );
    expect((listed.json.items as Json[]).map((item) => item.id)).toEqual([paused]);
    const none = await workspace.ask("GET /v1/campaigns?type=batch");
    expect(none.json.items).toEqual([]);
  });
});

describe("H39 the guide's paths", () => {
  it("take campaigns with or without the last slash, realtime by default", async () => {
    const workspace = await mintCallingWorkspace();
    for (const path of ["/routes/v1/campaigns", "/routes/v1/campaigns/"]) {
      const body = { name: "Leads", slots: 7, unknownField: true };
      const reply = await workspace.ask(`POST ${path}`, { body });
      expect(reply.status, path).toBe(201);
      expect(reply.json).toMatchObject({ type: "realtime", slots: 7 });
      const read = await workspace.ask(`GET ${path.replace(/\/$/, "")}/${reply.json.id}/`);
      expect(read.json.id).toBe(reply.json.id);
    }
  });

  it("answer a workspace without a campaign", async () => {
    const { ask: as } = await mintWorkspace();
    expect((await as("GET /routes/v1/tasks/")).json.items).toEqual([]);
    expect((await as("GET /routes/v1/campaigns/")).json.items).toEqual([]);
  });
});
