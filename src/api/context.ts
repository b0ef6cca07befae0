import type { Context } from "hono";
import type { KeyId, WorkspaceId } from "../core/ids.ts";
import type { Access } from "../dialer/verbs.ts";

/** What a request knows of itself. */
export type AppEnv = {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** The one reading of the clock (architecture, sentence 3). */
    now: number;
    /** Of the key that asks. */
    workspace: WorkspaceId;
    key: KeyId;
    /** Set where the Dialer checks the key in the same request. */
    access: Access;
  };
};
export type Ctx = Context<AppEnv>;
