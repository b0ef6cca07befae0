import type { Route } from "../contract/operations.ts";
import type { BodyOf, ParamsOf, QueryOf, ReplyOf } from "../contract/wire.ts";
import type { Issue } from "../core/result.ts";

/** What a route is asked with: only what its operation takes. */
export type Ask<R extends Route> = (ParamsOf<R> extends null
  ? { params?: never }
  : { params: ParamsOf<R> }) &
  (QueryOf<R> extends null ? { query?: never } : { query?: QueryOf<R> }) &
  (BodyOf<R> extends null ? { body?: never } : { body: BodyOf<R> });

/** A refusal, with what is wrong with each field (H38). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: Issue[];
  readonly requestId: string | null;

  constructor(status: number, said: { code: string; message: string; issues?: Issue[] }, id = "") {
    super(said.message);
    this.status = status;
    this.code = said.code;
    this.issues = said.issues ?? [];
    this.requestId = id === "" ? null : id;
  }
}

/** Nobody answered. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
  }
}

const KEPT_AS = "outdial.workspace";
let workspace: string | null = localStorage.getItem(KEPT_AS);

/** The workspace that every request is about. */
export function chosenWorkspace(): string | null {
  return workspace;
}

export function chooseWorkspace(id: string | null): void {
  workspace = id;
  if (id === null) localStorage.removeItem(KEPT_AS);
  else localStorage.setItem(KEPT_AS, id);
}

/** Asks the API: the session's cookie says who, the header which workspace. */
export async function call<R extends Route>(
  route: R,
  ask: Ask<R>,
  signal?: AbortSignal,
): Promise<ReplyOf<R>> {
  const [method = "GET"] = route.split(" ");
  const headers = new Headers({ accept: "application/json" });
  if (workspace !== null) headers.set("x-workspace", workspace);
  if (ask.body !== undefined) headers.set("content-type", "application/json");
  const reply = await send(pathOf(route, ask), {
    method,
    headers,
    ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  // The contract says what a route replies, and its tests hold the API to it.
  return (await readJson(reply)) as ReplyOf<R>;
}

/** The address of a route for links, downloads and players: the workspace stands in the query. */
export function addressOf<R extends Route>(route: R, ask: Ask<R>): string {
  const query = { ...(ask.query ?? {}), ...(workspace === null ? {} : { workspace }) };
  return pathOf(route, { params: ask.params, query });
}

/** A file with its name, which a body by itself does not have. */
export function named(file: File): FormData {
  const form = new FormData();
  form.append("file", file);
  return form;
}

/** Uploads a CSV, with word of how much of it has gone out: `fetch` does not tell. */
export function upload<R extends Route>(
  route: R,
  ask: Omit<Ask<R>, "body">,
  file: Blob | FormData,
  onProgress: (share: number) => void,
): Promise<ReplyOf<R>> {
  const [method = "POST"] = route.split(" ");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, pathOf(route, ask));
    request.setRequestHeader("accept", "application/json");
    if (file instanceof Blob) request.setRequestHeader("content-type", "text/csv");
    if (workspace !== null) request.setRequestHeader("x-workspace", workspace);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total);
    request.onerror = () => reject(new Unreachable(null));
    request.onload = () => {
      const { status, responseText } = request;
      if (status < 300) resolve(JSON.parse(responseText) as ReplyOf<R>);
      else reject(errorOf(status, responseText));
    };
    request.send(file);
  });
}

/** Signing in and out, passwords and second factors, which better-auth answers. */
export async function auth<T>(path: string, body: Record<string, unknown> = {}): Promise<T> {
  const reply = await send(`/api/auth${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
  return (await readJson(reply)) as T;
}

/** What better-auth tells of whoever is signed in. */
export async function authRead<T>(path: string): Promise<T> {
  return (await readJson(await send(`/api/auth${path}`, {}))) as T;
}

/** An operation's path and query; `Ask` has paired them with it. */
function pathOf(route: Route, ask: { params?: unknown; query?: unknown }): string {
  const params = (ask.params ?? {}) as Record<string, unknown>;
  const [, pattern = ""] = route.split(" ");
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ask.query ?? {})) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(error);
  }
  if (!reply.ok) throw errorOf(reply.status, await reply.text());
  return reply;
}

async function readJson(reply: Response): Promise<unknown> {
  return reply.status === 204 ? null : reply.json();
}

type Said = { code: string; message: string; issues?: Issue[] };

function errorOf(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as { error?: Said; requestId?: string } & Partial<Said>;
    if (body.error !== undefined) return new ApiError(status, body.error, body.requestId);
    // better-auth's own shape.
    const { code = "refused", message = "The server said no." } = body;
    return new ApiError(status, { code, message });
  } catch {
    return new ApiError(status, { code: "unreadable", message: `The server answered ${status}.` });
  }
}
