import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, rowsOf, storedStatus } from "../support/node/scene.ts";
import {
  AGENT,
  CONNECTION,
  HOUR,
  MINUTE,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  const outcomes = [
    { name: "do_not_call", suppress: true },
    { name: "interested", suppress: false },
  ];
  await world.setUp({ workspace: { slots: 2 }, agent: { outcomes } });
});
afterEach(() => checkWorld(world));

const list = (phone: string, expiresAt: number | null = null) =>
  world.put("suppression", phone, { expiresAt });
const unlist = (phone: string) => world.put("suppression", phone, null);
const push = async (campaign: string, phone: string) =>
  (await world.pushAll([{ campaign, phone }]))[0];
const suppressed = {
  ok: false,
  code: "invalid",
  issues: [{ path: "tasks.0.phone", got: "suppressed" }],
};

describe("H40 at ingest", () => {
  it("H40 a push of a listed number is refused as suppressed, however it is written", async () => {
    const campaign = await world.campaign();
    await list("+919876540001");
    for (const phone of ["+919876540001", "00919876540001", "+91 98765-40001"]) {
      expect(await push(campaign, phone)).toMatchObject(suppressed);
    }
    expect(await push(campaign, "+919876540002")).toMatchObject({ ok: true });
    expect(rowsOf(world, "task")).toBe(1);
  });

  it("H40 a listed row of an import is rejected as suppressed, and the others are taken", async () => {
    const campaign = await world.campaign({ type: "batch" });
    const [a, b] = [world.phone(), world.phone()];
    await list(a);
    expect(await world.import(campaign, [a, b, a])).toEqual({
      taken: 1,
      rejected: [2, 4].map((line) => ({ line, reason: "suppressed" })),
    });
    expect(world.dials.map((dial) => dial.phone)).toEqual([b]);
  });

  it("H40 a rejected row does not make a later one its duplicate, once the number is off the list", async () => {
    const campaign = await world.campaign({ type: "batch" });
    const phone = world.phone();
    await list(phone);
    expect(await world.import(campaign, [phone])).toMatchObject({ taken: 0 });
    await unlist(phone);
    expect(await world.import(campaign, [phone])).toEqual({ taken: 1, rejected: [] });
  });

  it("H40 an entry counts until it expires, to the millisecond, and a removal ends it at once", async () => {
    const campaign = await world.campaign({ paused: true });
    const phone = world.phone();
    await list(phone, world.now + HOUR);
    await world.run(HOUR - 1);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    await world.run(1);
    expect(await push(campaign, phone)).toMatchObject({ ok: true });
    await list(phone);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    world.restart();
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    await unlist(phone);
    expect(await push(campaign, phone)).toMatchObject({ ok: true });
  });
});

describe("H36, H40 entries in any order", () => {
  it("H36 an older version of an entry never replaces a newer one", async () => {
    const campaign = await world.campaign({ paused: true });
    const phone = world.phone();
    const put = async (version: number, doc: { expiresAt: null } | null) =>
      world.dialer.putCopies([{ kind: "suppression", id: phone, version, doc }]);
    await put(9, { expiresAt: null });
    await put(8, null);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    await put(10, null);
    await put(9, { expiresAt: null });
    expect(await push(campaign, phone)).toMatchObject({ ok: true });
  });
});

