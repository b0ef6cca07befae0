import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { makeApp } from "../../src/api/app.ts";
import type { Operation } from "../../src/contract/operation.ts";
import { OPERATIONS } from "../../src/contract/operations.ts";
import { ask, type Json } from "../support/workerd/workspace.ts";

const operations = Object.entries<Operation>(OPERATIONS);

describe("every route is described", () => {
  it("has an operation for each route of the app, and a route for each operation", () => {
    const routes = makeApp()
      // Sign-in describes its own routes.
      .routes.filter((route) => route.method !== "ALL" && route.path !== "/api/auth/*")
      .map(({ method, path }) => `${method} ${path.replace(/(.)\/$/, "$1")}`);
    const described = operations.map(([route]) => route.replaceAll(/\{(\w+)\}/g, ":$1"));
    expect(new Set(routes)).toEqual(new Set(described));
  });

  it("has the routes of the product, by name", () => {
    expect(Object.keys(OPERATIONS)).toEqual(
      expect.arrayContaining(["GET /healthz", "POST /v1/tasks", "POST /routes/v1/tasks"]),
    );
  });

  it.each(operations)("%s has a summary, a description and an id of its own", (_route, one) => {
    expect(one.summary).not.toBe("");
    expect(one.description.length).toBeGreaterThan(10);
    expect(operations.filter(([, other]) => other.id === one.id)).toHaveLength(1);
  });

  it.each(operations)("%s has examples that its schemas take", async (route, one) => {
    const document = (await ask("GET /openapi.json")).json as Document;
    const [method = "", path = ""] = route.split(" ");
    const described = document.paths[path]?.[method.toLowerCase()];
    expect(described).toBeDefined();
    for (const { schema, example } of jsonBodies(described)) {
      const check = z.fromJSONSchema(resolved(schema, document) as never);
      const parsed = check.safeParse(example);
      expect(parsed.error?.issues ?? []).toEqual([]);
    }
    if (one.body !== undefined)
      expect(one.body.schema.safeParse(one.body.example).success).toBe(true);
    if ("schema" in one.reply) {
      expect(one.reply.schema.safeParse(one.reply.example).error).toBeUndefined();
    }
  });
});

describe("the description", () => {
  it("is OpenAPI 3.1 whose references all point to something", async () => {
    const { json, text } = await ask("GET /openapi.json");
    expect(json.openapi).toBe("3.1.0");
    const named = Object.keys((json.components as { schemas: Json }).schemas);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(named).toContain(name);
    }
  });

  it("has a page for people whose assets all come from here", async () => {
    const page = await ask("GET /docs");
    expect(page.status).toBe(200);
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source);
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) expect(source).toMatch(/^\/[a-z]/);
    expect(page.text).not.toMatch(/<script>|<script [^>]*>[^<]/);
    for (const source of sources.filter((one) => one?.startsWith("/docs-assets/"))) {
      const asset = await env.ASSETS.fetch(`http://outdial.test${source}`);
      expect(asset.status, source).toBe(200);
      await asset.body?.cancel();
    }
  });
});

type Content = Record<string, { schema: unknown; example?: unknown }>;
type Described = {
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
};
type Document = { paths: Record<string, Record<string, Described>>; components: { schemas: Json } };

function jsonBodies(described: Described | undefined) {
  const contents = [
    described?.requestBody?.content,
    ...Object.values(described?.responses ?? {}).map((response) => response.content),
  ];
  return contents
    .flatMap((content) => content?.["application/json"] ?? [])
    .filter((body) => body.example !== undefined);
}

/** The schema with every reference replaced by what it names. */
function resolved(schema: unknown, document: Document): unknown {
  if (Array.isArray(schema)) return schema.map((entry) => resolved(entry, document));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref } = schema as { $ref?: string };
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1) ?? "";
    return resolved(document.components.schemas[name], document);
  }
  const entries = Object.entries(schema).map(([key, value]) => [key, resolved(value, document)]);
  return Object.fromEntries(entries);
}
