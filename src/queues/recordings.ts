import { type ConnectionId, makeId, type WorkspaceId } from "../core/ids.ts";
import type { Db } from "../db/database.ts";
import {
  callsBehind,
  dueRetries,
  hasRecording,
  noteCopies,
  type RecordedCall,
  workspacesToCopy,
} from "../db/recordings.ts";
import { type OpenConnection, readOpenConnection } from "../shell/connection.ts";
import { logFault } from "../shell/faults.ts";
import {
  type Copied,
  copyRecording,
  FIRST_WAIT_MS,
  forgetRecordings,
  RECORDING_BYTES_MAX,
  SETTLED_MS,
} from "../shell/recordings.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A call that has not ended by then holds up no others. */
const STUCK_MS = DAY_MS;
/** Waits between tries, ms: after the last one it is given up. */
const WAITS_MS = [FIRST_WAIT_MS, 30 * MINUTE_MS, 3 * HOUR_MS, 12 * HOUR_MS];
/** Workspaces of one minute, and calls of one of them that are looked at. */
const WORKSPACES_AT_ONCE = 20;
const CALLS_AT_ONCE = 500;
/** Copied side by side: R2 and the carrier share the six connections of an invocation. */
const SIDE_BY_SIDE = 3;

/** What one minute may take, so that the next is not late: bytes, and ms in which copies are begun. */
export const MINUTE_LIMITS = {
  bytes: 1024 ** 3,
  beginMs: 20_000,
  each: { bytesMax: RECORDING_BYTES_MAX, ms: 35_000 },
};
export type MinuteLimits = typeof MINUTE_LIMITS;

/**
 * Copies recordings of calls that are over to the bucket, if one is bound: a slice of each workspace
 * that has some, from where the last one stopped. What happens twice changes nothing.
 */
export async function copyRecordings(
  env: Env,
  db: Db,
  now: number,
  limits: MinuteLimits = MINUTE_LIMITS,
): Promise<void> {
  const bucket = env.RECORDINGS;
  if (bucket === undefined) return;
  const due = await workspacesToCopy(db, now - SETTLED_MS, now, WORKSPACES_AT_ONCE);
  // What bounds a minute's work is time that really passes.
  const end = Date.now() + limits.beginMs;
  const room = { bytes: limits.bytes };
  for (const [index, { workspace, after }] of due.entries()) {
    const until = Date.now() + (end - Date.now()) / (due.length - index);
    try {
      const slice = new CopySlice(env, db, workspace, bucket, limits, now);
      await slice.run(after, until, room);
    } catch (error) {
      logFault("recordings", error, { workspace });
    }
  }
}

/** `tries` before this one; null for one that has no row of its own. */
type Wanted = RecordedCall & { tries: number | null };

/** The slice of one workspace. */
class CopySlice {
  readonly #env: Env;
  readonly #db: Db;
  readonly #workspace: WorkspaceId;
  readonly #bucket: R2Bucket;
  readonly #limits: MinuteLimits;
  readonly #now: number;
  /** Null for a connection that is gone. */
  readonly #open = new Map<ConnectionId, Promise<OpenConnection | null>>();
  readonly #again: { call: number; tries: number; nextAt: number }[] = [];
  readonly #settled: number[] = [];
  #copied = 0;

  constructor(
    env: Env,
    db: Db,
    workspace: WorkspaceId,
    bucket: R2Bucket,
    limits: MinuteLimits,
    now: number,
  ) {
    this.#env = env;
    this.#db = db;
    this.#workspace = workspace;
    this.#bucket = bucket;
    this.#limits = limits;
    this.#now = now;
  }

