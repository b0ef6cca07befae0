import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localKey, makeId, type TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, pushMany, rowsOf, storedStatus } from "../support/node/scene.ts";
import {
  AGENT,
  AGENT_DOC,
  CONNECTION,
  HOUR,
  MINUTE,
  NUMBER,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 2 } });
});

/** Makes D1 refuse rows of a table, as it does with what it cannot hold. */
function refuse(table: string, when: string): void {
  for (const verb of ["INSERT", "UPDATE"]) {
    world.d1.exec(`CREATE TRIGGER bad_${verb} BEFORE ${verb} ON ${table} WHEN ${when}
      BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: bad row'); END`);
  }
}

const setAside = () => world.logged.filter((line) => line.event === "set aside");
const local = (kind: "tsk" | "cal" | "cmp", id: string) => localKey(kind, WORKSPACE, id);

describe("H35 rows that D1 refuses", () => {
  it("H35 bad tasks are set aside alone: every other one is stored, however many came with them", async () => {
    const campaign = await world.campaign({ paused: true });
    await world.run(MINUTE);
    refuse("tasks", "new.phone LIKE '%0007' OR new.phone LIKE '%0420'");
    const tasks = await pushMany(world, campaign, 900);
    await world.run(MINUTE);
    const missing = tasks.filter((task) => storedStatus(world, task) === null);
    const phones = await Promise.all(missing.map(async (id) => (await world.task(id)).phone));
    expect(phones.map((phone) => phone.slice(-4))).toEqual(["0007", "0420"]);
    expect(setAside()).toHaveLength(2);
    expect((await world.read(campaign)).counters.paused).toBe(900);
  });

  it("H35 a bad new task does not hide what has changed of others", async () => {
    const campaign = await world.campaign({ startAfter: world.now + HOUR });
    const olds = await pushMany(world, campaign, 5);
    await world.run(MINUTE);
    refuse("tasks", "new.external_id = 'bad'");
    const { id } = await world.push(campaign, { externalId: "bad" });
    for (const task of olds) taken(await world.dialer.moveTask(task, "pause"));
    await world.run(MINUTE);
    expect(storedStatus(world, id)).toBeNull();
    expect(olds.map((task) => storedStatus(world, task))).toEqual(olds.map(() => "paused"));
  });

  it("H35 a bad change of a task does not hide new ones", async () => {
    const campaign = await world.campaign({ startAfter: world.now + HOUR });
    const { id } = await world.push(campaign);
    await world.run(MINUTE);
    refuse("tasks", `new.id = ${local("tsk", id)}`);
    taken(await world.dialer.moveTask(id, "pause"));
    const news = await pushMany(world, campaign, 5);
    await world.run(MINUTE);
    expect(news.map((task) => storedStatus(world, task))).toEqual(news.map(() => "queued"));
    expect(setAside()).toHaveLength(1);
  });

  it("H35 a bad call is set aside alone, and dialling goes on", async () => {
    const campaign = await world.campaign();
    const [first, second] = (await pushMany(world, campaign, 3)) as [TaskId, TaskId, TaskId];
    refuse("calls", `new.task = ${local("tsk", first)}`);
    for (const dial of world.dials.slice(0, 2)) await world.finish(dial, "connected");
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(3);
    expect(storedStatus(world, second)).toBe("completed");
    expect(world.stored("SELECT id FROM calls")).toHaveLength(2);
  });

  it("H35 a bad campaign, and bad late news, hold up nothing else", async () => {
    const bad = await world.campaign({ name: "bad", paused: true });
    const campaign = await world.campaign();
    const { id } = await world.push(campaign);
    const dial = world.last();
    await world.finish(dial, "connected");
    await world.run(MINUTE);
    refuse("campaigns", "new.name = 'worse'");
    await world.edit(bad, { name: "worse" });
    world.d1.exec("DROP TRIGGER bad_INSERT; DROP TRIGGER bad_UPDATE");
    refuse("calls", "new.cost_micros = 13");
    await world.finish(dial, "connected", { costMicros: 13 });
    const other = await world.push(campaign);
    await world.run(MINUTE);
    expect(storedStatus(world, id)).toBe("completed");
    expect(storedStatus(world, other.id)).toBe("running");
    expect(rowsOf(world, "late")).toBe(0);
  });
});

