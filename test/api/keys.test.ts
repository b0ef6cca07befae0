import {
  createExecutionContext,
  env,
  evictDurableObject,
  runInDurableObject,
} from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { sha256 } from "../../src/api/key-text.ts";
import { mac } from "../../src/carriers/secret.ts";
import { SCOPE_MAY, SCOPES } from "../../src/core/access.ts";
import { askWith, losing } from "../support/workerd/bindings.ts";
import {
  ask,
  codeOf,
  itemsOf,
  type Json,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
  type Reply,
  type Workspace,
} from "../support/workerd/workspace.ts";

const HOUR_MS = 3_600_000;
/** What `docs/security.md` gives to scanners. */
const LEAKED = /\b(?:outdial|od)_[a-z0-9]{6,16}_[a-z0-9]{1,16}_[a-z0-9]{32}_[0-9a-f]{32}\b/;

/** A key of the workspace, made by its first key or by another. */
async function key(workspace: Workspace, body: Json, by = workspace.key): Promise<Json> {
  const headers = { authorization: by };
  const reply = await ask("POST /v1/keys", { body: { name: "Key", ...body }, headers });
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
}

/** A push by a key. */
function push(apiKey: unknown, campaign: string, body: Json = {}, headers = {}): Promise<Reply> {
  return ask("POST /v1/tasks", {
    body: { campaign, phone: "+919876540001", ...body },
    headers: { authorization: String(apiKey), ...headers },
  });
}

async function auditOf(workspace: Workspace): Promise<Json[]> {
  const query = "SELECT * FROM audit WHERE workspace = ? AND action LIKE 'key.%' ORDER BY at, id";
  const { results } = await env.DB.prepare(query).bind(workspace.id).all<Json>();
  return results;
}

