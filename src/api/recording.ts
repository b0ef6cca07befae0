import type { CallRecord } from "../core/call.ts";
import { refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import { beginCopy, endCopy, hasRecording } from "../db/recordings.ts";
import type { OpenConnection } from "../shell/connection.ts";
import { logFault } from "../shell/faults.ts";
import {
  copyRecording,
  FIRST_WAIT_MS,
  playCopy,
  RECORDING_BYTES_MAX,
  type Recording,
  SETTLED_MS,
  soundType,
} from "../shell/recordings.ts";
import { openConnection } from "./carrier-of.ts";
import type { Ctx } from "./context.ts";
import { noteView } from "./entry.ts";
import { notFound, Refused } from "./errors.ts";
import { findCall, keyIn } from "./find.ts";
import type { Handler } from "./serve.ts";

const PASSED = ["content-length", "content-range", "accept-ranges"];
/** After the reply the platform lets work go on for half a minute. */
const COPY_LIMITS = { bytesMax: RECORDING_BYTES_MAX, ms: 25_000 };

/**
 * Plays a call's recording: the copy, if a bucket is bound and has one, else the carrier's, through
 * the connection's credentials; its address stays hidden.
 */
export const play: Handler<"GET /v1/calls/{id}/recording"> = async (c, { params }) => {
  const call = await findCall(c, params.id);
  if (call.recordingUrl === null) throw notFound("recording");
  await noteView(c, { action: "call.play", targetKind: "call", target: call.id });
  const range = c.req.header("range") ?? null;
  const copy = await findCopy(c, call, range);
  if (copy !== null) return passOn(copy);
  const open = await openConnection(c.env, c.get("workspace"), call.connection, c.get("now"));
  if (open === null) throw notFound("recording");
  const answer = await fetchRecording(() =>
    open.carrier.recording(open.settings, call.recordingUrl ?? "", range),
  );
  if (answer.status === 404 || answer.status === 410) {
    await answer.body?.cancel();
    throw notFound("recording");
  }
  if (answer.status !== 200 && answer.status !== 206 && answer.status !== 416) {
    await answer.body?.cancel();
    throw away(`The carrier answered ${answer.status}.`);
  }
  if (answer.status !== 416) copyLate(c, call, open);
  return passOn(answer);
};

function passOn(answer: Response): Response {
  const headers = new Headers({ "content-type": soundType(answer.headers.get("content-type")) });
  for (const name of PASSED) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}

async function findCopy(c: Ctx, call: CallRecord, range: string | null): Promise<Response | null> {
  if (c.env.RECORDINGS === undefined) return null;
  try {
    return await playCopy(c.env.RECORDINGS, c.get("workspace"), call.id, range);
  } catch (error) {
    logFault("recording", error, { workspace: c.get("workspace") });
    return null;
  }
}

/** Calls whose recordings this isolate copies: a player asks for several parts at once. */
const copying = new Set<string>();

/** A recording that came too late for the clock is copied now that it is played, without waiting. */
function copyLate(c: Ctx, call: CallRecord, open: OpenConnection): void {
  const { RECORDINGS: bucket } = c.env;
  const { id, endedAt, recordingUrl: url } = call;
  const early = endedAt === null || endedAt > c.get("now") - SETTLED_MS;
  if (bucket === undefined || url === null || early || copying.has(id)) return;
  copying.add(id);
  const copied = copy(c, bucket, { call: id, url, open })
    .catch((error: unknown) => logFault("recording", error, { workspace: c.get("workspace") }))
    .finally(() => copying.delete(id));
  c.executionCtx.waitUntil(copied);
}

/** What fails, or breaks off, is left to the clock. */
async function copy(
  c: Ctx,
  bucket: R2Bucket,
  recording: Omit<Recording, "mayStay">,
): Promise<void> {
  const db = database(c.env);
  const workspace = c.get("workspace");
  const key = keyIn(c, "cal", recording.call);
  await beginCopy(db, workspace, key, c.get("now") + FIRST_WAIT_MS);
  const mayStay = () => hasRecording(db, workspace, key);
  const came = await copyRecording(bucket, workspace, { ...recording, mayStay }, COPY_LIMITS);
  if (came.kind !== "later") await endCopy(db, workspace, key);
  if (came.kind === "copied") return;
  console.log(
    JSON.stringify({ event: "recording not copied", call: recording.call, why: came.why }),
  );
}

async function fetchRecording(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (error) {
    logFault("recording", error, {});
    throw away("The carrier does not answer.");
  }
}

function away(message: string): Refused {
  return new Refused(refuse("unavailable", message), { "retry-after": "5" });
}
