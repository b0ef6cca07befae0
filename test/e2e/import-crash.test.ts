import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Import } from "../../src/contract/import.ts";
import { csvOf, phones, Rig, until } from "./rig.ts";

const ROWS = 20_000;
const BAD = ["+91", "no number", "12345"];

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open(10, {});
});
afterAll(() => rig.close());

describe("an import and a crash", () => {
  test("H11 H35 each good row is there exactly once after a kill in the middle", async () => {
    const numbers = phones(ROWS);
    const campaign = await rig.campaign({ paused: true });
    const path = `/v1/campaigns/${campaign}/imports`;
    const file = csvOf(numbers) + BAD.map((phone) => `${phone},x,y\n`).join("");
    const killed = rig.crashAt(partDone(2));
    // The kill may cut the answer off: the import is there all the same.
    await rig.api.postCsv<Import>(path, file).catch(() => undefined);
    await killed;
    await rig.restart();
    const { items } = await rig.api.get<{ items: Import[] }>(path);
    const before = items[0] as Import;
    expect(items.length).toBe(1);
    expect(before.status).toBe("running");
    expect(before.rowsRead).toBeLessThan(ROWS);
    expect((await rig.read(campaign)).counters.paused).toBeLessThan(ROWS);

    // The message that carried the import is gone; the watchdog misses its progress.
    const killedAgain = rig.crashAt(partDone(5));
    await rig.tick(120_000).catch(() => undefined);
    await killedAgain;
    await rig.restart();
    await rig.tick(240_000);
    const after = await until(
      () => rig.api.get<Import>(`${path}/${before.id}`),
      ({ status }) => status !== "running",
    );
    expect(after.status).toBe("completed");
    expect(after).toMatchObject({ rowsRead: ROWS + 3, rowsTaken: ROWS, rejectedCount: 3 });
    const { counters, status } = await rig.read(campaign);
    expect(counters).toMatchObject({ paused: ROWS, queued: 0, running: 0, completed: 0 });
    expect(status).toBe("paused");
    const listed = await until(
      async () => phonesOf(await rig.api.text(`/v1/campaigns/${campaign}/tasks.csv`)),
      (some) => some.length >= ROWS,
      { everyMs: 200 },
    );
    expect(listed.length).toBe(ROWS);
    expect(listed.toSorted()).toEqual(numbers.toSorted());
    expect((await rig.stats()).asked).toBe(0);
  });

  test("H11 an upload that is cut off by a kill leaves nothing", async () => {
    const campaign = await rig.campaign({ paused: true });
    const path = `/v1/campaigns/${campaign}/imports`;
    const upload = rig.api.postCsv<Import>(path, csvOf(phones(50_000))).then(
      () => "taken",
      () => "cut",
    );
    await new Promise((resolve) => setTimeout(resolve, 40));
    await rig.crash();
    expect(await upload).toBe("cut");
    await rig.restart();
    expect(await rig.api.get(path)).toEqual({ items: [], nextCursor: null });
    expect((await rig.read(campaign)).counters).toMatchObject({ paused: 0, queued: 0 });
    // The same file goes in as if nothing had been.
    await rig.import(campaign, phones(1_000));
    expect((await rig.read(campaign)).counters.paused).toBe(1_000);
  });
});

/** What the Worker logs once D1 has what became of a part. */
const partDone = (part: number) => `"part":${part},`;

/** The first column of an export. */
function phonesOf(csv: string): string[] {
  const lines = csv.trimEnd().split(/\r?\n/);
  const [header = "", ...rows] = lines;
  expect(header.split(",")[0]).toBe("phone");
  return rows.map((row) => row.split(",")[0] ?? "");
}
