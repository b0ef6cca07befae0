import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, NO_NEWS } from "../../src/carriers/carrier.ts";
import { type CampaignId, type ImportId, makeId } from "../../src/core/ids.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import { eraseMentions, eraseRecords, hashSuppression } from "../../src/db/erasures.ts";
import { databaseOf } from "../support/node/d1.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { rowsOf, storedStatus } from "../support/node/scene.ts";
import { tracesOf } from "../support/node/traces.ts";
import {
  CONNECTION,
  type Dialled,
  MINUTE,
  taken,
  WORKSPACE,
  type World,
} from "../support/node/world.ts";

let world: World;
beforeEach(async () => {
  world = openWorld();
  const outcomes = [{ name: "do_not_call", suppress: true }];
  await world.setUp({ workspace: { slots: 2 }, agent: { outcomes } });
});
afterEach(() => checkWorld(world));

const PHONE = "+919876540001";
/** What must be nowhere afterwards: the number without its country code, a context, what was said. */
const PERSONAL = ["9876540001", "Canarywala", "sings in the morning"];
const HIS: TaskBody = { phone: PHONE, context: { name: "Canarywala" } };
const SAID = {
  transcript: [{ speaker: "person" as const, text: "He sings in the morning", atMs: 0 }],
  analysis: { said: "sings in the morning" },
  recordingUrl: "https://carrier.test/sings in the morning",
  word: "hung up on 098765-40001",
};
const ORIGIN = { actorKind: "person" as const, actor: "p1", ip: "203.0.113.7", requestId: "r-1" };

async function erase(uploads: ImportId[] = [], of = world) {
  const reply = of.dialer.erase(PHONE, uploads, ORIGIN);
  await of.idle();
  if (of.d1Fault !== null) await of.run(2_000);
  const done = taken(await reply);
  await of.idle();
  return done;
}

const traces = () => tracesOf(world, PERSONAL);

