import { NotWell } from "../carriers/ask.ts";
import type { CarrierSettings } from "../carriers/carrier.ts";
import { CARRIER_IDS, carrierOf, paceOf } from "../carriers/carriers.ts";
import { AddressRefused, outboundOf } from "../carriers/outbound.ts";
import { seal, unseal } from "../carriers/seal.ts";
import { type ConnectionId, makeId } from "../core/ids.ts";
import { type Issue, refuse } from "../core/result.ts";
import { agentsOn } from "../db/agents.ts";
import {
  type ConnectionRow,
  deleteConnection,
  editConnection,
  insertConnection,
  listConnections,
  readConnection,
} from "../db/connections.ts";
import { database } from "../db/database.ts";
import { numbersOn } from "../db/numbers.ts";
import { readWords, type UnknownWord } from "../db/words.ts";
import { forgetConnection } from "./carrier-of.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { handOver, retire } from "./hand-over.ts";
import { randomText } from "./key-text.ts";
import { pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/connections"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  checkSettings(c, body.carrier, body.settings);
  const row = {
    id: makeId("con", workspace, randomText(10)),
    name: body.name,
    carrier: body.carrier,
    sealed: await seal(c.env, JSON.stringify(body.settings)),
    lengthMaxMs: body.lengthMaxMs,
    perThousandSeconds: inThousandSeconds(
      body.perSecond === undefined ? paceOf(body.carrier) : body.perSecond,
    ),
    callsMax: body.callsMax ?? null,
    createdAt: c.get("now"),
  };
  const after = { ...limitsOf(row), settingsGiven: Object.keys(body.settings).sort() };
  const deed = { action: "connection.create", targetKind: "connection", target: row.id, after };
  const entry = entryOf(c, deed);
  await handOver(c.env, workspace, await insertConnection(database(c.env), workspace, row, entry));
  return c.json(await wireOf(c, row), 201);
};

export const list: Handler<"GET /v1/connections"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listConnections(database(c.env), c.get("workspace"), page);
  const items = await Promise.all(found.items.map((row) => wireOf(c, row)));
  return c.json({ items, nextCursor: found.nextCursor });
};

export const read: Handler<"GET /v1/connections/{id}"> = async (c, { params }) =>
  c.json({
    ...(await wireOf(c, await find(c, params.id))),
    unknownWords: await readWords(database(c.env), c.get("workspace"), params.id),
  });

export const edit: Handler<"PATCH /v1/connections/{id}"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  if (body.carrier !== undefined && body.carrier !== row.carrier) {
    throw new Refused(refuse("conflict", "A connection's carrier never changes."));
  }
  const { name, lengthMaxMs, callsMax, perSecond, settings } = body;
  const fields = {
    ...(name === undefined ? {} : { name }),
    ...(lengthMaxMs === undefined ? {} : { lengthMaxMs }),
    ...(callsMax === undefined ? {} : { callsMax }),
    ...(perSecond === undefined ? {} : { perThousandSeconds: inThousandSeconds(perSecond) }),
    ...(settings === undefined ? {} : { sealed: await mergeSealed(c, row, settings) }),
  };
  if (Object.keys(fields).length > 0) {
    const entry = entryOf(c, {
      action: "connection.edit",
      targetKind: "connection",
      target: row.id,
      ...editOf(row, { ...row, ...fields }, settings),
    });
    const docs = await editConnection(database(c.env), workspace, row.id, fields, entry);
    forgetConnection(row.id as ConnectionId);
    await handOver(c.env, workspace, docs);
  }
  return c.json(await wireOf(c, { ...row, ...fields }));
};

export const remove: Handler<"DELETE /v1/connections/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const row = await find(c, params.id);
  const id = row.id as ConnectionId;
  const numbers = await numbersOn(db, workspace, id);
  const users = [...(await agentsOn(db, workspace, id)), ...numbers.map((number) => number.id)];
  if (users.length > 0) {
    const message = `The connection is used by ${users.join(", ")}: delete these first.`;
    throw new Refused(refuse("in_use", message));
  }
  await retire(c.env, workspace, "connection", id);
  forgetConnection(id);
  const before = limitsOf(row);
  const deed = { action: "connection.delete", targetKind: "connection", target: id, before };
  await handOver(c.env, workspace, await deleteConnection(db, workspace, id, entryOf(c, deed)));
  return c.body(null, 204);
};

const TEST_GIVE_UP_MS = 10_000;

/** Asks with what is stored, not with the isolate's copy: an edit is tested as it is now. */
export const test: Handler<"POST /v1/connections/{id}/test"> = async (c, { params }) => {
  const row = await find(c, params.id);
  const carrier = carrierOf(row.carrier, outboundOf(c.env));
  if (carrier === null) throw new Error(`bug: a connection to an unknown carrier ${row.carrier}`);
  const settings = await openSettings(c, row);
  const start = Date.now();
  const said = await whyNot(() => carrier.test(settings, AbortSignal.timeout(TEST_GIVE_UP_MS)));
  return c.json({ works: said === null, said, tookMs: Date.now() - start });
};

