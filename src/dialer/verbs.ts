import type { CarrierReport } from "../carriers/carrier.ts";
import type { Origin } from "../core/audit.ts";
import type { CallRecord } from "../core/call.ts";
import type { CampaignRecord, Waiting } from "../core/campaign.ts";
import type { CampaignBody } from "../core/campaign-body.ts";
import type { Consent } from "../core/form.ts";
import type {
  AgentId,
  CallId,
  CampaignId,
  ConnectionId,
  FormId,
  ImportId,
  KeyId,
  NumberId,
  TaskId,
  WebhookId,
  WorkspaceId,
} from "../core/ids.ts";
import type { Issue, Refusal, Warning } from "../core/result.ts";
import type { Move } from "../core/status.ts";
import type { Context, TaskRecord } from "../core/task.ts";
import type { TaskBody } from "../core/task-body.ts";
import type { EventType, WebhookEvent } from "../core/webhook.ts";
import type { Hours, Weekdays } from "../core/window.ts";

/**
 * What the Dialer keeps a copy of, so that D1 being away stops no dialling. Each copy is
 * one version of a document that D1 owns; an older version never replaces a newer one.
 */
export type WorkspaceDoc = {
  id: WorkspaceId;
  name: string;
  slots: number;
  timezone: string;
  hours: Hours;
  days: Weekdays;
  agent: AgentId | null;
  from: NumberId | null;
};
export type AgentDoc = {
  id: AgentId;
  name: string;
  connection: ConnectionId;
  carrierAgentId: string;
  prompt: string | null;
  /** Placeholders of the prompt, or the list given in its stead. */
  placeholders: string[];
  /** The agent's own outcomes; those with `suppress` put the number on the do-not-call list (H40). */
  outcomes: { name: string; suppress: boolean }[];
  usesCallback: boolean;
  settings: Record<string, unknown>;
};
export type NumberDoc = {
  id: NumberId;
  phone: string;
  connection: ConnectionId;
  carrierNumberId: string | null;
};
export type ConnectionDoc = {
  id: ConnectionId;
  name: string;
  carrier: string;
  /** Sealed JSON of the carrier's settings. */
  sealed: string;
  /** Longest call, ms (H22). */
  lengthMaxMs: number;
  /** Calls started per second, or null for no pace. */
  perSecond: number | null;
  /** Calls at once, or null for no limit of its own. */
  callsMax: number | null;
};
export type KeyDoc = {
  id: KeyId;
  name: string;
  /** SHA-256 of the key, hex. */
  hash: string;
  scopes: string[];
  expiresAt: number | null;
  /** The only campaign that it may push into, by its local key; null or left out for all. */
  campaign?: number | null;
};
/** A webhook that is switched on: which events it wants. Where they go, and its secret, stay in D1. */
export type WebhookDoc = { id: WebhookId; events: EventType[] };
/**
 * The Dialer keeps a keyed hash of the number, never the number itself. The copy's id is the number,
 * or `#` and that hash once the number was erased.
 */
export type SuppressionDoc = { expiresAt: number | null };

export type Doc =
  | { kind: "workspace"; id: string; version: number; doc: WorkspaceDoc | null }
  | { kind: "agent"; id: string; version: number; doc: AgentDoc | null }
  | { kind: "number"; id: string; version: number; doc: NumberDoc | null }
  | { kind: "connection"; id: string; version: number; doc: ConnectionDoc | null }
  | { kind: "key"; id: string; version: number; doc: KeyDoc | null }
  | { kind: "webhook"; id: string; version: number; doc: WebhookDoc | null }
  | { kind: "suppression"; id: string; version: number; doc: SuppressionDoc | null };
export type DocKind = Doc["kind"];

/** A key as the request showed it: its MAC was checked before; the Dialer checks the rest in its copy. */
export type Access = { key: KeyId; hash: string };
/** `unknown_key`: the copy lacks it; the caller looks in D1, hands the copy over and asks again. */
export type UnknownKey = { ok: false; code: "unknown_key"; message: string };

/** Repeating a request with the same key gives the first reply again, for 7 days (H9). */
export type Idempotency = { route: string; key: string; bodyHash: string };

export type Done<T> = { ok: true; value: T };
export type Reply<T> = Promise<Done<T> | Refusal>;

/** When the call comes that a form's task asks for: what keeps it now, until when, and in which zone. */
export type Coming = { waiting: Waiting | null; timezone: string };

/** `coming` is in the answer to a form; `waitMs` says when it may be asked again. */
export type PushedTask =
  | { ok: true; task: TaskRecord; warnings: Warning[]; existing: boolean; coming?: Coming }
  /** The task is there already, and has left for D1. */
  | { ok: true; left: TaskId; warnings: Warning[]; existing: true; coming?: Coming }
  | (Refusal & { waitMs?: number });

/**
 * `personal`: whether the key that pushed may see full numbers and contexts. Else the caller masks
 * what it shows: an answer can be another's task, by its `externalId`.
 */
export type Pushed = Done<PushedTask[]> & { personal: boolean };

/** The form that a push comes from, with what it allows. */
export type FormPush = {
  id: FormId;
  /** The same number within this time gets the first answer again, and rings once. */
  repeatMs: number;
  /** Calls of one number in 24 h, and of all numbers in an hour. */
  numberMax: number;
  hourMax: number;
};

export type PushRequest = {
  access: Access | null;
  /** 1–1,000 bodies; `path` prefixes their issues ("" or "tasks.3."); `issues` are known already. */
  tasks: { body: TaskBody; path: string; issues?: Issue[]; consent?: Consent }[];
  idempotency: Idempotency | null;
  form?: FormPush;
};

