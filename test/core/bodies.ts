import type { CampaignSettings } from "../../src/core/campaign.ts";
import { type CampaignBody, newCampaign } from "../../src/core/campaign-body.ts";
import type { AgentId, ConnectionId, NumberId } from "../../src/core/ids.ts";
import type { Issue } from "../../src/core/result.ts";
import type { AgentEntry, Setup } from "../../src/core/setup.ts";
import { ALL_DAYS, ALWAYS } from "../../src/core/window.ts";

export const NOW = Date.UTC(2026, 2, 2, 9);
export const HOUR = 3_600_000;

/** Two connections; `+911111111111` exists on both, the other numbers on one. */
export const ANNA = "agt_abcdef_anna" as AgentId;
export const BELA = "agt_abcdef_bela" as AgentId;
export const ON_ONE = "num_abcdef_one" as NumberId;
export const ON_TWO = "num_abcdef_two" as NumberId;
export const BOTH_ONE = "num_abcdef_bothone" as NumberId;
export const BOTH_TWO = "num_abcdef_bothtwo" as NumberId;
export const BOTH = "+911111111111";
export const ONE = "con_abcdef_one" as ConnectionId;
export const TWO = "con_abcdef_two" as ConnectionId;

const AGENTS: AgentEntry[] = [
  { id: ANNA, connection: ONE, ownOutcomes: ["interested"], usesCallback: true },
  { id: BELA, connection: TWO, ownOutcomes: [], usesCallback: false },
];
const NUMBERS = [
  { id: ON_ONE, connection: ONE, e164: "+912222222221" },
  { id: ON_TWO, connection: TWO, e164: "+912222222222" },
  { id: BOTH_ONE, connection: ONE, e164: BOTH },
  { id: BOTH_TWO, connection: TWO, e164: BOTH },
];

export function setupWith(defaults: Partial<Setup> = {}): Setup {
  return {
    timezone: "Asia/Kolkata",
    hours: ALWAYS,
    days: ALL_DAYS,
    from: null,
    agent: null,
    agentOf: (id) => AGENTS.find((agent) => agent.id === id) ?? null,
    numberOf: (text) => NUMBERS.filter((one) => one.id === text || one.e164 === text),
    ...defaults,
  };
}

export const BATCH: CampaignBody = { type: "batch", name: "March", agent: ANNA, from: ON_ONE };

/** Settings of a campaign that is known to be good. */
export function settingsOf(body: CampaignBody = {}, setup = setupWith()): CampaignSettings {
  const made = newCampaign({ ...BATCH, ...body }, setup, NOW);
  if (!made.ok) throw new Error(JSON.stringify(made.issues));
  return made.value.settings;
}

/** The issues of a reading as lines: path | expected | got. */
export function lines(result: { ok: boolean; issues?: Issue[] }): string[] {
  return (result.issues ?? []).map((issue) => `${issue.path} | ${issue.expected} | ${issue.got}`);
}
