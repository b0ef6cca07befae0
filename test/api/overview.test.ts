import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { localKey, type WorkspaceId } from "../../src/core/ids.ts";
import { callsOfTask, listCalls } from "../../src/db/calls.ts";
import { database } from "../../src/db/database.ts";
import { readOverview } from "../../src/db/overview.ts";
import { calls } from "../../src/db/schema.ts";
import {
  itemsOf,
  listed,
  mintCallingWorkspace,
  mintWorkspace,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
type Row = Partial<typeof calls.$inferInsert>;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Calls of one task that are over, in D1 alone. */
async function insertCalls(workspace: Calling, campaign: string, task: string, rows: Row[]) {
  const owner = workspace.id as WorkspaceId;
  const whole = rows.map((row, index) => ({
    workspace: owner,
    id: 1000 + index + (localKey("tsk", owner, task) ?? 0) * 100,
    task: localKey("tsk", owner, task) ?? 0,
    campaign: localKey("cmp", owner, campaign) ?? 0,
    attempt: 1,
    status: "ended",
    concluded: 1,
    agent: workspace.agent,
    connection: workspace.connection,
    carrier: "simulator",
    from: "+918047112233",
    to: "+919876540001",
    claimedAt: Date.now(),
    outcome: "connected",
    version: 1,
    ...row,
  }));
  await database(env).insert(calls).values(whole);
}

/** A campaign in Kolkata with a task, both paused. */
async function scene() {
  const workspace = await mintCallingWorkspace();
  const campaign = await pausedCampaign(workspace);
  await workspace.ask(`PATCH /v1/campaigns/${campaign}`, { body: { timezone: "Asia/Kolkata" } });
  const push = async (more = {}) => {
    const body = { campaign, phone: "+919876540001", ...more };
    const { json } = await workspace.ask("POST /v1/tasks", { body });
    return { id: String(json.id), at: Number(json.createdAt) };
  };
  const read = () => workspace.ask(`GET /v1/campaigns/${campaign}/overview`);
  return { workspace, campaign, push, read };
}

describe("an overview", () => {
  it("counts concluded calls by attempt and by the campaign's hour, those under way nowhere", async () => {
    const { workspace, campaign, push, read } = await scene();
    const { id } = await push();
    // 06:40 UTC is 12:10 in Kolkata, 06:20 is 11:50.
    const day = Math.floor(Date.now() / DAY) * DAY - DAY;
    const noon = day + (6 * 60 + 40) * MINUTE;
    await insertCalls(workspace, campaign, id, [
      { claimedAt: noon, outcome: "no_answer" },
      { claimedAt: noon - 20 * MINUTE, outcome: "no_answer" },
      { claimedAt: noon, attempt: 2 },
      { claimedAt: noon, attempt: 2, outcome: null, concluded: 0, status: "talking" },
      { claimedAt: noon - 40 * DAY, attempt: 3 },
    ]);
    const { json, status } = await read();
    expect(status).toBe(200);
    expect(json).toMatchObject({
      attempts: [
        { attempt: 1, outcomes: { no_answer: 2 } },
        { attempt: 2, outcomes: { connected: 1 } },
      ],
      hours: [
        { hour: 11, outcomes: { no_answer: 1 } },
        { hour: 12, outcomes: { no_answer: 1, connected: 1 } },
      ],
      minutes: [],
    });
  });

  it("tells calls before a change of the clock from those after it", async () => {
    const { workspace, campaign, push } = await scene();
    const { id } = await push();
    const now = Math.floor(Date.now() / DAY) * DAY;
    const at = [now - 3 * DAY, now - 2 * DAY, now - DAY, now];
    await insertCalls(
      workspace,
      campaign,
      id,
      at.map((claimedAt) => ({ claimedAt })),
    );
    const key = localKey("cmp", workspace.id as WorkspaceId, campaign) ?? 0;
    const from = { since: 0, minutesSince: now, clockChanges: [now - 2 * DAY, now] };
    const { groups } = await readOverview(database(env), workspace.id as WorkspaceId, key, from);
    expect(groups.map(({ changes, quarter, calls }) => [changes, quarter, calls])).toEqual([
      [0, 0, 1],
      [1, 0, 2],
      [2, 0, 1],
    ]);
  });

  it("tells the calls of each of the last 60 minutes, whether they are over or not", async () => {
    const { workspace, campaign, push, read } = await scene();
    const { id } = await push();
    const now = Math.floor(Date.now() / MINUTE) * MINUTE;
    await insertCalls(workspace, campaign, id, [
      { claimedAt: now - 5 * MINUTE },
      { claimedAt: now - 5 * MINUTE + 59_000, outcome: null, concluded: 0 },
      { claimedAt: now - 3 * MINUTE },
      { claimedAt: now - 70 * MINUTE },
    ]);
    expect((await read()).json.minutes).toEqual([
      { at: now - 5 * MINUTE, calls: 2 },
      { at: now - 3 * MINUTE, calls: 1 },
    ]);
  });

  it("tells how long a push waits for its first dial, later attempts and wishes left out", async () => {
    const { workspace, campaign, push, read } = await scene();
    expect((await read()).json.firstDial).toBeNull();
    const quick = await push();
    const slow = await push();
    const wished = await push({ startAfter: Date.now() + DAY });
    await insertCalls(workspace, campaign, quick.id, [
      { claimedAt: quick.at + 40 },
      { claimedAt: quick.at + DAY, attempt: 2 },
    ]);
    await insertCalls(workspace, campaign, slow.id, [{ claimedAt: slow.at + 4_000_000 }]);
    await insertCalls(workspace, campaign, wished.id, [{ claimedAt: wished.at + DAY }]);
    // A task is in D1 half a second after it was taken.
    const path = `/v1/campaigns/${campaign}/tasks`;
    await listed(workspace, path, 3);
    const firstDial = (await read()).json.firstDial as { steps: { calls: number }[] };
    expect(firstDial).toMatchObject({ medianMs: 40, p95Ms: 4_000_000 });
    expect(firstDial.steps.filter(({ calls }) => calls > 0)).toEqual([
      { upToMs: 1_000, calls: 1 },
      { upToMs: null, calls: 1 },
    ]);
  });

  it("H37 is of this workspace and this campaign alone", async () => {
    const { workspace, campaign, push, read } = await scene();
    const other = await scene();
    const { id } = await push();
    await insertCalls(workspace, campaign, id, [{}]);
    expect((await other.read()).json.attempts).toEqual([]);
    expect((await read()).json.attempts).toEqual([{ attempt: 1, outcomes: { connected: 1 } }]);
    const stranger = await mintWorkspace();
    const reply = await stranger.ask(`GET /v1/campaigns/${campaign}/overview`);
    expect(reply.status).toBe(404);
  });
});

describe("lists of calls", () => {
  it("filter by agent and by time on the line", async () => {
    const { workspace, campaign, push } = await scene();
    const { id } = await push();
    await insertCalls(workspace, campaign, id, [
      { talkMs: 5_000 },
      { talkMs: 30_000 },
      { talkMs: null },
      { talkMs: 60_000, agent: "agt_another" },
    ]);
    const lengths = async (query: string) =>
      itemsOf(await workspace.ask(`GET /v1/calls?${query}`)).map(({ durationMs }) => durationMs);
    expect(await lengths("atLeastMs=5000&atMostMs=30000")).toEqual([30_000, 5_000]);
    expect(await lengths("atLeastMs=5001")).toEqual([60_000, 30_000]);
    expect(await lengths(`agent=${workspace.agent}`)).toEqual([null, 30_000, 5_000]);
    expect((await workspace.ask("GET /v1/calls?atLeastMs=-1")).status).toBe(422);
  });
});

describe("calls of one campaign", () => {
  it("are found by their index, without a look at those of others", async () => {
    const { workspace, campaign, push } = await scene();
    const { id } = await push();
    await insertCalls(workspace, campaign, id, [{}]);
    const owner = workspace.id as WorkspaceId;
    const filter = { campaign: localKey("cmp", owner, campaign) ?? 0, task: null };
    const asked: string[] = [];
    const prepare = (query: string) => {
      asked.push(query);
      return env.DB.prepare(query);
    };
    const batch = env.DB.batch.bind(env.DB);
    const db = database({ DB: { prepare, batch } as unknown as D1Database });
    await listCalls(db, owner, filter, { limit: 10, after: null });
    await callsOfTask(db, owner, filter.campaign, 1);
    await readOverview(db, owner, filter.campaign, {
      since: 0,
      minutesSince: 0,
      clockChanges: [1, 2],
    });
    expect(asked).toHaveLength(5);
    for (const query of asked) {
      const bound = query.replaceAll("?", "1");
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${bound}`).all();
      const plan = results.map(({ detail }) => String(detail));
      expect(plan[0]).toContain("USING INDEX calls_by_campaign (workspace=? AND campaign=?");
    }
  });
});
