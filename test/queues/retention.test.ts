import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { calls, callTexts, campaigns, tasks } from "../../src/db/schema.ts";
import { watchdog } from "../../src/queues/watchdog.ts";
import { entriesOf } from "../support/workerd/people.ts";
import { type Json, mintWorkspace, type Workspace } from "../support/workerd/workspace.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = Date.UTC(2031, 4, 1, 12);
const days = (count: number) => NOW - count * DAY_MS;

let workspace: Workspace;
beforeEach(async () => {
  // What other tests have left is not looked at.
  await env.DB.prepare("UPDATE workspaces SET retention_days = NULL").run();
  workspace = await kept(30);
});

async function kept(retentionDays: number | null): Promise<Workspace> {
  const made = await mintWorkspace();
  const reply = await made.ask("PATCH /v1/workspace", { body: { retentionDays } });
  expect(reply.status, reply.text).toBe(200);
  return made;
}

type Row = { id: number; endedAt?: number | null; context?: Json; campaign?: number };

/** A task with a call, its texts and its recording, as the flush writes them. */
async function task(
  { id, endedAt = null, context = { name: "Asha" }, campaign = 1 }: Row,
  of = workspace,
) {
  const db = database(env);
  const own = { workspace: of.id as WorkspaceId, version: 1 };
  const call = { ...own, id: id + 500_000, task: id, campaign, attempt: 1, status: "ended" };
  await db.batch([
    db.insert(tasks).values({
      ...{ ...own, id, campaign, phone: "+919876540001", context: JSON.stringify(context) },
      consent: '{"version":1,"address":"203.0.113.7"}',
      ...{
        attempts: 1,
        createdAt: days(100),
        endedAt,
        ended: endedAt === null ? null : "completed",
      },
    }),
    db.insert(calls).values({
      ...call,
      ...{ concluded: 1, agent: "a", connection: "c", carrier: "simulator", from: "+918047112233" },
      ...{ to: "+919876540001", claimedAt: days(100), outcome: "connected", costMicros: 7 },
      recordingUrl: "https://carrier.test/1.wav",
    }),
    db.insert(callTexts).values({
      ...{ workspace: own.workspace, call: call.id },
      ...{ transcript: '[{"text":"Hello"}]', analysis: '{"said":"Hello"}' },
    }),
  ]);
}

async function campaign(id: number, more: { archivedAt?: number; completedAt?: number } = {}) {
  await database(env)
    .insert(campaigns)
    .values({
      ...{
        workspace: workspace.id,
        id,
        name: "X",
        type: "realtime",
        status: "running",
        settings: "{}",
      },
      ...{ paused: 0, epoch: 1, createdAt: days(100), counters: "{}", version: 1, ...more },
    });
}

/** Ids of tasks whose context, recording and texts are all there; a part fails the test. */
async function whole(of = workspace): Promise<number[]> {
  const query = `SELECT t.id, t.context <> '{}' AS context, t.consent IS NOT NULL AS consent, k.recording_url IS NOT NULL AS recording,
      x.transcript IS NOT NULL AND x.analysis IS NOT NULL AS texts, t.phone, k.cost_micros AS cost
    FROM tasks t JOIN calls k ON k.workspace = t.workspace AND k.task = t.id
    LEFT JOIN call_texts x ON x.workspace = k.workspace AND x.call = k.id
    WHERE t.workspace = ? ORDER BY t.id`;
  const { results } = await env.DB.prepare(query).bind(of.id).all<Record<string, number>>();
  return results.flatMap(({ id = 0, context, consent, recording, texts, phone, cost }) => {
    expect([context, consent, texts]).toEqual([recording, recording, recording]);
    expect([phone, cost]).toEqual(["+919876540001", 7]);
    return recording === 1 ? [id] : [];
  });
}

const applied = async (of = workspace) =>
  (await entriesOf(of.id)).filter(({ action }) => action === "retention.apply");

/** Minutes of the clock, from `at` on. */
async function minutes(count: number, at = NOW): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    await watchdog(env as Env, at + minute * MINUTE_MS);
  }
}

