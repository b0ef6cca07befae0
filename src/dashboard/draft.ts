import type { BodyOf } from "../contract/wire.ts";
import type { Band } from "../core/campaign.ts";
import { WEEKDAYS, type Weekday } from "../core/window.ts";
import type { Campaign, Workspace } from "./things.ts";
import { clockTime, hourText, instantOf, localText, zoneName } from "./times.ts";

/** A campaign's settings while somebody writes them: what inputs hold. */
export type Draft = {
  name: string;
  agent: string | null;
  from: string | null;
  priority: Band;
  timezone: string;
  /** Local time in `timezone`, or null for now. */
  startAfter: string | null;
  endAfter: string | null;
  allDay: boolean;
  /** `10:00` */
  opens: string;
  closes: string;
  days: Weekday[];
  retries: number;
  /** Minutes; one, or one for each retry. */
  intervals: number[];
  retryOutcomes: string[];
  slots: number | null;
};

type Body = BodyOf<"POST /v1/campaigns">;

const MINUTE_MS = 60_000;

/** What the workspace's defaults make of a new campaign. */
export function freshDraft(workspace: Workspace, zone: string): Draft {
  return {
    name: "",
    agent: workspace.agent,
    from: workspace.fromId,
    priority: "normal",
    timezone: zone,
    startAfter: null,
    endAfter: null,
    ...hoursOf(workspace.start, workspace.end),
    days: [...workspace.days],
    retries: 1,
    intervals: [30],
    retryOutcomes: [],
    slots: null,
  };
}

export function draftOf(campaign: Campaign): Draft {
  const { timezone, startAfter, endAfter } = campaign;
  return {
    name: campaign.name,
    agent: campaign.agent,
    from: campaign.fromId,
    priority: campaign.priority,
    timezone,
    startAfter: startAfter === null ? null : localText(startAfter, timezone),
    endAfter: endAfter === null ? null : localText(endAfter, timezone),
    ...hoursOf(campaign.start, campaign.end),
    days: [...campaign.days],
    retries: campaign.retries,
    intervals: campaign.intervals.map((ms) => ms / MINUTE_MS),
    retryOutcomes: [...campaign.retryOutcomes],
    slots: campaign.slots,
  };
}

export function hoursOf(start: number, end: number): Pick<Draft, "allDay" | "opens" | "closes"> {
  const allDay = end - start >= 2400;
  if (allDay) return { allDay, opens: "10:00", closes: "20:00" };
  return { allDay, opens: hourText(start), closes: hourText(end).replace("24:00", "00:00") };
}

export const hhmm = (text: string) => Number(text.replace(":", ""));

/** The body that creates this campaign, or all of its settings as an edit. */
export function bodyOf(draft: Draft): Body {
  const { timezone, startAfter, endAfter } = draft;
  return {
    name: draft.name,
    agent: draft.agent,
    from: draft.from,
    priority: draft.priority,
    timezone,
    startAfter: startAfter === null ? null : instantOf(startAfter, timezone),
    endAfter: endAfter === null ? null : instantOf(endAfter, timezone),
    start: draft.allDay ? 0 : hhmm(draft.opens),
    end: draft.allDay ? 2400 : hhmm(draft.closes),
    days: draft.days,
    retries: draft.retries,
    intervals: draft.intervals.map((minutes) => Math.round(minutes * MINUTE_MS)),
    retryOutcomes: draft.retryOutcomes,
    slots: draft.slots,
  };
}

/** Only what an edit changes, so that nothing else can be refused. */
export function changesOf(before: Draft, after: Draft): Partial<Body> {
  const [old, fresh] = [bodyOf(before), bodyOf(after)];
  const changed = Object.entries(fresh).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name as keyof Body]),
  );
  const edit = Object.fromEntries(changed) as Partial<Body>;
  // Hours, and agent and number, are pairs.
  if ("start" in edit || "end" in edit) Object.assign(edit, { start: fresh.start, end: fresh.end });
  if ("agent" in edit || "from" in edit)
    Object.assign(edit, { agent: fresh.agent, from: fresh.from });
  return edit;
}

const DAY_WORDS: Record<Weekday, string> = {
  mon: "Mon",
  tue: "Tue",
  wed: "Wed",
  thu: "Thu",
  fri: "Fri",
  sat: "Sat",
  sun: "Sun",
};

export function dayWord(day: Weekday): string {
  return DAY_WORDS[day];
}

/** Weekdays in few words: `every day`, `Mon–Fri`, `Mon, Wed`. */
export function daysWords(days: readonly Weekday[]): string {
  const at = WEEKDAYS.flatMap((day, index) => (days.includes(day) ? [index] : []));
  const [first, last] = [at[0], at.at(-1)];
  if (at.length === 7) return "every day";
  if (first === undefined || last === undefined) return "on no day";
  const names = at.map((index) => DAY_WORDS[WEEKDAYS[index] ?? "mon"]);
  const inOneRow = last - first === at.length - 1 && at.length > 2;
  return inOneRow ? `${names[0]}–${names.at(-1)}` : names.join(", ");
}

/** What will happen, in plain words. */
export function planWords(draft: Draft, now: number): string {
  const zone = zoneName(draft.timezone);
  const crosses = !draft.allDay && hhmm(draft.closes) <= hhmm(draft.opens);
  const hours = draft.allDay
    ? `at any hour in ${zone}`
    : `${draft.opens}–${draft.closes}${crosses ? " the next day" : ""} in ${zone}`;
  const from =
    draft.startAfter === null ? "from now on" : `from ${localWords(draft.startAfter)} on`;
  const until = draft.endAfter === null ? "" : ` until ${localWords(draft.endAfter)}`;
  const there = clockTime(now, draft.timezone);
  return `Calls go out ${hours}, ${daysWords(draft.days)}, ${from}${until}. Now it is ${there} there.`;
}

/** Of `2026-12-01T10:00`. */
function localWords(local: string): string {
  const at = Date.parse(`${local}:00Z`);
  const options = { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" } as const;
  const day = new Intl.DateTimeFormat("en-GB", options).format(at);
  return `${day}, ${local.slice(11, 16)}`;
}
