import { outboundOf } from "../carriers/outbound.ts";
import { type CampaignId, makeId } from "../core/ids.ts";
import { taskFor } from "../core/mask.ts";
import { readPhone } from "../core/phone.ts";
import { refuse } from "../core/result.ts";
import { type Move, moveTask } from "../core/status.ts";
import type { TaskRecord, TaskStatus } from "../core/task.ts";
import { settingsOf } from "../db/campaigns.ts";
import { database } from "../db/database.ts";
import { listTasks, readTaskRows, taskOf } from "../db/tasks.ts";
import type { PushedTask } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { mustSeePersonal, push, seesPersonal } from "./auth.ts";
import type { Ctx } from "./context.ts";
import { noteNumbers, originOf } from "./entry.ts";
import { errorOf, notFound, Refused, take } from "./errors.ts";
import { findCampaign, findTask, keyIn, storedCampaign, storedTask } from "./find.ts";
import { idempotency } from "./idempotency.ts";
import { pageRequest } from "./list.ts";
import { phonesFor } from "./phones.ts";
import type { Handler } from "./serve.ts";
import { numberOf, pushedWire, taskWire } from "./task-wire.ts";

export const create: Handler<"POST /v1/tasks"> = async (c, { body }) => {
  const again = await idempotency(c, "tasks");
  const tasks = [{ body, path: "", issues: addressIssues(c, body) }];
  const request = { tasks, idempotency: again };
  const { value, personal } = await push(c, request);
  const [pushed] = value;
  if (pushed === undefined) throw new Error("bug: a push without its answer");
  if (!pushed.ok) throw new Refused(pushed);
  const [task] = await tasksOf(c, [pushed]);
  if (task === null || task === undefined) throw notFound("task");
  return c.json(pushedWire(task, pushed.warnings, personal), 201);
};

export const createMany: Handler<"POST /v1/tasks/bulk"> = async (c, { body }) => {
  const again = await idempotency(c, "tasks/bulk");
  const tasks = body.tasks.map((task, index) => {
    return { body: task, path: `tasks.${index}.`, issues: addressIssues(c, task) };
  });
  const { value: pushed, personal } = await push(c, { tasks, idempotency: again });
  const taken = pushed.filter((one) => one.ok).length;
  const records = await tasksOf(c, pushed);
  const items = pushed.map((one, index) => {
    const task = records[index] ?? null;
    if (one.ok && task !== null) return pushedWire(task, one.warnings, personal);
    return { error: errorOf(one.ok ? refuse("not_found", "There is no such task.") : one) };
  });
  return c.json({ items, taken, refused: pushed.length - taken }, 201);
};

/** What is wrong with a task's own address: only the deployment knows where it may send. */
function addressIssues(c: Ctx, { statusCallbackUrl: url }: { statusCallbackUrl?: unknown }) {
  if (typeof url !== "string" || url.trim() === "") return [];
  const refusal = outboundOf(c.env).check(url.trim());
  if (refusal === null) return [];
  const expected = "an https address on the public internet";
  return [{ path: "statusCallbackUrl", expected, got: refusal }];
}

/** The record of each task that was taken; those that have left the Dialer are in D1. */
async function tasksOf(c: Ctx, pushed: PushedTask[]): Promise<(TaskRecord | null)[]> {
  const left = pushed.flatMap((one) => (one.ok && "left" in one ? keyIn(c, "tsk", one.left) : []));
  const workspace = c.get("workspace");
  const rows = left.length === 0 ? [] : await readTaskRows(database(c.env), workspace, left);
  const stored = new Map(rows.map((row) => [row.id, taskOf(workspace, row)]));
  return pushed.map((one) => {
    if (!one.ok) return null;
    return "left" in one ? (stored.get(keyIn(c, "tsk", one.left)) ?? null) : one.task;
  });
}

export const read: Handler<"GET /v1/tasks/{id}"> = async (c, { params }) =>
  c.json(await wholeTask(c, await findTask(c, params.id)));

/** Pauses, resumes or archives one task (H31). */
export function move(verb: Move): Handler<"POST /v1/tasks/{id}/pause"> {
  return async (c, { params }) => {
    const key = keyIn(c, "tsk", params.id);
    const workspace = c.get("workspace");
    const id = makeId("tsk", workspace, key);
    const reply = await dialerOf(c.env, workspace).moveTask(id, verb, originOf(c));
    if (!reply.ok && reply.code === "not_found") throw await leftOrUnknown(c, key, verb);
    return c.json(await wholeTask(c, take(reply)));
  };
}

