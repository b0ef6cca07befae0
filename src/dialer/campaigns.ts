import { changeOf, type Origin } from "../core/audit.ts";
import type { CampaignRecord } from "../core/campaign.ts";
import { type CampaignBody, editCampaign, newCampaign } from "../core/campaign-body.ts";
import { type Refusal, refuse, type Warning } from "../core/result.ts";
import { campaignStatus } from "../core/status.ts";
import { type Campaign, recordOf } from "./campaign.ts";
import { hasEnded } from "./ending.ts";
import { record } from "./entries.ts";
import { explainCampaign } from "./explain.ts";
import { keepAnswer, keptAnswer } from "./idempotency.ts";
import { campaignOf } from "./moves.ts";
import { first } from "./sql.ts";
import type { State } from "./state.ts";
import type { Done, Idempotency } from "./verbs.ts";

type Written = { campaign: CampaignRecord; warnings: Warning[] };

/** A new campaign (H1–H3). A batch without a later start waits for its first import (H11). */
export function create(
  state: State,
  request: { body: CampaignBody; idempotency: Idempotency | null },
  origin: Origin | null,
  now: number,
): Done<Written> | Refusal {
  if (hasEnded(state)) return refuse("not_found", "There is no such workspace.");
  const kept = keptAnswer<Written>(state, request.idempotency, now);
  if (kept !== null) return kept.ok ? { ok: true, value: kept.answer } : kept;
  const read = newCampaign(request.body, state.copies.setup(), now);
  if (!read.ok) return refuse("invalid", "The campaign cannot be made as it is.", read.issues);
  const { settings, paused, warnings } = read.value;
  const campaign: Campaign = {
    id: state.nextId(),
    settings,
    paused,
    epoch: 1,
    startsAt: settings.startAfter ?? (settings.type === "batch" ? null : now),
    createdAt: now,
    startedAt: null,
    completedAt: null,
    archivedAt: null,
    expired: false,
    swept: false,
    waiting: 0,
    held: 0,
    running: 0,
    completed: 0,
    archived: 0,
    attempts: 0,
    talkMs: 0,
    outcomes: {},
  };
  state.addCampaign(campaign);
  const answer = { campaign: recordNow(state, campaign, now), warnings };
  keepAnswer(state, request.idempotency, answer, now);
  const target = answer.campaign.id;
  const deed = {
    action: "campaign.create",
    targetKind: "campaign",
    target,
    after: { ...settings },
  };
  record(state, origin, deed, now);
  return { ok: true, value: answer };
}

/** Changes settings; they count from the next dial on, for every waiting task (H4). */
export function edit(
  state: State,
  id: string,
  body: CampaignBody,
  origin: Origin | null,
  now: number,
): Done<Written> | Refusal {
  const campaign = campaignOf(state, id);
  if (campaign === null) return refuse("not_found", "There is no such campaign.");
  const current = {
    settings: campaign.settings,
    startedAt: campaign.startedAt,
    status: campaignStatus(campaign),
  };
  const read = editCampaign(current, body, state.copies.setup(), now);
  if (!read.ok) {
    if ("code" in read) return read;
    return refuse("invalid", "The campaign cannot be changed like this.", read.issues);
  }
  const { settings, warnings } = read.value;
  if (settings.startAfter !== campaign.settings.startAfter) {
    campaign.startsAt = settings.startAfter ?? startNow(state, campaign, now);
  }
  const change = changeOf({ ...campaign.settings }, { ...settings });
  if (Object.keys(change.after).length > 0) {
    const deed = { action: "campaign.edit", targetKind: "campaign", target: id };
    record(state, origin, { ...deed, ...change }, now);
  }
  campaign.settings = settings;
  state.touch(campaign, "all");
  state.lanes.rankCampaign(campaign.id, now);
  return { ok: true, value: { campaign: recordNow(state, campaign, now), warnings } };
}

/** "Start now": at once, but for a batch not before its first import is complete (H11). */
function startNow(state: State, campaign: Campaign, now: number): number | null {
  if (campaign.settings.type === "realtime") return now;
  const complete = first(
    state.sql,
    "SELECT 1 FROM import WHERE campaign = ? AND open = 0 AND taken > 0 LIMIT 1",
    campaign.id,
  );
  return complete === null ? null : now;
}

export function read(state: State, id: string, now: number): Done<CampaignRecord> | Refusal {
  const campaign = campaignOf(state, id);
  return campaign === null
    ? refuse("not_found", "There is no such campaign here.")
    : { ok: true, value: recordNow(state, campaign, now) };
}

function recordNow(state: State, campaign: Campaign, now: number): CampaignRecord {
  return recordOf(campaign, state.workspace, explainCampaign(state, campaign, now));
}
