/** How an attempt ended (H18). An agent may add outcomes of its own; the carrier's word is kept beside. */
export const OUTCOMES = [
  "connected", // a conversation took place
  "no_answer",
  "busy",
  "failed", // the call broke, or its lease ran out
  "init_failed", // the carrier refused to place it
  "busy_callback", // the person asked for another time
  "voicemail",
  "no_response", // connected, but the person stayed silent
] as const;
export type KnownOutcome = (typeof OUTCOMES)[number];
/** A known outcome or one of the agent's own: lower-case snake, up to 64 characters. */
export type Outcome = string;

/** H18: retried whether chosen or not (`busy_callback` too, where the agent uses it). */
export const ALWAYS_RETRIED = ["no_answer", "busy", "failed", "init_failed"] as const;
/** H18: retried only when chosen; so are the agent's own outcomes. */
export const RETRIED_WHEN_CHOSEN = ["voicemail", "no_response"] as const;

export const OWN_OUTCOME = /^[a-z][a-z0-9_]{0,63}$/;

/** Whether `text` is an outcome that an agent with these outcomes of its own can report (H18). */
export function isOutcome(text: string, own: readonly string[]): boolean {
  return OUTCOMES.some((known) => known === text) || own.includes(text);
}
