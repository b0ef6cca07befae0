import { describe, expect, it } from "vitest";
import {
  ask,
  codeOf,
  type Json,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

const HOUR = 3_600_000;
const PHONE = "+919876540001";

describe("H38 what is not a good request", () => {
  it.each(["{", "", '{"a":}', "phone=1"])("answers 400 to the body %j", async (raw) => {
    const { ask: as } = await mintWorkspace();
    const reply = await as("POST /v1/campaigns", { raw });
    expect(reply.status).toBe(400);
    expect(codeOf(reply)).toBe("invalid_json");
    expect(reply.json.requestId).toBe(reply.headers.get("x-request-id"));
  });

  it.each(["[]", '"text"', "12", "null"])(
    "answers 422 to JSON that is no object: %s",
    async (raw) => {
      const { ask: as } = await mintWorkspace();
      const reply = await as("POST /v1/campaigns", { raw });
      expect(reply.status).toBe(422);
      expect(codeOf(reply)).toBe("invalid");
    },
  );

  it("reads a body as JSON whatever its content type says", async () => {
    const { ask: as } = await mintWorkspace();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const raw = '{"name":"Leads","type":"realtime"}';
    expect((await as("POST /v1/campaigns", { raw, headers })).status).toBe(201);
  });

  it("answers 404 in the same shape where there is no route", async () => {
    for (const route of ["GET /v1/nothing", "PUT /v1/tasks", "GET /v1"]) {
      const reply = await ask(route);
      expect(reply.status).toBe(404);
      expect(codeOf(reply)).toBe("not_found");
      expect(typeof reply.json.requestId).toBe("string");
    }
  });

  it("answers 413 to a body that is too large, and takes nothing of it", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const context = { text: "x".repeat(300 * 1024) };
    const reply = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: PHONE, context },
    });
    expect(reply.status).toBe(413);
    expect(codeOf(reply)).toBe("too_large");
  });

  it("keeps a request id that the client sends, unless it is odd", async () => {
    const id = "my-request-0001";
    const sent = await ask("GET /v1/nothing", { headers: { "x-request-id": id } });
    expect(sent.headers.get("x-request-id")).toBe(id);
    const odd = await ask("GET /v1/nothing", { headers: { "x-request-id": "a b" } });
    expect(odd.headers.get("x-request-id")).not.toBe("a b");
  });
});

describe("H38 wrong values name their path", () => {
  const campaigns: [string, Json, string][] = [
    ["no name", { name: undefined }, "name"],
    ["a name that is a number", { name: 7 }, "name"],
    ["an unknown type", { type: "dialler" }, "type"],
    ["an unknown band", { priority: "urgent" }, "priority"],
    ["start over 4759", { start: 4800, end: 4900 }, "start"],
    ["minutes over 59", { start: 1060, end: 1800 }, "start"],
    ["start without end", { start: 1000 }, "end"],
    ["equal hours", { start: 1000, end: 1000 }, "end"],
    ["an unknown day", { days: ["monday"] }, "days.0"],
    ["an unknown timezone", { timezone: "Asia/Nowhere" }, "timezone"],
    ["an end in the past", { endAfter: Date.now() - HOUR }, "endAfter"],
    [
      "an end before the start",
      { startAfter: Date.now() + 2 * HOUR, endAfter: Date.now() + HOUR },
      "endAfter",
    ],
    ["an instant without offset", { startAfter: "2030-01-01T10:00:00" }, "startAfter"],
    ["an unknown outcome", { retryOutcomes: ["never_heard"] }, "retryOutcomes.0"],
    ["a negative retry", { retries: -1 }, "retries"],
    ["two spellings that differ", { retries: 1, maxAttempts: 5 }, "maxAttempts"],
    ["an unknown agent", { agent: "agt_unknown000_x" }, "agent"],
    ["an unknown number", { from: "+15005550006" }, "from"],
    ["no slots at all", { slots: 0 }, "slots"],
    ["priorities on a batch", { type: "batch", priorities: [1] }, "priorities"],
  ];

  it("answers 422 for each of a campaign's fields, and creates nothing", async () => {
    const workspace = await mintCallingWorkspace();
    const { agent, from } = workspace;
    for (const [what, wrong, path] of campaigns) {
      const body = { name: "X", type: "realtime", agent, from, ...wrong };
      const reply = await workspace.ask("POST /v1/campaigns", { body });
      expect(reply.status, `${what}: ${reply.text}`).toBe(422);
      expect(pathsOf(reply), what).toContain(path);
    }
    const listed = await workspace.ask("GET /v1/campaigns");
    expect(listed.json.items).toEqual([]);
  });

  const tasks: [string, Json, string][] = [
    ["a phone without +", { phone: "9876540001" }, "phone"],
    ["letters in a phone", { phone: "+91call-me" }, "phone"],
    ["no phone", { phone: undefined }, "phone"],
    ["a phone that is a number", { phone: 919876540001 }, "phone"],
    ["start over 4759", { start: 4760, end: 4800 }, "start"],
    ["start without end", { start: 1000 }, "end"],
    ["an end in the past", { endAfter: 1 }, "endAfter"],
    ["an unknown timezone", { timezone: "Mars/Base" }, "timezone"],
    ["an unknown outcome", { retryOutcomes: ["never_heard"] }, "retryOutcomes.0"],
    ["priorities that are too short", { retries: 3, priorities: [1, 2] }, "priorities"],
    ["intervals that are too short", { retries: 3, intervals: [1000] }, "intervals"],
    ["a band", { priority: "high" }, "priority"],
    ["a context that is a list", { context: ["a"] }, "context"],
    ["an oversized context", { context: { text: "x".repeat(17_000) } }, "context"],
    [
      "a context that is too deep",
      { context: { a: { b: { c: { d: { e: { f: 1 } } } } } } },
      "context.a.b.c.d.e",
    ],
  ];

  it("answers 422 for each of a task's fields, and takes nothing", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    for (const [what, wrong, path] of tasks) {
      const body = { campaign, phone: PHONE, ...wrong };
      const reply = await workspace.ask("POST /v1/tasks", { body });
      expect(reply.status, `${what}: ${reply.text}`).toBe(422);
      expect(pathsOf(reply), what).toContain(path);
    }
    const read = await workspace.ask(`GET /v1/campaigns/${campaign}`);
    expect((read.json.counters as Json).paused).toBe(0);
  });

  it("quotes neither numbers nor secrets in an error", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const pushed = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: "98765 40001 ext" },
    });
    expect(pushed.status).toBe(422);
    expect(pushed.text).not.toContain("98765");
    const connection = await workspace.ask("POST /v1/connections", {
      body: {
        name: "X",
        carrier: "simulator",
        settings: { baseUrl: "secret-place", apiKey: 12_345_678, reportSecret: "hush" },
      },
    });
    expect(connection.status).toBe(422);
    expect(pathsOf(connection)).toContain("settings.baseUrl");
    expect(connection.text).not.toMatch(/secret-place|12345678|hush/);
  });

  it("refuses queries that no list has", async () => {
    const { ask: as } = await mintWorkspace();
    for (const query of ["limit=0", "limit=201", "limit=x", "cursor=abc", "type=other"]) {
      const reply = await as(`GET /v1/campaigns?${query}`);
      expect(reply.status, query).toBe(422);
      expect(pathsOf(reply)).toEqual([query.split("=")[0]]);
    }
  });
});

