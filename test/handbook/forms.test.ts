import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Consent } from "../../src/core/form.ts";
import { type CampaignId, makeId } from "../../src/core/ids.ts";
import { eraseRecords } from "../../src/db/erasures.ts";
import type { FormPush } from "../../src/dialer/verbs.ts";
import { databaseOf } from "../support/node/d1.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { rowsOf } from "../support/node/scene.ts";
import { tracesOf } from "../support/node/traces.ts";
import { HOUR, MINUTE, taken, WORKSPACE, type World } from "../support/node/world.ts";

const DAY = 24 * HOUR;
const FORM = makeId("frm", WORKSPACE, "f1");
const LIMITS: FormPush = { id: FORM, repeatMs: 10 * MINUTE, numberMax: 3, hourMax: 5 };
const CONSENT: Consent = {
  ...{ form: FORM, version: 1, text: "Call me back.", at: 1 },
  ...{ page: "https://shop.example/cart", address: "203.0.113.7", userAgent: "Canary/1.0" },
};

let world: World;
let campaign: CampaignId;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
  campaign = await world.campaign();
});
afterEach(() => checkWorld(world));

async function post(phone: string, limits: Partial<FormPush> = {}, of = campaign) {
  const tasks = [{ body: { campaign: of, phone }, path: "", consent: CONSENT }];
  const form = { ...LIMITS, ...limits };
  const [answer] = taken(await world.dialer.push({ access: null, tasks, idempotency: null, form }));
  await world.idle();
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

const ok = async (...given: Parameters<typeof post>) => {
  const answer = await post(...given);
  if (!answer.ok) throw new Error(answer.message);
  return answer;
};
const waitOf = async (...given: Parameters<typeof post>) => {
  const answer = await post(...given);
  return answer.ok ? "taken" : answer.waitMs;
};

describe("a push by a form", () => {
  it("rings, and keeps the consent with the task, here and in D1", async () => {
    const phone = world.phone();
    const { coming } = await ok(phone);
    expect(coming).toEqual({ waiting: null, timezone: "UTC" });
    expect(world.last().phone).toBe(phone);
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    const [row] = world.stored("SELECT id, consent FROM tasks") as {
      id: number;
      consent: string;
    }[];
    expect(JSON.parse(row?.consent ?? "")).toEqual(CONSENT);
    const task = await world.task(makeId("tsk", WORKSPACE, row?.id ?? 0));
    expect(task.consent).toEqual(CONSENT);
  });

  it("says what keeps the call", async () => {
    const later = await world.campaign({ start: 1000, end: 1100 });
    const opens = Date.UTC(2027, 0, 4, 10);
    expect((await ok(world.phone(), {}, later)).coming?.waiting).toEqual({
      ...{ reason: "hours", until: opens },
    });
  });

  it("rings once for the same number within the set time, with the same answer, also after a restart", async () => {
    const phone = world.phone();
    const first = await ok(phone);
    await world.finish(world.last(), "connected");
    world.restart();
    await world.run(9 * MINUTE);
    const again = await ok(phone);
    expect(again).toMatchObject({ existing: true, coming: first.coming });
    expect(world.dials).toHaveLength(1);
    await world.run(MINUTE);
    expect((await ok(phone)).existing).toBe(false);
    expect(world.dials).toHaveLength(2);
  });

  it("rings for the same number at another form, and for another number", async () => {
    const phone = world.phone();
    await ok(phone);
    await ok(phone, { id: makeId("frm", WORKSPACE, "f2") });
    await ok(world.phone());
    expect(world.dials).toHaveLength(3);
  });

  it("takes so many calls of one number in a day, over midnight too, and says when the next", async () => {
    // 09:00 to 23:50, then past midnight.
    await world.run(14 * HOUR + 50 * MINUTE);
    const phone = world.phone();
    for (let n = 0; n < 3; n++) {
      await ok(phone);
      await world.run(20 * MINUTE);
    }
    expect(await waitOf(phone)).toBe(DAY - HOUR);
    world.restart();
    expect(await waitOf(phone)).toBe(DAY - HOUR);
    expect(await waitOf(world.phone())).toBe("taken");
    await world.run(DAY - HOUR - 1);
    expect(await waitOf(phone)).toBe(1);
    await world.run(1);
    expect(await waitOf(phone)).toBe("taken");
  });

  it("takes so many calls of everybody in an hour, and counts on after a restart", async () => {
    const phones = Array.from({ length: 6 }, () => world.phone());
    const last = phones.pop() ?? "";
    for (const phone of phones) {
      expect(await waitOf(phone)).toBe("taken");
      await world.run(MINUTE);
    }
    expect(await waitOf(last)).toBe(55 * MINUTE);
    world.restart();
    expect(await waitOf(last)).toBe(55 * MINUTE);
    // Whoever was answered is answered the same: it rings nobody.
    expect((await ok(phones[4] ?? "")).existing).toBe(true);
    expect(await waitOf(last, { id: makeId("frm", WORKSPACE, "f2") })).toBe("taken");
    await world.run(55 * MINUTE);
    expect(await waitOf(last)).toBe("taken");
  });

  it("is not counted where it was refused", async () => {
    const phone = world.phone();
    await world.put("suppression", phone, { expiresAt: null });
    expect((await post(phone)).ok).toBe(false);
    expect(rowsOf(world, "idempotency")).toBe(0);
    await world.put("suppression", phone, null);
    expect((await ok(phone)).existing).toBe(false);
  });

  it("costs one row more than another push", async () => {
    await ok(world.phone());
    expect(rowsOf(world, "idempotency")).toBe(1);
    const phone = world.phone();
    await ok(phone);
    await world.run(HOUR / 2);
    await ok(phone);
    expect(rowsOf(world, "idempotency")).toBe(2);
  });

  it("leaves nothing of a person who is erased", async () => {
    const phone = "+919876540001";
    const personal = ["9876540001", "203.0.113.7", "Canary/1.0", "shop.example/cart"];
    await ok(phone);
    await world.run(MINUTE);
    await world.finish(world.last(), "connected");
    await ok(phone, { repeatMs: MINUTE / 2 });
    expect(tracesOf(world, personal).length).toBeGreaterThan(2);
    const erasing = world.dialer.erase(phone, [], null);
    await world.idle();
    await erasing;
    await eraseRecords(databaseOf(world.d1), WORKSPACE, phone);
    expect(tracesOf(world, personal)).toEqual([]);
    expect(rowsOf(world, "idempotency")).toBe(0);
    expect((await ok(phone)).existing).toBe(false);
  });
});
