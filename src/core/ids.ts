/**
 * Public ids carry their workspace, so that every request finds its Dialer without a look-up:
 * `ws_<w>` for a workspace, `<kind>_<w>_<local>` for everything in it.
 * Local parts are base-36 numbers for what the Dialer owns (tasks, campaigns, calls) and
 * random letters for what D1 owns.
 */
export const ID_KINDS = [
  "tsk",
  "cmp",
  "cal",
  "imp",
  "agt",
  "num",
  "con",
  "key",
  "sup",
  "inv",
  "aud",
  "whk",
  "frm",
] as const;
export type IdKind = (typeof ID_KINDS)[number];

declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };
export type WorkspaceId = Branded<"ws">;
export type TaskId = Branded<"tsk">;
export type CampaignId = Branded<"cmp">;
export type CallId = Branded<"cal">;
export type ImportId = Branded<"imp">;
export type AgentId = Branded<"agt">;
export type NumberId = Branded<"num">;
export type ConnectionId = Branded<"con">;
export type KeyId = Branded<"key">;
export type InvitationId = Branded<"inv">;
export type AuditId = Branded<"aud">;
export type WebhookId = Branded<"whk">;
export type FormId = Branded<"frm">;

type IdOf = {
  tsk: TaskId;
  cmp: CampaignId;
  cal: CallId;
  imp: ImportId;
  agt: AgentId;
  num: NumberId;
  con: ConnectionId;
  key: KeyId;
  sup: Branded<"sup">;
  inv: InvitationId;
  aud: AuditId;
  whk: WebhookId;
  frm: FormId;
};

const WORKSPACE = /^ws_([a-z0-9]{6,16})$/;
const ID = /^([a-z]{3})_([a-z0-9]{6,16})_([a-z0-9]{1,16})$/;

/** The workspace id in `text`, or null when it is none. */
export function parseWorkspaceId(text: string): WorkspaceId | null {
  return WORKSPACE.test(text) ? (text as WorkspaceId) : null;
}

/** Builds a public id of a kind; a number is written in base 36. */
export function makeId<K extends IdKind>(
  kind: K,
  workspace: WorkspaceId,
  local: number | string,
): IdOf[K] {
  const part = typeof local === "number" ? local.toString(36) : local;
  return `${kind}_${workspace.slice(3)}_${part}` as IdOf[K];
}

/** Workspace and local part of a public id of this kind, or null when `text` is none. */
export function parseId<K extends IdKind>(
  kind: K,
  text: string,
): { id: IdOf[K]; workspace: WorkspaceId; local: string } | null {
  const match = ID.exec(text);
  if (match === null || match[1] !== kind) return null;
  return { id: text as IdOf[K], workspace: `ws_${match[2]}` as WorkspaceId, local: match[3] ?? "" };
}

/** The integer key of an id that the Dialer owns, or null when it belongs to another workspace or is none. */
export function localKey(
  kind: "tsk" | "cmp" | "cal",
  workspace: WorkspaceId,
  text: string,
): number | null {
  const parsed = parseId(kind, text);
  if (parsed === null || parsed.workspace !== workspace) return null;
  const key = Number.parseInt(parsed.local, 36);
  return Number.isSafeInteger(key) && key > 0 && key.toString(36) === parsed.local ? key : null;
}
