import { describe, expect, it } from "vitest";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import {
  type AgentId,
  type CallId,
  type CampaignId,
  type ConnectionId,
  type ImportId,
  localKey,
  makeId,
  type NumberId,
  type TaskId,
  type WorkspaceId,
} from "../../src/core/ids.ts";
import { MOVES } from "../../src/core/status.ts";
import type { DialerVerbs } from "../../src/dialer/verbs.ts";
import { everything } from "../support/node/scene.ts";
import {
  AGENT,
  CONNECTION,
  HOUR,
  NUMBER,
  START,
  taken,
  WORKSPACE,
  World,
} from "../support/node/world.ts";

const OTHER = "ws_otherspace" as WorkspaceId;
const IDS = JSON.stringify(Array.from({ length: 40 }, (_, n) => n + 1));

/** The same local id in the other workspace. */
function foreign<K extends "cmp" | "tsk" | "cal">(kind: K, id: string) {
  return makeId(kind, OTHER, localKey(kind, WORKSPACE, id) ?? 0);
}

/** A workspace with a bit of everything: a running call, a waiting task, a batch with an open import. */
async function lived() {
  const world = new World();
  await world.setUp({ workspace: { slots: 1 } });
  const campaign = await world.campaign();
  const called = await world.push(campaign, { externalId: "x" });
  const waits = await world.push(campaign);
  const batch = await world.campaign({ type: "batch" });
  taken(await world.dialer.openImport(makeId("imp", WORKSPACE, "own") as ImportId, batch));
  await world.run(1_000);
  return { world, campaign, batch, called: called.id, waits: waits.id, call: world.last().call };
}

type Lived = Awaited<ReturnType<typeof lived>>;
const NOT_FOUND = { ok: false, code: "not_found" };
const noTask = { access: null, idempotency: null };

/** Every verb, asked about what the other workspace has; what it must answer. */
const ASKED: Record<keyof DialerVerbs, ((lived: Lived) => Promise<unknown>) | null> = {
  readConnection: async ({ world }) => {
    const id = makeId("con", OTHER, "c1") as ConnectionId;
    expect(await world.dialer.readConnection(id)).toMatchObject(NOT_FOUND);
  },
  createCampaign: async ({ world }) => {
    const names = [
      { agent: makeId("agt", OTHER, "a1") as AgentId, from: NUMBER },
      { agent: AGENT, from: makeId("num", OTHER, "n1") as NumberId },
    ];
    for (const pair of names) {
      const body = { name: "Leads", type: "realtime", ...pair };
      const reply = await world.dialer.createCampaign({ body, idempotency: null });
      expect(reply).toMatchObject({ ok: false, code: "invalid" });
    }
  },
  editCampaign: async ({ world, campaign }) => {
    const id = foreign("cmp", campaign);
    expect(await world.dialer.editCampaign(id, { name: "Mine" })).toMatchObject(NOT_FOUND);
    const agent = makeId("agt", OTHER, "a1");
    const own = await world.dialer.editCampaign(campaign, { agent });
    expect(own).toMatchObject({ ok: false, code: "invalid", issues: [{ path: "agent" }] });
  },
  moveCampaign: async ({ world, campaign }) => {
    for (const move of MOVES) {
      const id = foreign("cmp", campaign);
      expect(await world.dialer.moveCampaign(id, move)).toMatchObject(NOT_FOUND);
    }
  },
  readCampaign: async ({ world, campaign }) => {
    expect(await world.dialer.readCampaign(foreign("cmp", campaign))).toMatchObject(NOT_FOUND);
  },
  explainCampaigns: async ({ world, batch }) => {
    expect(await world.dialer.explainCampaigns([foreign("cmp", batch)])).toEqual([null]);
  },
  explainTasks: async ({ world, waits }) => {
    expect(await world.dialer.explainTasks([foreign("tsk", waits)])).toEqual([null]);
  },
  push: async ({ world, campaign }) => {
    const bodies = [
      { campaign: foreign("cmp", campaign), phone: world.phone(), externalId: "x" },
      { campaign, phone: world.phone(), agent: makeId("agt", OTHER, "a1") },
    ];
    const tasks = bodies.map((body) => ({ body, path: "" }));
    const answers = taken(await world.dialer.push({ ...noTask, tasks }));
    expect(answers).toMatchObject([NOT_FOUND, { ok: false, code: "invalid" }]);
    const key = makeId("key", OTHER, "k1");
    const access = { key, hash: "", scope: "write" };
    const barred = await world.dialer.push({ access, tasks, idempotency: null });
    expect(barred).toMatchObject({ ok: false, code: "unknown_key" });
  },
  moveTask: async ({ world, called, waits }) => {
    for (const move of MOVES) {
      for (const task of [called, waits]) {
        expect(await world.dialer.moveTask(foreign("tsk", task), move)).toMatchObject(NOT_FOUND);
      }
    }
  },
  readTask: async ({ world, waits }) => {
    expect(await world.dialer.readTask(foreign("tsk", waits))).toMatchObject(NOT_FOUND);
  },
  readCalls: async ({ world, called }) => {
    expect(await world.dialer.readCalls(foreign("tsk", called))).toMatchObject(NOT_FOUND);
  },
  readCall: async ({ world, call }) => {
    expect(await world.dialer.readCall(foreign("cal", call))).toMatchObject(NOT_FOUND);
  },
  openImport: async ({ world, batch }) => {
    const id = makeId("imp", WORKSPACE, "new") as ImportId;
    const reply = await world.dialer.openImport(id, foreign("cmp", batch));
    expect(reply).toMatchObject(NOT_FOUND);
  },
  dropImport: async ({ world }) => {
    taken(await world.dialer.dropImport(makeId("imp", OTHER, "own") as ImportId));
  },
  ingest: async ({ world }) => {
    const rows = [{ line: 2, phone: world.phone(), context: {} }];
    const part = { part: 0, last: true, allowDuplicates: false, rows };
    const reply = await world.dialer.ingest({ import: makeId("imp", OTHER, "own"), ...part });
    expect(reply).toMatchObject(NOT_FOUND);
  },
  report: async ({ world, call }) => {
    const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "connected" };
    const said = { carrierCallId: null, news };
    const far = makeId("con", OTHER, "c1") as ConnectionId;
    const items = [
      { connection: CONNECTION, report: { ...said, call: foreign("cal", call) } },
      // One connection's carrier has no say in another's calls.
      { connection: far, report: { ...said, call } },
      { connection: CONNECTION, report: { ...said, call: makeId("cal", WORKSPACE, 99_999_999) } },
    ];
    expect(taken(await world.dialer.report(items))).toEqual({ known: [false, false, false] });
  },
  // The documents of a workspace are handed over by the API, which has read them as its own.
  putCopies: null,
  retire: null,
  // They name nothing: a number is looked for here alone.
  hashPhones: null,
  erase: null,
  end: null,
  vanish: null,
  readWorkspace: null,
  // Rows of the outbox have numbers of this object alone.
  eventsTold: null,
  tick: null,
};

