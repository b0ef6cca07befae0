import * as z from "zod";
import { idParam, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

type Noun<B extends z.ZodType, E extends z.ZodType, D extends z.ZodType> = {
  /** `agent`; its path is the plural. */
  noun: string;
  article: string;
  tag: string;
  body: B;
  edit: E;
  doc: D;
  example: { id: string };
  create: { description: string; example: unknown };
  change: { description: string; example: unknown };
  remove: string;
};

/** Reads, changes and deletes that agents, numbers and connections have in common. */
export function setupOperations<B extends z.ZodType, E extends z.ZodType, D extends z.ZodType>(
  one: Noun<B, E, D>,
) {
  const name = `${one.noun[0]?.toUpperCase()}${one.noun.slice(1)}`;
  const params = idParam(one.noun, one.example.id);
  const whole = { schema: one.doc, example: one.example };
  return {
    create: operation({
      id: `create${name}`,
      tag: one.tag,
      summary: `Create ${one.article} ${one.noun}`,
      description: one.create.description,
      access: "set_up",
      body: { schema: one.body, bytesMax: SETUP_BYTES_MAX, example: one.create.example },
      reply: { status: 201, description: `The new ${one.noun}`, ...whole },
      refusals: ["invalid", "conflict"],
    }),
    list: operation({
      id: `list${name}s`,
      tag: one.tag,
      summary: `List ${one.noun}s`,
      description: "All of the workspace, by id.",
      access: "see",
      query: z.object(pageQuery),
      reply: {
        status: 200,
        description: "One page",
        schema: pageOf(one.doc),
        example: { items: [one.example], nextCursor: null },
      },
      refusals: ["invalid"],
    }),
    read: operation({
      id: `read${name}`,
      tag: one.tag,
      summary: `Read ${one.article} ${one.noun}`,
      description: `One ${one.noun} of the workspace.`,
      access: "see",
      params,
      reply: { status: 200, description: `The ${one.noun}`, ...whole },
      refusals: ["not_found"],
    }),
    edit: operation({
      id: `edit${name}`,
      tag: one.tag,
      summary: `Edit ${one.article} ${one.noun}`,
      description: one.change.description,
      access: "set_up",
      params,
      body: { schema: one.edit, bytesMax: SETUP_BYTES_MAX, example: one.change.example },
      reply: { status: 200, description: `The ${one.noun} after the edit`, ...whole },
      refusals: ["not_found", "invalid", "conflict"],
    }),
    remove: operation({
      id: `delete${name}`,
      tag: one.tag,
      summary: `Delete ${one.article} ${one.noun}`,
      description: one.remove,
      access: "set_up",
      params,
      reply: { status: 204, description: "Deleted" },
      refusals: ["not_found", "in_use"],
    }),
  };
}
