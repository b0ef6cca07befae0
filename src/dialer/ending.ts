import { tellOfCampaign } from "./events.ts";
import type { State } from "./state.ts";

/** Its row says since when the workspace has ended. */
const ENDED = "ended";

/** Whether the workspace has ended: nothing new is taken in. */
export function hasEnded(state: State): boolean {
  return state.meta(ENDED) !== null;
}

/**
 * The workspace ends, for good: everything live is archived, and no key pushes any more. Calls in
 * progress go on. Doing it again changes nothing. D1 has the entry of the audit log.
 */
export function end(state: State, now: number): { open: number } {
  if (!hasEnded(state)) state.setMeta(ENDED, now);
  for (const campaign of [...state.liveCampaigns()]) {
    campaign.archivedAt = now;
    state.touch(campaign, "all");
    tellOfCampaign(state, campaign, "archived");
    state.lanes.rankCampaign(campaign.id, now);
  }
  return { open: openCalls(state) };
}

export function openCalls(state: State): number {
  const [row] = state.sql.all<{ count: number }>(
    "SELECT COUNT(*) AS count FROM call WHERE state <> 'concluded'",
  );
  return row?.count ?? 0;
}
