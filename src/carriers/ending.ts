import type { Outcome } from "../core/outcome.ts";
import { type CallNews, REFUSAL_KINDS, type RefusalKind } from "./carrier.ts";

/**
 * A vendor's words for how a call ended, each with what it means: an outcome, or `refused.<kind>`
 * for a call that the carrier took and then did not make (H21).
 */
export type Words = Readonly<Record<string, string>>;

/** How a call ended. A word that stands in no table counts as `failed`, and is told apart. */
export type Ending = { outcome: Outcome; refusal: RefusalKind | null; known: boolean };

export function endingOf(words: Words, word: string | null): Ending {
  const meaning = word !== null && Object.hasOwn(words, word) ? words[word] : undefined;
  return endingAs(meaning ?? null);
}

/** The ending that a meaning says; null is a word that nobody knows. */
export function endingAs(meaning: string | null): Ending {
  if (meaning === null) return { outcome: "failed", refusal: null, known: false };
  const refusal = REFUSAL_KINDS.find((kind) => meaning === `refused.${kind}`) ?? null;
  if (refusal === null) return { outcome: meaning, refusal, known: true };
  return { outcome: refusal === "permanent" ? "failed" : "init_failed", refusal, known: true };
}

/**
 * The news of an end: only a connected call can still get another outcome, with its analysis (H18).
 * `decided` is what that analysis says, and `analysed` whether nothing more comes.
 */
export function endNews(
  ending: Ending,
  decided: Outcome | null,
  analysed: boolean,
): Pick<CallNews, "ended" | "concluding" | "refusal" | "outcome"> {
  const connected = ending.outcome === "connected";
  const outcome = connected ? (decided ?? "connected") : ending.outcome;
  const concluding = !connected || analysed || outcome !== "connected";
  return { ended: true, concluding, refusal: ending.refusal, outcome };
}
