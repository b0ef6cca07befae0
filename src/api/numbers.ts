import { makeId } from "../core/ids.ts";
import { maskPhone, readPhone } from "../core/phone.ts";
import { refuse } from "../core/result.ts";
import { shown } from "../core/time.ts";
import { database } from "../db/database.ts";
import {
  deleteNumber,
  editNumber,
  findNumbers,
  insertNumber,
  listNumbers,
  type NumberRow,
  readNumber,
} from "../db/numbers.ts";
import { readWorkspaceRow } from "../db/workspaces.ts";
import { checkConnection } from "./agents.ts";
import type { Ctx } from "./context.ts";
import { changeOf, entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { handOver, retire } from "./hand-over.ts";
import { randomText } from "./key-text.ts";
import { mapPage, pageRequest } from "./list.ts";
import type { Handler } from "./serve.ts";

export const create: Handler<"POST /v1/numbers"> = async (c, { body }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const phone = e164Of(body.phone, "phone");
  await checkConnection(c, body.connection);
  const same = await findNumbers(db, workspace, phone);
  const there = same.find((one) => one.connection === body.connection);
  if (there !== undefined) {
    throw new Refused(refuse("conflict", `The number is on this connection already: ${there.id}.`));
  }
  const row = {
    id: makeId("num", workspace, randomText(10)),
    phone,
    name: body.name ?? null,
    connection: body.connection,
    carrierNumberId: body.carrierNumberId ?? null,
    createdAt: c.get("now"),
  };
  const after = settingsOf(row);
  const entry = entryOf(c, {
    action: "number.create",
    targetKind: "number",
    target: row.id,
    after,
  });
  await handOver(c.env, workspace, await insertNumber(db, workspace, row, entry));
  return c.json(numberWire(row), 201);
};

export const list: Handler<"GET /v1/numbers"> = async (c, { query }) => {
  const page = pageRequest(query, "text");
  const found = await listNumbers(database(c.env), c.get("workspace"), page);
  return c.json(mapPage(found, numberWire));
};

export const read: Handler<"GET /v1/numbers/{id}"> = async (c, { params }) =>
  c.json(numberWire(await find(c, params.id)));

export const edit: Handler<"PATCH /v1/numbers/{id}"> = async (c, { params, body }) => {
  const workspace = c.get("workspace");
  const row = await find(c, params.id);
  const moved = body.connection !== undefined && body.connection !== row.connection;
  const renumbered = body.phone !== undefined && e164Of(body.phone, "phone") !== row.phone;
  if (moved || renumbered) {
    const message = "A number's phone and connection never change: make another number.";
    throw new Refused(refuse("conflict", message));
  }
  const { name, carrierNumberId } = body;
  const fields = {
    ...(name === undefined ? {} : { name }),
    ...(carrierNumberId === undefined ? {} : { carrierNumberId }),
  };
  if (Object.keys(fields).length > 0) {
    const change = changeOf(settingsOf(row), settingsOf({ ...row, ...fields }));
    const deed = { action: "number.edit", targetKind: "number", target: row.id, ...change };
    const docs = await editNumber(database(c.env), workspace, row.id, fields, entryOf(c, deed));
    await handOver(c.env, workspace, docs);
  }
  return c.json(numberWire({ ...row, ...fields }));
};

export const remove: Handler<"DELETE /v1/numbers/{id}"> = async (c, { params }) => {
  const workspace = c.get("workspace");
  const db = database(c.env);
  const row = await find(c, params.id);
  const { id } = row;
  if ((await readWorkspaceRow(db, workspace))?.from === id) {
    throw new Refused(refuse("in_use", `The number is the default of workspace ${workspace}.`));
  }
  await retire(c.env, workspace, "number", id);
  const before = settingsOf(row);
  const entry = entryOf(c, { action: "number.delete", targetKind: "number", target: id, before });
  await handOver(c.env, workspace, await deleteNumber(db, workspace, id, entry));
  return c.body(null, 204);
};

/** A body's phone as E.164, else a 422 (H8). */
export function e164Of(text: string, path: string): string {
  const phone = readPhone(text);
  if (phone.ok) return phone.phone;
  const expected = "a phone number with + and its country code";
  throw invalid({ path, expected, got: `${shown(text)} (${phone.reason})` });
}

async function find(c: Ctx, id: string): Promise<NumberRow> {
  const row = await readNumber(database(c.env), c.get("workspace"), id);
  if (row === null) throw notFound("number");
  return row;
}

/** What an entry of the audit log says of a number: no whole one. */
function settingsOf(row: Omit<NumberRow, "workspace" | "version" | "deletedAt">) {
  const { id: _id, createdAt: _createdAt, ...shown } = numberWire(row);
  return { ...shown, phone: maskPhone(row.phone) };
}

function numberWire(row: Omit<NumberRow, "workspace" | "version" | "deletedAt">) {
  const { id, phone, connection, name, carrierNumberId, createdAt } = row;
  return { id, phone, connection, name, carrierNumberId, createdAt };
}