describe("H40 at the instant of dialling", () => {
  it("H40 a task whose number was listed since is archived in its turn, without a dial", async () => {
    const campaign = await world.campaign({ startAfter: world.now + HOUR });
    const one = await world.push(campaign);
    const two = await world.push(campaign);
    await list(one.phone);
    expect((await world.task(one.id)).status).toBe("queued");
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.phone)).toEqual([two.phone]);
    await world.run(1_000);
    expect(storedStatus(world, one.id)).toBe("archived");
    await expectStored(world, campaign);
  });

  it("H40 so is one that waits for its next attempt; a call in progress goes on", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const { id, phone } = await world.push(campaign);
    await list(phone);
    expect((await world.task(id)).status).toBe("running");
    await world.finish(world.last(), "busy");
    await world.run(2 * MINUTE);
    expect(world.dials).toHaveLength(1);
    expect(storedStatus(world, id)).toBe("archived");
  });

  it("H40 a number that is off the list again by then is dialled", async () => {
    const campaign = await world.campaign({ startAfter: world.now + HOUR });
    const [one, two] = [await world.push(campaign), await world.push(campaign)];
    await list(one.phone);
    await list(two.phone, world.now + HOUR);
    await unlist(one.phone);
    await world.run(HOUR);
    expect(world.dials.map((dial) => dial.phone).sort()).toEqual([one.phone, two.phone].sort());
  });

  it("H40 a batch whose tasks are all on the list completes without a slot, thousands of them", async () => {
    const campaign = await world.campaign({ type: "batch", startAfter: world.now + HOUR });
    const phones = Array.from({ length: 1_200 }, () => world.phone());
    await world.import(campaign, phones);
    for (const phone of phones) await world.dialer.putCopies([entry(phone)]);
    await world.run(HOUR + 1_000);
    expect(world.dials).toHaveLength(0);
    const { status, counters } = await world.read(campaign);
    expect({ status, archived: counters.archived }).toEqual({
      status: "completed",
      archived: 1_200,
    });
  });

  const entry = (id: string) => ({
    kind: "suppression" as const,
    id,
    version: 1,
    doc: { expiresAt: null },
  });
});

describe("H40 by an outcome", () => {
  const stored = () =>
    world.stored("SELECT phone, reason, source, deleted_at FROM suppressions ORDER BY phone");

  it("H40 the outcome puts the number on the list at once, for every campaign, and D1 hears of it", async () => {
    const campaign = await world.campaign({ slots: 1 });
    const { phone } = await world.push(campaign);
    const later = await world.push(campaign, { phone });
    await world.finish(world.last(), "do_not_call");
    expect(world.dials).toHaveLength(1);
    expect((await world.task(later.id)).status).toBe("archived");
    expect(await push(await world.campaign(), phone)).toMatchObject(suppressed);
    await world.run(1_000);
    expect(stored()).toEqual([
      { phone, reason: "do_not_call", source: "outcome", deleted_at: null },
    ]);
  });

  it("H40 an outcome that does not say so puts nothing there", async () => {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign);
    await world.finish(world.last(), "interested");
    await world.run(1_000);
    expect(stored()).toEqual([]);
    expect(await push(campaign, phone)).toMatchObject({ ok: true });
  });

  it("H40 a task that such an outcome would have tried again is archived instead of dialled", async () => {
    const retryOutcomes = ["do_not_call"];
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE, retryOutcomes });
    const { id } = await world.push(campaign);
    await world.finish(world.last(), "do_not_call");
    await world.run(HOUR);
    expect(world.dials).toHaveLength(1);
    expect(storedStatus(world, id)).toBe("archived");
  });

  it("H40, H35 neither a restart nor D1 being away loses the entry", async () => {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign);
    await world.run(MINUTE);
    world.d1Fault = new Error("D1 is away");
    await world.finish(world.last(), "do_not_call");
    world.restart();
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    await world.run(HOUR);
    world.restart();
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(stored()).toMatchObject([{ phone, source: "outcome" }]);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
  });

  it("H40 the object keeps no listed number once D1 has it", async () => {
    const { phone } = await world.push(await world.campaign());
    await world.finish(world.last(), "do_not_call");
    await world.run(MINUTE);
    const kept = JSON.stringify([
      world.sql.all("SELECT * FROM suppressed"),
      world.sql.all("SELECT * FROM call"),
      world.sql.all("SELECT * FROM task"),
    ]);
    expect(rowsOf(world, "suppressed")).toBe(1);
    expect(kept).not.toContain(phone.slice(1));
  });

  it("H40 a person's later removal stands, though D1 hears of the outcome after it", async () => {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign);
    await list(phone, world.now + 10 * HOUR);
    const insert = `INSERT INTO suppressions (workspace, phone, version, created_at, source, deleted_at)
      VALUES ('ws_k3v9q2m8xa', ?, ?, ?, 'person', ?)`;
    world.d1Fault = new Error("D1 is away");
    await world.finish(world.last(), "do_not_call");
    await world.run(MINUTE);
    world.d1Fault = null;
    world.d1.prepare(insert).run(phone, 500, world.now - HOUR, world.now);
    world.d1.exec(`INSERT INTO workspaces (id, name, slots, timezone, opens_min, closes_min, days,
      config_version, version, created_at) VALUES ('ws_k3v9q2m8xa', 'T', 2, 'UTC', 0, 1440, 127, 500, 0, 0)`);
    await unlist(phone);
    await world.run(5 * MINUTE);
    expect(stored()).toMatchObject([{ phone, source: "person" }]);
    expect(stored()[0]?.deleted_at).not.toBeNull();
    expect(await push(campaign, phone)).toMatchObject({ ok: true });
    expect(taken(await world.dialer.readWorkspace()).slots).toBe(2);
  });

  it("H40 a removal that was made before the outcome does not undo it, however late it comes", async () => {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign);
    world.d1Fault = new Error("D1 is away");
    await world.finish(world.last(), "do_not_call");
    await unlist(phone);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(stored()).toMatchObject([{ phone, source: "outcome", deleted_at: null }]);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
  });

  it("H40 an outcome after a person's removal puts the number back", async () => {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign);
    await list(phone);
    await unlist(phone);
    world.d1
      .prepare(`INSERT INTO suppressions (workspace, phone, version, created_at, source, deleted_at)
        VALUES ('ws_k3v9q2m8xa', ?, 3, 0, 'person', ?)`)
      .run(phone, world.now - 1);
    await world.finish(world.last(), "do_not_call");
    await world.run(MINUTE);
    expect(stored()).toEqual([
      { phone, reason: "do_not_call", source: "outcome", deleted_at: null },
    ]);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
  });
});

