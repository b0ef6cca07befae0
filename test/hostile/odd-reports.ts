import * as fc from "fast-check";
import { type Reporter, written } from "./adapters.ts";
import { oddText } from "./runs.ts";

/** What a field of a report can be instead of what it should be. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    0,
    1.5,
    1e21,
    1e308,
    -1e308,
    2 ** 53,
    8.64e15,
    8.65e15,
    Date.UTC(2500, 0, 1),
    1_764_576_000,
    "1764576000000",
    "x".repeat(3_000),
  ),
  oddText,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    "busy_callback",
    "no_answer",
    "voicemail",
    "not_interested",
    "capacity",
    "invalid_number",
  ),
);

/** A good report with some fields put out of order, also in what is inside them. */
export function oddReport(reporter: Reporter, call: string): fc.Arbitrary<unknown> {
  const known = reporter.fields(reporter.report(call));
  return fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(known)), oddValue), { maxLength: 4 }),
      fc.array(
        fc.tuple(fc.constantFrom("outcome", "callbackAt", "summary", "__proto__"), oddValue),
        { maxLength: 2 },
      ),
    )
    .map(([fields, analysis]) => {
      const report = structuredClone(reporter.report(call));
      const own = reporter.fields(report);
      for (const [key, value] of fields) own[key] = value;
      if (analysis.length > 0) own.analysis = Object.fromEntries(analysis);
      return report;
    });
}

/** The text of a report, or of anything else, whole or damaged. */
export function oddBody(reporter: Reporter, call: string): fc.Arbitrary<string> {
  const whole = oddReport(reporter, call).map((report) => written(reporter, report));
  const damaged = fc
    .tuple(whole, fc.nat(2_000), fc.nat(20), oddText)
    .map(([text, at, length, odd]) => text.slice(0, at) + odd + text.slice(at + length));
  return fc.oneof(whole, damaged, fc.json(), oddText);
}