  /** New ones first; what failed before comes with what time is left. */
  async run(after: number, until: number, room: { bytes: number }): Promise<void> {
    const behind = await callsBehind(this.#db, this.#workspace, after, CALLS_AT_ONCE);
    const over = firstOf(behind, (call) => this.#isOver(call));
    const fresh = over.filter(({ url }) => url !== null);
    const retries = await dueRetries(this.#db, this.#workspace, this.#now, CALLS_AT_ONCE);
    const wanted: Wanted[] = [...fresh.map((call) => ({ ...call, tries: null })), ...retries];
    let begun = 0;
    const work = async () => {
      while (begun < wanted.length && Date.now() < until && room.bytes > 0) {
        const call = wanted[begun++];
        if (call !== undefined) room.bytes -= await this.#copy(call);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    // Nor has a call whose recording was erased a copy, should the last slice have died over it.
    const silent = over.filter(({ url }) => url === null).map(({ id }) => id);
    await forgetRecordings(this.#env, this.#workspace, silent);
    // Everything before the first that was not begun has been looked at.
    const next = fresh[begun];
    const reached = next === undefined ? (over.at(-1)?.id ?? after) : next.id - 1;
    const at = { after: reached, at: this.#now };
    await noteCopies(this.#db, this.#workspace, at, this.#again, this.#settled);
    if (begun === 0) return;
    const counts = { copied: this.#copied, again: this.#again.length };
    console.log(JSON.stringify({ event: "recordings", workspace: this.#workspace, ...counts }));
  }

  /** Whether no more is to come of a call. */
  #isOver({ concluded, claimedAt, endedAt }: RecordedCall): boolean {
    if (claimedAt <= this.#now - STUCK_MS) return true;
    return concluded === 1 && (endedAt ?? claimedAt) <= this.#now - SETTLED_MS;
  }

  /** The bytes that were copied. */
  async #copy(call: Wanted): Promise<number> {
    const came = await this.#try(call);
    if (came.kind === "copied") this.#copied += 1;
    if (came.kind === "later" && this.#tryAgain(call, came.gone)) return 0;
    if (came.kind !== "copied") this.#log(call.id, came.why);
    if (call.tries !== null) this.#settled.push(call.id);
    return came.kind === "copied" ? came.bytes : 0;
  }

  async #try({ id, connection, url }: Wanted): Promise<Copied> {
    try {
      if (url === null) {
        await forgetRecordings(this.#env, this.#workspace, [id]);
        return { kind: "never", why: "it was erased" };
      }
      const open = await this.#openOnce(connection);
      if (open === null) return { kind: "never", why: "its connection is gone" };
      const call = makeId("cal", this.#workspace, id);
      const mayStay = () => hasRecording(this.#db, this.#workspace, id);
      const recording = { call, url, open, mayStay };
      return await copyRecording(this.#bucket, this.#workspace, recording, this.#limits.each);
    } catch (error) {
      logFault("recording", error, { workspace: this.#workspace });
      return { kind: "later", why: "a fault of storage", gone: false };
    }
  }

  /** False when it is given up: tried often enough, or long gone at the carrier. */
  #tryAgain({ id, tries, endedAt, claimedAt }: Wanted, gone: boolean): boolean {
    const wait = WAITS_MS[tries ?? 0];
    if (wait === undefined) return false;
    if (gone && (endedAt ?? claimedAt) <= this.#now - DAY_MS) return false;
    this.#again.push({ call: id, tries: (tries ?? 0) + 1, nextAt: this.#now + wait });
    return true;
  }

  #log(id: number, why: string): void {
    const call = makeId("cal", this.#workspace, id);
    console.log(JSON.stringify({ event: "recording given up", call, why }));
  }

  #openOnce(connection: ConnectionId): Promise<OpenConnection | null> {
    const known = this.#open.get(connection);
    if (known !== undefined) return known;
    const opening = readOpenConnection(this.#env, this.#workspace, connection).then((reply) => {
      if (reply.ok) return reply.value;
      if (reply.code === "not_found") return null;
      throw new Error(`the Dialer opens no connection: ${reply.code}`);
    });
    this.#open.set(connection, opening);
    return opening;
  }
}

/** Those before the first for which it does not hold. */
function firstOf<T>(items: T[], holds: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !holds(item));
  return end === -1 ? items : items.slice(0, end);
}
