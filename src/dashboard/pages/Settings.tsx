import "../settings.css";
import { Text, Title } from "@mantine/core";
import { Link, Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Permission } from "../../core/access.ts";
import { Empty } from "../ui/states.tsx";
import { ROLE, whoMay } from "../words.ts";
import { useMay, useSession } from "./session.tsx";

/** Every page of settings, and what one has to be allowed to see it. */
const PAGES = [
  { to: "/settings/workspace", name: "Workspace", may: "see" },
  { to: "/settings/agents", name: "Agents", may: "see" },
  { to: "/settings/numbers", name: "Numbers", may: "see" },
  { to: "/settings/connections", name: "Connections", may: "see" },
  { to: "/settings/webhooks", name: "Webhooks", may: "set_up" },
  { to: "/settings/forms", name: "Forms", may: "see" },
  { to: "/settings/do-not-call", name: "Do not call", may: "see_personal" },
  { to: "/settings/people", name: "People", may: "govern" },
  { to: "/settings/keys", name: "Keys", may: "govern" },
  { to: "/settings/audit", name: "Audit log", may: "govern" },
] as const;

/** What a workspace is set up with: only the pages that one may see are named. */
export function Settings() {
  const { permissions } = useSession().workspace;
  return (
    <>
      <Title order={1} size="h2" mb="lg">
        Settings
      </Title>
      <div className="settings">
        <nav className="settings-nav" aria-label="Settings">
          {PAGES.filter(({ may }) => permissions.includes(may)).map(({ to, name }) => (
            <Link key={to} to={to} className="nav-link" activeOptions={{ includeSearch: false }}>
              {name}
            </Link>
          ))}
        </nav>
        <div style={{ minWidth: 0 }}>
          <Outlet />
        </div>
      </div>
    </>
  );
}

/** A page for those who may see it; everybody else is told who may. */
export function Allowed({ permission, children }: { permission: Permission; children: ReactNode }) {
  const may = useMay(permission);
  const { role } = useSession().workspace;
  if (may) return children;
  return (
    <Empty title="Not for your role">
      <Text className="quiet" ta="center">
        {whoMay(permission)} see this. You are {ROLE[role].toLowerCase()}: ask one of them.
      </Text>
    </Empty>
  );
}
