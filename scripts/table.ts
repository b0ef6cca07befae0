import type { CallSummary } from "../src/contract/call.ts";
import type { Campaign } from "../src/contract/campaign.ts";
import { maskPhone } from "../src/core/phone.ts";
import type { Client } from "./client.ts";

type Workspace = { slots: number; slotsInUse: number; waiting: number };
type Call = Pick<CallSummary, "startedAt" | "to" | "status" | "outcome" | "campaign">;
/** What goes on at one instant; calls newest first. */
export type View = { workspace: Workspace; campaigns: Campaign[]; calls: Call[] };

const EVERY_MS = 500;
/** Without a terminal, at most one line in this time. */
const LINE_MS = 3_000;
const CAMPAIGNS_SHOWN = 8;
const CALLS_SHOWN = 5;
const BAR_MAX = 30;
const COLUMNS = ["waiting", "running", "completed", "archived"] as const;

/** Shows what goes on for as long as the process lives: redrawn in place, or line by line. */
export function showLive(
  api: Client,
  out: NodeJS.WriteStream,
  seen: (view: View) => string | null,
): void {
  const show = out.isTTY ? redrawer(out) : liner(out);
  const turn = async () => {
    try {
      const view = await look(api);
      show(view, seen(view));
    } catch {
      // The Worker starts anew, or everything ends: the next look tells.
    }
    setTimeout(turn, EVERY_MS);
  };
  void turn();
}

async function look(api: Client): Promise<View> {
  const [workspace, campaigns, calls] = await Promise.all([
    api.get<Workspace>("/v1/workspace"),
    api.get<{ items: Campaign[] }>(`/v1/campaigns?limit=${CAMPAIGNS_SHOWN}`),
    api.get<{ items: Call[] }>(`/v1/calls?limit=${CALLS_SHOWN}`),
  ]);
  return { workspace, campaigns: campaigns.items, calls: calls.items };
}

type Show = (view: View, news: string | null) => void;

/** The table over itself; news go above it and stay. */
function redrawer(out: NodeJS.WriteStream): Show {
  let drawn = 0;
  return (view, news) => {
    const width = out.columns ?? 80;
    const lines = tableOf(view)
      .slice(0, Math.max(1, (out.rows ?? 24) - 1))
      .map((line) => [...line].slice(0, width - 1).join(""));
    const above = news === null ? "" : `${news}\n`;
    out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ""}\x1b[J${above}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
}

function liner(out: NodeJS.WriteStream): Show {
  let last = "";
  let lineAt = 0;
  return (view, news) => {
    if (news !== null) out.write(`${news}\n`);
    const line = lineOf(view);
    const now = Date.now();
    if (line === last || now - lineAt < LINE_MS) return;
    out.write(`${line}\n`);
    last = line;
    lineAt = now;
  };
}

export function tableOf({ workspace, campaigns, calls }: View): string[] {
  const { slots, slotsInUse, waiting } = workspace;
  const bar = "█".repeat(Math.min(BAR_MAX, slotsInUse)).padEnd(Math.min(BAR_MAX, slots), "░");
  const names = new Map(campaigns.map(({ id, name }) => [id, name]));
  const head = COLUMNS.map((name) => name.padStart(10)).join("");
  const rows = campaigns.map(({ name, priority, status, counters }) => {
    const { queued, paused, running, completed, archived } = counters;
    const cells = [queued + paused, running, completed, archived];
    const numbers = cells.map((cell) => String(cell).padStart(10)).join("");
    return `${column(name, 20)} ${column(priority, 7)} ${column(status, 9)}${numbers}`;
  });
  const recent = calls.map(({ startedAt, to, status, outcome, campaign }) => {
    const time = new Date(startedAt).toISOString().slice(11, 19);
    return `${time}  ${column(maskPhone(to), 14)} ${column(names.get(campaign) ?? "", 20)} ${outcome ?? status}`;
  });
  return [
    "",
    `slots ${bar} ${slotsInUse} of ${slots} in use, ${waiting} tasks waiting`,
    "",
    `${column("campaign", 20)} ${column("band", 7)} ${column("status", 9)}${head}`,
    ...rows,
    "",
    `outcomes  ${outcomesOf(campaigns)}`,
    ...recent.map((line, i) => `${i === 0 ? "calls   " : "        "}  ${line}`),
  ];
}

/** The same in one line. */
export function lineOf({ workspace, campaigns }: View): string {
  const parts = campaigns.map(({ name, status, counters }) => {
    const { queued, paused, running, completed, archived } = counters;
    const gone = archived === 0 ? "" : `, ${archived} archived`;
    return `${name} ${status}: ${queued + paused} waiting, ${running} running, ${completed} completed${gone}`;
  });
  const slots = `slots ${workspace.slotsInUse}/${workspace.slots}`;
  return [slots, ...parts, outcomesOf(campaigns)].join(" | ");
}

function outcomesOf(campaigns: readonly Campaign[]): string {
  const sums = new Map<string, number>();
  for (const { counters } of campaigns) {
    for (const [outcome, count] of Object.entries(counters.outcomes)) {
      sums.set(outcome, (sums.get(outcome) ?? 0) + count);
    }
  }
  if (sums.size === 0) return "none yet";
  const sorted = [...sums].sort(([, a], [, b]) => b - a);
  return sorted.map(([outcome, count]) => `${outcome} ${count}`).join(" · ");
}

function column(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