/** A task that the Dialer does not know but D1 does has left it: it is over, not unknown. */
async function leftOrUnknown(c: Ctx, key: number, verb: Move): Promise<Refused> {
  const task = await storedTask(c, key);
  if (task === null) return notFound("task");
  const campaign = await storedCampaign(c, keyIn(c, "cmp", task.campaign));
  const allowed = moveTask(task.status, campaign?.status ?? "archived", verb);
  const message = `The task is ${task.status}: it cannot change any more.`;
  return new Refused(allowed.ok ? refuse("conflict", message) : allowed);
}

async function wholeTask(c: Ctx, task: TaskRecord) {
  await noteNumbers(c, "task", task.id);
  const { settings } = await findCampaign(c, task.campaign);
  const from = numberOf(task, settings);
  const phones = await phonesFor(c.env, c.get("workspace"), [from]);
  const sees = seesPersonal(c);
  const { consent } = taskFor(sees, task);
  return { ...taskWire(task, settings, phones, sees), consent };
}

export const list: Handler<"GET /v1/tasks"> = async (c, { query }) => {
  if (query.campaign === undefined) return listWith(c, query, null);
  const campaign = await findCampaign(c, query.campaign);
  return listWith(c, query, keyIn(c, "cmp", campaign.id));
};

export const listOfCampaign: Handler<"GET /v1/campaigns/{id}/tasks"> = async (
  c,
  { params, query },
) => {
  const campaign = await findCampaign(c, params.id as CampaignId);
  return listWith(c, query, keyIn(c, "cmp", campaign.id));
};

type Filters = {
  limit: number;
  cursor?: string | undefined;
  status?: TaskStatus | undefined;
  outcome?: string | undefined;
  phone?: string | undefined;
  order: "oldest" | "newest";
};

async function listWith(c: Ctx, query: Filters, campaign: number | null): Promise<Response> {
  const workspace = c.get("workspace");
  // Whoever sees no number finds out none by guessing, either.
  if (query.phone !== undefined) mustSeePersonal(c, "Searching by number");
  const phone = query.phone === undefined ? undefined : e164Of(query.phone);
  const { status, outcome, order } = query;
  const filter = { campaign, status, outcome, phone, order };
  const page = pageRequest(query, "integer");
  const { items, nextCursor } = await listTasks(database(c.env), workspace, filter, page);
  const tasks = await explained(
    c,
    items.map((row) => taskOf(workspace, row)),
  );
  const rows = tasks.map((task, index) => {
    const row = items[index];
    if (row === undefined) throw new Error("bug: a task without its row");
    return { task, settings: settingsOf(row.campaignRow) };
  });
  const numbers = rows.map(({ task, settings }) => numberOf(task, settings));
  const phones = await phonesFor(c.env, workspace, numbers);
  if (campaign === null) await noteNumbers(c, "workspace", workspace);
  else await noteNumbers(c, "campaign", makeId("cmp", workspace, campaign));
  const sees = seesPersonal(c);
  const wires = rows.map(({ task, settings }) => taskWire(task, settings, phones, sees));
  return c.json({ items: wires, nextCursor });
}

/** In a query a `+` reads as a blank: both are taken. */
function e164Of(text: string): string {
  const read = readPhone(text.startsWith(" ") ? `+${text.trim()}` : text);
  return read.ok ? read.phone : text;
}

/** H41: a list is worth more than its reasons, so a Dialer that is away leaves them out. */
async function explained(c: Ctx, tasks: TaskRecord[]): Promise<TaskRecord[]> {
  const waits = tasks.filter(({ status }) => status === "queued" || status === "paused");
  if (waits.length === 0) return tasks;
  const workspace = c.get("workspace");
  try {
    const reasons = await dialerOf(c.env, workspace).explainTasks(waits.map(({ id }) => id));
    const waiting = new Map(waits.map(({ id }, index) => [id, reasons[index] ?? null]));
    return tasks.map((task) => ({ ...task, waiting: waiting.get(task.id) ?? null }));
  } catch (error) {
    logFault("explain", error, { workspace });
    return tasks;
  }
}
