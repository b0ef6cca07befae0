import { env } from "cloudflare:test";
import { expect } from "vitest";
import type { Permission, Role, Scope } from "../../src/core/access.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { mintWorkspace } from "../support/workerd/workspace.ts";
import { ask, ORIGIN } from "./ask.ts";
import { type Needs, PROMISED, PROMISED_SCOPES } from "./table.ts";
import { cookieOf, join, type Lived, person, storedKey } from "./world.ts";

type Refusal = 401 | 403 | 404;
/** Somebody who asks, and what he must hear. */
export type Who = {
  name: string;
  headers: Record<string, string>;
  /** The refusal that he must get, or null when he is to be let through. */
  refusal: (needs: Needs, method: string) => Refusal | null;
  /** A key that only the Dialer can refuse: a push has read its body by then. */
  hot?: boolean;
  /** Refused without a look into D1 or a Dialer. */
  cheap?: boolean;
  /** His id, if he is a person. */
  person?: string;
  /** Whether he may see numbers and what was said. */
  sees: boolean;
};

/** What everybody is told alike: all that is open, and that he is no carrier and has no ticket. */
function common(needs: Needs): Refusal | null | undefined {
  if (needs === "open") return null;
  return needs === "carrier" || needs === "ticket" ? 401 : undefined;
}

function who(
  name: string,
  headers: Record<string, string>,
  refusal: Who["refusal"],
  more: { hot?: boolean; sees?: boolean } = {},
): Who {
  const whole: Who["refusal"] = (needs, method) => {
    const known = common(needs);
    return known === undefined ? refusal(needs, method) : known;
  };
  return { name, headers, refusal: whole, hot: more.hot ?? false, sees: more.sees ?? false };
}

/** Nobody that outdial knows. */
function stranger(name: string, headers: Record<string, string>, hot = false): Who {
  const cheap = !hot && headers.cookie === undefined;
  return { ...who(name, headers, () => 401, { hot }), cheap };
}

/** The cookie counts only where no key can. */
function beside(owner: Who, headers: Record<string, string>): Who {
  const name = "an owner with a forged key beside his cookie";
  const all = { ...owner.headers, ...headers };
  return who(name, all, (needs) => (needs === "person" ? null : 401));
}

/** Who has the deployment's secret makes workspaces, and sees into none. */
function deployment(headers: Record<string, string>): Who {
  return who("the deployment itself", headers, (needs) => (needs === "admin" ? null : 401));
}

function key(name: string, text: string, may: readonly Permission[]): Who {
  const refusal = (needs: Needs) => {
    if (needs === "admin" || needs === "person") return 401;
    return (may as readonly Needs[]).includes(needs) ? null : 403;
  };
  const more = { hot: true, sees: may.includes("see_personal") };
  return who(name, { authorization: `Bearer ${text}` }, refusal, more);
}

const SAME_ORIGIN = { origin: ORIGIN };

function member(name: string, cookie: string, workspace: string, may: readonly Permission[]): Who {
  const refusal = (needs: Needs) => {
    if (needs === "person") return null;
    if (needs === "admin") return 401;
    return (may as readonly Needs[]).includes(needs) ? null : 403;
  };
  const headers = { ...SAME_ORIGIN, cookie, "x-workspace": workspace };
  return who(name, headers, refusal, { sees: may.includes("see_personal") });
}

/** Somebody signed in who is no member here: the workspace looks as if it were not there. */
function outsider(name: string, cookie: string, workspace: string): Who {
  const headers = { ...SAME_ORIGIN, cookie, "x-workspace": workspace };
  return who(name, headers, (needs) => {
    if (needs === "person") return null;
    return needs === "admin" ? 401 : 404;
  });
}

/** A person of whom a page of somebody else's makes a request. */
function misled(name: string, whole: Who, headers: Record<string, string>): Who {
  const { origin: _, ...rest } = whole.headers;
  return who(name, { ...rest, ...headers }, (needs, method) => {
    return method === "GET" || needs === "admin" ? whole.refusal(needs, method) : 403;
  });
}