describe("a person who is erased", () => {
  it("is nowhere any more: not where he waits, is called, waits for a retry, or was called", async () => {
    const open = await world.campaign({ retries: 2, intervals: MINUTE });
    const his = { ...HIS, retries: 3, intervals: [MINUTE, MINUTE] };
    const over = await world.push(open, HIS);
    await world.finish(world.last(), "connected", SAID);
    const retries = await world.push(open, his);
    await world.finish(world.last(), "busy", SAID);
    const calls = await world.push(open, { ...his, externalId: "lead 98765 40001" });
    const other = await world.push(open, { context: { name: "Sparrow" } });
    const waits = await world.push(open, HIS);
    const held = await world.campaign({ paused: true });
    const paused = await world.push(held, { ...HIS, externalId: "9876540001" });
    await world.run(MINUTE / 2);
    expect(traces().length).toBeGreaterThan(5);

    // What has left the object is D1's: `api/erasures` does it there.
    world.d1.exec("UPDATE tasks SET phone = '', context = '{}' WHERE ended IS NOT NULL");
    const left = `to_phone = '${PHONE}'`;
    world.d1.exec(
      `UPDATE calls SET to_phone = '', word = NULL, recording_url = NULL WHERE ${left}`,
    );
    world.d1.exec("DELETE FROM call_texts");
    const done = await erase();
    expect(done).toMatchObject({ tasks: 4, archived: 3, told: true });
    expect(traces()).toEqual([]);
    const ids = [over, retries, calls, other, waits, paused].map(({ id }) => id);
    expect(ids.map((id) => storedStatus(world, id))).toEqual([
      ...["completed", "archived", "running", "running", "archived", "archived"],
    ]);
    expect(world.stored("SELECT context FROM tasks WHERE phone <> ''")).toEqual([
      { context: '{"name":"Sparrow"}' },
    ]);
    await world.run(10 * MINUTE);
    expect(world.dials).toHaveLength(4);
    const { counters } = await world.read(open);
    expect(counters).toMatchObject({ running: 2, completed: 1, archived: 2, attempts: 2 });
  });

  it("is not called again after the call in progress, of which nothing is kept", async () => {
    const campaign = await world.campaign({ retries: 3, intervals: MINUTE });
    const task = await world.push(campaign, HIS);
    const dial = world.last();
    expect(await erase()).toMatchObject({ tasks: 1, archived: 0, calls: 1 });
    await world.report(dial, { answeredAt: world.now, ...SAID });
    expect(traces()).toEqual([]);
    await world.finish(dial, "busy", SAID);
    expect(traces()).toEqual([]);
    await world.run(10 * MINUTE);
    // The analysis comes when the call has left.
    await world.report(dial, { ...SAID, talkMs: 5_000 });
    await world.run(10 * MINUTE);
    expect(traces()).toEqual([]);
    expect([world.dials.length, storedStatus(world, task.id)]).toEqual([1, "archived"]);
    const [call] = world.stored("SELECT outcome, to_phone, word, recording_url FROM calls");
    expect(call).toEqual({ outcome: "busy", to_phone: "", word: null, recording_url: null });
  });

  it("leaves no word of a dial that is refused, and does not wait any more", async () => {
    const answer = Promise.withResolvers<Answer>();
    world.answer = () => answer.promise;
    const campaign = await world.campaign();
    const task = await world.push(campaign, HIS);
    await erase();
    answer.resolve({ kind: "refused", reason: "capacity", word: `no line for ${PHONE}` });
    await world.run(10 * MINUTE);
    expect(traces()).toEqual([]);
    expect([world.dials.length, storedStatus(world, task.id)]).toEqual([1, "archived"]);
  });

  it("leaves no word of a rescued call, whose true end comes late", async () => {
    const campaign = await world.campaign({ retries: 3, intervals: 60 * MINUTE });
    await world.push(campaign, HIS);
    const dial = world.last();
    await world.run(36 * MINUTE);
    expect(await erase()).toMatchObject({ archived: 1, calls: 1 });
    await world.finish(dial, "connected", SAID);
    await world.run(MINUTE);
    expect(traces()).toEqual([]);
    expect(world.stored("SELECT outcome, reported FROM calls")).toEqual([
      { outcome: "failed", reported: null },
    ]);
  });

  it("is masked in news that wait for their call's name", async () => {
    const answer = Promise.withResolvers<Answer>();
    world.answer = () => answer.promise;
    const campaign = await world.campaign();
    await world.push(campaign);
    const news = { ended: false, concluding: false, outcome: null, word: `from ${PHONE}` };
    const report = { call: null, carrierCallId: "c-odd" };
    const item = { connection: CONNECTION, report: { ...report, news: { ...NO_NEWS, ...news } } };
    taken(await world.dialer.report([item]));
    await world.run(1_000);
    expect(traces()).toHaveLength(1);
    await erase();
    expect(traces()).toEqual([]);
    answer.resolve({ kind: "accepted", carrierCallId: "c-odd" });
    await world.idle();
    await world.finish(world.last(), "connected");
  });

  it("completes the batch of which he was the last, and stays dialled once there (H9)", async () => {
    const campaign = await world.campaign({ type: "batch", timezone: "UTC", start: 300, end: 400 });
    await world.import(campaign, [PHONE]);
    expect(await erase()).toMatchObject({ tasks: 1, archived: 1 });
    expect(await world.read(campaign)).toMatchObject({ status: "completed" });
    const again = await world.import(campaign, [PHONE]);
    expect(again).toEqual({ taken: 0, rejected: [{ line: 2, reason: "duplicate" }] });
    expect(traces()).toEqual([]);
  });

  it("is erased once: a second time finds nothing, and changes nothing but the log", async () => {
    const campaign = await world.campaign({ paused: true });
    await world.push(campaign, HIS);
    const first = await erase();
    const rows = world.stored("SELECT * FROM task_view");
    expect(first).toMatchObject({ tasks: 1, archived: 1, calls: 0 });
    expect(await erase()).toEqual({ ...first, tasks: 0, archived: 0 });
    expect(world.stored("SELECT * FROM task_view")).toEqual(rows);
    const entries = world.stored("SELECT actor, target, after FROM audit ORDER BY id");
    const target = "+91••••••••01";
    expect(
      entries.map(({ after, ...entry }) => ({ ...entry, ...JSON.parse(String(after)) })),
    ).toEqual([1, 0].map((tasks) => ({ actor: "p1", target, tasks, archived: tasks, calls: 0 })));
  });
});

