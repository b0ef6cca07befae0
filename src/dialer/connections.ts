import type { Sql } from "./sql.ts";
import type { ConnectionDoc } from "./verbs.ts";

/** First and longest gap of a back-off and of a probe, ms (H21, H22). */
export const GAP_MIN_MS = 1_000;
export const GAP_MAX_MS = 60_000;
/** So many answers lost in a row, and the connection backs off as well. */
export const LOSSES_MAX = 3;
/** The reason of a back-off that suspends at once. */
export const ACCOUNT_REFUSED = "the carrier refuses the account";

/**
 * Trouble of one connection. Two kinds, which may hold together:
 *
 * backoff  the carrier refused for capacity, refused the account, or never got the request: one
 *          dial at a time, the next not before `backoffUntil`; the gap doubles until one is taken (H21)
 * probe    an answer was lost: nothing is claimed until a request that places no call has
 *          succeeded; the next is tried at `probeAt` (H22)
 *
 * `losses` counts answers that were lost one after the other, and outlives the probe: a carrier that
 * answers all but dials would else be given task after task. From `LOSSES_MAX` on it backs off, too.
 */
export type Trouble = {
  id: string;
  reason: string;
  since: number;
  backoffMs: number | null;
  backoffUntil: number | null;
  probeMs: number | null;
  probeAt: number | null;
  losses: number;
};

/** Whether it holds anything up; a count of losses alone does not. */
export function isShut({ probeAt, backoffUntil }: Trouble): boolean {
  return probeAt !== null || backoffUntil !== null;
}

/**
 * A connection that only one dial at a time tries, and that a person should look at: its account is
 * refused, its gap is at its longest, or its answers are lost again and again.
 */
export function isSuspended({ reason, backoffMs, losses }: Trouble): boolean {
  if (backoffMs === null) return false;
  return reason === ACCOUNT_REFUSED || backoffMs >= GAP_MAX_MS || losses >= LOSSES_MAX;
}

/** What keeps a connection from one more dial: until when, or null for "until something happens". */
export type Shut = { kind: "connection" | "pace" | "limit"; reason: string; until: number | null };

/** The state of connections: rows only for those in trouble; pace is memory alone. */
export class Connections {
  readonly #sql: Sql;
  readonly #troubles = new Map<string, Trouble>();
  /** When a paced connection may start its next call. */
  readonly #paceAt = new Map<string, number>();
  /** The gap that a taken dial ended, until news of a call show that it was really taken. */
  readonly #endedGapMs = new Map<string, number>();

  /** Hears when a connection becomes suspended, and when that is over. */
  readonly #tell: (id: string, what: "suspended" | "resumed", reason: string | null) => void;

  constructor(
    sql: Sql,
    tell: (id: string, what: "suspended" | "resumed", reason: string | null) => void,
  ) {
    this.#sql = sql;
    this.#tell = tell;
  }

