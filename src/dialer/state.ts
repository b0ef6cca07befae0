import { createHmac } from "node:crypto";
import { assert } from "../core/assert.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { loadTracked } from "./calls.ts";
import {
  type Campaign,
  isOver,
  loadCampaign,
  loadCampaigns,
  saveCampaign,
  saveCounts,
} from "./campaign.ts";
import type { Changes } from "./changes.ts";
import { Connections } from "./connections.ts";
import { Copies } from "./copies.ts";
import { tellOfConnection } from "./events.ts";
import { type LaneKey, Lanes } from "./lanes.ts";
import { Ledger } from "./ledger.ts";
import { Outbox } from "./outbox.ts";
import { first, type Sql, type SqlValue } from "./sql.ts";

/** Ids are reserved in blocks of this many, one row written each. */
const ID_BLOCK = 1_000;

/**
 * Dials whose request is still out, by call: a report may come before its answer. `until` is when
 * it was surely given up.
 */
export type Requests = ReadonlyMap<number, { connection: string; until: number }>;

export type ImportState = {
  id: string;
  campaign: number;
  open: boolean;
  taken: number;
};

/**
 * Everything that the Dialer keeps in memory: a cache of its tables, written through, built by a
 * start and dropped by any throw. Rows of tasks, waiting and calls are never cached, but for the
 * heads of lanes.
 */
export class State {
  readonly sql: Sql;
  readonly copies: Copies;
  readonly connections: Connections;
  readonly lanes: Lanes;
  readonly ledger = new Ledger();
  readonly outbox = new Outbox();
  readonly changes: Changes;
  /** When calls were asked for by forms in the last hour (`forms.ts`). */
  readonly askedInHour = new Map<string, number[]>();
  readonly requests: Requests;
  /** Late news that name their call only by the carrier's id, as `connection id`. */
  readonly unnamed = new Set<string>();
  readonly #campaigns = new Map<number, Campaign>();
  readonly #imports = new Map<string, ImportState>();
  readonly #touched = new Map<Campaign, "counts" | "all">();
  #nextId = 0;
  #idsEnd = 0;
  #hashKey = "";
  /** The earliest own end of a task; undefined when the table must be asked. */
  #nextEnd: number | null | undefined;

  constructor(
    sql: Sql,
    kept: { changes: Changes; requests: Requests },
    now: number,
    random: () => number,
  ) {
    this.sql = sql;
    this.changes = kept.changes;
    this.requests = kept.requests;
    this.copies = new Copies(sql);
    this.connections = new Connections(sql, (id, what, reason) => {
      tellOfConnection(this, id, what, reason);
    });
    this.lanes = new Lanes(sql, {
      campaign: (id) => this.campaign(id),
      importOpen: (id) => this.importOf(id)?.open ?? false,
    });
    this.copies.load();
    this.connections.load();
    this.#hashKey = this.#loadHashKey(random);
    for (const call of loadTracked(sql)) {
      this.ledger.track(call);
      this.changes.note("calls", call.id);
    }
    for (const campaign of loadCampaigns(sql, this.ledger)) {
      this.#campaigns.set(campaign.id, campaign);
      this.changes.note("campaigns", campaign.id);
    }
    for (const { name } of sql.all<{ name: string }>(
      "SELECT connection || ' ' || carrier_call_id AS name FROM late WHERE call IS NULL",
    )) {
      this.unnamed.add(name);
    }
    for (const { task } of sql.all<{ task: number }>("SELECT task FROM dirty")) {
      this.changes.note("tasks", task);
    }
    this.lanes.load(now);
    this.outbox.load(this);
  }

  get workspace(): WorkspaceId {
    const doc = this.copies.workspace;
    assert(doc !== null, "the workspace is set up before anything else");
    return doc.id;
  }

  meta(key: string): SqlValue {
    return (
      first<{ value: SqlValue }>(this.sql, "SELECT value FROM meta WHERE key = ?", key)?.value ??
      null
    );
  }

