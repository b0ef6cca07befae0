import { and, desc, eq, isNotNull, isNull, lt, type SQL } from "drizzle-orm";
import type {
  CampaignRecord,
  CampaignSettings,
  CampaignStatus,
  CampaignType,
  Counters,
} from "../core/campaign.ts";
import { makeId, type WorkspaceId } from "../core/ids.ts";
import { campaignStatus } from "../core/status.ts";
import type { Db } from "./database.ts";
import { integerAfter, type Page, type PageRequest, pageOfRows } from "./page.ts";
import { campaigns } from "./schema.ts";

export type CampaignRow = typeof campaigns.$inferSelect;

/** A campaign as the Dialer last stored it. */
export async function readCampaignRow(
  db: Db,
  workspace: WorkspaceId,
  id: number,
): Promise<CampaignRow | null> {
  const rows = await db
    .select()
    .from(campaigns)
    .where(and(eq(campaigns.workspace, workspace), eq(campaigns.id, id)));
  return rows[0] ?? null;
}

/** Newest first. */
export async function listCampaigns(
  db: Db,
  workspace: WorkspaceId,
  filter: { type?: CampaignType | undefined; status?: CampaignStatus | undefined },
  page: PageRequest,
): Promise<Page<CampaignRow>> {
  const after = integerAfter(page);
  const rows = await db
    .select()
    .from(campaigns)
    .where(
      and(
        eq(campaigns.workspace, workspace),
        after === null ? undefined : lt(campaigns.id, after),
        filter.type === undefined ? undefined : eq(campaigns.type, filter.type),
        filter.status === undefined ? undefined : statusIs(filter.status),
      ),
    )
    .orderBy(desc(campaigns.id))
    .limit(page.limit + 1);
  return pageOfRows(rows, page.limit, (row) => row.id);
}

/** Workspaces with a campaign that is neither completed nor archived. */
export async function liveWorkspaces(db: Db): Promise<WorkspaceId[]> {
  const rows = await db
    .selectDistinct({ workspace: campaigns.workspace })
    .from(campaigns)
    .where(and(isNull(campaigns.archivedAt), isNull(campaigns.completedAt)));
  return rows.map((row) => row.workspace as WorkspaceId);
}

/** `core/status.ts` in columns. */
function statusIs(status: CampaignStatus): SQL | undefined {
  const live = [isNull(campaigns.archivedAt), isNull(campaigns.completedAt)];
  switch (status) {
    case "archived":
      return isNotNull(campaigns.archivedAt);
    case "completed":
      return and(isNull(campaigns.archivedAt), isNotNull(campaigns.completedAt));
    case "paused":
      return and(...live, eq(campaigns.paused, 1));
    case "running":
      return and(...live, eq(campaigns.paused, 0), isNotNull(campaigns.startedAt));
    case "scheduled":
      return and(...live, eq(campaigns.paused, 0), isNull(campaigns.startedAt));
  }
}

export function settingsOf(row: CampaignRow): CampaignSettings {
  return JSON.parse(row.settings) as CampaignSettings;
}

/** The record that the Dialer stored; why it waits only the Dialer knows. */
export function campaignOf(workspace: WorkspaceId, row: CampaignRow): CampaignRecord {
  const { startsAt, createdAt, startedAt, completedAt, archivedAt } = row;
  return {
    id: makeId("cmp", workspace, row.id),
    workspace,
    settings: settingsOf(row),
    status: campaignStatus({ startedAt, paused: row.paused === 1, completedAt, archivedAt }),
    startsAt,
    createdAt,
    startedAt,
    completedAt,
    archivedAt,
    counters: JSON.parse(row.counters) as Counters,
    waiting: null,
  };
}
