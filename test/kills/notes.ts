/*
 * What the client knows of a round, and nothing else: what it sent, what was acknowledged and when.
 * Kept in the world's folder as JSON; `check.ts` holds D1, the objects and the carrier's book to it.
 */

/** A task that was pushed; `ids` are those of every reply that acknowledged it. */
export type PushNote = {
  tag: string;
  phone: string;
  campaign: string;
  how: "keyed" | "external" | "bare";
  ids: string[];
  startsAt: number | null;
  endsAt: number | null;
  attemptsMax: number;
};

/** A file that was uploaded until a 202 named its import. */
export type FileNote = {
  name: string;
  campaign: string;
  import: string | null;
  sent: number;
  rows: { line: number; cell: string; phone: string | null; reason: string | null }[];
};

/** Nothing may be dialled: from an acknowledgement until the request that ends it was sent. */
export type ShutNote = { from: number; until: number | null; why: string };

/** A limit of calls at once, from the first request for it until the next one was acknowledged. */
export type LimitNote = { slots: number | null; from: number; until: number | null };

export type CampaignNote = {
  id: string;
  name: string;
  type: "batch" | "realtime";
  attemptsMax: number;
  shut: ShutNote[];
  limits: LimitNote[];
  /** Whether rows may have come when it was over. */
  over: boolean;
};

export type TaskNote = { id: string; shut: ShutNote[] };

export type Notes = {
  round: number;
  seed: string;
  workspace: string;
  slots: number;
  campaigns: CampaignNote[];
  pushes: PushNote[];
  files: FileNote[];
  tasks: TaskNote[];
};

/** When all of the Worker's processes stood still (SIGSTOP). */
export type Hold = { from: number; until: number };

/** What a world's folder keeps of its rounds; `until`: when it was stopped. */
export type Kept = { until: number; holds: Hold[]; rounds: Notes[] };
