import { CsvFile } from "../../src/api/csv-file.ts";
import type { Origin } from "../../src/core/audit.ts";
import { type CampaignId, type ImportId, makeId, type TaskId } from "../../src/core/ids.ts";
import { PartCutter } from "../../src/core/import.ts";
import type { Move } from "../../src/core/status.ts";
import { database } from "../../src/db/database.ts";
import { beginUpload, startImport, storeParts } from "../../src/db/uploads.ts";
import type { WorkspaceDoc } from "../../src/dialer/verbs.ts";
import type { Host } from "./host.ts";
import type { Meanings } from "./observer.ts";
import { hoursOf, type Operation, type WorkspacePlan } from "./plan.ts";
import { Random } from "./random.ts";
import {
  Broken,
  type Call,
  type CampaignWish,
  type Own,
  type TaskWish,
} from "./reference/model.ts";
import type { Workspace, World } from "./world.ts";

/** Who asks: each change has its entry of the audit log. */
const ORIGIN: Origin = { actorKind: "person", actor: "p1", ip: null, requestId: null };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"];

/** A campaign that people know of. */
type Known = { id: CampaignId; type: "batch" | "realtime" };

/** The people of one workspace: they do what the plan says and read what comes of it. */
export class People {
  readonly campaigns: Known[] = [];
  readonly tasks: TaskId[] = [];
  /** Rows of files that were acknowledged, by import: good and bad ones. */
  readonly imports: { id: ImportId; rows: number }[] = [];
  readonly #world: World;
  readonly #mine: Workspace;
  readonly #host: Host;
  readonly #plan: WorkspacePlan;
  readonly #meanings: Meanings;
  #keys = 0;
  #phones = 0;

  constructor(world: World, mine: Workspace, plan: WorkspacePlan, meanings: Meanings) {
    this.#world = world;
    this.#mine = mine;
    this.#host = mine.host;
    this.#plan = plan;
    this.#meanings = meanings;
  }

  async do({ kind, seed }: Operation): Promise<void> {
    const random = new Random(seed, kind);
    switch (kind) {
      case "create a batch":
        return this.#create(random, "batch");
      case "create a realtime campaign":
        return this.#create(random, "realtime");
      case "import":
        return this.#import(random);
      case "push":
        return this.#push(random, 1);
      case "push a burst":
        return this.#push(random, random.skewed(5, Math.max(10, this.#plan.tasks / 3)));
      case "race":
        return this.#race(random);
      case "pause a campaign":
        return this.#moveCampaign(random, "pause");
      case "resume a campaign":
        return this.#moveCampaign(random, "resume");
      case "archive a campaign":
        return this.#moveCampaign(random, "archive");
      case "edit a campaign":
        return this.#edit(random);
      case "pause a task":
        return this.#moveTask(random, "pause");
      case "resume a task":
        return this.#moveTask(random, "resume");
      case "archive a task":
        return this.#moveTask(random, "archive");
      case "read":
        return this.#read(random);
      case "change the slots":
        return this.#changeSlots(random);
      case "forbid a number":
        return this.#forbid(random);
    }
  }

