import { sql } from "drizzle-orm";
import { openapi } from "../contract/openapi.ts";
import type { WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { database } from "../db/database.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { Refused, STATUS_OF } from "./errors.ts";
import type { Handler } from "./serve.ts";

/** An object that belongs to nobody, to see whether objects answer. */
const NOBODY = "ws_healthcheck" as WorkspaceId;

export const health: Handler<"GET /healthz"> = async (c) => {
  try {
    await Promise.all([
      database(c.env).run(sql`SELECT 1`),
      // Any answer will do, a refusal too.
      dialerOf(c.env, NOBODY).readWorkspace(),
    ]);
  } catch (error) {
    logFault("health", error, {});
    throw new Refused(refuse("unavailable", "D1 or an object does not answer."));
  }
  return c.json({ status: "ok" });
};

let written: { publicUrl: string; document: Record<string, unknown> } | null = null;

export const description: Handler<"GET /openapi.json"> = (c) => {
  const publicUrl = c.env.PUBLIC_URL;
  if (written?.publicUrl !== publicUrl) {
    written = { publicUrl, document: openapi(publicUrl, STATUS_OF) };
  }
  return c.json(written.document);
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>outdial API</title>
<link rel="icon" type="image/png" href="/docs-assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs-assets/swagger-ui.css">
</head>
<body>
<div id="operations"></div>
<noscript>The same as JSON: <a href="/openapi.json">/openapi.json</a></noscript>
<script src="/docs-assets/swagger-ui-bundle.js"></script>
<script src="/docs-assets/start.js"></script>
</body>
</html>
`;

export const docs: Handler<"GET /docs"> = (c) => c.html(PAGE);
