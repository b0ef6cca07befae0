import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { PAGE_POLICY, SAFE_HEADERS } from "../../src/api/policy.ts";
import { ask, mintWorkspace, type Reply } from "../support/workerd/workspace.ts";

const DIRECTIVES = new Map(
  PAGE_POLICY.split("; ").map((one) => {
    const [name = "", ...sources] = one.split(" ");
    return [name, sources];
  }),
);

/** Replies of every kind: pages, data, refusals of each sort, and nothing at all. */
async function replies(): Promise<[string, Reply][]> {
  const workspace = await mintWorkspace();
  const routes: [string, boolean][] = [
    ["GET /docs", false],
    ["GET /openapi.json", false],
    ["GET /healthz", false],
    ["GET /v1/workspace", true],
    ["GET /v1/workspace", false],
    ["GET /v1/calls/cal_nope_1", true],
    ["GET /v1/calls/cal_nope_1/recording", true],
    ["POST /v1/keys", true],
    ["GET /v1/nowhere", true],
    ["OPTIONS /v1/tasks", false],
    ["GET /api/auth/get-session", false],
    ["POST /reports/con_a_1", false],
  ];
  return Promise.all(
    routes.map(
      async ([route, signed]): Promise<[string, Reply]> => [
        route,
        await (signed ? workspace.ask : ask)(route),
      ],
    ),
  );
}

describe("every reply", () => {
  it("has the headers that keep browsers safe", async () => {
    for (const [route, { headers }] of await replies()) {
      for (const [name, value] of Object.entries(SAFE_HEADERS)) {
        expect([route, name, headers.get(name)]).toEqual([route, name, value]);
      }
      expect(headers.get("content-security-policy"), route).toMatch(/frame-ancestors 'none'/);
    }
    const hsts = /^max-age=(\d+); includeSubDomains$/.exec(
      SAFE_HEADERS["strict-transport-security"] ?? "",
    );
    expect(Number(hsts?.[1])).toBeGreaterThanOrEqual(31_536_000);
  });

  it("is kept by no cache", async () => {
    for (const [route, { headers }] of await replies()) {
      expect([route, headers.get("cache-control")]).toEqual([route, "no-store"]);
    }
  });

  it("lets no other origin read it", async () => {
    const origin = "https://elsewhere.example";
    for (const route of ["GET /v1/workspace", "POST /v1/tasks", "OPTIONS /v1/tasks"]) {
      const headers = { origin, "access-control-request-method": "POST" };
      const reply = await ask(route, { headers });
      const cors = [...reply.headers.keys()].filter((name) => name.startsWith("access-control-"));
      expect([route, cors]).toEqual([route, []]);
      expect(reply.status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe("a page", () => {
  it("runs no inline script, and is in no frame", async () => {
    const page = await ask("GET /docs");
    expect(page.headers.get("content-security-policy")).toBe(PAGE_POLICY);
    expect(DIRECTIVES.get("default-src")).toEqual(["'self'"]);
    expect(DIRECTIVES.has("script-src")).toBe(false);
    for (const name of ["frame-ancestors", "object-src", "base-uri"]) {
      expect(DIRECTIVES.get(name)).toEqual(["'none'"]);
    }
    expect(PAGE_POLICY).not.toMatch(/unsafe-eval|https?:|\*/);
    expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|javascript:/i);
  });

  it("has assets with the same headers", async () => {
    const asset = await env.ASSETS.fetch("http://outdial.test/docs-assets/start.js");
    expect(asset.status).toBe(200);
    await asset.body?.cancel();
    for (const [name, value] of Object.entries(SAFE_HEADERS)) {
      expect([name, asset.headers.get(name)]).toEqual([name, value]);
    }
    expect(asset.headers.get("content-security-policy")).toBe(PAGE_POLICY);
  });
});
