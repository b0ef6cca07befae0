import { env, SELF } from "cloudflare:test";
import { expect, inject } from "vitest";
import { readAlong } from "./leaks.ts";

const ORIGIN = "http://outdial.test";
const DEADLINE_MS = 10_000;

export type Json = Record<string, unknown>;
/** A reply with its body, read. */
export type Reply = { status: number; headers: Headers; text: string; json: Json };
export type Ask = {
  body?: unknown;
  raw?: string | Uint8Array | ReadableStream;
  headers?: Record<string, string>;
};

/** One request to the API, as it goes over the wire. */
export async function ask(route: string, request: Ask = {}): Promise<Reply> {
  const [method = "GET", path = "/"] = route.split(" ");
  const body =
    request.raw ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  const response = await SELF.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  });
  const text = await response.text();
  readAlong(route, response.status, text);
  return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

export type Workspace = Awaited<ReturnType<typeof mintWorkspace>>;

/** A workspace of its own for one test, with its first key. */
export async function mintWorkspace(body: Json = {}) {
  const made = await ask("POST /v1/workspaces", {
    body: { name: "Test", slots: 10, ...body },
    headers: { authorization: `Bearer ${env.ADMIN_SECRET}` },
  });
  expect(made.status, made.text).toBe(201);
  const key = String(made.json.apiKey);
  const as = (route: string, request: Ask = {}) =>
    ask(route, { ...request, headers: { authorization: `Bearer ${key}`, ...request.headers } });
  return { id: String(made.json.id), key, keyId: String(made.json.key), ask: as };
}

/** A workspace with a connection to the simulated carrier, an agent and a number on it. */
export async function mintCallingWorkspace(body: Json = {}) {
  const workspace = await mintWorkspace(body);
  const connection = await made(workspace, "connections", {
    name: "Simulator",
    carrier: "simulator",
    settings: inject("carrier"),
  });
  const agent = await made(workspace, "agents", {
    name: "Asha",
    connection,
    carrierAgentId: "agent-1",
    outcomes: [{ name: "not_interested" }],
  });
  const from = await made(workspace, "numbers", { phone: "+918047112233", connection });
  return { ...workspace, connection, agent, from };
}

/** The id of a document that was just created. */
export async function made(workspace: Workspace, noun: string, body: Json): Promise<string> {
  const reply = await workspace.ask(`POST /v1/${noun}`, { body });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
}

/** A realtime campaign that dials nobody: paused, so that its tasks stay where they are. */
export async function pausedCampaign(
  workspace: Workspace & { agent: string; from: string },
  body: Json = {},
): Promise<string> {
  const { agent, from } = workspace;
  const whole = { name: "Leads", type: "realtime", agent, from, paused: true, ...body };
  return made(workspace, "campaigns", whole);
}

/** The paths that an error names. */
export function pathsOf(reply: Reply): string[] {
  const error = reply.json.error as { issues?: { path: string }[] } | undefined;
  return (error?.issues ?? []).map((issue) => issue.path);
}

export function codeOf(reply: Reply): unknown {
  return (reply.json.error as Json | undefined)?.code;
}

/** Asks until the answer is as wanted; fails at the deadline. */
export async function poll<T>(get: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await get();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`deadline: got ${JSON.stringify(value)}`);
    await scheduler.wait(10);
  }
}

/** The entries of a list's page. */
export function itemsOf(reply: Reply): Json[] {
  return reply.json.items as Json[];
}

/** A list once it has as many entries: lists are a moment behind. */
export function listed(workspace: Workspace, query: string, count: number): Promise<Reply> {
  return poll(
    () => workspace.ask(`GET ${query}`),
    (reply) => itemsOf(reply)?.length === count,
  );
}
