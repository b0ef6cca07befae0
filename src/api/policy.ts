/*
 * What every reply says to a browser, static assets included (`scripts/build.ts` writes the same
 * down for those). No header of CORS but for forms (`form-origins.ts`): no page of another origin
 * reads a reply.
 */

/** Of pages: scripts from here alone, none inline; styles also in elements, as libraries set them. */
export const PAGE_POLICY = [
  ...["default-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:"],
  ...["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
].join("; ");

/** Of all else, which is data. */
export const DATA_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  // Addresses name ids and hold tokens; a form of ours still shows its origin.
  "referrer-policy": "same-origin",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** Of the one thing that pages of other origins load: it is the same for everybody, and may be kept. */
export const SHARED_HEADERS: Readonly<Record<string, string>> = {
  "cross-origin-resource-policy": "cross-origin",
  "cache-control": "public, max-age=3600",
};
