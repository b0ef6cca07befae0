/** What `src/db` and `src/queues` name of the platform, which has no types in Node. */
type D1Database = import("@cloudflare/workers-types").D1Database;
type D1PreparedStatement = import("@cloudflare/workers-types").D1PreparedStatement;
type DurableObjectNamespace = import("@cloudflare/workers-types").DurableObjectNamespace;
type Fetcher = import("@cloudflare/workers-types").Fetcher;
type Queue<T = unknown> = import("@cloudflare/workers-types").Queue<T>;
type Message<T = unknown> = import("@cloudflare/workers-types").Message<T>;
type MessageBatch<T = unknown> = import("@cloudflare/workers-types").MessageBatch<T>;
type R2Bucket = import("@cloudflare/workers-types").R2Bucket;
type R2MultipartOptions = import("@cloudflare/workers-types").R2MultipartOptions;
type R2MultipartUpload = import("@cloudflare/workers-types").R2MultipartUpload;
type R2UploadedPart = import("@cloudflare/workers-types").R2UploadedPart;
type SendEmail = import("@cloudflare/workers-types").SendEmail;
type TextDecoder = import("node:util").TextDecoder;
declare const FixedLengthStream: typeof import("@cloudflare/workers-types").FixedLengthStream;
/** Variables and secrets of a deployment. */
interface Env {
  PUBLIC_URL: string;
  SIGNING_SECRET: string;
  RECORDINGS?: R2Bucket;
  MAILS?: SendEmail;
  MAIL_FROM?: string;
  MAIL_URL?: string;
  MAIL_HEADER?: string;
  MAIL_BODY?: string;
}
