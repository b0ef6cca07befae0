import type { ConnectionId } from "../core/ids.ts";
import type { AgentEntry, NumberEntry, Setup } from "../core/setup.ts";
import type { EventType } from "../core/webhook.ts";
import { ALL_DAYS, ALWAYS } from "../core/window.ts";
import { first, type Sql } from "./sql.ts";
import type {
  AgentDoc,
  ConnectionDoc,
  Doc,
  KeyDoc,
  NumberDoc,
  WebhookDoc,
  WorkspaceDoc,
} from "./verbs.ts";

type Row = { kind: string; id: string; version: number; doc: string | null };

/**
 * The Dialer's copies of what D1 owns: one version of each document, kept in memory as well.
 * An older version never replaces a newer one; a null doc is a deletion.
 */
export class Copies {
  readonly #sql: Sql;
  readonly #agents = new Map<string, AgentDoc>();
  readonly #numbers = new Map<string, NumberDoc>();
  readonly #byPhone = new Map<string, Set<NumberDoc>>();
  readonly #connections = new Map<string, ConnectionDoc>();
  readonly #keys = new Map<string, KeyDoc | null>();
  readonly #webhooks = new Map<string, WebhookDoc>();
  #wanted = new Set<EventType>();
  #workspace: WorkspaceDoc | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  load(): void {
    for (const row of this.#sql.all<Row>("SELECT kind, id, version, doc FROM copy")) {
      this.#remember({ ...row, doc: row.doc === null ? null : JSON.parse(row.doc) } as Doc);
    }
  }

  get workspace(): WorkspaceDoc | null {
    return this.#workspace;
  }

  agent(id: string): AgentDoc | null {
    return this.#agents.get(id) ?? null;
  }

  number(id: string): NumberDoc | null {
    return this.#numbers.get(id) ?? null;
  }

  connection(id: string): ConnectionDoc | null {
    return this.#connections.get(id) ?? null;
  }

  connections(): Iterable<ConnectionDoc> {
    return this.#connections.values();
  }

  /** Undefined when the copy never heard of the key; null when it was revoked. */
  key(id: string): KeyDoc | null | undefined {
    return this.#keys.get(id);
  }

  /** Whether a webhook wants events of this type. */
  wantsEvent(type: EventType): boolean {
    return this.#wanted.has(type);
  }

  /** Agents and numbers that use a connection. */
  usersOf(connection: string): string[] {
    const users = [...this.#agents.values(), ...this.#numbers.values()];
    return users.filter((one) => one.connection === connection).map((one) => one.id);
  }

  /** Takes a version of a document; false when a newer or the same one is here already. */
  put(doc: Exclude<Doc, { kind: "suppression" }>): boolean {
    const known = first<{ version: number }>(
      this.#sql,
      "SELECT version FROM copy WHERE kind = ? AND id = ?",
      doc.kind,
      doc.id,
    );
    if (known !== null && known.version >= doc.version) return false;
    this.#sql.run(
      `INSERT INTO copy (kind, id, version, doc) VALUES (?, ?, ?, ?)
       ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, doc = excluded.doc`,
      doc.kind,
      doc.id,
      doc.version,
      doc.doc === null ? null : JSON.stringify(doc.doc),
    );
    this.#remember(doc);
    return true;
  }

  /** What the rules read of the workspace: its defaults and look-ups. */
  setup(): Setup {
    const workspace = this.#workspace;
    return {
      timezone: workspace?.timezone ?? "UTC",
      hours: workspace?.hours ?? ALWAYS,
      days: workspace?.days ?? ALL_DAYS,
      from: workspace?.from ?? null,
      agent: workspace?.agent ?? null,
      agentOf: (id) => this.#agentEntry(id),
      numberOf: (text) => this.#numberEntries(text),
    };
  }

  #agentEntry(id: string): AgentEntry | null {
    const agent = this.#agents.get(id);
    if (agent === undefined) return null;
    return {
      id: agent.id,
      connection: agent.connection,
      ownOutcomes: agent.outcomes.map((outcome) => outcome.name),
      usesCallback: agent.usesCallback,
    };
  }

  #numberEntries(text: string): NumberEntry[] {
    const number = this.#numbers.get(text);
    const found = number === undefined ? [...(this.#byPhone.get(text) ?? [])] : [number];
    return found.map((one) => ({ id: one.id, connection: one.connection as ConnectionId }));
  }

  #remember(doc: Doc): void {
    switch (doc.kind) {
      case "workspace":
        if (doc.doc !== null) this.#workspace = doc.doc;
        return;
      case "agent":
        keep(this.#agents, doc.id, doc.doc);
        return;
      case "number":
        this.#forgetPhone(doc.id);
        keep(this.#numbers, doc.id, doc.doc);
        if (doc.doc !== null) this.#rememberPhone(doc.doc);
        return;
      case "connection":
        keep(this.#connections, doc.id, doc.doc);
        return;
      case "key":
        this.#keys.set(doc.id, doc.doc);
        return;
      case "webhook":
        keep(this.#webhooks, doc.id, doc.doc);
        this.#wanted = new Set([...this.#webhooks.values()].flatMap((one) => one.events));
        return;
      case "suppression":
        return; // a table of its own, `suppressed`
    }
  }

  #rememberPhone(number: NumberDoc): void {
    const same = this.#byPhone.get(number.phone);
    if (same === undefined) this.#byPhone.set(number.phone, new Set([number]));
    else same.add(number);
  }

  #forgetPhone(id: string): void {
    const old = this.#numbers.get(id);
    if (old !== undefined) this.#byPhone.get(old.phone)?.delete(old);
  }
}

function keep<T>(map: Map<string, T>, id: string, doc: T | null): void {
  if (doc === null) map.delete(id);
  else map.set(id, doc);
}
