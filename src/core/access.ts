/**
 * Who may do what (H37): the one table. The API asks it in one place, the dashboard hides by it,
 * and `docs/security.md` is printed from it.
 */
export const ROLES = ["viewer", "operator", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

/**
 * see           campaigns, tasks, calls, agents: numbers and what was said are masked
 * see_personal  full numbers, contexts, recordings, transcripts; exports
 * push          tasks through the API
 * run           campaigns, imports, single tasks, the do-not-call list
 * set_up        agents, numbers, connections, slots and hours of the workspace
 * govern        people, keys, the audit log, erasures
 * own           owners, and the workspace's end
 */
export const PERMISSIONS = [
  "see",
  "see_personal",
  "push",
  "run",
  "set_up",
  "govern",
  "own",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** `grant`: only a person to whom it was given by name. */
export type Answer = "yes" | "grant" | "no";

export const MAY: Readonly<Record<Permission, Readonly<Record<Role, Answer>>>> = {
  see: { viewer: "yes", operator: "yes", admin: "yes", owner: "yes" },
  see_personal: { viewer: "grant", operator: "yes", admin: "yes", owner: "yes" },
  push: { viewer: "no", operator: "yes", admin: "yes", owner: "yes" },
  run: { viewer: "no", operator: "yes", admin: "yes", owner: "yes" },
  set_up: { viewer: "no", operator: "no", admin: "yes", owner: "yes" },
  govern: { viewer: "no", operator: "no", admin: "yes", owner: "yes" },
  own: { viewer: "no", operator: "no", admin: "no", owner: "yes" },
};

/** What a key may do; `*` is everything, as keys had it before there were scopes. */
export const SCOPES = ["*", "tasks:write", "read", "campaigns:write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export const SCOPE_MAY: Readonly<Record<Scope, readonly Permission[]>> = {
  "*": PERMISSIONS,
  "tasks:write": ["push"],
  read: ["see", "see_personal"],
  "campaigns:write": ["push", "run"],
  admin: ["see", "see_personal", "push", "run", "set_up", "govern"],
};

/** What a person of this role may do; `granted` is what a viewer was given by name. */
export function mayOfRole(role: Role, granted: readonly Permission[]): Set<Permission> {
  return new Set(
    PERMISSIONS.filter((permission) => {
      const answer = MAY[permission][role];
      return answer === "yes" || (answer === "grant" && granted.includes(permission));
    }),
  );
}

/** What a key with these scopes may do; a scope that nobody knows gives nothing. */
export function mayOfScopes(scopes: readonly string[]): Set<Permission> {
  return new Set(scopes.flatMap((scope) => (isScope(scope) ? SCOPE_MAY[scope] : [])));
}

/** The scopes among these which would do more than `may`: a key never does more than its creator could. */
export function scopesBeyond(scopes: readonly Scope[], may: ReadonlySet<Permission>): Scope[] {
  return scopes.filter((scope) => SCOPE_MAY[scope].some((permission) => !may.has(permission)));
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
