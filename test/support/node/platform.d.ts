/** What `src/db` and `src/queues` name of the platform, which has no types in Node. */
type D1Database = import("@cloudflare/workers-types").D1Database;
type D1PreparedStatement = import("@cloudflare/workers-types").D1PreparedStatement;
type DurableObjectNamespace = import("@cloudflare/workers-types").DurableObjectNamespace;
type Fetcher = import("@cloudflare/workers-types").Fetcher;
type Queue<T = unknown> = import("@cloudflare/workers-types").Queue<T>;
type Message<T = unknown> = import("@cloudflare/workers-types").Message<T>;
type MessageBatch<T = unknown> = import("@cloudflare/workers-types").MessageBatch<T>;
type SendEmail = import("@cloudflare/workers-types").SendEmail;
type TextDecoder = import("node:util").TextDecoder;
/** Variables and secrets of a deployment. */
interface Env {
  PUBLIC_URL: string;
  SIGNING_SECRET: string;
  MAILS?: SendEmail;
  MAIL_FROM?: string;
  MAIL_URL?: string;
  MAIL_HEADER?: string;
  MAIL_BODY?: string;
}
