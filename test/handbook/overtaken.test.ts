import { afterEach, beforeEach, expect, it } from "vitest";
import type { Answer } from "../../src/carriers/carrier.ts";
import { type ImportId, makeId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, taken, WORKSPACE, type World } from "../support/node/world.ts";

/* What comes after that which should have come after it. */

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp({ agent: { outcomes: [{ name: "interested", suppress: false }] } });
});
afterEach(() => checkWorld(world));

/** The carrier answers dials only when it is told what. */
function holdAnswers(): (answer: Answer) => Promise<void> {
  let give: (answer: Answer) => void = () => undefined;
  world.answer = () =>
    new Promise((resolve) => {
      give = resolve;
    });
  return async (answer) => {
    give(answer);
    await world.idle();
  };
}

const slotsInUse = async () => taken(await world.dialer.readWorkspace()).slotsInUse;

it("H22 an answer that comes after the call's end takes no slot while its analysis is awaited", async () => {
  const answer = holdAnswers();
  const task = await world.push(await world.campaign());
  await world.report(world.last(), { ended: true, answeredAt: world.now, endedAt: world.now });
  expect(await slotsInUse()).toBe(0);
  await answer({ kind: "accepted", carrierCallId: "late" });
  expect(await slotsInUse()).toBe(0);
  expect((await world.task(task.id)).status).toBe("running");
  const [call] = await world.calls(task.id);
  expect(call).toMatchObject({ status: "ended", carrierCallId: `c-${world.last().call}` });
  await world.run(5 * MINUTE);
  expect(await world.task(task.id)).toMatchObject({
    status: "completed",
    lastOutcome: "connected",
  });
});

it("H18 another outcome that comes after the decision stands beside it and moves no task", async () => {
  const task = await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
  await world.finish(world.last(), "no_answer");
  await world.report(world.last(), { ended: true, concluding: true, outcome: "voicemail" });
  expect(await world.task(task.id)).toMatchObject({
    status: "queued",
    attempts: 1,
    lastOutcome: "no_answer",
  });
  const [call] = await world.calls(task.id);
  expect(call).toMatchObject({ outcome: "no_answer", reported: "voicemail" });
});

it("H28 a batch completes when its last task, archived meanwhile, comes back from a refusal", async () => {
  const answer = holdAnswers();
  const campaign = await world.campaign({ type: "batch" });
  await world.import(campaign, [world.phone()]);
  const [row] = world.sql.all<{ id: number }>("SELECT id FROM task");
  const task = makeId("tsk", WORKSPACE, row?.id ?? 0);
  taken(await world.dialer.moveTask(task, "archive"));
  expect((await world.read(campaign)).status).toBe("running");
  await answer({ kind: "refused", reason: "capacity", word: "429" });
  const { status, counters } = await world.read(campaign);
  expect(status).toBe("completed");
  expect(counters).toMatchObject({ archived: 1, attempts: 0 });
});

it("H28 a batch whose tasks are all over completes only once its open import is, too", async () => {
  const campaign = await world.campaign({ type: "batch" });
  await world.import(campaign, [world.phone()]);
  const open = makeId("imp", WORKSPACE, "open") as ImportId;
  taken(await world.dialer.openImport(open, campaign));
  await world.finish(world.last(), "connected", { concluding: true });
  expect((await world.read(campaign)).status).toBe("running");
  taken(await world.dialer.dropImport(open));
  expect((await world.read(campaign)).status).toBe("completed");
});
