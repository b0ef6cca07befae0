declare global {
  namespace Cloudflare {
    interface Env {
      /** Requests per second of one key, in each isolate; 5,000 when left out. */
      REQUESTS_PER_SECOND?: string;
    }
  }
}

const PER_SECOND_DEFAULT = 5000;
const BUCKETS_MAX = 10_000;
type Bucket = { tokens: number; at: number };
const buckets = new Map<string, Bucket>();

/**
 * Takes one request from a key's bucket, which holds one second's worth: 0, or how many whole
 * seconds to wait. Buckets live in the isolate: the limit counts for each of them.
 */
export function takeRequest(key: string, perSecond: number, now: number): number {
  const bucket = buckets.get(key) ?? { tokens: perSecond, at: now };
  const refilled = bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1000;
  bucket.tokens = Math.min(perSecond, refilled);
  bucket.at = now;
  if (buckets.size >= BUCKETS_MAX && !buckets.has(key)) buckets.clear();
  buckets.set(key, bucket);
  if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
  bucket.tokens -= 1;
  return 0;
}

/** The setting of this deployment. */
export function requestsPerSecond(env: Env): number {
  const set = Number(env.REQUESTS_PER_SECOND);
  return Number.isFinite(set) && set > 0 ? set : PER_SECOND_DEFAULT;
}
