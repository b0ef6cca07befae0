import type { CarrierReport } from "../carriers/carrier.ts";
import type { ConnectionId, ImportId, WorkspaceId } from "../core/ids.ts";

/** A carrier's report on its way to the Dialer: what decides is in here, long texts may be in D1. */
export type ReportMessage = {
  workspace: WorkspaceId;
  connection: ConnectionId;
  report: CarrierReport;
  /** The row of `report_bodies` with transcript and analysis, or null when they are in `report`. */
  texts: string | null;
  /** Texts too long for a message while D1 was away: left out, a look-up fetches them. */
  cut: boolean;
};

export type { EventsMessage } from "../dialer/verbs.ts";

/** What waits for a receiver is to be tried again. */
export type TurnMessage = { workspace: WorkspaceId; target: string };

/** One part of an import to read (architecture, *Imports*). */
export type IngestMessage = { workspace: WorkspaceId; import: ImportId; part: number };