describe("what is on its way when somebody is erased brings nothing back", () => {
  it("a slice of the flush that D1 has before its answer comes", async () => {
    const campaign = await world.campaign({ paused: true });
    const answer = Promise.withResolvers<void>();
    world.d1Answers = () => answer.promise;
    await world.push(campaign, HIS);
    await world.run(600);
    expect(traces().some((one) => one.startsWith("D1"))).toBe(true);
    const reply = world.dialer.erase(PHONE, [], ORIGIN);
    await world.idle();
    world.d1Answers = () => undefined;
    answer.resolve();
    await world.idle();
    expect(taken(await reply)).toMatchObject({ archived: 1, told: true });
    expect(traces()).toEqual([]);
  });

  it("a slice that D1 takes without an answer", async () => {
    const campaign = await world.campaign({ paused: true });
    world.d1Answers = () => {
      throw new Error("D1_ERROR: Network connection lost.");
    };
    await world.push(campaign, HIS);
    await world.run(600);
    expect(traces().some((one) => one.startsWith("D1"))).toBe(true);
    world.d1Answers = () => undefined;
    expect(await erase()).toMatchObject({ archived: 1, told: true });
    expect(traces()).toEqual([]);
  });

  it("D1 that is away: it says so, and hears of it later, over a restart, too", async () => {
    const campaign = await world.campaign({ retries: 1, intervals: MINUTE });
    await world.push(campaign, HIS);
    await world.run(MINUTE / 2);
    world.d1Fault = new Error("D1_ERROR: away");
    await world.report(world.last(), { answeredAt: world.now, ...SAID });
    expect(await erase()).toMatchObject({ tasks: 1, told: false });
    world.restart();
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(traces()).toEqual([]);
    expect(await erase()).toMatchObject({ tasks: 0, told: true });
    await world.finish(world.last(), "connected", SAID);
    await world.run(MINUTE);
    expect(traces()).toEqual([]);
  });

  it("an object that dies right after it", async () => {
    const campaign = await world.campaign({ paused: true });
    await world.push(campaign, HIS);
    await world.run(MINUTE);
    void world.dialer.erase(PHONE, [], ORIGIN);
    world.restart();
    await world.run(5 * MINUTE);
    expect(traces()).toEqual([]);
    expect(world.stored("SELECT action FROM audit")).toEqual([{ action: "person.erase" }]);
  });

  const part = (id: ImportId, number: number, phones: string[], last = false) =>
    world.dialer.ingest({
      ...{ import: id, part: number, last, allowDuplicates: false },
      rows: phones.map((phone, index) => ({ line: index + 2, phone, context: {} })),
    });
  const batch = (): Promise<CampaignId> => world.campaign({ type: "batch", paused: true });

  it("a part of an import that was read before", async () => {
    const campaign = await batch();
    const id = makeId("imp", WORKSPACE, "running") as ImportId;
    taken(await world.dialer.openImport(id, campaign));
    taken(await part(id, 0, [world.phone()]));
    await erase();
    const rejected = [{ line: 2, reason: "erased" }];
    expect(taken(await part(id, 1, [PHONE, world.phone()]))).toEqual({ taken: 1, rejected });
    world.restart();
    expect(taken(await part(id, 2, [PHONE], true))).toEqual({ taken: 0, rejected });
    await world.run(MINUTE);
    expect([traces(), rowsOf(world, "erased")]).toEqual([[], 0]);
    // A file that comes later is another matter.
    expect(await world.import(campaign, [PHONE])).toEqual({ taken: 1, rejected: [] });
  });

  it("a row that an import has brought which is not complete", async () => {
    const campaign = await world.campaign({ type: "batch" });
    const id = makeId("imp", WORKSPACE, "open") as ImportId;
    taken(await world.dialer.openImport(id, campaign));
    taken(await part(id, 0, [PHONE, world.phone()]));
    expect(await erase()).toMatchObject({ tasks: 1, archived: 1 });
    taken(await part(id, 1, [PHONE], true));
    await world.run(MINUTE);
    await world.finish(world.last(), "connected");
    await world.run(MINUTE);
    expect([traces(), world.dials.length]).toEqual([[], 1]);
    expect(await world.read(campaign)).toMatchObject({
      status: "completed",
      counters: { completed: 1, archived: 1 },
    });
  });

  it("an upload that becomes an import later, or is given up", async () => {
    const campaign = await batch();
    const [id, abandoned] = ["coming", "abandoned"].map((name) => {
      return makeId("imp", WORKSPACE, name) as ImportId;
    }) as [ImportId, ImportId];
    await erase([id, abandoned]);
    taken(await world.dialer.openImport(id, campaign));
    const rejected = [{ line: 2, reason: "erased" }];
    expect(taken(await part(id, 0, [PHONE], true))).toEqual({ taken: 0, rejected });
    taken(await world.dialer.dropImport(abandoned));
    expect([traces(), rowsOf(world, "erased")]).toEqual([[], 0]);
  });

  it("a push that is repeated under its key, which quotes the number", async () => {
    const campaign = await world.campaign({ paused: true });
    const tasks = [{ body: { ...HIS, campaign, externalId: "98765-40001" }, path: "" }];
    const idempotency = { route: "tasks", key: `lead ${PHONE}`, bodyHash: "h" };
    const push = async () => taken(await world.dialer.push({ access: null, tasks, idempotency }));
    const [first] = await push();
    expect(first).toMatchObject({ ok: true, existing: false });
    await world.run(MINUTE);
    await erase();
    expect(traces()).toEqual([]);
    const [again] = await push();
    expect(again).toMatchObject({ ok: true, existing: true, task: { phone: PHONE } });
    await world.run(MINUTE);
    expect([traces(), rowsOf(world, "task")]).toEqual([[], 0]);
    expect(world.stored("SELECT status FROM task_view")).toEqual([{ status: "archived" }]);
    const other = await world.dialer.push({
      ...{ access: null, tasks },
      idempotency: { ...idempotency, bodyHash: "another" },
    });
    expect(other).toMatchObject({ ok: false, code: "idempotency_conflict" });
  });
});

