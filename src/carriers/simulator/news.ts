import type { Turn } from "../../core/call.ts";
import { OUTCOMES, type Outcome, OWN_OUTCOME } from "../../core/outcome.ts";
import { type CallNews, type CarrierReport, NO_NEWS, type RefusalKind } from "../carrier.ts";

/** A call as the simulator writes it, in reports and look-ups; what it left out or misspelt is null. */
export type SimulatedCall = {
  id: string;
  callId: string | null;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  outcome: string | null;
  endedReason: string | null;
  refusal: string | null;
  callbackAt: number | null;
  costMicros: number | null;
  currency: string | null;
  recordingUrl: string | null;
  transcript: Turn[] | null;
  analysis: Record<string, unknown> | null;
};

/**
 * The reports in a body. `call.started` says that the person answered; `call.ended` frees the slot;
 * `call.analyzed` brings the rest and implies the end. Other events do not matter.
 */
export function readReport(text: string): CarrierReport[] {
  const body: unknown = JSON.parse(text);
  if (!isRecord(body)) throw new SyntaxError("a report is a JSON object");
  if (!["call.started", "call.ended", "call.analyzed"].includes(String(body.event))) return [];
  const call = readCall(body.call);
  if (call === null) throw new SyntaxError("a report names its call");
  // A start that is delivered late describes the call as it was then: it must not end anything.
  const news = newsOf(body.event === "call.started" ? { ...call, endedAt: null } : call);
  return [{ call: call.callId, carrierCallId: call.id, news }];
}

/** The call in an answer or report, or null when it has not even an id. */
export function readCall(value: unknown): SimulatedCall | null {
  if (!isRecord(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    callId: isRecord(value.metadata) ? textOf(value.metadata.callId) : null,
    ringingAt: wholeOf(value.ringingAt),
    answeredAt: wholeOf(value.answeredAt),
    endedAt: wholeOf(value.endedAt),
    talkMs: wholeOf(value.talkMs),
    outcome: textOf(value.outcome),
    endedReason: textOf(value.endedReason),
    refusal: textOf(value.refusal),
    callbackAt: wholeOf(value.callbackAt),
    costMicros: wholeOf(value.costMicros),
    currency: textOf(value.currency),
    recordingUrl: textOf(value.recordingUrl),
    transcript: Array.isArray(value.transcript) ? value.transcript.flatMap(turnOf) : null,
    analysis: isRecord(value.analysis) ? value.analysis : null,
  };
}

/**
 * In outdial's words. A connected call can still get an outcome of the agent's own or a callback
 * with its analysis (H18), so its end alone does not conclude; every other outcome stands.
 */
export function newsOf(call: SimulatedCall): CallNews {
  const news: CallNews = {
    ...NO_NEWS,
    ringingAt: call.ringingAt,
    answeredAt: call.answeredAt,
  };
  if (call.endedAt === null) return news;
  const outcome = outcomeOf(textOf(call.analysis?.outcome) ?? call.outcome);
  return {
    ...news,
    ended: true,
    concluding: outcome !== "connected" || call.analysis !== null,
    refusal: call.answeredAt === null ? refusalOf(call.refusal) : null,
    outcome,
    word: call.endedReason ?? call.outcome,
    endedAt: call.endedAt,
    talkMs: call.talkMs,
    callbackAt: wholeOf(call.analysis?.callbackAt) ?? call.callbackAt,
    costMicros: call.costMicros,
    currency: call.currency,
    recordingUrl: call.recordingUrl,
    transcript: call.transcript,
    analysis: call.analysis,
  };
}

/** A word that is neither known nor could be an agent's own counts as `failed`; the word is kept beside it. */
function outcomeOf(word: string | null): Outcome {
  if (word === null) return "failed";
  return OUTCOMES.some((known) => known === word) || OWN_OUTCOME.test(word) ? word : "failed";
}

/** H21: a refusal that comes by report. */
function refusalOf(code: string | null): RefusalKind | null {
  switch (code) {
    case null:
      return null;
    case "capacity":
      return "capacity";
    case "unauthorized":
    case "payment_required":
      return "connection";
    case "invalid_number":
      return "permanent";
    default:
      return "rejected";
  }
}

function turnOf(value: unknown): Turn[] {
  if (!isRecord(value) || typeof value.text !== "string") return [];
  const speaker = value.role === "agent" ? "agent" : "person";
  return [{ speaker, text: value.text, atMs: wholeOf(value.atMs) }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function wholeOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Math.round(value) : null;
}
