import { describe, expect, it } from "vitest";
import { CARRIER_IDS, carrierOf } from "../../src/carriers/carriers.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { CARRIERS } from "../../src/dashboard/carriers.ts";

const OUT = outboundOf({ OUTBOUND_ALLOW: "", PUBLIC_URL: "https://outdial.example.com" });

/** The dashboard imports no adapter: its forms are held to what the adapters ask for here. */
describe("forms of connections", () => {
  it("are there for every carrier", () => {
    expect(CARRIERS.map(({ id }) => id).sort()).toEqual([...CARRIER_IDS].sort());
  });

  it.each(CARRIERS)(
    "of $id ask for what the adapter wants, and hide what it keeps secret",
    (form) => {
      const carrier = carrierOf(form.id, OUT);
      const asked = form.fields.filter(({ required }) => required).map(({ name }) => name);
      const wanted = carrier?.check({}).map(({ path }) => path) ?? [];
      expect(asked.sort()).toEqual(wanted.sort());
      for (const { name, secret, choices = [] } of form.fields) {
        expect([name, carrier?.open.includes(name)]).toEqual([name, !secret]);
        for (const choice of choices) {
          const issues = carrier?.check({ [name]: choice }).map(({ path }) => path);
          expect([choice, issues?.includes(name)]).toEqual([choice, false]);
        }
      }
      const odd = Object.fromEntries(form.fields.map(({ name }) => [name, 7]));
      const unknown = carrier?.check(odd).filter(({ got }) => got === "another name");
      expect(unknown).toEqual([]);
    },
  );
});
