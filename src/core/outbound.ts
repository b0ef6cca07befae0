import ipaddr from "ipaddr.js";

/** An address as the platform's URL parser reads it: every spelling of a number is one by then. */
export type Address = {
  protocol: string;
  username: string;
  password: string;
  hostname: string;
  port: string;
};

/** What a deployment takes of the addresses that users type. */
export type OutboundRules = {
  /** Names under which the deployment itself is reached. */
  own: readonly string[];
  /** `host:port`, or `host:*`: let through whatever they are. Empty wherever people call for real. */
  allow: readonly string[];
};

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "https:": "443", "http:": "80" };
/** Those of https and its usual stand-in; every other port belongs to something else. */
const PORTS = ["443", "8443"];
/** Ends of names that mean something inside of a network only, or nothing at all. */
const INNER_NAMES = [
  ...["localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "lan"],
  ...["home", "arpa", "onion", "test", "example", "invalid", "alt"],
];
/** Of a public range, but answered by the machine's own host. */
const HOST_ADDRESSES = ["168.63.129.16"];

/**
 * Why outdial sends nothing to an address that a user typed, or null where it does: only https, to
 * a name or number of the public internet, and never to the deployment itself.
 */
export function refusalOf(address: Address, rules: OutboundRules): string | null {
  const { protocol, username, password } = address;
  if (username !== "" || password !== "") return "no name or password belongs in it";
  const host = hostOf(address.hostname);
  const port = address.port === "" ? (DEFAULT_PORTS[protocol] ?? "") : address.port;
  const web = protocol === "https:" || protocol === "http:";
  if (web && rules.allow.some((one) => one === `${host}:${port}` || one === `${host}:*`)) {
    return null;
  }
  if (protocol !== "https:") return "only https is taken";
  if (!PORTS.includes(port)) return `only the ports ${PORTS.join(" and ")} are taken`;
  return ipaddr.isValid(host) ? numberRefusal(host) : nameRefusal(host, rules.own);
}

/** Without brackets, and without the dots at the end that make a name absolute. */
function hostOf(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.+$/, "");
}

function numberRefusal(host: string): string | null {
  const refusal = "only addresses of the public internet are taken";
  const address = ipaddr.parse(host);
  if (address.range() !== "unicast" || HOST_ADDRESSES.includes(address.toString())) return refusal;
  // All that was ever given out; the rest wraps IPv4 addresses, or is nobody's.
  const global = address.kind() === "ipv4" || (address.toByteArray()[0] ?? 0) >> 5 === 1;
  return global ? null : refusal;
}

function nameRefusal(host: string, own: readonly string[]): string | null {
  const labels = host.split(".");
  const last = labels.at(-1) ?? "";
  if (labels.length < 2 || labels.includes("") || INNER_NAMES.includes(last)) {
    return "only names of the public internet are taken";
  }
  // A last part that begins with a digit is a number in some spelling that nobody should read.
  if (/^\d/.test(last)) return "only names of the public internet are taken";
  const ours = own.map(hostOf).some((name) => {
    // A preview of a deployment is reached at `<version>-<name>`.
    return host === name || host.endsWith(`.${name}`) || host.endsWith(`-${name}`);
  });
  return ours ? "this is the deployment itself" : null;
}
