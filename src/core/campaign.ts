import type { AgentId, CampaignId, NumberId, WorkspaceId } from "./ids.ts";
import type { Outcome } from "./outcome.ts";
import type { Hours, Weekdays } from "./window.ts";

/** H1 */
export const CAMPAIGN_TYPES = ["batch", "realtime"] as const;
export type CampaignType = (typeof CAMPAIGN_TYPES)[number];

/** H24: a campaign's level; `callback` stands above them all and belongs to a task alone. */
export const BANDS = ["high", "normal", "low"] as const;
export type Band = (typeof BANDS)[number];

/** H28, in the order in which a campaign can pass through them. */
export const CAMPAIGN_STATUSES = [
  "scheduled", // nothing was dialled yet
  "running", // at least one task has started
  "paused", // by hand; resume brings it back
  "completed", // a batch whose tasks all ended, or the end time passed
  "archived", // by hand, for good
] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/** What people set on a campaign (H2), as outdial keeps it. Instants are epoch ms, durations ms. */
export type CampaignSettings = {
  name: string;
  type: CampaignType;
  agent: AgentId | null;
  from: NumberId | null;
  band: Band;
  timezone: string;
  /** null: from creation on; for a batch, from the instant its first import is complete (H11). */
  startAfter: number | null;
  endAfter: number | null;
  hours: Hours;
  days: Weekdays;
  /** Total attempts, at least 1 (H16). */
  attemptsMax: number;
  /** Gaps between attempts; a list that is too short repeats its last (H2). Never empty. */
  intervalsMs: number[];
  /** Outcomes chosen beside those always retried (H18). */
  retryOutcomes: Outcome[];
  /** The campaign's own limit (H27), or null. */
  slotsMax: number | null;
};

/** Counts kept with the campaign, in the transaction of the change itself; never by COUNT. */
export type Counters = {
  queued: number;
  running: number;
  completed: number;
  paused: number;
  archived: number;
  /** Concluded attempts, all outcomes together. */
  attempts: number;
  /** Time that people were on the line, ms. */
  talkMs: number;
  /** Concluded attempts by outcome. */
  outcomes: Record<Outcome, number>;
};

/** H41: why nothing is dialled. */
export const WAITING_REASONS = [
  "start",
  "hours",
  "interval",
  "callback",
  "import",
  "paused",
  "slots",
  "limit",
  "pace",
  "connection",
] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];
/** `until` is epoch ms, or null while only an event can tell. `detail` names a connection's trouble. */
export type Waiting = { reason: WaitingReason; until: number | null; detail?: string };

/** A campaign as everything outside the Dialer sees it. */
export type CampaignRecord = {
  id: CampaignId;
  workspace: WorkspaceId;
  settings: CampaignSettings;
  status: CampaignStatus;
  /** The instant that counts as start (H11, H13), or null while a batch waits for its first import. */
  startsAt: number | null;
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  archivedAt: number | null;
  counters: Counters;
  waiting: Waiting | null;
};
