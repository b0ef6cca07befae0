import { env, runInDurableObject } from "cloudflare:test";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import * as schema from "../../src/db/schema.ts";
import { watchdog } from "../../src/queues/watchdog.ts";
import { type Calling, imported, pausedBatch, withDialer } from "../support/workerd/imports.ts";
import { entriesOf } from "../support/workerd/people.ts";
import { mintCallingWorkspace, pausedCampaign } from "../support/workerd/workspace.ts";

const MINUTE_MS = 60_000;

/** Tables of people and of the deployment: they outlive every workspace. */
const OF_NO_WORKSPACE = [
  ...["people", "sessions", "accounts", "verifications", "second_factors"],
  ...["attempts", "deployment"],
];
/** By the import that its rows belong to. */
const OF_IMPORTS = ["import_chunks", "import_rejects"];

const tables = Object.values(schema).filter((one) => is(one, SQLiteTable));
/** Tables with a workspace, as the schema has them: a new one is here by itself. */
const owned = tables.filter((table) => "workspace" in getTableColumns(table));

/** A row of a table, with something in each column that must have something. */
async function plant(table: SQLiteTable, fixed: Record<string, string>): Promise<void> {
  const columns = Object.values(getTableColumns(table)).filter(({ notNull }) => notNull);
  const names = columns.map(({ name }) => name);
  const values = columns.map(({ name, dataType }) => {
    const own = fixed[name];
    if (own !== undefined) return own;
    if (dataType === "number") return Date.now();
    return dataType === "boolean" ? 1 : `"${crypto.randomUUID()}"`;
  });
  const holes = names.map(() => "?").join(", ");
  const query = `INSERT INTO ${getTableName(table)} (${names.join(", ")}) VALUES (${holes})`;
  await env.DB.prepare(query)
    .bind(...values)
    .run();
}

/** How many rows a workspace has in each table in which it has any. */
async function rowsOf(workspace: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const count = async (name: string, where: string, value: string) => {
    const query = env.DB.prepare(`SELECT COUNT(*) AS n FROM ${name} WHERE ${where}`);
    const rows = (await query.bind(value).first<number>("n")) ?? 0;
    if (rows > 0) found[name] = rows;
  };
  for (const table of owned) await count(getTableName(table), "workspace = ?", workspace);
  for (const name of OF_IMPORTS) {
    await count(name, "import GLOB ?", `imp_${workspace.slice(3)}_*`);
  }
  return found;
}

/** A workspace with a row in every table that can have one. */
async function full(): Promise<Calling> {
  const workspace = await mintCallingWorkspace();
  const campaign = await pausedCampaign(workspace);
  const pushed = { campaign, phone: "+919876500001", context: { name: "Asha" } };
  expect((await workspace.ask("POST /v1/tasks", { body: pushed })).status).toBe(201);
  await imported(workspace, await pausedBatch(workspace), "phone\n+919876540001\n12\n");
  const id = `imp_${workspace.id.slice(3)}_planted`;
  for (const table of owned) {
    const named = getTableName(table) === "imports" ? { id, status: "failed" } : {};
    await plant(table, { workspace: workspace.id, ...named });
  }
  for (const table of tables) {
    if (OF_IMPORTS.includes(getTableName(table))) await plant(table, { import: id });
  }
  // Pushed, imported and planted: the Dialer's own two come to D1 a moment later.
  for (let tries = 0; (await rowsOf(workspace.id)).tasks !== 3; tries++) {
    expect(tries).toBeLessThan(100);
    await scheduler.wait(50);
  }
  return workspace;
}

async function ended(workspace: Calling): Promise<number> {
  const reply = await workspace.ask("DELETE /v1/workspace", { body: { name: "Test" } });
  expect(reply.status, reply.text).toBe(202);
  return Number(reply.json.endedAt);
}

const tombstoneOf = (workspace: Calling) =>
  env.DB.prepare("SELECT * FROM workspaces WHERE id = ?")
    .bind(workspace.id)
    .first<Record<string, unknown>>();

/** What an object still has: its tables and its alarm. */
function storageOf(workspace: Calling) {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace.id));
  return runInDurableObject(stub, async (_, { storage }) => {
    const query =
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'";
    return [storage.sql.exec(query).toArray(), await storage.getAlarm()];
  });
}

