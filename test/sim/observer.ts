import type { CallNews } from "../../src/carriers/carrier.ts";
import { localKey, type WorkspaceId } from "../../src/core/ids.ts";
import type {
  Doc,
  IngestRequest,
  IngestResult,
  PushedTask,
  PushRequest,
  ReportItem,
} from "../../src/dialer/verbs.ts";
import { NEVER } from "../support/node/never.ts";
import type { VirtualD1 } from "./d1.ts";
import type { Cause, Host, Touched, Watcher } from "./host.ts";
import {
  Broken,
  type Call,
  type Campaign,
  type CampaignWish,
  type Model,
  type Task,
  type TaskWish,
} from "./reference/model.ts";
import { priorityOf } from "./reference/rules.ts";

/** What bodies mean, as the people who wrote them have it: the model never reads a body. */
export type Meanings = {
  campaigns: WeakMap<object, CampaignWish>;
  edits: WeakMap<object, Partial<CampaignWish>>;
  tasks: WeakMap<object, TaskWish & { phone: string }>;
};

type CallRow = {
  id: number;
  task: number;
  attempt: number;
  state: string;
  agent: string;
  connection: string;
  outcome: string | null;
  verdict: string | null;
  ended_at: number | null;
  assumed: number;
  reported: string | null;
};
type TaskRow = {
  id: number;
  campaign: number;
  import: string | null;
  phone: string;
  attempts: number;
  lane: number;
  at: number;
  tiebreak: number;
  ended: string | null;
  archiving: number;
};
type LaneRow = { callback: number; priority: number; pause: number | null };

/**
 * Watches one workspace's object: every transaction is told to the model by what it came from, and
 * every row that it touched must then be as the model has it.
 */
export class Observer implements Watcher {
  readonly model: Model;
  readonly workspace: WorkspaceId;
  /** The first promise that was broken. */
  broken: Broken | null = null;
  say: (text: string) => void = () => undefined;
  readonly #host: Host;
  readonly #d1: VirtualD1;
  readonly #meanings: Meanings;
  readonly #versions = new Map<string, number>();
  /** Answers that are kept under a key (H9). */
  readonly #kept = new Map<string, { hash: string; ids: (number | null)[] }>();
  readonly #parts = new Map<string, string>();
  readonly #lanes = new Map<number, LaneRow>();
  /** Since when a task can be dialled and nothing has come to do it. */
  #idleSince: number | null = null;
  #lookedAt = 0;
  #waitedAt = 0;

  constructor(host: Host, d1: VirtualD1, model: Model, meanings: Meanings) {
    this.#host = host;
    this.#d1 = d1;
    this.model = model;
    this.workspace = host.workspace;
    this.#meanings = meanings;
    host.watcher = this;
  }

  fail(error: unknown): void {
    if (this.broken !== null) return;
    this.broken =
      error instanceof Broken ? error : new Broken("the code does not throw", textOf(error));
  }

  started(now: number): void {
    this.model.restarted(now);
    this.say("the object starts");
  }

  forgot(cause: Cause | null): void {
    const call = cause?.kind === "answer" ? this.#callOf(cause.call) : undefined;
    if (call !== undefined) {
      call.unheard = true;
      this.model.out.delete(call);
    }
    this.model.forgot();
    this.say("storage fails");
  }

  threw(error: unknown): void {
    this.fail(error);
  }

  logged(event: string, fields: Record<string, unknown>): void {
    if (event !== "dispatch") this.say(`${event}: ${JSON.stringify(fields)}`);
    if (event === "set aside" || event === "bug") {
      this.fail(new Broken("D1 refuses no row", JSON.stringify(fields)));
    }
  }

  committed(cause: Cause, reply: unknown, touched: Touched[], now: number): void {
    if (this.broken !== null) return;
    try {
      this.#committed(cause, reply, touched, now);
    } catch (error) {
      this.fail(error);
    }
  }

  #committed(cause: Cause, reply: unknown, touched: Touched[], now: number): void {
    const { model } = this;
    const ids = (table: string) =>
      touched.filter((one) => one.table === table).map((one) => Number(one.id));
    const callRows = this.#rows<CallRow>("call", ids("call"));
    const taskRows = this.#rows<TaskRow>("task", ids("task"));
    const late = new Set(ids("late"));
    for (const set of Object.values(model.touched)) set.clear();
    this.#excuse(now);

