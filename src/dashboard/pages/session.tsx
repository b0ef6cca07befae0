import { createContext, useContext, useEffect } from "react";
import type { Permission } from "../../core/access.ts";
import type { Me } from "../things.ts";

type Member = Me["workspaces"][number];
export type Session = { me: Me; workspace: Member; switchTo: (id: string) => void };

const Context = createContext<Session | null>(null);
export const SessionProvider = Context.Provider;

/** Who is signed in, and where. */
export function useSession(): Session {
  const session = useContext(Context);
  if (session === null) throw new Error("bug: a page outside its frame");
  return session;
}

/** Whether the person may do something here: what one may not is not shown. */
export function useMay(permission: Permission): boolean {
  return useSession().workspace.permissions.includes(permission);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · outdial`;
  }, [title]);
}
