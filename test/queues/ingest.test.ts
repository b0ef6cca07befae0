import { createExecutionContext, createMessageBatch, env, getQueueResult } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import type { ImportId, WorkspaceId } from "../../src/core/ids.ts";
import { refuse } from "../../src/core/result.ts";
import type { DialerVerbs } from "../../src/dialer/verbs.ts";
import { handleIngest } from "../../src/queues/ingest.ts";
import type { IngestMessage } from "../../src/queues/messages.ts";
import { watchImports } from "../../src/queues/watchdog.ts";
import { dialerOf } from "../../src/shell/dialer.ts";
import {
  type Calling,
  completed,
  type File,
  partsKept,
  pausedBatch,
  rowsText,
  tasksOf,
  withDialer,
  withHeldQueue,
} from "../support/workerd/imports.ts";
import { type Json, mintCallingWorkspace, type Reply } from "../support/workerd/workspace.ts";

const MINUTE_MS = 60_000;

/** Delivers messages as the queue does. */
async function deliver(bodies: IngestMessage[], bindings: Env, attempts = 1) {
  const messages = bodies.map((body, index) => {
    return { id: `m${index}`, timestamp: new Date(), attempts, body };
  });
  const batch = createMessageBatch<IngestMessage>("outdial-ingest", messages);
  const retries = batch.messages.map((message) => vi.spyOn(message, "retry"));
  await handleIngest(batch, bindings);
  const delays = retries.flatMap((retry) => retry.mock.calls.map(([how]) => how?.delaySeconds));
  return { ...(await getQueueResult(batch, createExecutionContext())), delays };
}

/** Uploads a file with bindings of the test's own. */
async function upload(workspace: Calling, campaign: string, file: File, bindings: Env) {
  const request = new Request(`http://outdial.test/v1/campaigns/${campaign}/imports`, {
    method: "POST",
    body: file,
    headers: { authorization: `Bearer ${workspace.key}`, "content-type": "text/csv" },
  });
  const response = await makeApp().fetch(request, bindings, createExecutionContext());
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) as Json };
}

/** A campaign with an upload whose message is held back. */
async function heldImport(file: string) {
  const workspace = await mintCallingWorkspace();
  const campaign = await pausedBatch(workspace);
  const held = withHeldQueue();
  const reply = await upload(workspace, campaign, file, held.env);
  expect(reply.status, reply.text).toBe(202);
  const id = reply.json.id as ImportId;
  const messageFor = (part: number): IngestMessage => {
    return { workspace: workspace.id as WorkspaceId, import: id, part };
  };
  const read = (): Promise<Reply> => workspace.ask(`GET /v1/campaigns/${campaign}/imports/${id}`);
  return { workspace, campaign, id, messageFor, read, ...held };
}

const FILE = "phone,n\n+919876540001,1\n12,bad\n+919876540001,2\n+919876540002,3\n";
const REPORT = {
  status: "completed",
  rows: 4,
  rowsRead: 4,
  rowsTaken: 2,
  rejected: { no_country_code: 1, duplicate: 1 },
  problems: [
    { line: 3, reason: "no_country_code" },
    { line: 4, reason: "duplicate" },
  ],
  note: null,
};

/** What the Dialer itself does. */
function ingestOf(bindings: Env, workspace: Calling): DialerVerbs["ingest"] {
  const dialer = dialerOf(bindings, workspace.id as WorkspaceId);
  return (request) => dialer.ingest(request);
}

/** A database whose transactions fail until `heal` is called. */
function failingDatabase(): { DB: D1Database; heal: () => void } {
  let away = true;
  const DB = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === "batch" && away) {
        return () => Promise.reject(new Error("D1_ERROR: Network connection lost."));
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    DB,
    heal: () => {
      away = false;
    },
  };
}

