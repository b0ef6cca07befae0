import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, type CallNews, NO_NEWS } from "../../src/carriers/carrier.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { addMore, FAR_AGENT, FAR_NUMBER } from "../support/node/scene.ts";
import { type Dialled, HOUR, MINUTE, START, taken, type World } from "../support/node/world.ts";

const SECOND = 1_000;
let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const accepted = (dial: Dialled): Answer => ({ kind: "accepted", carrierCallId: `c-${dial.call}` });
const never = () => new Promise<never>(() => undefined);
const slotsInUse = async () => taken(await world.dialer.readWorkspace()).slotsInUse;
function probesFail() {
  world.test = () => {
    throw new Error("503");
  };
}
function lookupsFail() {
  world.lookup = () => {
    throw new Error("503");
  };
}

/** Ways in which an answer is lost; each ends with the next dials being answered. */
const LOSSES: Record<string, () => Promise<unknown>> = {
  "an answer that nobody can read": async () => {
    world.answer = () => ({ kind: "unknown", word: "502" });
  },
  "a request that throws": async () => {
    world.answer = () => Promise.reject(new Error("reset"));
  },
  "no answer for 20 s": async () => {
    world.answer = never;
  },
  "a restart before the answer": async () => {
    world.answer = never;
  },
};
async function lose(how: string) {
  await LOSSES[how]?.();
  const task = await world.push(await world.campaign({ retries: 1, intervals: HOUR }));
  if (how === "a restart before the answer") world.restart();
  if (how !== "an answer that nobody can read") await world.run(20 * SECOND);
  world.answer = accepted;
  return task;
}

for (const how of Object.keys(LOSSES)) {
  describe(`after ${how}`, () => {
    it("H22 the call is unknown: its task is running, its slot held, and nobody is dialled", async () => {
      const task = await lose(how);
      await world.run(10 * MINUTE);
      expect(world.dials).toHaveLength(1);
      expect((await world.task(task.id)).status).toBe("running");
      expect((await world.calls(task.id))[0]?.status).toBe("unknown");
      expect(await slotsInUse()).toBe(1);
    });

    it("H22 a report decides", async () => {
      const task = await lose(how);
      await world.finish(world.last(), "connected");
      const completed = { status: "completed", attempts: 1, lastOutcome: "connected" };
      expect(await world.task(task.id)).toMatchObject(completed);
      expect(await slotsInUse()).toBe(0);
    });

    it("H22 a look-up that finds it over decides", async () => {
      const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "no_answer" };
      world.lookup = () => ({ kind: "over", carrierCallId: "c-1", news });
      const task = await lose(how);
      await world.run(2 * SECOND);
      const queued = { status: "queued", attempts: 1, lastOutcome: "no_answer" };
      expect(await world.task(task.id)).toMatchObject(queued);
      expect((await world.calls(task.id))[0]).toMatchObject({ carrierCallId: "c-1" });
    });

    it("H22 a look-up that finds it alive makes it a call like any other", async () => {
      world.lookup = () => ({ kind: "alive", carrierCallId: "c-1", news: NO_NEWS });
      const task = await lose(how);
      await world.run(3 * HOUR);
      expect((await world.calls(task.id))[0]).toMatchObject({ status: "dialling" });
      await world.finish(world.last(), "connected");
      expect(await world.task(task.id)).toMatchObject({ status: "completed", attempts: 1 });
      expect(world.dials).toHaveLength(1);
    });

    it("H22 else the lease's end does: failed, and the retry rule applies", async () => {
      const task = await lose(how);
      await world.run(35 * MINUTE - (world.now - START) - 1);
      expect((await world.task(task.id)).status).toBe("running");
      await world.run(1);
      const queued = { status: "queued", attempts: 1, lastOutcome: "failed" };
      expect(await world.task(task.id)).toMatchObject({ ...queued, dueAt: world.now + HOUR });
      expect(await slotsInUse()).toBe(0);
      await world.run(HOUR);
      expect(world.dials.map((dial) => dial.attempt)).toEqual([1, 2]);
    });

    it("H22 nothing is claimed for the connection until a request that places no call succeeds", async () => {
      probesFail();
      lookupsFail();
      await lose(how);
      const other = await world.push(await world.campaign());
      await world.run(10 * MINUTE);
      expect(world.dials).toHaveLength(1);
      const waiting = { reason: "connection", until: null };
      expect((await world.task(other.id)).waiting).toMatchObject(waiting);
      world.test = () => undefined;
      await world.run(MINUTE);
      expect(world.dials.map((dial) => dial.phone).slice(1)).toEqual([other.phone]);
    });
  });
}

