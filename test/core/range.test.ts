import { describe, expect, it } from "vitest";
import { rangeOf } from "../../src/core/range.ts";

/** A range as the bytes that it takes from a body. */
function taken(header: string, size: number): string | null {
  const body = "0123456789".slice(0, size);
  const range = rangeOf(header, size);
  if (range === null || range === "outside") return range;
  return body.slice(range.offset, range.offset + range.length);
}

describe("a range of bytes", () => {
  it("is the part that its header names, cut at the end", () => {
    expect(taken("bytes=0-0", 10)).toBe("0");
    expect(taken("bytes=2-4", 10)).toBe("234");
    expect(taken("bytes=7-", 10)).toBe("789");
    expect(taken("bytes=7-99", 10)).toBe("789");
    expect(taken("bytes=-3", 10)).toBe("789");
    expect(taken("bytes=-99", 10)).toBe("0123456789");
  });

  it("lies outside where nothing of the body is in it", () => {
    for (const header of ["bytes=10-", "bytes=10-12", "bytes=-0"]) {
      expect(taken(header, 10), header).toBe("outside");
    }
    expect(taken("bytes=0-", 0)).toBe("outside");
    expect(taken("bytes=-1", 0)).toBe("outside");
  });

  it("is none, and the whole is sent, where nobody can read it", () => {
    for (const header of ["", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,4-5", "lines=1-2"]) {
      expect(taken(header, 10), header).toBe(null);
    }
    expect(rangeOf(null, 10)).toBe(null);
  });
});
