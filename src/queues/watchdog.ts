import type { ImportId, WorkspaceId } from "../core/ids.ts";
import { liveWorkspaces } from "../db/campaigns.ts";
import { type Db, database } from "../db/database.ts";
import {
  deleteDeliveriesBefore,
  overdueReceivers,
  workspacesWithReceivers,
} from "../db/deliveries.ts";
import { endedWorkspaces, removeEnded } from "../db/endings.ts";
import { deleteRejectsBefore, importsWithoutLife, touchImports } from "../db/imports.ts";
import { deleteReportTextsBefore } from "../db/reports.ts";
import { applyRetention, recordingsToForget, retainedWorkspaces } from "../db/retention.ts";
import { abandonUpload, removeUpload } from "../db/uploads.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { forgetRecordings, removeRecordings } from "../shell/recordings.ts";
import { copyRecordings } from "./recordings.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const STALLED_MS = MINUTE_MS;
const UPLOAD_ABANDONED_MS = 15 * MINUTE_MS;
const REJECTS_KEPT_MS = 30 * DAY_MS;
const REPORT_TEXTS_KEPT_MS = DAY_MS;

const DELIVERIES_KEPT_MS = 30 * DAY_MS;
const DELIVERIES_AT_ONCE = 1_000;

/** Most imports of one look: the next minute takes up the others. */
const AT_ONCE = 100;
/** Workspaces whose old texts are looked for in one minute. */
const RETAINED_AT_ONCE = 5;
/** Slices that ended workspaces lose in one minute, all together. */
const SLICES_AT_ONCE = 50;
/** Objects asked side by side: six connections are all that one invocation may have open. */
const OBJECTS_AT_ONCE = 5;

/** What cron does once a minute: takes up whatever a lost alarm or a lost message left behind. */
export async function watchdog(env: Env, now: number): Promise<void> {
  await watchImports(env, now);
  const db = database(env);
  await guarded("report texts", () => deleteReportTextsBefore(db, now - REPORT_TEXTS_KEPT_MS));
  await guarded("retention", () => retain(env, db, now));
  await guarded("receivers", () => wakeReceivers(env, db, now));
  await guarded("deliveries", () => forgetDeliveries(db, now));
  await guarded("ended workspaces", () => removeWhatEnded(env, db, now));
  await guarded("tick", async () => {
    await inGroups(await liveWorkspaces(db), (workspace) =>
      guarded("tick", () => dialerOf(env, workspace).tick(), { workspace }),
    );
  });
  // It takes its time: nothing else waits for it.
  await guarded("recordings", () => copyRecordings(env, db, now));
}

/** One slice for each of some workspaces: the next minute goes on where this one stops. */
async function retain(env: Env, db: Db, now: number): Promise<void> {
  for (const { workspace, days, after } of await retainedWorkspaces(db, now, RETAINED_AT_ONCE)) {
    const deed = { action: "retention.apply", targetKind: "workspace", target: workspace };
    const origin = { actorKind: "outdial" as const, actor: null, ip: null, requestId: null };
    const entry = { ...origin, ...deed, after: { days }, at: now };
    const cutoff = now - days * DAY_MS;
    const apply = () => applyRetention(db, workspace, after, cutoff, entry);
    await guarded(
      "retention",
      async () => {
        if (env.RECORDINGS === undefined) return apply();
        // Copies first, while their rows are found; and once more, for one that was made meanwhile.
        const calls = await recordingsToForget(db, workspace, after, cutoff);
        await forgetRecordings(env, workspace, calls);
        await apply();
        await forgetRecordings(env, workspace, calls);
      },
      { workspace },
    );
  }
}

/** A turn whose message was lost. */
async function wakeReceivers(env: Env, db: Db, now: number): Promise<void> {
  const overdue = await overdueReceivers(db, now - STALLED_MS, AT_ONCE);
  if (overdue.length > 0) await env.EVENTS.sendBatch(overdue.map((body) => ({ body })));
}