/** As `api/erasures` does it, again until D1 has heard of everything. */
async function eraseWholly(): Promise<void> {
  const db = databaseOf(world.d1);
  for (let tries = 0; tries < 10; tries++) {
    const { told, hash } = await erase();
    await eraseRecords(db, WORKSPACE, PHONE);
    await hashSuppression(db, WORKSPACE, PHONE, hash, world.now);
    await eraseMentions(db, WORKSPACE, PHONE);
    if (told) return;
    world.d1Fault = null;
    await world.run(MINUTE);
  }
  throw new Error("D1 is never told");
}

const OUTCOMES = ["connected", "busy", "no_answer", "voicemail", "busy_callback", "do_not_call"];

describe("whatever is going on when somebody is erased", () => {
  for (let seed = 1; seed <= 40; seed++) {
    it(`he is dialled no more, and is nowhere at the end (seed ${seed})`, async () => {
      let state = seed * 7919;
      const draw = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      world.d1.exec(`INSERT INTO workspaces (id, name, slots, timezone, opens_min, closes_min, days,
        config_version, version, created_at) VALUES ('${WORKSPACE}', 'Test', 2, 'UTC', 0, 0, 127, 100, 0, 0)`);
      const from = { retries: 2, intervals: 2 * MINUTE, retryOutcomes: ["voicemail"] };
      const open = await world.campaign(from);
      const batch = await world.campaign({ ...from, type: "batch" });
      await world.import(batch, [PHONE, world.phone(), world.phone()]);
      const lost = new Error("D1_ERROR: Network connection lost.");
      const steps = [
        () => world.push(open, HIS).catch(() => undefined),
        () => world.push(open),
        () => world.run(draw(3 * MINUTE)),
        () => world.run(40 * MINUTE),
        () => world.move(open, draw(2) === 0 ? "pause" : "resume").catch(() => undefined),
        () => world.restart(),
        () => {
          world.d1Fault = draw(2) === 0 ? lost : null;
        },
        // Of calls in progress, and once more of calls that are over.
        () => report(world.dials[draw(world.dials.length)]),
        () => report(world.dials.at(-1)),
        () => report(world.dials.at(-2)),
      ];
      const report = async (dial: Dialled | undefined) => {
        const outcome = OUTCOMES[draw(OUTCOMES.length)] ?? "connected";
        const callbackAt = outcome === "busy_callback" ? world.now + MINUTE : null;
        const said = dial?.phone === PHONE ? SAID : {};
        if (dial !== undefined) await world.finish(dial, outcome, { ...said, callbackAt });
      };
      const many = async (count: number, more: typeof steps) => {
        for (let n = 0; n < count; n++) await more[draw(more.length)]?.();
      };
      await many(15, steps);
      await eraseWholly();
      expect(traces()).toEqual([]);
      const dialled = world.dials.filter(({ phone }) => phone === PHONE).length;
      await many(15, steps.slice(1));
      world.d1Fault = null;
      await world.run(3 * 60 * MINUTE);
      expect(world.dials.filter(({ phone }) => phone === PHONE)).toHaveLength(dialled);
      expect(traces()).toEqual([]);
    });
  }
});

