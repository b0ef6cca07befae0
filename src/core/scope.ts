/** What a key may do; `*` is everything, and what every key gets today. */
export const SCOPES = ["*", "read", "write"] as const;
export type Scope = (typeof SCOPES)[number];

/** Whether scopes of a key cover what a route asks for. */
export function covers(scopes: readonly string[], needed: Scope): boolean {
  return scopes.includes("*") || scopes.includes(needed);
}
