import { describe, expect, it } from "vitest";
import { NO_NEWS } from "../../src/carriers/carrier.ts";
import { type CampaignId, type ImportId, makeId, type TaskId } from "../../src/core/ids.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { everything } from "../support/node/scene.ts";
import {
  AGENT,
  AGENT_DOC,
  CONNECTION,
  HOUR,
  MINUTE,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

const IMPORT = makeId("imp", WORKSPACE, "i") as ImportId;

/** Lets the object's database break at its n-th statement from now on, once; undoes itself with the reply. */
async function breakAt<T>(world: World, n: number, work: () => Promise<T>): Promise<T | "broken"> {
  const { run, all } = world.sql;
  let left = n;
  const count = () => {
    left -= 1;
    if (left === -1) throw new Error("the disk is broken");
  };
  world.sql.run = (query, ...bind) => {
    count();
    run(query, ...bind);
  };
  world.sql.all = (query, ...bind) => {
    count();
    return all(query, ...bind);
  };
  try {
    return await work();
  } catch (error) {
    expect(String(error)).toContain("the disk is broken");
    return "broken";
  } finally {
    world.sql.run = run;
    world.sql.all = all;
  }
}

type Lived = { world: World; campaign: CampaignId; batch: CampaignId; tasks: TaskId[] };

/** Two slots in use, tasks waiting and one paused, and a batch with an open import. */
async function lived(): Promise<Lived> {
  const world = openWorld();
  const outcomes = [{ name: "stop", suppress: true }];
  await world.setUp({ workspace: { slots: 2 }, agent: { outcomes } });
  const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
  const tasks: TaskId[] = [];
  for (let n = 0; n < 5; n++) tasks.push((await world.push(campaign)).id);
  taken(await world.dialer.moveTask(tasks[3] as TaskId, "pause"));
  const batch = await world.campaign({ type: "batch", priority: "low" });
  taken(await world.dialer.openImport(IMPORT, batch));
  await world.run(2_000);
  return { world, campaign, batch, tasks };
}

/** Requests that change something; each ends with what its reply says. */
const REQUESTS: Record<string, (lived: Lived) => Promise<{ ok: boolean }>> = {
  "a push": ({ world, campaign }) => {
    const body = { campaign, phone: "+919876000001", externalId: "x", endAfter: world.now + HOUR };
    const idempotency = { route: "tasks", key: "k", bodyHash: "h" };
    return world.dialer.push({ access: null, tasks: [{ body, path: "" }], idempotency });
  },
  "a part of an import": ({ world }) => {
    const rows = [2, 3].map((line) => ({ line, phone: `+91987600000${line}`, context: {} }));
    const part = { import: IMPORT, part: 0, last: true, allowDuplicates: false, rows };
    return world.dialer.ingest(part);
  },
  "a report that has the task tried again": (lived) => report(lived, "busy"),
  "a report that puts the number on the list": (lived) => report(lived, "stop"),
  "a pause of a task": ({ world, tasks }) => world.dialer.moveTask(tasks[2] as TaskId, "pause"),
  "a resume of a task": ({ world, tasks }) => world.dialer.moveTask(tasks[3] as TaskId, "resume"),
  "an archive of a task": ({ world, tasks }) =>
    world.dialer.moveTask(tasks[4] as TaskId, "archive"),
  copies: ({ world }) =>
    world.dialer.putCopies([
      { kind: "agent", id: AGENT, version: 99, doc: { ...AGENT_DOC, carrierAgentId: "agent-2" } },
      { kind: "suppression", id: "+919876000009", version: 99, doc: { expiresAt: null } },
    ]),
};

function report({ world }: Lived, outcome: string) {
  const news = { ...NO_NEWS, ended: true, concluding: true, outcome, endedAt: world.now };
  const call = world.dials[0]?.call ?? null;
  const item = { connection: CONNECTION, report: { call, carrierCallId: null, news } };
  return world.dialer.report([item]);
}

describe("H35, H38 nothing is half done", () => {
  for (const [what, ask] of Object.entries(REQUESTS)) {
    it(`H38 ${what} that breaks at any statement leaves nothing behind, and is taken when it comes again`, async () => {
      const whole = await lived();
      expect((await ask(whole)).ok).toBe(true);
      await whole.world.run(HOUR);
      await checkWorld(whole.world);
      const expected = whole.world.stored(
        "SELECT phone, status, attempts FROM task_view ORDER BY phone",
      );

      const made = await lived();
      const before = everything(made.world);
      let broken = 0;
      for (;;) {
        const reply = await breakAt(made.world, broken, () => ask(made));
        if (reply !== "broken") {
          expect(reply.ok).toBe(true);
          break;
        }
        expect(everything(made.world)).toEqual(before);
        broken += 1;
      }
      expect(broken).toBeGreaterThan(3);
      await made.world.run(HOUR);
      await checkWorld(made.world);
      expect(
        made.world.stored("SELECT phone, status, attempts FROM task_view ORDER BY phone"),
      ).toEqual(expected);
    });
  }
});
