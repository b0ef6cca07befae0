import { AddressRefused } from "../carriers/outbound.ts";
import { type CallId, makeId, type WorkspaceId } from "../core/ids.ts";
import { rangeOf } from "../core/range.ts";
import type { OpenConnection } from "./connection.ts";

/*
 * Copies of recordings in R2, where a bucket is bound as `RECORDINGS`: one object a call, under
 * `<workspace>/<call>`. A copy that is there is whole: R2 shows nothing of an upload that broke off.
 */

/** Recordings that come so long after the end are copied by the clock; later ones when they are first played. */
export const SETTLED_MS = 10 * 60_000;
/** The clock's wait before it tries again what failed, or broke off. */
export const FIRST_WAIT_MS = 5 * 60_000;
/** A longer recording stays at the carrier. */
export const RECORDING_BYTES_MAX = 200 * 1024 * 1024;
/** Objects that one request to R2 deletes, or lists. */
const KEYS_AT_ONCE = 1_000;
/** Of a recording whose length nobody says, so much is held at a time: parts of R2 are of one size. */
const PART_BYTES = 8 * 1024 * 1024;
const SOUND = /^(audio|video)\/[\w.+-]+/i;

/** A media type of sound, or plain bytes: nothing that a browser would run. */
export function soundType(type: string | null): string {
  return type !== null && SOUND.test(type) ? type : "application/octet-stream";
}

function keyOf(workspace: WorkspaceId, call: CallId): string {
  return `${workspace}/${call}`;
}

/** What came of copying: `later` may go well another time, `never` will not. */
export type Copied =
  | { kind: "copied"; bytes: number }
  | { kind: "later"; why: string; gone: boolean }
  | { kind: "never"; why: string };

export type Recording = {
  call: CallId;
  /** The carrier's address of it. */
  url: string;
  open: OpenConnection;
  /** Asked once the copy is there: whether it may stay, as one of somebody erased meanwhile may not. */
  mayStay: () => Promise<boolean>;
};

export type CopyLimits = { bytesMax: number; ms: number };

/** Copies a recording as it comes from the carrier; what is there already is left as it is. */
export async function copyRecording(
  bucket: R2Bucket,
  workspace: WorkspaceId,
  { call, url, open, mayStay }: Recording,
  { bytesMax, ms }: CopyLimits,
): Promise<Copied> {
  const key = keyOf(workspace, call);
  if ((await bucket.head(key)) !== null) return { kind: "copied", bytes: 0 };
  const late = AbortSignal.timeout(ms);
  let bytes: number;
  try {
    const asked = open.carrier.recording(open.settings, url, null);
    const answer = await inTime(asked, late, (reply) => reply.body?.cancel());
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      const gone = answer.status === 404 || answer.status === 410;
      return { kind: "later", why: `the carrier answered ${answer.status}`, gone };
    }
    bytes = await store(bucket, key, answer, bytesMax, late);
  } catch (error) {
    if (error instanceof TooLarge) return { kind: "never", why: "it is too large" };
    if (error instanceof AddressRefused) return { kind: "never", why: "its address is refused" };
    // Its text may quote the address, which is the carrier's secret.
    return { kind: "later", why: late.aborted ? "it took too long" : "it broke off", gone: false };
  }
  let stays = false;
  try {
    stays = await mayStay();
  } finally {
    if (!stays) await bucket.delete(key);
  }
  return stays ? { kind: "copied", bytes } : { kind: "never", why: "it was erased" };
}

class TooLarge extends Error {}

/** Stores a body without holding it: R2 wants to know its length, or gets it part by part. */
async function store(
  bucket: R2Bucket,
  key: string,
  { headers, body }: Response,
  bytesMax: number,
  late: AbortSignal,
): Promise<number> {
  if (body === null) throw new Error("no body");
  const options = { httpMetadata: { contentType: soundType(headers.get("content-type")) } };
  const length = lengthOf(headers);
  if (length === null) return storeParts(bucket, key, { body, options }, bytesMax, late);
  if (length === 0 || length > bytesMax) {
    await body.cancel();
    throw length === 0 ? new Error("empty") : new TooLarge();
  }
  // Fails when there is more or less of it than was said.
  const { readable, writable } = new FixedLengthStream(length);
  await Promise.all([
    body.pipeTo(writable, { signal: late }),
    bucket.put(key, readable, options).then(() => undefined),
  ]);
  return length;
}

