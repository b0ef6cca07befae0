import { ApiError, Client } from "../../scripts/client.ts";
import { EVENT_TYPES } from "../../src/core/webhook.ts";
import { csvLine, digits } from "./file.ts";
import type { CampaignNote, FileNote, Notes, PushNote, ShutNote } from "./notes.ts";
import type { CampaignPlan, FilePlan, MovePlan, Plan, PushPlan, TaskPlan } from "./plan.ts";
import { ACCOUNT, sleep, type World } from "./world.ts";

const FROM = "+918047112233";
/** Longest that a request may take to be acknowledged, ms: the longest outage and a start. */
const INSIST_MS = 180_000;
const ALL_HOURS = { start: 0, end: 2400 };

type Given = { id: string };
type Answer<T> = {
  value: T;
  /** When it was first sent, and when the acknowledgement was there. */
  sentAt: number;
  ackAt: number;
};
type Live = { plan: CampaignPlan; note: CampaignNote };

/** One round's client: does what the plan says, insists until it is acknowledged, and takes notes. */
export class RoundClient {
  readonly notes: Notes;
  /** Replies that no outage explains. */
  readonly odd: string[] = [];
  readonly #plan: Plan;
  readonly #api: Client;
  #begin = 0;
  /** To be archived once every row of theirs has come. */
  #late: Live[] = [];

  private constructor(plan: Plan, api: Client, notes: Notes) {
    this.#plan = plan;
    this.#api = api;
    this.notes = notes;
  }

  /** Makes a workspace of its own; nothing is killed meanwhile. */
  static async open(plan: Plan, world: World): Promise<{ client: RoundClient; agent: string }> {
    const { round, seed, slots } = plan;
    type Made = { id: string; apiKey: string };
    const body = { name: `Round ${round}`, slots };
    const made = await world.admin.post<Made>("/v1/workspaces", body);
    const api = new Client(world.url, made.apiKey);
    const connection = await api.post<Given>("/v1/connections", {
      name: "Simulator",
      carrier: "simulator",
      settings: { baseUrl: world.carrierUrl, ...ACCOUNT },
      lengthMaxMs: 60_000,
      ...plan.connection,
    });
    const agent = await api.post<Given>("/v1/agents", {
      name: "Asha",
      connection: connection.id,
      carrierAgentId: "a",
      ...plan.agent,
    });
    await api.post("/v1/numbers", { phone: FROM, connection: connection.id });
    const path = `/${made.id}`;
    const events = EVENT_TYPES;
    const url = world.receiver.base + path;
    await api.post("/v1/webhooks", { name: "All", url, events });
    // At first it is busy, and refuses now and then.
    await world.receiver.set(path, { status: round % 2 === 0 ? 503 : 500, times: 5 });
    const notes: Notes = {
      ...{ round, seed, workspace: made.id, campaigns: [], pushes: [], files: [], tasks: [] },
      slots: Math.min(slots, plan.connection.callsMax ?? slots),
    };
    return { client: new RoundClient(plan, api, notes), agent: agent.id };
  }

