import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../../src/carriers/carrier.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { MINUTE, START, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const SECOND = 1_000;

/** Dials from now on wait until what comes back is called with the carrier's answer. */
function holdAnswers(): (answer: Answer) => void {
  let say: (answer: Answer) => void = () => undefined;
  world.answer = () => new Promise((resolve) => (say = resolve));
  return (answer) => say(answer);
}
const accepted: Answer = { kind: "accepted", carrierCallId: "c-1" };
const no = (reason: "capacity" | "rejected" | "permanent"): Answer => ({
  kind: "refused",
  reason,
  word: `no: ${reason}`,
});

describe("what a call's record keeps of the carrier's answer", () => {
  it("H32 when the carrier took it", async () => {
    const say = holdAnswers();
    const task = await world.push(await world.campaign());
    await world.run(5 * SECOND);
    say(accepted);
    await world.idle();
    const [call] = await world.calls(task.id);
    const placed = { status: "dialling", placedAt: START + 5 * SECOND, carrierCallId: "c-1" };
    expect(call).toMatchObject(placed);
  });

  it("H22 H29 unknown after 20 s without one, and no longer so once it comes", async () => {
    const say = holdAnswers();
    const task = await world.push(await world.campaign());
    await world.run(25 * SECOND);
    expect((await world.calls(task.id))[0]).toMatchObject({ status: "unknown", placedAt: null });
    say(accepted);
    await world.idle();
    const placed = { status: "dialling", placedAt: START + 25 * SECOND, carrierCallId: "c-1" };
    expect((await world.calls(task.id))[0]).toMatchObject(placed);
    const asked = world.lookups.length;
    await world.run(MINUTE);
    expect(world.lookups).toHaveLength(asked);
  });

  it("H21 H32 the carrier's word, where the attempt is used", async () => {
    for (const reason of ["rejected", "permanent"] as const) {
      world.answer = () => no(reason);
      const endedAt = world.now;
      const task = await world.push(await world.campaign());
      await world.run(SECOND);
      const [call, ...more] = await world.calls(task.id);
      expect(call).toMatchObject({ status: "ended", word: `no: ${reason}`, endedAt });
      expect(more).toEqual([]);
    }
  });

  it("H21 nothing at all, where the carrier never took the dial", async () => {
    world.answer = () => no("capacity");
    const task = await world.push(await world.campaign());
    await world.run(10 * SECOND);
    expect(world.dials.length).toBeGreaterThan(1);
    expect(await world.calls(task.id)).toEqual([]);
  });

  it("H21 that it ended, where the carrier gave it back after it was lost or taken", async () => {
    const say = holdAnswers();
    const task = await world.push(await world.campaign());
    await world.run(25 * SECOND);
    world.answer = () => accepted;
    say(no("capacity"));
    await world.run(10 * SECOND);
    const [given, again] = await world.calls(task.id);
    expect(given).toMatchObject({ status: "ended", outcome: null, endedAt: START + 25 * SECOND });
    expect(again).toMatchObject({ status: "dialling", attempt: 1 });
  });
});

describe("a dial that is refused for its own sake", () => {
  it.each(["rejected", "permanent"] as const)(
    "H21 %s: shows that the connection takes dials, so its back-off is over",
    async (reason) => {
      const campaign = await world.campaign();
      world.answer = () => no("capacity");
      await world.push(campaign);
      await world.push(campaign);
      await world.push(campaign);
      const before = world.dials.length;
      holdAnswers();
      const waiting = world.answer;
      world.answer = (dial) => (world.dials.length === before + 1 ? no(reason) : waiting(dial));
      await world.run(SECOND);
      // One to try, then the two others side by side.
      expect(world.dials).toHaveLength(before + 3);
    },
  );
});
