import { mayOfScopes } from "../core/access.ts";
import { assert } from "../core/assert.ts";
import type { Consent } from "../core/form.ts";
import { localKey, makeId } from "../core/ids.ts";
import { readPhone } from "../core/phone.ts";
import { type Issue, type Refusal, refuse, type Warning } from "../core/result.ts";
import { effective, INHERITED, type TaskRecord, type TaskSettings } from "../core/task.ts";
import { type NewTask, newTask, type TaskBody } from "../core/task-body.ts";
import { shown } from "../core/time.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { hasEnded } from "./ending.ts";
import { explainTask } from "./explain.ts";
import { keepAsked, standingAt } from "./forms.ts";
import { hashedName, keepAnswer, keptAnswer } from "./idempotency.ts";
import { campaignOf } from "./moves.ts";
import { stand, taskRecord } from "./records.ts";
import { hasRoom, NO_ROOM } from "./room.ts";
import type { State } from "./state.ts";
import { suppressedAmong } from "./suppressed.ts";
import { type Arrival, enqueue, findTask, laneKey } from "./tasks.ts";
import type { Access, Coming, Pushed, PushedTask, PushRequest, UnknownKey } from "./verbs.ts";

type Existing = Exclude<PushedTask, Refusal>;
type Reading = {
  body: TaskBody;
  path: string;
  consent: Consent | undefined;
  campaign: Campaign;
  task: NewTask;
  hash: string;
};

/**
 * Takes pushes in (H1, H9, H15–H17, H40): one answer per body, in order. The same
 * `Idempotency-Key` gives the first answer again, the same `externalId` the same task.
 */
export function push(
  state: State,
  request: PushRequest,
  random: () => number,
  now: number,
): Pushed | Refusal | UnknownKey {
  const admitted = admit(state, request.access, now);
  if (!admitted.ok) return admitted;
  const { only, personal } = admitted;
  const kept = keptAnswer<Kept[]>(state, request.idempotency, now);
  if (kept !== null && !kept.ok) return kept;
  if (kept !== null) {
    const value = kept.answer.map((one, index) => {
      const body = request.tasks[index]?.body ?? {};
      return isBeyond(state, body, only) ? NO_CAMPAIGN : restore(state, one, body, now);
    });
    return { ok: true, value, personal };
  }
  if (!hasRoom(state)) return NO_ROOM;

  const answers = takeIn(state, request, only, random, now);
  if (answers.some((answer) => answer.ok)) {
    keepAnswer(state, request.idempotency, keepable(state, answers), now);
  }
  return { ok: true, value: answers, personal };
}

const NO_CAMPAIGN = refuse("not_found", "There is no such campaign.");

/**
 * The only campaign that a key may push into, by its local key, or null for all; and whether it
 * sees what is personal. What a person sees the API knows.
 */
type Admitted = { ok: true; only: number | null; personal: boolean };

/** Hash, scopes, expiry and revocation, by the Dialer's copy of the key; without a key, a person asks. */
function admit(state: State, access: Access | null, now: number): Admitted | Refusal | UnknownKey {
  if (hasEnded(state)) return refuse("unauthorized", "The workspace has ended.");
  if (access === null) return { ok: true, only: null, personal: false };
  const key = state.copies.workspace === null ? undefined : state.copies.key(access.key);
  if (key === undefined) return { ok: false, code: "unknown_key", message: "The copy lacks it." };
  const counts =
    key !== null && key.hash === access.hash && (key.expiresAt === null || key.expiresAt > now);
  if (!counts) return refuse("unauthorized", "This key was revoked or has expired.");
  const may = mayOfScopes(key.scopes);
  if (!may.has("push")) {
    return refuse("forbidden", "This key's scopes do not allow to push tasks.");
  }
  return { ok: true, only: key.campaign ?? null, personal: may.has("see_personal") };
}

/** A key bound to one campaign sees no other: they look as if they did not exist. */
function isBeyond(state: State, body: TaskBody, only: number | null): boolean {
  if (only === null || typeof body.campaign !== "string") return false;
  return localKey("cmp", state.workspace, body.campaign) !== only;
}

