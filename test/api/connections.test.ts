import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import { sealingKey } from "../../src/carriers/seal.ts";
import { askWith, losing } from "../support/workerd/bindings.ts";
import {
  ask,
  codeOf,
  itemsOf,
  type Json,
  made,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  poll,
} from "../support/workerd/workspace.ts";

const bindings = env as unknown as Env;
/** Before a second sealing key came, and after the first one went. */
const { SEALING_KEY_2: _two, ...before } = bindings as Env & { SEALING_KEY_2: string };
const { SEALING_KEY_1: _one, ...after } = bindings;

const deployed = { ...bindings, PUBLIC_URL: "https://outdial.acme.workers.dev" };

function connect(settings: Json, name = "Carrier") {
  return { name, carrier: "simulator", settings: { ...inject("carrier"), ...settings } };
}

/** How each connection is sealed: in D1, and in its Dialer's copy. */
async function sealedBy(workspace: string): Promise<{ stored: string[]; copied: string[] }> {
  const rows = await env.DB.prepare(
    "SELECT sealed FROM connections WHERE workspace = ? AND deleted_at IS NULL ORDER BY id",
  )
    .bind(workspace)
    .all<{ sealed: string }>();
  const dialer = env.DIALER.get(env.DIALER.idFromName(workspace));
  const copies = await runInDurableObject(dialer, (_object, state) =>
    state.storage.sql
      .exec<{ doc: string }>("SELECT doc FROM copy WHERE kind = 'connection' ORDER BY id")
      .toArray(),
  );
  const keyOf = (sealed: string) => sealed.split(".").slice(0, -1).join(".");
  return {
    stored: rows.results.map(({ sealed }) => keyOf(sealed)),
    copied: copies.map(({ doc }) => keyOf((JSON.parse(doc) as { sealed: string }).sealed)),
  };
}

