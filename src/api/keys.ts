import type { Key } from "../contract/key.ts";
import { SCOPES, type Scope, scopesBeyond } from "../core/access.ts";
import { type KeyId, localKey, makeId, parseId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import {
  deleteKey,
  insertKey,
  type KeyRow,
  type ListedKey,
  listKeys,
  readKey,
  readListedKey,
  readRevoked,
  renameKey,
  rollKey,
} from "../db/keys.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { findCampaign } from "./find.ts";
import { handOver } from "./hand-over.ts";
import { newKeyText } from "./key-text.ts";
import { mapPage, pageRequest } from "./list.ts";
import { endLive } from "./live.ts";
import type { Handler } from "./serve.ts";

const HOUR_MS = 3_600_000;

export const create: Handler<"POST /v1/keys"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const scopes = [...new Set(body.scopes)];
  checkScopes(c, scopes);
  const campaign = await readBinding(c, body.campaign ?? null, scopes);
  const { text, ...made } = await newKeyText(c.env.SIGNING_SECRET, workspace);
  const row = {
    ...made,
    name: body.name,
    scopes,
    campaign,
    expiresAt: body.expiresAt ?? null,
    createdBy: c.get("actor").id,
    createdAt: c.get("now"),
  };
  const after = rightsOf(row);
  const entry = entryOf(c, { action: "key.create", targetKind: "key", target: row.id, after });
  const docs = await insertKey(database(c.env), workspace, row, entry);
  // The key is shown only now, and one that the Dialer lacks is looked up: no reason to fail.
  await handOver(c.env, workspace, docs).catch((error: unknown) =>
    logFault("key hand-over", error, { workspace }),
  );
  return c.json({ ...(await shownKey(c, row.id)), apiKey: text }, 201);
};

export const list: Handler<"GET /v1/keys"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listKeys(database(c.env), c.get("workspace"), page);
  return c.json(mapPage(found, keyWire));
};

export const edit: Handler<"PATCH /v1/keys/{id}"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const key = await find(c, params.id);
  const { name } = body;
  if (name !== undefined && name !== key.name) {
    const change = changeOf({ name: key.name }, { name });
    const deed = { action: "key.edit", targetKind: "key", target: key.id, ...change };
    const entry = entryOf(c, deed);
    const docs = await renameKey(database(c.env), workspace, key.id, name, entry);
    await handOver(c.env, workspace, docs);
  }
  return c.json(await shownKey(c, key.id));
};

/** Both keys work until the old one expires, by the overlap or by itself. */
export const roll: Handler<"POST /v1/keys/{id}/roll"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const now = c.get("now");
  const old = await find(c, params.id);
  if (old.expiresAt !== null && old.expiresAt <= now) {
    throw new Refused(refuse("conflict", "The key has expired: create another one."));
  }
  // What it could do, whoever rolls it holds in the end.
  checkScopes(c, old.scopes.filter(isScope));
  const overlapEnd = now + Math.round(body.overlapHours * HOUR_MS);
  const expiresAt = Math.min(old.expiresAt ?? overlapEnd, overlapEnd);
  const { text, ...made } = await newKeyText(c.env.SIGNING_SECRET, workspace);
  const row = {
    ...made,
    name: old.name,
    scopes: old.scopes,
    campaign: old.campaign,
    expiresAt: body.expiresAt === undefined ? old.expiresAt : body.expiresAt,
    createdBy: c.get("actor").id,
    createdAt: now,
  };
  const change = {
    before: { expiresAt: old.expiresAt },
    after: { expiresAt, replacedBy: row.id },
  };
  const entry = entryOf(c, { action: "key.roll", targetKind: "key", target: old.id, ...change });
  const ending = { id: old.id, expiresAt };
  await handOver(c.env, workspace, await rollKey(database(c.env), workspace, ending, row, entry));
  return c.json({ ...(await shownKey(c, row.id)), apiKey: text }, 201);
};

