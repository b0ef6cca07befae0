import { DurableObject } from "cloudflare:workers";
import type { CarrierSettings } from "../carriers/carrier.ts";
import { carrierOf } from "../carriers/carriers.ts";
import { outboundOf } from "../carriers/outbound.ts";
import { reportUrl } from "../carriers/report-url.ts";
import { unseal } from "../carriers/seal.ts";
import { withoutNumbers } from "../core/phone.ts";
import { type Counts, counted, noCounts } from "./counts.ts";
import { Dialer } from "./dialer.ts";
import type { OpenCarrier, Outside, Statement } from "./outside.ts";
import { Sockets } from "./sockets.ts";
import type { Sql, SqlValue } from "./sql.ts";
import {
  type ConnectionDoc,
  type DialerVerbs,
  type LiveVerbs,
  TICKET_HEADER,
  type Ticket,
} from "./verbs.ts";

/** D1 that answers nothing for so long is away, ms. */
const D1_GIVE_UP_MS = 30_000;
/** Likewise a queue; what it took after all comes twice, ms. */
const QUEUE_GIVE_UP_MS = 30_000;

/** The Dialer in its Durable Object: there is only ever one per workspace, named by its id. */
export class DialerObject extends DurableObject<Env> implements DialerVerbs, LiveVerbs {
  readonly #dialer: Dialer;
  readonly #live: Dialer;
  readonly #sockets: Sockets;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const counts = env.COUNTS === undefined ? null : noCounts();
    this.#sockets = new Sockets(ctx);
    const outside = outsideOf(ctx, env, counts, this.#sockets);
    const dialer = new Dialer(sqlOf(ctx.storage, counts), outside);
    this.#live = dialer;
    this.#dialer = counts === null ? dialer : counted(dialer, counts);
  }

