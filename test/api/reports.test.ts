import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { reportUrl } from "../../src/carriers/report-url.ts";
import type { CallId, ConnectionId, WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { readReportTexts } from "../../src/db/reports.ts";
import type { ReportMessage } from "../../src/queues/messages.ts";
import { endedCall, signatureOf, signedReport } from "../support/workerd/report.ts";
import { ask, codeOf, mintCallingWorkspace } from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
const callOf = (workspace: { id: string }, local: string) =>
  `cal_${workspace.id.slice(3)}_${local}`;

/** A binding whose every call fails. */
const AWAY = new Proxy(
  {},
  {
    get: () => () => {
      throw new Error("D1_ERROR: Network connection lost.");
    },
  },
);

async function pathFor(workspace: Calling, call: string): Promise<string> {
  const { PUBLIC_URL, SIGNING_SECRET } = env;
  const connection = workspace.connection as ConnectionId;
  const url = await reportUrl(PUBLIC_URL, SIGNING_SECRET, connection, call as CallId);
  return url.slice(PUBLIC_URL.length);
}

describe("reports", () => {
  it("are taken once signed, for one call and for all, twice as well as once", async () => {
    const workspace = await mintCallingWorkspace();
    const call = callOf(workspace, "1");
    const report = await signedReport("call.ended", endedCall({ metadata: { callId: call } }));
    for (const path of [
      `/reports/${workspace.connection}`,
      await pathFor(workspace, call),
      await pathFor(workspace, call),
    ]) {
      const reply = await ask(`POST ${path}`, report);
      expect(reply.status, reply.text).toBe(200);
      expect(reply.json).toEqual({ received: 1, dropped: 0 });
    }
  });

  it("find their call by the carrier's id where ours is missing", async () => {
    const workspace = await mintCallingWorkspace();
    const report = await signedReport("call.ended", endedCall());
    const reply = await ask(`POST /reports/${workspace.connection}`, report);
    expect(reply.json).toEqual({ received: 1, dropped: 0 });
  });

  it("are refused when forged: no signature, another's, or another body", async () => {
    const workspace = await mintCallingWorkspace();
    const { raw } = await signedReport("call.ended", endedCall());
    const other = await signatureOf(`${raw} `);
    const headers: Record<string, string>[] = [
      {},
      { "x-simulator-signature": "t=1,v1=00" },
      { "x-simulator-signature": other },
    ];
    for (const one of headers) {
      const reply = await ask(`POST /reports/${workspace.connection}`, { raw, headers: one });
      expect(reply.status).toBe(401);
      expect(codeOf(reply)).toBe("unauthorized");
    }
  });

  it("are refused at an address whose MAC is not ours, signed or not", async () => {
    const workspace = await mintCallingWorkspace();
    const call = callOf(workspace, "1");
    const good = await pathFor(workspace, call);
    const report = await signedReport("call.ended", endedCall());
    for (const path of [
      good.replace(/\.[0-9a-f]+$/, `.${"0".repeat(32)}`),
      good.replace(call, callOf(workspace, "2")),
      `/reports/${workspace.connection}/${call}`,
    ]) {
      expect((await ask(`POST ${path}`, report)).status, path).toBe(401);
    }
  });

  it("are a 404 for a connection that is not there", async () => {
    const workspace = await mintCallingWorkspace();
    const report = await signedReport("call.ended", endedCall());
    for (const id of [`con_${workspace.id.slice(3)}_zz`, "nonsense"]) {
      expect((await ask(`POST /reports/${id}`, report)).status).toBe(404);
    }
  });

  it("H37 are dropped, with a 200, when their call is of another workspace", async () => {
    const workspace = await mintCallingWorkspace();
    const other = await mintCallingWorkspace();
    const metadata = { callId: callOf(other, "1") };
    const report = await signedReport("call.ended", endedCall({ metadata }));
    const reply = await ask(`POST /reports/${workspace.connection}`, report);
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({ received: 0, dropped: 1 });
  });

  it("are a 400 when signed but not readable, and a 413 over 1 MB", async () => {
    const workspace = await mintCallingWorkspace();
    for (const raw of ["{", '{"event":"call.ended"}']) {
      const headers = { "x-simulator-signature": await signatureOf(raw) };
      const reply = await ask(`POST /reports/${workspace.connection}`, { raw, headers });
      expect(reply.status).toBe(400);
      expect(codeOf(reply)).toBe("invalid_report");
    }
    const big = await ask(`POST /reports/${workspace.connection}`, { raw: "x".repeat(1_100_000) });
    expect(big.status).toBe(413);
  });

  it("keep texts that are too long for a message in D1, and get in without them while it is away", async () => {
    const workspace = await mintCallingWorkspace();
    const transcript = Array.from({ length: 3000 }, (_, n) => {
      return { role: "agent", text: `turn ${n} ${"x".repeat(90)}`, atMs: n };
    });
    const call = endedCall({ transcript, metadata: { callId: callOf(workspace, "1") } });
    const { raw, headers } = await signedReport("call.analyzed", call);
    for (const DB of [env.DB, AWAY]) {
      const sent: ReportMessage[] = [];
      const REPORTS = {
        sendBatch: async (batch: { body: ReportMessage }[]) => {
          sent.push(...batch.map((message) => message.body));
        },
      };
      const bindings = { ...env, DB, REPORTS } as unknown as Env;
      const request = new Request(`http://outdial.test/reports/${workspace.connection}`, {
        method: "POST",
        body: raw,
        headers,
      });
      const context = createExecutionContext();
      const reply = await makeApp().fetch(request, bindings, context);
      expect(reply.status).toBe(200);
      await waitOnExecutionContext(context);
      const [message] = sent;
      expect(message?.report.news).toMatchObject({ transcript: null, talkMs: 8000 });
      expect(message?.cut).toBe(DB === AWAY);
      if (DB === AWAY) continue;
      const id = message?.texts ?? "";
      const kept = await readReportTexts(database(env), workspace.id as WorkspaceId, [id]);
      expect(JSON.parse(kept.get(id) ?? "{}").transcript).toHaveLength(3000);
    }
  });

  it("H35 are not acknowledged while their queue is away", async () => {
    const workspace = await mintCallingWorkspace();
    const { raw, headers } = await signedReport("call.ended", endedCall());
    const bindings = { ...env, REPORTS: AWAY } as unknown as Env;
    const url = `http://outdial.test/reports/${workspace.connection}`;
    const request = new Request(url, { method: "POST", body: raw, headers });
    const reply = await makeApp().fetch(request, bindings, createExecutionContext());
    expect(reply.status).toBeGreaterThanOrEqual(500);
  });
});
