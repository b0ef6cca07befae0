import * as z from "zod";
import { instant } from "./fields.ts";
import { setupOperations } from "./setup.ts";

const fields = {
  name: z.string().trim().min(1).max(200).nullable(),
  carrierNumberId: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .meta({ description: "The carrier's id of the number, where it wants one" }),
};
const fixed = {
  phone: z.string().max(40).meta({ description: "E.164; never changes" }),
  connection: z.string().meta({ description: "Its carrier connection; never changes" }),
};

export const NumberBody = z
  .object({
    ...fixed,
    name: fields.name.optional(),
    carrierNumberId: fields.carrierNumberId.optional(),
  })
  .meta({ id: "NumberBody" });
export const NumberEdit = z
  .object({ ...fields, ...fixed })
  .partial()
  .meta({ id: "NumberEdit" });

export const CallingNumber = z
  .object({ id: z.string(), ...fixed, ...fields, createdAt: instant("Created") })
  .meta({ id: "CallingNumber" });

const example = {
  id: "num_k3v9q2m8xa_h5c8r3t6yb",
  phone: "+918047112233",
  connection: "con_k3v9q2m8xa_u4n9e2s7qd",
  name: "Sales",
  carrierNumberId: null,
  createdAt: 1_764_576_000_000,
};

const operations = setupOperations({
  noun: "number",
  article: "a",
  tag: "Numbers",
  body: NumberBody,
  edit: NumberEdit,
  doc: CallingNumber,
  example,
  create: {
    description: "A number to call from. The same number may be there on another connection too.",
    example: { phone: example.phone, connection: example.connection, name: example.name },
  },
  change: {
    description: "Its name and the carrier's id; phone and connection never change.",
    example: { name: "Sales north" },
  },
  remove: "A 409 that names what uses it, while a live campaign or call does.",
});

export const numberOperations = {
  "POST /v1/numbers": operations.create,
  "GET /v1/numbers": operations.list,
  "GET /v1/numbers/{id}": operations.read,
  "PATCH /v1/numbers/{id}": operations.edit,
  "DELETE /v1/numbers/{id}": operations.remove,
};