describe("keys", () => {
  it("shows a key once, in the reply that made it", async () => {
    const workspace = await mintWorkspace();
    const made = await workspace.ask("POST /v1/keys", { body: { name: "Website", scopes: ["*"] } });
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
    const made = await workspace.ask("POST /v1/keys", { body: { name: "Website", scopes: ["*"] } });
    const headers = { authorization: String(made.json.apiKey) };
    const push = () =>
      ask("POST /v1/tasks", { body: { campaign, phone: "+919876540001" }, headers });
    expect((await push()).status).toBe(201);
    const gone = await workspace.ask(`DELETE /v1/keys/${made.json.id}`);
    expect(gone.status).toBe(204);
    expect((await push()).status).toBe(401);
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
    expect((await workspace.ask(`DELETE /v1/keys/${made.json.id}`)).status).toBe(204);
    expect((await workspace.ask(`PATCH /v1/keys/${made.json.id}`, { body: {} })).status).toBe(404);
  });

  it("refuses a key from the instant it expires", async () => {
    const workspace = await mintWorkspace();
    const body = { name: "Old", scopes: ["*"], expiresAt: Date.now() - 1 };
    const made = await workspace.ask("POST /v1/keys", { body });
    const headers = { authorization: String(made.json.apiKey) };
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
  });

  it("looks a key up in D1 that the Dialer's copy lacks", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await workspace.ask("POST /v1/keys", {
      body: { name: "Lost", scopes: ["tasks:write"] },
    });
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

describe("scopes", () => {
  it("are required, known, and named where they are not", async () => {
    const workspace = await mintWorkspace();
    for (const scopes of [undefined, [], ["everything"], "tasks:write"]) {
      const reply = await workspace.ask("POST /v1/keys", { body: { name: "K", scopes } });
      expect(reply.status).toBe(422);
      expect(pathsOf(reply)[0]).toMatch(/^scopes/);
    }
  });

  it.each(SCOPES)("%s alone makes keys that do no more than it does", async (scope) => {
    const workspace = await mintWorkspace();
    const { apiKey } = await key(workspace, { scopes: [scope] });
    const mine = new Set(SCOPE_MAY[scope]);
    for (const wanted of SCOPES) {
      const headers = { authorization: String(apiKey) };
      const body = { name: "Child", scopes: [wanted] };
      const reply = await ask("POST /v1/keys", { body, headers });
      const within = SCOPE_MAY[wanted].every((permission) => mine.has(permission));
      expect(reply.status, `${scope} → ${wanted}`).toBe(mine.has("govern") && within ? 201 : 403);
    }
  });

  it("of a key cannot be widened by rolling a mightier one", async () => {
    const workspace = await mintWorkspace();
    const { apiKey } = await key(workspace, { scopes: ["admin"] });
    const headers = { authorization: String(apiKey) };
    const reply = await ask(`POST /v1/keys/${workspace.keyId}/roll`, { body: {}, headers });
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe("forbidden");
  });
});

describe("a key bound to one campaign", () => {
  it("pushes there, and sees no other campaign", async () => {
    const workspace = await mintCallingWorkspace();
    const mine = await pausedCampaign(workspace);
    const other = await pausedCampaign(workspace, { name: "Other" });
    const bound = await key(workspace, { scopes: ["tasks:write"], campaign: mine });
    expect(bound.campaign).toBe(mine);
    expect((await push(bound.apiKey, mine)).status).toBe(201);
    const refused = await push(bound.apiKey, other);
    const missing = await push(bound.apiKey, `${mine.slice(0, mine.lastIndexOf("_"))}_zzz`);
    const { requestId: _1, ...one } = refused.json;
    const { requestId: _2, ...two } = missing.json;
    expect(refused.status).toBe(404);
    expect(one).toEqual(two);
    const bulk = await ask("POST /v1/tasks/bulk", {
      body: { tasks: [other, mine].map((campaign) => ({ campaign, phone: "+919876540002" })) },
      headers: { authorization: String(bound.apiKey) },
    });
    expect(bulk.json).toMatchObject({ taken: 1, refused: 1 });
    const tasks = await workspace.ask(`GET /v1/campaigns/${other}/tasks`);
    expect(itemsOf(tasks)).toEqual([]);
  });

  it("does not see another's push by its Idempotency-Key", async () => {
    const workspace = await mintCallingWorkspace();
    const mine = await pausedCampaign(workspace);
    const other = await pausedCampaign(workspace, { name: "Other" });
    const bound = await key(workspace, { scopes: ["tasks:write"], campaign: mine });
    const again = { "idempotency-key": "lead-1" };
    expect((await push(workspace.key, other, {}, again)).status).toBe(201);
    expect((await push(bound.apiKey, other, {}, again)).status).toBe(404);
  });

  it("survives a restart of the Dialer as bound", async () => {
    const workspace = await mintCallingWorkspace();
    const mine = await pausedCampaign(workspace);
    const other = await pausedCampaign(workspace, { name: "Other" });
    const bound = await key(workspace, { scopes: ["tasks:write"], campaign: mine });
    await evictDurableObject(env.DIALER.get(env.DIALER.idFromName(workspace.id)));
    expect((await push(bound.apiKey, other)).status).toBe(404);
    expect((await push(bound.apiKey, mine)).status).toBe(201);
  });

  it("has tasks:write alone, and a realtime campaign of this workspace", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const batch = await pausedCampaign(workspace, { name: "List", type: "batch" });
    const foreign = await pausedCampaign(await mintCallingWorkspace());
    for (const scopes of [["*"], ["tasks:write", "read"], ["read"]]) {
      const reply = await workspace.ask("POST /v1/keys", { body: { name: "K", scopes, campaign } });
      expect([reply.status, pathsOf(reply)]).toEqual([422, ["scopes"]]);
    }
    for (const wrong of [batch, foreign, "nonsense", `${campaign}9`]) {
      const body = { name: "K", scopes: ["tasks:write"], campaign: wrong };
      const reply = await workspace.ask("POST /v1/keys", { body });
      expect([reply.status, pathsOf(reply)], wrong).toEqual([422, ["campaign"]]);
    }
  });
});

describe("the list of keys", () => {
  it("says who made each one, what it may do and what it replaces", async () => {
    const workspace = await mintWorkspace();
    const child = await key(workspace, { name: "Child", scopes: ["read"] });
    const rolled = await workspace.ask(`POST /v1/keys/${child.id}/roll`, { body: {} });
    expect(rolled.status, rolled.text).toBe(201);
    const listed = itemsOf(await workspace.ask("GET /v1/keys"));
    const of = (id: unknown) => listed.find((one) => one.id === id);
    expect(of(workspace.keyId)).toMatchObject({ scopes: ["*"], createdBy: null, replaces: null });
    const createdBy = { id: workspace.keyId, name: "First key" };
    expect(of(child.id)).toMatchObject({ name: "Child", scopes: ["read"], createdBy });
    expect(of(rolled.json.id)).toMatchObject({ createdBy, replaces: child.id, scopes: ["read"] });
  });

  it("names a key anew, and nothing else of it", async () => {
    const workspace = await mintWorkspace();
    const child = await key(workspace, { scopes: ["read"] });
    const body = { name: "Shop", scopes: ["*"], expiresAt: 1 };
    const edited = await workspace.ask(`PATCH /v1/keys/${child.id}`, { body });
    expect(edited.status).toBe(200);
    const { apiKey: _, ...shown } = child;
    expect(edited.json).toEqual({ ...shown, name: "Shop" });
  });

  it("says in which hour a key was last used, by a push too, with one write an hour", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const website = await key(workspace, { scopes: ["tasks:write"] });
    const reader = await key(workspace, { scopes: ["read"] });
    const sleeper = await key(workspace, { scopes: ["read"] });
    const before = Date.now();
    await push(website.apiKey, campaign);
    await ask("GET /v1/workspace", { headers: { authorization: String(reader.apiKey) } });
    const used = async () => {
      const items = itemsOf(await workspace.ask("GET /v1/keys"));
      return [website, reader, sleeper].map(
        ({ id }) => items.find((one) => one.id === id)?.lastUsedAt,
      );
    };
    const [one, two, three] = await poll(used, (all) => all[0] !== null && all[1] !== null);
    for (const at of [one, two]) {
      expect(Number(at) % HOUR_MS).toBe(0);
      expect(Number(at)).toBeGreaterThan(before - HOUR_MS);
    }
    expect(three).toBeNull();
    // Set aside by hand: within the hour nobody writes it again.
    await env.DB.prepare("UPDATE keys SET last_used_at = 0 WHERE id = ?").bind(website.id).run();
    await push(website.apiKey, campaign);
    await push(website.apiKey, campaign);
    expect((await used())[0]).toBe(0);
  });
});

describe("rolling", () => {
  const day = 24 * HOUR_MS;

  it("keeps both keys for a day, then only the new one", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const old = await key(workspace, { name: "Website", scopes: ["tasks:write"], campaign });
    const reply = await workspace.ask(`POST /v1/keys/${old.id}/roll`, { body: {} });
    expect(reply.status).toBe(201);
    const fresh = reply.json;
    expect(fresh).toMatchObject({ name: "Website", scopes: ["tasks:write"], campaign });
    expect(fresh.apiKey).not.toBe(old.apiKey);
    expect((await push(old.apiKey, campaign)).status).toBe(201);
    expect((await push(fresh.apiKey, campaign)).status).toBe(201);
    const listed = itemsOf(await workspace.ask("GET /v1/keys"));
    const expiresAt = Number(listed.find((one) => one.id === old.id)?.expiresAt);
    expect(Math.abs(expiresAt - Date.now() - day)).toBeLessThan(HOUR_MS);
    vi.useFakeTimers({ toFake: ["Date"], now: expiresAt });
    try {
      expect((await push(old.apiKey, campaign)).status).toBe(401);
      expect((await push(fresh.apiKey, campaign)).status).toBe(201);
    } finally {
      vi.useRealTimers();
    }
  });

  it("without an overlap ends the old one at once, in every kind of request", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const old = await key(workspace, { scopes: ["*"] });
    const body = { overlapHours: 0 };
    const { json } = await workspace.ask(`POST /v1/keys/${old.id}/roll`, { body });
    const headers = { authorization: String(old.apiKey) };
    expect((await push(old.apiKey, campaign)).status).toBe(401);
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
    expect((await push(json.apiKey, campaign)).status).toBe(201);
    const again = await workspace.ask(`POST /v1/keys/${old.id}/roll`, { body });
    expect(again.status).toBe(409);
  });

  it("never lengthens the old one's life, takes at most 30 days, and can give another end", async () => {
    const workspace = await mintWorkspace();
    const expiresAt = Date.now() + HOUR_MS;
    const old = await key(workspace, { scopes: ["read"], expiresAt });
    const fresh = await workspace.ask(`POST /v1/keys/${old.id}/roll`, { body: {} });
    expect(fresh.json.expiresAt).toBe(expiresAt);
    const listed = itemsOf(await workspace.ask("GET /v1/keys"));
    expect(listed.find((one) => one.id === old.id)?.expiresAt).toBe(expiresAt);
    const lasting = await workspace.ask(`POST /v1/keys/${old.id}/roll`, {
      body: { expiresAt: null },
    });
    expect(lasting.json.expiresAt).toBeNull();
    for (const overlapHours of [721, -1, "24"]) {
      const reply = await workspace.ask(`POST /v1/keys/${old.id}/roll`, { body: { overlapHours } });
      expect([reply.status, pathsOf(reply)]).toEqual([422, ["overlapHours"]]);
    }
  });

  it("can be done by the key itself", async () => {
    const workspace = await mintWorkspace();
    const body = { overlapHours: 0 };
    const reply = await workspace.ask(`POST /v1/keys/${workspace.keyId}/roll`, { body });
    expect(reply.status).toBe(201);
    expect((await workspace.ask("GET /v1/keys")).status).toBe(401);
  });
});

