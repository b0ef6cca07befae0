import { makeId } from "../core/ids.ts";
import { type Refusal, refuse } from "../core/result.ts";
import type { Campaign } from "./campaign.ts";
import { isShut, isSuspended } from "./connections.ts";
import { end } from "./ending.ts";
import type { State } from "./state.ts";
import { putSuppressions } from "./suppressed.ts";
import type { Doc, Done, SuppressionDoc, WorkspaceState } from "./verbs.ts";

export const NO_WORKSPACE_YET = refuse("conflict", "This Dialer has not got its workspace yet.");

/** Whether the workspace itself is among them, and not its tombstone. */
export function bringsWorkspace(docs: readonly Doc[]): boolean {
  return docs.some((doc) => doc.kind === "workspace" && doc.doc !== null);
}

/**
 * Takes copies of what D1 owns; the first one is the workspace's, and its tombstone ends it
 * (architecture, *Copies, keys*).
 */
export function putCopies(
  state: State,
  docs: Doc[],
  now: number,
): Done<{ taken: number }> | Refusal {
  if (state.copies.workspace === null && !bringsWorkspace(docs)) return NO_WORKSPACE_YET;
  let taken = 0;
  const suppressions: { id: string; version: number; doc: SuppressionDoc | null }[] = [];
  for (const doc of docs) {
    if (doc.kind === "suppression") {
      suppressions.push(doc);
      continue;
    }
    // The copy stays until all else has gone: calls in progress need it.
    if (doc.kind === "workspace" && doc.doc === null) end(state, now);
    else if (!state.copies.put(doc)) continue;
    taken += 1;
    if (doc.kind === "connection") state.connections.renewed(doc.id, now);
  }
  if (suppressions.length > 0) putSuppressions(state, suppressions);
  return { ok: true, value: { taken: taken + suppressions.length } };
}

/** Takes a deletion, unless something live uses the document: then `in_use`, naming what. */
export function retire(
  state: State,
  kind: "agent" | "number" | "connection" | "key",
  id: string,
  version: number,
): Done<null> | Refusal {
  const user = kind === "key" ? null : userOf(state, kind, id);
  if (user !== null) return refuse("in_use", `The ${kind} is used by ${user}.`);
  state.copies.put({ kind, id, version, doc: null });
  return { ok: true, value: null };
}

function userOf(state: State, kind: "agent" | "number" | "connection", id: string): string | null {
  if (kind === "connection") {
    const [user] = state.copies.usersOf(id);
    if (user !== undefined) return user;
    const call = state.ledger.someOpen((entry) => entry.connection === id);
    return call === null ? null : `call ${makeId("cal", state.workspace, call.id)}`;
  }
  const setting = kind === "agent" ? "agent" : "from";
  for (const campaign of state.liveCampaigns()) {
    if (campaign.settings[setting] === id || usesInLane(state, campaign, kind, id)) {
      return `campaign ${makeId("cmp", state.workspace, campaign.id)}`;
    }
  }
  const [call] = state.sql.all<{ id: number }>(
    `SELECT id FROM call WHERE state <> 'concluded' AND ${kind} = ? LIMIT 1`,
    id,
  );
  return call === undefined ? null : `call ${makeId("cal", state.workspace, call.id)}`;
}

function usesInLane(
  state: State,
  campaign: Campaign,
  kind: "agent" | "number",
  id: string,
): boolean {
  for (const lane of state.lanes.ofCampaign(campaign.id)) {
    if (lane.head !== null && lane[kind] === id) return true;
  }
  return false;
}

export function readWorkspace(state: State): Done<WorkspaceState> | Refusal {
  const { workspace } = state.copies;
  if (workspace === null) return refuse("not_found", "There is no such workspace.");
  let waiting = 0;
  for (const campaign of state.liveCampaigns()) waiting += campaign.waiting + campaign.held;
  const connections = [...state.copies.connections()].map((doc) => {
    const known = state.connections.trouble(doc.id);
    const trouble = known !== null && isShut(known) ? known : null;
    const kind = trouble?.probeAt != null ? ("probing" as const) : ("backing_off" as const);
    return {
      id: doc.id,
      state: trouble === null ? ("ok" as const) : kind,
      suspended: trouble !== null && isSuspended(trouble),
      reason: trouble?.reason ?? null,
      since: trouble?.since ?? null,
      until: trouble?.probeAt ?? trouble?.backoffUntil ?? null,
    };
  });
  const slotsInUse = state.ledger.total;
  const { slots } = workspace;
  const eventsWaiting = state.outbox.waiting(state);
  return { ok: true, value: { slots, slotsInUse, waiting, eventsWaiting, connections } };
}
