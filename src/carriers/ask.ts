import { withoutNumbers } from "../core/phone.ts";
import type { Answer, RefusalKind } from "./carrier.ts";
import { AddressRefused, type Outbound } from "./outbound.ts";

/** An answer larger than this is none of a carrier's. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const WORD_CHARS_MAX = 200;

/** What a carrier answered; `body` is null where it is no JSON. */
export type Reply = { status: number; body: unknown };

/** Asks a carrier and reads its answer to the end, so that the connection can be used again. */
export async function ask(out: Outbound, address: string, init: RequestInit): Promise<Reply> {
  const response = await out.fetch(address, init);
  return { status: response.status, body: parse(await readText(response)) };
}

/** A request with a JSON body, or without any. */
export function json(
  method: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  body?: unknown,
): RequestInit {
  if (body === undefined) return { method, headers, signal };
  return {
    method,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
}

/**
 * A dial's answer, whatever happens: a fault is unknown, since the dial may have got through (H22);
 * an address that is refused used no attempt. What a runtime says of a fault can quote headers, so
 * only its kind is kept.
 */
export async function placing(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AddressRefused) return refused("connection", cause.message);
    return { kind: "unknown", word: `no answer: ${cause instanceof Error ? cause.name : "fault"}` };
  }
}

/**
 * What a status alone says of a dial (H21): only one that proves that nothing was dialled is a
 * refusal. A redirect, a fault of the carrier's, and a timeout on the way prove nothing.
 */
export function byStatus(status: number, word: string | null): Answer {
  const said = word ?? `http ${status}`;
  if (status === 429) return refused("capacity", said);
  if (status === 401 || status === 402 || status === 403) return refused("connection", said);
  if (status === 521 || status === 523 || status === 530) return refused("unreachable", said);
  // 408 comes from something between us, after it has sent what it had.
  if (status >= 400 && status < 500 && status !== 408) return refused("rejected", said);
  return { kind: "unknown", word: wordOf(said) };
}

export function refused(reason: RefusalKind, word: string): Answer {
  return { kind: "refused", reason, word: wordOf(word) };
}

export function accepted(carrierCallId: string | null, status: number): Answer {
  return carrierCallId === null
    ? { kind: "unknown", word: `http ${status} without an id` }
    : { kind: "accepted", carrierCallId };
}

/** A carrier's text as a word of ours: short, on one line, and without the number that it may quote. */
export function wordOf(text: string): string {
  return withoutNumbers(text).replace(/\s+/g, " ").trim().slice(0, WORD_CHARS_MAX);
}

/** The carrier answered, and not well; the message names the status and nothing else. */
export class NotWell extends Error {}

/** For what must answer well: a look-up, a test, an end. */
export function mustBeOk(reply: { status: number }, what: string): void {
  if (reply.status < 200 || reply.status > 299) {
    throw new NotWell(`${what} answered http ${reply.status}`);
  }
}

/** A recording as it comes, or the part of it that a Range header names. */
export function fetchSound(
  out: Outbound,
  address: string,
  headers: Record<string, string>,
  range: string | null,
): Promise<Response> {
  return out.fetch(address, { headers: range === null ? headers : { ...headers, range } });
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      throw new Error("the carrier's answer is too large");
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
