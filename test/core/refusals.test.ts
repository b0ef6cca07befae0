import { describe, expect, test } from "vitest";
import { refuse } from "../../src/core/result.ts";

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
