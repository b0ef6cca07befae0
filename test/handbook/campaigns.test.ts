import { describe, expect, it } from "vitest";
import type { CampaignBody } from "../../src/core/campaign-body.ts";
import { type CampaignId, type ImportId, makeId, type TaskId } from "../../src/core/ids.ts";
import { MOVES } from "../../src/core/status.ts";
import { sampleTask } from "../../src/core/task-body.ts";
import { refused, rowsOf } from "../support/node/scene.ts";
import {
  AGENT,
  HOUR,
  MINUTE,
  NUMBER,
  START,
  taken,
  WORKSPACE,
  World,
} from "../support/node/world.ts";

const DAY = 24 * HOUR;
const IMPORT = makeId("imp", WORKSPACE, "later") as ImportId;

async function made(): Promise<World> {
  const world = new World();
  await world.setUp();
  return world;
}

const create = (world: World, body: CampaignBody) =>
  world.dialer.createCampaign({ body, idempotency: null });

describe("H1 two types", () => {
  it("H1 a push to a batch campaign is a conflict and leaves nothing", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const [answer] = await world.pushAll([{ campaign, phone: world.phone() }]);
    expect(answer).toMatchObject({ ok: false, code: "conflict" });
    expect(rowsOf(world, "task")).toBe(0);
  });

  it("H1 an import into a realtime campaign is a conflict", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "realtime" });
    const opened = await refused(world.dialer.openImport(IMPORT, campaign));
    expect(opened.code).toBe("conflict");
    const rows = [{ line: 2, phone: world.phone(), context: {} }];
    const part = { import: IMPORT, part: 0, last: true, allowDuplicates: false, rows };
    expect((await refused(world.dialer.ingest(part))).code).toBe("not_found");
  });

  it("H1 rows of a batch differ in phone and context alone", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch", paused: true });
    await world.import(campaign, [world.phone(), world.phone()]);
    const rows = world.sql.all<{ settings: string | null }>("SELECT settings FROM task");
    expect(rows).toEqual([{ settings: null }, { settings: null }]);
  });

  it("H1 a band on a task is invalid: it belongs to the campaign", async () => {
    const world = await made();
    const campaign = await world.campaign();
    for (const band of ["high", "normal", "low"]) {
      const body = { campaign, phone: world.phone(), priority: band };
      const [answer] = await world.pushAll([body]);
      expect(answer).toMatchObject({
        ok: false,
        code: "invalid",
        issues: [{ path: "tasks.0.priority" }],
      });
    }
    expect(rowsOf(world, "task")).toBe(0);
  });
});

describe("H2, H3 bodies", () => {
  it("H2 a batch needs name, agent and number, and says so of all three at once", async () => {
    const world = await made();
    const answer = await refused(create(world, { type: "batch" }));
    expect(answer).toEqual({ code: "invalid", paths: ["name", "agent", "from"] });
    expect(rowsOf(world, "campaign")).toBe(0);
  });

  it("H2 priorities on a batch are invalid", async () => {
    const world = await made();
    const body = { name: "March", type: "batch", agent: AGENT, from: NUMBER, priorities: [1] };
    expect(await refused(create(world, body))).toEqual({ code: "invalid", paths: ["priorities"] });
  });

  it("H3 a realtime campaign needs only a name: normal, in the workspace's timezone, from now on", async () => {
    const world = new World();
    await world.setUp({ workspace: { timezone: "Asia/Kolkata" } });
    const { campaign } = taken(await create(world, { name: "Leads", type: "realtime" }));
    expect(campaign).toMatchObject({
      status: "scheduled",
      startsAt: START,
      settings: { band: "normal", timezone: "Asia/Kolkata", attemptsMax: 1 },
    });
  });

  it("H3 the sample of a campaign is taken and dialled as it stands", async () => {
    const world = await made();
    const body = { name: "Leads", type: "realtime", retries: 2, intervals: [MINUTE, HOUR] };
    const { campaign } = taken(await create(world, body));
    const sample = sampleTask(campaign, AGENT, "+918047112233");
    const [answer] = await world.pushAll([sample]);
    expect(answer).toMatchObject({ ok: true, warnings: [] });
    expect(world.last()).toMatchObject({ phone: sample.phone, from: "+918047112233" });
  });
});

