/** What `src/db` and `src/queues` name of the platform, which has no types in Node. */
type D1Database = import("@cloudflare/workers-types").D1Database;
type D1PreparedStatement = import("@cloudflare/workers-types").D1PreparedStatement;
type DurableObjectNamespace = import("@cloudflare/workers-types").DurableObjectNamespace;
type Fetcher = import("@cloudflare/workers-types").Fetcher;
type Queue<T = unknown> = import("@cloudflare/workers-types").Queue<T>;
type Message<T = unknown> = import("@cloudflare/workers-types").Message<T>;
type MessageBatch<T = unknown> = import("@cloudflare/workers-types").MessageBatch<T>;
type TextDecoder = import("node:util").TextDecoder;