/** The watchdog until nothing is left: D1 must know everything first, which takes a moment. */
async function removed(workspace: Calling, at: number): Promise<void> {
  for (let minute = 20; minute < 40; minute++) {
    await watchdog(env as Env, at + minute * MINUTE_MS);
    if ((await tombstoneOf(workspace))?.removed_at !== null) return;
    await scheduler.wait(100);
  }
  throw new Error("it is still there");
}

async function expectGone(workspace: Calling): Promise<void> {
  expect(await rowsOf(workspace.id)).toEqual({ audit: 1 });
  expect((await entriesOf(workspace.id))[0]?.action).toBe("workspace.end");
  expect(await tombstoneOf(workspace)).toMatchObject({ name: "", agent: null, from_number: null });
  expect(await storageOf(workspace)).toEqual([[], null]);
}

describe("what a workspace had that has ended", () => {
  it("is known: each table has a workspace, or is an import's, or outlives every workspace", () => {
    const others = tables.filter((table) => !owned.includes(table)).map((one) => getTableName(one));
    expect(others.sort()).toEqual([...OF_NO_WORKSPACE, ...OF_IMPORTS, "workspaces"].sort());
  });

  it("goes from every table and from the object, and nothing of its neighbour's does", async () => {
    const [workspace, neighbour] = [await full(), await full()];
    const every = [...owned.map((one) => getTableName(one)), ...OF_IMPORTS].sort();
    expect(Object.keys(await rowsOf(workspace.id)).sort()).toEqual(every);
    const before = await rowsOf(neighbour.id);
    await removed(workspace, await ended(workspace));
    await expectGone(workspace);
    expect(await rowsOf(neighbour.id)).toEqual(before);
    expect((await neighbour.ask("GET /v1/workspace")).status).toBe(200);
    // Nothing is left to do, and nothing comes back.
    await watchdog(env as Env, Date.now() + 60 * MINUTE_MS);
    await expectGone(workspace);
  });

  it("stays while a call goes on", async () => {
    const workspace = await full();
    const at = await ended(workspace);
    const calling = withDialer({ end: async () => ({ ok: true, value: { open: 1 } }) });
    const before = await rowsOf(workspace.id);
    await watchdog(calling, at + 20 * MINUTE_MS);
    expect(await rowsOf(workspace.id)).toEqual(before);
    await removed(workspace, at);
    await expectGone(workspace);
  });

  it("is not called removed while requests that began before could still write", async () => {
    const workspace = await full();
    const at = await ended(workspace);
    for (let tries = 0; (await rowsOf(workspace.id)).tasks !== undefined; tries++) {
      expect(tries).toBeLessThan(50);
      await watchdog(env as Env, at + MINUTE_MS);
      await scheduler.wait(100);
    }
    expect((await tombstoneOf(workspace))?.removed_at).toBeNull();
    for (const table of owned) {
      if (getTableName(table) === "keys") await plant(table, { workspace: workspace.id });
    }
    await removed(workspace, at);
    await expectGone(workspace);
  });

  it("goes in slices, whatever breaks in between", async () => {
    const workspace = await full();
    await env.DB.prepare(
      `INSERT INTO tasks (workspace, id, campaign, phone, context, attempts, created_at, version)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       SELECT ?, 100000 + i, 1, '', '{}', 0, 0, 1 FROM n`,
    )
      .bind(workspace.id)
      .run();
    const at = await ended(workspace);
    let broken = 0;
    for (let step = 0; step < 12; step++) {
      await watchdog(
        breaksAfter(step, () => broken++),
        at + (20 + step) * MINUTE_MS,
      );
    }
    expect(broken).toBeGreaterThan(5);
    await removed(workspace, at);
    await expectGone(workspace);
  });
});

/** Bindings of which D1's batches and the Dialer's verbs fail, all from one of them on. */
function breaksAfter(steps: number, broke: () => void): Env {
  let left = steps;
  const step = <T>(work: () => T): T => {
    left -= 1;
    if (left >= 0) return work();
    broke();
    throw new Error("Network connection lost.");
  };
  const DB = new Proxy(env.DB, {
    get: (db, name) => {
      const value: unknown = Reflect.get(db, name, db);
      if (typeof value !== "function") return value;
      const bound = value.bind(db) as (...args: unknown[]) => unknown;
      return name === "batch" ? (...args: unknown[]) => step(() => bound(...args)) : bound;
    },
  });
  const DIALER = {
    idFromName: (name: string) => env.DIALER.idFromName(name),
    get: (id: DurableObjectId) => step(() => env.DIALER.get(id)),
  };
  return { ...env, DB, DIALER } as unknown as Env;
}
