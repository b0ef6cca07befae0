import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CampaignId } from "../../src/core/ids.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import type { PushedTask, SuppressionDoc } from "../../src/dialer/verbs.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { refused, rowsOf } from "../support/node/scene.ts";
import { HOUR, MINUTE, taken, type World } from "../support/node/world.ts";

const DAY = 24 * HOUR;

let world: World;
beforeEach(async () => {
  world = openWorld();
  await world.setUp();
});
afterEach(() => checkWorld(world));

type Request = { key: string; route?: string; bodies: TaskBody[] };

function send({ key, route = "tasks", bodies }: Request) {
  const tasks = bodies.map((body, index) => ({ body, path: `tasks.${index}.` }));
  const idempotency = { route, key, bodyHash: JSON.stringify(bodies) };
  return world.dialer.push({ access: null, tasks, idempotency });
}

/** The answers as the caller sees them. */
async function replyTo(request: Request) {
  const answers = taken(await send(request));
  await world.idle();
  return answers.map(seen);
}

function seen(answer: PushedTask) {
  if (!answer.ok || "left" in answer) return answer;
  const { task, warnings } = answer;
  return { task, warnings };
}

const onList = (doc: SuppressionDoc | null, phone: string) => world.put("suppression", phone, doc);

describe("H9 Idempotency-Key", () => {
  it("H9 repeating a push gives the first reply again and makes no second task, wherever the task is by now", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    const request = { key: "k", bodies: [{ campaign, phone: world.phone(), retries: 0 }] };
    const first = await replyTo(request);
    const again = async () => expect(await replyTo(request)).toEqual(first);
    await again();
    await world.finish(world.last(), "connected");
    await again();
    await world.run(HOUR);
    expect(rowsOf(world, "task"), "it has left for D1").toBe(0);
    await again();
    world.restart();
    await again();
    await world.move(campaign, "archive");
    await world.run(HOUR);
    await again();
    expect(world.dials).toHaveLength(1);
    expect(world.stored("SELECT id FROM tasks")).toHaveLength(1);
  });

  it("H9 another body under the same key is a conflict and takes nothing", async () => {
    const campaign = await world.campaign();
    await replyTo({ key: "k", bodies: [{ campaign, phone: world.phone() }] });
    const other = send({ key: "k", bodies: [{ campaign, phone: world.phone() }] });
    expect((await refused(other)).code).toBe("idempotency_conflict");
    expect(rowsOf(world, "task")).toBe(1);
  });

  it("H9 a key counts for its route alone", async () => {
    const campaign = await world.campaign();
    const bodies = [{ campaign, phone: world.phone() }];
    await replyTo({ key: "k", bodies });
    await replyTo({ key: "k", bodies, route: "tasks/bulk" });
    expect(rowsOf(world, "task")).toBe(2);
  });

  it("H9 a refusal of the whole request is not kept: mended, or later, the same key is taken", async () => {
    const campaign = await world.campaign();
    const phone = world.phone();
    await onList({ expiresAt: null }, phone);
    const request = { key: "k", bodies: [{ campaign, phone }] };
    const issues = [{ path: "tasks.0.phone" }];
    expect(await replyTo(request)).toMatchObject([{ ok: false, issues }]);
    await onList(null, phone);
    expect(await replyTo(request)).toMatchObject([{ task: { phone } }]);

    const bad = { key: "k2", bodies: [{ campaign, phone: "none" }] };
    expect(await replyTo(bad)).toMatchObject([{ ok: false, code: "invalid" }]);
    expect(await replyTo({ key: "k2", bodies: request.bodies })).toMatchObject([
      { task: { phone } },
    ]);
    expect(rowsOf(world, "task")).toBe(2);
  });

  it("H9 a refusal for want of room is not kept either", async () => {
    const campaign = await world.campaign();
    const request = { key: "k", bodies: [{ campaign, phone: world.phone() }] };
    world.sql.bytes = 8 * 1024 ** 3;
    expect((await refused(send(request))).code).toBe("full");
    world.sql.bytes = 0;
    expect(await replyTo(request)).toMatchObject([{ task: { campaign } }]);
  });

  it("H9 a key is kept for 7 days, to the millisecond, and its row is gone a day later", async () => {
    const campaign = await world.campaign({ paused: true });
    const request = { key: "k", bodies: [{ campaign, phone: world.phone() }] };
    const first = await replyTo(request);
    await world.run(7 * DAY - 1);
    expect(await replyTo(request)).toEqual(first);
    await world.run(1);
    expect(await replyTo(request)).not.toEqual(first);
    expect(rowsOf(world, "task")).toBe(2);
    await world.run(8 * DAY);
    taken(await world.dialer.tick());
    expect(rowsOf(world, "idempotency")).toBe(0);
  });

  it("H9 a bulk push with mixed answers is repeated answer by answer, refusals too", async () => {
    const campaign = await world.campaign();
    const batch = await world.campaign({ type: "batch" });
    const listed = world.phone();
    await onList({ expiresAt: null }, listed);
    const bad = { start: 1, days: [], timezone: "Mars", retries: -1, context: 7, startAfter: "x" };
    const bodies = [
      { campaign, phone: world.phone(), externalId: "a", priorities: [0.5], retries: 1 },
      { campaign: batch, phone: world.phone() },
      { campaign, phone: listed },
      { campaign, phone: "1", ...bad },
      { phone: world.phone() },
      { campaign, phone: world.phone(), context: { name: "Asha" } },
    ];
    const request = { key: "k", route: "tasks/bulk", bodies };
    const first = await replyTo(request);
    expect(first.map((one) => ("code" in one ? one.code : "taken"))).toEqual([
      "taken",
      "conflict",
      "invalid",
      "invalid",
      "invalid",
      "taken",
    ]);
    await onList(null, listed);
    expect(await replyTo(request)).toEqual(first);
    world.restart();
    expect(await replyTo(request)).toEqual(first);
    expect(world.dials).toHaveLength(2);
  });

  it("H9 a repeated creation of a campaign gives the first reply again and makes no second one", async () => {
    const body = { name: "Leads", type: "realtime" };
    const idempotency = { route: "campaigns", key: "k", bodyHash: "h" };
    const create = async () => taken(await world.dialer.createCampaign({ body, idempotency }));
    const first = await create();
    await world.edit(first.campaign.id, { name: "Spring" });
    world.restart();
    expect(await create()).toEqual(first);
    expect(rowsOf(world, "campaign")).toBe(1);
    const request = { body, idempotency: { ...idempotency, bodyHash: "other" } };
    const other = await refused(world.dialer.createCampaign(request));
    expect(other.code).toBe("idempotency_conflict");
  });

  it("H9 a refused creation is not kept", async () => {
    const idempotency = { route: "campaigns", key: "k", bodyHash: "h" };
    const bad = world.dialer.createCampaign({ body: { type: "realtime" }, idempotency });
    expect((await refused(bad)).code).toBe("invalid");
    const body = { name: "Leads", type: "realtime" };
    const good = { body, idempotency: { ...idempotency, bodyHash: "mended" } };
    expect(taken(await world.dialer.createCampaign(good)).campaign.settings.name).toBe("Leads");
  });
});

