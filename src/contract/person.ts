import * as z from "zod";
import { MAY, PERMISSIONS, type Permission, ROLES } from "../core/access.ts";
import { idParam, instant, instantOrNull, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

/** What a role has only by grant. */
export const GRANTS: readonly Permission[] = PERMISSIONS.filter((permission) =>
  Object.values(MAY[permission]).includes("grant"),
);

export const email = z
  .email()
  .max(200)
  .transform((text) => text.toLowerCase())
  .meta({ description: "Email address", examples: ["maya@example.com"] });
export const personName = z.string().trim().min(1).max(100);
export const password = z
  .string()
  .meta({ description: `${PASSWORD_MIN} to ${PASSWORD_MAX} characters, and no common one` });
export const role = z.enum(ROLES);
export const grants = z.array(z.enum(GRANTS)).max(GRANTS.length).meta({
  description:
    "What a viewer may beside the role: `see_personal` shows full numbers, recordings and transcripts",
});

export const Me = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    secondFactor: z.boolean().meta({ description: "Whether a second factor is asked for" }),
    workspaces: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        role,
        permissions: z
          .array(z.enum(PERMISSIONS))
          .meta({ description: "What may be done there, by role and grants" }),
      }),
    ),
  })
  .meta({ id: "Me" });

export const Person = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role,
    grants,
    secondFactor: z.boolean(),
    joinedAt: instant("Joined the workspace"),
  })
  .meta({ id: "Person" });

export const PersonEdit = z
  .object({ role: role.optional(), grants: grants.optional() })
  .meta({ id: "PersonEdit" });

/** Keys that go on though whoever made them is gone. */
const Removed = z
  .object({
    id: z.string(),
    keys: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          prefix: z.string(),
          scopes: z.array(z.string()),
          createdAt: instant("Created"),
          expiresAt: instantOrNull("Refused from then on"),
        }),
      )
      .meta({ description: "Keys that this person made: they go on until somebody revokes them" }),
  })
  .meta({ id: "RemovedPerson" });

const example = {
  id: "p4w7n2k9xc1m5v8b3q6z",
  name: "Maya",
  email: "maya@example.com",
  role: "operator",
  grants: [],
  secondFactor: true,
  joinedAt: 1_764_576_000_000,
};
const removed = {
  id: example.id,
  keys: [
    {
      id: "key_k3v9q2m8xa_b8m1v4x0cz",
      name: "Website",
      prefix: "outdial_k3v9q2m8xa_b8m1v4x0cz",
      scopes: ["tasks:write"],
      createdAt: 1_764_576_000_000,
      expiresAt: null,
    },
  ],
};

export const personOperations = {
  "GET /v1/me": operation({
    id: "readMe",
    tag: "People",
    summary: "Who is signed in",
    description: "With each workspace of theirs, the role in it and what that may do.",
    access: "person",
    reply: {
      status: 200,
      description: "The person",
      schema: Me,
      example: {
        id: example.id,
        name: example.name,
        email: example.email,
        secondFactor: true,
        workspaces: [
          {
            id: "ws_k3v9q2m8xa",
            name: "Acme",
            role: "operator",
            permissions: ["see", "see_personal", "push", "run"],
          },
        ],
      },
    },
    refusals: [],
  }),
  "DELETE /v1/me/workspaces/{id}": operation({
    id: "leaveWorkspace",
    tag: "People",
    summary: "Leave a workspace",
    description: "A 409 for its last owner. Tells which keys one leaves behind.",
    access: "person",
    params: idParam("workspace", "ws_k3v9q2m8xa"),
    reply: { status: 200, description: "Left", schema: Removed, example: removed },
    refusals: ["not_found", "conflict"],
  }),
  "GET /v1/people": operation({
    id: "listPeople",
    tag: "People",
    summary: "List people",
    description: "Everybody in the workspace, with role and grants.",
    access: "govern",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Person),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "PATCH /v1/people/{id}": operation({
    id: "editPerson",
    tag: "People",
    summary: "Change a role",
    description:
      "Only owners make, change and remove owners. A workspace always has one: a 409 for the last. Open invitations that the person could not make any more end.",
    access: "govern",
    params: idParam("person", example.id),
    body: { schema: PersonEdit, bytesMax: SETUP_BYTES_MAX, example: { role: "operator" } },
    reply: {
      status: 200,
      description: "The person after the change",
      schema: Person,
      example,
    },
    refusals: ["invalid", "not_found", "forbidden", "conflict"],
  }),
  "DELETE /v1/people/{id}": operation({
    id: "removePerson",
    tag: "People",
    summary: "Remove a person",
    description:
      "Their very next request in this workspace is refused. Tells which keys are theirs: revoke them one by one. A 409 for the last owner.",
    access: "govern",
    params: idParam("person", example.id),
    reply: { status: 200, description: "Removed", schema: Removed, example: removed },
    refusals: ["not_found", "forbidden", "conflict"],
  }),
};
