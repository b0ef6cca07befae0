import { assert } from "./assert.ts";

/** Events that systems outside are told of. */
export const EVENT_TYPES = [
  "call.started",
  "call.ended",
  "call.analyzed",
  "task.completed",
  "task.archived",
  "campaign.started",
  "campaign.paused",
  "campaign.resumed",
  "campaign.completed",
  "campaign.archived",
  "import.completed",
  "connection.suspended",
  "connection.resumed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `guide`: calls in the words of the guide that receivers may have been written for. */
export const WEBHOOK_SHAPES = ["standard", "guide"] as const;
export type WebhookShape = (typeof WEBHOOK_SHAPES)[number];

/** `failed`: given up; `erased`: the person it tells of was erased before it got through. */
export const DELIVERY_STATUSES = ["waiting", "delivered", "failed", "erased"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** In the place of a webhook's id: a task's own `statusCallbackUrl`. */
export const CALLBACKS = "callbacks";

/** Of every event: raised when its fields change their meaning. */
export const EVENT_VERSION = 1;

/**
 * Something that happened, as it waits to be told. It holds ids, times and outcomes, no number and
 * no text that was said. Instants are epoch ms.
 */
export type WebhookEvent = {
  /** `webhook-id`: the same whenever it is told again. */
  id: string;
  type: EventType;
  at: number;
  /** Larger than that of every event before it in the workspace. */
  sequence: number;
  /** Local keys, or null where it is of neither. */
  task: number | null;
  call: number | null;
  /** The task's own address, or null. */
  callback: string | null;
  /** Only the task's own address is told. */
  only: boolean;
  data: Record<string, unknown>;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long an event is tried at a receiver, and how long a receiver may fail before it is switched off, ms. */
export const GIVE_UP_MS = 72 * HOUR_MS;
/** Gaps between the tries of one event, ms; the last one repeats. */
export const RETRY_GAPS_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
] as const;
/** A receiver that asks for more patience than this does not get it, ms. */
const RETRY_AFTER_MAX_MS = 12 * HOUR_MS;

/**
 * When an event is tried again after so many tries, or null when it is given up: growing gaps, each
 * a fifth longer or shorter by chance (`random` in [0, 1)), never sooner than the receiver asked
 * for, and a last time when the three days since `since` are over.
 */
export function nextTry(
  tries: { attempts: number; since: number; now: number },
  retryAfterMs: number | null,
  random: number,
): number | null {
  const { attempts, since, now } = tries;
  assert(attempts >= 1, "a first try comes before a second");
  const end = since + GIVE_UP_MS;
  if (now >= end) return null;
  const gap = RETRY_GAPS_MS[Math.min(attempts, RETRY_GAPS_MS.length) - 1] ?? HOUR_MS;
  const drawn = Math.round(gap * (0.8 + 0.4 * random));
  const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
  return Math.min(now + Math.max(drawn, asked), Math.max(end, now + SECOND_MS));
}

/**
 * What an answer means. `gone`: nothing is sent there ever again; `busy`: the receiver wants a
 * pause from everybody; `refused`: this one is tried again, others need not wait for it. `status`
 * is null when no answer came in time.
 */
export type Reaction = "delivered" | "gone" | "busy" | "refused";

export function reactionTo(status: number | null): Reaction {
  if (status === null) return "busy";
  if (status >= 200 && status < 300) return "delivered";
  if (status === 410) return "gone";
  return status === 429 || status >= 500 ? "busy" : "refused";
}

/** `Retry-After` as ms from now: seconds, or an HTTP date that the caller has parsed; null when it is neither. */
export function retryAfterMs(header: string | null, now: number, parsed: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND_MS;
  return Number.isFinite(parsed) ? Math.max(0, parsed - now) : null;
}