describe("H40 a do-not-call entry of an erased number", () => {
  const suppressed = { ok: false, issues: [{ path: "tasks.0.phone", got: "suppressed" }] };
  const refuses = async (phone = PHONE) => {
    const campaign = await world.campaign({ paused: true });
    const [push] = await world.pushAll([{ campaign, phone }]);
    expect(push).toMatchObject(suppressed);
    const batch = await world.campaign({ type: "batch", paused: true });
    expect(await world.import(batch, [PHONE])).toEqual({
      taken: 0,
      rejected: [{ line: 2, reason: "suppressed" }],
    });
  };

  it("H40 goes on refusing it, and is not ended by another number's removal", async () => {
    await world.put("suppression", PHONE, { expiresAt: null });
    const { hash } = await erase();
    await refuses();
    // As D1 has it from then on.
    await world.put("suppression", `#${hash}`, { expiresAt: null });
    await refuses();
    world.restart();
    await refuses("00919876540001");
    await world.put("suppression", "+919876540002", null);
    await refuses();
    await world.put("suppression", `#${hash}`, null);
    const campaign = await world.campaign({ paused: true });
    expect(await world.pushAll([{ campaign, phone: PHONE }])).toMatchObject([{ ok: true }]);
  });

  it("H40 that an outcome makes after the erasure has the hash alone", async () => {
    const campaign = await world.campaign();
    await world.push(campaign, HIS);
    const { hash } = await erase();
    await world.finish(world.last(), "do_not_call", SAID);
    await world.run(MINUTE);
    expect(traces()).toEqual([]);
    expect(world.stored("SELECT phone, source FROM suppressions")).toEqual([
      { phone: `#${hash}`, source: "outcome" },
    ]);
    await refuses();
  });

  it("H40 that an outcome made before it, and D1 has not heard of, has the hash alone", async () => {
    const campaign = await world.campaign();
    await world.push(campaign, HIS);
    world.d1Fault = new Error("D1_ERROR: away");
    await world.finish(world.last(), "do_not_call");
    const { hash } = await erase();
    world.d1Fault = null;
    await world.run(5 * MINUTE);
    expect(traces()).toEqual([]);
    expect(world.stored("SELECT phone FROM suppressions")).toEqual([{ phone: `#${hash}` }]);
    await refuses();
  });
});
