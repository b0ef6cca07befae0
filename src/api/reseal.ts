import { isSealedNow, seal, sealingKey, unseal } from "../carriers/seal.ts";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { type ConnectionRow, listEveryConnection, resealConnection } from "../db/connections.ts";
import { readCopies } from "../db/copies.ts";
import { database } from "../db/database.ts";
import { type FormRow, listEverySealedForm, resealForm } from "../db/forms.ts";
import { listEveryWebhook, resealWebhook, type WebhookRow } from "../db/webhooks.ts";
import { forgetConnection } from "./carrier-of.ts";
import type { Ctx } from "./context.ts";
import { entryOf } from "./entry.ts";
import { Refused } from "./errors.ts";
import { forgetForm } from "./form-of.ts";
import { handOver } from "./hand-over.ts";
import type { Handler } from "./serve.ts";

/** Each takes a batch of D1, some a call of their Dialer: few enough for one invocation. */
const SLICE = 20;

/**
 * Seals a slice of all that is sealed anew, by the newest key: connections, secrets of forms and of
 * webhooks, in the order of their ids. Each connection's copy is handed to its Dialer, changed or not: so a walk
 * that was cut short anywhere is begun again without harm, and one that comes to its end has left no
 * copy behind.
 */
export const resealSlice: Handler<"POST /v1/connections/reseal"> = async (c, { body }) => {
  const key = sealingKey(c.env);
  if (key !== body.key) {
    throw new Refused(refuse("conflict", `Here SEALING_KEY_${key} seals.`), { "retry-after": "1" });
  }
  const db = database(c.env);
  const after = body.after ?? "";
  const connections = await listEveryConnection(db, after, SLICE);
  const forms = await listEverySealedForm(db, after, SLICE);
  const webhooks = await listEveryWebhook(db, after, SLICE);
  const found = [
    ...connections.map((row) => ({ id: row.id, sealAnew: () => sealAnew(c, row) })),
    ...forms.map((row) => ({ id: row.id, sealAnew: () => sealFormAnew(c, row) })),
    ...webhooks.map((row) => ({ id: row.id, sealAnew: () => sealWebhookAnew(c, row) })),
  ];
  // As D1 compares ids.
  found.sort((a, b) => (a.id < b.id ? -1 : 1));
  const slice = found.slice(0, SLICE);
  const sealed = await Promise.all(slice.map((one) => one.sealAnew()));
  const next = slice.length < SLICE ? null : (slice.at(-1)?.id ?? null);
  return c.json({ seen: slice.length, sealed: sealed.filter(Boolean).length, next });
};

/** Whether one of its secrets was sealed by another key before. */
async function sealWebhookAnew(c: Ctx, row: WebhookRow): Promise<boolean> {
  const { env } = c;
  const { id, sealed, sealedOld } = row;
  const anew = async (text: string) =>
    isSealedNow(env, text) ? text : seal(env, await unseal(env, text));
  const now = {
    sealed: await anew(sealed),
    sealedOld: sealedOld === null ? null : await anew(sealedOld),
  };
  if (now.sealed === sealed && now.sealedOld === sealedOld) return false;
  const entry = entryOf(c, {
    action: "webhook.reseal",
    targetKind: "webhook",
    target: id,
    after: { sealingKey: sealingKey(env) },
  });
  await resealWebhook(database(env), row.workspace as WorkspaceId, id, sealed, now, entry);
  return true;
}

/** Whether it was sealed by another key before; pages ask by the secret that they find in D1. */
async function sealFormAnew(c: Ctx, row: FormRow): Promise<boolean> {
  const { env } = c;
  const { id, sealed: before } = row;
  if (before === null || isSealedNow(env, before)) return false;
  const sealed = await seal(env, await unseal(env, before));
  const entry = entryOf(c, {
    action: "form.reseal",
    targetKind: "form",
    target: id,
    after: { sealingKey: sealingKey(env) },
  });
  await resealForm(database(env), row.workspace as WorkspaceId, id, before, sealed, entry);
  forgetForm(id);
  return true;
}

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
