import * as z from "zod";
import { idParam, instant, pageOf, pageQuery } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";
import { email, grants, password, personName, role } from "./person.ts";

export const EXPIRES_DAYS = 7;
export const EXPIRES_DAYS_MAX = 30;

export const InvitationBody = z
  .object({
    email,
    role,
    grants: grants.default([]),
    expiresInDays: z
      .int()
      .min(1)
      .max(EXPIRES_DAYS_MAX)
      .default(EXPIRES_DAYS)
      .meta({ description: "Accepted within so many days" }),
  })
  .meta({ id: "InvitationBody" });

export const Invitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    grants,
    createdBy: z.string().meta({ description: "Id of the person or key that invited" }),
    createdAt: instant("Created"),
    expiresAt: instant("Accepted until then"),
  })
  .meta({ id: "Invitation" });

/** What whoever has the link sees of it. */
const Shown = z
  .object({
    workspace: z.object({ id: z.string(), name: z.string() }),
    email: z.string(),
    role,
    expiresAt: instant("Accepted until then"),
    known: z.boolean().meta({
      description: "Somebody has this address here: sign in, then accept; else choose a password",
    }),
  })
  .meta({ id: "ShownInvitation" });

export const InvitationAnswer = z
  .object({
    name: personName.optional().meta({ description: "For somebody new" }),
    password: password.optional().meta({ description: "For somebody new" }),
  })
  .meta({ id: "InvitationAnswer" });

const example = {
  id: "inv_k3v9q2m8xa_c5t8n1w4ze",
  email: "maya@example.com",
  role: "operator",
  grants: [],
  createdBy: "p4w7n2k9xc1m5v8b3q6z",
  createdAt: 1_764_576_000_000,
  expiresAt: 1_765_180_800_000,
};

const token = z.object({
  token: z
    .string()
    .max(100)
    .meta({ description: "Of the mailed link", examples: ["inv_k3v9q2m8xa_c5t8n1w4ze_…"] }),
});

export const invitationOperations = {
  "POST /v1/invitations": operation({
    id: "createInvitation",
    tag: "People",
    summary: "Invite somebody",
    description:
      "Mails a link, which only the mail has; an open invitation to the same address ends. Only owners invite owners. A 409 for somebody who belongs already, and where no mail is set up.",
    access: "govern",
    body: {
      schema: InvitationBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { email: "maya@example.com", role: "operator" },
    },
    reply: { status: 201, description: "Mailed", schema: Invitation, example },
    refusals: ["invalid", "forbidden", "conflict"],
  }),
  "GET /v1/invitations": operation({
    id: "listInvitations",
    tag: "People",
    summary: "List open invitations",
    description: "Neither accepted nor revoked, those that have run out too.",
    access: "govern",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Invitation),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "DELETE /v1/invitations/{id}": operation({
    id: "revokeInvitation",
    tag: "People",
    summary: "Revoke an invitation",
    description: "Its link is worth nothing from now on.",
    access: "govern",
    params: idParam("invitation", example.id),
    reply: { status: 204, description: "Revoked" },
    refusals: ["not_found"],
  }),
  "GET /invitations/{token}": operation({
    id: "readInvitation",
    tag: "People",
    summary: "Look at an invitation",
    description:
      "For whoever has the link. One that was accepted, was revoked or has run out is unknown.",
    access: "open",
    params: token,
    reply: {
      status: 200,
      description: "The invitation",
      schema: Shown,
      example: {
        workspace: { id: "ws_k3v9q2m8xa", name: "Acme" },
        email: example.email,
        role: example.role,
        expiresAt: example.expiresAt,
        known: false,
      },
    },
    refusals: ["not_found", "too_many_requests"],
  }),
  "POST /invitations/{token}": operation({
    id: "acceptInvitation",
    tag: "People",
    summary: "Accept an invitation",
    description:
      "Somebody new gives name and password and is signed in by the reply. Whoever has the address here already signs in first; another address is a 403.",
    access: "open",
    params: token,
    body: {
      schema: InvitationAnswer,
      bytesMax: SETUP_BYTES_MAX,
      example: { name: "Maya", password: "three lamps and a kite" },
    },
    reply: {
      status: 201,
      description: "A member of the workspace",
      schema: z.object({ workspace: z.string(), person: z.string(), role }),
      example: { workspace: "ws_k3v9q2m8xa", person: example.createdBy, role: "operator" },
    },
    refusals: ["invalid", "forbidden", "not_found", "conflict", "too_many_requests"],
  }),
};