describe("retention", () => {
  it("takes contexts and what was said from tasks that ended so many days ago, to the millisecond", async () => {
    await campaign(1);
    await campaign(2, { archivedAt: days(31) });
    await campaign(3, { completedAt: days(29) });
    await task({ id: 1, endedAt: days(30) });
    await task({ id: 2, endedAt: days(30) + 1 });
    await task({ id: 3 });
    await task({ id: 4, campaign: 2 });
    await task({ id: 5, campaign: 3 });
    await task({ id: 6, campaign: 3, endedAt: days(31) });
    await minutes(1);
    expect(await whole()).toEqual([2, 3, 5]);
    expect(await applied()).toMatchObject([
      { actor_kind: "outdial", actor: null, target: workspace.id, after: '{"days":30}', at: NOW },
    ]);
  });

  it("does so once, looks again hours later, and writes nothing where nothing is", async () => {
    await campaign(1);
    await task({ id: 1, endedAt: days(40) });
    await task({ id: 2, endedAt: days(30) + 3 * 60 * MINUTE_MS });
    await minutes(3);
    expect([await whole(), (await applied()).length]).toEqual([[2], 1]);
    await minutes(2, NOW + 5 * 60 * MINUTE_MS);
    expect([await whole(), (await applied()).length]).toEqual([[2], 1]);
    await minutes(2, NOW + 6 * 60 * MINUTE_MS);
    expect([await whole(), (await applied()).length]).toEqual([[], 2]);
    await minutes(2, NOW + 20 * 60 * MINUTE_MS);
    expect((await applied()).length).toBe(2);
  });

  it("records what it takes from tasks that had no context, too", async () => {
    await campaign(1);
    await task({ id: 1, endedAt: days(31), context: {} });
    await minutes(1);
    const texts = env.DB.prepare("SELECT COUNT(*) AS n FROM call_texts WHERE workspace = ?");
    expect(await texts.bind(workspace.id).first<number>("n")).toBe(0);
    expect(await applied()).toHaveLength(1);
  });

  it("looks at no workspace that keeps everything, and at each by its own days", async () => {
    await campaign(1);
    const [forever, long] = [await kept(null), await kept(365)];
    for (const of of [forever, long, workspace]) {
      const own = database(env).insert(campaigns);
      if (of !== workspace) {
        await own.values({
          ...{ workspace: of.id, id: 1, name: "X", type: "realtime", status: "running" },
          ...{ settings: "{}", paused: 0, epoch: 1, createdAt: 0, counters: "{}", version: 1 },
        });
      }
      await task({ id: 1, endedAt: days(200) }, of);
      await task({ id: 2, endedAt: days(400) }, of);
    }
    await minutes(2);
    expect([await whole(forever), await whole(long), await whole()]).toEqual([[1, 2], [1], []]);
    // A shorter time counts from the next minute on, for all tasks.
    await long.ask("PATCH /v1/workspace", { body: { retentionDays: 100 } });
    await minutes(1, NOW + 3 * MINUTE_MS);
    expect(await whole(long)).toEqual([]);
  });

  it("goes on in slices where it stopped, whatever broke, and stops at no other's fault", async () => {
    await campaign(1);
    const many = `INSERT INTO tasks (workspace, id, campaign, phone, context, attempts, created_at, ended, ended_at, version)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
      SELECT ?1, i, 1, '', '{"a":1}', 0, 0, 'completed', 5, 1 FROM n`;
    await env.DB.prepare(many).bind(workspace.id).run();
    const left = async () => {
      const query = "SELECT COUNT(*) AS n FROM tasks WHERE workspace = ? AND context <> '{}'";
      return env.DB.prepare(query).bind(workspace.id).first<number>("n");
    };
    await minutes(1);
    expect(await left()).toBe(7_000);
    const broken = { ...env, DB: failing() } as unknown as Env;
    await watchdog(broken, NOW + MINUTE_MS);
    expect([await left(), (await applied()).length]).toEqual([7_000, 1]);
    await minutes(1, NOW + 2 * MINUTE_MS);
    expect(await left()).toBe(2_000);
    await minutes(1, NOW + 3 * MINUTE_MS);
    expect([await left(), (await applied()).length]).toEqual([0, 3]);
  });
});

/** D1 whose transactions fail. */
function failing(): D1Database {
  return new Proxy(env.DB, {
    get: (db, name) => {
      if (name === "batch") return () => Promise.reject(new Error("D1_ERROR: connection lost."));
      const value: unknown = Reflect.get(db, name, db);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
}
