import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TaskBody } from "../../src/core/task-body.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { HOUR, MINUTE, START, type World } from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

const times = () => world.dials.map((dial) => dial.at);
const utc = (text: string) => Date.parse(`${text}Z`);

describe("calling hours", () => {
  /** Pushes one task at `at` into a campaign with these hours, and says when it is dialled. */
  async function dialledAt(at: number, window: TaskBody): Promise<number | undefined> {
    const one = openWorld();
    one.now = at;
    await one.setUp();
    const campaign = await one.campaign(window);
    await one.push(campaign);
    await one.run(15 * 24 * HOUR);
    await checkWorld(one);
    return one.dials[0]?.at;
  }

  const DAYTIME = { start: 1000, end: 1800 };
  const NIGHT = { start: 2200, end: 200 };
  /** The window, the instant of the push, and when the handbook lets it be dialled; null is at once. */
  const CASES: [TaskBody, string, string | null][] = [
    [DAYTIME, "2027-01-04T09:59:59.999", "2027-01-04T10:00"],
    [DAYTIME, "2027-01-04T10:00", null],
    [DAYTIME, "2027-01-04T17:59:59.999", null],
    [DAYTIME, "2027-01-04T18:00", "2027-01-05T10:00"],
    [NIGHT, "2027-01-04T21:59:59.999", "2027-01-04T22:00"],
    [NIGHT, "2027-01-04T22:00", null],
    [NIGHT, "2027-01-05T00:00", null],
    [NIGHT, "2027-01-05T01:59:59.999", null],
    [NIGHT, "2027-01-05T02:00", "2027-01-05T22:00"],
    // A Friday's night reaches into Saturday; a Thursday's is not Friday's.
    [{ ...NIGHT, days: ["fri"] }, "2027-01-08T01:00", "2027-01-08T22:00"],
    [{ ...NIGHT, days: ["fri"] }, "2027-01-09T01:59", null],
    [{ ...NIGHT, days: ["fri"] }, "2027-01-09T02:00", "2027-01-15T22:00"],
    [{ ...DAYTIME, days: ["mon", "wed"] }, "2027-01-04T18:00", "2027-01-06T10:00"],
    [{ days: ["sun"] }, "2027-01-04T09:00", "2027-01-10T00:00"],
    [{ days: ["sun"] }, "2027-01-10T23:59:59.999", null],
    [{ days: ["sun"] }, "2027-01-11T00:00", "2027-01-17T00:00"],
    // Hours past 24 mean the next day; 24 hours or more are always open (H15).
    [{ start: 2200, end: 2600 }, "2027-01-05T01:59", null],
    [{ start: 900, end: 3300 }, "2027-01-05T03:00", null],
    [{ ...DAYTIME, timezone: "Asia/Kolkata" }, "2027-01-04T04:29", "2027-01-04T04:30"],
    [{ ...DAYTIME, timezone: "Asia/Kolkata" }, "2027-01-04T12:30", "2027-01-05T04:30"],
    // It is Monday in Auckland while it is Sunday in UTC.
    [{ days: ["mon"], timezone: "Pacific/Auckland" }, "2027-01-03T12:00", null],
  ];
  for (const [window, at, opens] of CASES) {
    const due = opens === null ? "at once" : `at ${opens}`;
    it(`H12 dials a push of ${at} in ${JSON.stringify(window)} ${due}`, async () => {
      expect(await dialledAt(utc(at), window)).toBe(utc(opens ?? at));
    });
  }

  /** Clocks in Berlin jump from 2:00 to 3:00 on 28 March 2027, and from 3:00 back to 2:00 on 31 October. */
  const BERLIN: [TaskBody, string, string | null][] = [
    // 2:30 does not exist: the next instant that does is 3:00.
    [{ start: 230, end: 500 }, "2027-03-28T00:00", "2027-03-28T01:00"],
    [{ start: 230, end: 500 }, "2027-03-28T00:59:59.999", "2027-03-28T01:00"],
    [{ start: 230, end: 500 }, "2027-03-28T03:00", "2027-03-29T00:30"],
    [{ start: 2200, end: 230 }, "2027-03-28T00:59", null],
    [{ start: 2200, end: 230 }, "2027-03-28T01:00", "2027-03-28T20:00"],
    // The whole window is skipped: nothing opens on that day.
    [{ start: 215, end: 245 }, "2027-03-28T00:00", "2027-03-29T00:15"],
    // 2:30 happens twice: the first counts, for opening and for closing.
    [{ start: 230, end: 500 }, "2027-10-31T00:00", "2027-10-31T00:30"],
    [{ start: 230, end: 500 }, "2027-10-31T01:15", null],
    [{ start: 2200, end: 230 }, "2027-10-31T00:29", null],
    [{ start: 2200, end: 230 }, "2027-10-31T00:30", "2027-10-31T21:00"],
  ];
  for (const [hours, at, opens] of BERLIN) {
    const due = opens === null ? "at once" : `at ${opens}`;
    it(`H12 dials ${hours.start}–${hours.end} in Berlin, pushed ${at}, ${due}`, async () => {
      const window = { ...hours, timezone: "Europe/Berlin" };
      expect(await dialledAt(utc(at), window)).toBe(utc(opens ?? at));
    });
  }

  it("H12 checks the hours at the instant of dialling, not when the task was queued", async () => {
    await world.setUp({ workspace: { slots: 1 } });
    const campaign = await world.campaign({ start: 900, end: 930 });
    await world.push(campaign);
    await world.push(campaign);
    await world.run(30 * MINUTE);
    // The only slot frees when the hours have just closed.
    await world.finish(world.last(), "connected");
    await world.run(23 * HOUR);
    expect(times()).toEqual([START]);
    await world.run(HOUR);
    expect(times()).toEqual([START, START + 24 * HOUR]);
  });

  it("H12 gives a slot that frees in the last millisecond of the hours to the next", async () => {
    await world.setUp({ workspace: { slots: 1 } });
    const campaign = await world.campaign({ start: 900, end: 930 });
    await world.push(campaign);
    await world.push(campaign);
    await world.run(30 * MINUTE - 1);
    await world.finish(world.last(), "connected");
    expect(times()).toEqual([START, START + 30 * MINUTE - 1]);
  });

  it("H12 a task's own hours, days and timezone each stand in for its campaign's", async () => {
    const campaign = await world.campaign({ start: 1000, end: 1100, days: ["tue"] });
    await world.push(campaign, { start: 1400, end: 1500 });
    await world.push(campaign, { days: ["wed"] });
    await world.push(campaign, { timezone: "Asia/Kolkata" });
    await world.run(3 * 24 * HOUR);
    expect(world.dials.map(({ at }) => new Date(at).toISOString().slice(0, 16))).toEqual([
      "2027-01-05T04:30",
      "2027-01-05T14:00",
      "2027-01-06T10:00",
    ]);
  });

  it("H4 edited hours count from the next dial on, for tasks that wait already", async () => {
    const campaign = await world.campaign({ start: 1400, end: 1500 });
    await world.push(campaign);
    await world.push(campaign, { start: 1600, end: 1700 });
    await world.run(HOUR);
    await world.edit(campaign, { start: 1030, end: 1200 });
    await world.run(30 * MINUTE);
    expect(times()).toEqual([START + 90 * MINUTE]);
    await world.edit(campaign, { start: 900, end: 1000 });
    await world.run(24 * HOUR);
    expect(times()).toEqual([START + 90 * MINUTE, START + 7 * HOUR]);
  });

  it("H4 hours that an edit closes keep what had been due", async () => {
    await world.setUp({ workspace: { slots: 1 } });
    const campaign = await world.campaign({});
    await world.push(campaign);
    await world.push(campaign);
    await world.edit(campaign, { start: 2000, end: 2100 });
    await world.finish(world.last(), "connected");
    await world.run(11 * HOUR);
    expect(times()).toEqual([START, START + 11 * HOUR]);
  });
});