/**
 * Revokes. D1 first, which everything but pushes asks, then the Dialer's copy, which pushes ask:
 * a 204 says that both refuse it. After a 503 the repetition hands the tombstone over again.
 */
export const remove: Handler<"DELETE /v1/keys/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const id = keyIn(c, params.id);
  const key = await readKey(db, workspace, id);
  if (key === null) {
    const tombstone = await readRevoked(db, workspace, id);
    if (tombstone.length === 0) throw notFound("key");
    await handOver(c.env, workspace, tombstone);
    return c.body(null, 204);
  }
  const before = rightsOf(key);
  const entry = entryOf(c, { action: "key.revoke", targetKind: "key", target: id, before });
  await handOver(c.env, workspace, await deleteKey(db, workspace, id, entry));
  await endLive(c, workspace, id);
  return c.body(null, 204);
};

function keyIn(c: Ctx, text: string): KeyId {
  const id = parseId("key", text);
  if (id === null || id.workspace !== c.get("workspace")) throw notFound("key");
  return id.id;
}

async function find(c: Ctx, text: string): Promise<KeyRow & { id: KeyId }> {
  const id = keyIn(c, text);
  const key = await readKey(database(c.env), c.get("workspace"), id);
  if (key === null) throw notFound("key");
  return { ...key, id };
}

/** A key never does more than who makes it may do. */
function checkScopes(c: Ctx, scopes: readonly Scope[]): void {
  const beyond = scopesBeyond(scopes, c.get("actor").may);
  if (beyond.length === 0) return;
  throw new Refused(
    refuse("forbidden", `These scopes do more than you may: ${beyond.join(", ")}.`),
  );
}

/** The campaign to which a key is bound, by its local key, or null. */
async function readBinding(
  c: Ctx,
  campaign: string | null,
  scopes: readonly Scope[],
): Promise<number | null> {
  if (campaign === null) return null;
  if (scopes.length !== 1 || scopes[0] !== "tasks:write") {
    const expected = "tasks:write alone for a key that is bound to a campaign";
    throw invalid({ path: "scopes", expected, got: scopes.join(", ") });
  }
  const key = localKey("cmp", c.get("workspace"), campaign);
  const expected = "the id of a realtime campaign of this workspace";
  const got = "an unknown id";
  if (key === null) throw invalid({ path: "campaign", expected, got });
  const found = await findCampaign(c, campaign).catch((error: unknown) => {
    if (error instanceof Refused && error.refusal.code === "not_found") return null;
    throw error;
  });
  if (found === null) throw invalid({ path: "campaign", expected, got });
  if (found.settings.type !== "realtime") {
    throw invalid({ path: "campaign", expected, got: `a ${found.settings.type} campaign` });
  }
  return key;
}

/** What the audit log says of a key. */
function rightsOf(
  row: Pick<KeyRow, "name" | "scopes"> & {
    campaign?: number | null | undefined;
    expiresAt?: number | null | undefined;
  },
) {
  const { name, scopes, campaign = null, expiresAt = null } = row;
  return { name, scopes, campaign, expiresAt };
}

async function shownKey(c: Ctx, id: KeyId): Promise<Key> {
  const found = await readListedKey(database(c.env), c.get("workspace"), id);
  if (found === null) throw notFound("key");
  return keyWire(found);
}

function keyWire({ key, person, maker }: ListedKey): Key {
  const { id, name, prefix, createdBy, expiresAt, lastUsedAt, replaces, createdAt } = key;
  const workspace = parseId("key", id)?.workspace;
  if (workspace === undefined) throw new Error("bug: a key's id that is none");
  return {
    id,
    name,
    prefix,
    scopes: key.scopes.filter(isScope),
    campaign: key.campaign === null ? null : makeId("cmp", workspace, key.campaign),
    createdBy: createdBy === null ? null : { id: createdBy, name: person ?? maker },
    expiresAt,
    lastUsedAt,
    replaces,
    createdAt,
  };
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