  /** Everything that the plan wants; then what keeps tasks from ending is taken away. */
  async act(agent: string, begin: number): Promise<void> {
    this.#begin = begin;
    await Promise.all(this.#plan.campaigns.map((plan) => this.#live(plan, agent)));
  }

  /** Tasks that have not ended, as the API counts them; null while it does not say. */
  async left(): Promise<number | null> {
    type Counters = { queued: number; running: number; paused: number };
    type Page<T> = { items: T[] };
    let left = 0;
    try {
      for (const { id } of this.notes.campaigns) {
        const { counters } = await this.#api.get<{ counters: Counters }>(`/v1/campaigns/${id}`);
        left += counters.queued + counters.running + counters.paused;
      }
      const { eventsWaiting } = await this.#api.get<{ eventsWaiting: number }>("/v1/workspace");
      type Hook = { waiting: number | null };
      const hooks = await this.#api.get<Page<Hook>>("/v1/webhooks");
      left += eventsWaiting + hooks.items.filter(({ waiting }) => waiting !== null).length;
      for (const { campaign } of this.notes.files) {
        const path = `/v1/campaigns/${campaign}/imports`;
        const { items } = await this.#api.get<Page<{ status: string }>>(path);
        const running = items.filter(({ status }) => status === "running").length;
        left += running;
        const late = this.#late.find(({ note }) => note.id === campaign);
        if (late === undefined || running > 0) continue;
        this.#late = this.#late.filter((one) => one !== late);
        await this.#moveCampaign(late, "archive");
      }
      return left;
    } catch (error) {
      if (isFault(error)) return null;
      throw error;
    }
  }

  async #live(plan: CampaignPlan, agent: string): Promise<void> {
    const { type, startMs, endMs } = plan;
    const startsAt = startMs === null ? null : this.#begin + startMs;
    const endsAt = endMs === null ? null : this.#begin + endMs;
    const body = {
      ...{ name: plan.name, type, agent, from: FROM, ...plan.body },
      ...(startsAt === null ? {} : { startAfter: startsAt }),
      ...(endsAt === null ? {} : { endAfter: endsAt }),
      ...(plan.shut ? hoursAway() : {}),
    };
    const key = { "idempotency-key": `make-${plan.name}` };
    const made = await this.#insist(
      `make ${plan.name}`,
      () => this.#api.post<Given>("/v1/campaigns", body, key),
      endsAt === null ? [] : [422],
    );
    // Its end had passed before anybody took it.
    if (made.value === null) return;
    const shut: ShutNote[] = [];
    if (startsAt !== null) shut.push({ from: 0, until: startsAt, why: "before its start" });
    if (endsAt !== null) shut.push({ from: endsAt, until: null, why: "after its end" });
    if (plan.shut) shut.push({ from: made.ackAt, until: null, why: "outside its hours" });
    if (plan.body.paused === true) shut.push({ from: made.ackAt, until: null, why: "paused" });
    const slots = typeof plan.body.slots === "number" ? plan.body.slots : null;
    const note: CampaignNote = {
      ...{ id: made.value.id, name: plan.name, type, shut, over: endMs !== null },
      attemptsMax: Number(plan.body.retries ?? 0) + 1,
      limits: [{ slots, from: made.sentAt, until: null }],
    };
    this.notes.campaigns.push(note);
    const live = { plan, note };
    await Promise.all([
      ...plan.pushes.map((push) => this.#push(live, push)),
      ...plan.files.map((file) => this.#upload(live, file)),
      this.#moveAll(live),
    ]);
    if (plan.archived === "at once") await this.#archive(live);
    else if (plan.archived === "never") await this.#letGo(live);
    else this.#late.push(live);
  }

  async #moveAll(live: Live): Promise<void> {
    for (const move of live.plan.moves) {
      await this.#until(move.at);
      await this.#move(live, move);
    }
  }

