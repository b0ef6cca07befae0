import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { phones, Rig, until } from "./rig.ts";

const ROWS = 100;
const PLACING_MAX = 3;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open(10, { ringMs: [50, 150], talkMs: [100, 400], analysisMs: 50 });
});
afterAll(() => rig.close());

describe("a carrier that is away for a while", () => {
  test("H21 provably out of reach: no attempt is used, and everything drains by itself", async () => {
    await rig.carrier.post("/_/reset");
    const campaign = await rig.campaign({});
    await rig.import(campaign, phones(ROWS));
    await dialled(20);
    await rig.behave({ down: true, outage: "521" });
    const { waiting } = await until(
      () => rig.read(campaign),
      (one) => one.counters.running === 0,
    );
    expect(waiting?.reason).toBe("connection");
    await rig.behave({ down: null });
    const { counters } = await until(
      () => rig.read(campaign),
      ({ status }) => status === "completed",
    );
    expect(counters).toMatchObject({ completed: ROWS, attempts: ROWS });
    expect(counters.outcomes).toEqual({ connected: ROWS });
    expect(await rig.stats()).toMatchObject({ accepted: ROWS, repeated: 0 });
  });

  test("H22 answers cut off: what may have been dialled is not dialled again, the rest drains", async () => {
    await rig.carrier.post("/_/reset");
    const campaign = await rig.campaign({});
    await rig.import(campaign, phones(ROWS));
    await dialled(20);
    await rig.behave({ down: true, outage: "cut" });
    const away = await until(
      async () => ({ ...(await rig.stats()), ...(await rig.read(campaign)) }),
      ({ inFlight, waiting }) => inFlight === 0 && waiting?.reason === "connection",
    );
    await rig.behave({ down: null });
    // Cut before anything was dialled: only the lease's end may decide these.
    const { counters, cut } = await until(
      async () => ({ ...(await rig.read(campaign)), cut: await cutOff() }),
      (one) => one.counters.completed + one.cut === ROWS,
    );
    expect(cut).toBeGreaterThan(0);
    expect(cut).toBeLessThanOrEqual(PLACING_MAX);
    expect(counters).toMatchObject({ queued: 0, running: cut });
    const dials = await rig.dials();
    expect(new Set(dials.map((dial) => dial.to)).size).toBe(ROWS);
    expect(dials.length).toBe(ROWS);
    expect(away.accepted).toBeLessThan(ROWS);
  });
});

async function cutOff(): Promise<number> {
  return (await rig.dials()).filter((dial) => !dial.accepted).length;
}

async function dialled(count: number): Promise<void> {
  await until(
    () => rig.stats(),
    ({ accepted }) => accepted >= count,
    { everyMs: 10 },
  );
}
