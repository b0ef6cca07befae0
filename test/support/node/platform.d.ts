/** What `src/db` names of the platform, which has no types in Node. */
type D1Database = import("@cloudflare/workers-types").D1Database;