function takeIn(
  state: State,
  { tasks, form }: PushRequest,
  only: number | null,
  random: () => number,
  now: number,
): PushedTask[] {
  const setup = state.copies.setup();
  const externals = new Externals(state);
  const answers: (PushedTask | null)[] = tasks.map(() => null);
  const readings: (Reading | null)[] = tasks.map((one, index) => {
    const { body, path, consent, issues = [] } = one;
    const campaign = isBeyond(state, body, only) ? NO_CAMPAIGN : openCampaign(state, body, path);
    if (!("id" in campaign)) {
      answers[index] = campaign;
      return null;
    }
    const known = externals.taskOf(campaign, body.externalId);
    if (known !== null) {
      answers[index] = existing(state, known, now);
      return null;
    }
    const read = newTask(body, campaign.settings, setup, now);
    if (!read.ok || issues.length > 0) {
      answers[index] = refuseBody([...issues, ...(read.ok ? [] : read.issues)], path);
      return null;
    }
    const hash = state.hashPhone(read.value.phone);
    return { body, path, consent, campaign, task: read.value, hash };
  });

  const suppressed = suppressedAmong(
    state.sql,
    readings.flatMap((one) => one?.hash ?? []),
    now,
  );
  const arrivals = new Map<Campaign, Arrival[]>();
  let next = state.nextIds(readings.length);
  for (const [index, reading] of readings.entries()) {
    if (reading === null) continue;
    const { campaign, task } = reading;
    const twin = task.externalId === null ? null : externals.arrivalOf(campaign, task.externalId);
    if (twin !== null) {
      answers[index] = { ok: true, task: twin, warnings: [], existing: true };
      continue;
    }
    if (suppressed.has(reading.hash)) {
      answers[index] = refuseSuppressed(reading);
      continue;
    }
    const standing = form === undefined ? null : standingAt(state, form, reading.hash, now);
    if (standing?.kind === "refused") {
      answers[index] = standing.refusal;
      continue;
    }
    if (standing?.kind === "again") {
      const { task: known, coming } = standing.asked;
      answers[index] = { ...existing(state, known, now), coming };
      continue;
    }
    const arrival = arrive(state, reading, next++, random, now);
    const list = arrivals.get(campaign);
    if (list === undefined) arrivals.set(campaign, [arrival]);
    else list.push(arrival);
    const record = recordOf(state, arrival, campaign, task.settings);
    if (task.externalId !== null) externals.add(campaign, task.externalId, arrival.id, record);
    const warnings = task.warnings.map((one) => ({ ...one, path: reading.path + one.path }));
    answers[index] = { ok: true, task: record, warnings, existing: false };
    if (form !== undefined && standing?.kind === "new") {
      const coming = comingOf(record, campaign);
      answers[index] = { ok: true, task: record, warnings, existing: false, coming };
      const kept = { task: arrival.id, coming, before: standing.before };
      keepAsked(state, form, reading.hash, kept, now);
    }
  }
  for (const [campaign, list] of arrivals) enqueue(state, campaign, list, now);
  externals.save();
  return answers.map((answer) => {
    assert(answer !== null, "every push gets an answer");
    return answer;
  });
}

function comingOf({ waiting, settings }: TaskRecord, campaign: Campaign): Coming {
  return { waiting, timezone: effective(settings, campaign.settings).timezone };
}

/** The campaign that a body names, if tasks can be pushed to it (H1, H30). */
function openCampaign(state: State, body: TaskBody, path: string): Campaign | Refusal {
  if (typeof body.campaign !== "string") {
    const issue = { path: "campaign", expected: "the id of a campaign", got: shown(body.campaign) };
    return refuseBody([issue], path);
  }
  const campaign = campaignOf(state, body.campaign);
  if (campaign === null) return NO_CAMPAIGN;
  if (campaign.settings.type === "batch") {
    return refuse("conflict", "A batch campaign takes its tasks from an import, not from a push.");
  }
  if (isOver(campaign)) {
    const how = campaign.archivedAt === null ? "completed" : "archived";
    return refuse("conflict", `The campaign is ${how}: it takes no more tasks.`);
  }
  return campaign;
}

function refuseBody(issues: Issue[], path: string): Refusal {
  const placed = issues.map((issue) => ({ ...issue, path: path + issue.path }));
  return refuse("invalid", "The task cannot be taken as it is.", placed);
}

function refuseSuppressed(reading: Reading): Refusal {
  const expected = "a number that is not on the workspace's do-not-call list";
  return refuseBody([{ path: "phone", expected, got: "suppressed" }], reading.path);
}

function arrive(
  state: State,
  reading: Reading,
  id: number,
  random: () => number,
  now: number,
): Arrival {
  const { campaign, task, hash } = reading;
  const settings = isInherited(task.settings) ? null : task.settings;
  if (settings?.statusCallbackUrl != null) state.outbox.expectCallbacks(state);
  const waiting = { callback: false, import: null, pause: null };
  return {
    id,
    import: null,
    phone: task.phone,
    hash,
    context: task.context,
    settings,
    externalId: task.externalId,
    lane: state.lane(laneKey(campaign, settings, 1, waiting)),
    at: task.settings.startAfter ?? now,
    tiebreak: Math.floor(random() * 2 ** 31),
    createdAt: now,
    endsAt: task.settings.endAfter,
    consent: reading.consent,
  };
}

function isInherited(settings: TaskSettings): boolean {
  return Object.keys(INHERITED).every((key) => settings[key as keyof TaskSettings] === null);
}