  /** Opens a viewer's socket (H34): only the API reaches this, with a ticket that it has checked. */
  override fetch(request: Request): Response {
    const ticket = JSON.parse(request.headers.get(TICKET_HEADER) ?? "null") as Ticket | null;
    // A ticket may have been given out just before the workspace ended.
    const opens = ticket !== null && !this.#live.isOver();
    const opened = opens ? this.#sockets.open(ticket, Date.now()) : null;
    if (opened === null) return new Response(null, { status: 401 });
    this.#live.looks(opened.viewer);
    return new Response(null, { status: 101, webSocket: opened.client });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const viewer = this.#sockets.heard(socket, message);
    if (viewer !== null && !this.#live.isOver()) this.#live.looks(viewer);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    // 1005 and 1006 say that none was sent: they cannot be.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
    this.#live.looksAway();
  }

  override webSocketError(): void {
    this.#live.looksAway();
  }

  async endLive(actor: string) {
    this.#sockets.end(actor);
    return { ok: true as const, value: null };
  }

  override alarm(): Promise<void> {
    return this.#dialer.alarm();
  }

  putCopies(...args: Parameters<DialerVerbs["putCopies"]>) {
    return this.#dialer.putCopies(...args);
  }
  retire(...args: Parameters<DialerVerbs["retire"]>) {
    return this.#dialer.retire(...args);
  }
  readConnection(...args: Parameters<DialerVerbs["readConnection"]>) {
    return this.#dialer.readConnection(...args);
  }
  hashPhones(...args: Parameters<DialerVerbs["hashPhones"]>) {
    return this.#dialer.hashPhones(...args);
  }
  createCampaign(...args: Parameters<DialerVerbs["createCampaign"]>) {
    return this.#dialer.createCampaign(...args);
  }
  editCampaign(...args: Parameters<DialerVerbs["editCampaign"]>) {
    return this.#dialer.editCampaign(...args);
  }
  moveCampaign(...args: Parameters<DialerVerbs["moveCampaign"]>) {
    return this.#dialer.moveCampaign(...args);
  }
  readCampaign(...args: Parameters<DialerVerbs["readCampaign"]>) {
    return this.#dialer.readCampaign(...args);
  }
  explainCampaigns(...args: Parameters<DialerVerbs["explainCampaigns"]>) {
    return this.#dialer.explainCampaigns(...args);
  }
  explainTasks(...args: Parameters<DialerVerbs["explainTasks"]>) {
    return this.#dialer.explainTasks(...args);
  }
  push(...args: Parameters<DialerVerbs["push"]>) {
    return this.#dialer.push(...args);
  }
  moveTask(...args: Parameters<DialerVerbs["moveTask"]>) {
    return this.#dialer.moveTask(...args);
  }
  readTask(...args: Parameters<DialerVerbs["readTask"]>) {
    return this.#dialer.readTask(...args);
  }
  readCalls(...args: Parameters<DialerVerbs["readCalls"]>) {
    return this.#dialer.readCalls(...args);
  }
  readCall(...args: Parameters<DialerVerbs["readCall"]>) {
    return this.#dialer.readCall(...args);
  }
  openImport(...args: Parameters<DialerVerbs["openImport"]>) {
    return this.#dialer.openImport(...args);
  }
  dropImport(...args: Parameters<DialerVerbs["dropImport"]>) {
    return this.#dialer.dropImport(...args);
  }
  ingest(...args: Parameters<DialerVerbs["ingest"]>) {
    return this.#dialer.ingest(...args);
  }
  report(...args: Parameters<DialerVerbs["report"]>) {
    return this.#dialer.report(...args);
  }
  eventsTold(...args: Parameters<DialerVerbs["eventsTold"]>) {
    return this.#dialer.eventsTold(...args);
  }
  erase(...args: Parameters<DialerVerbs["erase"]>) {
    return this.#dialer.erase(...args);
  }
  end() {
    this.#sockets.endAll();
    return this.#dialer.end();
  }
  vanish() {
    return this.#dialer.vanish();
  }
  readWorkspace() {
    return this.#dialer.readWorkspace();
  }
  tick() {
    return this.#dialer.tick();
  }
}

function sqlOf(storage: DurableObjectStorage, counts: Counts | null): Sql {
  const { sql } = storage;
  const exec = (query: string, bind: SqlValue[]) => {
    const cursor = sql.exec(query, ...bind);
    const rows = cursor.toArray();
    if (counts !== null) {
      counts.rowsRead += cursor.rowsRead;
      counts.rowsWritten += cursor.rowsWritten;
    }
    return rows;
  };
  return {
    all: <Row>(query: string, ...bind: SqlValue[]) => exec(query, bind) as Row[],
    run: (query, ...bind) => {
      exec(query, bind);
    },
    transaction: (work) => storage.transactionSync(work),
    size: () => sql.databaseSize,
  };
}

function outsideOf(
  ctx: DurableObjectState,
  env: Env,
  counts: Counts | null,
  sockets: Sockets,
): Outside {
  const opened = new Map<string, { sealed: string; open: OpenCarrier }>();
  const decisions = env.LOG === "decisions";
  return {
    now: () => Date.now(),
    // The key of hashed numbers is drawn from it, too.
    random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
    setAlarm: (at) => {
      if (counts !== null) counts.rowsWritten += 1;
      // A failure to write it fails the object itself: nothing to wait for.
      void ctx.storage.setAlarm(at);
    },
    background: (work) => {
      ctx.waitUntil(work.catch((error: unknown) => log("bug", { error: String(error) })));
    },
    after: (ms, work) => {
      setTimeout(work, ms);
    },
    timeout: (ms) => AbortSignal.timeout(ms),
    open: async (connection) => {
      const known = opened.get(connection.id);
      if (known?.sealed === connection.sealed) return known.open;
      const open = await openCarrier(env, connection);
      opened.set(connection.id, { sealed: connection.sealed, open });
      return open;
    },
    reportUrl: (connection, call) =>
      reportUrl(env.PUBLIC_URL, env.SIGNING_SECRET, connection, call),
    send: async (messages) => {
      if (counts !== null) {
        counts.eventMessages += messages.length;
        counts.events += messages.reduce((sum, one) => sum + one.events.length, 0);
      }
      for (const some of inBatches(messages)) {
        const taken = env.EVENTS.sendBatch(some.map((body) => ({ body })));
        await inTime(taken, QUEUE_GIVE_UP_MS, "the queue gives no answer in time");
      }
    },
    viewers: () => sockets.viewers(Date.now()),
    wipe: async () => {
      sockets.endAll();
      await ctx.storage.deleteAlarm();
      await ctx.storage.deleteAll();
    },
    d1: async (statements) => {
      const batch = env.DB.batch(statements.map((one) => prepare(env.DB, one)));
      const results = await inTime(batch, D1_GIVE_UP_MS, "D1_ERROR: no answer in time");
      if (counts !== null) {
        for (const { meta } of results) {
          counts.d1RowsRead += meta.rows_read;
          counts.d1RowsWritten += meta.rows_written;
        }
        log("counts", { object: ctx.id.name, ...counts });
      }
      return results.map((result) => result.results);
    },
    log: (event, fields) => {
      if (event !== "dispatch" || decisions) log(event, { object: ctx.id.name, ...fields });
    },
  };
}

/** Fails when the work takes longer; what D1 writes after that changes nothing, by its version. */
async function inTime<T>(work: Promise<T>, ms: number, otherwise: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A batch of messages holds 256 KB; characters, each up to three bytes, with room to spare. */
const BATCH_CHARS = 80_000;

function inBatches<T>(messages: readonly T[]): T[][] {
  const batches: T[][] = [];
  let chars = 0;
  for (const message of messages) {
    const own = JSON.stringify(message).length;
    const last = batches.at(-1);
    if (last === undefined || chars + own > BATCH_CHARS) {
      batches.push([message]);
      chars = own;
    } else {
      last.push(message);
      chars += own;
    }
  }
  return batches;
}

function prepare(db: D1Database, { query, bind }: Statement): D1PreparedStatement {
  return db.prepare(query).bind(...bind);
}

async function openCarrier(env: Env, connection: ConnectionDoc): Promise<OpenCarrier> {
  const carrier = carrierOf(connection.carrier, outboundOf(env));
  if (carrier === null) throw new Error(`no carrier ${connection.carrier}`);
  const settings = JSON.parse(await unseal(env, connection.sealed));
  return { carrier, settings: settings as CarrierSettings };
}

function log(event: string, fields: Record<string, unknown>): void {
  // A carrier's words may quote the number; our own fields hold none.
  const masked = Object.entries(fields).map(([name, value]) => {
    const quoted = (name === "word" || name === "error") && typeof value === "string";
    return [name, quoted ? withoutNumbers(value) : value];
  });
  console.log(JSON.stringify({ event, ...Object.fromEntries(masked) }));
}
