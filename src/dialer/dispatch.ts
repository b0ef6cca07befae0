import type { Dial } from "../carriers/carrier.ts";
import { makeId } from "../core/ids.ts";
import { textOf } from "../core/template.ts";
import { type Call, insertCall } from "./calls.ts";
import type { Campaign } from "./campaign.ts";
import type { Shut } from "./connections.ts";
import { tellOfCampaign } from "./events.ts";
import type { Lane } from "./lanes.ts";
import type { Sql } from "./sql.ts";
import type { State } from "./state.ts";
import { isSuppressed } from "./suppressed.ts";
import {
  completeIfDone,
  countWaiting,
  endWaiting,
  findTask,
  leave,
  ownSettings,
  type Task,
} from "./tasks.ts";
import type { AgentDoc, ConnectionDoc, NumberDoc } from "./verbs.ts";

/** At most so many dials wait for an answer: the platform gives one object six connections out. */
export const PLACING_MAX = 5;
export const PLACING_PER_CONNECTION_MAX = 3;
/** An answer that takes longer is lost (H22), ms. */
export const PLACE_LOST_MS = 20_000;
/** Beyond the connection's longest call, ms (H22). */
export const LEASE_GRACE_MS = 5 * 60_000;
/** Tasks that one dispatch may end without a slot. */
const ENDED_PER_DISPATCH = 500;

/** A committed claim: what the carrier is to be asked. */
export type Claim = {
  call: number;
  /** When it was claimed. */
  at: number;
  connection: ConnectionDoc;
  dial: Omit<Dial, "reportUrl">;
};

export type Dispatch = {
  claims: Claim[];
  /** When something that is shut now opens by itself, or null. */
  wakeAt: number | null;
};

/** The agent, number and connection with which a lane is dialled, or why it cannot be. */
type Route = { agent: AgentDoc; number: NumberDoc; connection: ConnectionDoc };

/**
 * Gives the free slots to the best due tasks (H23, H24): the best ready lane, its head, a claim.
 * Lanes whose campaign or connection can take no more are set aside, so that no row is skipped.
 * Runs inside the caller's transaction.
 */
export function dispatch(state: State, now: number): Dispatch {
  const claims: Claim[] = [];
  const aside: Lane[] = [];
  let wakeAt: number | null = null;
  let ended = 0;
  while (hasPlace(state, now)) {
    const lane = state.lanes.takeReady(now);
    if (lane === null || lane.head === null) break;
    const campaign = state.campaign(lane.campaign);
    const route = routeOf(state, lane, campaign);
    const shut = shutOf(state, campaign, route, now);
    if (route === null || shut !== null) {
      aside.push(lane);
      if (shut?.until != null) wakeAt = Math.min(wakeAt ?? shut.until, shut.until);
      continue;
    }
    const task = findTask(state.sql, lane.head.task);
    if (task === null) throw new Error("bug: a lane's head has no task");
    const end = endInstead(state.sql, task, campaign, now);
    if (end === null) {
      claims.push(claim(state, { task, campaign, lane, route }, now));
      continue;
    }
    endWaiting(state, task, campaign, end, now);
    completeIfDone(state, campaign, now);
    ended += 1;
    if (ended < ENDED_PER_DISPATCH) continue;
    wakeAt = now;
    break;
  }
  for (const lane of aside) state.lanes.rank(lane, now);
  return { claims, wakeAt };
}

/** Whether one more dial can be claimed, whoever it is for; else an answer or an end comes first. */
export function hasPlace(state: State, now: number): boolean {
  const slots = state.copies.workspace?.slots ?? 0;
  return state.ledger.total < slots && unanswered(state, now) < PLACING_MAX;
}

/** Dials that await their answer, all or one connection's: claimed ones, and requests still out. */
function unanswered({ ledger, requests }: State, now: number, connection?: string): number {
  let count = connection === undefined ? ledger.placing : ledger.loadOf(connection).placing;
  for (const [call, request] of requests) {
    if (connection !== undefined && request.connection !== connection) continue;
    if (request.until > now && ledger.get(call)?.state !== "placing") count += 1;
  }
  return count;
}

/** H33: agent and number are the lane's own pair or the campaign's; null when a copy is missing. */
export function routeOf(state: State, lane: Lane, campaign: Campaign): Route | null {
  const agent = state.copies.agent(lane.agent ?? campaign.settings.agent ?? "");
  const number = state.copies.number(lane.number ?? campaign.settings.from ?? "");
  const connection = agent === null ? null : state.copies.connection(agent.connection);
  return agent === null || number === null || connection === null
    ? null
    : { agent, number, connection };
}

