import {
  IconAlertTriangle,
  IconBell,
  IconBellOff,
  IconCircleCheck,
  IconClockHour4,
  IconEraser,
} from "@tabler/icons-react";
import {
  type DeliveryStatus,
  EVENT_TYPES,
  type EventType,
  type WebhookShape,
} from "../core/webhook.ts";
import type { Delivery, Webhook, WebhookTest } from "./things.ts";
import { relative, roughly } from "./times.ts";
import type { Look } from "./words.ts";

/** When an event is told, in a sentence. */
export const EVENT_MEANS: Readonly<Record<EventType, string>> = {
  "call.started": "The carrier has taken the call: the phone is about to ring",
  "call.ended": "The call is over; again, should its outcome turn out to be another one",
  "call.analyzed": "Transcript or analysis of the call has come",
  "task.completed": "The task is done: reached, or its attempts are used up",
  "task.archived": "It ended otherwise: by hand, by its end, by the do-not-call list",
  "campaign.started": "Its first call goes out",
  "campaign.paused": "Somebody paused it",
  "campaign.resumed": "Somebody let it go on",
  "campaign.completed": "Nothing of it is left to do",
  "campaign.archived": "Somebody ended it, with all tasks that waited",
  "import.completed": "All rows of a file are taken or rejected",
  "connection.suspended": "A carrier's account needs somebody to look at it",
  "connection.resumed": "Calls go out through it again",
};

const GROUP_NAMES: Readonly<Record<string, string>> = {
  call: "Calls",
  task: "Tasks",
  campaign: "Campaigns",
  import: "Imports",
  connection: "Connections",
};

/** Events as one chooses them: by what they are about. */
export const EVENT_GROUPS: readonly { name: string; types: readonly EventType[] }[] =
  Object.entries(GROUP_NAMES).map(([noun, name]) => ({
    name,
    types: EVENT_TYPES.filter((type) => type.startsWith(`${noun}.`)),
  }));

/** `every event`, `3 events: call.ended, …` */
export function eventsWords(types: readonly EventType[]): string {
  if (types.length === EVENT_TYPES.length) return "every event";
  if (types.length <= 3) return types.join(", ");
  return `${types.length} of ${EVENT_TYPES.length} events`;
}

export const SHAPE: Readonly<Record<WebhookShape, { label: string; means: string }>> = {
  standard: { label: "outdial's own", means: "Every event as the documentation describes it" },
  guide: {
    label: "The guide's",
    means:
      "Calls as callStart, callEnd, callEndConnected and callEndNotConnected, with the number that was called; other events in outdial's own shape",
  },
};

export const DELIVERY_STATUS: Readonly<Record<DeliveryStatus, Look>> = {
  waiting: { label: "Waiting", color: "orange", Icon: IconClockHour4 },
  delivered: { label: "Delivered", color: "teal", Icon: IconCircleCheck },
  failed: { label: "Given up", color: "red", Icon: IconAlertTriangle },
  erased: { label: "Erased", color: "gray", Icon: IconEraser },
};

type Health = Pick<Webhook, "failingSince" | "waiting">;

/** How a receiver takes what is sent to it. */
export function healthLook({ failingSince, waiting }: Health, now: number): Look {
  if (failingSince !== null) {
    const next = waiting === null ? "" : `, tries again ${relative(Math.max(waiting, now), now)}`;
    const label = `Failing for ${roughly(now - failingSince)}${next}`;
    return { label, color: "orange", Icon: IconAlertTriangle };
  }
  if (waiting !== null) {
    const label = `Events wait, next try ${relative(Math.max(waiting, now), now)}`;
    return { label, color: "orange", Icon: IconClockHour4 };
  }
  return { label: "Takes its events", color: "teal", Icon: IconCircleCheck };
}

/** Whether a webhook is told, and if not, why. */
export function webhookLook(webhook: Pick<Webhook, "off"> & Health, now: number): Look {
  const { off } = webhook;
  if (off !== null) {
    if (off.reason === null) return { label: "Off", color: "gray", Icon: IconBellOff };
    return { label: `Switched off: ${off.reason}`, color: "red", Icon: IconBellOff };
  }
  const look = healthLook(webhook, now);
  const isWell = webhook.failingSince === null && webhook.waiting === null;
  return isWell ? { label: "On", color: "teal", Icon: IconBell } : look;
}

/** `200 in 87 ms`, or that nobody answered; null before the first try. */
export function answerWords({ attempts, code, tookMs }: Delivery): string | null {
  if (attempts === 0 || tookMs === null) return null;
  return code === null ? `no answer in ${tookMs} ms` : `${code} in ${tookMs} ms`;
}

/** How what is sent differs from what is kept of an event and shown; null where it does not. */
export function sentWords(type: string, to: Pick<Webhook, "shape" | "texts">): string | null {
  if (!type.startsWith("call.")) return null;
  if (to.shape === "guide") return "It is sent in the guide's shape, with the number.";
  if (type !== "call.analyzed" || !to.texts) return null;
  return "It is sent with what was said, which is not kept here.";
}

/** What became of a test. */
export function testWords({ code, said, tookMs }: WebhookTest): string {
  const answered = code === null ? "No answer" : `Answered ${code} in ${tookMs} ms`;
  return said === "" ? answered : `${answered}: ${said}`;
}
