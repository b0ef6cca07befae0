import { describe, expect, it } from "vitest";
import {
  codeOf,
  itemsOf,
  type Json,
  listed,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

const PHONE = "+919876540001";
const HOUR = 3_600_000;

describe("a push", () => {
  it("returns the task, which can be read at once", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const context = { name: "Asha", order: { id: 7 } };
    const body = { campaign, phone: "+91 98765 40001", context, externalId: "lead-1" };
    const pushed = await workspace.ask("POST /v1/tasks", { body });
    expect(pushed.status, pushed.text).toBe(201);
    expect(pushed.json).toMatchObject({
      campaign,
      phone: PHONE,
      context,
      externalId: "lead-1",
      status: "paused",
      attempts: 0,
      warnings: [],
    });
    expect(pushed.json.taskId).toBe(pushed.json.id);
    const read = await workspace.ask(`GET /v1/tasks/${pushed.json.id}`);
    expect(read.json).toMatchObject({ id: pushed.json.id, phone: PHONE, context });
    const calls = await workspace.ask(`GET /v1/tasks/${pushed.json.id}/calls`);
    expect(calls.json).toEqual({ items: [], nextCursor: null });
  });

  it("H16 counts retries as attempts in total, where 0 reads as 1 with a warning", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace, { retries: 4 });
    for (const [body, maxAttempts, warned] of [
      [{ retries: 3, intervals: [1000, 1000] }, 3, []],
      [{ retries: 0 }, 1, ["retries"]],
      [{ maxAttempts: 2 }, 2, []],
      [{}, 5, []],
    ] as const) {
      const pushed = await workspace.ask("POST /v1/tasks", {
        body: { campaign, phone: PHONE, ...body },
      });
      const paths = (pushed.json.warnings as Json[]).map((warning) => warning.path);
      expect(paths).toEqual(warned);
      const read = await workspace.ask(`GET /v1/tasks/${pushed.json.id}`);
      expect(read.json.maxAttempts).toBe(maxAttempts);
    }
  });

  it("H17 says how many entries are needed, and warns of surplus ones", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const push = (body: Json) =>
      workspace.ask("POST /v1/tasks", { body: { campaign, phone: PHONE, ...body } });
    const few = await push({ retries: 3, intervals: [1000], priorities: [5] });
    expect(few.status).toBe(422);
    expect((few.json.error as { issues: unknown }).issues).toMatchObject([
      { path: "intervals", expected: expect.stringContaining("2"), got: "1 entry" },
      { path: "priorities", expected: expect.stringContaining("3"), got: "1 entry" },
    ]);
    const many = await push({ retries: 2, intervals: [1, 2, 3], priorities: [9, 8, 7] });
    expect(many.status).toBe(201);
    const warned = (many.json.warnings as Json[]).map((warning) => warning.path);
    expect(warned).toEqual(expect.arrayContaining(["intervals", "priorities"]));
    const read = await workspace.ask(`GET /v1/tasks/${many.json.id}`);
    expect(read.json.settings).toMatchObject({ priorities: { value: [9, 8], origin: "task" } });
    const alias = await push({ retries: 2, intervals: [1], priority: [3, 4] });
    expect(alias.status).toBe(201);
  });

  it("H17 is refused without agent and number anywhere", async () => {
    const workspace = await mintCallingWorkspace();
    const made = await workspace.ask("POST /v1/campaigns", {
      body: { name: "Bare", type: "realtime" },
    });
    const body = { campaign: made.json.id, phone: PHONE };
    const bare = await workspace.ask("POST /v1/tasks", { body });
    expect(pathsOf(bare)).toEqual(expect.arrayContaining(["agent", "from"]));
  });

  it("H33 shows each value with its origin", async () => {
    const workspace = await mintCallingWorkspace({ timezone: "Asia/Kolkata" });
    const campaign = await pausedCampaign(workspace, { start: 900, end: 1800 });
    const pushed = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: PHONE, start: 1000, end: 1200 },
    });
    const read = await workspace.ask(`GET /v1/tasks/${pushed.json.id}`);
    expect(read.json.settings).toMatchObject({
      start: { value: 1000, origin: "task" },
      end: { value: 1200, origin: "task" },
      timezone: { value: "Asia/Kolkata", origin: "campaign" },
      agent: { value: workspace.agent, origin: "campaign" },
      from: { value: "+918047112233", origin: "campaign" },
    });
  });

  it("H37 H38 is refused for an unknown campaign and one that is archived", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    await workspace.ask(`POST /v1/campaigns/${campaign}/archive`);
    const body = { campaign, phone: PHONE };
    expect((await workspace.ask("POST /v1/tasks", { body })).status).toBe(409);
    const nowhere = { ...body, campaign: "nonsense" };
    expect((await workspace.ask("POST /v1/tasks", { body: nowhere })).status).toBe(404);
    const without = await workspace.ask("POST /v1/tasks", { body: { phone: PHONE } });
    expect([404, 422]).toContain(without.status);
  });
});

