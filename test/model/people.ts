import type { CampaignBody } from "../../src/core/campaign-body.ts";
import { type CampaignId, type ImportId, localKey, makeId } from "../../src/core/ids.ts";
import type { TaskBody } from "../../src/core/task-body.ts";
import type { AgentDoc, ConnectionDoc } from "../../src/dialer/verbs.ts";
import { WORKSPACE } from "../support/node/world.ts";
import { FIRST_ID, type Small } from "./small.ts";

/* What people bring into a small world, told to the Dialer and to the judge in the same words. */

/** The workspace, without slots until the walk starts. */
export async function found(
  small: Small,
  more: { agent?: Partial<AgentDoc>; connection?: Partial<ConnectionDoc> } = {},
): Promise<void> {
  const lengthMaxMs = more.connection?.lengthMaxMs ?? 60_000;
  await small.setUp({
    workspace: { slots: 0 },
    agent: more.agent ?? {},
    connection: { ...more.connection, lengthMaxMs },
  });
  small.sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('next_id', ?)", FIRST_ID);
  small.restart();
  const outcomes = more.agent?.outcomes ?? [];
  Object.assign(small.judge.facts, {
    lengthMaxMs,
    own: outcomes.map((one) => one.name),
    suppressing: outcomes.filter((one) => one.suppress).map((one) => one.name),
    usesCallback: more.agent?.usesCallback ?? false,
  });
}

/** A campaign, told to the Dialer and to the judge in the same words. */
export async function begin(
  small: Small,
  name: string,
  body: CampaignBody & { hours?: { from: number; until: number }[] } = {},
): Promise<CampaignId> {
  const { hours, ...rest } = body;
  const whole = { type: "realtime", maxAttempts: 2, intervals: 60_000, ...rest };
  const id = await small.campaign(whole as CampaignBody);
  const key = localKey("cmp", WORKSPACE, id) ?? 0;
  small.judge.facts.campaigns[key] = {
    type: whole.type === "batch" ? "batch" : "realtime",
    band: (rest.priority ?? "normal") as "high" | "normal" | "low",
    attemptsMax: Number(whole.maxAttempts),
    intervalMs: Number(whole.intervals),
    chosen: (rest.retryOutcomes ?? []) as string[],
    slotsMax: (rest.slots ?? null) as number | null,
    startsAt: whole.type === "batch" ? null : small.now,
    endsAt: (rest.endAfter ?? null) as number | null,
    hours: hours ?? null,
    paused: false,
    archived: false,
  };
  small.campaigns.push({ key, id, name });
  return id;
}

/** A push. */
export async function bring(
  small: Small,
  name: string,
  campaign: CampaignId,
  body: TaskBody = {},
): Promise<void> {
  const phone = typeof body.phone === "string" ? body.phone : numberOf(name);
  const task = { campaign, phone, context: { who: name }, ...body };
  await small.ask(
    () => small.dialer.push({ access: null, tasks: [{ body: task, path: "" }], idempotency: null }),
    () => arrives(small, name, campaign, phone, null, (body.endAfter ?? null) as number | null),
  );
}

function arrives(
  small: Small,
  name: string,
  campaign: CampaignId,
  phone: string,
  importId: string | null,
  endsAt: number | null,
): void {
  small.judge.facts.tasks[name] = {
    campaign: localKey("cmp", WORKSPACE, campaign) ?? 0,
    phone,
    import: importId,
    endsAt,
    status: "waiting",
    attempts: 0,
    due: importId === null ? small.now : 0,
    callback: false,
    held: false,
    archiving: false,
  };
}

/** One part of an import. */
export async function part(
  small: Small,
  campaign: CampaignId,
  which: { id: string; part: number; last: boolean },
  names: string[],
): Promise<void> {
  const id = makeId("imp", WORKSPACE, which.id) as ImportId;
  if (which.part === 0) await small.ask(() => small.dialer.openImport(id, campaign));
  const rows = names.map((name, index) => ({
    line: index + 2,
    phone: numberOf(name),
    context: { who: name },
  }));
  const { part, last } = which;
  const key = localKey("cmp", WORKSPACE, campaign) ?? 0;
  const facts = small.judge.campaign(key);
  await small.ask(
    () => small.dialer.ingest({ import: id, part, last, allowDuplicates: false, rows }),
    () => {
      small.judge.facts.imports[which.id] = !last;
      // Rows that come too late are rejected (H11).
      if (small.judge.isOver(key, small.now)) return;
      for (const row of rows) arrives(small, row.context.who, campaign, row.phone, which.id, null);
      if (last) facts.startsAt ??= small.now;
    },
  );
}

export function numberOf(name: string): string {
  return `+9198765000${String(name.charCodeAt(0)).padStart(2, "0")}`;
}
