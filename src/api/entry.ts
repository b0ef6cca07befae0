import type { Deed, Entry, Origin } from "../core/audit.ts";
import { noteView as note } from "../db/audit.ts";
import { database } from "../db/database.ts";
import { seesPersonal } from "./auth.ts";
import type { Ctx } from "./context.ts";

export { changeOf } from "../core/audit.ts";

/** Who asks and from where, for the audit log. */
export function originOf(c: Ctx): Origin {
  const actor = c.get("actor");
  const person = c.get("person");
  const ip = c.req.header("cf-connecting-ip") ?? null;
  const requestId = c.get("requestId");
  if (actor !== undefined) return { actorKind: actor.kind, actor: actor.id, ip, requestId };
  if (person !== undefined) return { actorKind: "person", actor: person.id, ip, requestId };
  const key = c.get("access")?.key ?? null;
  return { actorKind: key === null ? "deployment" : "key", actor: key, ip, requestId };
}

/** An entry of the audit log for what this request does. */
export function entryOf(c: Ctx, deed: Deed): Entry {
  return { ...originOf(c), ...deed, at: c.get("now") };
}

/** What somebody looks at, and which of it. */
type Seen = { action: string; targetKind: string; target: string };

/**
 * Records that full numbers are shown, where they are. Of a person for each campaign, task, call or
 * the whole workspace; a key reads more than anybody would want to read of, so of it only that it
 * does. The latter and the former once an hour.
 */
export async function noteNumbers(c: Ctx, targetKind: string, target: string): Promise<void> {
  if (!seesPersonal(c)) return;
  const action = "phone.read";
  if (c.get("actor").kind === "person") return noteView(c, { action, targetKind, target });
  return noteView(c, { action, targetKind: "workspace", target: c.get("workspace") });
}

const HOUR_MS = 3_600_000;
const NOTED_MAX = 10_000;
/** What this isolate knows to be recorded, and when, epoch ms. */
const noted = new Map<string, number>();

/**
 * Records that somebody reads or hears what was said on a call, or sees numbers: once an hour for
 * each, however often a page asks for it.
 */
export async function noteView(c: Ctx, seen: Seen): Promise<void> {
  const now = c.get("now");
  const entry = entryOf(c, seen);
  const what = [entry.actor, seen.action, seen.target].join(" ");
  const before = noted.get(what);
  if (before !== undefined && before > now - HOUR_MS) return;
  await note(database(c.env), c.get("workspace"), entry);
  if (noted.size >= NOTED_MAX) noted.clear();
  noted.set(what, now);
}
