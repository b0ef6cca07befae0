import type { Waiting } from "../core/campaign.ts";
import { explain, type Standing } from "../core/waiting.ts";
import { type Campaign, isOver } from "./campaign.ts";
import { routeOf, shutOf } from "./dispatch.ts";
import type { Lane } from "./lanes.ts";
import type { State } from "./state.ts";
import { findTask } from "./tasks.ts";

/** Lanes of one campaign that an explanation looks at. */
const LANES_MAX = 200;

/** H41 for a task that waits in `lane` from `at` on; null when it is due and next. */
export function explainTask(
  state: State,
  lane: Lane,
  task: { at: number; attempts: number },
  now: number,
): Waiting | null {
  const campaign = state.campaign(lane.campaign);
  const route = routeOf(state, lane, campaign);
  const shut = shutOf(state, campaign, route, now);
  const opensAt = state.lanes.opensAt(lane, now, now);
  const standing: Standing = {
    now,
    paused: campaign.paused || lane.pause === campaign.epoch,
    importOpen: lane.import !== null && (state.importOf(lane.import)?.open ?? false),
    startsAt: campaign.startsAt,
    at: task.at,
    kind: lane.callback ? "callback" : task.attempts > 0 ? "retry" : "first",
    opensAt: opensAt === now ? null : (opensAt ?? Number.POSITIVE_INFINITY),
    connection: shut?.kind === "connection" ? { reason: shut.reason, until: shut.until } : null,
    pace: shut?.kind === "pace" ? { until: shut.until } : null,
    limitReached: shut?.kind === "limit",
    slotsFull: state.ledger.total >= (state.copies.workspace?.slots ?? 0),
  };
  const waiting = explain(standing);
  if (waiting === null || waiting.until === null || Number.isFinite(waiting.until)) return waiting;
  return { ...waiting, until: null };
}

/**
 * Why a campaign dials nothing (H41), or null when it does, or has nothing to dial: of its lanes
 * the one that can be dialled first.
 */
export function explainCampaign(state: State, campaign: Campaign, now: number): Waiting | null {
  if (isOver(campaign)) return null;
  if (campaign.waiting + campaign.held + campaign.running === 0) {
    // A batch with nothing left to do is over, but for an import that is to come or still open.
    if (campaign.settings.type === "realtime") return null;
    return campaign.paused ? { reason: "paused", until: null } : { reason: "import", until: null };
  }
  if (campaign.waiting + campaign.held === 0) return null;
  if (campaign.paused) return { reason: "paused", until: null };
  let best: Waiting | null = null;
  let looked = 0;
  for (const lane of state.lanes.ofCampaign(campaign.id)) {
    if (lane.head === null) continue;
    if (++looked > LANES_MAX) break;
    const attempts = lane.head.at > now ? (findTask(state.sql, lane.head.task)?.attempts ?? 0) : 0;
    const waiting = explainTask(state, lane, { at: lane.head.at, attempts }, now);
    if (waiting === null) return null;
    if (best === null || sooner(waiting, best)) best = waiting;
  }
  const taken = best?.reason === "slots" || best?.reason === "limit" || best?.reason === "pace";
  return taken && campaign.running > 0 ? null : best;
}

/** What only other calls hold up comes before what time lifts, and that before what a person must lift. */
function sooner(a: Waiting, b: Waiting): boolean {
  return firstChance(a) < firstChance(b);
}

function firstChance({ reason, until }: Waiting): number {
  if (reason === "slots" || reason === "limit" || reason === "pace") return 0;
  return until ?? Number.POSITIVE_INFINITY;
}
