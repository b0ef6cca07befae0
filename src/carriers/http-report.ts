import { type CallNews, type CarrierReport, NO_NEWS, type RefusalKind } from "./carrier.ts";
import type { Meaning, ReportRules } from "./http-template.ts";
import {
  at,
  callbackIn,
  duration,
  type Fields,
  fieldsOf,
  instant,
  micros,
  outcomeIn,
  text,
  turns,
  turnsOfText,
} from "./reading.ts";

/** The fields of a report's body; a SyntaxError where they cannot be read. */
export function fieldsOfBody(format: ReportRules["format"], body: string): Fields {
  if (format === "form") return Object.fromEntries(new URLSearchParams(body));
  const fields = fieldsOf(JSON.parse(body));
  if (fields === null) throw new SyntaxError("a report is a JSON object");
  return fields;
}

/** What the rules make of a report, or of a call that a look-up found. */
export function readByRules(rules: ReportRules, fields: Fields): CarrierReport {
  const call = pathText(fields, rules.call);
  const carrierCallId = pathText(fields, rules.carrierCallId);
  return { call, carrierCallId, news: newsOf(rules, fields) };
}

function newsOf(rules: ReportRules, fields: Fields): CallNews {
  const word = wordIn(rules, fields);
  const meaning = Object.hasOwn(rules.words, word) ? (rules.words[word] ?? "nothing") : "nothing";
  const news: CallNews = {
    ...NO_NEWS,
    word: pathText(fields, rules.reason) ?? (word === "" ? null : word),
    ringingAt: pathInstant(fields, rules.ringingAt),
    answeredAt: pathInstant(fields, rules.answeredAt),
    ...factsOf(rules, fields),
  };
  switch (meaning) {
    case "nothing":
    case "ringing":
    case "talking":
      return { ...news, word: null };
    default:
      return { ...news, ...endOf(rules, fields, meaning) };
  }
}

/** A word that the rules do not know says nothing: it may be of a call that goes on. */
export function isKnownWord(rules: ReportRules, fields: Fields): boolean {
  return Object.hasOwn(rules.words, wordIn(rules, fields));
}

export function wordIn(rules: ReportRules, fields: Fields): string {
  const words = rules.word.map((path) => at(fields, path));
  return words
    .filter((one) => ["string", "number", "boolean"].includes(typeof one) && one !== "")
    .join(" ");
}

function endOf(rules: ReportRules, fields: Fields, meaning: Meaning): Partial<CallNews> {
  const endedAt = pathInstant(fields, rules.endedAt);
  if (meaning.startsWith("refused.")) {
    const refusal = meaning.slice("refused.".length) as RefusalKind;
    return { ended: true, concluding: true, refusal, outcome: "init_failed", endedAt };
  }
  if (meaning === "ended") return { ended: true, endedAt };
  const analysis = fieldsOf(rules.analysis === undefined ? null : at(fields, rules.analysis));
  const connected = meaning === "over" || meaning === "connected";
  const instead = connected
    ? (rules.instead ?? []).find((one) => String(at(fields, one.at)) === one.is)
    : undefined;
  const outcome = instead?.outcome ?? (connected ? (outcomeIn(analysis) ?? "connected") : meaning);
  return {
    ended: true,
    concluding: meaning !== "over" || outcome !== "connected",
    outcome,
    endedAt,
    callbackAt: callbackIn(analysis),
  };
}

/** What may come with any report, also long after the end. */
function factsOf(rules: ReportRules, fields: Fields): Partial<CallNews> {
  const { talk, cost, transcript } = rules;
  const costMicros = cost === undefined ? null : micros(at(fields, cost.at), cost.unit);
  return {
    talkMs: talk === undefined ? null : duration(at(fields, talk.at), talk.unitMs),
    costMicros,
    currency: costMicros === null ? null : (cost?.currency ?? null),
    recordingUrl: pathText(fields, rules.recording),
    transcript:
      transcript === undefined
        ? null
        : (turns(at(fields, transcript.at), {
            speaker: transcript.speaker ?? "role",
            text: transcript.text ?? "content",
          }) ?? turnsOfText(at(fields, transcript.at))),
    analysis: rules.analysis === undefined ? null : fieldsOf(at(fields, rules.analysis)),
  };
}

function pathText(fields: Fields, path: string | undefined): string | null {
  if (path === undefined) return null;
  const found = at(fields, path);
  return typeof found === "number" ? String(found) : text(found);
}

function pathInstant(fields: Fields, path: string | undefined): number | null {
  return path === undefined ? null : instant(at(fields, path));
}
