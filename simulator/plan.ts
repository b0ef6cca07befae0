import { type AnswerFault, type ReportFault, type Script, scriptOf } from "./numbers.ts";
import type { Behaviour, CallSettings, DialRequest, Span } from "./settings.ts";

/** How a call goes, decided when it is dialled. Durations are in real ms: the speed is applied. */
export type Plan = {
  ringMs: number;
  /** Null for a call that nobody answers. */
  talkMs: number | null;
  /** From the end (or its late report) to the analysis; null when there is none. */
  analysisMs: number | null;
  outcome: string;
  endedReason: string;
  analysisOutcome: string | null;
  /** From the end to the time the person asks for. */
  callbackMs: number | null;
  refusal: string | null;
  bare: boolean;
  events: "all" | "end";
  answer: { fault: AnswerFault | null; waitMs: number };
  reports: { fault: ReportFault | null; endLateMs: number };
};

/** A dial that is not taken; nothing rings. */
export type Refused = { status: number; code: string };

const USUAL = new Set([
  "connected",
  "no_answer",
  "busy",
  "failed",
  "init_failed",
  "busy_callback",
  "voicemail",
  "no_response",
]);
const UNANSWERED = new Set(["no_answer", "busy", "failed", "init_failed"]);

/** The carrier's own words, as unlike outdial's as a real carrier's. */
const REASONS: Record<string, string> = {
  connected: "hung-up",
  no_answer: "no-answer",
  busy: "line-busy",
  failed: "call-failed",
  busy_callback: "callback-requested",
  voicemail: "voicemail-detected",
  no_response: "silence-timed-out",
};

const DEFAULTS = {
  ringMs: [500, 1_500],
  talkMs: [2_000, 5_000],
  analysisMs: 1_000,
  callbackMs: 5_000,
  reports: "all",
} as const satisfies CallSettings;

/**
 * Plans the nth dial of a number. The same seed, number, settings and n plan the same call, in
 * whatever order the numbers are dialled.
 */
export function plan(
  dial: DialRequest,
  nth: number,
  behaviour: Behaviour,
  seed: number,
): Plan | Refused {
  const script = scriptOf(dial.to, nth);
  if (script?.refuse !== undefined) return script.refuse;
  const settings = { ...DEFAULTS, ...dial.settings, ...behaviour };
  const random = randomOf(`${seed}|${dial.to}|${nth}`);
  const speed = behaviour.speed ?? 1;
  const drawn = script === null ? drawOutcome(settings, random) : ofScript(script);
  const talkMs = Math.min(script?.talkMs ?? within(settings.talkMs, random), dial.maxDurationMs);
  const cutOff = talkMs === dial.maxDurationMs && drawn.outcome === "connected";
  const answered = !UNANSWERED.has(drawn.outcome);
  const callsBack = drawn.outcome === "busy_callback" || drawn.analysisOutcome === "busy_callback";
  const callbackMs = script?.callbackMs !== undefined ? script.callbackMs : settings.callbackMs;
  const refusal = script?.refusal ?? null;
  return {
    ringMs: within(settings.ringMs, random) / speed,
    talkMs: answered ? talkMs / speed : null,
    analysisMs:
      answered && script?.reports !== "no_analysis"
        ? (script?.reports === "analysis_late" ? 300_000 : within(settings.analysisMs, random)) /
          speed
        : null,
    outcome: drawn.outcome,
    endedReason: refusal ?? (cutOff ? "longest-call" : (REASONS[drawn.outcome] ?? drawn.outcome)),
    analysisOutcome: drawn.analysisOutcome,
    callbackMs: callsBack && callbackMs !== null ? within(callbackMs, random) / speed : null,
    refusal,
    bare: script?.bare ?? false,
    events: settings.reports,
    answer: {
      fault: script?.answer ?? null,
      waitMs: (script?.answer === "overdue" ? 20_000 : 5_000) / speed,
    },
    reports: { fault: script?.reports ?? null, endLateMs: 30_000 / speed },
  };
}

type Drawn = { outcome: string; analysisOutcome: string | null };

function ofScript(script: Script): Drawn {
  return {
    outcome: script.outcome ?? "connected",
    analysisOutcome: script.analysisOutcome ?? null,
  };
}

/** Usual outcomes are the end's; an agent's own comes with the analysis of a connected call. */
function drawOutcome(settings: CallSettings, random: () => number): Drawn {
  const word = drawWeighted(settings.mix ?? { connected: 1 }, random);
  if (!USUAL.has(word)) return { outcome: "connected", analysisOutcome: word };
  const own = settings.outcomes ?? [];
  if (word !== "connected" || own.length === 0) return { outcome: word, analysisOutcome: null };
  return { outcome: word, analysisOutcome: own[Math.floor(random() * own.length)] ?? null };
}

function drawWeighted(mix: Record<string, number>, random: () => number): string {
  const entries = Object.entries(mix);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random() * total;
  for (const [word, weight] of entries) {
    left -= weight;
    if (left < 0) return word;
  }
  return "connected";
}

function within(span: Span | readonly [number, number], random: () => number): number {
  if (typeof span === "number") return span;
  return Math.round(span[0] + random() * (span[1] - span[0]));
}

/** Numbers in [0, 1) that depend on the text alone: FNV-1a into mulberry32. */
function randomOf(text: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
