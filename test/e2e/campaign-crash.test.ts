import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Call } from "../../src/contract/call.ts";
import { phones, Rig, until } from "./rig.ts";

const ROWS = 180;
const SLOTS = 10;
/** A report that was acknowledged an instant before the kill is found by a look-up, after 2 min. */
const DEADLINE_MS = 170_000;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open(SLOTS, { ringMs: [50, 200], talkMs: [100, 500], analysisMs: 100 });
  await rig.behave({ retriesMs: [200, 500, 1_000, 2_000, 5_000, 10_000] });
});
afterAll(() => rig.close());

describe("a running campaign and crashes", () => {
  test("H22 H35 nobody is dialled twice for one attempt, and the campaign ends by itself", {
    timeout: DEADLINE_MS + 30_000,
  }, async () => {
    const numbers = phones(ROWS);
    const campaign = await rig.campaign({ retries: 1, intervals: 500 });
    await rig.import(campaign, numbers);
    for (const share of [0.2, 0.5]) {
      await until(
        () => rig.stats(),
        ({ accepted }) => accepted > ROWS * share,
        { everyMs: 5 },
      );
      await rig.crash();
      await rig.restart();
    }

    const end = await until(
      async () => ({ ...(await rig.read(campaign)), lost: await neverDialled(campaign) }),
      ({ counters, lost }) => counters.completed + lost === ROWS,
      { everyMs: 250, deadlineMs: DEADLINE_MS },
    );
    const { repeated, inFlightMax } = await rig.stats();
    expect(repeated).toBe(0);
    expect(inFlightMax).toBeLessThanOrEqual(SLOTS);
    // A claim that the kill kept from the network waits for its lease: nobody guesses (H22).
    expect(end.lost).toBeLessThanOrEqual(2 * 3);
    if (end.lost === 0) expect(end.status).toBe("completed");

    const attempts = await attemptsOf(campaign, end.counters.attempts + end.lost);
    const accepted = (await rig.dials()).filter((dial) => dial.accepted);
    const dialled = accepted.map((dial) => attempts.get(dial.callId ?? ""));
    expect(dialled).not.toContain(undefined);
    expect(new Set(dialled).size).toBe(accepted.length);
    expect(new Set(accepted.map((dial) => dial.to)).size).toBe(ROWS - end.lost);
  });
});

async function callsOf(campaign: string): Promise<Call[]> {
  const calls: Call[] = [];
  let cursor = "";
  for (;;) {
    type Page = { items: Call[]; nextCursor: string | null };
    const page = await rig.api.get<Page>(`/v1/calls?limit=200&campaign=${campaign}${cursor}`);
    calls.push(...page.items);
    if (page.nextCursor === null) return calls;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

/** Calls whose answer was lost and that the carrier never heard of. */
async function neverDialled(campaign: string): Promise<number> {
  const unknown = (await callsOf(campaign)).filter(({ status }) => status === "unknown");
  if (unknown.length === 0) return 0;
  const heard = new Set((await rig.dials()).map((dial) => dial.callId));
  return unknown.filter(({ id }) => !heard.has(id)).length;
}

/** Call → task and attempt, once D1 has so many. */
async function attemptsOf(campaign: string, count: number): Promise<Map<string, string>> {
  const calls = await until(
    () => callsOf(campaign),
    (some) => some.length >= count,
  );
  return new Map(calls.map(({ id, task, attempt }) => [id, `${task} ${attempt}`]));
}
