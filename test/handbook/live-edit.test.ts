import { describe, expect, it } from "vitest";
import type { CampaignBody } from "../../src/core/campaign-body.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import { AGENT_2, addMore, costOf, NUMBER_2, pushMany, refused } from "../support/node/scene.ts";
import { type Dialled, HOUR, MINUTE, START, taken, World } from "../support/node/world.ts";

const TUESDAY = Date.UTC(2027, 0, 5);

type Scene = { world: World; campaign: CampaignId; running: Dialled };

/** One slot, in use by a call of this campaign, and so many of its tasks waiting behind it. */
async function scene(waiting: number, body: CampaignBody): Promise<Scene> {
  const world = new World();
  await world.setUp({ workspace: { slots: 1 } });
  await addMore(world);
  const campaign = await world.campaign(body);
  await pushMany(world, campaign, waiting + 1);
  expect(world.dials).toHaveLength(1);
  await world.run(5_000);
  return { world, campaign, running: world.last() };
}

/** Ends the call that holds the slot; when the next one is dialled, looking ahead so far. */
async function next({ world, running }: Scene, outcome = "connected", ahead = 0): Promise<Dialled> {
  const before = world.dials.length;
  await world.finish(running, outcome);
  await world.run(ahead);
  expect(world.dials.length).toBeGreaterThan(before);
  return world.dials[before] as Dialled;
}

type Live = {
  campaign?: CampaignBody;
  edit: CampaignBody;
  counts(scene: Scene): Promise<void>;
};

/** Every setting that can change while tasks wait, and how the next dial shows it. */
const SETTINGS: Record<string, Live> = {
  name: {
    edit: { name: "Spring" },
    counts: async ({ world, campaign }) => {
      expect((await world.read(campaign)).settings.name).toBe("Spring");
    },
  },
  agent: {
    edit: { agent: AGENT_2 },
    counts: async (scene) => expect((await next(scene)).carrierAgentId).toBe(AGENT_2),
  },
  "calling number": {
    edit: { from: NUMBER_2 },
    counts: async (scene) => expect((await next(scene)).from).toBe("+918047112292"),
  },
  hours: {
    edit: { start: 1200, end: 1300 },
    counts: async (scene) => {
      expect((await next(scene, "connected", 4 * HOUR)).at).toBe(START + 3 * HOUR);
    },
  },
  weekdays: {
    edit: { days: ["tue"] },
    counts: async (scene) => expect((await next(scene, "connected", 20 * HOUR)).at).toBe(TUESDAY),
  },
  timezone: {
    campaign: { start: 900, end: 1000 },
    edit: { timezone: "Asia/Kolkata" },
    counts: async (scene) => {
      const opensAt = TUESDAY + 3.5 * HOUR;
      expect((await next(scene, "connected", 24 * HOUR)).at).toBe(opensAt);
    },
  },
  priority: {
    edit: { priority: "low" },
    counts: async (scene) => {
      const other = await scene.world.campaign({ name: "Other" });
      const { phone } = await scene.world.push(other);
      expect((await next(scene)).phone).toBe(phone);
    },
  },
  "slot limit": {
    edit: { slots: 1 },
    counts: async ({ world }) => {
      const workspace = taken(await world.dialer.readWorkspace());
      expect(workspace.slotsInUse).toBe(1);
      await world.setUp({ workspace: { slots: 3 } });
      await world.idle();
      expect(world.dials).toHaveLength(1);
    },
  },
  "end time": {
    edit: { endAfter: START + 10 * MINUTE },
    counts: async ({ world, campaign, running }) => {
      await world.run(20 * MINUTE);
      await world.finish(running, "connected");
      expect(world.dials).toHaveLength(1);
      expect((await world.read(campaign)).status).toBe("completed");
    },
  },
  retries: {
    edit: { retries: 1, intervals: MINUTE },
    counts: async (scene) => {
      await scene.world.setUp({ workspace: { slots: 0 } });
      await scene.world.finish(scene.running, "busy");
      const { counters } = await scene.world.read(scene.campaign);
      expect(counters).toMatchObject({ running: 0, completed: 0, attempts: 1 });
    },
  },
  intervals: {
    campaign: { retries: 1, intervals: MINUTE, priority: "high" },
    edit: { intervals: 3 * HOUR },
    counts: async ({ world, running, campaign }) => {
      await world.move(campaign, "pause");
      await world.finish(running, "busy");
      const [row] = world.sql.all<{ at: number }>("SELECT at FROM task WHERE attempts = 1");
      expect(row?.at).toBe(world.now + 3 * HOUR);
    },
  },
  "retry outcomes": {
    campaign: { retries: 1 },
    edit: { retryOutcomes: ["voicemail"] },
    counts: async ({ world, running, campaign }) => {
      await world.finish(running, "voicemail");
      expect((await world.read(campaign)).counters).toMatchObject({ completed: 0, attempts: 1 });
    },
  },
};

