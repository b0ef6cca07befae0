import { render } from "../core/template.ts";
import type { Dial } from "./carrier.ts";

/** Longest TwiML that comes with a call, characters. */
export const TWIML_CHARS_MAX = 4000;

/** What Twilio is to do once somebody answers: fetch an address, or follow TwiML of ours. */
export type Words = { Url: string } | { Twiml: string } | { wrong: string };

/**
 * An agent at Twilio is one of: a prompt, which is TwiML with `${placeholders}` or a plain text to
 * say; or, without a prompt, its `carrierAgentId` as an address: `https:` of TwiML, `wss:` of a voice
 * bot that gets the values as `<Parameter>`s. Values are text, never markup.
 */
export function wordsOf(dial: Dial): Words {
  const { carrierAgentId, prompt } = dial;
  if (prompt === null && /^https?:\/\//.test(carrierAgentId)) return { Url: carrierAgentId };
  const twiml = prompt === null ? streamOf(dial) : spokenOf(prompt, dial.variables);
  if (twiml === null) return { wrong: "the agent has no prompt, and its id is no address" };
  if (twiml.length > TWIML_CHARS_MAX) return { wrong: "the TwiML is longer than 4,000 characters" };
  return { Twiml: twiml };
}

function streamOf({ carrierAgentId, dynamicVariables }: Dial): string | null {
  if (!carrierAgentId.startsWith("wss://")) return null;
  const values = Object.entries(dynamicVariables).map(
    ([name, value]) => `<Parameter name="${xml(name)}" value="${xml(value)}"/>`,
  );
  const stream = `<Stream url="${xml(carrierAgentId)}">${values.join("")}</Stream>`;
  return `<Response><Connect>${stream}</Connect></Response>`;
}

function spokenOf(prompt: string, variables: Record<string, string>): string {
  if (!prompt.trimStart().startsWith("<")) {
    return `<Response><Say>${xml(render(prompt, variables))}</Say></Response>`;
  }
  const escaped = Object.entries(variables).map(([name, value]) => [name, xml(value)]);
  return render(prompt, Object.fromEntries(escaped));
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** A text for an element or an attribute, without the signs that no XML can hold. */
export function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");
}