describe("H40 with an analysis that comes when the task is decided", () => {
  /** A connected call whose analysis did not come in time; `left` when D1 alone has it. */
  async function decided(left: boolean) {
    const campaign = await world.campaign();
    const { phone } = await world.push(campaign, { phone: "+919876540077" });
    const dial = world.last();
    if (!left) world.d1Fault = new Error("D1_ERROR: away");
    await world.report(dial, { ended: true, outcome: "connected", answeredAt: world.now });
    await world.run(3 * MINUTE);
    expect(rowsOf(world, "call")).toBe(left ? 0 : 1);
    return { campaign, phone, dial };
  }

  it("H40 the outcome still puts the number on the list while the call is here", async () => {
    const { campaign, phone, dial } = await decided(false);
    await world.report(dial, { ended: true, concluding: true, outcome: "do_not_call" });
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    world.d1Fault = null;
    await world.run(2 * MINUTE);
    expect(world.stored("SELECT phone, source FROM suppressions")).toMatchObject([
      { phone, source: "outcome" },
    ]);
  });

  it("H40 it does so through D1 once the call has left", async () => {
    world.d1
      .prepare(
        `INSERT INTO workspaces (id, name, slots, timezone, opens_min, closes_min, days,
           config_version, version, created_at) VALUES (?, 'Test', 2, 'UTC', 0, 1440, 127, 9, 9, 0)`,
      )
      .run(WORKSPACE);
    world.d1
      .prepare(
        `INSERT INTO agents (id, workspace, version, created_at, name, connection,
           carrier_agent_id, placeholders, outcomes, uses_callback, settings)
         VALUES (?, ?, 9, 0, 'Asha', ?, 'a', '[]', ?, 0, '{}')`,
      )
      .run(
        AGENT,
        WORKSPACE,
        CONNECTION,
        JSON.stringify([
          { name: "do_not_call", suppress: true },
          { name: "interested", suppress: false },
        ]),
      );
    const { campaign, phone, dial } = await decided(true);
    await world.report(dial, { ended: true, concluding: true, outcome: "do_not_call" });
    await world.run(MINUTE);
    const entries = () => world.stored("SELECT phone, version, source FROM suppressions");
    expect(entries()).toMatchObject([{ phone, version: 10, source: "outcome" }]);
    expect(await push(campaign, phone)).toMatchObject(suppressed);
    expect(world.stored("SELECT outcome, reported FROM calls")).toMatchObject([
      { outcome: "connected", reported: "do_not_call" },
    ]);
    world.restart();
    await world.report(dial, { ended: true, concluding: true, outcome: "do_not_call" });
    await world.run(MINUTE);
    expect(entries()).toMatchObject([{ version: 10 }]);
    expect(world.stored("SELECT config_version FROM workspaces")).toMatchObject([
      { config_version: 10 },
    ]);
  });
});