/** A task as it is taken in: the reply to its push. */
function recordOf(
  state: State,
  arrival: Arrival,
  campaign: Campaign,
  settings: TaskSettings,
): TaskRecord {
  return {
    id: makeId("tsk", state.workspace, arrival.id),
    campaign: makeId("cmp", state.workspace, campaign.id),
    phone: arrival.phone,
    context: arrival.context,
    settings,
    status: campaign.paused ? "paused" : "queued",
    attempts: 0,
    lastOutcome: null,
    dueAt: Math.max(arrival.at, campaign.startsAt ?? 0),
    externalId: arrival.externalId,
    import: null,
    createdAt: arrival.createdAt,
    endedAt: null,
    consent: arrival.consent ?? null,
    waiting: explainTask(state, arrival.lane, { at: arrival.at, attempts: 0 }, arrival.createdAt),
  };
}

/** A task that is there already: its record, or its id when it has left for D1. */
function existing(state: State, id: number, now: number): Existing {
  const task = findTask(state.sql, id);
  if (task === null) {
    return { ok: true, left: makeId("tsk", state.workspace, id), warnings: [], existing: true };
  }
  const record = taskRecord(state, stand(state, task), now);
  return { ok: true, task: record, warnings: [], existing: true };
}

/** The `externalId`s of one request (H9): those known before, and those that it brings. */
class Externals {
  readonly #state: State;
  readonly #known = new Map<string, number | null>();
  readonly #arrived = new Map<
    string,
    { campaign: number; id: string; task: number; record: TaskRecord }
  >();

  constructor(state: State) {
    this.#state = state;
  }

  taskOf(campaign: Campaign, externalId: unknown): number | null {
    if (typeof externalId !== "string" || externalId.trim() === "") return null;
    const id = externalId.trim();
    const key = `${campaign.id} ${id}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const [row] = this.#state.sql.all<{ task: number }>(
        "SELECT task FROM external WHERE campaign = ? AND external_id IN (?, ?)",
        campaign.id,
        id,
        hashedName(this.#state, id),
      );
      known = row?.task ?? null;
      this.#known.set(key, known);
    }
    return known;
  }

  arrivalOf(campaign: Campaign, externalId: string): TaskRecord | null {
    return this.#arrived.get(`${campaign.id} ${externalId}`)?.record ?? null;
  }

  add(campaign: Campaign, externalId: string, task: number, record: TaskRecord): void {
    const entry = { campaign: campaign.id, id: externalId, task, record };
    this.#arrived.set(`${campaign.id} ${externalId}`, entry);
  }

  save(): void {
    if (this.#arrived.size === 0) return;
    const rows = [...this.#arrived.values()].map(({ campaign, id, task }) => [campaign, id, task]);
    this.#state.sql.run(
      `INSERT INTO external (campaign, external_id, task)
       SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)`,
      JSON.stringify(rows),
    );
  }
}

/** An answer as it is kept under an `Idempotency-Key`: without what the repeated body says itself. */
type Kept =
  | Refusal
  | { ok: true; existing: true; id: number }
  | {
      ok: true;
      existing: false;
      task: Omit<TaskRecord, "phone" | "context" | "consent">;
      warnings: Warning[];
    };

/** A row holds no more than 2 MB: a longer answer keeps only the first issues of each body. */
const ANSWER_CHARS_MAX = 500_000;
const ISSUES_KEPT = 3;

function keepable(state: State, answers: PushedTask[]): Kept[] {
  const kept = answers.map((answer) => keptOf(state, answer));
  const long = (one: Kept) => !one.ok && (one.issues?.length ?? 0) > ISSUES_KEPT;
  if (!kept.some(long) || JSON.stringify(kept).length <= ANSWER_CHARS_MAX) return kept;
  return kept.map((one) =>
    one.ok || one.issues === undefined ? one : { ...one, issues: one.issues.slice(0, ISSUES_KEPT) },
  );
}

function keptOf(state: State, answer: PushedTask): Kept {
  if (!answer.ok) return answer;
  if (answer.existing) {
    const id = localKey("tsk", state.workspace, "left" in answer ? answer.left : answer.task.id);
    assert(id !== null, "an answer names a task of this workspace");
    return { ok: true, existing: true, id };
  }
  const { phone: _phone, context: _context, consent: _consent, ...task } = answer.task;
  return { ok: true, existing: false, task, warnings: answer.warnings };
}

/** The body is the very one that was read well before. */
function restore(state: State, kept: Kept, body: TaskBody, now: number): PushedTask {
  if (!kept.ok) return kept;
  if (kept.existing) return existing(state, kept.id, now);
  const read = readPhone(String(body.phone));
  const context = (body.context ?? {}) as TaskRecord["context"];
  const task = { ...kept.task, phone: read.ok ? read.phone : "", context, consent: null };
  return { ok: true, task, warnings: kept.warnings, existing: true };
}
