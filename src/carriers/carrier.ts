import type { Turn } from "../core/call.ts";
import type { CallId } from "../core/ids.ts";
import type { Outcome } from "../core/outcome.ts";

/** What a carrier is asked to dial. */
export type Dial = {
  /** Ours, made for this dial alone; goes into the carrier's metadata. */
  call: CallId;
  /** Where reports of this call go; holds a MAC, so it is secret. */
  reportUrl: string;
  phone: string;
  from: string;
  /** The carrier's own id of the number, where it wants one. */
  carrierNumberId: string | null;
  /** The carrier's own id of the agent. */
  carrierAgentId: string;
  prompt: string | null;
  /** The agent's own settings for this carrier. */
  agentSettings: Record<string, unknown>;
  /**
   * Placeholder → text, for what is rendered here: every placeholder of the agent, empty if need be
   * (H10), and the rest of the context.
   */
  variables: Record<string, string>;
  /**
   * The same for a vendor that renders by itself: only what the agent lists, for a context holds
   * personal data; all of it where the agent lists nothing, since its prompt is known to the vendor alone.
   */
  dynamicVariables: Record<string, string>;
  attempt: number;
  /** Longest call, ms: given to the carrier where it takes one (H22). */
  lengthMaxMs: number;
};

/**
 * Why a carrier took no call (H21):
 * capacity     too many calls or requests: back where it waited, no attempt used, the connection backs off
 * connection   the account is refused: the same
 * unreachable  the network's edge says that the carrier never got it: the same
 * permanent    the number cannot exist: the task completes with `failed`
 * rejected     anything else: the attempt is used, `init_failed`
 */
export const REFUSAL_KINDS = [
  "capacity",
  "connection",
  "unreachable",
  "permanent",
  "rejected",
] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

/** What came of asking. A thrown `fetch`, a timeout or an answer nobody can read is `unknown` (H22). */
export type Answer =
  | { kind: "accepted"; carrierCallId: string | null }
  | { kind: "refused"; reason: RefusalKind; word: string }
  | { kind: "unknown"; word: string };

/** News of one call, in outdial's words. Null is "this report does not say". */
export type CallNews = {
  /** The call is over: its slot is free. */
  ended: boolean;
  /** No later report can change the outcome: the task can be decided. */
  concluding: boolean;
  /** Set when the report says the carrier refused after all, for a call that never connected (H21). */
  refusal: RefusalKind | null;
  outcome: Outcome | null;
  word: string | null;
  ringingAt: number | null;
  answeredAt: number | null;
  endedAt: number | null;
  talkMs: number | null;
  callbackAt: number | null;
  /** Millionths of `currency`. */
  costMicros: number | null;
  currency: string | null;
  recordingUrl: string | null;
  transcript: Turn[] | null;
  analysis: Record<string, unknown> | null;
};

export const NO_NEWS: CallNews = {
  ended: false,
  concluding: false,
  refusal: null,
  outcome: null,
  word: null,
  ringingAt: null,
  answeredAt: null,
  endedAt: null,
  talkMs: null,
  callbackAt: null,
  costMicros: null,
  currency: null,
  recordingUrl: null,
  transcript: null,
  analysis: null,
};

/**
 * A report names its call by our id, by the carrier's, or both. `unknownWord` is the carrier's word
 * for an end that the adapter has no meaning for.
 */
export type CarrierReport = {
  call: string | null;
  carrierCallId: string | null;
  news: CallNews;
  unknownWord?: string;
};

/** What a look-up found. `unknown` decides nothing (H22); `unknownWord` is as in reports. */
export type Lookup =
  | {
      kind: "alive" | "over";
      carrierCallId: string | null;
      news: CallNews;
      unknownWord?: string;
    }
  | { kind: "unknown" };

export type ReportRequest = { url: string; headers: Headers; body: Uint8Array };

/** A carrier's settings after unsealing; each adapter reads its own. */
export type CarrierSettings = Record<string, unknown>;

/**
 * The seam to whatever places calls: one implementation per carrier, without state.
 * Faults (network) are thrown by `lookup`, `test`, `end` and `recording`; `place` turns them into `unknown`.
 */
export type Carrier = {
  readonly id: string;
  /** Settings that are no secrets: the only ones that the API ever shows whole. */
  readonly open: readonly string[];
  /** Issues of the settings, by field; empty when they are good. */
  check(settings: CarrierSettings): { path: string; expected: string; got: string }[];
  place(settings: CarrierSettings, dial: Dial, signal: AbortSignal): Promise<Answer>;
  lookup(
    settings: CarrierSettings,
    call: { call: CallId; carrierCallId: string | null },
    signal: AbortSignal,
  ): Promise<Lookup>;
  /** Asks for something that places no call; resolves when the carrier answers well. */
  test(settings: CarrierSettings, signal: AbortSignal): Promise<void>;
  end(settings: CarrierSettings, carrierCallId: string, signal: AbortSignal): Promise<void>;
  /** Whether the report is the carrier's own: over the raw body, in constant time. */
  verify(settings: CarrierSettings, request: ReportRequest, now: number): Promise<boolean>;
  /**
   * The reports in a body; empty when it holds none that matter. Throws a SyntaxError on a body that
   * cannot be read. Of the settings only what says how to read: nothing here proves anything.
   */
  read(request: ReportRequest, now: number, settings: CarrierSettings): CarrierReport[];
  /** Fetches a recording with the connection's credentials; passes a Range header on. */
  recording(settings: CarrierSettings, url: string, range: string | null): Promise<Response>;
};
