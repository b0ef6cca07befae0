import type { Carrier } from "./carrier.ts";
import { http } from "./http.ts";
import type { Outbound } from "./outbound.ts";
import { simulator } from "./simulator/simulator.ts";

/** Every carrier that a connection can name. */
export const CARRIER_IDS = ["simulator", "http"] as const;
export type CarrierId = (typeof CARRIER_IDS)[number];

const CARRIERS: Record<CarrierId, (out: Outbound) => Carrier> = { simulator, http };

/** The adapter of a carrier, or null when no carrier has this id; `out` is its only way to the carrier. */
export function carrierOf(id: string, out: Outbound): Carrier | null {
  const known = CARRIER_IDS.find((carrier) => carrier === id);
  return known === undefined ? null : CARRIERS[known](out);
}
