import type { Carrier, CarrierSettings } from "../carriers/carrier.ts";
import type { CallId, ConnectionId } from "../core/ids.ts";
import type { Viewer } from "./live.ts";
import type { SqlValue } from "./sql.ts";
import type { ConnectionDoc, EventsMessage } from "./verbs.ts";

export type Statement = { query: string; bind: SqlValue[] };

/** A carrier with the settings of one connection, ready to be asked. */
export type OpenCarrier = { carrier: Carrier; settings: CarrierSettings };

/**
 * Everything that the Dialer asks of the world around it: the object's runtime in production,
 * a virtual one in the simulation. Nothing else of the world reaches it.
 */
export type Outside = {
  /** Epoch ms. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** `alarm()` is called at this instant; a later call replaces an earlier one. */
  setAlarm(at: number): void;
  /** Work that goes on after the reply; its faults are its own. */
  background(work: Promise<void>): void;
  /** Calls back once, after so many ms; forgotten when the object dies. */
  after(ms: number, work: () => void): void;
  /** A signal that gives up after so many ms. */
  timeout(ms: number): AbortSignal;
  open(connection: ConnectionDoc): Promise<OpenCarrier>;
  reportUrl(connection: ConnectionId, call: CallId): Promise<string>;
  /** Statements in one transaction of D1; the rows of each. Throws when D1 is away or refuses. */
  d1(statements: Statement[]): Promise<unknown[][]>;
  /** Hands rows of the outbox to the queue of events; throws when it takes none. */
  send(messages: EventsMessage[]): Promise<void>;
  /** Those who look right now, by their sockets. */
  viewers(): Viewer[];
  /** Removes everything that the object has kept, its alarm and its viewers too. */
  wipe(): Promise<void>;
  /** One line about something that happened: ids and counts, no numbers, no texts. */
  log(event: string, fields: Record<string, unknown>): void;
};
