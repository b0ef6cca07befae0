import {
  fault,
  given,
  Notes,
  readAttempts,
  readIntervals,
  readList,
  readRetryOutcomes,
  readSpan,
  readText,
  readWindow,
} from "./body.ts";
import type { CampaignRecord, CampaignSettings } from "./campaign.ts";
import { readContext } from "./context.ts";
import type { AgentId } from "./ids.ts";
import { readPhone } from "./phone.ts";
import { roundPriority } from "./rank.ts";
import type { Result, Warning } from "./result.ts";
import { type AgentEntry, entryOf, fillPair, type Setup } from "./setup.ts";
import { type Context, effective, INHERITED, type TaskSettings } from "./task.ts";
import { hoursWire, shown } from "./time.ts";
import { dayNames } from "./window.ts";

/** Longest external id, characters. */
export const EXTERNAL_ID_LIMIT = 200;
/** Longest address of a task's own, characters. */
export const CALLBACK_LIMIT = 2_000;

/** A task's body as it comes over the wire (H15–H17, H39); its meaning is read here. */
export type TaskBody = {
  phone?: unknown;
  campaign?: unknown;
  from?: unknown;
  agent?: unknown;
  start?: unknown;
  end?: unknown;
  days?: unknown;
  timezone?: unknown;
  startAfter?: unknown;
  endAfter?: unknown;
  priorities?: unknown;
  priority?: unknown;
  retries?: unknown;
  maxAttempts?: unknown;
  intervals?: unknown;
  retryOutcomes?: unknown;
  context?: unknown;
  externalId?: unknown;
  statusCallbackUrl?: unknown;
};

/** A push that was read and found good. */
export type NewTask = {
  /** E.164 */
  phone: string;
  context: Context;
  settings: TaskSettings;
  externalId: string | null;
  warnings: Warning[];
};

/**
 * A pushed task from its body (H15–H17, H33). What it leaves out stays null and is inherited,
 * except agent and number: naming one keeps both, and a pair that its campaign has not got is
 * filled here. Every issue is collected (H38). `now` is epoch ms.
 */
export function newTask(
  body: TaskBody,
  campaign: CampaignSettings,
  setup: Setup,
  now: number,
): Result<NewTask> {
  const notes = new Notes();
  const phone = notes.take(readNumber(body.phone));
  const pair = readPair(body, campaign, setup, notes);
  const window = readWindow(body, notes);
  const span = readSpan(body, now, notes);
  warnNeverDialled(span, campaign, notes);
  const attempts = readAttempts(body, "total", notes);
  const attemptsMax = notes.take(attempts);
  const total = attempts.ok ? (attemptsMax ?? campaign.attemptsMax) : null;
  const intervalsMs = readGaps(body.intervals, total, notes);
  const priorities = readPriorities(body, total, notes);
  const retryOutcomes = notes.take(readRetryOutcomes(body.retryOutcomes, pair.speaker, notes));
  const context = notes.take(readContext(body.context));
  const externalId = notes.take(readText(body.externalId, "externalId", EXTERNAL_ID_LIMIT));
  const statusCallbackUrl = notes.take(
    readText(body.statusCallbackUrl, "statusCallbackUrl", CALLBACK_LIMIT),
  );
  if (notes.issues.length > 0 || phone === null || context === null) {
    return { ok: false, issues: notes.issues };
  }
  const { agent, from } = pair;
  const own = { agent, from, ...window, ...span, priorities, attemptsMax, intervalsMs };
  const settings: TaskSettings = { ...own, retryOutcomes, statusCallbackUrl };
  return { ok: true, value: { phone, context, settings, externalId, warnings: notes.warnings } };
}

/**
 * A create-task body that works as it stands once its phone is replaced: the campaign's id and
 * settings, the agent, and the number to call from (H3), with the task's meaning of `retries` (H16).
 */
export function sampleTask(
  campaign: Pick<CampaignRecord, "id" | "settings">,
  agent: AgentId | null,
  from: string | null,
): TaskBody {
  const counts = effective(INHERITED, campaign.settings);
  const gaps = Array.from({ length: counts.attemptsMax - 1 }, (_, index) => {
    return counts.intervalsMs[index] ?? counts.intervalsMs.at(-1);
  });
  return {
    phone: "+919876543210",
    ...(from === null ? {} : { from }),
    ...(agent === null ? {} : { agent }),
    ...hoursWire(counts.hours),
    days: dayNames(counts.days),
    timezone: counts.timezone,
    priorities: counts.priorities,
    retries: counts.attemptsMax,
    intervals: gaps,
    retryOutcomes: counts.retryOutcomes,
    context: { name: "Asha" },
    campaign: campaign.id,
  };
}

function readNumber(value: unknown): Result<string> {
  const expected = "a phone number with + and its country code";
  if (typeof value !== "string") return fault("phone", expected, shown(value));
  const read = readPhone(value);
  if (read.ok) return { ok: true, value: read.phone };
  return fault("phone", expected, `${shown(value)} (${read.reason})`);
}

