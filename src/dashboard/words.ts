import {
  IconAlertTriangle,
  IconArchive,
  IconCalendarTime,
  IconCheck,
  IconChevronsDown,
  IconChevronsUp,
  IconCircleCheck,
  IconClockHour4,
  IconEqual,
  IconHelpCircle,
  IconMessageOff,
  IconPhone,
  IconPhoneCall,
  IconPhoneCalling,
  IconPhoneCheck,
  IconPhoneIncoming,
  IconPhoneOff,
  IconPhonePause,
  IconPhoneX,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlug,
  IconPlugConnectedX,
  IconRecordMail,
  IconTag,
  type Icon as TablerIcon,
} from "@tabler/icons-react";
import { MAY, type Permission, ROLES, type Role, type Scope } from "../core/access.ts";
import { unreachable } from "../core/assert.ts";
import type { CallStatus } from "../core/call.ts";
import type { Band, CampaignStatus, CampaignType, WaitingReason } from "../core/campaign.ts";
import type { RowReason } from "../core/csv.ts";
import type { FieldKind } from "../core/form.ts";
import { type KnownOutcome, OUTCOMES } from "../core/outcome.ts";
import type { TaskStatus } from "../core/task.ts";
import { dayAndTime, relative, zoneName } from "./times.ts";

/** How something is shown: its word, its colour (of the theme) and its sign. */
export type Look = { label: string; color: string; Icon: TablerIcon };

export const CAMPAIGN_STATUS: Readonly<Record<CampaignStatus, Look>> = {
  scheduled: { label: "Scheduled", color: "violet", Icon: IconCalendarTime },
  running: { label: "Running", color: "blue", Icon: IconPlayerPlay },
  paused: { label: "Paused", color: "orange", Icon: IconPlayerPause },
  completed: { label: "Completed", color: "teal", Icon: IconCircleCheck },
  archived: { label: "Archived", color: "gray", Icon: IconArchive },
};

export const TASK_STATUS: Readonly<Record<TaskStatus, Look>> = {
  queued: { label: "Queued", color: "indigo", Icon: IconClockHour4 },
  running: { label: "Running", color: "blue", Icon: IconPhoneCalling },
  completed: { label: "Completed", color: "teal", Icon: IconCheck },
  paused: { label: "Paused", color: "orange", Icon: IconPlayerPause },
  archived: { label: "Archived", color: "gray", Icon: IconArchive },
};

export const CALL_STATUS: Readonly<Record<CallStatus, Look>> = {
  dialling: { label: "Dialling", color: "blue", Icon: IconPhone },
  ringing: { label: "Ringing", color: "blue", Icon: IconPhoneCalling },
  talking: { label: "Talking", color: "blue", Icon: IconPhoneCall },
  ended: { label: "Ended", color: "gray", Icon: IconPhoneOff },
  unknown: { label: "No word yet", color: "orange", Icon: IconHelpCircle },
};

const OUTCOME: Readonly<Record<KnownOutcome, Look>> = {
  connected: { label: "Connected", color: "teal", Icon: IconPhoneCheck },
  no_answer: { label: "No answer", color: "gray", Icon: IconPhoneOff },
  busy: { label: "Busy", color: "gray", Icon: IconPhonePause },
  failed: { label: "Failed", color: "red", Icon: IconPhoneX },
  init_failed: { label: "Not placed", color: "red", Icon: IconAlertTriangle },
  busy_callback: { label: "Call back later", color: "grape", Icon: IconPhoneIncoming },
  voicemail: { label: "Voicemail", color: "gray", Icon: IconRecordMail },
  no_response: { label: "Silent", color: "gray", Icon: IconMessageOff },
};

/** An outcome's look; one of the agent's own shows its name. */
export function outcomeLook(outcome: string): Look {
  const known = OUTCOMES.find((one) => one === outcome);
  if (known !== undefined) return OUTCOME[known];
  const words = outcome.replaceAll("_", " ");
  return { label: words.charAt(0).toUpperCase() + words.slice(1), color: "teal", Icon: IconTag };
}

export const BAND: Readonly<Record<Band, Look>> = {
  high: { label: "High", color: "red", Icon: IconChevronsUp },
  normal: { label: "Normal", color: "gray", Icon: IconEqual },
  low: { label: "Low", color: "gray", Icon: IconChevronsDown },
};

export const CAMPAIGN_TYPE: Readonly<Record<CampaignType, string>> = {
  batch: "Batch",
  realtime: "Realtime",
};

export const ROLE: Readonly<Record<Role, string>> = {
  viewer: "Viewer",
  operator: "Operator",
  admin: "Admin",
  owner: "Owner",
};

/** What a role is for, in a sentence. */
export const ROLE_MEANS: Readonly<Record<Role, string>> = {
  viewer: "Looks at campaigns and calls; numbers and what was said stay hidden",
  operator: "Runs campaigns, and sees and hears everything of them",
  admin: "Sets up agents, numbers and connections, and looks after people and keys",
  owner: "Everything, owners and the workspace's end included",
};

