import { env } from "cloudflare:test";
import { hashPassword } from "better-auth/crypto";
import { expect } from "vitest";
import type { Permission, Role } from "../../../src/core/access.ts";
import type { WorkspaceId } from "../../../src/core/ids.ts";
import { database } from "../../../src/db/database.ts";
import { newMember } from "../../../src/db/members.ts";
import { newPerson } from "../../../src/db/people.ts";
import { type Ask, ask, type Json, poll, type Reply } from "./workspace.ts";

export const ORIGIN = "http://outdial.test";
export const PASSWORD = "three lamps and a kite";

/** Mails that the Worker has posted: tests and Worker share one isolate and its `fetch`. */
export const mails: { to: string; subject: string; text: string }[] = [];
/** What the mail API answers. */
export const mailApi = { status: 200 };
const realFetch = globalThis.fetch;
globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
  if (String(input) !== "http://mails.test/") return realFetch(input, init);
  if (mailApi.status === 200) mails.push(JSON.parse(String(init?.body)));
  return new Response(null, { status: mailApi.status });
};

/** The token of the last mail to an address. */
export async function mailed(to: string): Promise<string> {
  const mail = await poll(
    async () => mails.findLast((one) => one.to === to),
    (one) => one !== undefined,
  );
  const token = /(?:#token=|\/invitations\/)(\S+)/.exec(mail?.text ?? "")?.[1];
  expect(token, mail?.text).toBeDefined();
  return token ?? "";
}

/** A browser on a page of ours: keeps cookies, and says where it is. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly headers: Record<string, string>;

  constructor(headers: Record<string, string> = {}) {
    this.headers = headers;
  }

  async ask(route: string, request: Ask = {}): Promise<Reply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = {
      origin: ORIGIN,
      ...(cookie === "" ? {} : { cookie }),
      ...this.headers,
      ...request.headers,
    };
    const reply = await ask(route, { ...request, headers });
    for (const line of reply.headers.getSetCookie()) this.#keep(line);
    return reply;
  }

  /** A copy with the same cookies, as if somebody had kept them. */
  copy(): Browser {
    const other = new Browser(this.headers);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  #keep(line: string): void {
    const [pair = ""] = line.split(";");
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (/max-age=0/i.test(line) || value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

export type Somebody = { id: string; email: string; browser: Browser };

let hashed: Promise<string> | null = null;

/** Somebody with `PASSWORD`, in no workspace. */
export async function somebody(name = "Somebody"): Promise<Somebody> {
  hashed ??= hashPassword(PASSWORD);
  const passwordHash = await hashed;
  const id = crypto.randomUUID();
  const email = `${id}@example.test`;
  const db = database(env as Env);
  await db.batch([...newPerson(db, { id, name, email, passwordHash }, Date.now())]);
  return { id, email, browser: new Browser() };
}

/** Makes somebody a member. */
export async function joins(
  one: { id: string },
  workspace: string,
  role: Role,
  grants: Permission[] = [],
): Promise<void> {
  const row = { workspace: workspace as WorkspaceId, person: one.id, role, grants };
  await newMember(database(env as Env), { ...row, createdAt: Date.now() });
}

/** Somebody of this role in a workspace, signed in. */
export async function member(
  workspace: { id: string },
  role: Role,
  grants: Permission[] = [],
): Promise<Somebody> {
  const one = await somebody();
  await joins(one, workspace.id, role, grants);
  await signedIn(one);
  return one;
}

export function signIn(
  { email, browser }: Pick<Somebody, "email" | "browser">,
  password = PASSWORD,
): Promise<Reply> {
  return browser.ask("POST /api/auth/sign-in/email", { body: { email, password } });
}

export async function signedIn(one: Somebody): Promise<void> {
  const reply = await signIn(one);
  expect(reply.status, reply.text).toBe(200);
}

/** Entries of a workspace's audit log, oldest first. */
export async function entriesOf(workspace: string): Promise<Json[]> {
  const query = env.DB.prepare("SELECT * FROM audit WHERE workspace = ? ORDER BY id");
  return (await query.bind(workspace).all<Json>()).results;
}

/** The entries of one kind, once there are as many. */
export function entered(workspace: string, action: string, count = 1): Promise<Json[]> {
  return poll(
    async () => (await entriesOf(workspace)).filter((entry) => entry.action === action),
    (entries) => entries.length >= count,
  );
}