describe("revoking", () => {
  it("holds for pushes although its hand-over to the Dialer was lost once", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await key(workspace, { scopes: ["tasks:write"] });
    expect((await push(made.apiKey, campaign)).status).toBe(201);
    const gone = await askWith(losing(1), `DELETE /v1/keys/${made.id}`, workspace.key);
    expect(gone.status).toBe(204);
    expect((await push(made.apiKey, campaign)).status).toBe(401);
  });

  it("says so when the Dialer took it not at all, and holds once it is repeated", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await key(workspace, { scopes: ["*"] });
    const headers = { authorization: String(made.apiKey) };
    expect((await push(made.apiKey, campaign)).status).toBe(201);
    const lost = await askWith(losing(2), `DELETE /v1/keys/${made.id}`, workspace.key);
    expect(lost.status).toBe(503);
    // D1 has it: whatever does not go to the Dialer's copy is refused already.
    expect((await ask("GET /v1/workspace", { headers })).status).toBe(401);
    expect((await workspace.ask(`DELETE /v1/keys/${made.id}`)).status).toBe(204);
    expect((await push(made.apiKey, campaign)).status).toBe(401);
  });

  it("is healed by the Dialer's next flush where nobody repeats it", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const made = await key(workspace, { scopes: ["tasks:write"] });
    expect((await push(made.apiKey, campaign)).status).toBe(201);
    const lost = await askWith(losing(2), `DELETE /v1/keys/${made.id}`, workspace.key);
    expect(lost.status).toBe(503);
    await push(workspace.key, campaign);
    const reply = await poll(
      () => push(made.apiKey, campaign),
      ({ status }) => status === 401,
    );
    expect(codeOf(reply)).toBe("unauthorized");
  });

  it("of a key that never was is a 404", async () => {
    const workspace = await mintWorkspace();
    const other = await mintWorkspace();
    for (const id of [`${workspace.keyId.slice(0, -1)}0`, other.keyId, "nonsense"]) {
      expect((await workspace.ask(`DELETE /v1/keys/${id}`)).status).toBe(404);
    }
  });
});