/** A campaign in each status, of either type. */
const IN: Record<string, (world: World, type: string) => Promise<CampaignId>> = {
  scheduled: (world, type) => world.campaign({ type, startAfter: START + DAY }),
  running: async (world, type) => {
    const campaign = await world.campaign({ type });
    await give(world, campaign, type, 2);
    return campaign;
  },
  paused: (world, type) => world.campaign({ type, paused: true }),
  completed: async (world, type) => {
    const campaign = await world.campaign({ type, endAfter: START + 1 });
    await world.run(1);
    return campaign;
  },
  archived: async (world, type) => {
    const campaign = await world.campaign({ type });
    await world.move(campaign, "archive");
    return campaign;
  },
};

async function give(world: World, campaign: CampaignId, type: string, count: number) {
  const phones = Array.from({ length: count }, () => world.phone());
  if (type === "batch") await world.import(campaign, phones);
  else await world.pushAll(phones.map((phone) => ({ campaign, phone })));
}

/** H30: where each move leads from each status; null is a conflict. */
const AFTER: Record<string, Record<string, string | null>> = {
  scheduled: { pause: "paused", resume: null, archive: "archived" },
  running: { pause: "paused", resume: null, archive: "archived" },
  paused: { pause: null, resume: "scheduled", archive: "archived" },
  completed: { pause: null, resume: null, archive: null },
  archived: { pause: null, resume: null, archive: null },
};

