import type { CampaignRecord, CampaignSettings, Waiting } from "../core/campaign.ts";
import { makeId, type WorkspaceId } from "../core/ids.ts";
import type { Outcome } from "../core/outcome.ts";
import { campaignStatus } from "../core/status.ts";
import type { Ledger } from "./ledger.ts";
import type { Sql } from "./sql.ts";

/**
 * A campaign as the Dialer holds it. The counts are of tasks by where they are:
 * `waiting` in a lane, `held` in a lane by a single pause (H31), `running` with a call that is
 * not concluded, `completed`, `archived`. Its row has the sum in place of `waiting` and `running`,
 * which follow from it and the open calls: so a claim, which only moves a task from one to the
 * other, writes no campaign. What people see follows from them (`recordOf`), so
 * that a pause touches one row whatever the number of tasks (H30).
 */
export type Campaign = {
  id: number;
  settings: CampaignSettings;
  paused: boolean;
  /** Raised by resume: pauses of single tasks that name an older epoch no longer hold. */
  epoch: number;
  startsAt: number | null;
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  archivedAt: number | null;
  /** Completed by its end time, for good. */
  expired: boolean;
  /** All its tasks have left for D1. */
  swept: boolean;
  waiting: number;
  held: number;
  running: number;
  completed: number;
  archived: number;
  attempts: number;
  talkMs: number;
  outcomes: Record<Outcome, number>;
};

export function isOver(campaign: Campaign): boolean {
  return campaign.archivedAt !== null || campaign.completedAt !== null;
}

/** Tasks that the campaign ever had. */
function tasksOf({ waiting, held, running, completed, archived }: Campaign): number {
  return waiting + held + running + completed + archived;
}

type Row = {
  id: number;
  settings: string;
  paused: number;
  epoch: number;
  starts_at: number | null;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  archived_at: number | null;
  expired: number;
  swept: number;
  tasks: number;
  held: number;
  completed: number;
  archived: number;
  attempts: number;
  talk_ms: number;
  outcomes: string;
};

function fromRow(row: Row, running: number): Campaign {
  const { tasks, held, completed, archived } = row;
  return {
    id: row.id,
    settings: JSON.parse(row.settings) as CampaignSettings,
    paused: row.paused === 1,
    epoch: row.epoch,
    startsAt: row.starts_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    archivedAt: row.archived_at,
    expired: row.expired === 1,
    swept: row.swept === 1,
    waiting: tasks - held - running - completed - archived,
    held,
    running,
    completed,
    archived,
    attempts: row.attempts,
    talkMs: row.talk_ms,
    outcomes: JSON.parse(row.outcomes) as Record<Outcome, number>,
  };
}

/** Campaigns whose tasks have not all left. */
export function loadCampaigns(sql: Sql, ledger: Ledger): Campaign[] {
  const rows = sql.all<Row>("SELECT * FROM campaign WHERE swept = 0");
  return rows.map((row) => fromRow(row, ledger.openOf(row.id)));
}

export function loadCampaign(sql: Sql, id: number, ledger: Ledger): Campaign | null {
  const row = sql.all<Row>("SELECT * FROM campaign WHERE id = ?", id)[0];
  return row === undefined ? null : fromRow(row, ledger.openOf(id));
}

/** Writes a campaign whole. */
export function saveCampaign(sql: Sql, c: Campaign): void {
  sql.run(
    `INSERT INTO campaign (id, type, settings, paused, epoch, starts_at, created_at, started_at,
       completed_at, archived_at, expired, swept, tasks, held, completed, archived,
       attempts, talk_ms, outcomes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, paused = excluded.paused,
       epoch = excluded.epoch, starts_at = excluded.starts_at, started_at = excluded.started_at,
       completed_at = excluded.completed_at, archived_at = excluded.archived_at,
       expired = excluded.expired, swept = excluded.swept, tasks = excluded.tasks,
       held = excluded.held, completed = excluded.completed,
       archived = excluded.archived, attempts = excluded.attempts, talk_ms = excluded.talk_ms,
       outcomes = excluded.outcomes`,
    c.id,
    c.settings.type,
    JSON.stringify(c.settings),
    c.paused ? 1 : 0,
    c.epoch,
    c.startsAt,
    c.createdAt,
    c.startedAt,
    c.completedAt,
    c.archivedAt,
    c.expired ? 1 : 0,
    c.swept ? 1 : 0,
    tasksOf(c),
    c.held,
    c.completed,
    c.archived,
    c.attempts,
    c.talkMs,
    JSON.stringify(c.outcomes),
  );
}

/** Writes what a call changes of a campaign: its counts and its first dial. */
export function saveCounts(sql: Sql, c: Campaign): void {
  sql.run(
    `UPDATE campaign SET tasks = ?, held = ?, completed = ?, archived = ?,
       attempts = ?, talk_ms = ?, outcomes = ?, started_at = ?, completed_at = ? WHERE id = ?`,
    tasksOf(c),
    c.held,
    c.completed,
    c.archived,
    c.attempts,
    c.talkMs,
    JSON.stringify(c.outcomes),
    c.startedAt,
    c.completedAt,
    c.id,
  );
}

/** What everything outside sees: counts by effective status (H28, H29). */
export function recordOf(
  c: Campaign,
  workspace: WorkspaceId,
  waiting: Waiting | null,
): CampaignRecord {
  const over = isOver(c);
  const pausedAll = !over && c.paused;
  return {
    id: makeId("cmp", workspace, c.id),
    workspace,
    settings: c.settings,
    status: campaignStatus(c),
    startsAt: c.startsAt,
    createdAt: c.createdAt,
    startedAt: c.startedAt,
    completedAt: c.completedAt,
    archivedAt: c.archivedAt,
    counters: {
      queued: over || pausedAll ? 0 : c.waiting,
      running: c.running,
      completed: c.completed,
      paused: over ? 0 : pausedAll ? c.waiting + c.held : c.held,
      archived: c.archived + (over ? c.waiting + c.held : 0),
      attempts: c.attempts,
      talkMs: c.talkMs,
      outcomes: c.outcomes,
    },
    waiting,
  };
}
