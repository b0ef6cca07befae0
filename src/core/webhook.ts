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
