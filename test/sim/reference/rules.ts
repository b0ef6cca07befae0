import { OUTCOMES } from "../../../src/core/outcome.ts";

/* Rules of the handbook, each in its plainest form. Nothing of the product but its word lists. */

/** What of an agent decides about its calls (H18, H40). */
export type Agent = {
  id: string;
  connection: string;
  own: { name: string; suppress: boolean }[];
  usesCallback: boolean;
};

/** H18: tried again while attempts are left. */
export function triedAgain(outcome: string, agent: Agent, chosen: readonly string[]): boolean {
  if (["no_answer", "busy", "failed", "init_failed"].includes(outcome)) return true;
  if (outcome === "busy_callback") return agent.usesCallback;
  const own = agent.own.some((one) => one.name === outcome);
  const mayBeChosen = own || outcome === "voicemail" || outcome === "no_response";
  return mayBeChosen && chosen.includes(outcome);
}

/** H2, H17: the gap before attempt n, ms; a list that is too short repeats its last. */
export function gapBefore(attempt: number, gaps: readonly number[]): number {
  const at = Math.min(attempt - 2, gaps.length - 1);
  return gaps[at] ?? 30 * 60_000;
}

/** H17, H25: the number of attempt n inside its band. */
export function priorityOf(type: string, own: readonly number[] | null, attempt: number): number {
  if (type === "batch") return Math.max(0, 101 - attempt);
  if (own !== null && own.length > 0) return own[Math.min(attempt - 1, own.length - 1)] ?? 0;
  return Math.max(0, 201 - attempt);
}

/** A word that is neither known nor the agent's own says only whether somebody answered (H18). */
export function outcomeOf(word: string | null, agent: Agent, answered: boolean): string | null {
  if (word === null) return null;
  const known = OUTCOMES.some((one) => one === word) || agent.own.some((one) => one.name === word);
  if (known) return word;
  return answered ? "connected" : "failed";
}

/** H18: the task stays running until the analysis comes. */
export function awaitsAnalysis(agent: Agent, outcome: string | null, answered: boolean): boolean {
  if (agent.own.length === 0 && !agent.usesCallback) return false;
  if (outcome === null) return answered;
  return outcome === "connected";
}

/** Where a due task stands (H24). */
export type Place = {
  callback: boolean;
  band: string;
  priority: number;
  start: number;
  tiebreak: number;
};

const BANDS = ["high", "normal", "low"];

/** H24: whether `a` must be dialled before `b`. */
export function before(a: Place, b: Place): boolean {
  if (a.callback !== b.callback) return a.callback;
  if (a.band !== b.band) return BANDS.indexOf(a.band) < BANDS.indexOf(b.band);
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.start !== b.start) return a.start < b.start;
  return a.tiebreak < b.tiebreak;
}