  /** Asks again as a client would: the same request with the same key, until it is answered. */
  async #asking<T>(random: Random, ask: () => Promise<T>): Promise<T | null> {
    for (let tries = 0; tries < 4; tries++) {
      try {
        return await ask();
      } catch {
        await this.#world.loop.sleep(random.skewed(200, 60_000));
      }
    }
    return null;
  }

  #key(): { route: string; key: string; bodyHash: string } {
    this.#keys += 1;
    return { route: "POST /v1/tasks", key: `k${this.#keys}`, bodyHash: "same" };
  }

  #phone(random: Random): string {
    // Some people are called by several campaigns.
    if (this.#phones > 5 && random.chance(0.03)) return phoneOf(random.whole(1, this.#phones));
    this.#phones += 1;
    return phoneOf(this.#phones);
  }

  /** A number that must not be called, or any where there is none. */
  #suppressed(random: Random): string {
    const known = [...this.#mine.observer.model.suppressed];
    return known.length === 0 ? this.#phone(random) : random.pick(known);
  }

  #own(random: Random, share: number): Own {
    const agent = random.chance(share) ? random.pick(this.#plan.agents).id : null;
    const hours = random.chance(share) ? hoursOf(random) : null;
    const days = random.chance(share / 2) ? random.some([0, 1, 2, 3, 4, 5, 6], 0.7) : null;
    const attempts = random.chance(share) ? random.whole(1, 4) : null;
    return {
      agent,
      hours,
      days: days !== null && days.length === 0 ? [1] : days,
      zone: random.chance(share) ? random.pick(ZONES) : null,
      attempts,
      gaps: random.chance(share)
        ? Array.from({ length: Math.max(1, (attempts ?? 4) - 1) }, () => random.skewed(1_000, HOUR))
        : null,
      chosen: random.chance(share) ? random.some(["voicemail", "no_response"], 0.6) : null,
    };
  }

  async #create(random: Random, type: "batch" | "realtime"): Promise<void> {
    const { now } = this.#world.loop;
    const own = this.#own(random, 0.6);
    const wish: CampaignWish = {
      ...own,
      agent: own.agent ?? this.#plan.agents[0]?.id ?? null,
      attempts: own.attempts ?? 1,
      gaps: own.gaps ?? [30 * MINUTE],
      chosen: own.chosen ?? [],
      type,
      band: random.pick(["high", "normal", "normal", "low"]),
      startAfter: random.chance(0.15) ? now + random.skewed(MINUTE, 4 * HOUR) : null,
      endAfter: random.chance(0.25) ? now + random.skewed(2 * HOUR, 30 * HOUR) : null,
      slots: random.chance(0.2) ? random.skewed(1, 10) : null,
      paused: random.chance(0.1),
    };
    if (wish.startAfter !== null) wish.endAfter = null;
    const body = { name: `${type} campaign`, type, ...this.#bodyOf(wish, "additional") };
    this.#meanings.campaigns.set(body, this.#inherited(wish));
    const request = { body, idempotency: { ...this.#key(), route: "POST /v1/campaigns" } };
    const reply = await this.#asking(random, () =>
      this.#host.call("createCampaign", request, ORIGIN),
    );
    if (reply?.ok) this.campaigns.push({ id: reply.value.campaign.id, type });
  }

  /** H33: what a campaign leaves out is the workspace's, as that is now. */
  #inherited(wish: CampaignWish): CampaignWish {
    return {
      ...wish,
      hours: wish.hours ?? this.#plan.hours,
      days: wish.days ?? this.#plan.days,
      zone: wish.zone ?? this.#plan.zone,
    };
  }

  /** The body that says this, in one of its spellings (H15, H16). */
  #bodyOf(wish: Partial<CampaignWish & TaskWish>, counts: "additional" | "total") {
    const body: Record<string, unknown> = {};
    if (wish.agent != null) {
      const agent = this.#plan.agents.find((one) => one.id === wish.agent);
      body.agent = wish.agent;
      body.from = agent?.connection.replace(/^con_/, "num_");
    }
    if (wish.hours != null) {
      body.start = hhmm(wish.hours.opens);
      body.end = hhmm(wish.hours.closes);
    }
    if (wish.days != null) body.days = wish.days.map((day) => DAYS[day]);
    if (wish.zone != null) body.timezone = wish.zone;
    if (wish.attempts != null) {
      body.retries = counts === "total" ? wish.attempts : wish.attempts - 1;
    }
    if (wish.gaps != null) body.intervals = wish.gaps;
    if (wish.chosen != null) body.retryOutcomes = wish.chosen;
    if (wish.band !== undefined) body.priority = wish.band;
    if (wish.startAfter != null) body.startAfter = wish.startAfter;
    if (wish.endAfter != null) body.endAfter = wish.endAfter;
    if (wish.slots != null) body.slots = wish.slots;
    if (wish.paused === true) body.paused = true;
    if (wish.priorities != null) body.priorities = wish.priorities;
    if (wish.externalId != null) body.externalId = wish.externalId;
    return body;
  }

  #task(random: Random, campaign: Known) {
    const { now } = this.#world.loop;
    const own = this.#own(random, 0.12);
    const attempts = own.gaps === null ? own.attempts : (own.attempts ?? own.gaps.length + 1);
    const priorities = attempts !== null && random.chance(0.5);
    const wish: TaskWish = {
      ...own,
      attempts,
      gaps: attempts === 1 ? null : (own.gaps?.slice(0, (attempts ?? 1) - 1) ?? null),
      startAfter: random.chance(0.1) ? now + random.whole(-HOUR, 3 * HOUR) : null,
      endAfter: random.chance(0.08) ? now + random.skewed(20_000, 20 * HOUR) : null,
      priorities: priorities
        ? Array.from({ length: attempts ?? 1 }, () => random.whole(0, 300))
        : null,
      externalId: random.chance(0.1) ? `e${random.whole(1, 30)}` : null,
    };
    if (wish.startAfter !== null && wish.endAfter !== null) wish.startAfter = null;
    const phone = random.chance(0.02) ? this.#suppressed(random) : this.#phone(random);
    const body = { campaign: campaign.id, phone, ...this.#bodyOf(wish, "total") } as Record<
      string,
      unknown
    >;
    // Drawn apart: what is told of it changes nothing of what becomes of it.
    const hook = new Random(Number(phone.slice(-8)), "own address");
    if (hook.chance(this.#plan.callbacks ? 0.1 : 0))
      body.statusCallbackUrl = `https://lead.sim.test/${hook.whole(1, 1e9)}`;
    this.#meanings.tasks.set(body, { ...wish, phone });
    return body;
  }

  async #push(random: Random, count: number): Promise<void> {
    const realtime = this.campaigns.filter((one) => one.type === "realtime");
    if (realtime.length === 0) return;
    const tasks = Array.from({ length: count }, (_, index) => {
      const body = this.#task(random, random.pick(realtime));
      return { body, path: `tasks.${index}.` };
    });
    const request = { access: null, tasks, idempotency: random.chance(0.7) ? this.#key() : null };
    const reply = await this.#asking(random, () => this.#host.call("push", request));
    this.#note(reply);
    await this.#meddle(random, count > 1 ? 6 : Number(random.chance(0.3)));
  }

  /** While the phones ring: somebody changes his mind about what he has just asked for. */
  async #meddle(random: Random, times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await this.#world.loop.sleep(random.skewed(50, 30_000));
      const luck = random.next();
      if (luck < 0.45) await this.#moveTask(random, random.pick(["pause", "archive"]));
      else if (luck < 0.55) {
        await this.#moveCampaign(random, "pause");
        await this.#world.loop.sleep(random.skewed(1_000, 10 * MINUTE));
        await this.#moveCampaign(random, "resume");
      } else if (luck < 0.57) await this.#moveCampaign(random, "archive");
      else if (luck < 0.7) await this.#edit(random);
    }
  }

  #note(reply: Awaited<ReturnType<Host["call"]>> | null): void {
    if (reply === null || !("ok" in reply) || !reply.ok || !Array.isArray(reply.value)) return;
    for (const answer of reply.value) {
      if (answer === null || !("ok" in answer) || !answer.ok) continue;
      this.tasks.push("left" in answer ? answer.left : answer.task.id);
    }
  }

  /** Two requests with one key at the same time; sometimes they are not the same. */
  async #race(random: Random): Promise<void> {
    const realtime = this.campaigns.filter((one) => one.type === "realtime");
    if (realtime.length === 0) return;
    const body = this.#task(random, random.pick(realtime));
    const key = this.#key();
    const request = { access: null, tasks: [{ body, path: "" }], idempotency: key };
    const other = random.chance(0.3)
      ? { ...request, idempotency: { ...key, bodyHash: "other" } }
      : request;
    const [one, two] = await Promise.all([
      this.#asking(random, () => this.#host.call("push", request)),
      this.#asking(random, () => this.#host.call("push", other)),
    ]);
    this.#note(one);
    this.#note(two);
  }

  async #import(random: Random): Promise<void> {
    const batches = this.campaigns.filter((one) => one.type === "batch");
    if (batches.length === 0) return;
    const campaign = random.pick(batches);
    const good = random.skewed(5, Math.max(10, this.#plan.tasks / 2));
    const lines: string[] = [];
    for (let n = 0; n < good; n++) {
      if (random.chance(0.05))
        lines.push(random.pick(["12345,Nobody", "+9198x65,Bad", ",Empty", "9.19877E+11,Lost"]));
      if (random.chance(0.05) && lines.length > 0) lines.push(random.pick(lines));
      if (random.chance(0.01)) lines.push(`${this.#suppressed(random)},Forbidden`);
      lines.push(`${this.#phone(random)},Name ${n}`);
    }
    const text = `phone,name\n${lines.join("\n")}\n`;
    const allowDuplicates = random.chance(0.1);
    const rowsPerPart = Math.ceil(lines.length / random.whole(1, 4));
    const id = await this.#upload(campaign.id, text, allowDuplicates, rowsPerPart);
    if (id === null) return;
    this.imports.push({ id, rows: lines.length });
    if (random.chance(0.06)) {
      await this.#asking(random, () =>
        this.#host.call("moveCampaign", campaign.id, "archive", ORIGIN),
      );
    }
    await this.#meddle(random, 6);
  }

  /** What the API does with an upload: its parts to D1, the Dialer told, then the first message. */
  async #upload(campaign: CampaignId, text: string, allowDuplicates: boolean, rowsPerPart: number) {
    const { env, loop } = this.#world;
    const { workspace } = this.#host;
    const db = database(env);
    const id = makeId("imp", workspace, `i${loop.now.toString(36)}`);
    const bytes = (async function* () {
      yield new TextEncoder().encode(text);
    })();
    const csv = await CsvFile.open(bytes);
    const parts: { rows: number; body: string }[] = [];
    let rows = 0;
    for await (const some of csv.rows(100_000)) {
      for (let at = 0; at < some.length; at += rowsPerPart) {
        const cutter = new PartCutter(csv.header.keys);
        for (const row of some.slice(at, at + rowsPerPart)) cutter.add(row);
        const part = cutter.end();
        if (part !== null) parts.push(part);
        rows += part?.rows ?? 0;
      }
    }
    const upload = {
      id,
      campaign: Number.parseInt(campaign.split("_")[2] ?? "", 36),
      fileName: "people.csv",
      options: { allowDuplicates },
      header: csv.headerCells,
      missingPlaceholders: [],
      createdAt: loop.now,
    };
    try {
      await beginUpload(db, workspace, upload);
      await storeParts(db, workspace, id, 0, parts, loop.now);
      const opened = await this.#host.call("openImport", id, campaign);
      if (!opened.ok) return null;
      const started = await startImport(
        db,
        workspace,
        id,
        { rows, parts: parts.length, warnings: [] },
        { ...ORIGIN, action: "import.start", targetKind: "import", target: id, at: loop.now },
      );
      if (started === null) return null;
    } catch {
      return null;
    }
    await this.#world.ingest.send({ workspace, import: id, part: 0 });
    return id;
  }

  async #moveCampaign(random: Random, move: Move): Promise<void> {
    if (this.campaigns.length === 0) return;
    const { id } = this.#campaign(random);
    await this.#asking(random, () => this.#host.call("moveCampaign", id, move, ORIGIN));
  }

  /** Mostly one that is on the phone. */
  #campaign(random: Random): Known {
    const busy = [...this.#mine.observer.model.open].map((call) => call.task.campaign.id);
    const ids = new Set(busy.map((id) => makeId("cmp", this.#host.workspace, id) as string));
    const calling = this.campaigns.filter((one) => ids.has(one.id));
    return random.pick(calling.length > 0 && random.chance(0.6) ? calling : this.campaigns);
  }

  async #moveTask(random: Random, move: Move): Promise<void> {
    if (this.tasks.length === 0) return;
    const task = await this.#taskOfInterest(random);
    await this.#asking(random, () => this.#host.call("moveTask", task, move, ORIGIN));
    // Some change their mind at once.
    if (move !== "pause" || !random.chance(0.3)) return;
    await this.#world.loop.sleep(random.skewed(500, 10_000));
    await this.#asking(random, () => this.#host.call("moveTask", task, "resume", ORIGIN));
  }

  /** One that waits for its carrier's answer, one with a call, one that was pushed lately, or any. */
  async #taskOfInterest(random: Random): Promise<TaskId> {
    const { model } = this.#mine.observer;
    const ids = (calls: Iterable<Call>) =>
      [...calls].map((call) => makeId("tsk", this.#host.workspace, call.task.id));
    if (random.chance(0.6)) {
      for (let look = 0; look < 40 && model.out.size === 0; look++) {
        await this.#world.loop.sleep(500);
      }
      if (model.out.size > 0) return random.pick(ids(model.out));
    }
    const called = ids(model.open);
    if (called.length > 0 && random.chance(0.5)) return random.pick(called);
    if (random.chance(0.7)) return random.pick(this.tasks.slice(-30));
    const all = [...model.tasks.values()].map((task) =>
      makeId("tsk", this.#host.workspace, task.id),
    );
    return random.pick(all);
  }

  async #edit(random: Random): Promise<void> {
    if (this.campaigns.length === 0) return;
    const { id } = this.#campaign(random);
    const own = this.#own(random, 0.3);
    const change: Partial<CampaignWish> = {};
    for (const [name, value] of Object.entries(own)) {
      if (value !== null) Object.assign(change, { [name]: value });
    }
    if (random.chance(0.3)) change.band = random.pick(["high", "normal", "low"]);
    if (random.chance(0.2)) change.slots = random.skewed(1, 20);
    if (random.chance(0.1))
      change.endAfter = this.#world.loop.now + random.skewed(MINUTE, 30 * HOUR);
    const body = this.#bodyOf(change, "additional");
    this.#meanings.edits.set(body, change);
    await this.#asking(random, () => this.#host.call("editCampaign", id, body, ORIGIN));
  }

  /** What people see is what the model has. */
  async #read(random: Random): Promise<void> {
    const { model } = this.#mine.observer;
    const task = this.tasks.length === 0 ? null : random.pick(this.tasks);
    if (task === null) return;
    const reply = await this.#host.run("readTask", task).catch(() => null);
    if (reply === null || !reply.ok) return;
    const known = model.tasks.get(Number.parseInt(task.split("_")[2] ?? "", 36));
    if (known === undefined) throw new Broken("what was acknowledged is there", task);
    const status = model.statusOf(known);
    if (reply.value.status !== status || reply.value.attempts !== known.used) {
      const text = `${task}: ${reply.value.status}, ${reply.value.attempts} attempts, not ${status}, ${known.used}`;
      this.#mine.observer.fail(new Broken("people see a task as it is", text));
    }
    if (status === "queued" && reply.value.waiting === null) {
      this.#mine.observer.fail(new Broken("nothing waits without a word", task));
    }
    const campaign = random.pick(this.campaigns);
    const shown = await this.#host.run("readCampaign", campaign.id).catch(() => null);
    if (shown === null || !shown.ok) return;
    const mine = model.campaigns.get(Number.parseInt(campaign.id.split("_")[2] ?? "", 36));
    if (mine !== undefined && shown.value.status !== model.statusOfCampaign(mine)) {
      const text = `${campaign.id}: ${shown.value.status}, not ${model.statusOfCampaign(mine)}`;
      this.#mine.observer.fail(new Broken("people see a campaign as it is", text));
    }
  }

  async #changeSlots(random: Random): Promise<void> {
    const slots = random.skewed(1, 200);
    const { workspace } = this.#host;
    try {
      const [rows] = await this.#world.d1.batch([
        {
          query: `UPDATE workspaces SET slots = ?, config_version = config_version + 1,
            version = config_version + 1 WHERE id = ? RETURNING version`,
          bind: [slots, workspace],
        },
      ]);
      const version = Number(rows?.[0]?.version);
      const doc: WorkspaceDoc = { ...this.#mine.doc, slots };
      this.#mine.doc = doc;
      if (this.#world.faults.hits("hand-over of a copy is lost")) return;
      await this.#host.call("putCopies", [{ kind: "workspace", id: workspace, version, doc }]);
    } catch {
      // Whoever changed it is told that it failed; D1 may have it all the same.
    }
  }

  async #forbid(random: Random): Promise<void> {
    if (this.#phones === 0) return;
    const phone = phoneOf(random.whole(1, this.#phones));
    const { workspace } = this.#host;
    const { now } = this.#world.loop;
    try {
      const rows = await this.#world.d1.batch([
        {
          query: "UPDATE workspaces SET config_version = config_version + 1 WHERE id = ?",
          bind: [workspace],
        },
        {
          query: `INSERT INTO suppressions (workspace, phone, version, created_at, source)
            SELECT ?1, ?2, config_version, ?3, 'person' FROM workspaces WHERE id = ?1
            ON CONFLICT (workspace, phone) DO UPDATE SET version = excluded.version, deleted_at = NULL
            RETURNING version`,
          bind: [workspace, phone, now],
        },
      ]);
      const version = Number(rows[1]?.[0]?.version);
      if (this.#world.faults.hits("hand-over of a copy is lost")) return;
      const doc = { expiresAt: null };
      await this.#host.call("putCopies", [{ kind: "suppression", id: phone, version, doc }]);
    } catch {
      // As above.
    }
  }

  /** The day is over: whatever is paused is resumed, so that everything can end. */
  async resumeAll(): Promise<void> {
    const { model } = this.#mine.observer;
    for (const campaign of model.campaigns.values()) {
      const id = makeId("cmp", this.#host.workspace, campaign.id);
      if (campaign.over !== null) continue;
      if (campaign.paused) await this.#host.run("moveCampaign", id, "resume", ORIGIN);
      for (const task of campaign.tasks) {
        if (task.state !== "waiting" || !model.isHeld(task)) continue;
        await this.#host.run(
          "moveTask",
          makeId("tsk", this.#host.workspace, task.id),
          "resume",
          ORIGIN,
        );
      }
    }
  }
}

function hhmm(minutes: number): number {
  return Math.floor(minutes / 60) * 100 + (minutes % 60);
}

function phoneOf(n: number): string {
  return `+9198765${String(n).padStart(5, "0")}`;
}