describe("H28, H30 statuses and moves", () => {
  for (const [status, enter] of Object.entries(IN)) {
    for (const type of ["batch", "realtime"]) {
      for (const move of MOVES) {
        const after = AFTER[status]?.[move] ?? null;
        it(`H30 ${move} of a ${status} ${type} campaign ${after === null ? "is a conflict" : `makes it ${after}`}`, async () => {
          const world = await made();
          const campaign = await enter(world, type);
          const before = await world.read(campaign);
          expect(before.status).toBe(status);
          if (after === null) {
            const answer = await refused(world.dialer.moveCampaign(campaign, move));
            expect(answer.code).toBe("conflict");
            expect(await world.read(campaign)).toEqual(before);
          } else {
            expect((await world.move(campaign, move)).status).toBe(after);
          }
        });
      }
      const open = status !== "completed" && status !== "archived";
      it(`H4 a ${status} ${type} campaign ${open ? "takes" : "refuses"} an edit`, async () => {
        const world = await made();
        const campaign = await enter(world, type);
        const before = await world.read(campaign);
        if (open) expect((await world.edit(campaign, { name: "New" })).settings.name).toBe("New");
        else {
          const answer = await refused(world.dialer.editCampaign(campaign, { name: "New" }));
          expect(answer.code).toBe("conflict");
          expect(await world.read(campaign)).toEqual(before);
        }
      });
    }
  }

  it("H28 a campaign that was paused while running is running again after resume", async () => {
    const world = await made();
    const campaign = await IN.running?.(world, "realtime");
    if (campaign === undefined) throw new Error("no campaign");
    await world.move(campaign, "pause");
    expect((await world.move(campaign, "resume")).status).toBe("running");
  });

  it("H28 a campaign is scheduled until its first dial, and running from it on", async () => {
    const world = await made();
    const campaign = await world.campaign({ start: 1000, end: 1100 });
    await world.push(campaign);
    await world.run(HOUR - 1);
    expect(await world.read(campaign)).toMatchObject({ status: "scheduled", startedAt: null });
    await world.run(1);
    const { status, startedAt } = await world.read(campaign);
    expect({ status, startedAt }).toEqual({ status: "running", startedAt: START + HOUR });
  });

  it("H28 pausing every task singly does not pause the campaign", async () => {
    const world = new World();
    await world.setUp({ workspace: { slots: 0 } });
    const campaign = await world.campaign();
    const task = await world.push(campaign);
    taken(await world.dialer.moveTask(task.id, "pause"));
    const { status, counters } = await world.read(campaign);
    expect({ status, paused: counters.paused }).toEqual({ status: "scheduled", paused: 1 });
  });

  it("H28 a batch completes with the end of its last task, completed or archived", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch", slots: 1 });
    await world.import(campaign, [world.phone(), world.phone()]);
    const [waits] = world.sql.all<{ task: number }>("SELECT task FROM waiting");
    const task = makeId("tsk", WORKSPACE, waits?.task ?? 0);
    taken(await world.dialer.moveTask(task, "archive"));
    expect((await world.read(campaign)).status).toBe("running");
    await world.finish(world.last(), "connected");
    const { status, counters } = await world.read(campaign);
    expect(status).toBe("completed");
    expect(counters).toMatchObject({ completed: 1, archived: 1, queued: 0, running: 0 });
  });

  it("H28 a paused batch whose last call ends completes all the same", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    await world.import(campaign, [world.phone()]);
    await world.move(campaign, "pause");
    await world.finish(world.last(), "connected");
    expect((await world.read(campaign)).status).toBe("completed");
  });

  it("H28 a batch whose last task is archived singly completes, a paused one too", async () => {
    for (const paused of [false, true]) {
      const world = new World();
      await world.setUp({ workspace: { slots: 0 } });
      const campaign = await world.campaign({ type: "batch", paused });
      await world.import(campaign, [world.phone(), world.phone()]);
      const rows = world.sql.all<{ id: number }>("SELECT id FROM task");
      const [one, two] = rows.map((row) => makeId("tsk", WORKSPACE, row.id)) as [TaskId, TaskId];
      taken(await world.dialer.moveTask(one, "archive"));
      expect((await world.read(campaign)).completedAt).toBeNull();
      taken(await world.dialer.moveTask(two, "archive"));
      expect(await world.read(campaign)).toMatchObject({ status: "completed", completedAt: START });
    }
  });

  it("H28 a batch without tasks stays scheduled, through pause, resume and an import of nothing", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    await world.run(30 * DAY);
    await world.move(campaign, "pause");
    await world.move(campaign, "resume");
    await world.import(campaign, []);
    await world.run(DAY);
    const { status, startsAt } = await world.read(campaign);
    expect({ status, startsAt }).toEqual({ status: "scheduled", startsAt: null });
  });

  it("H28 a realtime campaign does not complete because its queue ran empty", async () => {
    const world = await made();
    const campaign = await world.campaign();
    await world.push(campaign);
    await world.finish(world.last(), "connected");
    await world.run(30 * DAY);
    expect((await world.read(campaign)).status).toBe("running");
    await world.push(campaign);
    expect(world.dials).toHaveLength(2);
  });

  for (const type of ["batch", "realtime"]) {
    for (const paused of [false, true]) {
      it(`H28 the end time completes a ${paused ? "paused " : ""}${type} campaign, with tasks or without`, async () => {
        const world = new World();
        await world.setUp({ workspace: { slots: 0 } });
        const body = { type, paused, endAfter: START + HOUR };
        const empty = await world.campaign(body);
        const full = await world.campaign(body);
        await give(world, full, type, 2);
        await world.run(HOUR - 1);
        expect((await world.read(empty)).completedAt).toBeNull();
        await world.run(1);
        const ended = { status: "completed", completedAt: START + HOUR };
        expect(await world.read(empty)).toMatchObject(ended);
        expect(await world.read(full)).toMatchObject({
          ...ended,
          counters: { queued: 0, paused: 0, archived: 2 },
        });
      });
    }
  }
});