/** Sealed as it was before there were sealing keys. */
async function sealedBefore(plain: string): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const secret = await crypto.subtle.importKey("raw", bytes(env.SIGNING_SECRET), "HKDF", false, [
    "deriveKey",
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: bytes("outdial"), info: bytes("seal v1") },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytes(plain));
  const whole = [...iv, ...new Uint8Array(sealed)].map((byte) => String.fromCharCode(byte));
  return `v1.${btoa(whole.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

type Walk = { seen: number; sealed: number };

/** Walks over all connections, as `npm run keys:rotate` does. */
async function walk(by = bindings): Promise<Walk> {
  const total = { seen: 0, sealed: 0 };
  let next: unknown = null;
  do {
    const body = { key: 2, after: next };
    const reply = await askWith(by, "POST /v1/connections/reseal", env.ADMIN_SECRET, body);
    expect(reply.status, reply.text).toBe(200);
    total.seen += Number(reply.json.seen);
    total.sealed += Number(reply.json.sealed);
    next = reply.json.next;
  } while (next !== null);
  return total;
}

describe("the secrets of a connection", () => {
  it("are shown by their last four characters, and short ones not at all", async () => {
    const workspace = await mintWorkspace();
    const apiKey = "simulated-key-of-a-carrier-9Qx7";
    const body = connect({ apiKey, reportSecret: "short", extra: { deep: "secret" } });
    const created = await workspace.ask("POST /v1/connections", { body });
    const shown = {
      apiKey: "…9Qx7",
      baseUrl: inject("carrier").baseUrl,
      extra: "…",
      reportSecret: "…",
    };
    expect(created.json.settings).toEqual(shown);
    const read = await workspace.ask(`GET /v1/connections/${created.json.id}`);
    const list = await workspace.ask("GET /v1/connections");
    expect(read.json.settings).toEqual(shown);
    expect(itemsOf(list)[0]?.settings).toEqual(shown);
    for (const { text } of [created, read, list]) expect(text).not.toContain(apiKey.slice(0, -4));
  });

  it("go with it when it is deleted", async () => {
    const workspace = await mintWorkspace();
    const id = await made(workspace, "connections", connect({}));
    expect((await workspace.ask(`DELETE /v1/connections/${id}`)).status).toBe(204);
    const row = env.DB.prepare("SELECT sealed FROM connections WHERE id = ?").bind(id);
    expect(await row.first("sealed")).toBe("");
  });
});

describe("the pace of a connection", () => {
  it("is what the carrier takes by default, unless somebody says another, or none", async () => {
    const workspace = await mintWorkspace();
    const twilio = { accountSid: `AC${"0a".repeat(16)}`, authToken: "token-1" };
    const bodies: [Json, number | null][] = [
      [{ carrier: "twilio", settings: twilio }, 1],
      [{ carrier: "twilio", settings: twilio, perSecond: 3 }, 3],
      [{ carrier: "twilio", settings: twilio, perSecond: null }, null],
      [{ carrier: "retell", settings: { apiKey: "key-1" } }, 5],
      [{ carrier: "simulator", settings: inject("carrier") }, null],
    ];
    for (const [body, perSecond] of bodies) {
      const reply = await workspace.ask("POST /v1/connections", { body: { name: "X", ...body } });
      expect([reply.status, reply.json.perSecond]).toEqual([201, perSecond]);
    }
  });
});

describe("a test of a connection", () => {
  it("asks the carrier with what is stored, and dials nobody", async () => {
    const workspace = await mintWorkspace();
    const id = await made(workspace, "connections", connect({}));
    const works = await workspace.ask(`POST /v1/connections/${id}/test`);
    expect(works.status, works.text).toBe(200);
    expect(works.json).toMatchObject({ works: true, said: null });
    // Every isolate has its copy for a minute: a test is of what was edited just now.
    const settings = { apiKey: "another-key-that-is-not-the-carrier's" };
    await workspace.ask(`PATCH /v1/connections/${id}`, { body: { settings } });
    const wrong = await workspace.ask(`POST /v1/connections/${id}/test`);
    expect(wrong.json).toMatchObject({ works: false, said: "simulator: test answered http 401" });
    expect((await workspace.ask("GET /v1/calls")).json.items).toEqual([]);
  });

  it("says that nobody answers, without a word of what was sent", async () => {
    const workspace = await mintWorkspace();
    const apiKey = "secret-of-this-test-that-is-nowhere";
    const nobody = connect({ baseUrl: "http://127.0.0.1:1", apiKey });
    const id = await made(workspace, "connections", nobody);
    const reply = await workspace.ask(`POST /v1/connections/${id}/test`);
    expect([reply.status, reply.json.works]).toEqual([200, false]);
    expect(reply.json.said).toBe("the carrier does not answer");
    expect(reply.text).not.toContain(apiKey);
  });
});

describe("the address of a carrier", () => {
  const inner = [
    "http://carrier.com",
    "https://127.0.0.1",
    "https://0x7f000001/v1",
    "https://2130706433",
    "https://017700000001",
    "https://[::ffff:7f00:1]",
    "https://localhost.",
    "https://169.254.169.254/latest/meta-data",
    "https://metadata.google.internal",
    "https://user:pass@carrier.com",
    "https://carrier.com:22",
    "https://outdial.acme.workers.dev.",
  ];

  it.each(inner)("is refused where it is stored, with its field: %s", async (baseUrl) => {
    const workspace = await mintWorkspace();
    const body = connect({ baseUrl });
    const reply = await askWith(deployed, "POST /v1/connections", workspace.key, body);
    expect([reply.status, pathsOf(reply)], reply.text).toEqual([422, ["settings.baseUrl"]]);
    expect(reply.text).not.toContain(inject("carrier").apiKey);
    const good = connect({ baseUrl: "https://api.carrier.com" });
    const stored = await askWith(deployed, "POST /v1/connections", workspace.key, good);
    expect(stored.status, stored.text).toBe(201);
    const path = `PATCH /v1/connections/${stored.json.id}`;
    const edit = await askWith(deployed, path, workspace.key, { settings: { baseUrl } });
    expect([edit.status, pathsOf(edit)]).toEqual([422, ["settings.baseUrl"]]);
  });

  it("is let through by OUTBOUND_ALLOW alone, and by that only without TLS", async () => {
    const workspace = await mintWorkspace();
    const body = connect({});
    const ask = (by: Env) => askWith(by, "POST /v1/connections", workspace.key, body);
    expect((await ask(bindings)).status).toBe(201);
    const { OUTBOUND_ALLOW: _, ...without } = bindings;
    expect((await ask(without)).status).toBe(422);
    expect((await ask({ ...bindings, OUTBOUND_ALLOW: "127.0.0.1:1" })).status).toBe(422);
    expect((await ask(deployed)).status).toBe(422);
  });
});

describe("moving a connection to another address", () => {
  it("needs its secrets again: they do not go where nobody sent them", async () => {
    const { apiKey, reportSecret, baseUrl } = inject("carrier");
    const workspace = await mintCallingWorkspace();
    const route = `PATCH /v1/connections/${workspace.connection}`;
    const edit = (settings: Json) => workspace.ask(route, { body: { settings } });
    const elsewhere = { baseUrl: "https://elsewhere.com" };
    const alone = await edit(elsewhere);
    expect([alone.status, pathsOf(alone)]).toEqual([
      422,
      ["settings.apiKey", "settings.reportSecret"],
    ]);
    expect(pathsOf(await edit({ ...elsewhere, apiKey }))).toEqual(["settings.reportSecret"]);
    expect((await edit({ baseUrl })).status).toBe(200);
    expect((await edit({ apiKey })).status).toBe(200);
    expect((await edit({ ...elsewhere, apiKey, reportSecret })).status).toBe(200);
  });
});

describe("changing the sealing key", () => {
  it("seals every connection anew, here and with its Dialer, and calls go on", async () => {
    const workspace = await mintWorkspace();
    const body = connect({ apiKey: inject("carrier").apiKey });
    const one = await askWith(before, "POST /v1/connections", workspace.key, body);
    const two = await askWith(before, "POST /v1/connections", workspace.key, body);
    expect([one.status, two.status]).toEqual([201, 201]);
    const old = await sealedBefore(JSON.stringify(inject("carrier")));
    await env.DB.prepare("UPDATE connections SET sealed = ? WHERE id = ?")
      .bind(old, two.json.id)
      .run();
    expect((await sealedBy(workspace.id)).stored.sort()).toEqual(["v1", "v2.1"]);
    expect((await walk()).sealed).toBe(2);
    const anew = ["v2.2", "v2.2"];
    expect(await sealedBy(workspace.id)).toEqual({ stored: anew, copied: anew });
    expect((await walk()).sealed).toBe(0);
    const [none] = await env.DB.prepare(
      "SELECT COUNT(*) FROM connections WHERE sealed LIKE 'v1.%' OR sealed LIKE 'v2.1.%'",
    ).raw<[number]>();
    expect(none).toEqual([0]);
    // The first key is gone, and nobody misses it.
    for (const { json } of [one, two]) {
      const read = await askWith(after as Env, `GET /v1/connections/${json.id}`, workspace.key);
      expect(read.json.settingsGiven).toEqual(["apiKey", "baseUrl", "reportSecret"]);
      const connection = String(json.id);
      const agent = await made(workspace, "agents", {
        name: "Asha",
        connection,
        carrierAgentId: "agent-1",
        settings: { ringMs: 0, talkMs: 0, analysisMs: 0 },
      });
      await made(workspace, "numbers", { phone: "+918047112233", connection });
      const campaign = { name: "Leads", type: "realtime", agent, from: "+918047112233" };
      const id = await made(workspace, "campaigns", campaign);
      const task = await made(workspace, "tasks", { campaign: id, phone: "+919876540001" });
      const calls = await poll(
        () => workspace.ask(`GET /v1/tasks/${task}/calls`),
        (reply) => itemsOf(reply)[0]?.carrierCallId != null,
      );
      expect(itemsOf(calls)).toHaveLength(1);
    }
  });

  it("goes on where a hand-over was lost, by another walk", async () => {
    const workspace = await mintWorkspace();
    const made = await askWith(before, "POST /v1/connections", workspace.key, connect({}));
    expect(made.status).toBe(201);
    const lost = await askWith(losing(1_000), "POST /v1/connections/reseal", env.ADMIN_SECRET, {
      key: 2,
      after: null,
    });
    expect(lost.status).toBe(503);
    await walk();
    expect(await sealedBy(workspace.id)).toEqual({ stored: ["v2.2"], copied: ["v2.2"] });
  });

  it("loses no edit that comes in between, and says so in the audit log", async () => {
    const workspace = await mintCallingWorkspace();
    await Promise.all([
      walk(),
      workspace.ask(`PATCH /v1/connections/${workspace.connection}`, {
        body: { settings: { reportSecret: "another-report-secret-of-the-test" } },
      }),
      walk(),
    ]);
    await walk();
    const read = await workspace.ask(`GET /v1/connections/${workspace.connection}`);
    expect(read.json.settings).toMatchObject({ reportSecret: "…test" });
    const made = await askWith(before, "POST /v1/connections", workspace.key, connect({}));
    await walk();
    const entry = await env.DB.prepare(
      "SELECT * FROM audit WHERE workspace = ? AND target = ? AND action = 'connection.reseal'",
    )
      .bind(workspace.id, made.json.id)
      .first<Json>();
    expect(entry).toMatchObject({ actor_kind: "deployment", after: '{"sealingKey":2}' });
  });

  it("is the deployment's alone, and waits until the new key is known", async () => {
    const { key } = await mintWorkspace();
    const body = { key: 2, after: null };
    for (const authorization of ["", key, "Bearer wrong"]) {
      const reply = await ask("POST /v1/connections/reseal", { body, headers: { authorization } });
      expect(reply.status).toBe(401);
    }
    expect([sealingKey(before as Env), sealingKey(bindings)]).toEqual([1, 2]);
    const early = await askWith(
      before as Env,
      "POST /v1/connections/reseal",
      env.ADMIN_SECRET,
      body,
    );
    expect([early.status, codeOf(early)]).toEqual([409, "conflict"]);
  });
});
