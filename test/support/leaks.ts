/** What no log line and no error body may hold, whoever wrote it. */
const PATTERNS: readonly [what: string, pattern: RegExp][] = [
  ["a key", /\b(?:outdial|od)_[a-z0-9]{6,16}_[a-z0-9]{1,16}_[a-z0-9]{32}_[0-9a-f]{32}\b/],
  ["a sealed text", /\bv[12]\.(?:\d+\.)?[\w-]{40,}/],
  ["the address for a call's reports", /\/cal_[a-z0-9]+_[a-z0-9]+\.[0-9a-f]{32}/],
  ["a session", /__Host-outdial\.[\w.]+=[^;\s]{8,}/],
  ["a token", /(?:token=|\/invitations\/)[\w-]{16,}/],
  ["an authorization", /\bBearer [\w.~+/-]{8,}/i],
  ["a person's address", /[\w.+-]{1,64}@[\w-]{1,63}\.[a-z]{2,}/i],
  ["a phone number", /\+\d[\d .()-]{5,}\d/],
  // As tests use them, without the sign: Indian mobiles, fictional American and British ones.
  ["a phone number", /(?<![\d.])(?:91[6-9]\d{9}|91804711\d{4}|1555\d{7,10}|44770\d{7})(?!\d)/],
];

/** Request ids: their digits may look like anything. */
const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

export type Leak = { what: string; where: string; text: string };

/** What of all this a text holds; `secrets` are known ones, each with its name. */
export function leaksIn(
  where: string,
  text: string,
  secrets: readonly (readonly [what: string, secret: string])[],
): Leak[] {
  const known = secrets.filter(([, secret]) => text.includes(secret)).map(([what]) => what);
  const rest = text.replaceAll(UUID, "");
  const shaped = PATTERNS.filter(([, pattern]) => pattern.test(rest)).map(([what]) => what);
  return [...new Set([...known, ...shaped])].map((what) => ({ what, where, text }));
}
