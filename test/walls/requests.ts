import type { Operation } from "../../src/contract/operation.ts";
import { OPERATIONS } from "../../src/contract/operations.ts";
import type { Ids } from "./world.ts";

export const operations = Object.entries<Operation>(OPERATIONS);
export type Asked = { route: string; headers: Record<string, string>; body?: string };

/** Paths name a parameter, or the things before it: both lead to an id of the world. */
const OF_PARAM: Record<string, string> = {
  connection: "connections",
  call: "calls",
  importId: "imports",
  phone: "suppressions",
};
const OF_KIND: Record<string, string> = {
  con: "connections",
  agt: "agents",
  num: "numbers",
  cmp: "campaigns",
  tsk: "tasks",
  cal: "calls",
  imp: "imports",
  key: "keys",
  inv: "invitations",
  frm: "forms",
  whk: "webhooks",
};
/** Bodies that the description's example does not show, for what it leaves to the caller. */
const BODIES: Record<string, (ids: Ids) => unknown> = {};

const EXAMPLE_ID = /^(\w{3})_k3v9q2m8xa_\w+$/;

/** The request that an operation describes, about the things with these ids. */
export function requestOf(route: string, operation: Operation, ids: Ids): Asked {
  const headers = { "content-type": typeOf(operation) };
  const asked = { route: routeOf(route, ids), headers };
  const body = bodyOf(route, operation, ids);
  return body === undefined ? asked : { ...asked, body };
}

function routeOf(route: string, ids: Ids): string {
  return route.replaceAll(/([\w-]+)\/\{(\w+)\}/g, (_, before: string, name: string) => {
    // Only batches have imports.
    const noun = before === "campaigns" && route.includes("/imports") ? "batches" : before;
    return `${before}/${encodeURIComponent(idOf(ids, OF_PARAM[name] ?? noun, route))}`;
  });
}

function idOf(ids: Ids, noun: string, route: string): string {
  const id = ids[noun];
  if (id === undefined) throw new Error(`${route}: test/walls/world.ts has no id of ${noun}`);
  return id;
}

function bodyOf(route: string, { body, rawBody }: Operation, ids: Ids): string | undefined {
  if (rawBody !== undefined) return "phone,name\n+919876500001,Asha\n";
  const own = BODIES[route];
  if (own !== undefined) return JSON.stringify(own(ids));
  return body === undefined ? undefined : JSON.stringify(withIds(body.example, ids, route));
}

function typeOf({ rawBody }: Operation): string {
  return rawBody?.contentType ?? "application/json";
}

/** The description's example with ids that are there. */
function withIds(example: unknown, ids: Ids, route: string): unknown {
  return JSON.parse(JSON.stringify(example), (_, value: unknown) => {
    const kind = typeof value === "string" ? EXAMPLE_ID.exec(value)?.[1] : undefined;
    return kind === undefined ? value : idOf(ids, OF_KIND[kind] ?? kind, route);
  });
}