describe("H37 no request sees or changes another workspace's data", () => {
  for (const [verb, ask] of Object.entries(ASKED)) {
    if (ask === null) continue;
    it(`H37 ${verb} knows no ids of another workspace, and changes nothing when asked with them`, async () => {
      const made = await lived();
      const before = everything(made.world);
      await ask(made);
      expect(everything(made.world)).toEqual(before);
    });
  }

  it("H37 ids that are none, or of another kind, are unknown in the same way", async () => {
    const { world, campaign, waits, call } = await lived();
    const before = everything(world);
    const asked = [
      "",
      "1",
      "cmp_",
      `${campaign}0 `,
      waits,
      call,
      campaign.toUpperCase(),
      "x".repeat(999),
    ];
    for (const id of asked) {
      const text = id as string;
      expect(await world.dialer.readCampaign(text as CampaignId)).toMatchObject(NOT_FOUND);
      if (text !== waits) {
        expect(await world.dialer.readTask(text as TaskId)).toMatchObject(NOT_FOUND);
        expect(await world.dialer.moveTask(text as TaskId, "archive")).toMatchObject(NOT_FOUND);
      }
      if (text !== call) {
        expect(await world.dialer.readCall(text as CallId)).toMatchObject(NOT_FOUND);
      }
    }
    expect(everything(world)).toEqual(before);
  });

  it("H37 the flush of one workspace leaves another's rows in D1 alone", async () => {
    const world = new World();
    const others = (table: string) =>
      world.stored(`SELECT * FROM ${table} WHERE workspace = ? ORDER BY id`, OTHER);
    world.d1.exec(`
      INSERT INTO campaigns (workspace, id, name, type, status, settings, paused, epoch, created_at, counters, version)
        SELECT '${OTHER}', value, 'Theirs', 'realtime', 'running', '{}', 0, 1, 0, '{}', 0 FROM json_each('${IDS}');
      INSERT INTO tasks (workspace, id, campaign, phone, context, attempts, created_at, version)
        SELECT '${OTHER}', value, 1, '+1', '{}', 0, 0, 0 FROM json_each('${IDS}');
      INSERT INTO calls (workspace, id, task, campaign, attempt, status, concluded, agent, connection, carrier,
        carrier_call_id, from_phone, to_phone, claimed_at, version)
        SELECT '${OTHER}', value, value, 1, 1, 'ended', 1, 'a', '${CONNECTION}', 'c', 'shared', '+1', '+2', 0, 0
        FROM json_each('${IDS}')`);
    const before = ["campaigns", "tasks", "calls"].map(others);
    expect(before[2]).toHaveLength(40);
    await world.setUp();
    const campaign = await world.campaign();
    await world.push(campaign);
    const dial = world.last();
    await world.finish(dial, "connected");
    await world.run(1_000);
    await world.finish(dial, "voicemail", { costMicros: 5 });
    const late = {
      call: null,
      carrierCallId: "shared",
      news: { ...NO_NEWS, ended: true, word: "w" },
    };
    taken(await world.dialer.report([{ connection: CONNECTION, report: late }]));
    await world.move(campaign, "archive");
    await world.run(HOUR);
    expect(world.now).toBeGreaterThan(START);
    expect(["campaigns", "tasks", "calls"].map(others)).toEqual(before);
    expect(world.stored("SELECT id FROM calls WHERE workspace = ?", WORKSPACE)).toHaveLength(1);
  });
});

it("H37 looking at an invented workspace leaves nothing behind", async () => {
  const empty = new World();
  expect(await empty.dialer.readConnection(CONNECTION)).toMatchObject({ code: "not_found" });
  expect(await empty.dialer.readWorkspace()).toMatchObject({ code: "not_found" });
  expect(empty.sql.all("SELECT name FROM sqlite_master")).toEqual([]);
});
