import type { Context } from "hono";
import type { Permission, Role } from "../core/access.ts";
import type { KeyId, WorkspaceId } from "../core/ids.ts";
import type { Access } from "../dialer/verbs.ts";

/** Somebody signed in. */
export type Person = { id: string; name: string; email: string };

/** Who asks, and what they may do in the request's workspace. */
export type Actor =
  | { kind: "key"; id: KeyId; may: ReadonlySet<Permission> }
  | { kind: "person"; id: string; email: string; role: Role; may: ReadonlySet<Permission> };

/** A ticket of ours, its MAC checked: whose it is, and until when it is good, epoch ms. */
export type LiveTicket = {
  workspace: WorkspaceId;
  actor: string;
  nonce: string;
  until: number;
};

/** What a request knows of itself. */
export type AppEnv = {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** The one reading of the clock (architecture, sentence 3). */
    now: number;
    /** The workspace that the request is about: its key's, or the one that a person chose. */
    workspace: WorkspaceId;
    /** Not set where the Dialer checks the key in the same request. */
    actor: Actor;
    /** Where an operation asks only for somebody signed in. */
    person: Person;
    /** Where a ticket lets in. */
    ticket: LiveTicket;
    /** Set where the Dialer checks the key in the same request; null when a person pushes. */
    access: Access | null;
    /** Whether that key was not looked at yet. */
    unseen: boolean;
  };
};
export type Ctx = Context<AppEnv>;
