/** How the answer to a dial goes wrong; the call, unless said otherwise, goes on. */
export type AnswerFault =
  | "slow" // dialled and answered only after 5 s
  | "overdue" // dialled at once, answered after 20 s
  | "after_end" // answered once the end report was sent
  | "lost" // dialled, then the connection is cut
  | "lost_undialled" // the connection is cut, nothing is dialled
  | "error" // dialled, answered with 500
  | "unreadable"; // dialled, answered with 202 and no JSON

/** How reports go wrong. */
export type ReportFault =
  | "none" // nothing is ever sent
  | "start_only" // end and analysis are lost
  | "twice" // each is sent twice
  | "end_late" // the end is sent 30 s late, the analysis after it
  | "reversed" // analysis, then end, then start
  | "no_analysis" // there never is one
  | "analysis_late" // 5 min after the end
  | "forged_first"; // before each comes one with a wrong signature

/** What a number does instead of drawing from the mix. Where it says nothing, the call connects. */
export type Script = {
  does: string;
  /** Only the first so many dials of a number do this; later ones connect. */
  first?: number;
  /** Nothing is dialled; the answer is this status. */
  refuse?: { status: number; code: string };
  answer?: AnswerFault;
  reports?: ReportFault;
  outcome?: string;
  /** An outcome of the agent's own, or a callback, that comes with the analysis. */
  analysisOutcome?: string;
  /** From the end to the time that the person asks for; null asks without a time. */
  callbackMs?: number | null;
  talkMs?: number;
  /** The end report says that the call was refused after all. */
  refusal?: string;
  /** Reports without cost, recording and transcript. */
  bare?: boolean;
};

/** By last four digits. Only these change what a call does; docs/simulator.md lists them. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  "0001": { does: "no answer", outcome: "no_answer" },
  "0002": { does: "busy", outcome: "busy" },
  "0003": { does: "the call breaks: failed", outcome: "failed" },
  "0004": { does: "voicemail", outcome: "voicemail" },
  "0005": { does: "answered, but silent: no response", outcome: "no_response" },
  "0006": { does: "asks for a callback in 5 s", outcome: "busy_callback", callbackMs: 5_000 },
  "0007": {
    does: "asks for a callback without a time",
    outcome: "busy_callback",
    callbackMs: null,
  },
  "0008": { does: "own outcome `interested` with the analysis", analysisOutcome: "interested" },
  "0009": {
    does: "own outcome `not_interested` with the analysis",
    analysisOutcome: "not_interested",
  },
  "0010": { does: "refused: 422, invalid number", refuse: { status: 422, code: "invalid_number" } },
  "0011": { does: "refused for capacity: 429, always", refuse: { status: 429, code: "capacity" } },
  "0012": {
    does: "refused for capacity twice, then connects",
    first: 2,
    refuse: { status: 429, code: "capacity" },
  },
  "0013": {
    does: "account refused: 402, always",
    refuse: { status: 402, code: "payment_required" },
  },
  "0014": { does: "rejected: 400", refuse: { status: 400, code: "rejected" } },
  "0015": { does: "dialled and answered after 5 s", answer: "slow" },
  "0016": { does: "answer lost after dialling; the call reports", answer: "lost" },
  "0017": {
    does: "answer lost after dialling, no report either: only a look-up tells",
    answer: "lost",
    reports: "none",
  },
  "0018": { does: "answer lost, nothing dialled", answer: "lost_undialled" },
  "0019": { does: "end and analysis are never reported", reports: "start_only" },
  "0020": { does: "each report comes twice", reports: "twice" },
  "0021": { does: "the end is reported 30 s late", reports: "end_late" },
  "0022": { does: "reports in reverse: analysis, end, start", reports: "reversed" },
  "0023": { does: "no analysis ever", reports: "no_analysis" },
  "0024": {
    does: "accepted, then refused for capacity by report, never connected; once, then connects",
    first: 1,
    outcome: "init_failed",
    refusal: "capacity",
  },
  "0025": { does: "the end is reported before the dial is answered", answer: "after_end" },
  "0026": { does: "no answer once, then connects", first: 1, outcome: "no_answer" },
  "0027": { does: "a long call: 10 min", talkMs: 600_000 },
  "0028": { does: "answered with 500 after dialling; the call reports", answer: "error" },
  "0029": {
    does: "the edge answers 521 twice, nothing dialled; then connects",
    first: 2,
    refuse: { status: 521, code: "web_server_down" },
  },
  "0030": {
    does: "503 once, nothing dialled (but nothing proves it); then connects",
    first: 1,
    refuse: { status: 503, code: "unavailable" },
  },
  "0031": {
    does: "account refused: 401 once, then connects",
    first: 1,
    refuse: { status: 401, code: "unauthorized" },
  },
  "0032": { does: "dialled, the answer cannot be read", answer: "unreadable" },
  "0033": {
    does: "redirected: 307 once, nothing dialled; then connects",
    first: 1,
    refuse: { status: 307, code: "moved" },
  },
  "0034": { does: "ends with a word that nobody knows: `Line Gremlins`", outcome: "Line Gremlins" },
  "0035": {
    does: "asks for a callback at a time that has passed; once, then connects",
    first: 1,
    outcome: "busy_callback",
    callbackMs: -60_000,
  },
  "0036": { does: "own outcome `interested` with the end already", outcome: "interested" },
  "0037": {
    does: "connected, and the analysis asks for a callback in 5 s; once, then connects",
    first: 1,
    analysisOutcome: "busy_callback",
    callbackMs: 5_000,
  },
  "0038": { does: "no answer twice, then connects", first: 2, outcome: "no_answer" },
  "0039": { does: "connected, without cost, recording and transcript", bare: true },
  "0040": {
    does: "before each report a forged one with another outcome",
    reports: "forged_first",
  },
  "0041": {
    does: "accepted, then an invalid number by report",
    outcome: "init_failed",
    refusal: "invalid_number",
  },
  "0042": {
    does: "accepted, then rejected by report",
    outcome: "init_failed",
    refusal: "rejected",
  },
  "0043": { does: "dialled at once, answered after 20 s", answer: "overdue" },
  "0044": { does: "the analysis comes 5 min after the end", reports: "analysis_late" },
};

/** The script of a number, or null for a number like any other; `nth` counts its dials from 1. */
export function scriptOf(phone: string, nth: number): Script | null {
  const suffix = phone.slice(-4);
  const script = Object.hasOwn(SCRIPTS, suffix) ? SCRIPTS[suffix] : undefined;
  if (script === undefined) return null;
  return script.first !== undefined && nth > script.first ? { does: "connects" } : script;
}