/** A row that an import read well; rows that it could not read never get here. */
export type ImportRow = { line: number; phone: string; context: Context };
export type IngestRequest = {
  import: ImportId;
  /** From 0, in order: a part is taken once; a repeated one gets the stored answer. */
  part: number;
  /** The last part completes the import and releases its lanes (H11). */
  last: boolean;
  allowDuplicates: boolean;
  rows: ImportRow[];
};
export type IngestResult = {
  taken: number;
  rejected: { line: number; reason: "duplicate" | "suppressed" | "erased" | "campaign_over" }[];
};

export type ReportItem = { connection: ConnectionId; report: CarrierReport };
export type ReportResult = {
  /** Reports that met a call of this workspace, by index; the others are kept for calls that left or counted as strange. */
  known: boolean[];
};

/** What an erasure did here; `hash` is what stands for the number from now on. */
export type Erased = {
  hash: string;
  /** Tasks that lost number and context. */
  tasks: number;
  /** Those of them that waited. */
  archived: number;
  calls: number;
};

export type WorkspaceState = {
  slots: number;
  slotsInUse: number;
  /** Tasks waiting, all campaigns together. */
  waiting: number;
  /** Events on their way to receivers; those that wait for another try are not among them. */
  eventsWaiting: number;
  connections: {
    id: ConnectionId;
    state: "ok" | "backing_off" | "probing";
    /** In trouble that a person should look at; it is tried at most once a minute. */
    suspended: boolean;
    reason: string | null;
    since: number | null;
    until: number | null;
  }[];
};

/**
 * What one workspace's Dialer can be asked. Every verb commits before it answers, awaits
 * neither carrier nor D1 (but for the flush that `…Campaign` verbs wait for, bounded), and
 * answers refusals as values.
 */
export type DialerVerbs = {
  /** Takes copies; the first one must be the workspace's. */
  putCopies(docs: Doc[]): Reply<{ taken: number }>;
  /**
   * Takes a document's deletion, as its next version. Refused as `in_use`, naming what uses it,
   * while a live campaign, a non-empty lane or an open call names it.
   */
  retire(kind: "agent" | "number" | "connection" | "key", id: string, version: number): Reply<null>;
  readConnection(id: ConnectionId): Reply<ConnectionDoc>;
  /** The keyed hashes by which erased numbers go on being refused; none where nothing was set up. */
  hashPhones(phones: string[]): Promise<string[]>;

  /** Verbs that people call take who asks: an entry of the audit log is written with the change. */
  createCampaign(
    request: {
      body: CampaignBody;
      idempotency: Idempotency | null;
    },
    origin: Origin,
  ): Reply<{ campaign: CampaignRecord; warnings: Warning[] }>;
  editCampaign(
    id: CampaignId,
    body: CampaignBody,
    origin: Origin,
  ): Reply<{ campaign: CampaignRecord; warnings: Warning[] }>;
  moveCampaign(id: CampaignId, move: Move, origin: Origin): Reply<CampaignRecord>;
  /** `not_found` also when the campaign has left for D1. */
  readCampaign(id: CampaignId): Reply<CampaignRecord>;
  /** H41 for a list; null where nothing waits or the campaign has left. */
  explainCampaigns(ids: CampaignId[]): Promise<(Waiting | null)[]>;
  /** H41 for a list; null for what does not wait or has left. */
  explainTasks(ids: TaskId[]): Promise<(Waiting | null)[]>;

  /** One answer per task, in order; the whole request is refused only for access, idempotency or room. */
  push(request: PushRequest): Promise<Pushed | Refusal | UnknownKey>;
  moveTask(id: TaskId, move: Move, origin: Origin): Reply<TaskRecord>;
  /** `not_found` also when the task has left for D1. */
  readTask(id: TaskId): Reply<TaskRecord>;
  /** Calls that the Dialer still has; older ones are in D1. */
  readCalls(task: TaskId): Reply<CallRecord[]>;
  readCall(id: CallId): Reply<CallRecord>;

  /** Repeating it is harmless. Refused when the campaign takes no rows (H1, H28). */
  openImport(id: ImportId, campaign: CampaignId): Reply<null>;
  /** Ends an import that will never complete; its rows, if any were taken, stay held no longer. */
  dropImport(id: ImportId): Reply<null>;
  ingest(request: IngestRequest): Reply<IngestResult>;

  report(items: ReportItem[]): Reply<ReportResult>;

  /** Rows of the outbox whose events have got through, or are in D1 for another try: they leave. */
  eventsTold(rows: number[]): Reply<null>;

  /**
   * Removes a person by his number, of these uploads too, should they become imports; waits for the
   * flush, bounded, and says whether D1 then knew all.
   */
  erase(phone: string, uploads: ImportId[], origin: Origin): Reply<Erased & { told: boolean }>;
  /** Archives everything live and takes nothing in any more, for good; says how many calls go on. */
  end(): Reply<{ open: number }>;
  /**
   * Removes all that an ended workspace has here. Refused while a call goes on or D1 has not heard
   * of everything.
   */
  vanish(): Reply<null>;

  readWorkspace(): Reply<WorkspaceState>;
  /** From cron: takes up whatever a lost alarm left behind. */
  tick(): Reply<null>;
};

/** A row of the outbox on its way to receivers. */
export type EventsMessage = { workspace: WorkspaceId; row: number; events: WebhookEvent[] };

/** A ticket as the API has checked it: whose, and until when it opens a socket, epoch ms. */
export type Ticket = { actor: string; nonce: string; until: number };
/** The header in which the API hands a checked ticket over. */
export const TICKET_HEADER = "x-outdial-ticket";

/** What the object itself does about viewers' sockets. */
export type LiveVerbs = {
  /** Closes the sockets of a person or key whose access has ended (H34, H37). */
  endLive(actor: string): Reply<null>;
};