describe("H9 externalId", () => {
  const push = async (campaign: CampaignId, more: TaskBody = {}) => {
    const [answer] = await world.pushAll([
      { campaign, phone: world.phone(), externalId: "x", ...more },
    ]);
    return answer;
  };

  it("H9 the same externalId is the same task: waiting, running, finished, gone to D1, after a restart", async () => {
    const campaign = await world.campaign({ start: 1000, end: 1100 });
    const { id, phone } = await world.push(campaign, { externalId: "x" });
    const again = async (status: string) => {
      expect(await push(campaign)).toMatchObject({
        ok: true,
        existing: true,
        task: { id, phone, status },
      });
    };
    await again("queued");
    await world.run(HOUR);
    await again("running");
    await world.finish(world.last(), "connected");
    await again("completed");
    await world.run(HOUR);
    const left = { ok: true, existing: true, left: id };
    expect(await push(campaign)).toMatchObject(left);
    world.restart();
    expect(await push(campaign)).toMatchObject(left);
    expect(world.stored("SELECT id FROM tasks")).toHaveLength(1);
    expect(world.dials).toHaveLength(1);
  });

  it("H9 H40 twice in one request it is the task that came first, though the second number is listed", async () => {
    const campaign = await world.campaign();
    const listed = world.phone();
    await world.put("suppression", listed, { expiresAt: null });
    const [first, second] = await world.pushAll([
      { campaign, phone: world.phone(), externalId: "x" },
      { campaign, phone: listed, externalId: "x" },
    ]);
    const task = first?.ok && "task" in first ? first.task.id : null;
    expect(second).toMatchObject({ ok: true, existing: true, task: { id: task } });
  });

  it("H9 an externalId belongs to one campaign, and only until that is over", async () => {
    const [one, two] = [await world.campaign(), await world.campaign()];
    const first = await world.push(one, { externalId: "x" });
    const other = await world.push(two, { externalId: "x" });
    expect(other.id).not.toBe(first.id);
    await world.move(one, "archive");
    expect(await push(one)).toMatchObject({ ok: false, code: "conflict" });
    expect(await push(two)).toMatchObject({ ok: true, task: { id: other.id } });
  });

  it("H9 an externalId twice in one request is one task; one whose body is refused holds none", async () => {
    const campaign = await world.campaign();
    const [bad, first, twin] = await world.pushAll([
      { campaign, phone: "none", externalId: "x" },
      { campaign, phone: world.phone(), externalId: "x" },
      { campaign, phone: world.phone(), externalId: " x " },
    ]);
    expect(bad).toMatchObject({ ok: false, code: "invalid" });
    expect(first).toMatchObject({ ok: true, existing: false });
    expect(twin).toMatchObject({ ok: true, existing: true });
    if (first?.ok && twin?.ok && "task" in first && "task" in twin) {
      expect(twin.task.id).toBe(first.task.id);
    }
    expect(world.dials).toHaveLength(1);
  });

  it("H9 pushes without key and externalId are always new tasks", async () => {
    const campaign = await world.campaign();
    const phone = world.phone();
    const ids = [await world.push(campaign, { phone }), await world.push(campaign, { phone })];
    expect(ids[0]?.id).not.toBe(ids[1]?.id);
    expect(world.dials).toHaveLength(2);
  });

  it("H9 a repeated push that met an existing task names that task again", async () => {
    const campaign = await world.campaign();
    const { id } = await world.push(campaign, { externalId: "x" });
    const request = { key: "k", bodies: [{ campaign, phone: world.phone(), externalId: "x" }] };
    for (let time = 0; time < 2; time++) {
      expect(await replyTo(request)).toMatchObject([{ task: { id } }]);
    }
    expect(rowsOf(world, "task")).toBe(1);
  });

  it("H9 a repeated push is answered in a workspace that is full", async () => {
    const campaign = await world.campaign();
    const request = { key: "k", bodies: [{ campaign, phone: world.phone() }] };
    const first = await replyTo(request);
    world.sql.bytes = 8 * 1024 ** 3;
    expect(await replyTo(request)).toEqual(first);
    expect(first).toMatchObject([{ task: { campaign } }]);
  });
});

it("H9, H35 a bulk push as large as the API takes is taken whole", async () => {
  const big = openWorld();
  await big.setUp();
  const campaign = await big.campaign({ paused: true });
  const context = { note: '"é'.repeat(3_500) };
  const bodies = Array.from({ length: 1_000 }, () => ({ campaign, phone: big.phone(), context }));
  const answers = await big.pushAll(bodies);
  expect(answers.filter((answer) => answer.ok)).toHaveLength(1_000);
  expect((await big.read(campaign)).counters.paused).toBe(1_000);
});
