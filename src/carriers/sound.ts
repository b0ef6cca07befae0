import { withoutNumbers } from "../core/phone.ts";
import type { CallNews, CarrierReport } from "./carrier.ts";

const INSTANT_MIN = Date.UTC(2000, 0, 1);
const INSTANT_MAX = Date.UTC(2100, 0, 1);
const ID_CHARS_MAX = 200;
const WORD_CHARS_MAX = 500;
/** Of words that are counted, as keys. */
const UNKNOWN_WORD_CHARS_MAX = 100;
const URL_CHARS_MAX = 2_000;
const CURRENCY_CHARS_MAX = 16;
/** A thousand such amounts still add up exactly: 30 years, or a million of a currency. */
const AMOUNT_MAX = 1e12;

/** A report with only what can be kept of it; an id that is too long to be one is none. */
export function soundReport(report: CarrierReport): CarrierReport {
  const { call, carrierCallId, news } = report;
  return { call, carrierCallId: atMost(carrierCallId, ID_CHARS_MAX), news: soundNews(news) };
}

/**
 * News with only what can be kept: carriers pass on what people and models say, so a callback may
 * be asked for in the year 9999 and a cost be anything. What is no instant of this century, no
 * amount or too long is not said.
 */
export function soundNews(news: CallNews): CallNews {
  return {
    ...news,
    // Some carriers quote the number in their reason, which more people see than may see numbers.
    word: news.word === null ? null : withoutNumbers(news.word).slice(0, WORD_CHARS_MAX),
    ringingAt: instant(news.ringingAt),
    answeredAt: instant(news.answeredAt),
    endedAt: instant(news.endedAt),
    talkMs: news.talkMs !== null && news.talkMs >= 0 ? amount(news.talkMs) : null,
    callbackAt: instant(news.callbackAt),
    costMicros: amount(news.costMicros),
    currency: atMost(news.currency, CURRENCY_CHARS_MAX),
    recordingUrl: atMost(news.recordingUrl, URL_CHARS_MAX),
  };
}

/** A word that no adapter has a meaning for, as it is counted; null where there is none. */
export function soundWord(word: string | undefined): string | null {
  if (word === undefined || word === "") return null;
  return withoutNumbers(word.slice(0, UNKNOWN_WORD_CHARS_MAX)).toWellFormed();
}

function instant(at: number | null): number | null {
  return at !== null && at >= INSTANT_MIN && at < INSTANT_MAX ? at : null;
}

function amount(value: number | null): number | null {
  return value !== null && Math.abs(value) <= AMOUNT_MAX ? value : null;
}

function atMost(text: string | null, chars: number): string | null {
  return text !== null && text.length <= chars ? text.toWellFormed() : null;
}
