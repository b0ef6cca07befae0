/** A duration in ms, or the ends of a range to draw from. */
export type Span = number | [number, number];

/** What an agent's settings, or a behaviour for every call, say about calls. */
export type CallSettings = {
  /** Outcome → weight. A word that is no usual outcome is the agent's own and comes with the analysis. */
  mix?: Record<string, number>;
  /** The agent's own outcomes: a connected call draws one of them for its analysis. */
  outcomes?: string[];
  /** From the dial to the answer, or to the end of a call that nobody answers. */
  ringMs?: Span;
  /** From the answer to the end. */
  talkMs?: Span;
  /** From the end to the analysis. */
  analysisMs?: Span;
  /** From the end to the time that a `busy_callback` of the mix asks for; null: no time. */
  callbackMs?: Span | null;
  /** `all`: start, end, analysis; `end`: only the end, with the analysis inside. */
  reports?: "all" | "end";
};

/** What `POST /_/behaviour` sets; it goes before the agent's settings. */
export type Behaviour = CallSettings & {
  /** Divides every duration, waits of reports included. */
  speed?: number;
  /** Calls in flight at most; further dials are refused with 429. */
  capacity?: number;
  /** The API is out, until told otherwise or for so long (ms). Calls in progress go on. */
  down?: boolean;
  outageMs?: number;
  /** How it is out: 503, the edge's 521, or the connection is cut. */
  outage?: "503" | "521" | "cut";
  /** Waits before a report that did not get through is sent again, ms. */
  retriesMs?: number[];
};

export type DialRequest = {
  to: string;
  from: string;
  agentId: string;
  prompt: string | null;
  variables: Record<string, string>;
  metadata: Record<string, unknown>;
  reportUrl: string;
  /** Longest talk, ms. */
  maxDurationMs: number;
  settings: CallSettings;
};

/** A body that means nothing here; the message says where and why. */
export class BadRequest extends Error {}

const SETTINGS = [
  "mix",
  "outcomes",
  "ringMs",
  "talkMs",
  "analysisMs",
  "callbackMs",
  "reports",
] as const;
const BEHAVIOUR = [
  ...SETTINGS,
  "speed",
  "capacity",
  "down",
  "outageMs",
  "outage",
  "retriesMs",
] as const;
type Key = (typeof BEHAVIOUR)[number];

const DURATION_MAX = 24 * 3_600_000;
const isDuration = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= DURATION_MAX;
const isSpan = (value: unknown): value is Span =>
  isDuration(value) ||
  (Array.isArray(value) &&
    value.length === 2 &&
    value.every(isDuration) &&
    Number(value[0]) <= Number(value[1]));

/** What each key expects, in words, and whether a value is that. */
const CHECKS: Record<Key, [string, (value: unknown) => boolean]> = {
  mix: [
    "an object of outcome → weight",
    (value) =>
      isRecord(value) &&
      Object.values(value).every((weight) => typeof weight === "number" && weight >= 0) &&
      Object.values(value).some((weight) => weight !== 0),
  ],
  outcomes: ["a list of words", (value) => Array.isArray(value) && value.every(isWord)],
  ringMs: ["ms or [least, most]", isSpan],
  talkMs: ["ms or [least, most]", isSpan],
  analysisMs: ["ms or [least, most]", isSpan],
  callbackMs: ["ms, [least, most] or null", (value) => value === null || isSpan(value)],
  reports: ["all or end", (value) => value === "all" || value === "end"],
  speed: ["a number above 0", (value) => typeof value === "number" && value > 0],
  capacity: ["a whole number", (value) => Number.isSafeInteger(value) && Number(value) >= 0],
  down: ["true or false", (value) => typeof value === "boolean"],
  outageMs: ["ms", isDuration],
  outage: ["503, 521 or cut", (value) => ["503", "521", "cut"].includes(String(value))],
  retriesMs: ["a list of ms", (value) => Array.isArray(value) && value.every(isDuration)],
};

/** Agents may carry settings of other kinds: those are left alone. */
export function readCallSettings(value: unknown): CallSettings {
  if (value === undefined || value === null) return {};
  const record = asRecord(value, "settings");
  return pick(record, SETTINGS, "settings.") as CallSettings;
}

/** A behaviour's change: given keys are set, a null takes one back (`callbackMs` has none to take back). */
export function readBehaviour(value: unknown, current: Behaviour): Behaviour {
  const record = asRecord(value, "body");
  const stranger = Object.keys(record).find((key) => !BEHAVIOUR.some((known) => known === key));
  if (stranger !== undefined) throw new BadRequest(`${stranger}: unknown`);
  const next: Record<string, unknown> = { ...current };
  for (const key of BEHAVIOUR) {
    if (record[key] === null && key !== "callbackMs") delete next[key];
  }
  return Object.assign(next, pick(record, BEHAVIOUR, "")) as Behaviour;
}

export function readDial(value: unknown): DialRequest {
  const body = asRecord(value, "body");
  const to = asText(body.to, "to");
  if (!/^\+[1-9]\d{6,14}$/.test(to)) throw new BadRequest(`to: expected +digits, got ${to}`);
  const reportUrl = asText(body.reportUrl, "reportUrl");
  if (!/^https?:\/\//.test(reportUrl) || !URL.canParse(reportUrl)) {
    throw new BadRequest("reportUrl: expected an http or https address");
  }
  const maxDurationMs = body.maxDurationMs ?? 1_800_000;
  if (!isDuration(maxDurationMs)) throw new BadRequest("maxDurationMs: expected ms");
  const variables: Record<string, string> = {};
  for (const [key, text] of Object.entries(asRecord(body.variables ?? {}, "variables"))) {
    if (typeof text !== "string") throw new BadRequest(`variables.${key}: expected a text`);
    variables[key] = text;
  }
  return {
    to,
    from: asText(body.from, "from"),
    agentId: asText(body.agentId, "agentId"),
    prompt:
      body.prompt === undefined || body.prompt === null ? null : asText(body.prompt, "prompt"),
    variables,
    metadata: asRecord(body.metadata ?? {}, "metadata"),
    reportUrl,
    maxDurationMs,
    settings: readCallSettings(body.settings),
  };
}

function pick(
  record: Record<string, unknown>,
  keys: readonly Key[],
  path: string,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const key of keys) {
    const value = record[key];
    if (value === undefined || (value === null && key !== "callbackMs")) continue;
    const [expected, fits] = CHECKS[key];
    if (!fits(value)) throw new BadRequest(`${path}${key}: expected ${expected}`);
    picked[key] = value;
  }
  return picked;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function asRecord(value: unknown, path: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new BadRequest(`${path}: expected an object`);
}

function asText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw new BadRequest(`${path}: expected a text`);
}
