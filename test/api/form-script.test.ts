import { describe, expect, it } from "vitest";
import { ask } from "../support/workerd/workspace.ts";

const BYTES_MAX = 5 * 1024;

describe("the script of forms", () => {
  it("has at most 5 kB compressed, imports nothing, and may be loaded by pages of other origins", async () => {
    const reply = await ask("GET /form.js");
    expect(reply.status, "npm run build makes it").toBe(200);
    expect(reply.headers.get("content-type")).toContain("text/javascript");
    expect(reply.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(reply.headers.get("cache-control")).toBe("public, max-age=3600");
    const zipped = new Response(reply.text).body?.pipeThrough(new CompressionStream("gzip"));
    const { byteLength } = await new Response(zipped ?? null).arrayBuffer();
    expect(byteLength).toBeGreaterThan(500);
    expect(byteLength).toBeLessThanOrEqual(BYTES_MAX);
    expect(reply.text).not.toMatch(/\bimport\b|require\(|eval\(/);
  });
});
