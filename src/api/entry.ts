import type { Deed, Entry, Origin } from "../core/audit.ts";
import { noteView as note } from "../db/audit.ts";
import { database } from "../db/database.ts";
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

/**
 * Records that a person reads or hears what was said on a call: once an hour for each call, however
 * often a player asks for a part of it. Keys are not recorded: what they read they may read.
 */
export async function noteView(c: Ctx, action: string, call: string): Promise<void> {
  if (c.get("actor").kind !== "person") return;
  const entry = entryOf(c, { action, targetKind: "call", target: call });
  await note(database(c.env), c.get("workspace"), entry);
}