  setMeta(key: string, value: SqlValue): void {
    this.sql.run(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }

  /** A new id; ids rise and none is used twice, even after a crash. */
  nextId(): number {
    return this.nextIds(1);
  }

  /** Whether an id was given out, as far as this start can tell. */
  wasGiven(id: number): boolean {
    return id < (this.#idsEnd === 0 ? Number(this.meta("next_id") ?? 1) : this.#nextId);
  }

  /** The first of `count` new ids in a row. */
  nextIds(count: number): number {
    if (this.#nextId + count > this.#idsEnd) {
      const start = Math.max(Number(this.meta("next_id") ?? 1), this.#idsEnd);
      this.#nextId = start;
      this.#idsEnd = start + count + ID_BLOCK;
      this.setMeta("next_id", this.#idsEnd);
    }
    const id = this.#nextId;
    this.#nextId += count;
    return id;
  }

  /** A campaign that lanes, tasks or calls name: always there while they are. */
  campaign(id: number): Campaign {
    const campaign = this.findCampaign(id);
    assert(campaign !== null, "a lane, task or call has its campaign");
    return campaign;
  }

  findCampaign(id: number): Campaign | null {
    const known = this.#campaigns.get(id);
    if (known !== undefined) return known;
    const loaded = loadCampaign(this.sql, id, this.ledger);
    if (loaded !== null) this.#campaigns.set(id, loaded);
    return loaded;
  }

  addCampaign(campaign: Campaign): void {
    this.#campaigns.set(campaign.id, campaign);
    this.touch(campaign, "all");
  }

  /** Campaigns in memory: all that are not swept, and those that were asked for. */
  campaigns(): Iterable<Campaign> {
    return this.#campaigns.values();
  }

  *liveCampaigns(): Generator<Campaign> {
    for (const campaign of this.#campaigns.values()) if (!isOver(campaign)) yield campaign;
  }

  /** Leaves memory; its row stays. */
  forgetCampaign(id: number): void {
    this.#campaigns.delete(id);
  }

  /** The campaign changed in this transaction: it is written once, at the transaction's end. */
  touch(campaign: Campaign, what: "counts" | "all" = "counts"): void {
    this.changes.note("campaigns", campaign.id);
    if (what === "all" || !this.#touched.has(campaign)) this.#touched.set(campaign, what);
  }

  /** Writes what the transaction touched, and what it has to tell. */
  saveTouched(now: number): void {
    this.outbox.save(this, now);
    for (const [campaign, what] of this.#touched) {
      if (what === "all") saveCampaign(this.sql, campaign);
      else saveCounts(this.sql, campaign);
    }
    this.#touched.clear();
  }

  /** When the next task reaches its own end (H14), or null. */
  nextEnd(): number | null {
    if (this.#nextEnd === undefined) {
      const row = first<{ at: number | null }>(
        this.sql,
        "SELECT MIN(ends_at) AS at FROM task WHERE ends_at IS NOT NULL",
      );
      this.#nextEnd = row?.at ?? null;
    }
    return this.#nextEnd;
  }

  /** A task with an end of its own came in. */
  endAdded(at: number): void {
    if (this.#nextEnd !== undefined) this.#nextEnd = Math.min(this.#nextEnd ?? at, at);
  }

  /** Ends were reached. */
  endsTaken(): void {
    this.#nextEnd = undefined;
  }

  importOf(id: string): ImportState | null {
    const known = this.#imports.get(id);
    if (known !== undefined) return known;
    type Row = Omit<ImportState, "open"> & { open: number };
    const row = first<Row>(this.sql, "SELECT * FROM import WHERE id = ?", id);
    if (row === null) return null;
    const state = { ...row, open: row.open === 1 };
    this.#imports.set(id, state);
    return state;
  }

  saveImport(state: ImportState): void {
    this.#imports.set(state.id, state);
    this.sql.run(
      `INSERT INTO import (id, campaign, open, taken) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET open = excluded.open, taken = excluded.taken`,
      state.id,
      state.campaign,
      state.open ? 1 : 0,
      state.taken,
    );
  }

  openImports(campaign: number): number {
    const row = first<{ count: number }>(
      this.sql,
      "SELECT COUNT(*) AS count FROM import WHERE campaign = ? AND open = 1",
      campaign,
    );
    return row?.count ?? 0;
  }

  /** The keyed hash that stands for a number in `seen_phone` and `suppressed`. */
  hashPhone(phone: string): string {
    return createHmac("sha256", this.#hashKey).update(phone).digest("base64").slice(0, 22);
  }

  lane(key: LaneKey) {
    return this.lanes.find(key, () => this.nextId());
  }

  /** Drawn once per object, from the seam, so that a simulation can be replayed. */
  #loadHashKey(random: () => number): string {
    const known = this.meta("hash_key");
    if (typeof known === "string") return known;
    const key = Array.from({ length: 16 }, () => Math.floor(random() * 2 ** 32).toString(36)).join(
      "",
    );
    this.setMeta("hash_key", key);
    return key;
  }
}