export function mayOf(role: Role, granted: boolean): Permission[] {
  const all = Object.entries(PROMISED) as [Permission, (typeof PROMISED)[Permission]][];
  return all.flatMap(([permission, row]) => {
    const may = row[role];
    return may === "yes" || (may === "grant" && granted) ? [permission] : [];
  });
}

const MEMBERS: [string, Role, boolean][] = [
  ["viewer", "viewer", false],
  ["viewer with the grant", "viewer", true],
  ["operator", "operator", false],
  ["admin", "admin", false],
  ["owner", "owner", false],
];

/** Each role by cookie and each scope by key, in one workspace. */
export async function insiders({ workspace }: Lived): Promise<Who[]> {
  const all: Who[] = [];
  for (const [name, role, granted] of MEMBERS) {
    const one = await person(role);
    await join(workspace, one, role, granted ? ["see_personal"] : []);
    const may = mayOf(role, granted);
    all.push({ ...member(name, await cookieOf(one), workspace, may), person: one.id });
  }
  const lowered = await person("lowered");
  await join(workspace, lowered, "owner");
  const cookie = await cookieOf(lowered);
  await ask("GET /v1/keys", { headers: { cookie, "x-workspace": workspace } });
  const lower = env.DB.prepare("UPDATE members SET role = 'viewer' WHERE person = ?");
  await lower.bind(lowered.id).run();
  const low = member("viewer who was the owner", cookie, workspace, mayOf("viewer", false));
  all.push({ ...low, person: lowered.id });
  for (const scope of Object.keys(PROMISED_SCOPES) as Scope[]) {
    const { text } = await storedKey(workspace, [scope]);
    all.push(key(`key with ${scope}`, text, PROMISED_SCOPES[scope]));
  }
  const { text } = await storedKey(workspace, ["tasks:write", "read"]);
  const both = [...PROMISED_SCOPES["tasks:write"], ...PROMISED_SCOPES.read];
  all.push(key("key with two scopes", text, both));
  all.push(key("key with a scope that nobody knows", await oddKey(workspace), []));
  await warm(all);
  return all;
}

async function oddKey(workspace: Lived["workspace"]): Promise<string> {
  return (await storedKey(workspace, ["everything" as Scope])).text;
}

/** The Dialer fetches a key's copy once: what a request costs and changes is the same from then on. */
async function warm(all: Who[]): Promise<void> {
  for (const { headers, hot } of all) {
    if (!hot) continue;
    await ask("GET /v1/workspace", { headers });
    await ask("POST /v1/tasks", { headers, body: "{}" });
  }
}

/** Everybody who must not get in: what they bring counts no more, or never did. */
export async function outsiders(lived: Lived, owner: Who): Promise<Who[]> {
  const { workspace } = lived;
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  const good = (await storedKey(workspace, ["*"])).text;
  const forged = good.slice(0, -32) + good.slice(-32).replaceAll(/./g, "0");
  const otherSecret = good.replace(/_[a-z0-9]{32}_/, `_${"a".repeat(32)}_`);
  const expired = (await storedKey(workspace, ["*"], { expiresAt: Date.now() - 1 })).text;
  const unknown = await storedKey(workspace, ["*"]);
  await env.DB.prepare("DELETE FROM keys WHERE id = ?").bind(unknown.id).run();
  const cookie = owner.headers.cookie ?? "";
  const all = [
    stranger("nobody", {}),
    stranger("nobody, from a page of ours", SAME_ORIGIN),
    stranger("nobody, with a workspace", { "x-workspace": workspace }),
    stranger("a key that is no key", bearer("sk_live_0123456789")),
    stranger("a forged key", bearer(forged)),
    stranger("a key with another secret", bearer(otherSecret)),
    stranger("an expired key", bearer(expired), true),
    stranger("a revoked key", bearer(await revoked(lived)), true),
    stranger("a key that D1 does not have", bearer(unknown.text), true),
    deployment(bearer(env.ADMIN_SECRET)),
    stranger("another deployment's admin secret", bearer(env.ADMIN_SECRET.toUpperCase())),
    stranger("a forged cookie", { ...SAME_ORIGIN, cookie: cookie.replace(/=.{8}/, "=abcdefgh") }),
    stranger("a cookie of another name", { ...SAME_ORIGIN, cookie: cookie.replace("__Host-", "") }),
    stranger("an ended session", { ...owner.headers, cookie: await ended(lived) }),
    stranger("an expired session", { ...owner.headers, cookie: await outOfDate(lived) }),
    beside(owner, bearer(forged)),
    outsider("a removed member", await removed(lived), workspace),
    outsider("a person of no workspace", await cookieOf(await person("nomad")), workspace),
    ...(await left()),
    misled("the owner, from another page", owner, { origin: "https://evil.example" }),
    misled("the owner, from a page of nowhere", owner, { origin: "null" }),
    misled("the owner, from a page of a like name", owner, { origin: `${ORIGIN}.evil.example` }),
    misled("the owner, without an Origin", owner, {}),
  ];
  await warm(all);
  return all;
}

