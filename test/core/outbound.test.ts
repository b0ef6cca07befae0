import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { type OutboundRules, refusalOf } from "../../src/core/outbound.ts";

const RULES: OutboundRules = { own: ["outdial.acme.workers.dev"], allow: [] };
/** As the adapters ask: the platform's parser first. What it cannot read is refused as well. */
const refused = (text: string, rules = RULES) =>
  !URL.canParse(text) || refusalOf(new URL(text), rules) !== null;

/** Spellings of an IPv4 address that parsers take. */
function spellings(bytes: readonly number[]): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const octal = (n: number) => `0${n.toString(8)}`;
  const wide = (text: string) =>
    text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
  const dotted = bytes.join(".");
  const [high, low] = [(a << 8) | b, (c << 8) | d].map((half) => half.toString(16));
  return [
    dotted,
    `${dotted}.`,
    String(whole),
    hex(whole),
    octal(whole),
    bytes.map(hex).join("."),
    bytes.map(octal).join("."),
    bytes.map((byte) => `0${octal(byte)}`).join("."),
    `${a}.${hex(b)}.${octal(c)}.${d}`,
    `${a}.${(b << 16) | (c << 8) | d}`,
    `${a}.${b}.${(c << 8) | d}`,
    wide(dotted),
    dotted.replaceAll(".", "。"),
    `%3${dotted[0]}${dotted.slice(1)}`,
  ].concat(
    [
      `::ffff:${dotted}`,
      `::ffff:${high}:${low}`,
      `0:0:0:0:0:ffff:${high}:${low}`,
      `::ffff:0:${dotted}`,
      `::${dotted}`,
      `64:ff9b::${dotted}`,
      `64:ff9b:1::${dotted}`,
      `2002:${high}:${low}::1`,
      `2001:0:${high}:${low}::1`,
    ].map((six) => `[${six}]`),
  );
}

/** One address of each range that is not the public internet, and its first and last one. */
const INNER = [
  ["this network", "0.0.0.0/8"],
  ["private", "10.0.0.0/8"],
  ["carrier-grade NAT", "100.64.0.0/10"],
  ["loopback", "127.0.0.0/8"],
  ["link-local, with the clouds' metadata", "169.254.0.0/16"],
  ["private", "172.16.0.0/12"],
  ["protocol assignments", "192.0.0.0/24"],
  ["documentation", "192.0.2.0/24"],
  ["6to4 relays", "192.88.99.0/24"],
  ["private", "192.168.0.0/16"],
  ["benchmarking", "198.18.0.0/15"],
  ["documentation", "198.51.100.0/24"],
  ["documentation", "203.0.113.0/24"],
  ["multicast", "224.0.0.0/4"],
  ["reserved", "240.0.0.0/4"],
] as const;

const INNER_SIX = [
  ...["::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fdff::1"],
  ...["ff02::1", "100::1", "100:0:0:1::1", "2001:db8::1", "3fff::1", "5f00::1", "2001:2::1"],
  ...["2001:10::1", "2001:20::1", "4000::1", "8000::1", "::7f00:1", "64:ff9b::808:808"],
];

describe("an address that a user typed", () => {
  it.each(INNER)("is refused in every spelling: %s, %s", (_what, range) => {
    const [net, bits] = ipaddr.IPv4.parseCIDR(range);
    const first = ipaddr.IPv4.networkAddressFromCIDR(range).octets;
    const last = ipaddr.IPv4.broadcastAddressFromCIDR(range).octets;
    expect(net.octets).toEqual(first);
    const mask = ipaddr.IPv4.subnetMaskFromPrefixLength(bits).octets;
    const any = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    const check = (bytes: readonly number[]) => {
      for (const host of spellings(bytes)) {
        expect(refused(`https://${host}/`), host).toBe(true);
        expect(refused(`https://${host}:8443/x`), host).toBe(true);
      }
    };
    check(first);
    check(last);
    fc.assert(
      fc.property(any, (drawn) => {
        check(first.map((byte, n) => byte | ((drawn[n] ?? 0) & ~(mask[n] ?? 0) & 255)));
      }),
      { numRuns: 40 },
    );
  });

  it.each(INNER_SIX)("is refused: [%s]", (host) => {
    expect(refused(`https://[${host}]/`)).toBe(true);
    expect(refused(`https://[${ipaddr.parse(host).toNormalizedString()}]/`)).toBe(true);
  });

  it("is taken when its number is a public one, in every spelling of that number alone", () => {
    const any = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(any, (bytes) => {
        const address = ipaddr.fromByteArray(bytes);
        fc.pre(address.range() === "unicast" && address.toString() !== "168.63.129.16");
        expect(refused(`https://${bytes.join(".")}/v1`)).toBe(false);
        // Wrapped into IPv6 it is nobody's business to unwrap.
        for (const host of spellings(bytes).filter((one) => one.startsWith("["))) {
          expect(refused(`https://${host}/`), host).toBe(true);
        }
      }),
    );
    for (const host of ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"]) {
      expect(refused(`https://[${host}]/`)).toBe(false);
    }
  });

  it.each([
    ...["localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "printer"],
    ...["metadata.google.internal", "metadata.google.internal.", "x.INTERNAL", "nas.local"],
    ...["router.lan", "ldap.corp", "x.home.arpa", "1.0.0.127.in-addr.arpa", "x.onion"],
    ...["carrier.test", "carrier.example", "carrier.invalid", "a..b.com", "168.63.129.16"],
    ...["1.2.3.4.5", "a.1", "a.1.0x7f"],
  ])("is refused when its name means something inside only: %s", (host) => {
    expect(refused(`https://${host}/`)).toBe(true);
  });

  it("is refused when it is the deployment itself, whatever stands around its name", () => {
    const own = "outdial.acme.workers.dev";
    const around = [own, `${own}.`, `${own}..`, own.toUpperCase(), `x.${own}`, `4f2a9c1e-${own}`];
    for (const host of around) expect(refused(`https://${host}/`), host).toBe(true);
    for (const host of ["acme.workers.dev", "other.acme.workers.dev", "outdial.com"]) {
      expect(refused(`https://${host}/`), host).toBe(false);
    }
  });

  it("is refused with another scheme, a name in it, or a port of something else", () => {
    const host = "api.carrier.com";
    expect(refused(`https://${host}`)).toBe(false);
    expect(refused(`https://${host}:443/v1`)).toBe(false);
    expect(refused(`https://${host}.:8443`)).toBe(false);
    for (const scheme of ["http", "ws", "wss", "ftp", "file", "data", "javascript", "blob"]) {
      expect(refused(`${scheme}://${host}/`), scheme).toBe(true);
    }
    for (const user of ["a@", "a:b@", ":b@", "api.carrier.com:443@"]) {
      expect(refused(`https://${user}${host}/`), user).toBe(true);
    }
    const ports = fc.integer({ min: 0, max: 65_535 }).filter((n) => n !== 443 && n !== 8443);
    fc.assert(fc.property(ports, (port) => refused(`https://${host}:${port}/`)));
  });

  it("never throws, and never takes what the parser read as an inner number", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["https", "http"] }), fc.string(), (url, tail) => {
        for (const text of [url, url + tail, `https://${tail}/`]) {
          if (!URL.canParse(text) || refused(text)) continue;
          const host = new URL(text).hostname.replace(/^\[|\]$/g, "");
          expect(!ipaddr.isValid(host) || ipaddr.parse(host).range() === "unicast").toBe(true);
        }
      }),
    );
  });
});

