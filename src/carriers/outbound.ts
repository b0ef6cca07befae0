import { type OutboundRules, refusalOf } from "../core/outbound.ts";

/** The way out to addresses that users typed: no adapter has another. */
export type Outbound = {
  /** Why nothing is sent to an address, or null where it is. */
  check(text: string): string | null;
  /** Checks the address anew and follows no redirect: a 3xx is the carrier's own answer. */
  fetch(address: string, init?: RequestInit): Promise<Response>;
};

/** A request that did not leave, because of its address. */
export class AddressRefused extends Error {}

/** What a deployment says of its way out: where it is itself, and whom it lets through anyway. */
export type OutboundSettings = { PUBLIC_URL: string; OUTBOUND_ALLOW?: string };

/**
 * The way out of one deployment. `OUTBOUND_ALLOW` (`host:port` or `host:*`, separated by commas)
 * is for local runs: it counts only where the deployment itself is reached without TLS.
 */
export function outboundOf({ PUBLIC_URL, OUTBOUND_ALLOW = "" }: OutboundSettings): Outbound {
  const here = new URL(PUBLIC_URL);
  const listed = OUTBOUND_ALLOW.split(",").map((one) => one.trim().toLowerCase());
  const rules: OutboundRules = {
    own: [here.hostname],
    allow: here.protocol === "http:" ? listed.filter((one) => one !== "") : [],
  };
  const check = (text: string) => {
    if (!URL.canParse(text)) return "this is no address";
    return refusalOf(new URL(text), rules);
  };
  return {
    check,
    fetch: async (address, init = {}) => {
      const refusal = check(address);
      if (refusal !== null) throw new AddressRefused(`nothing is sent there: ${refusal}`);
      return fetch(address, { ...init, redirect: "manual" });
    },
  };
}