  async #push({ note }: Live, push: PushPlan): Promise<void> {
    await this.#until(push.at);
    const bodies = push.tasks.map((task) => this.#bodyOf(note, task, push.how));
    const notes = push.tasks.map((task, n): PushNote => {
      const own = task.body.retries;
      return {
        ...{ tag: task.tag, phone: task.phone, campaign: note.id, how: push.how, ids: [] },
        startsAt: bodies[n]?.startAfter ?? null,
        endsAt: bodies[n]?.endAfter ?? null,
        attemptsMax: typeof own === "number" ? Math.max(own, 1) : note.attemptsMax,
      };
    });
    this.notes.pushes.push(...notes);
    const [first, ...others] = bodies;
    // What has an end may come too late.
    const refusable = notes.length === 1 && notes[0]?.endsAt !== null ? [422] : [];
    const key = push.how === "keyed" ? { "idempotency-key": `push-${notes[0]?.tag}` } : {};
    const send = async (): Promise<Given[]> => {
      if (others.length === 0) return [await this.#api.post<Given>("/v1/tasks", first, key)];
      const reply = await this.#api.post<{ items: Given[] }>(
        "/v1/tasks/bulk",
        { tasks: bodies },
        key,
      );
      return reply.items;
    };
    const take = (given: Given[] | null): void => {
      notes.forEach((one, n) => {
        const id = given?.[n]?.id;
        if (id !== undefined) one.ids.push(id);
        else if (one.endsAt === null) this.odd.push(`push ${one.tag}: refused`);
      });
    };
    const what = `push ${notes[0]?.tag}`;
    if (push.how === "bare") {
      await send().then(take, (error: unknown) => {
        if (!isFault(error) && !isRefused(error, refusable)) throw error;
      });
      return;
    }
    take((await this.#insist(what, send, refusable)).value);
    // The same once more changes nothing, before a kill or after one (H9).
    if (notes.length % 2 === 1) take((await this.#insist(what, send, refusable)).value);
  }

  #bodyOf(note: CampaignNote, task: TaskPlan, how: PushPlan["how"]) {
    const { tag, phone, startMs, endMs } = task;
    return {
      ...{ campaign: note.id, phone, context: { tag }, ...task.body },
      startAfter: startMs === null ? undefined : this.#begin + startMs,
      endAfter: endMs === null ? undefined : this.#begin + endMs,
      ...(how === "external" ? { externalId: tag } : {}),
    };
  }

  async #upload(live: Live, file: FilePlan): Promise<void> {
    const { note } = live;
    await this.#until(file.at);
    const rows = file.rows.map((row, n) => ({ line: n + 2, ...row }));
    const made: FileNote = { name: file.name, campaign: note.id, import: null, sent: 0, rows };
    this.notes.files.push(made);
    const lines = rows.map(({ cell, line }) => csvLine([cell, `Asha ${line}`, String(line)]));
    const csv = csvLine(["phone", "name", `row_of_${file.name}`]) + lines.join("");
    const answer = await this.#insist(
      `import ${file.name}`,
      () => {
        made.sent += 1;
        return this.#api.postCsv<Given>(`/v1/campaigns/${note.id}/imports`, csv);
      },
      live.note.over ? [409] : [],
    );
    made.import = answer.value?.id ?? null;
  }

  async #move(live: Live, move: MovePlan): Promise<void> {
    switch (move.kind) {
      case "pause":
        return this.#pause(live);
      case "resume":
        return this.#resume(live);
      case "archive":
        return this.#archive(live);
      case "shut":
        return this.#shut(live);
      case "open":
        return this.#open(live);
      case "limit":
        return this.#limit(live, move.slots);
      case "band":
        await this.#edit(live, { priority: move.priority });
        return;
      case "task":
        return this.#moveTask(live, move.move, move.nth);
    }
  }