/** A task's own pair, or nulls when its campaign has both (H33); `speaker` is who will speak. */
function readPair(
  body: TaskBody,
  campaign: CampaignSettings,
  setup: Setup,
  notes: Notes,
): Pick<TaskSettings, "agent" | "from"> & { speaker: AgentEntry | null } {
  const none = { agent: null, from: null };
  const named = given(body.agent) || given(body.from);
  if (!named && campaign.agent !== null && campaign.from !== null) {
    return { ...none, speaker: entryOf(setup, campaign.agent) };
  }
  const filled = fillPair(named ? body : campaign, setup, campaign);
  const pair = notes.take(filled);
  if (pair === null) return { ...none, speaker: null };
  const { agent, from } = pair;
  if (agent === null) {
    const where = from === null ? "" : " on the number's connection";
    const expected = `an agent: neither its campaign nor the workspace has one${where}`;
    notes.issue("agent", expected, shown(body.agent));
  }
  if (from === null) {
    const where = agent === null ? "" : ` on connection ${agent.connection}, the agent's`;
    const expected = `a calling number: neither its campaign nor the workspace has one${where}`;
    notes.issue("from", expected, shown(body.from));
  }
  return { agent: agent?.id ?? null, from, speaker: agent };
}

/** H41: a span that its campaign never reaches is said at once. */
function warnNeverDialled(
  span: { startAfter: number | null; endAfter: number | null },
  campaign: CampaignSettings,
  notes: Notes,
): void {
  if (
    span.endAfter !== null &&
    campaign.startAfter !== null &&
    span.endAfter <= campaign.startAfter
  ) {
    notes.warn("endAfter", "It ends before its campaign starts: it will not be dialled.");
  }
  if (
    span.startAfter !== null &&
    campaign.endAfter !== null &&
    span.startAfter >= campaign.endAfter
  ) {
    notes.warn("startAfter", "It starts after its campaign ends: it will not be dialled.");
  }
}

/**
 * Own gaps between attempts, ms: one for each attempt but the first (H17). A single number stands
 * for all of them. `total` is null when the number of attempts cannot be read.
 */
function readGaps(value: unknown, total: number | null, notes: Notes): number[] | null {
  const gaps = notes.take(readIntervals(value));
  if (gaps === null || total === null || !Array.isArray(value)) return gaps;
  return trim(gaps, { path: "intervals", needed: total - 1, total }, notes);
}

/** Own priorities, one for each attempt (H17), rounded to whole ones in 0–10,000 (H24). */
function readPriorities(body: TaskBody, total: number | null, notes: Notes): number[] | null {
  const listed = readPriorityList(body.priorities, "priorities", total, notes);
  const spelled = readPriorityList(body.priority, "priority", total, notes);
  if (listed === null || spelled === null) return listed ?? spelled;
  if (listed.join() !== spelled.join()) {
    notes.issue(
      "priority",
      "the same list as priorities, or only one of the two",
      shown(body.priority),
    );
  }
  return listed;
}

function readPriorityList(
  value: unknown,
  path: "priorities" | "priority",
  total: number | null,
  notes: Notes,
): number[] | null {
  if (!given(value)) return null;
  if (!Array.isArray(value)) {
    const band = typeof value === "string" ? "; high, normal and low belong to the campaign" : "";
    notes.issue(path, `a list with one number for each attempt${band}`, shown(value));
    return null;
  }
  const rounded: Warning[] = [];
  const list = notes.take(
    readList(value, path, (entry, at) => {
      if (typeof entry !== "number" || !Number.isFinite(entry)) {
        return fault(at, "a number from 0 to 10000", shown(entry));
      }
      const { priority, changed } = roundPriority(entry);
      if (changed) rounded.push({ path: at, message: `${entry} is taken as ${priority}.` });
      return { ok: true, value: priority };
    }),
  );
  if (list === null || total === null) return list;
  const fitted = trim(list, { path, needed: total, total }, notes);
  const used = new Set(fitted?.map((_, index) => `${path}.${index}`));
  notes.warnings.push(...rounded.filter((warning) => used.has(warning.path)));
  return fitted;
}

/** H17: too few entries are an issue that says how many are needed, surplus ones are ignored. */
function trim(
  list: number[],
  rule: { path: string; needed: number; total: number },
  notes: Notes,
): number[] | null {
  const { path, needed, total } = rule;
  const wanted = `${counted(needed, "entry", "entries")} for ${counted(total, "attempt", "attempts")}`;
  const came = counted(list.length, "entry", "entries");
  if (list.length < needed) notes.issue(path, wanted, came);
  if (list.length > needed)
    notes.warn(path, `Used: ${wanted}; ${came} came, the last are ignored.`);
  const fitted = list.slice(0, needed);
  return fitted.length === 0 ? null : fitted;
}

function counted(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