function lengthOf(headers: Headers): number | null {
  // Of what was packed, it is the length of the packet.
  const packed = (headers.get("content-encoding") ?? "identity") !== "identity";
  const text = packed ? "" : (headers.get("content-length") ?? "");
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

async function storeParts(
  bucket: R2Bucket,
  key: string,
  { body, options }: { body: ReadableStream<Uint8Array>; options: R2MultipartOptions },
  bytesMax: number,
  late: AbortSignal,
): Promise<number> {
  const reader = body.getReader();
  const part = new Uint8Array(Math.min(PART_BYTES, bytesMax));
  let held = 0;
  let bytes = 0;
  let upload: R2MultipartUpload | null = null;
  const parts: R2UploadedPart[] = [];
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), late);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > bytesMax) throw new TooLarge();
      for (let rest = value; rest.byteLength > 0; ) {
        if (held === part.byteLength) {
          upload ??= await bucket.createMultipartUpload(key, options);
          parts.push(await upload.uploadPart(parts.length + 1, part));
          held = 0;
        }
        const fits = rest.subarray(0, part.byteLength - held);
        part.set(fits, held);
        held += fits.byteLength;
        rest = rest.subarray(fits.byteLength);
      }
    }
    const last = part.subarray(0, held);
    if (bytes === 0) throw new Error("empty");
    if (upload === null) await bucket.put(key, last, options);
    else {
      parts.push(await upload.uploadPart(parts.length + 1, last));
      await upload.complete(parts);
    }
    return bytes;
  } catch (error) {
    // What is left of a broken upload R2 removes by itself, should this fail, too.
    await Promise.allSettled([reader.cancel(), upload?.abort()]);
    throw error;
  }
}

/** A promise that is waited for only so long; what comes of it afterwards is thrown away. */
async function inTime<T>(
  work: Promise<T>,
  late: AbortSignal,
  drop?: (value: T) => unknown,
): Promise<T> {
  let stop = () => {};
  const over = new Promise<never>((_, reject) => {
    stop = () => reject(new Error("too late"));
    if (late.aborted) stop();
    else late.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, over]);
  } catch (error) {
    if (late.aborted) work.then(drop).catch(() => undefined);
    throw error;
  } finally {
    late.removeEventListener("abort", stop);
  }
}

/** The copy of a call's recording, or the part of it that a Range header names; null where there is none. */
export async function playCopy(
  bucket: R2Bucket,
  workspace: WorkspaceId,
  call: CallId,
  range: string | null,
): Promise<Response | null> {
  const key = keyOf(workspace, call);
  const known = await bucket.head(key);
  if (known === null) return null;
  const { size, httpMetadata } = known;
  const headers = new Headers({
    "content-type": soundType(httpMetadata?.contentType ?? null),
    "accept-ranges": "bytes",
  });
  const part = rangeOf(range, size);
  if (part === "outside") {
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const object = await bucket.get(key, part === null ? {} : { range: part });
  if (object === null) return null;
  headers.set("content-length", String(part?.length ?? size));
  if (part !== null) {
    const end = part.offset + part.length - 1;
    headers.set("content-range", `bytes ${part.offset}-${end}/${size}`);
  }
  return new Response(object.body, { status: part === null ? 200 : 206, headers });
}

/** Deletes the copies of these calls; those that have none are none the worse. */
export async function forgetRecordings(
  env: Env,
  workspace: WorkspaceId,
  calls: readonly number[],
): Promise<void> {
  if (env.RECORDINGS === undefined) return;
  for (let at = 0; at < calls.length; at += KEYS_AT_ONCE) {
    const some = calls.slice(at, at + KEYS_AT_ONCE);
    await env.RECORDINGS.delete(
      some.map((call) => keyOf(workspace, makeId("cal", workspace, call))),
    );
  }
}

/** Deletes a slice of a workspace's copies; true when none is left. */
export async function removeRecordings(env: Env, workspace: WorkspaceId): Promise<boolean> {
  if (env.RECORDINGS === undefined) return true;
  const { objects, truncated } = await env.RECORDINGS.list({
    prefix: `${workspace}/`,
    limit: KEYS_AT_ONCE,
  });
  if (objects.length > 0) await env.RECORDINGS.delete(objects.map(({ key }) => key));
  return !truncated;
}
