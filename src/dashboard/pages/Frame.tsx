import {
  ActionIcon,
  AppShell,
  Button,
  Center,
  Container,
  Group,
  Loader,
  Menu,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import {
  IconApi,
  IconCheck,
  IconChevronDown,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
  IconUserCog,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError, auth, chooseWorkspace, chosenWorkspace } from "../api.ts";
import { keepLive, useLiveState } from "../live.ts";
import * as queries from "../queries.ts";
import { KeysHelp } from "../ui/KeysHelp.tsx";
import { LiveSign } from "../ui/LiveSign.tsx";
import { Broken, Empty, Offline } from "../ui/states.tsx";
import { ROLE } from "../words.ts";
import { Go, signInFor } from "./Go.tsx";
import { type Session, SessionProvider } from "./session.tsx";

/** Around every page of somebody signed in: who, where, and the ways to other pages. */
export function Frame() {
  const me = useQuery(queries.me());
  const live = useLiveState();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { href } = useLocation();
  const signOut = useMutation({
    mutationFn: () => auth("/sign-out"),
    // A whole new page: nothing that was read stays in its memory.
    onSuccess: () => location.assign("/sign-in"),
  });
  const isOut = me.error instanceof ApiError && me.error.status === 401;
  if (isOut) {
    return <Go to={signInFor(href)} />;
  }
  if (me.data === undefined) {
    return me.error === null ? (
      <Center h="100dvh">
        <Loader aria-label="Loading" />
      </Center>
    ) : (
      <Container size="xs" py="xl">
        <Broken error={me.error} again={() => void me.refetch()} />
      </Container>
    );
  }
  const { workspaces } = me.data;
  const workspace = workspaces.find(({ id }) => id === chosenWorkspace()) ?? workspaces[0];
  if (workspace === undefined) {
    return (
      <Empty title="You belong to no workspace">
        <Text className="quiet">Ask somebody who does to invite {me.data.email}.</Text>
        <Button variant="default" onClick={() => signOut.mutate()}>
          Sign out
        </Button>
      </Empty>
    );
  }
  // Before any page asks for anything: each request names it.
  if (workspace.id !== chosenWorkspace()) chooseWorkspace(workspace.id);
  const switchTo = (id: string) => {
    chooseWorkspace(id);
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
    void navigate({ to: "/" });
    void client.invalidateQueries({ queryKey: ["me"] });
  };
  const session = { me: me.data, workspace, switchTo };
  return (
    <SessionProvider value={session}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <AppShell header={{ height: 56 }} padding={0}>
        <AppShell.Header>
          <Container size="xl" h="100%">
            <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
              <Group gap={4} wrap="nowrap" component="nav" aria-label="Pages">
                <Link to="/" aria-label="outdial" style={{ display: "flex", marginRight: 8 }}>
                  <img src="/favicon.svg" alt="" width={28} height={28} />
                </Link>
                <Link
                  to="/"
                  className="nav-link"
                  activeOptions={{ exact: true, includeSearch: false }}
                >
                  Campaigns
                </Link>
                <Link to="/calls" className="nav-link" activeOptions={{ includeSearch: false }}>
                  Calls
                </Link>
                <Link to="/settings" className="nav-link" activeOptions={{ includeSearch: false }}>
                  Settings
                </Link>
                <a className="nav-link wide-only" href="/docs" target="_blank" rel="noreferrer">
                  API
                </a>
              </Group>
              <Group gap={4} wrap="nowrap">
                <LiveSign state={live} />
                <Workspaces session={session} />
                <Account session={session} signOut={() => signOut.mutate()} />
              </Group>
            </Group>
          </Container>
        </AppShell.Header>
        <AppShell.Main id="content" tabIndex={-1}>
          <Container size="xl" py="lg" key={workspace.id}>
            <Kept />
            <Keys />
            <Outlet />
          </Container>
        </AppShell.Main>
      </AppShell>
    </SessionProvider>
  );
}

/** Keeps the page of this workspace live; says so when nobody answers. */
function Kept() {
  const client = useQueryClient();
  const state = useLiveState();
  useEffect(() => keepLive(client), [client]);
  return state === "offline" ? <Offline /> : null;
}

function Keys() {
  const [opened, { open, close }] = useDisclosure(false);
  useHotkeys([["shift+?", open]]);
  return <KeysHelp opened={opened} close={close} />;
}

function Workspaces({ session }: { session: Session }) {
  const { me, workspace, switchTo } = session;
  if (me.workspaces.length === 1) {
    return (
      <Text size="sm" className="cut quiet" maw={200} visibleFrom="xs">
        {workspace.name}
      </Text>
    );
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          maw={{ base: 110, xs: 220 }}
          rightSection={<IconChevronDown size={14} />}
          aria-label={`Workspace: ${workspace.name}. Change it`}
        >
          {workspace.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Workspaces</Menu.Label>
        {me.workspaces.map(({ id, name, role }) => (
          <Menu.Item
            key={id}
            onClick={() => switchTo(id)}
            leftSection={id === workspace.id ? <IconCheck size={14} /> : <span />}
          >
            {name}{" "}
            <Text span size="xs" className="quiet">
              {ROLE[role]}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

const SCHEMES = [
  { scheme: "light", label: "Light", Icon: IconSun },
  { scheme: "dark", label: "Dark", Icon: IconMoon },
  { scheme: "auto", label: "As the system", Icon: IconDeviceDesktop },
] as const;

function Account({ session, signOut }: { session: Session; signOut: () => void }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { me, workspace } = session;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`You: ${me.name}`}>
          <IconUser size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" c="var(--mantine-color-text)" className="cut">
            {me.name}
          </Text>
          <Text size="xs" className="cut quiet">
            {me.email} · {ROLE[workspace.role]}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconUserCog size={16} />}
          renderRoot={(props) => <Link to="/account" {...props} />}
        >
          Your account
        </Menu.Item>
        <Menu.Item
          component="a"
          href="/docs"
          target="_blank"
          rel="noreferrer"
          hiddenFrom="sm"
          leftSection={<IconApi size={16} />}
        >
          API
        </Menu.Item>
        <Menu.Divider />
        {SCHEMES.map(({ scheme, label, Icon }) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} />}
            rightSection={colorScheme === scheme ? <IconCheck size={14} /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