describe("H35 a hand-over that was missed", () => {
  afterEach(() => checkWorld(world));

  let version = 1_000;
  /** Writes what is set up, as the API does it, without telling the Dialer. */
  function setUp(table: string, values: Record<string, string | number | null>): void {
    version += 1;
    const row: Record<string, string | number | null> = {
      workspace: WORKSPACE,
      version,
      ...values,
    };
    if (table === "workspaces") delete row.workspace;
    const names = Object.keys(row);
    const holes = names.map(() => "?").join(", ");
    world.d1
      .prepare(`INSERT OR REPLACE INTO ${table} (${names.join(", ")}) VALUES (${holes})`)
      .run(...Object.values(row));
    world.d1.prepare("UPDATE workspaces SET config_version = ?").run(version);
  }

  const workspace = (more: Record<string, string | number | null> = {}) =>
    setUp("workspaces", {
      id: WORKSPACE,
      name: "Test",
      slots: 2,
      timezone: "UTC",
      opens_min: 0,
      closes_min: 1440,
      days: 127,
      config_version: 0,
      created_at: 0,
      ...more,
    });
  const agent = (more: Record<string, string | number | null> = {}) =>
    setUp("agents", {
      id: AGENT,
      created_at: 0,
      name: "Asha",
      connection: CONNECTION,
      carrier_agent_id: "agent-2",
      placeholders: '["city"]',
      outcomes: "[]",
      uses_callback: 0,
      settings: '{"voice":"calm"}',
      ...more,
    });
  const suppression = (phone: string, more: Record<string, string | number | null> = {}) =>
    setUp("suppressions", { created_at: 0, phone, source: "person", ...more });

  it("H35 is healed by the next flush: the workspace's slots", async () => {
    const campaign = await world.campaign();
    await pushMany(world, campaign, 3);
    expect(world.dials).toHaveLength(2);
    workspace({ slots: 3 });
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(3);
  });

  it("H35 is healed by the next flush: an agent, with all that it says", async () => {
    workspace();
    agent();
    const campaign = await world.campaign();
    await world.push(campaign, { startAfter: world.now + MINUTE });
    await world.run(MINUTE);
    expect(world.last()).toMatchObject({
      carrierAgentId: "agent-2",
      variables: { city: "" },
      agentSettings: { voice: "calm" },
    });
  });

  it("H35 is healed by cron when nothing else happens: a key, a number, a connection", async () => {
    workspace();
    const key = makeId("key", WORKSPACE, "k1");
    const shown = { key, hash: "h", scope: "write" };
    const push = () => world.dialer.push({ access: shown, tasks: [], idempotency: null });
    expect(await push()).toMatchObject({ ok: false, code: "unknown_key" });
    setUp("keys", { id: key, created_at: 0, name: "K", prefix: "k", hash: "h", scopes: '["*"]' });
    const number = { id: NUMBER, created_at: 0, phone: "+15550100", connection: CONNECTION };
    setUp("numbers", number);
    taken(await world.dialer.tick());
    expect(await push()).toMatchObject({ ok: true });
    await world.push(await world.campaign());
    expect(world.last().from).toBe("+15550100");
    setUp("keys", {
      id: key,
      created_at: 0,
      deleted_at: 1,
      name: "K",
      prefix: "k",
      hash: "h",
      scopes: "[]",
    });
    taken(await world.dialer.tick());
    expect(await push()).toMatchObject({ ok: false, code: "unauthorized" });
  });

  it("H35 is healed for do-not-call entries and their removal, thousands at once", async () => {
    const campaign = await world.campaign({ paused: true });
    workspace();
    const phones = Array.from({ length: 12_000 }, (_, n) => `+1555${String(n).padStart(7, "0")}`);
    const insert = world.d1.prepare(
      "INSERT INTO suppressions (workspace, phone, version, created_at, source) VALUES (?, ?, ?, 0, 'person')",
    );
    for (const [index, phone] of phones.entries()) {
      insert.run(WORKSPACE, phone, 2_000 + Math.floor(index / 1_000));
    }
    world.d1.exec("UPDATE workspaces SET config_version = 2011");
    version = 3_000;
    taken(await world.dialer.tick());
    expect(rowsOf(world, "suppressed")).toBe(12_000);
    const body = { campaign, phone: phones.at(-1) };
    expect(await world.pushAll([body])).toMatchObject([{ ok: false }]);
    suppression(phones.at(-1) as string, { deleted_at: 1 });
    taken(await world.dialer.tick());
    expect(await world.pushAll([body])).toMatchObject([{ ok: true }]);
  });

  it("H36 an older version of a document never replaces a newer one", async () => {
    await addMore(world);
    const put = (at: number, carrierAgentId: string) =>
      world.dialer.putCopies([
        { kind: "agent", id: AGENT, version: at, doc: { ...AGENT_DOC, carrierAgentId } },
      ]);
    expect(taken(await put(900, "new"))).toEqual({ taken: 1 });
    expect(taken(await put(900, "same"))).toEqual({ taken: 0 });
    expect(taken(await put(899, "old"))).toEqual({ taken: 0 });
    const campaign = await world.campaign();
    await world.push(campaign);
    expect(world.last().carrierAgentId).toBe("new");
    world.restart();
    await world.push(campaign);
    expect(world.last().carrierAgentId).toBe("new");
  });
});