describe("the queue of imports", () => {
  it("H36 takes each part once, however often and in whatever order its messages come", async () => {
    const one = await heldImport(`phone,name,n\n${rowsText(6_000)}${rowsText(3)}12,bad,\n`);
    expect(one.sent).toEqual([one.messageFor(0)]);
    expect(await partsKept(one.id)).toBe(3);
    const order = [2, 0, 0, 1, 2, 1, 0].map(one.messageFor);
    const result = await deliver(order, one.env);
    expect(result.explicitAcks).toHaveLength(order.length);
    const report = {
      status: "completed",
      rowsRead: 6_004,
      rowsTaken: 6_000,
      rejected: { duplicate: 3, no_country_code: 1 },
    };
    const done = (await one.read()).json;
    expect(done).toMatchObject(report);
    for (const message of order) await deliver([message], one.env);
    expect((await one.read()).json).toEqual(done);
    expect(await partsKept(one.id)).toBe(0);
    const { json } = await one.workspace.ask(`GET /v1/campaigns/${one.campaign}`);
    expect(json).toMatchObject({ counters: { paused: 6_000 } });
  });

  it("H36 takes each part once when two deliveries work side by side", async () => {
    const one = await heldImport(`phone,name,n\n${rowsText(6_000)}12,bad,\n`);
    const [first, second] = await Promise.all([
      deliver([one.messageFor(0)], one.env),
      deliver([one.messageFor(0)], one.env),
    ]);
    expect([...first.explicitAcks, ...second.explicitAcks]).toEqual(["m0", "m0"]);
    const { json } = await one.read();
    expect(json).toMatchObject({ status: "completed", rowsTaken: 6_000, rejectedCount: 1 });
    const download = await one.workspace.ask(
      `GET /v1/campaigns/${one.campaign}/imports/${one.id}/rejected.csv`,
    );
    expect(download.text.trimEnd().split("\r\n")).toHaveLength(2);
  });

  it("H35 goes on when a delivery that broke off comes again", async () => {
    const one = await heldImport(`phone,name,n\n${rowsText(3_000)}`);
    const breaking = withDialer(
      {
        ingest: (request) =>
          request.part === 0
            ? ingestOf(one.env, one.workspace)(request)
            : Promise.reject(new Error("Network connection lost.")),
      },
      one.env,
    );
    const broken = await deliver([one.messageFor(0)], breaking);
    expect(broken.retryMessages).toEqual([{ msgId: "m0" }]);
    expect((await one.read()).json).toMatchObject({ status: "running", rowsRead: 2_500 });
    // Another message for the part that is done is superfluous; the same one again is not.
    await deliver([one.messageFor(0)], one.env);
    expect((await one.read()).json).toMatchObject({ status: "running", rowsRead: 2_500 });
    await deliver([one.messageFor(0)], one.env, 2);
    expect((await one.read()).json).toMatchObject({ status: "completed", rowsTaken: 3_000 });
  });

  it("H11 no row is dialled before its import is complete", async () => {
    const one = await heldImport(`phone,name,n\n${rowsText(3_000)}`);
    const path = `/v1/campaigns/${one.campaign}`;
    await one.workspace.ask(`POST ${path}/resume`);
    const breaking = withDialer(
      {
        ingest: (request) =>
          request.part === 0
            ? ingestOf(one.env, one.workspace)(request)
            : Promise.reject(new Error("Network connection lost.")),
      },
      one.env,
    );
    await deliver([one.messageFor(0)], breaking);
    expect((await one.workspace.ask(`GET ${path}`)).json).toMatchObject({
      status: "scheduled",
      startsAt: null,
      counters: { queued: 2_500, running: 0, attempts: 0 },
      waiting: { reason: "import" },
    });
    await one.workspace.ask(`POST ${path}/pause`);
    await deliver([one.messageFor(1)], one.env);
    const { startsAt, startedAt } = (await one.workspace.ask(`GET ${path}`)).json;
    expect({ known: startsAt !== null, startedAt }).toEqual({ known: true, startedAt: null });
  });

  it("H35 asks the Dialer again when D1 breaks after it has answered, and counts rows once", async () => {
    const one = await heldImport(FILE);
    const { DB, heal } = failingDatabase();
    const bindings = { ...one.env, DB } as Env;
    const broken = await deliver([one.messageFor(0)], bindings);
    expect(broken.explicitAcks).toEqual([]);
    expect(broken.retryMessages).toEqual([{ msgId: "m0" }]);
    expect(broken.delays).toEqual([2]);
    expect((await one.read()).json).toMatchObject({ status: "running", rowsRead: 0 });
    heal();
    const again = await deliver([one.messageFor(0)], bindings);
    expect(again.explicitAcks).toEqual(["m0"]);
    expect((await one.read()).json).toMatchObject(REPORT);
    expect(await tasksOf(one.workspace, one.campaign, 2)).toHaveLength(2);
  });

  it("H35 H41 waits for a Dialer that is away, says so, and goes on by itself", async () => {
    const one = await heldImport(FILE);
    const away = withDialer(
      { ingest: () => Promise.reject(new Error("Network connection lost.")) },
      one.env,
    );
    const result = await deliver([one.messageFor(0)], away, 20);
    expect(result.retryMessages).toEqual([{ msgId: "m0" }]);
    expect(result.delays).toEqual([30]);
    expect((await one.read()).json.note).toMatch(/^Waits: /);
    await deliver([one.messageFor(0)], one.env);
    expect((await one.read()).json).toMatchObject(REPORT);
  });

  it("H11 H41 waits while the workspace is full, says so, and goes on by itself", async () => {
    const one = await heldImport(FILE);
    const full = withDialer({ ingest: async () => refuse("full", "There is no room.") }, one.env);
    const result = await deliver([one.messageFor(0)], full);
    expect(result.explicitAcks).toEqual(["m0"]);
    expect((await one.read()).json).toMatchObject({
      status: "running",
      note: "Waits: There is no room.",
    });
    one.sent.length = 0;
    await watchImports(one.env, Date.now() + MINUTE_MS);
    expect(one.sent).toContainEqual(one.messageFor(0));
    await deliver([one.messageFor(0)], one.env);
    expect((await one.read()).json).toMatchObject(REPORT);
  });

  it("H11 rejects rows that come after the campaign was archived, and completes", async () => {
    const one = await heldImport(FILE);
    await one.workspace.ask(`POST /v1/campaigns/${one.campaign}/archive`);
    await deliver([one.messageFor(0)], one.env);
    expect((await one.read()).json).toMatchObject({
      status: "completed",
      rowsTaken: 0,
      rejected: { no_country_code: 1, campaign_over: 3 },
    });
  });

  it("acknowledges what is unknown, of another workspace, or over", async () => {
    const one = await heldImport(FILE);
    const other = await mintCallingWorkspace();
    const unknown = { ...one.messageFor(0), import: "imp_aaaaaaaaaa_bb" as ImportId };
    const strange = { ...one.messageFor(0), workspace: other.id as WorkspaceId };
    for (const message of [unknown, strange]) {
      expect((await deliver([message], one.env)).explicitAcks).toEqual(["m0"]);
    }
    expect((await one.read()).json).toMatchObject({ status: "running", rowsRead: 0 });
  });

  it("works imports side by side, and retries only the one that fails", async () => {
    const good = await heldImport(FILE);
    const bad = await heldImport(FILE);
    const bindings = withDialer(
      {
        ingest: (request) => {
          if (request.import === bad.id) throw new Error("Network connection lost.");
          return ingestOf(good.env, good.workspace)(request);
        },
      },
      good.env,
    );
    const result = await deliver([bad.messageFor(0), good.messageFor(0)], bindings);
    expect(result.explicitAcks).toEqual(["m1"]);
    expect(result.retryMessages.map((one) => one.msgId)).toEqual(["m0"]);
    expect((await good.read()).json).toMatchObject(REPORT);
  });

  it("opens an import that the Dialer has forgotten", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const held = withHeldQueue(withDialer({ openImport: async () => ({ ok: true, value: null }) }));
    const reply = await upload(workspace, campaign, FILE, held.env);
    const [message] = held.sent;
    if (message === undefined) throw new Error("no message");
    await deliver([message], env as Env);
    const done = await completed(workspace, campaign, String(reply.json.id));
    expect(done).toMatchObject(REPORT);
  });

  it("H41 says when an import can never complete, and keeps what it has taken", async () => {
    const one = await heldImport(`phone,name,n\n${rowsText(6_000)}`);
    await env.DB.prepare("DELETE FROM import_chunks WHERE import = ? AND part = 1")
      .bind(one.id)
      .run();
    await deliver([one.messageFor(0)], one.env);
    const { json } = await one.read();
    expect(json).toMatchObject({ status: "failed", rowsRead: 2_500, rowsTaken: 2_500 });
    expect(json.note).toMatch(/^Failed: /);
    expect(await partsKept(one.id)).toBe(0);
    // Its rows wait for it no more.
    const after = await one.workspace.ask(`GET /v1/campaigns/${one.campaign}`);
    expect(after.json.startsAt).not.toBeNull();
  });
});
