import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../../src/carriers/carrier.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, FAR_AGENT, FAR_NUMBER, rowsOf } from "../support/node/scene.ts";
import {
  CONNECTION,
  type Dialled,
  HOUR,
  MINUTE,
  START,
  taken,
  type World,
} from "../support/node/world.ts";

const SECOND = 1_000;
let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ workspace: { slots: 100 } });
});
afterEach(() => checkWorld(world));

const accepted = (dial: Dialled): Answer => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
const lost = (): Answer => ({ kind: "unknown", word: "http 500" });

async function state() {
  const { connections } = taken(await world.dialer.readWorkspace());
  return connections.find(({ id }) => id === CONNECTION);
}

/** So many tasks that wait on the connection whose answers are lost, though it can be tested. */
async function pushMany(count: number): Promise<CampaignId> {
  const campaign = await world.campaign({ retries: 0 });
  for (let n = 0; n < count; n++) await world.push(campaign);
  return campaign;
}

const dialsAt = () => world.dials.map(({ at }) => at - START);

describe("a carrier that answers everything but dials", () => {
  it("H22 gets no task after task: from the third lost answer on it backs off, up to a minute", async () => {
    world.answer = lost;
    await pushMany(60);
    await world.run(10 * MINUTE);
    const gaps = dialsAt().map((at, n, all) => at - (all[n - 1] ?? 0));
    // Three at once are one loss; then the gap doubles.
    const late = gaps.slice(-12).map((gap) => Math.round(gap / SECOND));
    expect(late.slice(-5)).toEqual([60, 60, 60, 60, 60]);
    expect(gaps.every((gap, n) => n < 4 || gap >= (gaps[n - 1] ?? 0))).toBe(true);
    expect(world.dials.length).toBeLessThan(25);
  });

  it("H22 is called suspended, with its reason and since when, and nobody else's attempt is used", async () => {
    world.answer = lost;
    await pushMany(60);
    await world.run(MINUTE);
    expect(await state()).toMatchObject({ suspended: true });
    expect((await state())?.reason).toContain("an answer was lost");
    expect((await state())?.since).toBeGreaterThanOrEqual(START);
    expect(rowsOf(world, "waiting")).toBe(60 - world.dials.length);
  });

  it("H22 goes on by itself once a dial is taken, with all that wait", async () => {
    world.answer = lost;
    await pushMany(60);
    await world.run(5 * MINUTE);
    const before = world.dials.length;
    world.answer = accepted;
    await world.run(2 * MINUTE);
    expect(world.dials).toHaveLength(60);
    expect(before).toBeLessThan(25);
    expect(await state()).toMatchObject({
      state: "ok",
      suspended: false,
      reason: null,
      since: null,
    });
  });

  it("H22 is not suspended by answers that are lost now and then", async () => {
    let dials = 0;
    world.answer = (dial) => (++dials % 3 === 0 ? lost() : accepted(dial));
    await pushMany(60);
    await world.run(5 * MINUTE);
    expect(world.dials).toHaveLength(60);
    expect((await state())?.suspended).toBe(false);
  });

  it("H22 stays suspended across a restart, and until a person changes it", async () => {
    world.answer = lost;
    await pushMany(60);
    await world.run(3 * MINUTE);
    world.restart();
    await world.run(SECOND);
    expect(await state()).toMatchObject({ suspended: true });
    const before = world.dials.length;
    world.answer = accepted;
    await addMore(world);
    await world.setUp({ workspace: { slots: 100 } });
    await world.run(10 * SECOND);
    expect(world.dials.length).toBeGreaterThan(before + 3);
  });

  it("H22 holds up no other connection", async () => {
    world.answer = (dial) => (dial.connection === CONNECTION ? lost() : accepted(dial));
    await addMore(world);
    await pushMany(20);
    await world.run(2 * MINUTE);
    const other = await world.campaign({ name: "Far", agent: FAR_AGENT, from: FAR_NUMBER });
    const before = world.dials.length;
    for (let n = 0; n < 5; n++) await world.push(other);
    await world.run(SECOND);
    const far = world.dials.slice(before).filter(({ connection }) => connection !== CONNECTION);
    expect(far).toHaveLength(5);
  });
});

describe("a carrier that refuses", () => {
  it("H21 the account is suspended at once, and uses no attempt", async () => {
    world.answer = () => ({ kind: "refused", reason: "connection", word: "401" });
    const campaign = await pushMany(10);
    await world.run(10 * SECOND);
    expect(await state()).toMatchObject({
      suspended: true,
      reason: "the carrier refuses the account",
      since: START,
    });
    expect((await world.read(campaign)).counters.attempts).toBe(0);
    world.answer = accepted;
    await world.run(MINUTE);
    expect(world.dials.filter(({ answer }) => answer?.kind === "accepted")).toHaveLength(10);
    expect(await state()).toMatchObject({ state: "ok", suspended: false });
  });

  it("H21 for capacity is suspended only once its gap is at its longest", async () => {
    world.answer = () => ({ kind: "refused", reason: "capacity", word: "429" });
    await pushMany(3);
    await world.run(10 * SECOND);
    expect((await state())?.suspended).toBe(false);
    await world.run(HOUR);
    expect((await state())?.suspended).toBe(true);
  });
});