/** `Admins and owners`: who may do something, by role. */
export function whoMay(permission: Permission): string {
  const plain = ROLES.filter((role) => MAY[permission][role] === "yes");
  const names = plain.map((role, at) => (at === 0 ? `${ROLE[role]}s` : `${role}s`));
  const last = names.pop() ?? "nobody";
  const all = names.length === 0 ? last : `${names.join(", ")} and ${last}`;
  const granted = ROLES.some((role) => MAY[permission][role] === "grant");
  return granted ? `${all}, and viewers who were granted it` : all;
}

/** How a connection is; one in order shows nothing. */
export const CONNECTION_STATE: Readonly<Record<"suspended" | "backing_off" | "probing", Look>> = {
  suspended: { label: "Suspended", color: "red", Icon: IconPlugConnectedX },
  backing_off: { label: "Backs off", color: "orange", Icon: IconPlugConnectedX },
  probing: { label: "Is being tried", color: "orange", Icon: IconPlug },
};
export const CONNECTION_TEST: Readonly<Record<"works" | "fails", Look>> = {
  works: { label: "Works", color: "teal", Icon: IconCircleCheck },
  fails: { label: "Does not work", color: "red", Icon: IconPlugConnectedX },
};

export const SCOPE_NAME: Readonly<Record<Scope, string>> = {
  "tasks:write": "Push tasks",
  read: "Read",
  "campaigns:write": "Run campaigns",
  admin: "Administer",
  "*": "Everything",
};
export const SCOPE_MEANS: Readonly<Record<Scope, string>> = {
  "tasks:write": "Pushes tasks, and nothing else: what a website needs",
  read: "Sees everything, full numbers and transcripts included",
  "campaigns:write": "Pushes tasks and runs campaigns",
  admin: "Everything but what owners alone may",
  "*": "Everything",
};

/** Kinds of fields that forms ask for. */
export const FIELD_KIND: Readonly<Record<FieldKind, string>> = {
  text: "A line",
  email: "Email",
  textarea: "A text",
};

export const ROW_REASON: Readonly<Record<RowReason, string>> = {
  missing: "No number",
  no_country_code: "No country code: it starts neither with + nor with 00",
  scientific: "A spreadsheet dropped its digits (9.19877E+11)",
  letters: "Letters in the number",
  too_short: "Too short",
  too_long: "Too long",
  invalid: "No such number",
  duplicate: "Number came before",
  suppressed: "On the do-not-call list",
  campaign_over: "The campaign was over",
  extra_cells: "More cells than columns",
  context_too_large: "Too much text",
  unclosed_quote: "A quote that never closes",
  erased: "Erased on request",
};

export type Waits = { reason: string; until: number | null; detail?: string | undefined };

/** Why nothing is dialled, and until when, in words (H41). */
export function waitingWords(waiting: Waits, zone: string, now: number): string {
  const { until, detail } = waiting;
  const soon = until === null ? null : relative(until, now);
  const day = until === null ? null : dayAndTime(until, zone, now);
  // The contract says `string`, so that reasons can be added; these are those of `core`.
  const reason = waiting.reason as WaitingReason;
  switch (reason) {
    case "start":
      return day === null ? "waits for its start" : `starts ${day} (${zoneName(zone)})`;
    case "hours":
      return day === null ? "outside hours" : `${day}, outside hours (${zoneName(zone)})`;
    case "interval":
      return soon === null ? "waits for its next attempt" : `next attempt ${soon}`;
    case "callback":
      return day === null ? "call-back asked for" : `call-back asked for ${day}`;
    case "import":
      return "waits for its import";
    case "paused":
      return "paused by hand";
    case "slots":
      return "waits for a slot";
    case "limit":
      return "waits: its own limit of calls is reached";
    case "pace":
      return soon === null ? "waits for the connection's pace" : `connection's pace, next ${soon}`;
    case "connection": {
      const trouble = `connection: ${detail ?? "in trouble"}`;
      return soon === null ? trouble : `${trouble}, tries again ${soon}`;
    }
    default:
      return unknownReason(reason);
  }
}

function unknownReason(reason: never): string {
  return String(reason);
}

/** Which status a part of a progress bar stands for, in the order in which it is drawn. */
export const PROGRESS_ORDER: readonly TaskStatus[] = [
  "completed",
  "running",
  "queued",
  "paused",
  "archived",
];

/** A CSS colour of the theme, for bars and dots. */
export function barColor(status: TaskStatus): string {
  switch (status) {
    case "completed":
      return "var(--mantine-color-teal-7)";
    case "running":
      return "var(--mantine-color-blue-6)";
    case "queued":
      return "var(--outdial-queued)";
    case "paused":
      return "var(--mantine-color-orange-5)";
    case "archived":
      return "var(--outdial-archived)";
    default:
      return unreachable(status);
  }
}

const WHOLE = new Intl.NumberFormat("en-US");

/** `12,040` */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `1 task`, `12,040 tasks` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `38 %`, or null where there is nothing to divide by. */
export function percent(part: number, whole: number): string | null {
  return whole === 0 ? null : `${Math.round((100 * part) / whole)} %`;
}