  load(): void {
    const rows = this.#sql.all<Trouble>(
      `SELECT id, reason, since, backoff_ms AS backoffMs, backoff_until AS backoffUntil,
         probe_ms AS probeMs, probe_at AS probeAt, losses FROM connection`,
    );
    for (const row of rows) this.#troubles.set(row.id, row);
  }

  trouble(id: string): Trouble | null {
    return this.#troubles.get(id) ?? null;
  }

  troubles(): Iterable<Trouble> {
    return this.#troubles.values();
  }

  /** Whether one more dial may be claimed; `placing` and `leases` are the connection's own. */
  shut(doc: ConnectionDoc, placing: number, leases: number, now: number): Shut | null {
    const trouble = this.#troubles.get(doc.id);
    if (trouble !== undefined) {
      if (trouble.probeAt !== null)
        return { kind: "connection", reason: trouble.reason, until: null };
      if (trouble.backoffUntil !== null && (trouble.backoffUntil > now || placing > 0)) {
        return {
          kind: "connection",
          reason: trouble.reason,
          until: placing > 0 ? null : trouble.backoffUntil,
        };
      }
    }
    if (doc.callsMax !== null && leases >= doc.callsMax) {
      return { kind: "limit", reason: "the connection's calls at once", until: null };
    }
    const paceAt = doc.perSecond === null ? 0 : (this.#paceAt.get(doc.id) ?? 0);
    if (paceAt > now) return { kind: "pace", reason: "the connection's pace", until: paceAt };
    return null;
  }

  /** A dial was claimed: the pace counts it. */
  claimed(doc: ConnectionDoc, now: number): void {
    if (doc.perSecond === null) return;
    const last = this.#paceAt.get(doc.id) ?? 0;
    this.#paceAt.set(doc.id, Math.max(now, last) + Math.ceil(1_000 / doc.perSecond));
  }

  /**
   * H21: refused for capacity, as an account, or never reached. A refusal by report shows that the
   * dial was not taken after all: the gap goes on growing from where it was.
   */
  backOff(id: string, reason: string, byReport: boolean, now: number): void {
    const known = this.#troubles.get(id);
    // Dials that were on their way together are one refusal.
    if (known?.backoffUntil != null && known.backoffUntil > now) return;
    const last = known?.backoffMs ?? (byReport ? this.#endedGapMs.get(id) : null) ?? null;
    this.#save({
      id,
      reason,
      since: sinceOf(known, now),
      ...gapAfter(last, now),
      probeMs: known?.probeMs ?? null,
      probeAt: known?.probeAt ?? null,
      losses: known?.losses ?? 0,
    });
  }

  /** H22: an answer was lost; the first probe is due at once. */
  doubt(id: string, reason: string, now: number): void {
    const known = this.#troubles.get(id);
    // Dials that were on their way together are one loss.
    if (known !== undefined && known.probeAt !== null) return;
    const losses = (known?.losses ?? 0) + 1;
    const backoffMs = known?.backoffMs ?? null;
    const backoffUntil = known?.backoffUntil ?? null;
    const waits = backoffUntil !== null && backoffUntil > now;
    this.#save({
      id,
      reason,
      since: sinceOf(known, now),
      ...(losses < LOSSES_MAX || waits ? { backoffMs, backoffUntil } : gapAfter(backoffMs, now)),
      probeMs: GAP_MIN_MS,
      probeAt: now,
      losses,
    });
  }

  /** A probe goes out: the next one is due after the gap, should this one never come back. */
  probing(id: string, now: number): void {
    const known = this.#troubles.get(id);
    if (known === undefined || known.probeMs === null) return;
    const probeMs = Math.min(known.probeMs * 2, GAP_MAX_MS);
    this.#save({ ...known, probeMs, probeAt: now + known.probeMs });
  }

  /** A request that places no call succeeded (H22). */
  proved(id: string): void {
    const known = this.#troubles.get(id);
    if (known === undefined) return;
    if (known.backoffUntil === null && known.losses === 0) this.#clear(id);
    else this.#save({ ...known, probeMs: null, probeAt: null });
  }

  /** Its settings were changed by a person: whatever was wrong may be mended. */
  renewed(id: string, now: number): void {
    const known = this.#troubles.get(id);
    if (known === undefined) return;
    if (known.probeAt === null) this.#clear(id);
    else this.#save({ ...known, backoffMs: null, backoffUntil: null, probeAt: now, losses: 0 });
  }

  /** A dial was taken: back-off and losses are over (H21). One claimed before the back-off began tells nothing. */
  taken(id: string, claimedAt: number): void {
    const known = this.#troubles.get(id);
    if (known === undefined) return;
    if (known.backoffUntil !== null && claimedAt < known.backoffUntil) return;
    if (known.backoffMs !== null) this.#endedGapMs.set(id, known.backoffMs);
    if (known.probeAt === null) this.#clear(id);
    else this.#save({ ...known, backoffMs: null, backoffUntil: null, losses: 0 });
  }

  /** A call went on as calls do: the carrier had really taken it. */
  worked(id: string): void {
    this.#endedGapMs.delete(id);
  }

  #save(trouble: Trouble): void {
    this.#compare(trouble.id, trouble);
    this.#troubles.set(trouble.id, trouble);
    this.#sql.run(
      `INSERT INTO connection (id, reason, since, backoff_ms, backoff_until, probe_ms, probe_at, losses)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, since = excluded.since,
         backoff_ms = excluded.backoff_ms, backoff_until = excluded.backoff_until,
         probe_ms = excluded.probe_ms, probe_at = excluded.probe_at, losses = excluded.losses`,
      trouble.id,
      trouble.reason,
      trouble.since,
      trouble.backoffMs,
      trouble.backoffUntil,
      trouble.probeMs,
      trouble.probeAt,
      trouble.losses,
    );
  }

  #clear(id: string): void {
    this.#compare(id, null);
    this.#troubles.delete(id);
    this.#sql.run("DELETE FROM connection WHERE id = ?", id);
  }

  #compare(id: string, after: Trouble | null): void {
    const before = this.#troubles.get(id);
    const was = before !== undefined && isShut(before) && isSuspended(before);
    const is = after !== null && isShut(after) && isSuspended(after);
    if (is && !was) this.#tell(id, "suspended", after.reason);
    if (was && !is) this.#tell(id, "resumed", null);
  }
}

/** Since when it has been in trouble: what is over does not count. */
function sinceOf(known: Trouble | undefined, now: number): number {
  return known !== undefined && isShut(known) ? known.since : now;
}

/** The next gap of a back-off: 1 s, then twice the last, up to 1 min (H21). */
function gapAfter(lastMs: number | null, now: number): { backoffMs: number; backoffUntil: number } {
  const backoffMs = lastMs === null ? GAP_MIN_MS : Math.min(lastMs * 2, GAP_MAX_MS);
  return { backoffMs, backoffUntil: now + backoffMs };
}
