import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import { type OpenConnection, readOpenConnection } from "../shell/connection.ts";
import { take } from "./errors.ts";

const KEPT_MS = 60_000;
const KEPT_MAX = 1000;

type Kept = { at: number; open: OpenConnection };
const kept = new Map<ConnectionId, Kept>();

/**
 * A connection from the Dialer's copy, opened, and kept in the isolate for a minute: reports get
 * in while D1 is away. Null when the workspace has none of this id.
 */
export async function openConnection(
  env: Env,
  workspace: WorkspaceId,
  id: ConnectionId,
  now: number,
): Promise<OpenConnection | null> {
  const known = kept.get(id);
  if (known !== undefined && now - known.at < KEPT_MS) return known.open;
  const reply = await readOpenConnection(env, workspace, id);
  if (!reply.ok && reply.code === "not_found") {
    kept.delete(id);
    return null;
  }
  const open = take(reply);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(id, { at: now, open });
  return open;
}

/** After an edit: this isolate reads it anew. Others follow within a minute. */
export function forgetConnection(id: ConnectionId): void {
  kept.delete(id);
}
