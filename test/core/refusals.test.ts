import { describe, expect, test } from "vitest";
import { refuse } from "../../src/core/result.ts";
import { covers } from "../../src/core/scope.ts";

describe("a refusal", () => {
  test("H38 says why, and carries issues where a body is at fault", () => {
    const issues = [{ path: "phone", expected: "a number", got: "nothing" }];
    expect(refuse("conflict", "Too late.")).toEqual({
      ok: false,
      code: "conflict",
      message: "Too late.",
    });
    expect(refuse("conflict", "Too late.")).not.toHaveProperty("issues");
    expect(refuse("invalid", "No.", issues)).toEqual({
      ok: false,
      code: "invalid",
      message: "No.",
      issues,
    });
  });
});

describe("the scopes of a key", () => {
  test("cover what they name, and the star covers everything", () => {
    for (const needed of ["*", "read", "write"] as const) {
      expect(covers(["*"], needed)).toBe(true);
      expect(covers([], needed)).toBe(false);
      expect(covers(["read"], needed)).toBe(needed === "read");
      expect(covers(["write", "read"], needed)).toBe(needed !== "*");
    }
  });
});
