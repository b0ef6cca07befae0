import { bland } from "./bland.ts";
import type { Carrier } from "./carrier.ts";
import { elevenlabs } from "./elevenlabs.ts";
import { hooman } from "./hooman.ts";
import { http } from "./http.ts";
import type { Outbound } from "./outbound.ts";
import { retell } from "./retell.ts";
import { simulator } from "./simulator/simulator.ts";
import { twilio } from "./twilio.ts";
import { vapi } from "./vapi.ts";

/** Every carrier that a connection can name. */
export const CARRIER_IDS = [
  "simulator",
  "http",
  "retell",
  "vapi",
  "bland",
  "elevenlabs",
  "twilio",
  "hooman",
] as const;
export type CarrierId = (typeof CARRIER_IDS)[number];

const CARRIERS: Record<CarrierId, (out: Outbound) => Carrier> = {
  simulator,
  http,
  retell,
  vapi,
  bland,
  elevenlabs,
  twilio,
  hooman,
};

/** The adapter of a carrier, or null when no carrier has this id; `out` is its only way to the carrier. */
export function carrierOf(id: string, out: Outbound): Carrier | null {
  const known = CARRIER_IDS.find((carrier) => carrier === id);
  return known === undefined ? null : CARRIERS[known](out);
}

/** Calls a second that a carrier's account takes where nobody says more; the simulator takes any. */
export function paceOf(id: string): number | null {
  if (id === "simulator") return null;
  return id === "twilio" ? 1 : 5;
}
