import { afterEach, describe, expect, it } from "vitest";
import type { Waiting } from "../../src/core/campaign.ts";
import type { CampaignBody } from "../../src/core/campaign-body.ts";
import { type CampaignId, type ImportId, makeId, type TaskId } from "../../src/core/ids.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import type { ConnectionDoc } from "../../src/dialer/verbs.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import {
  AGENT,
  AGENT_DOC,
  HOUR,
  MINUTE,
  START,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await checkWorld(world);
});

async function made(slots = 5, connection: Partial<ConnectionDoc> = {}): Promise<World> {
  const world = openWorld();
  worlds.push(world);
  await world.setUp({ workspace: { slots }, connection });
  return world;
}

type Scene = { world: World; campaign: CampaignId; task: TaskId };

async function pushed(world: World, body: CampaignBody, task: TaskBody = {}): Promise<Scene> {
  const campaign = await world.campaign(body);
  return { world, campaign, task: (await world.push(campaign, task)).id };
}

/** Another campaign makes a call, which takes what it takes. */
async function callElsewhere(world: World) {
  await world.push(await world.campaign({ name: "Elsewhere" }));
  return world.last();
}

async function batchTask(world: World, campaign: CampaignId, last: boolean): Promise<Scene> {
  const id = makeId("imp", WORKSPACE, "i") as ImportId;
  taken(await world.dialer.openImport(id, campaign));
  const rows = [{ line: 2, phone: world.phone(), context: {} }];
  const request = { import: id, part: 0, last, allowDuplicates: false, rows };
  taken(await world.dialer.ingest(request));
  const [row] = world.sql.all<{ id: number }>("SELECT id FROM task");
  return { world, campaign, task: makeId("tsk", WORKSPACE, row?.id ?? 0) };
}

type Case = {
  make: () => Promise<Scene>;
  waiting: Waiting;
  /** Where the campaign says something else than its task. */
  ofCampaign?: Waiting | null;
  /** What lifts it, where time alone does not. */
  lift?: (scene: Scene) => Promise<unknown>;
};

const CASES: Record<string, Case> = {
  "its campaign starts later": {
    make: async () => pushed(await made(), { startAfter: START + HOUR }),
    waiting: { reason: "start", until: START + HOUR },
  },
  "its batch starts later": {
    make: async () => {
      const world = await made();
      const body = { type: "batch", startAfter: START + HOUR };
      return batchTask(world, await world.campaign(body), true);
    },
    waiting: { reason: "start", until: START + HOUR },
  },
  "it starts later itself": {
    make: async () => pushed(await made(), {}, { startAfter: START + 2 * HOUR }),
    waiting: { reason: "start", until: START + 2 * HOUR },
  },
  "its campaign's hours are closed": {
    make: async () => pushed(await made(), { start: 1000, end: 1200 }),
    waiting: { reason: "hours", until: START + HOUR },
  },
  "its own hours are closed": {
    make: async () => pushed(await made(), {}, { days: ["tue"] }),
    waiting: { reason: "hours", until: START + 15 * HOUR },
  },
  "its interval runs": {
    make: async () => {
      const scene = await pushed(await made(), { retries: 1, intervals: 7 * MINUTE });
      await scene.world.finish(scene.world.last(), "busy");
      return scene;
    },
    waiting: { reason: "interval", until: START + 7 * MINUTE },
  },
  "the person asked for a time": {
    make: async () => {
      const world = await made();
      await world.put("agent", AGENT, { ...AGENT_DOC, usesCallback: true });
      const scene = await pushed(world, { retries: 1 });
      await world.finish(world.last(), "busy_callback", { callbackAt: START + 3 * HOUR });
      return scene;
    },
    waiting: { reason: "callback", until: START + 3 * HOUR },
  },
  "its import is open": {
    make: async () => {
      const world = await made();
      return batchTask(world, await world.campaign({ type: "batch" }), false);
    },
    waiting: { reason: "import", until: null },
    lift: ({ world }) => world.dialer.dropImport(makeId("imp", WORKSPACE, "i")),
  },
  "its campaign is paused": {
    make: async () => pushed(await made(), { paused: true, start: 1000, end: 1200 }),
    waiting: { reason: "paused", until: null },
    lift: async ({ world, campaign }) => {
      await world.move(campaign, "resume");
      await world.run(HOUR);
    },
  },
  "it is paused itself": {
    make: async () => {
      const scene = await pushed(await made(), { start: 1000, end: 1200 });
      taken(await scene.world.dialer.moveTask(scene.task, "pause"));
      await scene.world.run(HOUR);
      return scene;
    },
    waiting: { reason: "paused", until: null },
    lift: ({ world, task }) => world.dialer.moveTask(task, "resume"),
  },
  "other calls have all slots": {
    make: async () => {
      const world = await made(1);
      await callElsewhere(world);
      return pushed(world, {});
    },
    waiting: { reason: "slots", until: null },
    lift: ({ world }) => world.finish(world.last(), "connected"),
  },
  "its campaign's own limit is reached": {
    make: async () => {
      const world = await made();
      const campaign = await world.campaign({ slots: 1 });
      await world.push(campaign);
      return { world, campaign, task: (await world.push(campaign)).id };
    },
    waiting: { reason: "limit", until: null },
    ofCampaign: null,
    lift: ({ world }) => world.finish(world.last(), "connected"),
  },
  "its connection's limit is reached": {
    make: async () => {
      const world = await made(5, { callsMax: 1 });
      await callElsewhere(world);
      return pushed(world, {});
    },
    waiting: { reason: "limit", until: null },
    lift: ({ world }) => world.finish(world.last(), "connected"),
  },
  "its connection's pace allows none yet": {
    make: async () => {
      const world = await made(5, { perSecond: 0.1 });
      await callElsewhere(world);
      return pushed(world, {});
    },
    waiting: { reason: "pace", until: START + 10_000 },
  },
  "its connection backs off": {
    make: async () => {
      const world = await made();
      world.answer = () => ({ kind: "refused", reason: "connection", word: "402" });
      const scene = await pushed(world, {});
      world.answer = () => ({ kind: "accepted", carrierCallId: null });
      return scene;
    },
    waiting: {
      reason: "connection",
      until: START + 1_000,
      detail: "the carrier refuses the account",
    },
  },
  "its connection has lost an answer": {
    make: async () => {
      const world = await made();
      world.test = () => {
        throw new Error("still away");
      };
      world.answer = () => ({ kind: "unknown", word: "timeout" });
      await callElsewhere(world);
      world.answer = () => ({ kind: "accepted", carrierCallId: null });
      return pushed(world, {});
    },
    waiting: { reason: "connection", until: null, detail: expect.stringContaining("timeout") },
    lift: async ({ world }) => {
      world.test = () => undefined;
      await world.run(2 * MINUTE);
    },
  },
  "its agent is gone": {
    make: async () => {
      const scene = await pushed(await made(), { start: 1000, end: 1200 });
      await scene.world.put("agent", AGENT, null);
      await scene.world.run(HOUR);
      return scene;
    },
    waiting: { reason: "connection", until: null, detail: expect.stringContaining("gone") },
    lift: ({ world }) => world.put("agent", AGENT, AGENT_DOC),
  },
};

