import * as z from "zod";
import { operation } from "./operation.ts";

export const systemOperations = {
  "GET /healthz": operation({
    id: "readHealth",
    tag: "System",
    summary: "Whether outdial works",
    description: "200 when D1 and one object answer, else 503.",
    access: "open",
    reply: {
      status: 200,
      description: "Both answer",
      schema: z.object({ status: z.literal("ok") }),
      example: { status: "ok" },
    },
    refusals: ["unavailable"],
  }),
  "GET /openapi.json": operation({
    id: "readOpenApi",
    tag: "System",
    summary: "This description",
    description: "OpenAPI 3.1, made from the schemas that requests are checked with.",
    access: "open",
    reply: {
      status: 200,
      description: "OpenAPI 3.1",
      raw: { contentType: "application/json", description: "The document" },
    },
    refusals: [],
  }),
  "GET /docs": operation({
    id: "readDocs",
    tag: "System",
    summary: "This description, for people",
    description: "A page that shows every operation and can try it.",
    access: "open",
    reply: {
      status: 200,
      description: "The page",
      raw: { contentType: "text/html", description: "Loads nothing from elsewhere" },
    },
    refusals: [],
  }),
};
