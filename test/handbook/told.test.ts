import { afterEach, beforeEach, expect, it } from "vitest";
import type { Statement } from "../../src/dialer/outside.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, storedRow, storedStatus } from "../support/node/scene.ts";
import { HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

/*
 * What D1 is told, when a life of the object ends before it was, or a batch takes its time on the
 * way.
 */

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const AWAY = new Error("D1_ERROR: away");

/** Keeps what D1 is asked to do from now on, to ask it again. */
function keepStatements(): Statement[] {
  const kept: Statement[] = [];
  world.d1Asked = (statement) => kept.push(statement);
  return kept;
}

it("H36 a batch that reaches D1 after a newer one changes nothing", async () => {
  const campaign = await world.campaign({ retries: 1, intervals: HOUR });
  const kept = keepStatements();
  await world.push(campaign);
  await world.run(1_000);
  const older = kept.splice(0).filter(({ query }) => query.startsWith("INSERT"));
  expect(older.length).toBeGreaterThanOrEqual(3);
  await world.finish(world.last(), "no_answer");
  await world.run(1_000);
  const tables = ["campaigns", "tasks", "calls"].map((table) => `SELECT * FROM ${table}`);
  const before = tables.map((query) => world.stored(query));
  for (const { query, bind } of older) world.stored(query, ...bind);
  expect(tables.map((query) => world.stored(query))).toEqual(before);
  await expectStored(world, campaign);
});

it("H35 a campaign that was moved while D1 was away is told by the next life", async () => {
  const campaign = await world.campaign();
  world.d1Fault = AWAY;
  await world.move(campaign, "pause");
  world.restart();
  world.d1Fault = null;
  await world.dialer.tick();
  expect(storedRow(world, "campaigns", campaign).status).toBe("paused");
});

it("H35 a task that was moved while D1 was away is told by the next life", async () => {
  const campaign = await world.campaign();
  const task = await world.push(campaign, { startAfter: START + HOUR });
  await world.run(1_000);
  expect(storedStatus(world, task.id)).toBe("queued");
  world.d1Fault = AWAY;
  taken(await world.dialer.moveTask(task.id, "archive"));
  world.restart();
  world.d1Fault = null;
  await world.dialer.tick();
  expect(storedStatus(world, task.id)).toBe("archived");
});

it("H35 a life that ends before its flush is followed by one, though nobody asks for anything", async () => {
  const campaign = await world.campaign();
  await world.push(campaign, { startAfter: START + 5 * HOUR });
  world.restart();
  await world.run(MINUTE);
  await expectStored(world, campaign);
});