describe("H41 nothing waits without a word", () => {
  for (const [why, { make, waiting, ofCampaign = waiting, lift }] of Object.entries(CASES)) {
    const until = waiting.until === null ? "what lifts it" : "then";
    it(`H41 a task that waits since ${why} says so, its campaign too, and ${until} has it dialled`, async () => {
      const { world, campaign, task } = await make();
      expect((await world.task(task)).waiting).toEqual(waiting);
      expect((await world.read(campaign)).waiting).toEqual(ofCampaign);
      expect(await world.dialer.explainCampaigns([campaign])).toEqual([ofCampaign]);
      const dialled = () =>
        world.dials.filter((dial) => dial.at > START || lift !== undefined).length;
      const before = dialled();
      if (waiting.until !== null) {
        await world.run(waiting.until - world.now - 1);
        expect(dialled()).toBe(before);
        await world.run(1);
      } else {
        await lift?.({ world, campaign, task });
        await world.idle();
      }
      expect(dialled()).toBe(before + 1);
      expect(await world.task(task)).toMatchObject({ status: "running", waiting: null });
      expect((await world.read(campaign)).waiting).toBeNull();
    });
  }

  it("H41 the reply to a push says at once what the task waits for", async () => {
    const world = await made(0);
    const paused = await world.campaign({ paused: true });
    expect((await world.push(paused)).waiting).toEqual({ reason: "paused", until: null });
    const later = await world.campaign({ startAfter: START + HOUR });
    const { waiting } = await world.push(later);
    expect(waiting).toEqual({ reason: "start", until: START + HOUR });
    const open = await world.campaign();
    expect((await world.push(open)).waiting).toEqual({ reason: "slots", until: null });
  });

  it("H41 a batch without rows waits for its import, or for its resume", async () => {
    const world = await made();
    const batch = await world.campaign({ type: "batch" });
    expect((await world.read(batch)).waiting).toEqual({ reason: "import", until: null });
    await world.move(batch, "pause");
    expect((await world.read(batch)).waiting).toEqual({ reason: "paused", until: null });
  });

  it("H41 a batch whose tasks are done waits for the import that is still open", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    await world.import(campaign, [world.phone()]);
    taken(await world.dialer.openImport(makeId("imp", WORKSPACE, "more") as ImportId, campaign));
    await world.finish(world.last(), "connected");
    const { status, waiting } = await world.read(campaign);
    expect({ status, waiting }).toEqual({
      status: "running",
      waiting: { reason: "import", until: null },
    });
  });

  it("H41 a campaign says why it dials nothing by the first of its tasks that can be dialled", async () => {
    const world = await made();
    const campaign = await world.campaign();
    await world.push(campaign, { startAfter: START + 5 * HOUR });
    await world.push(campaign, { days: ["tue"] });
    const { id } = await world.push(campaign, { startAfter: START + 2 * HOUR });
    const two = { reason: "start", until: START + 2 * HOUR };
    expect((await world.read(campaign)).waiting).toEqual(two);
    taken(await world.dialer.moveTask(id, "pause"));
    const five = { reason: "start", until: START + 5 * HOUR };
    expect((await world.read(campaign)).waiting).toEqual(five);
  });

  it("H41 where nothing waits nothing is said: calls that run, an empty queue, a campaign that is over", async () => {
    const world = await made();
    const { campaign } = await pushed(world, {});
    const empty = await world.campaign();
    const over = await pushed(world, { paused: true });
    await world.move(over.campaign, "archive");
    for (const id of [campaign, empty, over.campaign]) {
      expect((await world.read(id)).waiting).toBeNull();
    }
    expect((await world.task(over.task)).waiting).toBeNull();
    const foreign = makeId("cmp", WORKSPACE, 9_999);
    expect(await world.dialer.explainCampaigns([foreign])).toEqual([null]);
  });
});
