import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../faults/catalogue.ts";
import { withFault } from "../faults/fault.ts";

const ROOT = join(import.meta.dirname, "..", "..");

describe("the planted faults", () => {
  it.each(CATALOGUE.map((fault) => [fault.name, fault] as const))("still apply: %s", (_, fault) => {
    expect(() => withFault(ROOT, fault)).not.toThrow();
  });

  it("have names of their own, and are at least 50", () => {
    const names = new Set(CATALOGUE.map((fault) => fault.name));
    expect(names.size).toBe(CATALOGUE.length);
    expect(names.size).toBeGreaterThanOrEqual(50);
  });
});
