import type { Carrier, CarrierSettings } from "../carriers/carrier.ts";
import { carrierOf } from "../carriers/carriers.ts";
import { outboundOf } from "../carriers/outbound.ts";
import { unseal } from "../carriers/seal.ts";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import { dialerOf } from "../shell/dialer.ts";
import { take } from "./errors.ts";

const KEPT_MS = 60_000;
const KEPT_MAX = 1000;

/** A connection ready for use: its adapter and its opened settings. */
export type OpenConnection = { carrier: Carrier; settings: CarrierSettings };
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
  const reply = await dialerOf(env, workspace).readConnection(id);
  if (!reply.ok && reply.code === "not_found") {
    kept.delete(id);
    return null;
  }
  const doc = take(reply);
  const carrier = carrierOf(doc.carrier, outboundOf(env));
  if (carrier === null) throw new Error(`bug: a connection to an unknown carrier ${doc.carrier}`);
  const settings = JSON.parse(await unseal(env, doc.sealed)) as CarrierSettings;
  const open = { carrier, settings };
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(id, { at: now, open });
  return open;
}

/** After an edit: this isolate reads it anew. Others follow within a minute. */
export function forgetConnection(id: ConnectionId): void {
  kept.delete(id);
}