describe("H9 the same push", () => {
  it("gives the same task for its Idempotency-Key, and a 409 for another body", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const headers = { "idempotency-key": "lead-77" };
    const body = { campaign, phone: PHONE };
    const first = await workspace.ask("POST /v1/tasks", { body, headers });
    const again = await workspace.ask("POST /v1/tasks", { body, headers });
    expect(again.status).toBe(201);
    expect(again.json.id).toBe(first.json.id);
    const other = await workspace.ask("POST /v1/tasks", {
      body: { ...body, phone: "+919876540002" },
      headers,
    });
    expect(other.status).toBe(409);
    expect(codeOf(other)).toBe("idempotency_conflict");
    const fresh = await workspace.ask("POST /v1/tasks", { body });
    expect(fresh.json.id).not.toBe(first.json.id);
  });

  it("keeps no refusal under a key", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const headers = { "idempotency-key": "lead-78" };
    const bad = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: "1" },
      headers,
    });
    expect(bad.status).toBe(422);
    const good = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: PHONE },
      headers,
    });
    expect(good.status).toBe(201);
  });

  it("gives the same task for its externalId", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const body = { campaign, phone: PHONE, externalId: "crm-5" };
    const first = await workspace.ask("POST /v1/tasks", { body });
    const again = await workspace.ask("POST /v1/tasks", { body });
    expect(again.status).toBe(201);
    expect(again.json.id).toBe(first.json.id);
  });
});

describe("a bulk push", () => {
  it("answers each task at its index", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const tasks = [
      { campaign, phone: PHONE },
      { campaign, phone: "98765" },
      { campaign, phone: "+919876540002", retries: 0 },
      { campaign: "cmp_nowhere00_1", phone: PHONE },
    ];
    const pushed = await workspace.ask("POST /v1/tasks/bulk", { body: { tasks } });
    expect(pushed.status).toBe(201);
    expect(pushed.json).toMatchObject({ taken: 2, refused: 2 });
    expect(itemsOf(pushed)).toMatchObject([
      { phone: PHONE },
      { error: { code: "invalid", issues: [{ path: "tasks.1.phone" }] } },
      { phone: "+919876540002", warnings: [{ path: expect.stringContaining("retries") }] },
      { error: { code: "not_found" } },
    ]);
    expect(pushed.text).not.toContain('"98765"');
    await listed(workspace, `/v1/campaigns/${campaign}/tasks`, 2);
  });

  it("H36 repeated with its key takes nothing twice", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const headers = { "idempotency-key": "bulk-1" };
    const body = { tasks: [1, 2, 3].map((n) => ({ campaign, phone: `+91987654000${n}` })) };
    const first = await workspace.ask("POST /v1/tasks/bulk", { body, headers });
    const again = await workspace.ask("POST /v1/tasks/bulk", { body, headers });
    expect(itemsOf(again).map((item) => item.id)).toEqual(itemsOf(first).map((item) => item.id));
    await listed(workspace, `/v1/campaigns/${campaign}/tasks`, 3);
  });

  it("takes 1 to 1,000 tasks", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const task = { campaign, phone: PHONE };
    for (const tasks of [[], Array.from({ length: 1001 }, () => task), "none"]) {
      const reply = await workspace.ask("POST /v1/tasks/bulk", { body: { tasks } });
      expect(reply.status).toBe(422);
      expect(pathsOf(reply)).toEqual(["tasks"]);
    }
    const tasks = Array.from({ length: 1000 }, (_, n) => ({ ...task, externalId: `n${n}` }));
    const full = await workspace.ask("POST /v1/tasks/bulk", { body: { tasks } });
    expect(full.json).toMatchObject({ taken: 1000, refused: 0 });
  });
});

describe("H39 the guide's create-task", () => {
  it("takes the guide's body under the guide's path, with the bare key", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const body = {
      phone: PHONE,
      from: "+918047112233",
      agent: workspace.agent,
      start: 1000,
      end: 1800,
      timezone: "Asia/Kolkata",
      startAfter: new Date(Date.now() + HOUR).toISOString(),
      endAfter: Date.now() + 48 * HOUR,
      priorities: [100, 50],
      retries: 2,
      intervals: [180_000],
      retryOutcomes: ["voicemail"],
      context: { name: "Tarun" },
      campaign,
      somethingElse: { ignored: true },
    };
    for (const path of ["/routes/v1/tasks", "/routes/v1/tasks/"]) {
      const headers = { authorization: workspace.key };
      const pushed = await workspace.ask(`POST ${path}`, { body, headers });
      expect(pushed.status, pushed.text).toBe(201);
      expect(pushed.json).toMatchObject({ campaign, status: "paused", warnings: [] });
      expect(pushed.json.taskId).toBe(pushed.json.id);
      const read = await workspace.ask(`GET ${path.replace(/\/$/, "")}/${pushed.json.id}`);
      expect(read.json.settings).toMatchObject({ priorities: { value: [100, 50] } });
    }
    await listed(workspace, `/routes/v1/tasks/?campaign=${campaign}`, 2);
  });
});
