import type { Carrier, CarrierSettings } from "../carriers/carrier.ts";
import { carrierOf } from "../carriers/carriers.ts";
import { outboundOf } from "../carriers/outbound.ts";
import { unseal } from "../carriers/seal.ts";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Refusal } from "../core/result.ts";
import type { Done } from "../dialer/verbs.ts";
import { dialerOf } from "./dialer.ts";

/** A connection ready for use: its adapter and its opened settings. */
export type OpenConnection = { carrier: Carrier; settings: CarrierSettings };

/** A connection from the Dialer's copy, opened. */
export async function readOpenConnection(
  env: Env,
  workspace: WorkspaceId,
  id: ConnectionId,
): Promise<Done<OpenConnection> | Refusal> {
  const reply = await dialerOf(env, workspace).readConnection(id);
  if (!reply.ok) return reply;
  const { carrier: name, sealed } = reply.value;
  const carrier = carrierOf(name, outboundOf(env));
  if (carrier === null) throw new Error(`bug: a connection to an unknown carrier ${name}`);
  const settings = JSON.parse(await unseal(env, sealed)) as CarrierSettings;
  return { ok: true, value: { carrier, settings } };
}
