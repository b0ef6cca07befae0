import { createExecutionContext, createMessageBatch, env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { type ImportId, localKey, makeId, type WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { findImport } from "../../src/db/imports.ts";
import { keepReportTexts } from "../../src/db/reports.ts";
import { beginUpload, startImport, storeParts } from "../../src/db/uploads.ts";
import type { DialerVerbs } from "../../src/dialer/verbs.ts";
import { handleIngest } from "../../src/queues/ingest.ts";
import type { IngestMessage } from "../../src/queues/messages.ts";
import { dialerOf } from "../../src/shell/dialer.ts";
import { askWith } from "../support/workerd/bindings.ts";
import {
  type Calling,
  completed,
  imported,
  pausedBatch,
  send,
  withDialer,
  withHeldQueue,
} from "../support/workerd/imports.ts";
import { entered } from "../support/workerd/people.ts";
import { endedCall, signedReport } from "../support/workerd/report.ts";
import { rowsOfAll, tracesOf } from "../support/workerd/traces.ts";
import {
  ask,
  itemsOf,
  type Json,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
  type Reply,
} from "../support/workerd/workspace.ts";

const PHONE = "+919876540001";
/** What must be nowhere afterwards: the number, with or without its country, and what is his. */
const PERSONAL = ["9876540001", "Canarywala", "canaries sing"];
const SAID = {
  transcript: [{ role: "person", text: "canaries sing", atMs: 0 }],
  analysis: { summary: "canaries sing" },
  recordingUrl: "http://127.0.0.1:9/canaries sing.wav",
};

const erase = (workspace: Pick<Calling, "ask">, phone = PHONE) =>
  workspace.ask("POST /v1/erasures", { body: { phone } });
const traces = (workspace: Calling) => tracesOf(workspace.id, PERSONAL);
const push = (workspace: Calling, campaign: string, more: Json = {}) => {
  const body = { campaign, phone: PHONE, context: { name: "Canarywala" }, ...more };
  return workspace.ask("POST /v1/tasks", { body });
};

/** A task whose call the carrier has taken. */
async function called(workspace: Calling, campaign: string): Promise<{ task: string; call: Json }> {
  const pushed = await push(workspace, campaign);
  expect(pushed.status, pushed.text).toBe(201);
  const task = String(pushed.json.id);
  const [call = {}] = await poll(
    async () => itemsOf(await workspace.ask(`GET /v1/tasks/${task}/calls`)),
    (calls) => calls[0]?.carrierCallId != null,
  );
  return { task, call };
}

/** The carrier says that a call is over, and what was said. */
async function reported(workspace: Calling, call: Json, more: Json = {}): Promise<Reply> {
  const fields = { id: call.carrierCallId, endedReason: `hung up on ${PHONE}`, ...SAID, ...more };
  const report = await signedReport("call.ended", endedCall(fields));
  const reply = await workspace.ask(`POST /reports/${workspace.connection}`, report);
  expect(reply.status, reply.text).toBe(200);
  return reply;
}

/** A task once it is over, and has left the Dialer. */
function over(workspace: Calling, task: string): Promise<Reply> {
  return poll(
    () => workspace.ask(`GET /v1/tasks/${task}`),
    ({ json }) => json.status === "completed" || json.status === "archived",
  );
}

const FILE = `phone,name\n${PHONE},Canarywala\n98765-40001,Canarywala\n+919876540002,Sparrow\n`;

/** A file whose rows nobody has read yet, with the message that was held back. */
async function unread(
  workspace: Calling,
): Promise<{ batch: string; id: string; sent: IngestMessage[] }> {
  const batch = await pausedBatch(workspace);
  const held = withHeldQueue();
  const request = new Request(`http://outdial.test/v1/campaigns/${batch}/imports`, {
    method: "POST",
    body: FILE,
    headers: {
      authorization: `Bearer ${workspace.key}`,
      "content-type": "text/csv",
      "content-disposition": 'attachment; filename="canary 98765 40001.csv"',
    },
  });
  const reply = await makeApp().fetch(request, held.env, createExecutionContext());
  const { id } = (await reply.json()) as Json;
  expect(reply.status).toBe(202);
  return { batch, id: String(id), sent: held.sent };
}

function deliver(bodies: IngestMessage[], bindings: Env = env as Env): Promise<void> {
  const messages = bodies.map((body, index) => {
    return { id: `m${index}`, timestamp: new Date(), attempts: 1, body };
  });
  return handleIngest(createMessageBatch<IngestMessage>("outdial-ingest", messages), bindings);
}

/** A workspace in which one person is everywhere. */
async function full() {
  const workspace = await mintCallingWorkspace();
  const open = await pausedCampaign(workspace, { paused: false });
  const paused = await pausedCampaign(workspace);
  const done = await called(workspace, open);
  await reported(workspace, done.call);
  await over(workspace, done.task);
  const running = await called(workspace, open);
  const waits = await push(workspace, paused, { externalId: "order 98765 40001" });
  expect(waits.status, waits.text).toBe(201);
  const headers = { "idempotency-key": `lead ${PHONE}` };
  const body = { campaign: paused, phone: PHONE, context: { name: "Canarywala" } };
  expect((await workspace.ask("POST /v1/tasks", { body, headers })).status).toBe(201);
  const other = await push(workspace, paused, {
    phone: "+919876540003",
    context: { name: "Sparrow" },
  });
  const batch = await pausedBatch(workspace);
  const file = await imported(workspace, batch, `${FILE}${PHONE},Canarywala\n`);
  const later = await unread(workspace);
  const owner = workspace.id as WorkspaceId;
  const call = localKey("cal", owner, String(running.call.id));
  const texts = `${call}/${crypto.randomUUID().slice(0, 24)}`;
  await keepReportTexts(database(env), owner, texts, JSON.stringify(SAID), Date.now());
  const reason = `asked by ${PHONE}`;
  const entry = await workspace.ask("POST /v1/suppressions", { body: { phone: PHONE, reason } });
  expect(entry.status, entry.text).toBe(201);
  // D1 knows all of it.
  await poll(
    async () => itemsOf(await workspace.ask("GET /v1/tasks?limit=200")),
    ({ length }) => length === 7,
  );
  return {
    ...{ workspace, open, paused, batch, done, running, file, later, body, headers },
    other,
  };
}

/** The log has both requests; the Dialer's copy of the list catches up with the first. */
const COMES_LATE = /^\S+ (audit|meta|entry|suppressed) /;
/** For tests in which much is there, on a busy machine. */
const LONG = { timeout: 30_000 };

describe("POST /v1/erasures", () => {
  it("removes him from every table of D1 and of the object, and nobody else", LONG, async () => {
    const [ours, theirs] = [await full(), await full()];
    const { workspace, running, later } = ours;
    const before = await traces(workspace);
    const tables = new Set(before.map((row) => row.split(" ").slice(0, 2).join(" ")));
    expect([...tables].sort()).toEqual([
      ...["D1 audit", "D1 call_texts", "D1 calls", "D1 import_chunks", "D1 import_rejects"],
      ...["D1 imports", "D1 report_bodies", "D1 suppressions", "D1 tasks"],
      ...["object external", "object idempotency", "object task"],
    ]);
    const neighbour = await rowsOfAll(theirs.workspace.id);

    const reply = await erase(workspace);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.json).toEqual({
      phone: "+91••••••••01",
      tasks: 5,
      archived: 3,
      calls: 2,
      rows: 2,
      rejected: 2,
      suppressed: true,
    });
    expect(await traces(workspace)).toEqual([]);
    expect(await rowsOfAll(theirs.workspace.id)).toEqual(neighbour);
    const [entry] = await entered(workspace.id, "person.erase");
    expect(entry).toMatchObject({ actor: workspace.keyId, target: "+91••••••••01" });

    // What others have is as it was.
    const sparrow = await workspace.ask(`GET /v1/tasks/${String(ours.other.json.id)}`);
    expect(sparrow.json).toMatchObject({ phone: "+919876540003", context: { name: "Sparrow" } });

    // What comes late changes nothing.
    await reported(workspace, running.call);
    const ended = await over(workspace, running.task);
    expect(ended.json).toMatchObject({ status: "completed", phone: "", context: {} });
    await reported(workspace, ours.done.call, { talkMs: 9_000 });
    await deliver(later.sent);
    const report = await completed(workspace, later.batch, later.id);
    expect(report).toMatchObject({ rows: 3, rowsTaken: 1, rejected: { erased: 2 } });
    await scheduler.wait(1_200);
    expect(await traces(workspace)).toEqual([]);
    const calls = itemsOf(await workspace.ask("GET /v1/calls"));
    expect(calls).toMatchObject([
      { to: "", outcome: "connected", recordingUrl: null, word: null },
      { to: "", outcome: "connected", recordingUrl: null, word: null },
    ]);
    const call = await workspace.ask(`GET /v1/calls/${String(running.call.id)}`);
    expect(call.json).toMatchObject({ transcript: null, analysis: null });
    const campaign = await workspace.ask(`GET /v1/campaigns/${ours.open}`);
    expect(campaign.json).toMatchObject({ counters: { completed: 2, attempts: 2 } });
  });

  it(
    "H40 goes on refusing the number by its hash, however it is pushed or imported",
    LONG,
    async () => {
      const { workspace, paused, batch, body, headers } = await full();
      expect((await erase(workspace)).json.suppressed).toBe(true);
      const refused = async () => {
        const single = await push(workspace, paused);
        expect([single.status, pathsOf(single)]).toEqual([422, ["phone"]]);
        const tasks = [{ campaign: paused, phone: "0091 98765-40001" }];
        const bulk = await workspace.ask("POST /v1/tasks/bulk", { body: { tasks } });
        expect(bulk.json).toMatchObject({ taken: 0, refused: 1 });
        const file = await imported(workspace, batch, `phone\n${PHONE}\n`);
        expect(file.rejected).toEqual({ suppressed: 1 });
      };
      await refused();
      const [entry, ...others] = itemsOf(await workspace.ask("GET /v1/suppressions"));
      expect(others).toEqual([]);
      expect(entry).toMatchObject({ phone: null, reason: null, source: "api" });
      expect(entry?.id).toMatch(/^#/);
      // A client that repeats an old request hears what it heard, and nothing is made anew.
      const again = await workspace.ask("POST /v1/tasks", { body, headers });
      expect([again.status, again.json.phone]).toEqual([201, PHONE]);
      const { status } = (await workspace.ask(`GET /v1/tasks/${String(again.json.id)}`)).json;
      expect(status).toBe("archived");
      // He may be taken off the list by his number, and by the hash.
      const id = encodeURIComponent(PHONE);
      expect((await workspace.ask(`DELETE /v1/suppressions/${id}`)).status).toBe(204);
      expect((await push(workspace, paused)).status).toBe(201);
    },
  );

  it("is harmless to repeat, and finds nobody where nobody is", LONG, async () => {
    const { workspace } = await full();
    await erase(workspace);
    const rows = (await rowsOfAll(workspace.id)).filter((row) => !COMES_LATE.test(row));
    const zero = { tasks: 0, archived: 0, calls: 0, rows: 0, rejected: 0 };
    expect((await erase(workspace)).json).toMatchObject({ ...zero, suppressed: true });
    const again = (await rowsOfAll(workspace.id)).filter((row) => !COMES_LATE.test(row));
    expect(again).toEqual(rows);
    const nobody = await erase(workspace, "+919876549999");
    expect([nobody.status, nobody.json]).toMatchObject([200, { ...zero, suppressed: false }]);
    const odd = await erase(workspace, "98765");
    expect([odd.status, pathsOf(odd)]).toEqual([422, ["phone"]]);
  });

  it("tells of an entry that has expired that it refuses no more, and of one that was removed", async () => {
    const workspace = await mintCallingWorkspace();
    const enter = (phone: string, more: Json = {}) =>
      workspace.ask("POST /v1/suppressions", { body: { phone, ...more } });
    await enter(PHONE, { expiresAt: Date.now() + 60_000 });
    await env.DB.prepare("UPDATE suppressions SET expires_at = 5 WHERE workspace = ?")
      .bind(workspace.id)
      .run();
    expect((await erase(workspace)).json.suppressed).toBe(false);
    await enter("+919876540002");
    await workspace.ask(`DELETE /v1/suppressions/${encodeURIComponent("+919876540002")}`);
    expect((await erase(workspace, "+919876540002")).json.suppressed).toBe(false);
    expect(await tracesOf(workspace.id, ["9876540001", "9876540002"])).toEqual([]);
  });

  it("finds names by which a client knows him, as they are spelt, in what has left the Dialer", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const names = ["9876540001", "098765-40001", "+91 98765 40001", "crm-919876540001", "crm-17"];
    for (const externalId of names) {
      expect((await push(workspace, campaign, { externalId })).status).toBe(201);
    }
    await workspace.ask(`POST /v1/campaigns/${campaign}/archive`);
    await poll(
      async () => (await rowsOfAll(workspace.id)).filter((row) => row.startsWith("object task ")),
      ({ length }) => length === 0,
    );
    expect((await erase(workspace)).json).toMatchObject({ tasks: 5, archived: 0 });
    expect(await traces(workspace)).toEqual([]);
    const tasks = itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/tasks`));
    expect(tasks.map((task) => task.externalId)).toEqual([null, null, null, null, "crm-17"]);
  });
});

describe("somebody who asked for the call by a form", () => {
  const AGREED = ["9876540001", "Canarywala", "203.0.113.77", "Canary/1.0", "shop.example/cart"];

  /** A form's post by him, as a browser sends it. */
  async function posted(workspace: Calling, campaign: string): Promise<void> {
    const origin = "https://shop.example";
    const body = { name: "F", campaign, consentText: "Yes.", origins: [origin] };
    const form = await workspace.ask("POST /v1/forms", {
      body: { ...body, fields: [{ name: "name", label: "Name" }] },
    });
    const reply = await ask(`POST /f/${form.json.id}`, {
      body: { phone: PHONE, consent: 1, name: "Canarywala" },
      headers: {
        ...{ origin, referer: `${origin}/cart`, "user-agent": "Canary/1.0" },
        "cf-connecting-ip": "203.0.113.77",
      },
    });
    expect(reply.status, reply.text).toBe(201);
  }

  it("leaves nothing of what he agreed to, whether his task waits or has left the Dialer", async () => {
    const workspace = await mintCallingWorkspace();
    const open = await pausedCampaign(workspace, { paused: false });
    const paused = await pausedCampaign(workspace);
    await posted(workspace, open);
    await posted(workspace, paused);
    const [done] = await poll(
      async () => itemsOf(await workspace.ask(`GET /v1/campaigns/${open}/tasks`)),
      (tasks) => tasks.length === 1,
    );
    const [call = {}] = await poll(
      async () => itemsOf(await workspace.ask(`GET /v1/tasks/${done?.id}/calls`)),
      (calls) => calls[0]?.carrierCallId != null,
    );
    await reported(workspace, call);
    await over(workspace, String(done?.id));
    await poll(
      async () => (await rowsOfAll(workspace.id)).filter((row) => row.startsWith("object task ")),
      ({ length }) => length === 1,
    );
    const found = await tracesOf(workspace.id, AGREED);
    expect(found.filter((row) => row.includes("203.0.113.77")).length).toBeGreaterThanOrEqual(2);
    expect((await erase(workspace)).status).toBe(200);
    expect(await tracesOf(workspace.id, AGREED)).toEqual([]);
    const task = await workspace.ask(`GET /v1/tasks/${done?.id}`);
    expect([task.json.phone, task.json.consent]).toEqual(["", null]);
    // Asked for again, it is another matter.
    await posted(workspace, paused);
  });
});

describe("two people who are erased at once", () => {
  it("both go from the part and the rejected rows that name them", LONG, async () => {
    const workspace = await mintCallingWorkspace();
    const other = "+919876540002";
    const done = await imported(workspace, await pausedBatch(workspace), `${FILE}9876540002,X\n`);
    expect(done.rejected).toEqual({ no_country_code: 2 });
    await unread(workspace);
    const replies = await Promise.all([erase(workspace), erase(workspace, other)]);
    expect(replies.map(({ json }) => [json.rows, json.rejected])).toEqual([
      [2, 1],
      [1, 1],
    ]);
    expect(await tracesOf(workspace.id, ["9876540001", "9876540002"])).toEqual([]);
  });
});

describe("an erasure that breaks off", () => {
  it("says that it is not sure while D1 has not heard of all, and is not done before", async () => {
    const workspace = await mintCallingWorkspace();
    const real = dialerOf(env as Env, workspace.id as WorkspaceId);
    const untold = withDialer({
      erase: async (...args) => {
        const reply = await real.erase(...args);
        return reply.ok ? { ...reply, value: { ...reply.value, told: false } } : reply;
      },
    });
    const reply = await askWith(untold, "POST /v1/erasures", workspace.key, { phone: PHONE });
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([503, "5"]);
    expect((await erase(workspace)).status).toBe(200);
  });

  it("is taken up by repeating it, wherever it broke off", LONG, async () => {
    const { workspace } = await full();
    let broken = 0;
    for (let step = 0; step < 60; step += 3) {
      const reply = await askWith(breaksAfter(step), "POST /v1/erasures", workspace.key, {
        phone: PHONE,
      });
      if (reply.status >= 500) broken += 1;
    }
    expect(broken).toBeGreaterThan(3);
    expect((await erase(workspace)).status).toBe(200);
    expect(await traces(workspace)).toEqual([]);
  });
});

/** Bindings of which D1 answers only so many statements. */
function breaksAfter(steps: number): Env {
  let left = steps;
  const DB = new Proxy(env.DB, {
    get: (db, name) => {
      const value: unknown = Reflect.get(db, name, db);
      if (typeof value !== "function") return value;
      const bound = value.bind(db) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        left -= 1;
        if (left < 0) throw new Error("D1_ERROR: Network connection lost.");
        return bound(...args);
      };
    },
  });
  return { ...env, DB } as unknown as Env;
}

describe("an import in flight brings nothing back", () => {
  it("whose part was taken, and not recorded, when he was erased", async () => {
    const workspace = await mintCallingWorkspace();
    const { batch, id, sent } = await unread(workspace);
    const real = dialerOf(env as Env, workspace.id as WorkspaceId);
    const ingest: DialerVerbs["ingest"] = async (request) => {
      const reply = await real.ingest(request);
      expect((await erase(workspace)).json).toMatchObject({ tasks: 1, rows: 2, rejected: 0 });
      return reply;
    };
    await deliver(sent, withDialer({ ingest }));
    const report = await completed(workspace, batch, id);
    expect(report).toMatchObject({ rows: 3, rowsTaken: 2, rejected: { no_country_code: 1 } });
    await scheduler.wait(800);
    expect(await traces(workspace)).toEqual([]);
  });

  it("whose part was read, and not taken, when he was erased", async () => {
    const workspace = await mintCallingWorkspace();
    const { batch, id, sent } = await unread(workspace);
    const real = dialerOf(env as Env, workspace.id as WorkspaceId);
    const ingest: DialerVerbs["ingest"] = async (request) => {
      expect((await erase(workspace)).json).toMatchObject({ tasks: 0, rows: 2 });
      return real.ingest(request);
    };
    await deliver(sent, withDialer({ ingest }));
    const report = await completed(workspace, batch, id);
    const rejected = { no_country_code: 1, erased: 1 };
    expect(report).toMatchObject({ rows: 3, rowsTaken: 1, rejected });
    await scheduler.wait(800);
    expect(await traces(workspace)).toEqual([]);
  });

  it("whose upload was still coming when he was erased", async () => {
    const workspace = await mintCallingWorkspace();
    const batch = await pausedBatch(workspace);
    const owner = workspace.id as WorkspaceId;
    const db = database(env);
    const id = makeId("imp", owner, "coming") as ImportId;
    await beginUpload(db, owner, {
      ...{
        id,
        campaign: localKey("cmp", owner, batch) ?? 0,
        fileName: null,
        createdAt: Date.now(),
      },
      ...{ options: { allowDuplicates: false }, header: ["phone"], missingPlaceholders: [] },
    });
    const part = { rows: 1, body: JSON.stringify([[2, [PHONE]]]) };
    await storeParts(db, owner, id, 0, [part], Date.now());
    expect((await erase(workspace)).json).toMatchObject({ rows: 1 });
    await storeParts(
      db,
      owner,
      id,
      1,
      [{ ...part, body: JSON.stringify([[3, [PHONE]]]) }],
      Date.now(),
    );
    const dialer = dialerOf(env as Env, owner);
    await dialer.openImport(id, batch as never);
    const entry = {
      ...{ actorKind: "key" as const, actor: null, ip: null, requestId: null, at: Date.now() },
      ...{ action: "import.start", targetKind: "import", target: id },
    };
    await startImport(db, owner, id, { rows: 2, parts: 2, warnings: [] }, entry);
    await deliver([{ workspace: owner, import: id, part: 0 }]);
    const done = await findImport(db, owner, id);
    expect(done).toMatchObject({ status: "completed", rowsTaken: 0, rejected: { erased: 2 } });
    expect(await traces(workspace)).toEqual([]);
  });

  it("and a file that comes afterwards is another matter", async () => {
    const workspace = await mintCallingWorkspace();
    await erase(workspace);
    const batch = await pausedBatch(workspace);
    const sent = await send(workspace, batch, FILE);
    const report = await completed(workspace, batch, String(sent.json.id));
    expect(report).toMatchObject({ rowsTaken: 2 });
  });
});