describe("H4 live edit", () => {
  for (const [name, live] of Object.entries(SETTINGS)) {
    it(`H4 a changed ${name} counts from the next dial on, for 5 and for 5,000 waiting tasks at one cost`, async () => {
      const costs = [];
      for (const waiting of [5, 5_000]) {
        const made = await scene(waiting, live.campaign ?? {});
        const { reply, cost } = costOf(made.world, () =>
          made.world.dialer.editCampaign(made.campaign, live.edit),
        );
        costs.push(cost);
        await made.world.idle();
        taken(await reply);
        expect(made.world.dials, "a call in progress is never touched").toHaveLength(1);
        await live.counts(made);
      }
      expect(costs[0]?.written).toBeGreaterThan(0);
      expect(costs[1]).toEqual(costs[0]);
    });
  }

  it("H4 a changed setting counts for a task that waits for its next attempt, too", async () => {
    const { world, campaign, running } = await scene(0, { retries: 1, intervals: HOUR });
    await world.finish(running, "busy");
    await world.edit(campaign, { agent: AGENT_2, from: NUMBER_2 });
    await world.run(HOUR);
    expect(world.last()).toMatchObject({ attempt: 2, carrierAgentId: AGENT_2 });
  });

  it("H4 a retry already granted keeps its time when the interval changes", async () => {
    const { world, campaign, running } = await scene(0, { retries: 1, intervals: HOUR });
    await world.finish(running, "busy");
    const due = world.now + HOUR;
    for (const intervals of [MINUTE, 5 * HOUR]) await world.edit(campaign, { intervals });
    await world.run(HOUR - 1);
    expect(world.dials).toHaveLength(1);
    await world.run(1);
    expect(world.last().at).toBe(due);
  });

  it("H4 a retry whose attempts were taken away completes when it falls due, without a dial", async () => {
    const { world, campaign, running } = await scene(0, { retries: 2, intervals: HOUR });
    await world.finish(running, "busy");
    await world.edit(campaign, { retries: 0 });
    await world.run(HOUR - 1);
    expect((await world.read(campaign)).counters).toMatchObject({ queued: 1, completed: 0 });
    await world.run(1);
    expect(world.dials).toHaveLength(1);
    expect((await world.read(campaign)).counters).toMatchObject({ queued: 0, completed: 1 });
  });

  it("H4 completed tasks are not revived by more retries", async () => {
    const { world, campaign, running } = await scene(0, {});
    await world.finish(running, "busy");
    await world.edit(campaign, { retries: 5, intervals: 0 });
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
    expect((await world.read(campaign)).counters).toMatchObject({ queued: 0, completed: 1 });
  });

  it("H4 a task's own values stay, whatever its campaign is changed to", async () => {
    const world = new World();
    await world.setUp();
    await addMore(world);
    const campaign = await world.campaign({ paused: true });
    const own = { agent: AGENT_2, start: 1000, end: 1100, days: ["mon"], timezone: "UTC" };
    await world.push(campaign, { ...own, retries: 1 });
    const edit = { start: 1500, end: 1600, days: ["sun"], timezone: "Asia/Tokyo", from: NUMBER_2 };
    await world.edit(campaign, { ...edit, retries: 3, intervals: 0 });
    await world.move(campaign, "resume");
    await world.run(2 * HOUR);
    expect(world.last()).toMatchObject({ at: START + HOUR, carrierAgentId: AGENT_2 });
    expect(world.last().from).not.toBe("+918047112292");
    await world.finish(world.last(), "busy");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
  });

  it("H4 startAfter moves in both directions until the first dial, and not after it", async () => {
    const world = new World();
    await world.setUp();
    const campaign = await world.campaign({ startAfter: START + 5 * HOUR });
    await world.push(campaign);
    await world.edit(campaign, { startAfter: START + 9 * HOUR });
    await world.run(6 * HOUR);
    expect(world.dials).toHaveLength(0);
    await world.edit(campaign, { startAfter: START + 7 * HOUR });
    await world.run(HOUR);
    expect(world.last().at).toBe(START + 7 * HOUR);

    const later = world.dialer.editCampaign(campaign, { startAfter: START + 20 * HOUR });
    expect((await refused(later)).code).toBe("conflict");
    const now = world.dialer.editCampaign(campaign, { startAfter: null });
    expect((await refused(now)).code).toBe("conflict");
    expect((await world.read(campaign)).settings.startAfter).toBe(START + 7 * HOUR);
  });

  it("H4 startAfter cleared before the first dial means now", async () => {
    const world = new World();
    await world.setUp();
    const campaign = await world.campaign({ type: "batch", startAfter: START + 5 * HOUR });
    await world.import(campaign, [world.phone()]);
    await world.run(HOUR);
    await world.edit(campaign, { startAfter: null });
    expect(world.last().at).toBe(START + HOUR);
    expect((await world.read(campaign)).startsAt).toBe(START + HOUR);
  });

  it("H4 a batch whose startAfter is cleared before its first import is complete waits for that", async () => {
    const world = new World();
    await world.setUp();
    const campaign = await world.campaign({ type: "batch", startAfter: START + 5 * HOUR });
    await world.edit(campaign, { startAfter: null });
    expect((await world.read(campaign)).startsAt).toBeNull();
    await world.run(HOUR);
    await world.import(campaign, [world.phone()]);
    expect(world.last().at).toBe(START + HOUR);
  });

  it("H4 a wrong edit changes nothing, not even what was right in it", async () => {
    const { world, campaign } = await scene(1, {});
    const before = await world.read(campaign);
    const wrong = world.dialer.editCampaign(campaign, {
      name: "New",
      priority: "urgent",
      slots: 0,
    });
    expect(await refused(wrong)).toEqual({ code: "invalid", paths: ["priority", "slots"] });
    const type = world.dialer.editCampaign(campaign, { name: "New", type: "batch" });
    expect((await refused(type)).code).toBe("conflict");
    expect(await world.read(campaign)).toEqual(before);
  });
});
