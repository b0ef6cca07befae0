import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import {
  addMore,
  expectStored,
  FAR_AGENT,
  FAR_CONNECTION,
  FAR_NUMBER,
} from "../support/node/scene.ts";
import {
  CONNECTION,
  CONNECTION_DOC,
  HOUR,
  NUMBER,
  START,
  type World,
} from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
  await addMore(world);
});
afterEach(() => checkWorld(world));

const FAR = { agent: FAR_AGENT, from: FAR_NUMBER };
const holdAnswers = () => {
  world.answer = () => new Promise(() => undefined);
};

describe("dials that wait for their answer", () => {
  it("H23 are three over a connection and five in all, though they come one by one", async () => {
    holdAnswers();
    const near = await world.campaign();
    const far = await world.campaign(FAR);
    for (let n = 0; n < 4; n++) await world.push(near);
    expect(world.dials.map((dial) => dial.connection)).toEqual(Array(3).fill(CONNECTION));
    for (let n = 0; n < 3; n++) await world.push(far);
    expect(world.dials.slice(3).map((dial) => dial.connection)).toEqual([
      FAR_CONNECTION,
      FAR_CONNECTION,
    ]);
  });

  it("H41 are what the next task of their connection says it waits for", async () => {
    holdAnswers();
    const near = await world.campaign();
    for (let n = 0; n < 3; n++) await world.push(near);
    const other = await world.campaign();
    const waiting = { reason: "pace", until: null };
    for (const campaign of [near, other]) {
      const task = await world.push(campaign);
      expect((await world.task(task.id)).waiting).toEqual(waiting);
    }
    // One campaign has calls that go on, the other has nothing but this task.
    expect((await world.read(near)).waiting).toBeNull();
    expect((await world.read(other)).waiting).toEqual(waiting);
  });
});

it("H21 H22 of two connections that open again the first wakes the Dialer", async () => {
  const paced = (perSecond: number) => ({ ...CONNECTION_DOC, perSecond });
  await world.put("connection", CONNECTION, paced(0.1));
  await world.put("connection", FAR_CONNECTION, { ...paced(1), id: FAR_CONNECTION });
  const near = await world.campaign();
  const far = await world.campaign(FAR);
  for (const campaign of [near, far, near, far]) await world.push(campaign);
  await world.run(20_000);
  const dialled = world.dials.map(({ at, connection }) => [(at - START) / 1_000, connection]);
  expect(dialled).toEqual([
    [0, CONNECTION],
    [0, FAR_CONNECTION],
    [1, FAR_CONNECTION],
    [10, CONNECTION],
  ]);
});

describe("a task whose number or connection is gone", () => {
  it.each([
    ["number", NUMBER],
    ["connection", CONNECTION],
  ] as const)("H33 H41 its %s: waits, says so, and holds nobody else up", async (kind, id) => {
    const near = await world.campaign({ priority: "high", paused: true });
    const task = await world.push(near);
    await world.put(kind, id, null);
    await world.move(near, "resume");
    await world.idle();
    const detail = "its agent, number or connection is gone";
    const waiting = { reason: "connection", until: null, detail };
    expect(await world.task(task.id)).toMatchObject({ status: "queued", waiting });
    const far = await world.push(await world.campaign(FAR));
    expect(world.dials).toHaveLength(1);
    expect((await world.task(far.id)).status).toBe("running");
  });
});

it("H14 of more tasks than one step ends, none is dialled past its end", async () => {
  await world.setUp({ workspace: { slots: 1 } });
  const endAfter = START + HOUR;
  const campaign = await world.campaign();
  await world.push(campaign);
  const bodies = Array.from({ length: 700 }, () => ({ campaign, phone: world.phone(), endAfter }));
  await world.pushAll(bodies);
  world.now = endAfter;
  const [first] = world.dials;
  if (first !== undefined) await world.finish(first, "connected");
  await world.run(HOUR);
  expect(world.dials).toHaveLength(1);
  expect((await world.read(campaign)).counters).toMatchObject({ completed: 1, archived: 700 });
  await expectStored(world, campaign);
});
