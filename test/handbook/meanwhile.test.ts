import { afterEach, describe, expect, it } from "vitest";
import type { CampaignId, TaskId } from "../../src/core/ids.ts";
import type { Move } from "../../src/core/status.ts";
import type { TaskStatus } from "../../src/core/task.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { expectStored, storedStatus } from "../support/node/scene.ts";
import { HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await checkWorld(world);
});

async function made(slots: number): Promise<World> {
  const world = openWorld();
  worlds.push(world);
  await world.setUp({ workspace: { slots } });
  return world;
}

const moveTask = async (world: World, task: TaskId, move: Move) =>
  taken(await world.dialer.moveTask(task, move));

type Step = (world: World, ids: { campaign: CampaignId; task: TaskId }) => Promise<unknown>;
const one =
  (move: Move): Step =>
  (world, { task }) =>
    moveTask(world, task, move);
const all =
  (move: Move): Step =>
  (world, { campaign }) =>
    world.move(campaign, move);
const end: Step = async (world, { campaign }) => {
  await world.edit(campaign, { endAfter: world.now + 1_000 });
  await world.run(1_000);
};

/** What happens while the call runs, and what the task is after it when it would be tried again. */
const MEANWHILE: [string, Step[], TaskStatus][] = [
  ["nothing", [], "queued"],
  ["its own pause", [one("pause")], "paused"],
  ["its own pause and resume", [one("pause"), one("resume")], "queued"],
  ["its own archive", [one("archive")], "archived"],
  ["its own pause and archive", [one("pause"), one("archive")], "archived"],
  ["a pause of the campaign", [all("pause")], "paused"],
  ["pause and resume of the campaign", [all("pause"), all("resume")], "queued"],
  [
    "its own pause, then both of the campaign",
    [one("pause"), all("pause"), all("resume")],
    "queued",
  ],
  [
    "both of the campaign, then its own pause",
    [all("pause"), all("resume"), one("pause")],
    "paused",
  ],
  ["its own pause in a paused campaign", [all("pause"), one("pause")], "paused"],
  ["that, then a resume of the campaign", [all("pause"), one("pause"), all("resume")], "queued"],
  [
    "its own archive in a paused campaign",
    [all("pause"), one("archive"), all("resume")],
    "archived",
  ],
  ["an archive of the campaign", [all("archive")], "archived"],
  ["its own pause and an archive of the campaign", [one("pause"), all("archive")], "archived"],
  ["the end of the campaign", [end], "archived"],
  ["a pause and the end of the campaign", [all("pause"), end], "archived"],
];

describe("H30 a call goes on whatever is done meanwhile", () => {
  for (const [what, steps, then] of MEANWHILE) {
    for (const restart of [false, true]) {
      const how = restart ? " and a restart" : "";
      it(`H30 after ${what}${how} a task that would be retried is ${then}, and one that would not is completed`, async () => {
        const retried = { busy: then, connected: "completed", voicemail: "completed" } as const;
        for (const [outcome, expected] of Object.entries(retried)) {
          const world = await made(1);
          const campaign = await world.campaign({ retries: 1, intervals: HOUR });
          const { id: task } = await world.push(campaign);
          const dial = world.last();
          for (const step of steps) await step(world, { campaign, task });
          if (restart) world.restart();
          expect((await world.task(task)).status).toBe("running");
          await world.finish(dial, outcome);
          const readers = async () => {
            await world.run(2_000);
            const live = await world.dialer.readTask(task);
            return live.ok ? live.value.status : storedStatus(world, task);
          };
          expect(await readers()).toBe(expected);
          expect(storedStatus(world, task)).toBe(expected);
          await expectStored(world, campaign);
          await world.run(2 * HOUR);
          expect(world.dials).toHaveLength(expected === "queued" ? 2 : 1);
        }
      });
    }

    it(`H21, H30 after ${what} a task whose call was refused for capacity is ${then} again`, async () => {
      const world = await made(1);
      const campaign = await world.campaign({ endAfter: START + 10 * HOUR });
      let refuse: () => void = () => undefined;
      world.answer = () =>
        new Promise((resolve) => {
          refuse = () => resolve({ kind: "refused", reason: "capacity", word: "429" });
        });
      const { id: task } = await world.push(campaign);
      for (const step of steps) await step(world, { campaign, task });
      refuse();
      await world.idle();
      expect((await world.task(task)).status).toBe(then);
      await world.run(500);
      await expectStored(world, campaign);
      world.answer = () => ({ kind: "accepted", carrierCallId: null });
      await world.run(10 * MINUTE);
      expect(world.dials).toHaveLength(then === "queued" ? 2 : 1);
    });
  }
});

it("H30 a pause of a task with a call is not taken back once its campaign is archived", async () => {
  const world = await made(1);
  const campaign = await world.campaign();
  const { id: task } = await world.push(campaign);
  await moveTask(world, task, "pause");
  await world.move(campaign, "archive");
  expect(await world.dialer.moveTask(task, "resume")).toMatchObject({ code: "conflict" });
});