/** A key that was used for everything and then revoked: whoever keeps what he knew is found. */
async function revoked(lived: Lived): Promise<string> {
  const made = await lived.ask("POST /v1/keys", { body: { name: "To be revoked", scopes: ["*"] } });
  const text = String(made.json.apiKey);
  const headers = { authorization: `Bearer ${text}`, "content-type": "application/json" };
  await ask("GET /v1/workspace", { headers });
  const body = JSON.stringify({ campaign: lived.ids.campaigns, phone: "+919876500002" });
  await ask("POST /v1/tasks", { headers, body });
  const gone = await lived.ask(`DELETE /v1/keys/${String(made.json.id)}`);
  expect([made.status, gone.status]).toEqual([201, 204]);
  return text;
}

/** The cookie of somebody who was an owner and has used it as such. */
async function removed({ workspace, ids }: Lived): Promise<string> {
  const one = await person("removed");
  await join(workspace, one, "owner");
  const cookie = await cookieOf(one);
  const headers = { ...SAME_ORIGIN, cookie, "x-workspace": workspace };
  await ask(`GET /v1/agents/${ids.agents}`, { headers });
  await env.DB.prepare("DELETE FROM members WHERE person = ?").bind(one.id).run();
  return cookie;
}

async function ended({ workspace }: Lived): Promise<string> {
  const one = await person("left");
  await join(workspace, one, "owner");
  const cookie = await cookieOf(one);
  const headers = { ...SAME_ORIGIN, cookie, "x-workspace": workspace };
  await ask("GET /v1/workspace", { headers });
  await ask("POST /api/auth/sign-out", {
    headers: { ...headers, "content-type": "application/json" },
    body: "{}",
  });
  return cookie;
}

async function outOfDate({ workspace }: Lived): Promise<string> {
  const one = await person("asleep");
  await join(workspace, one, "owner");
  const cookie = await cookieOf(one);
  const long = env.DB.prepare("UPDATE sessions SET expires_at = ? WHERE person = ?");
  await long.bind(Date.now() - 1000, one.id).run();
  return cookie;
}

/** A key and an owner of a workspace that has ended, who were in it until then. */
async function left(): Promise<Who[]> {
  const gone = await mintWorkspace();
  const workspace = gone.id as WorkspaceId;
  const one = await person("orphan");
  await join(workspace, one, "owner");
  const cookie = await cookieOf(one);
  const headers = { ...SAME_ORIGIN, cookie, "x-workspace": workspace };
  const key = { authorization: `Bearer ${gone.key}`, "content-type": "application/json" };
  await ask("GET /v1/workspace", { headers });
  await ask("POST /v1/tasks", { headers: key, body: "{}" });
  const ended = await gone.ask("DELETE /v1/workspace", { body: { name: "Test" } });
  expect(ended.status, ended.text).toBe(202);
  return [
    stranger("a key of a workspace that has ended", { authorization: `Bearer ${gone.key}` }, true),
    outsider("an owner of a workspace that has ended", cookie, workspace),
  ];
}

/** The other workspace's own people and keys, who try their luck here. */
export async function neighbours(theirs: Lived): Promise<Who[]> {
  const all = await insiders(theirs);
  return all.map((one) => ({ ...one, name: `another workspace's ${one.name}` }));
}
