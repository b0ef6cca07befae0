/** Secrets and settings of a deployment, beside the bindings that `wrangler types` writes down. */
declare namespace Cloudflare {
  interface Env {
    /** Makes workspaces. */
    ADMIN_SECRET: string;
    /** Keys, report addresses, hashed numbers. */
    SIGNING_SECRET: string;
    /** Seals settings of connections; further ones are SEALING_KEY_2 and so on (carriers/seal.ts). */
    SEALING_KEY_1?: string;
    /** Where carriers and people reach this deployment, without a last slash. */
    PUBLIC_URL: string;
    /** `host:port`s that carriers may have although they are not public; local runs only. */
    OUTBOUND_ALLOW?: string;
    /** Where recordings are copied to, if a bucket is bound (wrangler.toml). */
    RECORDINGS?: R2Bucket;
    /** `decisions` logs every dispatch, too. */
    LOG?: string;
    /** Set: each object logs what it has cost so far, for the benchmark. */
    COUNTS?: string;
  }
}
interface Env extends Cloudflare.Env {}
