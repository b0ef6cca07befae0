import type { Turn } from "./call.ts";
import type { WorkspaceId } from "./ids.ts";
import { EVENT_VERSION, type WebhookEvent, type WebhookShape } from "./webhook.ts";

/** What D1 knows of the call that an event tells of, as it is when the event is sent. */
export type CallFacts = {
  /** Public ids. */
  call: string;
  task: string;
  campaign: string;
  attempt: number;
  outcome: string | null;
  word: string | null;
  to: string;
  from: string;
  carrierCallId: string | null;
  placedAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  transcript: Turn[] | null;
  analysis: Record<string, unknown> | null;
};

/** An event as D1 keeps it and receivers get it, but for what was said in the call. Instants are epoch ms. */
export function bodyOf(event: WebhookEvent, workspace: WorkspaceId): Record<string, unknown> {
  const { type, at, sequence, data } = event;
  return {
    type,
    timestamp: new Date(at).toISOString(),
    version: EVENT_VERSION,
    sequence,
    workspace,
    data,
  };
}

type Sent = { type: string; data: Record<string, unknown> } & Record<string, unknown>;

/** Whether the call must be looked up before the event can be sent. */
export function needsFacts(
  to: { shape: WebhookShape; texts: boolean },
  event: { type: string; data: Record<string, unknown> },
): boolean {
  if (!event.type.startsWith("call.")) return false;
  const late = event.data.task === undefined;
  return to.shape === "guide" || late || (to.texts && event.type === "call.analyzed");
}

/** The text that is sent: what is kept, and what of the call this receiver wants and needs. */
export function textOf(
  kept: Sent,
  to: { shape: WebhookShape; texts: boolean },
  call: CallFacts | null,
): string {
  if (call === null) return JSON.stringify(kept);
  if (to.shape === "guide") return JSON.stringify(guideOf(kept, call));
  const { transcript, analysis } = call;
  const ids = { call: call.call, task: call.task, campaign: call.campaign };
  const facts = { ...ids, attempt: call.attempt, outcome: call.outcome };
  const said = to.texts && kept.type === "call.analyzed" ? { transcript, analysis } : {};
  const data = { ...facts, ...kept.data, ...said };
  return JSON.stringify({ ...kept, data });
}

/** A call's event in the words of the guide. */
function guideOf(kept: Sent, call: CallFacts): Record<string, unknown> {
  const connected = call.answeredAt !== null;
  const { answeredAt, placedAt, outcome } = call;
  return {
    event: guideNameOf(kept, connected),
    callInfo: {
      to: call.to,
      from: call.from,
      task: call.task,
      callSid: call.carrierCallId,
      attempt: call.attempt,
      status: kept.type === "call.started" ? "ringing" : (outcome ?? "ended"),
      endReason: call.word,
    },
    connected,
    duration: call.talkMs === null ? null : Math.round(call.talkMs / 1_000),
    beginTimestamp: answeredAt ?? placedAt,
    outcome,
  };
}

/** `callEnd` while the outcome is awaited, and which of the two ends it was once it is known. */
function guideNameOf(kept: Sent, connected: boolean): string {
  if (kept.type === "call.started") return "callStart";
  if (kept.type === "call.ended" && kept.data.outcome === null) return "callEnd";
  return connected ? "callEndConnected" : "callEndNotConnected";
}
