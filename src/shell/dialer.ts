import type { WorkspaceId } from "../core/ids.ts";
import type { DialerVerbs, LiveVerbs } from "../dialer/verbs.ts";

/** The Dialer of a workspace: there is only ever one. */
export function dialerOf(env: Env, workspace: WorkspaceId): DialerVerbs & LiveVerbs {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace));
  // The namespace is not typed by its class: a stub has its verbs and nothing else we call.
  return stub as unknown as DialerVerbs & LiveVerbs;
}
