import { isSealedNow, seal, sealingKey, unseal } from "../carriers/seal.ts";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { type ConnectionRow, listEveryConnection, resealConnection } from "../db/connections.ts";
import { readCopies } from "../db/copies.ts";
import { database } from "../db/database.ts";
import { forgetConnection } from "./carrier-of.ts";
import type { Ctx } from "./context.ts";
import { entryOf } from "./entry.ts";
import { Refused } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import type { Handler } from "./serve.ts";

/** Each takes a batch of D1 and a call of its Dialer: few enough for one invocation. */
const SLICE = 20;

/**
 * Seals a slice of all connections anew, by the newest key, and hands each copy to its Dialer,
 * changed or not: so a walk that was cut short anywhere is begun again without harm, and one that
 * comes to its end has left no copy behind.
 */
export const resealSlice: Handler<"POST /v1/connections/reseal"> = async (c, { body }) => {
  const key = sealingKey(c.env);
  if (key !== body.key) {
    throw new Refused(refuse("conflict", `Here SEALING_KEY_${key} seals.`), { "retry-after": "1" });
  }
  const rows = await listEveryConnection(database(c.env), body.after ?? "", SLICE);
  const sealed = await Promise.all(rows.map((row) => sealAnew(c, row)));
  const next = rows.length < SLICE ? null : (rows.at(-1)?.id ?? null);
  return c.json({ seen: rows.length, sealed: sealed.filter(Boolean).length, next });
};

/** Whether it was sealed by another key before. */
async function sealAnew(c: Ctx, row: ConnectionRow): Promise<boolean> {
  const { env } = c;
  const db = database(env);
  const workspace = row.workspace as WorkspaceId;
  const id = row.id as ConnectionId;
  if (isSealedNow(env, row.sealed)) {
    const docs = await readCopies(db, workspace, [{ kind: "connection", id }]);
    await handOver(env, workspace, docs);
    return false;
  }
  const sealed = await seal(env, await unseal(env, row.sealed));
  // Only where nobody has edited it meanwhile: the walk comes by again.
  const entry = entryOf(c, {
    action: "connection.reseal",
    targetKind: "connection",
    target: id,
    after: { sealingKey: sealingKey(env) },
  });
  const docs = await resealConnection(db, workspace, id, row.sealed, sealed, entry);
  forgetConnection(id);
  await handOver(env, workspace, docs);
  return true;
}
