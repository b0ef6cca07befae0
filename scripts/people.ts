import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES, type Role } from "../src/core/access.ts";
import { ApiError } from "./client.ts";

export type DemoPerson = { email: string; password: string; role: Role };
type Mail = { to: string; subject: string; text: string };

const TIMEOUT_MS = 10_000;
const NAMES: Record<Role, string> = {
  viewer: "Vikram",
  operator: "Oda",
  admin: "Adaeze",
  owner: "Olivia",
};

/** One person of each role; the owner is made first. */
export function peopleOf(passwords: Record<Role, string>): DemoPerson[] {
  return ROLES.map((role) => ({
    email: `${role}@lotus.example`,
    password: passwords[role],
    role,
  })).reverse();
}

/** The link that signs somebody in; there is none in a deployment. */
export function linkOf(url: string, key: string, { email }: Pick<DemoPerson, "email">): string {
  return `${url}/api/auth/local-sign-in?${new URLSearchParams({ key, email })}`;
}

/**
 * Makes the demo's people by the ways that everybody has: `/setup` with its token, then
 * invitations by mail. Makes only who is missing.
 */
export async function makePeople(
  url: string,
  keys: { setupToken: string; localSignIn: string; workspace: string; mails: string },
  people: readonly DemoPerson[],
): Promise<void> {
  const [first, ...others] = people;
  if (first === undefined) return;
  const owner = new Page(url);
  const { open } = await owner.ask<{ open: boolean }>("GET", "/setup");
  if (open) {
    const { email, password, role } = first;
    const body = { token: keys.setupToken, name: NAMES[role], email, password };
    await owner.ask("POST", "/setup", { ...body, workspace: { id: keys.workspace } });
  } else {
    await owner.open(linkOf(url, keys.localSignIn, first));
  }
  type People = { items: { email: string }[] };
  const { items } = await owner.ask<People>("GET", "/v1/people?limit=200");
  for (const { email, password, role } of others) {
    if (items.some((one) => one.email === email)) continue;
    await owner.ask("POST", "/v1/invitations", { email, role });
    const mail = readMails(keys.mails).findLast((one) => one.to === email);
    const token = /\/invitations\/(\S+)/.exec(mail?.text ?? "")?.[1];
    if (token === undefined) throw new Error(`bug: no invitation was mailed for ${role}`);
    await new Page(url).ask("POST", `/invitations/${token}`, { name: NAMES[role], password });
  }
}

/** The mails in a folder, oldest first. */
export function readMails(folder: string): Mail[] {
  return mailNames(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

export function mailNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Says each new mail once, with its link: nothing is really sent. */
export function mailTeller(folder: string): () => string | null {
  const told = new Set(mailNames(folder));
  return () => {
    const fresh = mailNames(folder).filter((name) => !told.has(name));
    for (const name of fresh) told.add(name);
    if (fresh.length === 0) return null;
    const lines = fresh.map((name) => {
      const mail = JSON.parse(readFileSync(join(folder, name), "utf8")) as Mail;
      return `Mail “${mail.subject}”: ${/https?:\S+/.exec(mail.text)?.[0] ?? name}`;
    });
    return lines.join("\n");
  };
}

/** Somebody at a page of ours: says where it is, keeps its cookie. */
class Page {
  readonly #url: string;
  #cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  async open(link: string): Promise<void> {
    await this.#send(link, { redirect: "manual" });
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await this.#send(this.#url + path, init);
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as T;
    throw new ApiError(response.status, "refused", `${method} ${path}: ${response.status} ${text}`);
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const headers = {
      origin: this.#url,
      "content-type": "application/json",
      ...(this.#cookie === "" ? {} : { cookie: this.#cookie }),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...init, headers, signal });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.#cookie = cookie.split(";")[0] ?? "";
    return response;
  }
}
