import type { CallNews, CarrierReport } from "../carriers/carrier.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { deleteReportTexts, readReportTexts } from "../db/reports.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import type { IngestMessage, ReportMessage } from "./messages.ts";

const RETRY_SECONDS_MAX = 300;

/**
 * Hands reports to their Dialers: grouped by workspace, workspaces side by side, each message
 * acknowledged alone. What fails comes back later, and after ten times as a dead letter.
 */
export async function handleReports(batch: MessageBatch<ReportMessage>, env: Env): Promise<void> {
  const groups = new Map<WorkspaceId, Message<ReportMessage>[]>();
  for (const message of batch.messages) {
    const group = groups.get(message.body.workspace);
    if (group === undefined) groups.set(message.body.workspace, [message]);
    else group.push(message);
  }
  await Promise.all([...groups].map(([workspace, group]) => tell(env, workspace, group)));
}

async function tell(
  env: Env,
  workspace: WorkspaceId,
  messages: Message<ReportMessage>[],
): Promise<void> {
  const { ready, texts } = await withTexts(env, workspace, messages);
  if (ready.length === 0) return;
  const items = ready.map(({ message, report }) => {
    return { connection: message.body.connection, report };
  });
  try {
    const reply = await dialerOf(env, workspace).report(items);
    // A workspace that has ended, and all it had is removed: nobody waits for these.
    if (!reply.ok && reply.code === "not_found") {
      console.log(JSON.stringify({ event: "strange", workspace, reports: items.length }));
      for (const { message } of ready) message.ack();
      return;
    }
    if (!reply.ok) throw new Error(`the Dialer refuses reports: ${reply.code} ${reply.message}`);
    const strange = reply.value.known.filter((known) => !known).length;
    if (strange > 0) console.log(JSON.stringify({ event: "strange", workspace, reports: strange }));
  } catch (error) {
    logFault("report", error, { workspace, messages: ready.length });
    for (const { message } of ready) later(message);
    return;
  }
  for (const { message } of ready) message.ack();
  if (texts.length === 0) return;
  try {
    await deleteReportTexts(database(env), workspace, texts);
  } catch (error) {
    // They stay until the watchdog removes old ones.
    logFault("report texts", error, { workspace });
  }
}

type Ready = { message: Message<ReportMessage>; report: CarrierReport };

/** Reports with the texts that D1 keeps for them; while D1 is away, those without any go on alone. */
async function withTexts(
  env: Env,
  workspace: WorkspaceId,
  messages: Message<ReportMessage>[],
): Promise<{ ready: Ready[]; texts: string[] }> {
  const named = messages.flatMap((message) => message.body.texts ?? []);
  let found = new Map<string, string>();
  let away = false;
  if (named.length > 0) {
    try {
      found = await readReportTexts(database(env), workspace, named);
    } catch (error) {
      logFault("report texts", error, { workspace });
      away = true;
    }
  }
  const ready: Ready[] = [];
  for (const message of messages) {
    const { report, texts } = message.body;
    if (texts === null) ready.push({ message, report });
    else if (away) later(message);
    else ready.push({ message, report: filled(report, found.get(texts)) });
  }
  return { ready, texts: away ? [] : named };
}

/** Without its texts when a delivery before this one has used them up. */
function filled(report: CarrierReport, texts: string | undefined): CarrierReport {
  if (texts === undefined) return report;
  const kept = JSON.parse(texts) as Pick<CallNews, "transcript" | "analysis">;
  return { ...report, news: { ...report.news, ...kept } };
}

function later(message: Message<unknown>): void {
  message.retry({ delaySeconds: Math.min(RETRY_SECONDS_MAX, 2 ** message.attempts) });
}

/** Sends each dead letter back to its queue: whatever killed it may be over. */
export async function handleDead(
  batch: MessageBatch<ReportMessage | IngestMessage>,
  env: Env,
): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const { body } = message;
      try {
        if ("report" in body) await env.REPORTS.send(body);
        else await env.INGEST.send(body);
        message.ack();
      } catch (error) {
        logFault("dead letter", error, { workspace: body.workspace });
        later(message);
      }
    }),
  );
}