describe("H37 ids", () => {
  it("answers ids of another workspace exactly as unknown ones", async () => {
    const mine = await mintCallingWorkspace();
    const other = await mintCallingWorkspace();
    const campaign = await pausedCampaign(other);
    const task = await other.ask("POST /v1/tasks", { body: { campaign, phone: PHONE } });
    const key = await other.ask("POST /v1/keys", { body: { name: "K", scopes: ["*"] } });
    const part = mine.id.slice(3);
    const pairs: [string, string, string][] = [
      ["GET /v1/campaigns/", campaign, `cmp_${part}_zz`],
      ["PATCH /v1/campaigns/", campaign, `cmp_${part}_zz`],
      ["GET /v1/tasks/", String(task.json.id), `tsk_${part}_zz`],
      ["GET /v1/calls/", `cal_${other.id.slice(3)}_1`, `cal_${part}_zz`],
      ["GET /v1/agents/", other.agent, `agt_${part}_zz`],
      ["PATCH /v1/agents/", other.agent, `agt_${part}_zz`],
      ["DELETE /v1/agents/", other.agent, `agt_${part}_zz`],
      ["DELETE /v1/numbers/", other.from, `num_${part}_zz`],
      ["DELETE /v1/connections/", other.connection, `con_${part}_zz`],
      ["DELETE /v1/keys/", String(key.json.id), `key_${part}_zz`],
    ];
    for (const [route, theirs, unknown] of pairs) {
      const request = route.startsWith("PATCH") ? { body: { name: "Mine now" } } : {};
      const first = await mine.ask(route + theirs, request);
      const second = await mine.ask(route + unknown, request);
      expect(first.status, route).toBe(404);
      expect({ ...first.json, requestId: "" }).toEqual({ ...second.json, requestId: "" });
    }
    const moved = await mine.ask(`POST /v1/campaigns/${campaign}/archive`);
    expect(moved.status).toBe(404);
    const pushed = await mine.ask("POST /v1/tasks", { body: { campaign, phone: PHONE } });
    const nowhere = await mine.ask("POST /v1/tasks", {
      body: { campaign: `cmp_${part}_zz`, phone: PHONE },
    });
    expect(pushed.status).toBe(404);
    expect({ ...pushed.json, requestId: "" }).toEqual({ ...nowhere.json, requestId: "" });
    const still = await other.ask(`GET /v1/campaigns/${campaign}`);
    expect(still.json.status).toBe("paused");
  });

  it("takes no agent or number of another workspace", async () => {
    const mine = await mintCallingWorkspace();
    const other = await mintCallingWorkspace();
    const body = { name: "X", type: "realtime", agent: other.agent };
    const reply = await mine.ask("POST /v1/campaigns", { body });
    expect(reply.status).toBe(422);
    expect(pathsOf(reply)).toContain("agent");
    const agent = await mine.ask("POST /v1/agents", {
      body: { name: "X", carrierAgentId: "a", connection: other.connection },
    });
    expect(pathsOf(agent)).toEqual(["connection"]);
  });

  it("lists nothing of another workspace", async () => {
    const other = await mintCallingWorkspace();
    const campaign = await pausedCampaign(other);
    await other.ask("POST /v1/tasks", { body: { campaign, phone: PHONE } });
    await other.ask("POST /v1/suppressions", { body: { phone: "+919876540009" } });
    const mine = await mintWorkspace();
    for (const noun of ["campaigns", "tasks", "calls", "agents", "numbers", "suppressions"]) {
      const listed = await mine.ask(`GET /v1/${noun}`);
      expect(listed.json).toEqual({ items: [], nextCursor: null });
    }
  });
});
