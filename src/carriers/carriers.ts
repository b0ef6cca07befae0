import type { Carrier } from "./carrier.ts";
import { simulator } from "./simulator/simulator.ts";

/** Every carrier that a connection can name. */
export const CARRIER_IDS = ["simulator"] as const;
export type CarrierId = (typeof CARRIER_IDS)[number];

const CARRIERS: Record<CarrierId, Carrier> = { simulator };

/** The adapter of a carrier, or null when no carrier has this id. */
export function carrierOf(id: string): Carrier | null {
  const known = CARRIER_IDS.find((carrier) => carrier === id);
  return known === undefined ? null : CARRIERS[known];
}