/** Why no dial of this campaign over this route can be claimed now, or null (H21, H22, H27). */
export function shutOf(
  state: State,
  campaign: Campaign,
  route: Route | null,
  now: number,
): Shut | null {
  const { slotsMax } = campaign.settings;
  if (slotsMax !== null && state.ledger.leasesOf(campaign.id) >= slotsMax) {
    return { kind: "limit", reason: "the campaign's own limit", until: null };
  }
  if (route === null) {
    return { kind: "connection", reason: "its agent, number or connection is gone", until: null };
  }
  const { leases } = state.ledger.loadOf(route.connection.id);
  const placing = unanswered(state, now, route.connection.id);
  const shut = state.connections.shut(route.connection, placing, leases, now);
  if (shut !== null) return shut;
  if (placing >= PLACING_PER_CONNECTION_MAX) {
    return { kind: "pace", reason: "dials that wait for their answer", until: null };
  }
  return null;
}

/** What ends a task that has come up instead of a dial: attempts used up, its end, the do-not-call list. */
function endInstead(
  sql: Sql,
  task: Task,
  campaign: Campaign,
  now: number,
): "completed" | "archived" | null {
  const attemptsMax = ownSettings(task).attemptsMax ?? campaign.settings.attemptsMax;
  if (task.attempts >= attemptsMax) return "completed";
  if (task.endsAt !== null && task.endsAt <= now) return "archived";
  return isSuppressed(sql, task.hash, now) ? "archived" : null;
}

function claim(
  state: State,
  what: { task: Task; campaign: Campaign; lane: Lane; route: Route },
  now: number,
): Claim {
  const { task, campaign, lane, route } = what;
  const { agent, number, connection } = route;
  leave(state, { ...task, lane: lane.id }, now);
  const call: Call = {
    ...NEW_CALL,
    id: state.nextId(),
    task: task.id,
    campaign: campaign.id,
    attempt: task.attempts + 1,
    agent: agent.id,
    connection: connection.id,
    number: number.id,
    carrier: connection.carrier,
    fromPhone: number.phone,
    claimedAt: now,
    checkAt: now + PLACE_LOST_MS,
    expiresAt: now + connection.lengthMaxMs + LEASE_GRACE_MS,
  };
  insertCall(state.sql, call);
  state.ledger.track(call);
  state.changes.note("calls", call.id);
  countWaiting(task, campaign, -1);
  campaign.running += 1;
  state.changes.note("campaigns", campaign.id);
  if (campaign.startedAt === null) {
    campaign.startedAt = now;
    state.touch(campaign);
    tellOfCampaign(state, campaign, "started");
  }
  state.connections.claimed(connection, now);
  return {
    call: call.id,
    at: now,
    connection,
    dial: {
      call: makeId("cal", state.workspace, call.id),
      phone: task.phone,
      from: number.phone,
      carrierNumberId: number.carrierNumberId,
      carrierAgentId: agent.carrierAgentId,
      prompt: agent.prompt,
      agentSettings: agent.settings,
      ...variablesOf(agent, task),
      attempt: call.attempt,
      lengthMaxMs: connection.lengthMaxMs,
    },
  };
}

/** H10: every placeholder that the agent lists, empty if need be, and what else the context has. */
function variablesOf(
  { placeholders }: AgentDoc,
  { context }: Task,
): Pick<Dial, "variables" | "dynamicVariables"> {
  const all = new Map(placeholders.map((name) => [name, ""]));
  for (const [name, value] of Object.entries(context)) all.set(name, textOf(value));
  const listed = new Map(placeholders.map((name) => [name, all.get(name) ?? ""]));
  const dynamic = placeholders.length === 0 ? all : listed;
  return { variables: recordOf(all), dynamicVariables: recordOf(dynamic) };
}

/** With own properties alone, whatever their names. */
function recordOf(entries: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(entries);
}

const NEW_CALL = {
  state: "placing",
  carrierCallId: null,
  placedAt: null,
  ringingAt: null,
  answeredAt: null,
  endedAt: null,
  talkMs: null,
  checks: 0,
  concludeBy: null,
  outcome: null,
  word: null,
  reported: null,
  callbackAt: null,
  assumed: false,
  verdict: null,
  decidedAt: null,
  costMicros: null,
  currency: null,
  recordingUrl: null,
  transcript: null,
  analysis: null,
  erased: false,
} as const;
