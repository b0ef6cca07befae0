import type { Sql } from "./sql.ts";
import type { ConnectionDoc } from "./verbs.ts";

/** First and longest gap of a back-off and of a probe, ms (H21, H22). */
export const GAP_MIN_MS = 1_000;
export const GAP_MAX_MS = 60_000;

/**
 * Trouble of one connection. Two kinds, which may hold together:
 *
 * backoff  the carrier refused for capacity, refused the account, or never got the request: one
 *          dial at a time, the next not before `backoffUntil`; the gap doubles until one is taken (H21)
 * probe    an answer was lost: nothing is claimed until a request that places no call has
 *          succeeded; the next is tried at `probeAt` (H22)
 */
export type Trouble = {
  id: string;
  reason: string;
  since: number;
  backoffMs: number | null;
  backoffUntil: number | null;
  probeMs: number | null;
  probeAt: number | null;
};

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

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  load(): void {
    const rows = this.#sql.all<Trouble>(
      `SELECT id, reason, since, backoff_ms AS backoffMs, backoff_until AS backoffUntil,
         probe_ms AS probeMs, probe_at AS probeAt FROM connection`,
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
    const backoffMs = last === null ? GAP_MIN_MS : Math.min(last * 2, GAP_MAX_MS);
    this.#save({
      id,
      reason,
      since: known?.since ?? now,
      backoffMs,
      backoffUntil: now + backoffMs,
      probeMs: known?.probeMs ?? null,
      probeAt: known?.probeAt ?? null,
    });
  }

  /** H22: an answer was lost; the first probe is due at once. */
  doubt(id: string, reason: string, now: number): void {
    const known = this.#troubles.get(id);
    if (known !== undefined && known.probeAt !== null) return;
    this.#save({
      id,
      reason,
      since: known?.since ?? now,
      backoffMs: known?.backoffMs ?? null,
      backoffUntil: known?.backoffUntil ?? null,
      probeMs: GAP_MIN_MS,
      probeAt: now,
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
    if (known.backoffUntil === null) this.#clear(id);
    else this.#save({ ...known, probeMs: null, probeAt: null });
  }

  /** Its settings were changed by a person: whatever was wrong may be mended. */
  renewed(id: string, now: number): void {
    const known = this.#troubles.get(id);
    if (known === undefined) return;
    if (known.probeAt === null) this.#clear(id);
    else this.#save({ ...known, backoffMs: null, backoffUntil: null, probeAt: now });
  }

  /** A dial was taken: the back-off is over (H21). One claimed before it began tells nothing. */
  taken(id: string, claimedAt: number): void {
    const known = this.#troubles.get(id);
    if (known === undefined || known.backoffUntil === null || claimedAt < known.backoffUntil)
      return;
    if (known.backoffMs !== null) this.#endedGapMs.set(id, known.backoffMs);
    if (known.probeAt === null) this.#clear(id);
    else this.#save({ ...known, backoffMs: null, backoffUntil: null });
  }

  /** A call went on as calls do: the carrier had really taken it. */
  worked(id: string): void {
    this.#endedGapMs.delete(id);
  }

  #save(trouble: Trouble): void {
    this.#troubles.set(trouble.id, trouble);
    this.#sql.run(
      `INSERT INTO connection (id, reason, since, backoff_ms, backoff_until, probe_ms, probe_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, since = excluded.since,
         backoff_ms = excluded.backoff_ms, backoff_until = excluded.backoff_until,
         probe_ms = excluded.probe_ms, probe_at = excluded.probe_at`,
      trouble.id,
      trouble.reason,
      trouble.since,
      trouble.backoffMs,
      trouble.backoffUntil,
      trouble.probeMs,
      trouble.probeAt,
    );
  }

  #clear(id: string): void {
    this.#troubles.delete(id);
    this.#sql.run("DELETE FROM connection WHERE id = ?", id);
  }
}
