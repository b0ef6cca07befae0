import { createExecutionContext, createMessageBatch, env, getQueueResult } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import type { ConnectionId, WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { keepReportTexts, readReportTexts } from "../../src/db/reports.ts";
import type { ReportMessage } from "../../src/queues/messages.ts";
import { handleDead, handleReports } from "../../src/queues/reports.ts";
import { mintCallingWorkspace } from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;

function messageFor(workspace: Calling, fields: Partial<ReportMessage> = {}): ReportMessage {
  return {
    workspace: workspace.id as WorkspaceId,
    connection: workspace.connection as ConnectionId,
    report: { call: null, carrierCallId: crypto.randomUUID(), news: { ...NO_NEWS, ended: true } },
    texts: null,
    cut: false,
    ...fields,
  };
}

async function consume<T>(
  handle: (batch: MessageBatch<T>, env: Env) => Promise<void>,
  bodies: T[],
  bindings: Env = env as Env,
) {
  const messages = bodies.map((body, index) => {
    return { id: `m${index}`, timestamp: new Date(), attempts: 1, body };
  });
  const batch = createMessageBatch<T>("outdial-reports", messages);
  await handle(batch, bindings);
  return getQueueResult(batch, createExecutionContext());
}

/** The same bindings with one that fails. */
function without(name: "DB" | "REPORTS" | "DIALER"): Env {
  const away = new Proxy(
    {},
    {
      get: () => () => {
        throw new Error(`${name} is away`);
      },
    },
  );
  return { ...env, [name]: away } as unknown as Env;
}

describe("the queue of reports", () => {
  it("acknowledges each message of every workspace", async () => {
    const one = await mintCallingWorkspace();
    const two = await mintCallingWorkspace();
    const result = await consume(handleReports, [
      messageFor(one),
      messageFor(two),
      messageFor(one),
    ]);
    expect(result.explicitAcks.toSorted()).toEqual(["m0", "m1", "m2"]);
    expect(result.retryMessages).toEqual([]);
  });

  it("H35 brings a message back later when the Dialer is away", async () => {
    const workspace = await mintCallingWorkspace();
    const result = await consume(handleReports, [messageFor(workspace)], without("DIALER"));
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages.map((message) => message.msgId)).toEqual(["m0"]);
  });

  it("hands over texts kept in D1 and deletes them then", async () => {
    const workspace = await mintCallingWorkspace();
    const id = crypto.randomUUID();
    const db = database(env);
    const owner = workspace.id as WorkspaceId;
    await keepReportTexts(db, owner, id, JSON.stringify({ transcript: [], analysis: {} }), 0);
    const result = await consume(handleReports, [messageFor(workspace, { texts: id })]);
    expect(result.explicitAcks).toEqual(["m0"]);
    expect((await readReportTexts(db, owner, [id])).size).toBe(0);
    const again = await consume(handleReports, [messageFor(workspace, { texts: id })]);
    expect(again.explicitAcks).toEqual(["m0"]);
  });

  it("brings only messages with kept texts back while D1 is away", async () => {
    const workspace = await mintCallingWorkspace();
    const bodies = [messageFor(workspace), messageFor(workspace, { texts: "kept" })];
    const result = await consume(handleReports, bodies, without("DB"));
    expect(result.explicitAcks).toEqual(["m0"]);
    expect(result.retryMessages.map((message) => message.msgId)).toEqual(["m1"]);
  });
});

describe("dead letters", () => {
  it("go back to the queue that they came from", async () => {
    const workspace = await mintCallingWorkspace();
    const REPORTS = { send: vi.fn(async () => undefined) };
    const INGEST = { send: vi.fn(async () => undefined) };
    const bindings = { ...env, REPORTS, INGEST } as unknown as Env;
    const report = messageFor(workspace);
    const ingest = { workspace: workspace.id as WorkspaceId, import: "imp_a_b" as never, part: 3 };
    const result = await consume(handleDead, [report, ingest], bindings);
    expect(REPORTS.send).toHaveBeenCalledExactlyOnceWith(report);
    expect(INGEST.send).toHaveBeenCalledExactlyOnceWith(ingest);
    expect(result.explicitAcks.toSorted()).toEqual(["m0", "m1"]);
  });

  it("wait on while their queue is away", async () => {
    const workspace = await mintCallingWorkspace();
    const result = await consume(handleDead, [messageFor(workspace)], without("REPORTS"));
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages).toHaveLength(1);
  });
});