/** Null where it works. Of faults only that there was one: what a runtime says can quote a header. */
async function whyNot(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof NotWell || error instanceof AddressRefused) return error.message;
    console.log(
      JSON.stringify({ event: "test", fault: error instanceof Error ? error.name : "fault" }),
    );
    return "the carrier does not answer";
  }
}

type Limits = Pick<
  ConnectionRow,
  "name" | "carrier" | "lengthMaxMs" | "perThousandSeconds" | "callsMax"
>;

/** What an entry of the audit log says of a connection, beside the names of its settings. */
function limitsOf({ name, carrier, lengthMaxMs, perThousandSeconds, callsMax }: Limits) {
  const perSecond = perThousandSeconds === null ? null : perThousandSeconds / 1000;
  return { name, carrier, lengthMaxMs, perSecond, callsMax };
}

/** What an edit changes; of settings only which ones were given, never their values. */
function editOf(row: Limits, edited: Limits, settings: CarrierSettings | undefined) {
  const { before, after } = changeOf(limitsOf(row), limitsOf(edited));
  if (settings === undefined) return { before, after };
  return { before, after: { ...after, settingsGiven: Object.keys(settings).sort() } };
}

async function find(c: Ctx, id: string): Promise<ConnectionRow> {
  const row = await readConnection(database(c.env), c.get("workspace"), id);
  if (row === null) throw notFound("connection");
  return row;
}

/** What the carrier's adapter says of the settings; their values appear nowhere. */
function checkSettings(c: Ctx, carrierId: string, settings: CarrierSettings): void {
  const carrier = carrierOf(carrierId, outboundOf(c.env));
  if (carrier === null) {
    const expected = `one of ${CARRIER_IDS.join(", ")}`;
    throw invalid({ path: "carrier", expected, got: "another one" });
  }
  const issues: Issue[] = carrier.check(settings);
  if (issues.length === 0) return;
  throw invalid(...issues.map((issue) => ({ ...issue, path: `settings.${issue.path}` })));
}

/** Given settings over those that are there; null removes one. */
async function mergeSealed(c: Ctx, row: ConnectionRow, given: CarrierSettings): Promise<string> {
  const before = await openSettings(c, row);
  const merged = { ...before, ...given };
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  checkSettings(c, row.carrier, kept);
  checkMove(openOf(c, row.carrier), before, given);
  return seal(c.env, JSON.stringify(kept));
}

/** Whoever sends a connection elsewhere knows its secrets: they do not go there unread. */
function checkMove(open: readonly string[], before: CarrierSettings, given: CarrierSettings): void {
  if (!open.some((name) => name in given && given[name] !== before[name])) return;
  const missing = Object.keys(before).filter((name) => !open.includes(name) && !(name in given));
  if (missing.length === 0) return;
  const expected = "given again, for another address";
  throw invalid(...missing.map((name) => ({ path: `settings.${name}`, expected, got: "nothing" })));
}

function openOf(c: Ctx, carrier: string): readonly string[] {
  return carrierOf(carrier, outboundOf(c.env))?.open ?? [];
}

async function openSettings(c: Ctx, row: { sealed: string }): Promise<CarrierSettings> {
  return JSON.parse(await unseal(c.env, row.sealed)) as CarrierSettings;
}

const TAIL_CHARS = 4;
/** A shorter secret shows nothing of itself. */
const TAIL_OF_CHARS_MIN = 16;

/** Settings as anybody may see them: what is open whole, of secrets the last four characters. */
function shownSettings(open: readonly string[], settings: CarrierSettings): Record<string, string> {
  const entries = Object.entries(settings).map(([name, value]): [string, string] => {
    if (open.includes(name)) return [name, String(value)];
    const long = typeof value === "string" && value.length >= TAIL_OF_CHARS_MIN;
    return [name, long ? `…${value.slice(-TAIL_CHARS)}` : "…"];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}

function inThousandSeconds(perSecond: number | null): number | null {
  return perSecond === null ? null : Math.round(perSecond * 1000);
}

async function wireOf(c: Ctx, row: Omit<ConnectionRow, "workspace" | "version" | "deletedAt">) {
  const settings = await openSettings(c, row);
  return {
    id: row.id,
    name: row.name,
    carrier: row.carrier,
    settingsGiven: Object.keys(settings).sort(),
    settings: shownSettings(openOf(c, row.carrier), settings),
    lengthMaxMs: row.lengthMaxMs,
    perSecond: row.perThousandSeconds === null ? null : row.perThousandSeconds / 1000,
    callsMax: row.callsMax,
    unknownWords: [] as UnknownWord[],
    reportsUrl: `${c.env.PUBLIC_URL}/reports/${row.id}`,
    createdAt: row.createdAt,
  };
}
