import {
  ATTEMPTS_LIMIT,
  given,
  Notes,
  readAttempts,
  readFlag,
  readIntervals,
  readRetryOutcomes,
  readSpan,
  readText,
  readWhole,
  readWindow,
} from "./body.ts";
import {
  BANDS,
  type Band,
  CAMPAIGN_TYPES,
  type CampaignSettings,
  type CampaignStatus,
  type CampaignType,
} from "./campaign.ts";
import { type Refusal, type Result, refuse, type Warning } from "./result.ts";
import { DEFAULT_ATTEMPTS, DEFAULT_INTERVAL_MS } from "./retry.ts";
import { editPair, entryOf, fillPair, type Pair, type Setup } from "./setup.ts";
import { readInstant, shown } from "./time.ts";

/** Longest name of a campaign, characters. */
export const NAME_LIMIT = 200;

/** A campaign's body as it comes over the wire (H2); its meaning is read here. */
export type CampaignBody = {
  name?: unknown;
  type?: unknown;
  agent?: unknown;
  from?: unknown;
  priority?: unknown;
  priorities?: unknown;
  timezone?: unknown;
  startAfter?: unknown;
  endAfter?: unknown;
  start?: unknown;
  end?: unknown;
  days?: unknown;
  retries?: unknown;
  maxAttempts?: unknown;
  intervals?: unknown;
  retryOutcomes?: unknown;
  slots?: unknown;
  paused?: unknown;
};

/**
 * A new campaign from its body (H1–H3). What the body leaves out is filled once, here, from the
 * agent and the workspace (H33), then from H17; every issue is collected (H38). A batch needs
 * name, agent and number, a realtime campaign only a name. `now` is epoch ms.
 */
export function newCampaign(
  body: CampaignBody,
  setup: Setup,
  now: number,
): Result<{ settings: CampaignSettings; paused: boolean; warnings: Warning[] }> {
  const notes = new Notes();
  const type = readType(body.type, notes);
  const name = readName(body.name, notes);
  const pair = readPair(body, type, setup, notes);
  const band = readBand(body.priority, notes);
  refusePriorities(body, type, notes);
  const window = readWindow(body, notes);
  const span = readSpan(body, now, notes);
  const attemptsMax = notes.take(readAttempts(body, "additional", notes)) ?? DEFAULT_ATTEMPTS;
  const intervalsMs = readGaps(body.intervals, attemptsMax, notes) ?? [DEFAULT_INTERVAL_MS];
  const retryOutcomes = notes.take(readRetryOutcomes(body.retryOutcomes, pair.agent, notes)) ?? [];
  const slotsMax = readSlots(body.slots, notes);
  const paused = notes.take(readFlag(body.paused, "paused")) ?? false;
  if (notes.issues.length > 0 || type === null || name === null) {
    return { ok: false, issues: notes.issues };
  }
  const settings: CampaignSettings = {
    name,
    type,
    agent: pair.agent?.id ?? null,
    from: pair.from,
    band: band ?? "normal",
    timezone: window.timezone ?? setup.timezone,
    ...span,
    hours: window.hours ?? setup.hours,
    days: window.days ?? setup.days,
    attemptsMax,
    intervalsMs,
    retryOutcomes,
    slotsMax,
  };
  return { ok: true, value: { settings, paused, warnings: notes.warnings } };
}

/** Fields that an edit cannot empty: null clears only startAfter, endAfter and slots. */
const EDITABLE = [
  "name",
  "priority",
  "timezone",
  "start",
  "end",
  "days",
  "retries",
  "maxAttempts",
  "intervals",
  "retryOutcomes",
  "type",
] as const;

/**
 * The settings of a campaign after an edit (H4): any subset of the body, what is left out stays.
 * `startedAt` is the campaign's first dial; instants are epoch ms. A completed or archived
 * campaign, another type, and another start after the first dial are conflicts.
 */
export function editCampaign(
  current: { settings: CampaignSettings; startedAt: number | null; status: CampaignStatus },
  body: CampaignBody,
  setup: Setup,
  now: number,
): Result<{ settings: CampaignSettings; warnings: Warning[] }> | Refusal {
  const { settings, status } = current;
  if (status === "completed" || status === "archived") {
    return refuse("conflict", `The campaign is ${status}: its settings cannot change any more.`);
  }
  const notes = new Notes();
  for (const path of EDITABLE) {
    if (body[path] === null) notes.issue(path, "a value, or the field left out", "null");
  }
  const type = given(body.type) ? readType(body.type, notes) : settings.type;
  if (type !== null && type !== settings.type) {
    return refuse("conflict", `A campaign's type never changes: this one is ${settings.type}.`);
  }
  const span = editSpan(settings, body, now, notes);
  if (current.startedAt !== null && span.startAfter !== settings.startAfter) {
    return refuse("conflict", "The campaign has dialled already: its startAfter cannot change.");
  }
  const next = editSettings(settings, body, setup, notes);
  if (given(body.paused)) {
    notes.warn("paused", "Ignored in an edit: pause with POST …/pause, resume with POST …/resume.");
  }
  if (notes.issues.length > 0) return { ok: false, issues: notes.issues };
  return { ok: true, value: { settings: { ...next, ...span }, warnings: notes.warnings } };
}

