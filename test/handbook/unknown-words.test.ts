import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Lookup, NO_NEWS } from "../../src/carriers/carrier.ts";
import { countWords, readWords } from "../../src/db/words.ts";
import { databaseOf } from "../support/node/d1.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { CONNECTION, MINUTE, WORKSPACE, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "failed", word: "w" };
const over = (unknownWord?: string): Lookup => ({
  ...{ kind: "over", carrierCallId: null, news },
  ...(unknownWord === undefined ? {} : { unknownWord }),
});

/** Calls whose reports never come: each is looked up, and found over. */
async function lookedUp(count: number): Promise<void> {
  const campaign = await world.campaign({ retries: 0 });
  for (let i = 0; i < count; i++) await world.push(campaign);
  await world.run(90 * MINUTE);
}

const counted = async () =>
  (await readWords(databaseOf(world.d1), WORKSPACE, CONNECTION)).map(({ word, count }) => {
    return [word, count];
  });

describe("a word that outdial has no meaning for, found by a look-up", () => {
  it("is counted with its connection, once a call, its numbers masked", async () => {
    world.lookup = () => over("gone to +919876540001");
    await lookedUp(3);
    expect(world.lookups.length).toBeGreaterThanOrEqual(3);
    expect(await counted()).toEqual([["gone to +91••••••••01", 3]]);
    const [row] = world.stored("SELECT last_at FROM unknown_words");
    expect(Number(row?.last_at)).toBeGreaterThan(world.now - 90 * MINUTE);
  });

  it("is counted together with those of reports", async () => {
    const db = databaseOf(world.d1);
    await countWords(db, WORKSPACE, CONNECTION, ["odd", "odd"], world.now);
    world.lookup = () => over("odd");
    await lookedUp(1);
    expect(await counted()).toEqual([["odd", 3]]);
  });

  it("costs nothing where there is none", async () => {
    const asked: string[] = [];
    world.d1Asked = ({ query }) => asked.push(query);
    world.lookup = () => over();
    await lookedUp(1);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((query) => query.includes("unknown_words"))).toEqual([]);
  });

  it("is counted when D1 is there again, and as often as it came meanwhile", async () => {
    world.lookup = () => over("odd");
    await lookedUp(1);
    world.d1Fault = new Error("Network connection lost.");
    await lookedUp(2);
    expect(await counted()).toEqual([["odd", 1]]);
    world.d1Fault = null;
    await world.run(2 * MINUTE);
    expect(await counted()).toEqual([["odd", 3]]);
  });

  it("is not counted again where a report has ended the call before", async () => {
    await world.setUp({ agent: { outcomes: [{ name: "call_later", suppress: false }] } });
    world.lookup = () => over("odd");
    await world.push(await world.campaign({ retries: 0 }));
    // It waits for its analysis, is asked for it once, and its word was counted with the report.
    await world.report(world.last(), { ended: true, outcome: "connected" });
    await world.run(10 * MINUTE);
    expect(world.lookups).toHaveLength(1);
    expect(await counted()).toEqual([]);
  });

  it("is cut off where a carrier makes up a new one each time", async () => {
    let words = 0;
    world.lookup = () => over(`made up ${++words}`);
    for (let round = 0; round < 12; round++) await lookedUp(10);
    expect((await counted()).length).toBeGreaterThanOrEqual(100);
    expect((await counted()).length).toBeLessThan(120);
    world.lookup = () => over("made up 1");
    await lookedUp(2);
    expect((await counted())[0]).toEqual(["made up 1", 3]);
  });
});
