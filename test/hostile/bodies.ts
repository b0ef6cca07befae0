import * as fc from "fast-check";
import { oddText } from "./runs.ts";

export type Json = Record<string, unknown>;
/** Values that exist, by the name of the field or parameter that asks for one. */
export type Known = Record<string, string[]>;

/** Stand in a body for what no value of JavaScript becomes when it is written as JSON. */
const WRITTEN: Record<string, string> = {
  "@too large a number@": "1e999",
  "@deep@": `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  "@deep object@": `${'{"a":'.repeat(15_000)}1${"}".repeat(15_000)}`,
  "@repeated key@": '{"name":1,"name":"x"}',
};

/** A value that no schema asks for. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      null,
      true,
      -1,
      0,
      1.5,
      1e308,
      2 ** 53,
      -(2 ** 63),
      "1",
      [],
      {},
      [null],
      [[]],
    ),
  },
  { weight: 2, arbitrary: oddText },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(WRITTEN)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "x".repeat(20_000),
      "0".repeat(300),
      Array(1_001).fill(0),
      "é".repeat(5_000),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(oddText, fc.jsonValue({ maxDepth: 1 })).map(([key, value]) =>
      Object.fromEntries([
        ["__proto__", value],
        [key, value],
      ]),
    ),
  },
);

/** Values of a JSON schema, as its description reads; `named` follows references. */
export function valid(
  schema: Json,
  name: string,
  known: Known,
  document: Json,
): fc.Arbitrary<unknown> {
  const own = Object.hasOwn(known, name) ? (known[name] ?? []) : [];
  const described = ofSchema(schema, known, document);
  if (own.length === 0) return described;
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...own) },
    { weight: 1, arbitrary: described },
  );
}

function ofSchema(schema: Json, known: Known, document: Json): fc.Arbitrary<unknown> {
  const { $ref, type, anyOf, minimum, maximum, minItems, maxItems, minLength, maxLength } =
    schema as {
      $ref?: string;
      type?: string | string[];
      anyOf?: Json[];
      minimum?: number;
      maximum?: number;
      minItems?: number;
      maxItems?: number;
      minLength?: number;
      maxLength?: number;
    };
  if ($ref !== undefined) return ofSchema(resolve($ref, document), known, document);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  if ("const" in schema) return fc.constant(schema.const);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => ofSchema(one, known, document)));
  if (Array.isArray(type)) {
    return fc.oneof(...type.map((one) => ofSchema({ ...schema, type: one }, known, document)));
  }
  switch (type) {
    case "string":
      return fc.string({
        unit: "grapheme",
        minLength: minLength ?? 0,
        maxLength: Math.min(maxLength ?? 20, 40),
      });
    case "integer":
      return fc.integer({
        min: Math.max(minimum ?? 0, -(2 ** 31)),
        max: Math.min(maximum ?? 2 ** 31, 2 ** 31 - 1),
      });
    case "number":
      return fc.double({ min: minimum ?? 0, max: maximum ?? 1e6, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(ofSchema((schema.items ?? {}) as Json, known, document), {
        minLength: minItems ?? 0,
        maxLength: Math.min(maxItems ?? 4, Math.max(minItems ?? 0, 4)),
      });
    case "object":
      return object(schema, known, document);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function object(schema: Json, known: Known, document: Json): fc.Arbitrary<unknown> {
  const { properties, required = [] } = schema as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  if (properties === undefined)
    return fc.dictionary(oddText, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
  const fields = Object.entries(properties).map(
    ([name, one]) => [name, valid(one, name, known, document)] as const,
  );
  return fc.record(Object.fromEntries(fields), { requiredKeys: required });
}

function resolve(ref: string, document: Json): Json {
  const path = ref.slice(2).split("/");
  return path.reduce<unknown>((at, key) => (at as Json)[key], document) as Json;
}

/** A body that is nearly what it should be: some fields odd, some missing, some of nobody's. */
export function nearly(body: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const changes = fc.array(
    fc.record({
      at: fc.nat(1_000),
      what: fc.constantFrom("odd", "odd", "gone", "more", "listed", "text"),
      value: odd,
      name: oddText,
    }),
    { maxLength: 3 },
  );
  return fc.tuple(body, changes).map(([whole, some]) => {
    if (typeof whole !== "object" || whole === null || Array.isArray(whole)) return whole;
    let fields = Object.entries(whole);
    for (const { at, what, value, name } of some) {
      const index = fields.length === 0 ? -1 : at % fields.length;
      if (what === "gone") fields = fields.filter((_, n) => n !== index);
      else if (what === "more") fields = [...fields, [name, value]];
      else {
        fields = fields.map(([key, old], n) => {
          if (n !== index) return [key, old];
          if (what === "odd") return [key, value];
          return [key, what === "listed" ? [old] : String(JSON.stringify(old))];
        });
      }
    }
    return Object.fromEntries(fields);
  });
}

/** A body as its JSON, whole. */
export function textOf(body: unknown): string {
  const text = JSON.stringify(body) ?? "";
  return text.replaceAll(/"(@[a-z ]+@)"/g, (whole, sign: string) => WRITTEN[sign] ?? whole);
}

/** What goes over the wire: mostly JSON, sometimes cut short or no JSON at all. */
export function wire(body: fc.Arbitrary<unknown>): fc.Arbitrary<string | Uint8Array> {
  const whole = fc
    .oneof({ weight: 6, arbitrary: nearly(body) }, { weight: 1, arbitrary: odd })
    .map(textOf);
  return fc.oneof(
    { weight: 8, arbitrary: whole },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat(100)).map(([text, at]) => text.slice(0, at)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  );
}

/** Content types that fit and that do not. */
export const contentType = fc.constantFrom(
  "application/json",
  "application/json",
  "application/json; charset=utf-16",
  "text/csv",
  "text/plain",
  "multipart/form-data",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "",
  ";;;",
);
