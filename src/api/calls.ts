import type { Call, CallSummary } from "../contract/call.ts";
import type { CallRecord } from "../core/call.ts";
import { callFor } from "../core/mask.ts";
import type { TaskRecord } from "../core/task.ts";
import { callsOfTask, listCalls } from "../db/calls.ts";
import { database } from "../db/database.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { seesPersonal } from "./auth.ts";
import type { Ctx } from "./context.ts";
import { noteNumbers, noteView } from "./entry.ts";
import { findCall, findCampaign, findTask, keyIn, mergeCalls } from "./find.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const read: Handler<"GET /v1/calls/{id}"> = async (c, { params }) => {
  const whole = await findCall(c, params.id);
  const { transcript, analysis } = callFor(seesPersonal(c), whole);
  if (transcript === null) await noteNumbers(c, "call", whole.id);
  else await noteView(c, { action: "call.read", targetKind: "call", target: whole.id });
  const wire: Call = { ...callWire(c, whole), transcript, analysis };
  return c.json(wire);
};

export const list: Handler<"GET /v1/calls"> = async (c, { query }) => {
  const { campaign, task, limit: _limit, cursor: _cursor, ...others } = query;
  const inCampaign = campaign === undefined ? null : (await findCampaign(c, campaign)).id;
  const ofTask = task === undefined ? null : await findTask(c, task);
  const of = inCampaign ?? ofTask?.campaign ?? null;
  const filter = {
    ...others,
    campaign: of === null ? null : keyIn(c, "cmp", of),
    task: ofTask === null ? null : keyIn(c, "tsk", ofTask.id),
  };
  const page = pageRequest(query, "integer");
  const workspace = c.get("workspace");
  const found = await listCalls(database(c.env), workspace, filter, page);
  if (task !== undefined) await noteNumbers(c, "task", task);
  else if (campaign !== undefined) await noteNumbers(c, "campaign", campaign);
  else await noteNumbers(c, "workspace", workspace);
  return c.json(mapPage(found, (call) => callWire(c, call)));
};

export const listOfTask: Handler<"GET /v1/tasks/{id}/calls"> = async (c, { params }) => {
  const task = await findTask(c, params.id);
  const calls = await callsOf(c, task);
  await noteNumbers(c, "task", task.id);
  return c.json({ items: calls.map((call) => callWire(c, call)), nextCursor: null });
};

/** Calls of a task, first attempt first: those that the Dialer has, and older ones from D1. */
async function callsOf(c: Ctx, { id, campaign }: TaskRecord): Promise<CallRecord[]> {
  const workspace = c.get("workspace");
  const keys = [keyIn(c, "cmp", campaign), keyIn(c, "tsk", id)] as const;
  const stored = callsOfTask(database(c.env), workspace, ...keys).catch((error: unknown) => {
    logFault("stored calls", error, { workspace });
    return null;
  });
  const reply = await dialerOf(c.env, workspace).readCalls(id);
  const live = reply.ok ? reply.value : [];
  const older = await stored;
  // Without either half the list would be a lie.
  if (older === null && !reply.ok) throw new Error("D1_ERROR: the task's calls cannot be read");
  const byId = new Map((older ?? []).map((call) => [call.id, call]));
  for (const call of live) {
    const known = byId.get(call.id);
    byId.set(call.id, known === undefined ? call : mergeCalls(call, known));
  }
  return [...byId.values()].sort((a, b) => a.attempt - b.attempt || a.claimedAt - b.claimedAt);
}

const MICROS = 1_000_000;

function callWire(c: Ctx, whole: CallRecord): CallSummary {
  const sees = seesPersonal(c);
  const call = callFor(sees, whole);
  const playback = `${c.env.PUBLIC_URL}/v1/calls/${call.id}/recording`;
  return {
    id: call.id,
    task: call.task,
    campaign: call.campaign,
    attempt: call.attempt,
    status: call.status,
    agent: call.agent,
    connection: call.connection,
    carrier: call.carrier,
    carrierCallId: call.carrierCallId,
    from: call.from,
    to: call.to,
    startedAt: call.claimedAt,
    placedAt: call.placedAt,
    ringingAt: call.ringingAt,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    durationMs: call.talkMs,
    outcome: call.outcome,
    word: call.word,
    reported: call.reported,
    callbackAt: call.callbackAt,
    cost: call.costMicros === null ? null : call.costMicros / MICROS,
    currency: call.currency,
    recordingUrl: call.recordingUrl === null ? null : playback,
    ...(sees ? {} : { masked: true }),
  };
}
