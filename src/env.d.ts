/** Secrets and settings of a deployment, beside the bindings that `wrangler types` writes down. */
declare namespace Cloudflare {
  interface Env {
    /** Makes workspaces. */
    ADMIN_SECRET: string;
    /** Keys, report addresses, sealed settings. */
    SIGNING_SECRET: string;
    /** Where carriers and people reach this deployment, without a last slash. */
    PUBLIC_URL: string;
    /** `decisions` logs every dispatch, too. */
    LOG?: string;
    /** Set: each object logs what it has cost so far, for the benchmark. */
    COUNTS?: string;
  }
}
interface Env extends Cloudflare.Env {}
