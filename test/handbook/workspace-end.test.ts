import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { storedStatus } from "../support/node/scene.ts";
import { CONNECTION, MINUTE, taken, WORKSPACE, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 1 } });
});

/** The tombstone as the Dialer's flush or a hand-over brings it. */
const TOMBSTONE = { kind: "workspace" as const, id: WORKSPACE, version: 99, doc: null };
const NONE = { ok: false, code: "not_found" };

async function ended(of = world): Promise<number> {
  const reply = of.dialer.end();
  await of.idle();
  if (of.d1Fault !== null) await of.run(2_000);
  return taken(await reply).open;
}

/** A workspace with a call in progress and a task that waits behind it. */
async function busy() {
  const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
  const calls = await world.push(campaign);
  const waits = await world.push(campaign);
  return { campaign, calls, waits, dial: world.last() };
}

describe("a workspace that has ended", () => {
  afterEach(() => checkWorld(world));

  it("dials nothing more, and lets the call in progress end", async () => {
    const { calls, waits, dial } = await busy();
    expect(await ended()).toBe(1);
    await world.finish(dial, "busy");
    await world.run(60 * MINUTE);
    expect(world.dials).toHaveLength(1);
    expect(storedStatus(world, waits.id)).toBe("archived");
    expect(storedStatus(world, calls.id)).toBe("archived");
  });

  it("takes no tasks, campaigns or imports in", async () => {
    const { campaign } = await busy();
    await ended();
    const push = { access: null, tasks: [{ body: { campaign }, path: "" }], idempotency: null };
    expect(await world.dialer.push(push)).toMatchObject({ ok: false, code: "unauthorized" });
    const body = { name: "More", type: "realtime" };
    expect(await world.dialer.createCampaign({ body, idempotency: null })).toMatchObject(NONE);
    expect(await world.dialer.moveCampaign(campaign, "resume")).toMatchObject({ ok: false });
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
  });

  it("ends by its tombstone alone, and survives a restart with it", async () => {
    const { dial } = await busy();
    taken(await world.dialer.putCopies([TOMBSTONE]));
    world.restart();
    taken(await world.dialer.putCopies([TOMBSTONE]));
    expect(await ended()).toBe(1);
    await world.finish(dial, "connected");
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(1);
    expect(taken(await world.dialer.readWorkspace()).slotsInUse).toBe(0);
  });

  it("goes on where it was when the object dies right after its end", async () => {
    const { dial } = await busy();
    const reply = world.dialer.end();
    world.restart();
    void reply;
    await world.finish(dial, "busy");
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(1);
    expect(await ended()).toBe(0);
  });
});

describe("what an ended workspace had", () => {
  const vanish = () => world.dialer.vanish();

  it("stays while it has not ended, while a call goes on, and until D1 knows everything", async () => {
    const { dial } = await busy();
    expect(await vanish()).toMatchObject({ ok: false, code: "conflict" });
    await ended();
    expect(await vanish()).toMatchObject({ ok: false, code: "in_use" });
    world.d1Fault = new Error("D1_ERROR: away");
    await world.finish(dial, "connected");
    expect(await vanish()).toMatchObject({ ok: false, code: "unavailable" });
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(await vanish()).toMatchObject({ ok: true });
    expect([world.tables(), world.alarm]).toEqual([[], null]);
  });

  for (const restarts of [false, true]) {
    it(`is never there again, whatever comes late${restarts ? ", to a new instance" : ""}`, async () => {
      const { campaign, waits, dial } = await busy();
      await ended();
      await world.finish(dial, "connected");
      await world.run(MINUTE);
      taken(await vanish());
      world.watch = () => undefined;
      if (restarts) world.restart();
      const { dialer } = world;
      const key = { kind: "key" as const, id: "key_k3v9q2m8xa_late", version: 100, doc: null };
      expect(await dialer.putCopies([key])).toMatchObject({ ok: false });
      expect(await dialer.putCopies([TOMBSTONE, key])).toMatchObject({ ok: false });
      const push = { access: null, tasks: [{ body: { campaign }, path: "" }], idempotency: null };
      expect(await dialer.push(push)).toMatchObject({ ok: false });
      const report = { call: dial.call, carrierCallId: null, news: NO_NEWS };
      expect(await dialer.report([{ connection: CONNECTION, report }])).toMatchObject(NONE);
      expect(await dialer.readWorkspace()).toMatchObject(NONE);
      const late = [
        () => dialer.createCampaign({ body: { name: "More" }, idempotency: null }),
        () => dialer.moveCampaign(campaign, "resume"),
        () => dialer.readTask(waits.id),
        () => dialer.retire("agent", "agt_k3v9q2m8xa_a1", 101),
      ];
      for (const verb of late) await expect(verb()).rejects.toThrow();
      expect(await vanish()).toMatchObject({ ok: true });
      await dialer.tick();
      await dialer.alarm();
      expect(await dialer.end()).toEqual({ ok: true, value: { open: 0 } });
      await world.run(60 * MINUTE);
      expect([world.tables(), world.alarm, world.dials.length]).toEqual([[], null, 1]);
    });
  }

  it("is removed for good while a sweep of it is due", async () => {
    const { dial } = await busy();
    await ended();
    await world.finish(dial, "connected");
    // Right when D1 knows everything, before what is over is swept.
    for (let tries = 0; !(await vanish()).ok; tries++) {
      expect(tries).toBeLessThan(200);
      await world.run(5);
    }
    world.watch = () => undefined;
    await world.run(MINUTE);
    expect([world.tables(), world.alarm]).toEqual([[], null]);
  });

  it("is whole again when removing it failed", async () => {
    await busy();
    await ended();
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    world.wipeFault = new Error("storage is away");
    await expect(vanish()).rejects.toThrow("storage is away");
    expect(taken(await world.dialer.readWorkspace()).slotsInUse).toBe(0);
    world.wipeFault = null;
    taken(await vanish());
    expect(world.tables()).toEqual([]);
  });
});
