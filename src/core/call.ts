import type { AgentId, CallId, CampaignId, ConnectionId, TaskId } from "./ids.ts";
import type { Outcome } from "./outcome.ts";

/** H29: what people see of a call. */
export const CALL_STATUSES = ["dialling", "ringing", "talking", "ended", "unknown"] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

/**
 * The states of a call:
 *
 *   placing ──accepted──▶ placed ──end──▶ ended ──conclude──▶ concluded
 *      │ answer lost        │  ▲             (waits for the analysis, H18)
 *      └──────▶ unknown ────┘  └ news of it
 *                  │ report, lookup or expiry
 *                  └────────▶ ended / concluded
 *
 * Placing, placed and unknown hold a slot: that is the lease (H22, H23).
 */
export const CALL_STATES = ["placing", "placed", "unknown", "ended", "concluded"] as const;
export type CallState = (typeof CALL_STATES)[number];

/** One spoken turn; `atMs` counts from the answer. */
export type Turn = { speaker: "agent" | "person"; text: string; atMs: number | null };

/** A call as everything outside the Dialer sees it (H32). Instants are epoch ms. */
export type CallRecord = {
  id: CallId;
  task: TaskId;
  campaign: CampaignId;
  attempt: number;
  status: CallStatus;
  agent: AgentId;
  connection: ConnectionId;
  carrier: string;
  carrierCallId: string | null;
  from: string;
  to: string;
  claimedAt: number;
  placedAt: number | null;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  outcome: Outcome | null;
  /** The carrier's own word for how it ended. */
  word: string | null;
  /** What a report said after another outcome was assumed (H22), or null. */
  reported: Outcome | null;
  callbackAt: number | null;
  /** Millionths of `currency`. */
  costMicros: number | null;
  currency: string | null;
  recordingUrl: string | null;
  transcript: Turn[] | null;
  analysis: Record<string, unknown> | null;
};
