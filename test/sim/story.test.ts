import { expect, test } from "vitest";
import { type Answer, type CallNews, NO_NEWS } from "../../src/carriers/carrier.ts";
import type { CampaignId, TaskId } from "../../src/core/ids.ts";
import { MOVES } from "../../src/core/status.ts";
import { checkWorld, openWorld } from "../support/node/invariants.ts";
import { type Dialled, HOUR, MINUTE, taken, type World } from "../support/node/world.ts";

/*
 * Stories drawn from a seed: people push, import, pause, edit and archive; carriers answer, refuse,
 * lose answers, report late, twice or never; D1 goes away; the object dies. The rows are checked
 * after every step. Then the faults end, and everything must end by itself.
 */

const SEEDS = 25;
const STEPS = 120;
const OUTCOMES = ["connected", "no_answer", "busy", "voicemail", "failed", "busy_callback"];

class Story {
  readonly world: World = openWorld();
  readonly campaigns: CampaignId[] = [];
  readonly tasks: TaskId[] = [];
  readonly open: Dialled[] = [];
  /** Reports that were sent once and may be sent again. */
  readonly told: { dial: Dialled; news: Partial<CallNews> }[] = [];
  #seed: number;
  calm = false;

  constructor(seed: number) {
    this.#seed = seed * 7919 + 1;
    this.world.answer = (dial) => this.#answer(dial);
    this.world.lookup = (call) => {
      const dial = this.open.find((one) => one.call === call);
      if (dial === undefined) return { kind: "unknown" };
      return { kind: "alive", carrierCallId: `c-${call}`, news: NO_NEWS };
    };
  }