    if (cause.kind !== "start") model.timePassed(now);
    for (const [id, row] of callRows) this.#timeFirst(id, row, cause, now);
    this.#apply(cause, reply, { taskRows, late }, now);
    for (const [id, row] of callRows) this.#timeAfter(id, row, now);
    this.#lateLeft(late, now);
    for (const [id, row] of taskRows) {
      const task = model.tasks.get(id);
      if (task === undefined) throw new Broken("no task comes from nowhere", `task ${id}`);
      if (row !== null && row.ended !== null && task.state === "waiting") {
        model.endedWaiting(task, row.ended, now);
      }
    }
    const claims = [...callRows.values()].filter((row) => row !== null && !model.calls.has(row.id));
    for (const row of claims as CallRow[]) {
      model.claimed(row, now);
      this.say(
        `claims call ${row.id}: task ${row.task}, attempt ${row.attempt}, ${row.connection}`,
      );
    }
    for (const [id, row] of callRows) if (row === null) this.#callLeft(id);
    for (const [id, row] of taskRows) if (row === null) this.#taskLeft(id);
    this.#compare(callRows, taskRows, ids("campaign"));
    if (cause.kind !== "start") this.#nobodyIdle(now);
  }

  /** How long a back-off lasts is the object's to say: the model knows the least of it (H21). */
  #excuse(now: number): void {
    const rows = this.#host.rows<{ id: string }>(
      "SELECT id FROM connection WHERE probe_at IS NOT NULL OR backoff_until > ?",
      now,
    );
    this.model.excused = new Set(rows.map((row) => row.id));
  }

  #rows<Row extends { id: number }>(table: string, ids: number[]): Map<number, Row | null> {
    const found = new Map<number, Row | null>();
    for (const id of ids.sort((a, b) => a - b)) {
      found.set(id, this.#host.rows<Row>(`SELECT * FROM ${table} WHERE id = ?`, id)[0] ?? null);
    }
    return found;
  }

  /** What time alone has moved on before the work: it shows in the row. */
  #timeFirst(id: number, row: CallRow | null, cause: Cause, now: number): void {
    const call = this.model.calls.get(id);
    if (call === undefined || row === null) return;
    const mine = cause.kind === "answer" && this.#callOf(cause.call) === call;
    if (call.state === "placing" && row.state === "unknown" && !mine) this.model.gaveUp(call, now);
    if (this.model.holds(call) && row.state === "concluded" && row.assumed === 1) {
      this.say(`the lease of call ${id} has run out`);
      this.model.rescued(call, now);
    }
    const bringsNews =
      cause.kind === "answer" ||
      cause.kind === "found" ||
      (cause.kind === "verb" && cause.verb === "report");
    const decided = call.state === "ended" && row.state === "concluded";
    if (decided && (row.reported !== null || !bringsNews)) this.model.decidedWithout(call, now);
  }

  #timeAfter(id: number, row: CallRow | null, now: number): void {
    const call = this.model.calls.get(id);
    if (call === undefined || row === null) return;
    if (call.state === "ended" && row.state === "concluded") this.model.decidedWithout(call, now);
  }

  #callOf(id: string): Call | undefined {
    return this.model.calls.get(localKey("cal", this.workspace, id) ?? -1);
  }

  #apply(
    cause: Cause,
    reply: unknown,
    rows: { taskRows: Map<number, TaskRow | null>; late: Set<number> },
    now: number,
  ) {
    const { model } = this;
    switch (cause.kind) {
      case "time":
      case "start":
        return;
      case "answer": {
        const call = this.#callOf(cause.call);
        if (call === undefined) throw new Broken("an answer is of a call", cause.call);
        this.say(`call ${call.id} is answered: ${JSON.stringify(cause.answer)}`);
        model.answered(call, cause.answer, now);
        return model.heardUnnamed(call, rows.late, now);
      }
      case "found": {
        const call = this.#callOf(cause.call);
        if (call === undefined) throw new Broken("a look-up is of a call", cause.call);
        this.say(`a look-up finds call ${call.id} ${cause.found.kind}`);
        return model.found(call, cause.found, rows.late, now);
      }
      case "tested":
        return model.proved(cause.connection);
      case "copies":
        return this.#copies(cause.docs);
      case "verb":
        return this.#verb(cause.verb, cause.args, reply as Reply, rows.taskRows, now);
    }
  }

  #verb(
    verb: string,
    args: unknown[],
    reply: Reply,
    taskRows: Map<number, TaskRow | null>,
    now: number,
  ) {
    const { model } = this;
    switch (verb) {
      case "putCopies":
        return this.#copies(args[0] as Doc[]);
      case "createCampaign":
        return this.#created(args[0] as { body: object; idempotency: Key | null }, reply, now);
      case "editCampaign": {
        const campaign = this.#campaignOf(args[0] as string);
        const change = this.#meanings.edits.get(args[1] as object) ?? {};
        const start = campaign?.startAfter ?? null;
        const endsFirst =
          change.endAfter != null && (change.endAfter <= now || change.endAfter <= (start ?? 0));
        const allowed = campaign !== undefined && campaign.over === null && !endsFirst;
        expectOk("an edit is taken while the campaign is live", reply, allowed);
        if (campaign !== undefined && reply.ok) model.edited(campaign, change);
        return;
      }
      case "moveCampaign": {
        const campaign = this.#campaignOf(args[0] as string);
        const move = args[1] as string;
        const allowed = campaign !== undefined && model.allowsCampaign(campaign, move);
        this.say(`campaign ${campaign?.id}: ${move} is ${reply.ok ? "taken" : reply.code}`);
        expectOk(`a campaign's ${move} is taken when it can be`, reply, allowed);
        if (!reply.ok) this.model.cover("H30 a wrong move is refused");
        if (campaign !== undefined && reply.ok) model.movedCampaign(campaign, move, now);
        return;
      }
      case "moveTask": {
        const id = localKey("tsk", this.workspace, args[0] as string) ?? -1;
        const task = model.tasks.get(id);
        const move = args[1] as string;
        if (task === undefined || task.gone) return;
        this.say(`task ${id}: ${move} is ${reply.ok ? "taken" : reply.code}`);
        expectOk(`a task's ${move} is taken when it can be`, reply, model.allowsTask(task, move));
        if (reply.ok) model.movedTask(task, move, now);
        return;
      }
      case "push":
        return this.#pushed(args[0] as PushRequest, reply as Reply<PushedTask[]>, taskRows, now);
      case "openImport": {
        const campaign = this.#campaignOf(args[1] as string);
        const known = campaign?.imports.has(args[0] as string) ?? false;
        const allowed = campaign !== undefined && (known || takesRows(campaign, now));
        expectOk("an import is opened while its campaign takes rows", reply, allowed);
        if (campaign !== undefined && reply.ok && !known) {
          campaign.imports.set(args[0] as string, { open: true, taken: 0, parts: 0 });
        }
        return;
      }
      case "dropImport":
        for (const campaign of model.campaigns.values()) {
          model.importClosed(campaign, args[0] as string, now);
        }
        return;
      case "ingest":
        return this.#ingested(
          args[0] as IngestRequest,
          reply as Reply<IngestResult>,
          taskRows,
          now,
        );
      case "report":
        for (const item of args[0] as ReportItem[]) this.#reported(item, now);
        return;
    }
  }

  #campaignOf(id: string): Campaign | undefined {
    return this.model.campaigns.get(localKey("cmp", this.workspace, id) ?? -1);
  }

  #copies(docs: Doc[]): void {
    const { model } = this;
    for (const doc of docs) {
      const key = `${doc.kind} ${doc.id}`;
      if (doc.version <= (this.#versions.get(key) ?? 0)) continue;
      this.#versions.set(key, doc.version);
      if (doc.kind === "suppression" && doc.doc !== null) {
        model.suppressed.add(doc.id);
        model.cover("H40 a person puts a number on the list");
      }
      if (doc.kind === "workspace" && doc.doc !== null) {
        model.slots = doc.doc.slots;
        model.slotsMost = Math.max(model.slotsMost, doc.doc.slots);
      }
      if (doc.kind === "connection") {
        const trouble = model.trouble(doc.id);
        trouble.gap = null;
        trouble.losses = 0;
      }
    }
  }

  #created(request: { body: object; idempotency: Key | null }, reply: Reply, now: number): void {
    const meant = this.#meanings.campaigns.get(request.body);
    if (!reply.ok && meant?.endAfter != null && meant.endAfter <= now) return;
    if (!reply.ok) throw new Broken("a good campaign is made", JSON.stringify(reply));
    const record = (reply.value as { campaign: { id: string } }).campaign;
    const id = localKey("cmp", this.workspace, record.id) ?? -1;
    if (this.model.campaigns.has(id)) {
      this.model.cover("H9 a campaign is asked for twice");
      return;
    }
    const wish = this.#meanings.campaigns.get(request.body);
    if (wish === undefined) throw new Error("a body without a meaning");
    this.model.created(id, wish, now);
    this.say(`campaign ${id}: ${JSON.stringify(wish)}`);
  }

  #pushed(
    request: PushRequest,
    reply: Reply<PushedTask[]>,
    taskRows: Map<number, TaskRow | null>,
    now: number,
  ): void {
    const { model } = this;
    const key = request.idempotency;
    const kept = key === null ? undefined : this.#kept.get(key.key);
    if (kept !== undefined && kept.hash !== key?.bodyHash) {
      expectOk("a key comes with one body", reply, false);
      model.cover("H9 a key comes with another body");
      return;
    }
    if (!reply.ok) throw new Broken("a push is answered", JSON.stringify(reply));
    const ids = request.tasks.map(({ body }, index) => {
      const answer = reply.value?.[index];
      if (answer === undefined) throw new Broken("a push is answered", "one is missing");
      if (kept !== undefined) {
        const same = kept.ids[index] ?? null;
        if (idOf(answer, this.workspace) !== same) {
          throw new Broken("the same key gives the same task", `task ${same}`);
        }
        model.cover("H9 a key comes twice");
        return same;
      }
      return this.#pushedOne(body, answer, taskRows, now);
    });
    if (kept === undefined && key !== null && ids.some((id) => id !== null)) {
      this.#kept.set(key.key, { hash: key.bodyHash, ids });
    }
  }

  #pushedOne(
    body: { campaign?: unknown },
    answer: PushedTask,
    taskRows: Map<number, TaskRow | null>,
    now: number,
  ): number | null {
    const { model } = this;
    const campaign = this.#campaignOf(String(body.campaign));
    const wish = this.#meanings.tasks.get(body);
    if (wish === undefined) throw new Error("a body without a meaning");
    const takes = campaign !== undefined && campaign.type === "realtime" && campaign.over === null;
    const known = wish.externalId === null ? undefined : campaign?.external.get(wish.externalId);
    const past = wish.endAfter !== null && wish.endAfter <= now;
    const refused = past || model.suppressed.has(wish.phone);
    // A body that cannot be taken is refused, though its externalId came in the same request.
    if (past && !answer.ok) return null;
    if (!takes || (known === undefined && refused)) {
      if (answer.ok) throw new Broken("a push that cannot be taken is refused", "");
      model.cover(takes ? "H40 a push is refused as suppressed" : "H30 a push comes too late");
      return null;
    }
    const id = idOf(answer, this.workspace);
    if (id === null) throw new Broken("a good push is taken", JSON.stringify(answer));
    if (known !== undefined) {
      if (known !== id) throw new Broken("the same externalId gives the same task", `${known}`);
      model.cover("H9 an externalId comes twice");
      return id;
    }
    const row = taskRows.get(id);
    if (row == null) throw new Broken("a push that is taken has its row", `task ${id}`);
    const { phone, ...own } = wish;
    const due = wish.startAfter === null ? now : Math.max(wish.startAfter, now);
    const task = model.added({
      ...own,
      id,
      campaign,
      phone,
      import: null,
      tiebreak: row.tiebreak,
      due: wish.startAfter !== null && wish.startAfter > now ? wish.startAfter : due,
    });
    if (wish.endAfter !== null) model.ending.add(task);
    if (wish.externalId !== null) campaign.external.set(wish.externalId, id);
    this.say(`task ${id} is pushed to campaign ${campaign.id}`);
    return id;
  }

  #ingested(
    request: IngestRequest,
    reply: Reply<IngestResult>,
    taskRows: Map<number, TaskRow | null>,
    now: number,
  ) {
    const { model } = this;
    const campaign = [...model.campaigns.values()].find((one) => one.imports.has(request.import));
    if (campaign === undefined) return expectOk("an import is known", reply, false);
    const state = campaign.imports.get(request.import);
    if (state === undefined) return;
    const name = `${request.import} ${request.part}`;
    const before = this.#parts.get(name);
    if (before !== undefined) {
      if (JSON.stringify(reply) !== before) throw new Broken("a part is taken once", name);
      model.cover("H36 a part of an import comes twice");
      return;
    }
    expectOk("parts come in order", reply, state.open && request.part === state.parts);
    if (!reply.ok || reply.value === undefined) return;
    this.#parts.set(name, JSON.stringify(reply));
    state.parts += 1;
    const rejected = new Map(reply.value.rejected.map((one) => [one.line, one.reason as string]));
    const over = !takesRows(campaign, now);
    const seen = new Set(campaign.phones);
    const fresh = [...taskRows.values()].filter((row) => row !== null && !model.tasks.has(row.id));
    const arrived = (fresh as TaskRow[]).sort((a, b) => a.id - b.id);
    let next = 0;
    for (const { line, phone } of request.rows) {
      const twice = seen.has(phone) && !request.allowDuplicates;
      const reason = over
        ? "campaign_over"
        : model.suppressed.has(phone)
          ? "suppressed"
          : twice
            ? "duplicate"
            : null;
      if ((rejected.get(line) ?? null) !== reason) {
        throw new Broken("each row is taken or rejected for its reason", `line ${line}: ${reason}`);
      }
      if (reason !== null) {
        model.cover(`H7 a row is rejected: ${reason}`);
        continue;
      }
      if (next === 0) model.revived(campaign);
      seen.add(phone);
      campaign.phones.add(phone);
      const row = arrived[next++];
      if (row === undefined || row.phone !== phone) {
        throw new Broken("each good row is a task, in the file's order", `line ${line}`);
      }
      const task = { ...NOTHING_OWN, id: row.id, campaign, phone, import: request.import };
      model.added({ ...task, tiebreak: row.tiebreak, due: null });
    }
    state.taken += next;
    if (request.last) {
      model.importClosed(campaign, request.import, now);
      model.cover("H11 an import completes");
    }
    this.say(`import ${request.import} brings ${next} tasks to campaign ${campaign.id}`);
  }

  #reported({ connection, report }: ReportItem, now: number): void {
    const { model } = this;
    let call = report.call === null ? undefined : this.#callOf(report.call);
    if (report.call === null) {
      for (const one of model.calls.values()) {
        if (one.left || one.connection !== connection) continue;
        if (one.carrierCallId === report.carrierCallId) call = one;
      }
    }
    if (call === undefined) {
      if (report.call !== null) return;
      const key = `${connection} ${report.carrierCallId}`;
      const list = model.unnamed.get(key) ?? [];
      const rows = this.#host.rows<{ id: number }>(
        "SELECT id FROM late WHERE connection = ? AND carrier_call_id = ? AND call IS NULL ORDER BY id",
        connection,
        report.carrierCallId,
      );
      const row = rows.find(({ id }) => list.every((one) => one.id !== id));
      if (row === undefined) return;
      this.say(`a report that names only ${report.carrierCallId}: ${briefly(report.news)}`);
      model.unnamed.set(key, [...list, { id: row.id, news: report.news as CallNews, at: now }]);
      return;
    }
    this.say(`a report of call ${call.id}: ${briefly(report.news)}`);
    model.heard(call, { news: report.news, carrierCallId: report.carrierCallId }, now);
  }

  /** News without a name that D1 was told of: nobody here can be meant any more (H36). */
  #lateLeft(ids: ReadonlySet<number>, now: number): void {
    if (ids.size === 0) return;
    for (const [key, list] of this.model.unnamed) {
      const left = list.filter(({ id }) => {
        if (!ids.has(id)) return true;
        return this.#host.rows("SELECT 1 FROM late WHERE id = ?", id).length > 0;
      });
      const gone = list.filter((one) => !left.includes(one));
      const connection = key.split(" ")[0];
      for (const { at } of gone) {
        let nameless = false;
        for (const call of this.model.open) {
          const meant = call.connection === connection && call.claimedAt <= at;
          if (meant && call.carrierCallId === null) nameless = true;
        }
        if (nameless && now < at + 5 * 60_000)
          throw new Broken("no report is lost", `${key} of ${at}, left at ${now}`);
      }
      if (left.length === 0) this.model.unnamed.delete(key);
      else this.model.unnamed.set(key, left);
    }
  }

  #callLeft(id: number): void {
    const call = this.model.calls.get(id);
    if (call === undefined || call.left) return;
    if (call.state !== "concluded") throw new Broken("an open call stays", `call ${id}`);
    const { task } = call;
    const waits = task.state === "waiting" && task.newest === call && task.campaign.over === null;
    if (call.assumed && call.verdict === "retry" && waits) {
      throw new Broken("a rescued call stays while its task waits", `call ${id}`);
    }
    call.left = true;
    const [row] = this.#d1.rows(
      "SELECT outcome, concluded FROM calls WHERE workspace = ? AND id = ?",
      this.workspace,
      id,
    );
    if (row === undefined || row.concluded !== 1 || row.outcome !== call.outcome) {
      throw new Broken("what leaves the object is in D1", `call ${id}: ${JSON.stringify(row)}`);
    }
  }

  #taskLeft(id: number): void {
    const task = this.model.tasks.get(id);
    if (task === undefined) return;
    task.gone = true;
    const status = this.model.statusOf(task);
    if (status !== "completed" && status !== "archived") {
      throw new Broken("a live task stays", `task ${id} is ${status}`);
    }
    const [row] = this.#d1.rows(
      "SELECT status FROM task_view WHERE workspace = ? AND id = ?",
      this.workspace,
      id,
    );
    if (row?.status !== status) {
      throw new Broken(
        "what leaves the object is in D1",
        `task ${id}: ${row?.status}, not ${status}`,
      );
    }
  }

  // ---- rows against the model

  #compare(
    callRows: Map<number, CallRow | null>,
    taskRows: Map<number, TaskRow | null>,
    campaigns: number[],
  ): void {
    const { model } = this;
    for (const call of model.touched.calls) {
      if (call.left) continue;
      const known = callRows.get(call.id);
      const row = known ?? this.#rows<CallRow>("call", [call.id]).get(call.id) ?? null;
      this.#compareCall(call, row);
    }
    for (const [id, row] of callRows) {
      const call = model.calls.get(id);
      if (call !== undefined && row !== null) this.#compareCall(call, row);
    }
    const tasks = new Set(model.touched.tasks);
    for (const id of taskRows.keys()) {
      const task = model.tasks.get(id);
      if (task !== undefined) tasks.add(task);
    }
    for (const task of tasks) {
      if (task.gone) continue;
      const row = taskRows.get(task.id) ?? this.#rows<TaskRow>("task", [task.id]).get(task.id);
      this.#compareTask(task, row ?? null);
    }
    const touched = new Set(model.touched.campaigns);
    for (const id of campaigns) {
      const campaign = model.campaigns.get(id);
      if (campaign === undefined) throw new Broken("no campaign comes from nowhere", `${id}`);
      touched.add(campaign);
    }
    for (const campaign of touched) this.compareCampaign(campaign);
  }

  #compareCall(call: Call, row: CallRow | null): void {
    const ended = call.state === "ended" || call.state === "concluded";
    differ("a call is as the rules have it", `call ${call.id}`, [
      ["state", row?.state, call.state],
      ["verdict", row?.verdict ?? null, call.verdict],
      ["outcome", row?.state === "concluded" ? row.outcome : null, call.outcome],
      ["attempt", row?.attempt, call.attempt],
      ["ended", ended ? row?.ended_at : null, ended ? call.endedAt : null],
      ["assumed", row?.assumed === 1, call.assumed],
      ["reported", row?.reported ?? null, call.reported],
    ]);
  }

  #compareTask(task: Task, row: TaskRow | null): void {
    const which = `task ${task.id}`;
    if (row === null) throw new Broken("a live task stays", which);
    const decided = task.call !== null && task.state !== "waiting" && task.state !== "calling";
    differ("a task is as the rules have it", which, [
      ["phone", row.phone, task.phone],
      ["campaign", row.campaign, task.campaign.id],
      ["attempts", decided ? task.used : row.attempts, task.used],
      ["tiebreak", row.tiebreak, task.tiebreak],
    ]);
    if (task.state === "waiting" && task.campaign.over === null) this.#compareWaiting(task, row);
    const waits = this.#host.rows(
      "SELECT 1 FROM waiting WHERE lane = ? AND at = ? AND tiebreak = ? AND task = ?",
      row.lane,
      row.at,
      row.tiebreak,
      row.id,
    );
    if (task.campaign.over !== null) return;
    differ("a task waits exactly when it should", which, [
      ["waits", waits.length === 1, task.state === "waiting"],
    ]);
  }

  #compareWaiting(task: Task, row: TaskRow): void {
    const lane = this.#lane(row.lane);
    const { campaign } = task;
    const held = this.model.isHeld(task);
    const due = task.due ?? 0;
    differ("a waiting task is due as the rules have it", `task ${task.id}`, [
      ["due", row.at, due],
      ["callback", lane.callback === 1, task.callback],
      ["priority", lane.priority, priorityOf(campaign.type, task.priorities, task.used + 1)],
      ["held", lane.pause === campaign.epoch, held],
      ["ended", row.ended, null],
    ]);
  }

  #lane(id: number): LaneRow {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      [lane] = this.#host.rows<LaneRow>(
        "SELECT callback, priority, pause FROM lane WHERE id = ?",
        id,
      );
      if (lane === undefined) throw new Broken("a task has its lane", `lane ${id}`);
      this.#lanes.set(id, lane);
    }
    return lane;
  }

  compareCampaign(campaign: Campaign): void {
    const [row] = this.#host.rows("SELECT * FROM campaign WHERE id = ?", campaign.id);
    if (row === undefined) throw new Broken("a campaign stays", `campaign ${campaign.id}`);
    const over =
      row.archived_at !== null
        ? "archived"
        : row.completed_at === null
          ? null
          : row.expired === 1
            ? "expired"
            : "completed";
    differ("a campaign is as the rules have it", `campaign ${campaign.id}`, [
      ["over", over, campaign.over],
      ["paused", row.paused === 1, campaign.paused],
      ["start", row.starts_at, campaign.startsAt],
      ["started", row.started_at, campaign.startedAt],
      ["epoch", row.epoch, campaign.epoch],
    ]);
  }

  /** Counters against the tasks themselves: counted one by one. */
  compareCounters(): void {
    for (const campaign of this.model.campaigns.values()) {
      const [row] = this.#host.rows("SELECT * FROM campaign WHERE id = ?", campaign.id);
      const count = (state: string) => campaign.tasks.filter((one) => one.state === state).length;
      const held = campaign.tasks.filter(
        (one) => one.state === "waiting" && this.model.isHeld(one),
      );
      const attempts = campaign.tasks.reduce((sum, one) => sum + one.used, 0);
      differ("counters equal the tasks", `campaign ${campaign.id}`, [
        ["tasks", row?.tasks, campaign.tasks.length],
        ["completed", row?.completed, count("completed")],
        ["archived", row?.archived, count("archived")],
        ["attempts", row?.attempts, attempts],
        ["held", campaign.over === null ? row?.held : 0, campaign.over === null ? held.length : 0],
        [
          "outcomes",
          sorted(JSON.parse(String(row?.outcomes ?? "{}"))),
          sorted(outcomesOf(campaign)),
        ],
      ]);
    }
  }

  /** The rows by themselves. */
  compareRows(): void {
    for (const [rule, query] of Object.entries(NEVER)) {
      const rows = this.#host.rows(query);
      if (rows.length > 0) throw new Broken(rule, JSON.stringify(rows.slice(0, 3)));
    }
  }

  /** An alarm is asked for whatever time alone moves on. */
  compareAlarm(): void {
    const [next] = this.#host.rows<{ at: number | null }>(NEXT);
    const { alarmAsked, alarmDropped, dialer, now } = this.#host;
    if (next?.at == null || dialer === null || alarmDropped) return;
    if (alarmAsked === null || alarmAsked > Math.max(next.at, now + 1)) {
      throw new Broken("the alarm comes for what is next", `at ${next.at}, asked ${alarmAsked}`);
    }
  }

  /** H24: rows of one import go in random order, not in the file's. */
  compareOrder(): void {
    const firsts = new Map<string, number[]>();
    for (const call of this.model.calls.values()) {
      const { task } = call;
      if (call.attempt > 1 || task.import === null) continue;
      const list = firsts.get(task.import) ?? [];
      if (!list.includes(task.id)) list.push(task.id);
      firsts.set(task.import, list);
    }
    for (const [name, list] of firsts) {
      if (list.length < 15) continue;
      this.model.cover("H24 rows of one batch go in random order");
      const sorted = list.every((id, at) => at === 0 || id > (list[at - 1] ?? 0));
      const reversed = list.every((id, at) => at === 0 || id < (list[at - 1] ?? 0));
      if (sorted || reversed) throw new Broken("equal tasks go in random order", name);
    }
  }

  /** H23: what can be dialled is dialled in the same transaction; and no slot is held for ever. */
  #nobodyIdle(now: number): void {
    if (Math.abs(now - this.#lookedAt) < 20_000) return;
    this.#lookedAt = now;
    const task = this.model.dialable(now);
    if (task !== null) {
      const { connection } = this.model.agentOf(task);
      const rows = JSON.stringify(this.#host.rows("SELECT * FROM connection"));
      const text = `task ${task.id} over ${connection}; ${rows}`;
      throw new Broken("a slot that is free is given at once", text);
    }
    this.#idleSince = null;
    for (const call of this.model.open) {
      const length = this.model.connections.get(call.connection)?.lengthMaxMs ?? 0;
      const since = Math.max(call.claimedAt, call.aliveAt ?? 0, call.endedAt ?? 0);
      if (now - since > length + 45 * 60_000 + this.patienceMs) {
        throw new Broken("no slot leaks", `call ${call.id} is ${call.state} since ${since}`);
      }
    }
  }

  /** A due task is dialled within minutes, though nothing but an alarm or cron comes. */
  looked(): void {
    const { now } = this.#host;
    if (Math.abs(now - this.#waitedAt) < 60_000) return;
    this.#waitedAt = now;
    this.#excuse(now);
    const task = this.model.dialable(now);
    // Without its alarm and without D1, in which cron finds it, nothing comes but a request.
    const alone = this.#host.alarmDropped && now - this.#d1.failedAt < this.patienceMs;
    if (task === null || alone) this.#idleSince = null;
    else this.#idleSince ??= now;
    if (task !== null && this.#idleSince !== null && now - this.#idleSince > this.patienceMs) {
      throw new Broken("a due task with a free slot is dialled", `task ${task.id}`);
    }
  }

  /** How long something due may wait for an alarm or for cron, ms. */
  patienceMs = 5 * 60_000;
}

/** What of the rows time alone moves on, the earliest. */
const NEXT = `SELECT MIN(at) AS at FROM (
  SELECT MIN(check_at, expires_at) AS at FROM call WHERE state IN ('placing', 'placed', 'unknown')
  UNION ALL SELECT COALESCE(check_at, conclude_by) FROM call WHERE state = 'ended'
  UNION ALL SELECT ends_at FROM task WHERE ends_at IS NOT NULL
  UNION ALL SELECT probe_at FROM connection WHERE probe_at IS NOT NULL
  UNION ALL SELECT settings ->> 'endAfter' FROM campaign
    WHERE archived_at IS NULL AND completed_at IS NULL)`;

type Key = { key: string; bodyHash: string };
type Reply<T = unknown> = { ok: boolean; code?: string; value?: T };

const NOTHING_OWN: TaskWish = {
  agent: null,
  hours: null,
  days: null,
  zone: null,
  attempts: null,
  gaps: null,
  chosen: null,
  startAfter: null,
  endAfter: null,
  priorities: null,
  externalId: null,
};

/** Concluded attempts by outcome, counted call by call. */
function outcomesOf(campaign: Campaign): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const task of campaign.tasks) {
    for (const { outcome, state, verdict } of task.calls) {
      if (state !== "concluded" || verdict === "returned" || outcome === null) continue;
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
  }
  return counts;
}

/** As a text in which only what is not zero counts, in one order. */
function sorted(counts: Record<string, number>): string {
  const some = Object.entries(counts).filter(([, count]) => count !== 0);
  return JSON.stringify(some.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function takesRows(campaign: Campaign, now: number): boolean {
  if (campaign.over === "archived") return false;
  return campaign.endAfter === null || campaign.endAfter > now;
}

function expectOk(invariant: string, reply: Reply, ok: boolean): void {
  if (reply.ok !== ok) throw new Broken(invariant, JSON.stringify(reply).slice(0, 300));
}

function idOf(answer: PushedTask, workspace: WorkspaceId): number | null {
  if (!answer.ok) return null;
  return localKey("tsk", workspace, "left" in answer ? answer.left : answer.task.id);
}

function differ(invariant: string, which: string, facts: [string, unknown, unknown][]): void {
  const wrong = facts.filter(([, is, should]) => is !== should);
  if (wrong.length === 0) return;
  const text = wrong.map(([name, is, should]) => `${name} is ${is}, should be ${should}`);
  throw new Broken(invariant, `${which}: ${text.join("; ")}`);
}

function briefly(news: CallNews): string {
  const said = Object.entries(news).filter(([, value]) => value !== null && value !== false);
  return JSON.stringify(Object.fromEntries(said));
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