describe("a connection in doubt", () => {
  it("H22 is probed with gaps from 1 s to 1 min", async () => {
    const probes: number[] = [];
    world.test = () => {
      probes.push(Math.floor((world.now - START) / SECOND));
      throw new Error("503");
    };
    lookupsFail();
    await lose("an answer that nobody can read");
    await world.run(5 * MINUTE);
    const gaps = probes.slice(1).map((at, index) => at - (probes[index] ?? 0));
    expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("H22 a look-up that succeeds proves it as well, whatever it finds", async () => {
    probesFail();
    await lose("an answer that nobody can read");
    const other = await world.push(await world.campaign());
    await world.run(SECOND - 1);
    expect(world.dials).toHaveLength(1);
    await world.run(1);
    expect(world.lookups).toHaveLength(1);
    expect(world.last()).toMatchObject({ phone: other.phone, at: START + SECOND });
  });

  it("H22 a report proves nothing: it is no request of ours", async () => {
    probesFail();
    lookupsFail();
    await lose("an answer that nobody can read");
    await world.push(await world.campaign());
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(1);
  });

  it("H22 stays closed across a restart", async () => {
    probesFail();
    lookupsFail();
    await lose("an answer that nobody can read");
    await world.push(await world.campaign());
    world.restart();
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(1);
    world.test = () => undefined;
    await world.run(MINUTE);
    expect(world.dials).toHaveLength(2);
  });

  it("H22 is closed from the restart on that lost an answer", async () => {
    probesFail();
    lookupsFail();
    await LOSSES["a restart before the answer"]?.();
    const task = await world.push(await world.campaign());
    world.restart();
    world.answer = accepted;
    await world.push(await world.campaign());
    await world.run(SECOND);
    expect(world.dials).toHaveLength(1);
    expect((await world.calls(task.id))[0]?.status).toBe("unknown");
  });

  it("H22 does not close another connection", async () => {
    await addMore(world);
    probesFail();
    lookupsFail();
    await lose("an answer that nobody can read");
    const far = await world.campaign({ priority: "low", agent: FAR_AGENT, from: FAR_NUMBER });
    await world.push(far);
    expect(world.last()).toMatchObject({ carrierAgentId: FAR_AGENT, at: START });
  });

  it("H22 a crash with several dials on their way dials none of them again", async () => {
    world.answer = never;
    const campaign = await world.campaign({ retries: 3, intervals: 0 });
    await world.pushAll([1, 2, 3].map(() => ({ campaign, phone: world.phone() })));
    expect(world.dials).toHaveLength(3);
    world.restart();
    world.answer = accepted;
    await world.run(34 * MINUTE);
    expect(world.dials).toHaveLength(3);
    expect(await slotsInUse()).toBe(3);
  });
});

describe("answers and reports in any order", () => {
  const ANSWERS: Record<string, Answer | Error> = {
    accepted: { kind: "accepted", carrierCallId: "c-late" },
    unknown: { kind: "unknown", word: "timeout" },
    thrown: new Error("reset"),
    capacity: { kind: "refused", reason: "capacity", word: "429" },
    permanent: { kind: "refused", reason: "permanent", word: "400" },
    rejected: { kind: "refused", reason: "rejected", word: "400" },
  };
  const REPORTS: [string, Partial<CallNews>, object][] = [
    ["it rings", { ringingAt: START }, { status: "running", attempts: 0 }],
    [
      "it ended",
      { ended: true, concluding: true, outcome: "connected", answeredAt: START },
      { status: "completed", attempts: 1, lastOutcome: "connected" },
    ],
    [
      "nobody answered",
      { ended: true, concluding: true, outcome: "no_answer" },
      { status: "queued", attempts: 1, lastOutcome: "no_answer" },
    ],
  ];
  for (const [name, answer] of Object.entries(ANSWERS)) {
    for (const [what, news, expected] of REPORTS) {
      it(`H22 a report that ${what} stands, though the answer after it is ${name}`, async () => {
        let say: (() => void) | undefined;
        world.answer = () =>
          new Promise((resolve, reject) => {
            say = () => (answer instanceof Error ? reject(answer) : resolve(answer));
          });
        const task = await world.push(await world.campaign({ retries: 1 }));
        await world.report({ ...world.last() }, { ...news });
        say?.();
        await world.idle();
        expect(await world.task(task.id)).toMatchObject(expected);
        await world.push(await world.campaign({ priority: "high" }));
        expect(world.dials).toHaveLength(2);
        expect((await world.calls(task.id)).length).toBe(1);
      });
    }
  }

  const LATE: [string, object][] = [
    ["accepted", { status: "running", attempts: 0 }],
    ["capacity", { status: "queued", attempts: 0 }],
    ["rejected", { status: "queued", attempts: 1, lastOutcome: "init_failed" }],
    ["permanent", { status: "completed", attempts: 1, lastOutcome: "failed" }],
  ];
  for (const [name, expected] of LATE) {
    it(`H22 an answer that comes after 20 s still counts: ${name}`, async () => {
      let say: (() => void) | undefined;
      world.answer = () =>
        new Promise((resolve) => {
          say = () => resolve(ANSWERS[name] as Answer);
        });
      const task = await world.push(await world.campaign({ retries: 1 }));
      await world.run(MINUTE);
      say?.();
      await world.idle();
      expect(await world.task(task.id)).toMatchObject(expected);
      expect(world.dials).toHaveLength(1);
    });
  }
});

describe("H22 H36 a report under the carrier's id alone", () => {
  const BUSY = { ended: true, concluding: true, outcome: "busy", word: "busy" };
  const unnamed = (dial: Dialled, news: Partial<CallNews> = BUSY) =>
    world.dialer.report([
      {
        connection: dial.connection,
        report: {
          call: null,
          carrierCallId: `c-${dial.call}`,
          news: { ...NO_NEWS, ...news },
        },
      },
    ]);

  it("is heard once the answer brings that id, however many flushes and restarts come between", async () => {
    let answer: (answer: Answer) => void = () => undefined;
    world.answer = () => new Promise((resolve) => (answer = resolve));
    const task = await world.push(await world.campaign());
    taken(await unnamed(world.last()));
    await world.run(2_000);
    expect((await world.task(task.id)).status).toBe("running");
    answer({ kind: "accepted", carrierCallId: `c-${world.last().call}` });
    await world.idle();
    expect(await world.task(task.id)).toMatchObject({ status: "completed", lastOutcome: "busy" });
  });

  it("is heard once a look-up brings that id after the answer was lost", async () => {
    world.answer = () => ({ kind: "unknown", word: "lost" });
    world.lookup = (call) => ({ kind: "alive", carrierCallId: `c-${call}`, news: NO_NEWS });
    const task = await world.push(await world.campaign());
    taken(await unnamed(world.last()));
    world.restart();
    await world.run(2_000);
    expect(await world.task(task.id)).toMatchObject({ status: "completed", lastOutcome: "busy" });
  });

  it("is heard though an older one of the same call was given up before", async () => {
    world.answer = () => ({ kind: "unknown", word: "lost" });
    const task = await world.push(await world.campaign());
    taken(await unnamed(world.last(), { ringingAt: world.now }));
    await world.run(4.5 * MINUTE);
    taken(await unnamed(world.last()));
    for (let tick = 0; tick < 2; tick++) {
      await world.run(MINUTE);
      await world.dialer.tick();
    }
    world.lookup = (call) => ({ kind: "alive", carrierCallId: `c-${call}`, news: NO_NEWS });
    await world.run(3 * MINUTE);
    expect(await world.task(task.id)).toMatchObject({ status: "completed", lastOutcome: "busy" });
  });

  it("of no call of ours is dropped after a while", async () => {
    await world.push(await world.campaign());
    taken(await unnamed({ ...world.last(), call: "cal_k3v9q2m8xa_zzz" as Dialled["call"] }));
    await world.run(10 * MINUTE);
    await world.dialer.tick();
    await world.run(MINUTE);
    expect(world.sql.all("SELECT * FROM late")).toEqual([]);
  });
});

it("H22 a start that could not be stored is made again: what was on its way becomes unknown", async () => {
  world.answer = never;
  probesFail();
  lookupsFail();
  const task = await world.push(await world.campaign());
  world.restart();
  const { transaction } = world.sql;
  world.sql.transaction = (work) =>
    transaction(() => {
      work();
      throw new Error("the disk is full");
    });
  await expect(world.dialer.tick()).rejects.toThrow("the disk is full");
  world.sql.transaction = transaction;
  await world.dialer.tick();
  await world.idle();
  expect((await world.calls(task.id))[0]?.status).toBe("unknown");
  const [connection] = taken(await world.dialer.readWorkspace()).connections;
  expect(connection?.state).toBe("probing");
});

it("H22 an answer that comes right after a failed transaction is heard, not taken for lost", async () => {
  let answer: (answer: Answer) => void = () => undefined;
  world.answer = () => new Promise((resolve) => (answer = resolve));
  probesFail();
  const task = await world.push(await world.campaign());
  const { transaction } = world.sql;
  world.sql.transaction = () => {
    throw new Error("the disk is full");
  };
  await expect(world.dialer.tick()).rejects.toThrow("the disk is full");
  world.sql.transaction = transaction;
  answer({ kind: "accepted", carrierCallId: "c-1" });
  await world.idle();
  expect((await world.calls(task.id))[0]?.status).toBe("dialling");
  const [connection] = taken(await world.dialer.readWorkspace()).connections;
  expect(connection?.state).toBe("ok");
});
