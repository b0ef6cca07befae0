import type { AuditId, WorkspaceId } from "./ids.ts";
import { makeId } from "./ids.ts";

/** Whose doing an entry of the audit log is; outdial's own are those of the clock, such as retention. */
export const ACTOR_KINDS = ["person", "key", "deployment", "outdial"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** Who did it, and from where: what every entry of one request shares. */
export type Origin = {
  actorKind: ActorKind;
  /** Id of the person or key, else null. */
  actor: string | null;
  /** Address that the request came from, or null where it is not known. */
  ip: string | null;
  requestId: string | null;
};

/** What was done, to what. `before` and `after` have the same fields: those that changed; never a secret or a whole number. */
export type Deed = {
  /** A noun and a verb: `campaign.pause`. */
  action: string;
  targetKind: string | null;
  target: string | null;
  before?: Record<string, unknown> | null;
  after?: Record<string, unknown> | null;
};

export type Entry = Origin & Deed & { at: number };

const TIME_DIGITS = 9;
const RANDOM_DIGITS = 7;

const DRAWS = 36 ** RANDOM_DIGITS;

/** Ids of entries grow with time; `random` is below 1. */
export function makeAuditId(workspace: WorkspaceId, at: number, random: () => number): AuditId {
  return auditIdOf(workspace, at, Math.floor(random() * DRAWS));
}

/** The same from a number that is used once. */
export function auditIdOf(workspace: WorkspaceId, at: number, number: number): AuditId {
  const time = at.toString(36).padStart(TIME_DIGITS, "0");
  const rest = (number % DRAWS).toString(36).padStart(RANDOM_DIGITS, "0");
  return makeId("aud", workspace, time + rest);
}

/** The fields of `after` that differ from `before`, as an entry shows them. */
export function changeOf(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): { before: Record<string, unknown>; after: Record<string, unknown> } {
  const changed = Object.keys(after).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  const pick = (whole: Record<string, unknown>) =>
    Object.fromEntries(changed.map((key) => [key, whole[key] ?? null]));
  return { before: pick(before), after: pick(after) };
}
