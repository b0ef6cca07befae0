import { describe, expect, test } from "vitest";
import { assert, unreachable } from "../../src/core/assert.ts";

describe("an invariant that only a bug can break", () => {
  test("stops what breaks it, and says which it was", () => {
    expect(() => assert(true, "all is well")).not.toThrow();
    expect(() => assert(null, "a call has its task")).toThrow("bug: a call has its task");
    expect(() => unreachable("odd" as never)).toThrow("bug: unreachable value odd");
  });
});