  async #pause(live: Live): Promise<void> {
    const answer = await this.#moveCampaign(live, "pause");
    if (answer.status !== "paused") return;
    live.note.shut.push({ from: answer.ackAt, until: null, why: "paused" });
  }

  async #resume(live: Live): Promise<void> {
    const sentAt = Date.now();
    end(live.note.shut, "paused", sentAt);
    // Resuming a campaign resumes its tasks (H31).
    for (const task of this.notes.tasks) {
      if (this.#campaignOf(task.id) === live.note.id) end(task.shut, "paused alone", sentAt);
    }
    await this.#moveCampaign(live, "resume");
  }

  async #archive(live: Live): Promise<void> {
    live.note.over = true;
    const answer = await this.#moveCampaign(live, "archive");
    if (answer.status !== "archived") return;
    live.note.shut.push({ from: answer.ackAt, until: null, why: "archived" });
  }

  /** Repeats the move until its effect is seen: a 409 may mean that a lost answer had been a yes. */
  async #moveCampaign(
    { note }: Live,
    move: "pause" | "resume" | "archive",
  ): Promise<{ status: string; ackAt: number }> {
    const { value, ackAt } = await this.#insist(`${move} ${note.name}`, async () => {
      const path = `/v1/campaigns/${note.id}`;
      try {
        return await this.#api.post<{ status: string }>(`${path}/${move}`);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        return this.#api.get<{ status: string }>(path);
      }
    });
    return { status: value.status, ackAt };
  }

  async #shut(live: Live): Promise<void> {
    const answer = await this.#edit(live, hoursAway());
    if (answer === null) return;
    live.note.shut.push({ from: answer.ackAt, until: null, why: "outside its hours" });
  }

  async #open(live: Live): Promise<void> {
    end(live.note.shut, "outside its hours", Date.now());
    await this.#edit(live, ALL_HOURS);
  }

  async #limit(live: Live, slots: number | null): Promise<void> {
    const limits = live.note.limits;
    const last = limits.at(-1);
    const next = { slots, from: Date.now(), until: null };
    limits.push(next);
    const answer = await this.#edit(live, { slots });
    if (answer === null) limits.pop();
    else if (last !== undefined) last.until = answer.ackAt;
  }

  /** Null when the campaign is over. */
  async #edit({ note }: Live, body: Record<string, unknown>): Promise<Answer<unknown> | null> {
    const answer = await this.#insist(`edit ${note.name}`, async () => {
      try {
        return await this.#api.patch(`/v1/campaigns/${note.id}`, body);
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) return null;
        throw error;
      }
    });
    return answer.value === null ? null : answer;
  }

  async #moveTask(
    { note }: Live,
    move: "pause" | "resume" | "archive",
    nth: number,
  ): Promise<void> {
    const known = this.notes.pushes.flatMap((push) =>
      push.campaign === note.id && push.ids[0] !== undefined ? [push.ids[0]] : [],
    );
    const id = known[nth % Math.max(known.length, 1)];
    if (id === undefined) return;
    let task = this.notes.tasks.find((one) => one.id === id);
    if (task === undefined) {
      task = { id, shut: [] };
      this.notes.tasks.push(task);
    }
    if (move === "resume") end(task.shut, "paused alone", Date.now());
    const { value, ackAt } = await this.#insist(`${move} a task`, async () => {
      try {
        return await this.#api.post<{ status: string }>(`/v1/tasks/${id}/${move}`);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        return this.#api.get<{ status: string }>(`/v1/tasks/${id}`);
      }
    });
    if (move === "pause" && value.status === "paused") {
      task.shut.push({ from: ackAt, until: null, why: "paused alone" });
    }
    if (value.status === "archived") task.shut.push({ from: ackAt, until: null, why: "archived" });
  }

  /** What still keeps its tasks from ending is taken away. */
  async #letGo(live: Live): Promise<void> {
    const { note } = live;
    const path = `/v1/campaigns/${note.id}`;
    await this.#open(live);
    const { value } = await this.#insist("read", () => this.#api.get<{ status: string }>(path));
    if (value.status === "paused") await this.#resume(live);
    for (const task of this.notes.tasks) {
      if (this.#campaignOf(task.id) !== note.id) continue;
      end(task.shut, "paused alone", Date.now());
      await this.#insist("resume a task", async () => {
        try {
          await this.#api.post(`/v1/tasks/${task.id}/resume`);
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 409) throw error;
        }
      });
    }
  }

  #campaignOf(task: string): string | null {
    return this.notes.pushes.find((push) => push.ids.includes(task))?.campaign ?? null;
  }

  #until(at: number): Promise<void> {
    return sleep(this.#begin + at - Date.now());
  }

  /** Asks until somebody answers; the value is null for a refusal that may be. */
  async #insist<T>(what: string, ask: () => Promise<T>): Promise<Answer<T>>;
  async #insist<T>(
    what: string,
    ask: () => Promise<T>,
    refusable: readonly number[],
  ): Promise<Answer<T | null>>;
  async #insist<T>(
    what: string,
    ask: () => Promise<T>,
    refusable: readonly number[] = [],
  ): Promise<Answer<T | null>> {
    const sentAt = Date.now();
    for (;;) {
      try {
        return { value: await ask(), sentAt, ackAt: Date.now() };
      } catch (error) {
        if (isRefused(error, refusable)) return { value: null, sentAt, ackAt: Date.now() };
        if (!isFault(error)) {
          throw new Error(`${what}: ${digits(String(error))}`, { cause: error });
        }
        if (error instanceof ApiError && error.status === 500) this.odd.push(`${what}: 500`);
        if (Date.now() - sentAt > INSIST_MS) throw new Error(`${what}: never acknowledged`);
      }
      await sleep(100);
    }
  }
}

function isRefused(error: unknown, statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}

/** Nobody answered, or with a 5xx: nothing is known. */
function isFault(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  return error instanceof TypeError || (error as Error).name === "TimeoutError";
}

function end(shut: ShutNote[], why: string, at: number): void {
  for (const one of shut) if (one.why === why && one.until === null) one.until = at;
}

/** Six hours that open in six hours, in a zone of their own. */
function hoursAway(): Record<string, unknown> {
  const timezone = "UTC";
  const hour = (new Date().getUTCHours() + 6) % 24;
  return { start: hour * 100, end: (hour + 6) * 100, timezone };
}