/** Deliveries are kept for 30 days; each minute looks at some workspaces. */
async function forgetDeliveries(db: Db, now: number): Promise<void> {
  for (const workspace of await workspacesWithReceivers(db, Math.floor(now / MINUTE_MS))) {
    await guarded(
      "deliveries",
      () => deleteDeliveriesBefore(db, workspace, now - DELIVERIES_KEPT_MS, DELIVERIES_AT_ONCE),
      { workspace },
    );
  }
}

/**
 * Ends what a broken request left half done, then removes what ended workspaces had: their objects
 * once no call goes on and D1 knows everything, so that no flush writes what was removed; then D1.
 */
async function removeWhatEnded(env: Env, db: Db, now: number): Promise<void> {
  const left = { slices: SLICES_AT_ONCE };
  await inGroups(await endedWorkspaces(db, AT_ONCE), (workspace) =>
    guarded("ended workspace", () => removeOne(env, db, workspace, now, left), { workspace }),
  );
}

async function removeOne(
  env: Env,
  db: Db,
  workspace: WorkspaceId,
  now: number,
  left: { slices: number },
): Promise<void> {
  const dialer = dialerOf(env, workspace);
  const ended = await dialer.end();
  if (!ended.ok || ended.value.open > 0) return;
  const gone = await dialer.vanish();
  if (!gone.ok) return;
  let copies = true;
  while (left.slices > 0) {
    left.slices -= 1;
    if (copies) copies = !(await removeRecordings(env, workspace));
    else if (await removeEnded(db, workspace, now)) return;
  }
}

/** Sends lost messages of imports again, removes uploads that stopped and rejected rows of old. */
export async function watchImports(env: Env, now: number): Promise<void> {
  const db = database(env);
  await guarded("stalled imports", () => sendAgain(env, db, now));
  await guarded("stopped uploads", () => removeStopped(env, db, now));
  await guarded("old rejects", () => deleteRejectsBefore(db, now - REJECTS_KEPT_MS));
}

/** A message too many is harmless: the part that is done is not carried again. */
async function sendAgain(env: Env, db: Db, now: number): Promise<void> {
  const stalled = await importsWithoutLife(db, "running", now - STALLED_MS, AT_ONCE);
  if (stalled.length === 0) return;
  const messages = stalled.map(({ workspace, id, partsDone }) => {
    return { body: { workspace, import: id, part: partsDone } };
  });
  await env.INGEST.sendBatch(messages);
  const ids = stalled.map(({ id }) => id);
  await touchImports(db, ids, now);
  console.log(JSON.stringify({ event: "watchdog", imports: ids }));
}

async function removeStopped(env: Env, db: Db, now: number): Promise<void> {
  const stopped = await importsWithoutLife(db, "uploading", now - UPLOAD_ABANDONED_MS, AT_ONCE);
  for (const { workspace, id } of stopped) await abandonUpload(db, workspace, id);
  const abandoned = await importsWithoutLife(db, "abandoned", now, AT_ONCE);
  await inGroups(abandoned, ({ workspace, id }) =>
    guarded("stopped upload", () => drop(env, db, workspace, id), { workspace, import: id }),
  );
}

/** The Dialer may have opened it: only once it holds nothing up there is it forgotten here. */
async function drop(env: Env, db: Db, workspace: WorkspaceId, id: ImportId): Promise<void> {
  const reply = await dialerOf(env, workspace).dropImport(id);
  if (!reply.ok) throw new Error(`the Dialer keeps an upload: ${reply.message}`);
  await removeUpload(db, workspace, id);
}

/** One task of the watchdog: its fault is logged and stops no other. */
async function guarded(
  what: string,
  work: () => Promise<unknown>,
  more: Record<string, unknown> = {},
): Promise<void> {
  try {
    await work();
  } catch (error) {
    logFault("watchdog", error, { what, ...more });
  }
}

async function inGroups<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += OBJECTS_AT_ONCE) {
    await Promise.all(items.slice(at, at + OBJECTS_AT_ONCE).map(work));
  }
}
