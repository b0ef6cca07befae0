import { env } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import { localKey, type WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { calls, callTexts } from "../../src/db/schema.ts";
import { recordedCall } from "../support/workerd/recordings.ts";
import { itemsOf, mintCallingWorkspace, pausedCampaign } from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;

/** A task with calls in D1 alone: they have left the Dialer. */
async function taskWithCalls(workspace: Calling, rows: Partial<typeof calls.$inferInsert>[]) {
  const campaign = await pausedCampaign(workspace);
  const body = { campaign, phone: "+919876540001" };
  const task = String((await workspace.ask("POST /v1/tasks", { body })).json.id);
  const owner = workspace.id as WorkspaceId;
  const whole = rows.map((row, index) => ({
    workspace: owner,
    id: 1000 + index,
    task: localKey("tsk", owner, task) ?? 0,
    campaign: localKey("cmp", owner, campaign) ?? 0,
    attempt: index + 1,
    status: "ended",
    concluded: 1,
    agent: workspace.agent,
    connection: workspace.connection,
    carrier: "simulator",
    from: "+918047112233",
    to: "+919876540001",
    claimedAt: 1_764_576_000_000 + index * 60_000,
    outcome: "no_answer",
    version: 1,
    ...row,
  }));
  await database(env).insert(calls).values(whole);
  const ids = whole.map((row) => `cal_${owner.slice(3)}_${row.id.toString(36)}`);
  return { campaign, task, ids };
}

describe("H32 calls", () => {
  it("are listed with their task, first attempt first, and open to their full record", async () => {
    const workspace = await mintCallingWorkspace();
    const last = {
      outcome: "connected",
      word: "hangup",
      talkMs: 8000,
      costMicros: 12_500,
      currency: "USD",
    };
    const { task, ids } = await taskWithCalls(workspace, [{}, last]);
    const transcript = [{ speaker: "agent", text: "Hello", atMs: 0 }];
    await database(env)
      .insert(callTexts)
      .values({
        workspace: workspace.id,
        call: 1001,
        transcript: JSON.stringify(transcript),
        analysis: '{"interested":true}',
      });
    const listed = await workspace.ask(`GET /v1/tasks/${task}/calls`);
    expect(itemsOf(listed)).toMatchObject([
      { id: ids[0], attempt: 1, status: "ended", outcome: "no_answer", task },
      { id: ids[1], attempt: 2, outcome: "connected", durationMs: 8000 },
    ]);
    expect(itemsOf(listed)[1]).not.toHaveProperty("transcript");
    const call = await workspace.ask(`GET /v1/calls/${ids[1]}`);
    expect(call.json).toMatchObject({
      agent: workspace.agent,
      from: "+918047112233",
      to: "+919876540001",
      carrier: "simulator",
      cost: 0.0125,
      currency: "USD",
      word: "hangup",
      recordingUrl: null,
      transcript,
      analysis: { interested: true },
    });
  });

  it("are listed newest first, by campaign, task, outcome and time", async () => {
    const workspace = await mintCallingWorkspace();
    const { campaign, task, ids } = await taskWithCalls(workspace, [
      {},
      {},
      { outcome: "connected" },
    ]);
    const get = (query: string) => workspace.ask(`GET /v1/calls?${query}`);
    const first = await get("limit=2");
    expect(itemsOf(first).map((call) => call.id)).toEqual([ids[2], ids[1]]);
    const second = await get(`limit=2&cursor=${first.json.nextCursor}`);
    expect(itemsOf(second).map((call) => call.id)).toEqual([ids[0]]);
    expect(itemsOf(await get(`campaign=${campaign}&task=${task}`))).toHaveLength(3);
    expect(itemsOf(await get("outcome=connected")).map((call) => call.id)).toEqual([ids[2]]);
    const since = 1_764_576_060_000;
    expect(itemsOf(await get(`since=${since}&until=${since + 1}`)).map((call) => call.id)).toEqual([
      ids[1],
    ]);
    expect((await get("campaign=cmp_nowhere00_1")).status).toBe(404);
    expect((await get("since=yesterday")).status).toBe(422);
  });
});

describe("a recording", () => {
  it("plays through the API, with ranges, and hides the carrier's address", async () => {
    const workspace = await mintCallingWorkspace();
    const recordingUrl = await recordedCall();
    const { ids } = await taskWithCalls(workspace, [{ recordingUrl }]);
    const call = await workspace.ask(`GET /v1/calls/${ids[0]}`);
    expect(call.json.recordingUrl).toBe(`${env.PUBLIC_URL}/v1/calls/${ids[0]}/recording`);
    expect(call.text).not.toContain(inject("carrier").baseUrl);

    const route = `GET /v1/calls/${ids[0]}/recording`;
    const whole = await workspace.ask(route);
    expect(whole.status).toBe(200);
    expect(whole.headers.get("content-type")).toMatch(/^audio\//);
    expect(whole.headers.get("cache-control")).toBe("no-store");
    const part = await workspace.ask(route, { headers: { range: "bytes=0-3" } });
    expect(part.status).toBe(206);
    expect(part.text).toBe("RIFF");
    expect(part.headers.get("content-range")).toMatch(/^bytes 0-3\//);
  });

  it("is a 404 where there is none", async () => {
    const workspace = await mintCallingWorkspace();
    const { ids } = await taskWithCalls(workspace, [{}]);
    expect((await workspace.ask(`GET /v1/calls/${ids[0]}/recording`)).status).toBe(404);
  });
});
