import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CampaignId, TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { rowsOf } from "../support/node/scene.ts";
import { MINUTE, taken, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const ORIGIN = { actorKind: "key" as const, actor: "key_1", ip: "203.0.113.7", requestId: "r-1" };

/** A verb's reply, which waits for the flush. */
async function soon<T>(reply: Promise<{ ok: true; value: T } | { ok: false; message: string }>) {
  await world.idle();
  if (world.d1Fault !== null) await world.run(2_000);
  return taken(await reply);
}

type Shown = { action: string; target: string; before: unknown; after: unknown };

/** What D1 has, in the order in which it was done. */
function entries(): Shown[] {
  return world.stored("SELECT * FROM audit ORDER BY id").map((row) => ({
    action: String(row.action),
    target: String(row.target),
    before: JSON.parse(String(row.before ?? "null")),
    after: JSON.parse(String(row.after ?? "null")),
  }));
}

const body = { name: "Leads", type: "realtime", paused: true };
const create = () => soon(world.dialer.createCampaign({ body, idempotency: null }, ORIGIN));
const move = (id: CampaignId, verb: "pause" | "resume" | "archive") =>
  soon(world.dialer.moveCampaign(id, verb, ORIGIN));
const moveTask = (id: TaskId, verb: "pause" | "resume" | "archive") =>
  soon(world.dialer.moveTask(id, verb, ORIGIN));

describe("what people and keys do to campaigns and tasks", () => {
  it("is in the log once each, before and after, with who did it and from where", async () => {
    const { id } = (await create()).campaign;
    await soon(world.dialer.editCampaign(id, { name: "Leads", slots: 3 }, ORIGIN));
    for (const verb of ["resume", "pause", "archive"] as const) await move(id, verb);
    const status = (before: string, after: string) => ({
      before: { status: before },
      after: { status: after },
    });
    expect(entries()).toMatchObject([
      { action: "campaign.create", target: id, before: null, after: { name: "Leads" } },
      { action: "campaign.edit", before: { slotsMax: null }, after: { slotsMax: 3 } },
      { action: "campaign.resume", ...status("paused", "scheduled") },
      { action: "campaign.pause", ...status("scheduled", "paused") },
      { action: "campaign.archive", ...status("paused", "archived") },
    ]);
    // Nothing that stayed as it was is shown.
    expect(Object.keys(entries()[1]?.after ?? {})).toEqual(["slotsMax"]);
    const [row] = world.stored("SELECT actor_kind, actor, ip, request_id, at FROM audit LIMIT 1");
    expect(row).toEqual({
      ...{ actor_kind: "key", actor: "key_1", ip: "203.0.113.7", request_id: "r-1" },
      at: world.now,
    });
  });

  it("is there for single tasks, waiting or in a call", async () => {
    const campaign = await world.campaign();
    const running = await world.push(campaign);
    const waiting = await world.push(campaign, { startAfter: world.now + 60 * MINUTE });
    await moveTask(waiting.id, "pause");
    await moveTask(waiting.id, "resume");
    await moveTask(waiting.id, "archive");
    await moveTask(running.id, "archive");
    await world.run(MINUTE);
    const status = (before: string, after: string) => ({
      before: { status: before },
      after: { status: after },
    });
    expect(entries()).toEqual([
      { action: "task.pause", target: waiting.id, ...status("queued", "paused") },
      { action: "task.resume", target: waiting.id, ...status("paused", "queued") },
      { action: "task.archive", target: waiting.id, ...status("queued", "archived") },
      { action: "task.archive", target: running.id, ...status("running", "running") },
    ]);
    await world.finish(world.last(), "connected");
  });

  it("is not there for what is refused, changes nothing, or is repeated by its key", async () => {
    const { id } = (await create()).campaign;
    const idempotency = { route: "campaigns", key: "k", bodyHash: "h" };
    const twice = () => soon(world.dialer.createCampaign({ body, idempotency }, ORIGIN));
    const first = await twice();
    expect((await twice()).campaign.id).toBe(first.campaign.id);
    const before = entries();
    expect(before).toHaveLength(2);
    await soon(world.dialer.editCampaign(id, { name: "Leads" }, ORIGIN));
    expect(await world.dialer.moveCampaign(id, "pause", ORIGIN)).toMatchObject({ ok: false });
    expect(await world.dialer.editCampaign(id, { slots: -1 }, ORIGIN)).toMatchObject({ ok: false });
    await world.run(MINUTE);
    expect(entries()).toEqual(before);
  });

  it("is in the object with the change, or neither is", async () => {
    const { id } = (await create()).campaign;
    const { run } = world.sql;
    world.sql.run = (query, ...bind) => {
      if (query.includes("INSERT INTO entry")) throw new Error("disk I/O error: SQLITE_IOERR");
      run(query, ...bind);
    };
    await expect(world.dialer.moveCampaign(id, "resume", ORIGIN)).rejects.toThrow("SQLITE_IOERR");
    world.sql.run = run;
    expect((await world.read(id)).status).toBe("paused");
    world.d1Fault = new Error("D1_ERROR: away");
    await move(id, "resume");
    expect([(await world.read(id)).status, rowsOf(world, "entry")]).toEqual(["scheduled", 1]);
    world.restart();
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(entries().map(({ action }) => action)).toEqual(["campaign.create", "campaign.resume"]);
    expect(rowsOf(world, "entry")).toBe(0);
  });

  it("comes to D1 whole, however much it is", async () => {
    const { id } = (await create()).campaign;
    world.d1Fault = new Error("D1_ERROR: away");
    for (let n = 0; n < 150; n++) {
      for (const verb of ["resume", "pause"] as const)
        void world.dialer.moveCampaign(id, verb, ORIGIN);
    }
    await world.run(3_000);
    expect(rowsOf(world, "entry")).toBe(300);
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    const actions = entries().map(({ action }) => action);
    const pairs = Array.from({ length: 150 }, () => ["campaign.resume", "campaign.pause"]);
    expect(actions).toEqual(["campaign.create", ...pairs.flat()]);
    expect(rowsOf(world, "entry")).toBe(0);
  });
});

/** What can happen to a batch on its way: the object may die, or the answer be lost, on either side of D1's commit. */
const TROUBLE = ["none", "dies before", "dies after", "lost before", "lost after"] as const;

describe("an entry on its way to D1", () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`is neither lost nor there twice, whatever breaks (seed ${seed})`, async () => {
      const { id } = (await create()).campaign;
      let state = seed;
      const draw = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      let met = 0;
      for (let step = 0; step < 12; step++) {
        const trouble = TROUBLE[draw(TROUBLE.length)];
        if (trouble !== "none") met += 1;
        const lost = new Error("D1_ERROR: Network connection lost.");
        world.d1Fault = trouble?.endsWith("before") ? lost : null;
        world.d1Answers = () => {
          world.d1Answers = () => undefined;
          if (trouble === "dies after") world.restart();
          if (trouble === "lost after") throw lost;
        };
        const verb = step % 2 === 0 ? "resume" : "pause";
        world.dialer.moveCampaign(id, verb, ORIGIN).catch(() => undefined);
        await world.run(draw(1_500));
        if (trouble === "dies before") world.restart();
        world.d1Fault = null;
      }
      world.d1Answers = () => undefined;
      await world.run(5 * MINUTE);
      const actions = entries().map(({ action }) => action);
      const pairs = Array.from({ length: 6 }, () => ["campaign.resume", "campaign.pause"]);
      expect(actions).toEqual(["campaign.create", ...pairs.flat()]);
      expect(rowsOf(world, "entry")).toBe(0);
      expect(met).toBeGreaterThan(4);
    });
  }
});
