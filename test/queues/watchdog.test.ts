import { createExecutionContext, env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { type ImportId, localKey, makeId, type WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { findImport } from "../../src/db/imports.ts";
import { keepReportTexts, readReportTexts } from "../../src/db/reports.ts";
import { beginUpload, startImport, storeParts } from "../../src/db/uploads.ts";
import { watchdog, watchImports } from "../../src/queues/watchdog.ts";
import {
  type Calling,
  completed,
  imported,
  partsKept,
  pausedBatch,
  withDialer,
  withHeldQueue,
} from "../support/workerd/imports.ts";
import { itemsOf, type Json, mintCallingWorkspace } from "../support/workerd/workspace.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const FILE = "phone\n+919876540001\n12\n";

async function upload(workspace: Calling, campaign: string, bindings: Env) {
  const request = new Request(`http://outdial.test/v1/campaigns/${campaign}/imports`, {
    method: "POST",
    body: FILE,
    headers: { authorization: `Bearer ${workspace.key}`, "content-type": "text/csv" },
  });
  const response = await makeApp().fetch(request, bindings, createExecutionContext());
  return { status: response.status, json: (await response.json()) as Json };
}

async function listOf(workspace: Calling, campaign: string): Promise<Json[]> {
  return itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`));
}

/** An upload that has stored a part and then stopped, as a crash leaves it. */
async function stoppedUpload(workspace: Calling, campaign: string, now: number) {
  const owner = workspace.id as WorkspaceId;
  const id = makeId("imp", owner, `stopped${crypto.randomUUID().slice(0, 6)}`);
  const db = database(env);
  await beginUpload(db, owner, {
    id,
    campaign: localKey("cmp", owner, campaign) ?? 0,
    fileName: null,
    options: { allowDuplicates: false },
    header: ["phone"],
    missingPlaceholders: [],
    createdAt: now,
  });
  const part = { rows: 1, body: '[[2,["+919876540001"]]]' };
  const store = (number: number, at: number) => storeParts(db, owner, id, number, [part], at);
  expect(await store(0, now)).toBe(true);
  return { id, owner, db, store };
}

describe("H11 the watchdog", () => {
  it("sends the message of an import again that has stood still for a minute", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const held = withHeldQueue();
    const { json } = await upload(workspace, campaign, held.env);
    const message = { workspace: workspace.id, import: json.id, part: 0 };
    held.sent.length = 0;
    const now = Date.now();
    await watchImports(held.env, now + MINUTE_MS - 5_000);
    expect(held.sent).not.toContainEqual(message);
    await watchImports(held.env, now + 2 * MINUTE_MS);
    await watchImports(held.env, now + 2 * MINUTE_MS + 1_000);
    expect(held.sent.filter((one) => one.import === json.id)).toEqual([message]);
    // This time it arrives.
    await watchImports(env as Env, now + 4 * MINUTE_MS);
    const done = await completed(workspace, campaign, String(json.id));
    expect(done).toMatchObject({ rowsTaken: 1, rejectedCount: 1 });
  });

  it("H35 an upload is taken though its message cannot be sent", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const INGEST = { send: () => Promise.reject(new Error("the queue is away")) };
    const reply = await upload(workspace, campaign, { ...env, INGEST } as unknown as Env);
    expect(reply.status).toBe(202);
    await watchImports(env as Env, Date.now() + MINUTE_MS + 1_000);
    await completed(workspace, campaign, String(reply.json.id));
  });

  it("removes an upload that stopped, and takes no part of it later", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const now = Date.now();
    const { id, owner, db, store } = await stoppedUpload(workspace, campaign, now);
    expect(await listOf(workspace, campaign)).toEqual([]);
    const path = `/v1/campaigns/${campaign}/imports/${id}`;
    expect((await workspace.ask(`GET ${path}`)).status).toBe(404);
    await watchImports(env as Env, now + 14 * MINUTE_MS);
    expect(await partsKept(id)).toBe(1);
    // A slow upload lives on.
    expect(await store(1, now + 14 * MINUTE_MS)).toBe(true);
    await watchImports(env as Env, now + 16 * MINUTE_MS);
    expect(await partsKept(id)).toBe(2);
    await watchImports(env as Env, now + 40 * MINUTE_MS);
    expect(await partsKept(id)).toBe(0);
    expect(await findImport(db, owner, id)).toBeNull();
    expect(await store(2, now + 41 * MINUTE_MS)).toBe(false);
    const whole = { rows: 1, parts: 1, warnings: [] };
    const entry = { actorKind: "key" as const, actor: null, ip: null, requestId: null };
    const deed = { action: "import.start", targetKind: "import", target: id, at: now };
    expect(await startImport(db, owner, id, whole, { ...entry, ...deed })).toBeNull();
    expect(await partsKept(id)).toBe(0);
  });

  it("takes an upload back that broke between D1 and the Dialer, once the Dialer answers", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const opened: ImportId[] = [];
    const lost = () => Promise.reject(new Error("Network connection lost."));
    const dialer = env.DIALER.get(env.DIALER.idFromName(workspace.id));
    const stub = dialer as unknown as { openImport: (...args: unknown[]) => Promise<unknown> };
    const away = withDialer({
      // It opens the import, and its answer is lost.
      openImport: async (id, of) => {
        opened.push(id);
        await stub.openImport(id, of);
        return lost();
      },
      dropImport: lost,
    });
    const reply = await upload(workspace, campaign, away);
    expect(reply.status).toBe(503);
    const [id] = opened;
    if (id === undefined) throw new Error("nothing was opened");
    expect(await listOf(workspace, campaign)).toEqual([]);
    await watchImports(away, Date.now());
    expect(await partsKept(id)).toBe(1);
    await watchImports(env as Env, Date.now() + 1);
    expect(await partsKept(id)).toBe(0);
    expect(await findImport(database(env), workspace.id as WorkspaceId, id)).toBeNull();
    const again = await imported(workspace, campaign, FILE);
    expect(again).toMatchObject({ rowsTaken: 1 });
  });

  it("takes an upload back that the Dialer refuses", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const refusal = { ok: false as const, code: "conflict" as const, message: "It is over." };
    const bindings = withDialer({ openImport: async () => refusal });
    const reply = await upload(workspace, campaign, bindings);
    expect(reply.status).toBe(409);
    expect(reply.json.error).toEqual({ code: "conflict", message: "It is over." });
    const left = await env.DB.prepare("SELECT id FROM imports WHERE workspace = ?")
      .bind(workspace.id)
      .all();
    expect(left.results).toEqual([]);
  });

  it("H7 keeps rejected rows for 30 days, and then says so", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const done = await imported(workspace, campaign, FILE);
    const path = `GET /v1/campaigns/${campaign}/imports/${done.id}/rejected.csv`;
    await watchImports(env as Env, Date.now() + 29 * DAY_MS);
    expect((await workspace.ask(path)).status).toBe(200);
    await watchImports(env as Env, Date.now() + 31 * DAY_MS);
    const gone = await workspace.ask(path);
    expect(gone.status).toBe(404);
    expect(gone.text).toContain("30 days");
  });
});

describe("once a minute", () => {
  it("removes texts of reports that are a day old", async () => {
    const owner = "ws_watchdogtest" as WorkspaceId;
    const db = database(env);
    const now = Date.now();
    await keepReportTexts(db, owner, "old", "{}", now - DAY_MS - 1);
    await keepReportTexts(db, owner, "new", "{}", now - DAY_MS + 1_000);
    await watchdog(env as Env, now);
    const kept = await readReportTexts(db, owner, ["old", "new"]);
    expect([...kept.keys()]).toEqual(["new"]);
  });

  it("every workspace with a live campaign is asked, though one fails", async () => {
    const live: Calling[] = [];
    for (let n = 0; n < 7; n++) {
      const workspace = await mintCallingWorkspace();
      await pausedBatch(workspace);
      live.push(workspace);
    }
    const over = await mintCallingWorkspace();
    await over.ask(`POST /v1/campaigns/${await pausedBatch(over)}/archive`);
    const idle = await mintCallingWorkspace();
    const asked: string[] = [];
    const DIALER = {
      idFromName: (name: string) => name,
      get: (name: string) => ({
        tick: async () => {
          asked.push(name);
          if (name === live[0]?.id) throw new Error("Network connection lost.");
        },
      }),
    };
    await watchdog({ ...env, DIALER } as unknown as Env, Date.now());
    expect(asked).toEqual(expect.arrayContaining(live.map((workspace) => workspace.id)));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).not.toContain(over.id);
    expect(asked).not.toContain(idle.id);
  });
});