describe("the text of a key", () => {
  it("is found by scanners, and a prefix alone is not", async () => {
    const workspace = await mintWorkspace();
    expect(workspace.key).toMatch(/^outdial_/);
    expect(`const key = "${workspace.key}";`).toMatch(LEAKED);
    const [first] = itemsOf(await workspace.ask("GET /v1/keys"));
    expect(String(first?.prefix)).not.toMatch(LEAKED);
  });

  it("of the form before goes on with every scope", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const part = workspace.id.slice(3);
    const head = `od_${part}_old1_${"s".repeat(32)}`;
    const old = `${head}_${await mac(env.SIGNING_SECRET, "key", head)}`;
    await env.DB.prepare(
      `INSERT INTO keys (id, workspace, version, created_at, name, prefix, hash, scopes)
       VALUES (?, ?, 1, 0, 'Old', ?, ?, '["*"]')`,
    )
      .bind(`key_${part}_old1`, workspace.id, `od_${part}_old1`, await sha256(old))
      .run();
    expect(old).toMatch(LEAKED);
    expect((await push(old, campaign)).status).toBe(201);
    const headers = { authorization: `Bearer ${old}` };
    expect((await ask("GET /v1/keys", { headers })).status).toBe(200);
  });
});

describe("the audit log", () => {
  it("has every change of a key with it, and never the key", async () => {
    const workspace = await mintWorkspace();
    const made = await key(workspace, { name: "Website", scopes: ["read"] });
    await workspace.ask(`PATCH /v1/keys/${made.id}`, { body: { name: "Shop" } });
    const rolled = await workspace.ask(`POST /v1/keys/${made.id}/roll`, { body: {} });
    await workspace.ask(`DELETE /v1/keys/${made.id}`);
    await workspace.ask(`DELETE /v1/keys/${made.id}`);
    const entries = await auditOf(workspace);
    expect(entries.map(({ action }) => action)).toEqual([
      "key.create",
      "key.edit",
      "key.roll",
      "key.revoke",
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({ actor_kind: "key", actor: workspace.keyId, target: made.id });
    }
    expect(entries[1]).toMatchObject({
      before: JSON.stringify({ name: "Website" }),
      after: JSON.stringify({ name: "Shop" }),
    });
    const text = JSON.stringify(entries);
    expect(text).toContain(String(rolled.json.id));
    expect(text).not.toMatch(LEAKED);
  });
});
