import * as z from "zod";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";
import { email, password, personName } from "./person.ts";
import { WorkspaceBody } from "./workspace.ts";

/** Where people may have an account that signs them in here. */
export const ACCOUNTS = ["github", "google"] as const;

const { name, slots, timezone } = WorkspaceBody.shape;

export const SetupBody = z
  .object({
    token: z.string().max(200).meta({
      description: "The one-time token that `npm run deploy` or `npm start` printed",
    }),
    name: personName,
    email,
    password,
    workspace: z
      .union([
        z.object({ id: z.string().meta({ description: "One that is there already" }) }),
        z.object({ name, slots, timezone }),
      ])
      .optional()
      .meta({ description: "A new workspace, or an existing one; left out: the oldest there is" }),
  })
  .meta({ id: "SetupBody" });

export const deploymentOperations = {
  "GET /setup": operation({
    id: "readSetup",
    tag: "System",
    summary: "Whether the first owner is still to be made, and how one signs in",
    description: "Open until it was used once, then closed for good.",
    access: "open",
    reply: {
      status: 200,
      description: "Open or closed",
      schema: z.object({
        open: z.boolean(),
        needsWorkspace: z
          .boolean()
          .meta({ description: "There is none yet: a name for one is needed" }),
        accounts: z
          .array(z.enum(ACCOUNTS))
          .meta({ description: "Accounts elsewhere by which people may sign in, too" }),
      }),
      example: { open: true, needsWorkspace: false, accounts: ["github"] },
    },
    refusals: [],
  }),
  "POST /setup": operation({
    id: "setUp",
    tag: "System",
    summary: "Make the first owner",
    description:
      "On an empty system, with the one-time token; the reply signs the owner in. Closed for good afterwards: a 404. Of two at the same time one gets a 409.",
    access: "open",
    body: {
      schema: SetupBody,
      bytesMax: SETUP_BYTES_MAX,
      example: {
        token: "…",
        name: "Maya",
        email: "maya@example.com",
        password: "three lamps and a kite",
        workspace: { name: "Acme", slots: 10, timezone: "Asia/Kolkata" },
      },
    },
    reply: {
      status: 201,
      description: "The owner and the workspace",
      schema: z.object({ workspace: z.string(), person: z.string() }),
      example: { workspace: "ws_k3v9q2m8xa", person: "p4w7n2k9xc1m5v8b3q6z" },
    },
    refusals: ["invalid", "forbidden", "not_found", "conflict", "too_many_requests"],
  }),
};
