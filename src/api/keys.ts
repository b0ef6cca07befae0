import { parseId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { deleteKey, insertKey, type KeyRow, listKeys, readKey } from "../db/keys.ts";
import { notFound } from "./errors.ts";
import { handOver, retire } from "./hand-over.ts";
import { newKeyText } from "./key-text.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/keys"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const { id, text, prefix, hash } = await newKeyText(c.env.SIGNING_SECRET, workspace);
  const row = {
    id,
    name: body.name,
    prefix,
    hash,
    scopes: ["*"],
    expiresAt: body.expiresAt ?? null,
    createdAt: c.get("now"),
  };
  const docs = await insertKey(database(c.env), workspace, row);
  await handOver(c.env, workspace, docs);
  return c.json({ ...keyWire(row), apiKey: text }, 201);
};

export const list: Handler<"GET /v1/keys"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listKeys(database(c.env), c.get("workspace"), page);
  return c.json(mapPage(found, keyWire));
};

/** Revokes: the Dialer first, which pushes ask, then D1, which everything else asks. */
export const remove: Handler<"DELETE /v1/keys/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const id = parseId("key", params.id);
  const db = database(c.env);
  const key = id?.workspace === workspace ? await readKey(db, workspace, id.id) : null;
  if (id === null || key === null) throw notFound("key");
  await retire(c.env, workspace, "key", id.id);
  await handOver(c.env, workspace, await deleteKey(db, workspace, id.id, c.get("now")));
  return c.body(null, 204);
};

function keyWire(
  row: Pick<KeyRow, "id" | "name" | "prefix" | "scopes" | "createdAt"> & {
    expiresAt: number | null | undefined;
  },
) {
  const { id, name, prefix, scopes, createdAt } = row;
  return { id, name, prefix, scopes, expiresAt: row.expiresAt ?? null, createdAt };
}