  draw(): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0;
    return this.#seed / 2 ** 32;
  }

  chance(share: number): boolean {
    return this.draw() < share;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.draw() * list.length)];
  }

  #answer(dial: Dialled): Answer {
    const luck = this.calm ? 1 : this.draw();
    if (luck < 0.04) return { kind: "refused", reason: "capacity", word: "429" };
    if (luck < 0.06) return { kind: "refused", reason: "unreachable", word: "521" };
    if (luck < 0.08) return { kind: "refused", reason: "rejected", word: "400" };
    if (luck < 0.1) return { kind: "refused", reason: "permanent", word: "404" };
    this.open.push(dial);
    if (luck < 0.14) return { kind: "unknown", word: "lost" };
    return { kind: "accepted", carrierCallId: `c-${dial.call}` };
  }

  async setUp(): Promise<void> {
    await this.world.setUp({
      workspace: { slots: 1 + Math.floor(this.draw() * 6) },
      agent: { usesCallback: true, outcomes: [{ name: "interested", suppress: false }] },
      connection: { lengthMaxMs: 5 * MINUTE },
    });
    for (let n = 0; n < 3; n++) {
      const type =
        n === 0 ? "realtime" : n === 1 ? "batch" : this.chance(0.5) ? "batch" : "realtime";
      const id = await this.world.campaign({
        type,
        priority: this.pick(["high", "normal", "low"]),
        retries: Math.floor(this.draw() * 3),
        intervals: 1_000 * Math.ceil(this.draw() * 300),
        retryOutcomes: ["voicemail"],
        ...(this.chance(0.3) ? { start: 800, end: 1_800 } : {}),
        ...(this.chance(0.2) ? { slots: 1 } : {}),
      });
      this.campaigns.push(id);
    }
  }

  async step(): Promise<void> {
    const { world } = this;
    const luck = this.draw();
    if (luck < 0.2) return this.push();
    if (luck < 0.25) return this.import();
    if (luck < 0.55) return this.finish();
    if (luck < 0.6) return this.repeat();
    if (luck < 0.66) return this.moveTask();
    if (luck < 0.7) return this.moveCampaign();
    if (luck < 0.74) return this.edit();
    if (luck < 0.78) world.restart();
    else if (luck < 0.82) world.d1Fault = this.chance(0.5) ? new Error("D1_ERROR: away") : null;
    else if (luck < 0.85) await world.dialer.tick();
    else await world.run(Math.floor(this.draw() ** 4 * 2 * HOUR));
    await world.idle();
  }

  async push(): Promise<void> {
    const campaign = this.pick(this.campaigns);
    const body = {
      campaign,
      phone: this.world.phone(),
      ...(this.chance(0.2) ? { endAfter: this.world.now + HOUR } : {}),
      ...(this.chance(0.2) ? { startAfter: this.world.now + 10 * MINUTE } : {}),
      ...(this.chance(0.2) ? { externalId: `e${Math.floor(this.draw() * 5)}` } : {}),
    };
    for (const answer of await this.world.pushAll([body])) {
      if (answer.ok && "task" in answer) this.tasks.push(answer.task.id);
    }
  }

  async import(): Promise<void> {
    const id = this.pick(this.campaigns);
    if (id === undefined) return;
    const { settings, status } = await this.world.read(id);
    if (settings.type !== "batch" || status === "archived") return;
    const phones = Array.from({ length: 1 + Math.floor(this.draw() * 8) }, () =>
      this.world.phone(),
    );
    await this.world.import(id, phones);
  }

  /** Something is heard of a call, or it is over. */
  async finish(): Promise<void> {
    const dial = this.pick(this.open);
    if (dial === undefined) return;
    if (!this.calm && this.chance(0.2)) {
      return this.tell(dial, { answeredAt: this.world.now });
    }
    this.open.splice(this.open.indexOf(dial), 1);
    if (!this.calm && this.chance(0.1)) return; // never reported
    const outcome = this.pick(OUTCOMES) ?? "connected";
    const concluding = outcome !== "connected" || this.chance(0.5);
    await this.tell(dial, {
      ended: true,
      concluding,
      outcome,
      endedAt: this.world.now,
      callbackAt: outcome === "busy_callback" ? this.world.now + 5 * MINUTE : null,
      talkMs: 1_000,
      ...(outcome === "connected" ? { answeredAt: this.world.now } : {}),
    });
  }

  async tell(dial: Dialled, news: Partial<CallNews>): Promise<void> {
    this.told.push({ dial, news });
    await this.world.report(dial, news);
  }

  async repeat(): Promise<void> {
    const again = this.pick(this.told);
    if (again !== undefined) await this.world.report(again.dial, again.news);
  }

  async moveTask(): Promise<void> {
    const task = this.pick(this.tasks);
    const move = this.pick(MOVES);
    if (task === undefined || move === undefined) return;
    await this.world.dialer.moveTask(task, move);
    await this.world.idle();
  }

  async moveCampaign(): Promise<void> {
    const id = this.pick(this.campaigns);
    const move = this.chance(0.1) ? "archive" : this.chance(0.5) ? "pause" : "resume";
    if (id === undefined) return;
    const reply = this.world.dialer.moveCampaign(id, move);
    await this.world.run(2_000);
    await reply;
  }

  async edit(): Promise<void> {
    const id = this.pick(this.campaigns);
    if (id === undefined) return;
    const reply = this.world.dialer.editCampaign(id, {
      priority: this.pick(["high", "normal", "low"]),
      retries: Math.floor(this.draw() * 3),
    });
    await this.world.run(2_000);
    await reply;
  }

  /** Faults off: whatever is paused is resumed, every call ends, time goes by. */
  async settle(): Promise<void> {
    const { world } = this;
    this.calm = true;
    world.d1Fault = null;
    for (const id of this.campaigns) {
      if ((await world.read(id)).status === "paused") await world.move(id, "resume");
    }
    for (const task of this.tasks) await world.dialer.moveTask(task, "resume");
    for (let round = 0; round < 400; round++) {
      await world.run(10 * MINUTE);
      while (this.open.length > 0) await this.finish();
      const { waiting, slotsInUse } = taken(await world.dialer.readWorkspace());
      if (waiting === 0 && slotsInUse === 0) break;
    }
    await world.run(10 * MINUTE);
  }
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "H35 H36 everything ends, and nothing is lost or dialled twice: seed %i",
  async (seed) => {
    const story = new Story(seed);
    await story.setUp();
    for (let step = 0; step < STEPS; step++) await story.step();
    await story.settle();
    await checkWorld(story.world);
    for (const id of story.campaigns) {
      const { counters } = await story.world.read(id);
      expect([counters.queued, counters.running, counters.paused]).toEqual([0, 0, 0]);
    }
    const left = story.world.stored(
      "SELECT id, status FROM task_view WHERE status NOT IN ('completed', 'archived')",
    );
    expect(left).toEqual([]);
    for (const id of story.tasks) {
      const [row] = story.world.stored(
        "SELECT 1 FROM tasks WHERE id = ?",
        Number.parseInt(id.split("_")[2] ?? "", 36),
      );
      expect(row, id).toBeDefined();
    }
  },
);
