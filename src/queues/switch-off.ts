import type { WorkspaceId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { ownersOf } from "../db/members.ts";
import { editWebhook, type WebhookRow } from "../db/webhooks.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { canMail, sendMail } from "../shell/mailer.ts";

/** Why nobody but a person switches it on again. */
const REASONS = {
  gone: "it answered 410: it wants no more",
  failing: "it has not taken an event for three days",
} as const;

/** Switches a webhook off, and tells the workspace's owners. */
export async function switchOff(
  env: Env,
  workspace: WorkspaceId,
  webhook: WebhookRow,
  why: keyof typeof REASONS,
  now: number,
): Promise<void> {
  const db = database(env);
  const entry = {
    actorKind: "outdial" as const,
    actor: null,
    ip: null,
    requestId: null,
    action: "webhook.switch_off",
    targetKind: "webhook",
    target: webhook.id,
    after: { reason: REASONS[why] },
    at: now,
  };
  const off = { offAt: now, offReason: REASONS[why] };
  const docs = await editWebhook(db, workspace, webhook.id, off, entry);
  await dialerOf(env, workspace).putCopies(docs);
  if (!canMail(env)) return;
  const text = `The webhook "${webhook.name}" of your outdial workspace was switched off: ${REASONS[why]}.

What it has missed so far is kept for 30 days; what happens while it is off is not told later. Once it works again,
switch it on and replay what was given up:
${env.PUBLIC_URL}/settings/webhooks/${webhook.id}`;
  for (const { email } of await ownersOf(db, workspace)) {
    try {
      await sendMail(env, { to: email, subject: "A webhook was switched off", text });
    } catch (error) {
      logFault("mail", error, { workspace, webhook: webhook.id });
    }
  }
}
