import type { Turn } from "../core/call.ts";
import { OUTCOMES, type Outcome, OWN_OUTCOME } from "../core/outcome.ts";

/*
 * What carriers write, read with doubt: a field that is missing or misspelt says nothing.
 */

export type Fields = Record<string, unknown>;

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

/** What lies at a path like `data.payload.0.id`; undefined where there is nothing. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Fields)[key];
  }
  return found;
}

/** A text that is not empty, half characters replaced: it may become part of an address. */
export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.toWellFormed() : null;
}

/** A number, also where it was written as text. */
export function number(value: unknown): number | null {
  const read = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof read === "number" && Number.isFinite(read) ? read : null;
}

const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?$/;
/** Seconds of this century are below it, milliseconds above. */
const SECONDS_MAX = 1e11;

/** An instant in epoch ms, from seconds, milliseconds, ISO 8601 or RFC 2822; without a zone it is UTC. */
export function instant(value: unknown): number | null {
  const count = number(value);
  if (count !== null) return Math.round(Math.abs(count) < SECONDS_MAX ? count * 1000 : count);
  if (typeof value !== "string") return null;
  const parsed = Date.parse(WITHOUT_ZONE.test(value) ? `${value.replace(" ", "T")}Z` : value);
  return Number.isNaN(parsed) ? null : parsed;
}

/** A duration in ms. */
export function duration(value: unknown, unitMs: number): number | null {
  const count = number(value);
  return count === null ? null : Math.round(count * unitMs);
}

/** An amount in millionths of a currency; costs that are written as a debit count as positive. */
export function micros(value: unknown, unit = 1): number | null {
  const amount = number(value);
  return amount === null ? null : Math.round(Math.abs(amount) * unit * 1_000_000);
}

/**
 * The outcome that an agent's own analysis names in its field `outcome`, as models write it
 * (`Not interested`); null where that could be none (H18).
 */
export function outcomeIn(analysis: unknown): Outcome | null {
  const said = text(fieldsOf(analysis)?.outcome);
  if (said === null) return null;
  const word = said
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, "_");
  return OUTCOMES.some((known) => known === word) || OWN_OUTCOME.test(word) ? word : null;
}

/** When the person asked to be called again, by the analysis's field `callbackAt` or `callback_at` (H20). */
export function callbackIn(analysis: unknown): number | null {
  const fields = fieldsOf(analysis);
  return instant(fields?.callbackAt ?? fields?.callback_at);
}

const AGENT = new Set(["agent", "assistant", "bot", "ai", "model", "robot"]);
const PERSON = new Set(["user", "human", "customer", "person", "callee"]);

/** A transcript that is a list of turns; what neither side said is left out. */
export function turns(
  list: unknown,
  names: { speaker: string; text: string; at?: string; unitMs?: number },
): Turn[] | null {
  if (!Array.isArray(list)) return null;
  return list.flatMap((entry): Turn[] => {
    const who = String(at(entry, names.speaker) ?? "").toLowerCase();
    const said = text(at(entry, names.text));
    if (said === null || !(AGENT.has(who) || PERSON.has(who))) return [];
    const atMs = names.at === undefined ? null : duration(at(entry, names.at), names.unitMs ?? 1);
    return [{ speaker: AGENT.has(who) ? "agent" : "person", text: said, atMs }];
  });
}

/** A transcript that is one text, a turn a line: `Agent: …`, `user: …`. */
export function turnsOfText(value: unknown): Turn[] | null {
  const whole = text(value);
  if (whole === null) return null;
  const read: Turn[] = [];
  for (const line of whole.split(/\r?\n/)) {
    const [, who = "", said = ""] = /^\s*([A-Za-z]{1,20})\s*:\s*(.*)$/.exec(line) ?? [];
    const name = who.toLowerCase();
    const last = read.at(-1);
    if (AGENT.has(name) || PERSON.has(name)) {
      read.push({ speaker: AGENT.has(name) ? "agent" : "person", text: said, atMs: null });
    } else if (line.trim() !== "" && last !== undefined) last.text += `\n${line.trim()}`;
    else if (line.trim() !== "") read.push({ speaker: "agent", text: line.trim(), atMs: null });
  }
  return read;
}

/** The JSON object of a report; a SyntaxError where it is none. */
export function parseFields(body: Uint8Array): Fields {
  const fields = fieldsOf(JSON.parse(new TextDecoder().decode(body)));
  if (fields === null) throw new SyntaxError("a report is a JSON object");
  return fields;
}