/** What an edit leaves of everything but type, start and end. */
function editSettings(
  current: CampaignSettings,
  body: CampaignBody,
  setup: Setup,
  notes: Notes,
): CampaignSettings {
  const pair = notes.take(editPair(body, setup, current)) ?? current;
  const agent = entryOf(setup, pair.agent);
  refusePriorities(body, current.type, notes);
  const window = readWindow(body, notes);
  const attemptsMax = notes.take(readAttempts(body, "additional", notes)) ?? current.attemptsMax;
  const chosen = notes.take(readRetryOutcomes(body.retryOutcomes, agent, notes));
  if (chosen === null && agent !== null && agent.id !== current.agent) {
    for (const outcome of current.retryOutcomes) {
      const reports = ["voicemail", "no_response", ...agent.ownOutcomes].includes(outcome);
      if (!reports) notes.warn("retryOutcomes", `The new agent does not report ${outcome}.`);
    }
  }
  return {
    ...current,
    name: given(body.name) ? (readName(body.name, notes) ?? current.name) : current.name,
    agent: pair.agent,
    from: pair.from,
    band: readBand(body.priority, notes) ?? current.band,
    timezone: window.timezone ?? current.timezone,
    hours: window.hours ?? current.hours,
    days: window.days ?? current.days,
    attemptsMax,
    intervalsMs: readGaps(body.intervals, attemptsMax, notes) ?? current.intervalsMs,
    retryOutcomes: chosen ?? current.retryOutcomes,
    slotsMax: body.slots === undefined ? current.slotsMax : readSlots(body.slots, notes),
  };
}

/** Start and end after an edit: null clears, what is left out or repeated stays as it is. */
function editSpan(
  current: CampaignSettings,
  body: CampaignBody,
  now: number,
  notes: Notes,
): { startAfter: number | null; endAfter: number | null } {
  const start = editInstant(body.startAfter, "startAfter", current.startAfter, notes);
  const endAfter = editInstant(body.endAfter, "endAfter", current.endAfter, notes);
  const moved = start !== current.startAfter;
  const startAfter = moved && start !== null && start <= now ? null : start;
  const ended = endAfter !== current.endAfter;
  if (endAfter !== null && ended && endAfter <= now) {
    notes.issue("endAfter", "an instant in the future", shown(body.endAfter));
  } else if (endAfter !== null && startAfter !== null && endAfter <= startAfter) {
    if (ended) notes.issue("endAfter", "an instant after startAfter", shown(body.endAfter));
    else if (moved) notes.issue("startAfter", "an instant before endAfter", shown(body.startAfter));
  }
  return { startAfter, endAfter };
}

function editInstant(
  value: unknown,
  path: string,
  current: number | null,
  notes: Notes,
): number | null {
  if (value === undefined) return current;
  return value === null ? null : (notes.take(readInstant(value, path)) ?? current);
}

function readType(value: unknown, notes: Notes): CampaignType | null {
  const type = CAMPAIGN_TYPES.find((one) => one === value) ?? null;
  if (type === null) notes.issue("type", "batch or realtime", shown(value));
  return type;
}

function readName(value: unknown, notes: Notes): string | null {
  if (!given(value)) {
    notes.issue("name", `a text of 1 to ${NAME_LIMIT} characters`, shown(value));
    return null;
  }
  return notes.take(readText(value, "name", NAME_LIMIT));
}

/** Agent and number with their defaults; a batch needs both (H2, H3). */
function readPair(body: CampaignBody, type: CampaignType | null, setup: Setup, notes: Notes): Pair {
  const filled = fillPair(body, setup, null);
  const pair = notes.take(filled) ?? { agent: null, from: null };
  if (!filled.ok || type !== "batch") return pair;
  if (pair.agent === null) {
    const which = pair.from === null ? "" : " on the number's connection";
    notes.issue("agent", `an agent: the workspace has no default${which}`, shown(body.agent));
  }
  if (pair.from === null) {
    const which = pair.agent === null ? "" : ` on connection ${pair.agent.connection}, the agent's`;
    const expected = `a calling number: there is no default${which}`;
    notes.issue("from", expected, shown(body.from));
  }
  return pair;
}

function readBand(value: unknown, notes: Notes): Band | null {
  if (!given(value)) return null;
  const band = BANDS.find((one) => one === value) ?? null;
  if (band === null) notes.issue("priority", "high, normal or low", shown(value));
  return band;
}

/** H25: a batch's attempts have no numbers; those of a realtime campaign belong to its tasks. */
function refusePriorities(body: CampaignBody, type: CampaignType | null, notes: Notes): void {
  if (!given(body.priorities)) return;
  if (type === "batch") {
    const why =
      "every first attempt of a batch comes before any second, every second before any third";
    notes.issue("priorities", `nothing: ${why}`, shown(body.priorities));
  } else {
    notes.warn("priorities", "Ignored on a campaign: a task has its own, one for each attempt.");
  }
}

/** Gaps between attempts, ms; those no attempt needs now are kept for later edits, with a warning. */
function readGaps(value: unknown, attemptsMax: number, notes: Notes): number[] | null {
  const gaps = notes.take(readIntervals(value));
  if (gaps === null) return null;
  if (gaps.length === 0) {
    if (attemptsMax > 1) notes.issue("intervals", "at least one interval", "an empty list");
    return null;
  }
  const used = attemptsMax - 1;
  if (Array.isArray(value) && gaps.length > used) {
    const attempts = attemptsMax === 1 ? "1 attempt" : `${attemptsMax} attempts`;
    const message = `Used with ${attempts}: ${used} of ${gaps.length} intervals.`;
    notes.warn("intervals", message);
  }
  return gaps.slice(0, ATTEMPTS_LIMIT - 1);
}

function readSlots(value: unknown, notes: Notes): number | null {
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER, what: "slots at most" };
  return notes.take(readWhole(value, "slots", range));
}