describe("the list of those let through", () => {
  const local: OutboundRules = { own: ["127.0.0.1"], allow: ["127.0.0.1:8788", "localhost:*"] };

  it("names host and port, and takes http as well", () => {
    for (const text of [
      "http://127.0.0.1:8788",
      "https://127.0.0.1:8788/x",
      "http://2130706433:8788",
    ]) {
      expect(refused(text, local), text).toBe(false);
    }
    for (const port of ["", ":8787", ":80"]) {
      expect(refused(`http://127.0.0.1${port}/`, local), port).toBe(true);
    }
    for (const port of ["", ":1", ":65535"]) {
      expect(refused(`http://localhost${port}/`, local), port).toBe(false);
    }
  });

  it("lets through nobody else, and nothing with a password in it", () => {
    for (const text of [
      "http://127.0.0.2:8788",
      "http://a:b@127.0.0.1:8788",
      "ftp://localhost:21",
      "http://x.localhost:80",
    ]) {
      expect(refused(text, local), text).toBe(true);
    }
  });
});

describe("the reason", () => {
  const reason = (text: string, rules = RULES) => refusalOf(new URL(text), rules);

  it("says what is wrong", () => {
    expect(reason("https://a:b@carrier.com/")).toBe("no name or password belongs in it");
    expect(reason("http://carrier.com/")).toBe("only https is taken");
    expect(reason("http://carrier.com:443/")).toBe("only https is taken");
    expect(reason("ftp://carrier.com/")).toBe("only https is taken");
    expect(reason("https://carrier.com:22/")).toBe("only the ports 443 and 8443 are taken");
    expect(reason("https://10.0.0.1/")).toBe("only addresses of the public internet are taken");
    expect(reason("https://carrier/")).toBe("only names of the public internet are taken");
    expect(reason("https://outdial.acme.workers.dev/")).toBe("this is the deployment itself");
    expect(reason("https://carrier.com:8443/")).toBe(null);
  });

  it("is one for each name that means something inside only", () => {
    for (const end of [
      ...["localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "lan"],
      ...["home", "arpa", "onion", "test", "example", "invalid", "alt"],
    ]) {
      expect([end, reason(`https://carrier.${end}/`)]).toEqual([
        end,
        "only names of the public internet are taken",
      ]);
    }
    expect(reason("https://carrier.co1/")).toBe(null);
    const raw = { protocol: "https:", username: "", password: "", port: "" };
    for (const hostname of ["carrier.com...", "[::ffff:10.0.0.1]", "10.0.0.1..", "a..com"]) {
      const refusal = refusalOf({ ...raw, hostname }, RULES);
      expect([hostname, refusal === null]).toEqual([hostname, hostname === "carrier.com..."]);
    }
    // As no parser leaves it: a last part that begins with a digit.
    expect(refusalOf({ ...raw, hostname: "carrier.0x7f" }, RULES)).toMatch(/names/);
  });

  it("is the deployment's for each of its names", () => {
    const rules = { own: ["calls.acme.com", "Outdial.acme.workers.dev."], allow: [] };
    for (const name of ["calls.acme.com", "outdial.acme.workers.dev", "v1-calls.acme.com"]) {
      expect(reason(`https://${name}/`, rules)).toBe("this is the deployment itself");
    }
    expect(reason("https://acme.com/", rules)).toBe(null);
  });

  it("is none for what is let through, on its port alone", () => {
    const rules = { own: [], allow: ["127.0.0.1:80", "receiver.test:443", "box.lan:*"] };
    for (const text of [
      ...["http://127.0.0.1/", "https://receiver.test/", "http://box.lan:1234/"],
      "https://box.lan/",
    ]) {
      expect([text, reason(text, rules)]).toEqual([text, null]);
    }
    expect(reason("http://127.0.0.1:81/", rules)).not.toBe(null);
    expect(reason("http://receiver.test/", rules)).not.toBe(null);
    expect(reason("ftp://box.lan/", rules)).not.toBe(null);
  });
});
