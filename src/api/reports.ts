import type { CarrierReport, ReportRequest } from "../carriers/carrier.ts";
import { checkReportPath } from "../carriers/report-url.ts";
import { soundReport, soundWord } from "../carriers/sound.ts";
import { REPORT_BYTES_MAX } from "../contract/report.ts";
import { isTooDeep } from "../core/deep.ts";
import {
  type CallId,
  type ConnectionId,
  localKey,
  parseId,
  type WorkspaceId,
} from "../core/ids.ts";
import { database } from "../db/database.ts";
import { keepReportTexts } from "../db/reports.ts";
import { countWords } from "../db/words.ts";
import type { ReportMessage } from "../queues/messages.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { unauthorized } from "./auth.ts";
import { readBytes } from "./body.ts";
import { openConnection } from "./carrier-of.ts";
import type { Ctx } from "./context.ts";
import { notFound, Refused } from "./errors.ts";
import { randomText } from "./key-text.ts";
import type { Handler } from "./serve.ts";

/** A message larger than this keeps its texts in D1 (a queue takes 128 KB). */
const MESSAGE_BYTES_MAX = 64 * 1024;
/** Most messages, and bytes, of one `sendBatch`. */
const BATCH_MAX = { messages: 100, bytes: 240 * 1024 };

export const receive: Handler<"POST /reports/{connection}"> = (c, { params }) =>
  accept(c, params.connection, null);

export const receiveForCall: Handler<"POST /reports/{connection}/{call}"> = async (
  c,
  { params },
) => {
  const connection = params.connection as ConnectionId;
  const shown = params.call.includes(".")
    ? params.call
    : `${params.call}.${c.req.query("mac") ?? ""}`;
  const call = await checkReportPath(c.env.SIGNING_SECRET, connection, shown);
  if (call === null) throw unauthorized("This report address is none of ours.");
  return accept(c, connection, call);
};

/**
 * Takes a carrier's reports: 200 only once they are in their queue. After that the Dialer hears
 * of them at once, as a hint; the queue's delivery then changes nothing (H36).
 */
async function accept(c: Ctx, connectionText: string, call: CallId | null): Promise<Response> {
  const now = c.get("now");
  const connection = parseId("con", connectionText);
  if (connection === null) throw notFound("connection");
  const { workspace, id } = connection;
  const open = await openConnection(c.env, workspace, id, now);
  if (open === null) throw notFound("connection");
  const url = c.env.PUBLIC_URL + c.req.url.slice(new URL(c.req.url).origin.length);
  const body = await readBytes(c, REPORT_BYTES_MAX);
  const request: ReportRequest = { url, headers: c.req.raw.headers, body };
  if (!(await open.carrier.verify(open.settings, request, now))) {
    throw unauthorized("This report is not signed by the connection's carrier.");
  }
  if (isTooDeep(new TextDecoder().decode(body))) throw unreadable();
  const whole = readReports(() => open.carrier.read(request, now, open.settings));
  const read = whole.map(soundReport);
  const named = call === null ? read : read.map((report) => ({ ...report, call }));
  const ours = named.filter((report) => isOurs(report, workspace));
  await enqueue(c, { workspace, connection: id }, ours);
  // Only an end turns a slot over or moves a task: the rest can wait for its queue.
  const deciding = ours.filter(({ news }) => news.ended || news.concluding);
  hint(
    c,
    workspace,
    deciding.map((report) => ({ connection: id, report })),
  );
  countUnknown(c, { workspace, connection: id }, whole);
  const dropped = named.length - ours.length;
  if (dropped > 0) console.log(JSON.stringify({ event: "drop", connection: id, dropped }));
  return c.json({ received: ours.length, dropped });
}

function readReports(read: () => CarrierReport[]): CarrierReport[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable();
  }
}

function unreadable(): Refused {
  return new Refused({ code: "invalid_report", message: "The report cannot be read." });
}

/** Whether a report can be of a call of this workspace; only the Dialer knows whether it is. */
function isOurs(report: CarrierReport, workspace: WorkspaceId): boolean {
  if (report.call === null) return report.carrierCallId !== null;
  return parseId("cal", report.call)?.workspace === workspace;
}

type Address = { workspace: WorkspaceId; connection: ConnectionId };

async function enqueue(c: Ctx, address: Address, reports: CarrierReport[]): Promise<void> {
  const messages = await Promise.all(reports.map((report) => messageOf(c, address, report)));
  let batch: { body: ReportMessage }[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.bytes;
    const fits = batch.length < BATCH_MAX.messages && bytes + size <= BATCH_MAX.bytes;
    if (!fits) {
      await c.env.REPORTS.sendBatch(batch);
      batch = [];
      bytes = 0;
    }
    batch.push({ body: message.body });
    bytes += size;
  }
  if (batch.length > 0) await c.env.REPORTS.sendBatch(batch);
}

/** What decides goes into the message; texts that are too long for it go to D1, or are left out. */
async function messageOf(
  c: Ctx,
  address: Address,
  report: CarrierReport,
): Promise<{ body: ReportMessage; bytes: number }> {
  const whole: ReportMessage = { ...address, report, texts: null, cut: false };
  const bytes = sizeOf(whole);
  if (bytes <= MESSAGE_BYTES_MAX) return { body: whole, bytes };
  const { transcript, analysis } = report.news;
  const short = { ...report, news: { ...report.news, transcript: null, analysis: null } };
  // An erasure finds it by its call.
  const named = report.call === null ? null : localKey("cal", address.workspace, report.call);
  const texts = `${named ?? report.carrierCallId ?? ""}/${randomText(24)}`;
  try {
    const kept = JSON.stringify({ transcript, analysis });
    await keepReportTexts(database(c.env), address.workspace, texts, kept, c.get("now"));
    const body = { ...address, report: short, texts, cut: false };
    return { body, bytes: sizeOf(body) };
  } catch (error) {
    logFault("report texts", error, { workspace: address.workspace });
    const body = { ...address, report: short, texts: null, cut: true };
    return { body, bytes: sizeOf(body) };
  }
}

function sizeOf(message: ReportMessage): number {
  return new TextEncoder().encode(JSON.stringify(message)).byteLength;
}

/** Counts words that nobody knows, without waiting: a count that is lost hurts nobody. */
function countUnknown(c: Ctx, { workspace, connection }: Address, reports: CarrierReport[]): void {
  const words = reports.flatMap(({ unknownWord }) => soundWord(unknownWord) ?? []);
  if (words.length === 0) return;
  const counted = countWords(database(c.env), workspace, connection, words, c.get("now"));
  c.executionCtx.waitUntil(
    counted.catch((error: unknown) => logFault("unknown words", error, { workspace })),
  );
}

const HINTS_MAX = 8;
const OVERLOADED_MS = 1000;
let hints = 0;
let silentUntil = 0;

/** Tells the Dialer now, without waiting, unless it has enough to do; the queue tells it anyway. */
function hint(
  c: Ctx,
  workspace: WorkspaceId,
  items: { connection: ConnectionId; report: CarrierReport }[],
): void {
  if (items.length === 0 || hints >= HINTS_MAX || c.get("now") < silentUntil) return;
  hints += 1;
  const told = dialerOf(c.env, workspace)
    .report(items)
    .then(() => undefined)
    .catch((error: unknown) => {
      const overloaded = (error as { overloaded?: boolean } | null)?.overloaded === true;
      if (overloaded) silentUntil = Date.now() + OVERLOADED_MS;
      else logFault("hint", error, { workspace });
    })
    .finally(() => {
      hints -= 1;
    });
  c.executionCtx.waitUntil(told);
}
