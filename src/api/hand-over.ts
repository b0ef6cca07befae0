import type { WorkspaceId } from "../core/ids.ts";
import { type Refusal, refuse } from "../core/result.ts";
import { raiseVersion, readCopies } from "../db/copies.ts";
import { database } from "../db/database.ts";
import type { Doc } from "../dialer/verbs.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { Refused, take } from "./errors.ts";

/**
 * Hands copies of changed documents to the Dialer before the reply, and tries twice. What fails
 * here is in D1 already: the next flush heals it, and repeating the request is harmless.
 */
export async function handOver(env: Env, workspace: WorkspaceId, docs: Doc[]): Promise<void> {
  try {
    await put(env, workspace, docs).catch((error: unknown) => {
      logFault("hand-over again", error, { workspace });
      return put(env, workspace, docs);
    });
  } catch (error) {
    logFault("hand-over", error, { workspace, kinds: [...new Set(docs.map((doc) => doc.kind))] });
    const message = "The change is stored, but the Dialer did not take it yet: repeat the request.";
    throw new Refused(refuse("unavailable", message), { "retry-after": "1" });
  }
}

async function put(env: Env, workspace: WorkspaceId, docs: Doc[]): Promise<void> {
  const reply = await dialerOf(env, workspace).putCopies(docs);
  if (reply.ok) return;
  // A Dialer that never got its workspace wants that first.
  const first = await readCopies(database(env), workspace, [{ kind: "workspace", id: workspace }]);
  take(await dialerOf(env, workspace).putCopies([...first, ...docs]));
}

/** Takes a document from the Dialer, unless something live uses it; D1's tombstone comes next. */
export async function retire(
  env: Env,
  workspace: WorkspaceId,
  kind: "agent" | "number" | "connection" | "key",
  id: string,
): Promise<void> {
  const [raised] = await raiseVersion(database(env), workspace);
  const version = raised?.version ?? 0;
  const reply: { ok: true; value: null } | Refusal = await dialerOf(env, workspace).retire(
    kind,
    id,
    version,
  );
  take(reply);
}
