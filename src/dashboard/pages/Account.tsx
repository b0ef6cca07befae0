import "../settings.css";
import {
  Alert,
  Button,
  Group,
  PasswordInput,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { auth, call, chooseWorkspace } from "../api.ts";
import * as queries from "../queries.ts";
import type { Me, RemovedPerson, SignedIn } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { Confirm } from "../ui/Confirm.tsx";
import { Main } from "../ui/Listing.tsx";
import { Form } from "../ui/Panel.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { Card } from "../ui/Section.tsx";
import { When } from "../ui/signs.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { counted, ROLE } from "../words.ts";
import { useDeed } from "./deed.ts";
import { SecondFactor } from "./SecondFactor.tsx";
import { useSession, useTitle } from "./session.tsx";

/** What is one's own, whatever the workspace: name, password, second factor, sign-ins, memberships. */
export function Account() {
  useTitle("Your account");
  const { me } = useSession();
  return (
    <Stack maw={680} gap="lg">
      <div>
        <Title order={1} size="h2">
          Your account
        </Title>
        <Text className="quiet">{me.email}</Text>
      </div>
      <Name name={me.name} />
      <Password email={me.email} />
      <SecondFactor isOn={me.secondFactor} />
      <SignIns />
      <Memberships me={me} />
    </Stack>
  );
}

function Name({ name }: { name: string }) {
  const [text, setText] = useState(name);
  const save = useDeed({
    ask: () => auth("/update-user", { name: text.trim() }),
    said: () => "Saved",
  });
  const isSame = text.trim() === "" || text.trim() === name;
  return (
    <Card title="Name" lead="As others in your workspaces, and the audit log, see it.">
      <Form
        submit={() => save.mutate()}
        deed="Save"
        pending={save.isPending}
        error={save.error}
        beside={[]}
        disabled={isSame}
      >
        <TextInput
          aria-label="Your name"
          autoComplete="name"
          maxLength={100}
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
      </Form>
    </Card>
  );
}

function Password({ email }: { email: string }) {
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const change = useDeed({
    ask: () => auth("/change-password", { currentPassword, newPassword }),
    said: () => "Your password is changed",
    done: () => {
      setCurrent("");
      setNew("");
    },
  });
  return (
    <Card
      title="Password"
      lead="At least 12 characters, and no common one. You are signed out everywhere else."
    >
      <Form
        submit={() => change.mutate()}
        deed="Change the password"
        pending={change.isPending}
        error={change.error}
        beside={["newPassword"]}
        disabled={currentPassword === "" || newPassword === ""}
      >
        <input type="hidden" name="email" autoComplete="username" value={email} readOnly />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <PasswordInput
            label="Password now"
            autoComplete="current-password"
            value={currentPassword}
            onChange={({ currentTarget }) => setCurrent(currentTarget.value)}
          />
          <PasswordInput
            label="New password"
            autoComplete="new-password"
            minLength={12}
            value={newPassword}
            onChange={({ currentTarget }) => setNew(currentTarget.value)}
            error={issueAt(change.error, "newPassword")}
          />
        </SimpleGrid>
      </Form>
    </Card>
  );
}

function SignIns() {
  const sessions = useQuery(queries.sessions());
  const endAll = useMutation({
    mutationFn: () => auth("/revoke-sessions"),
    // A whole new page: nothing that was read stays in its memory.
    onSuccess: () => location.assign("/sign-in"),
  });
  const endOthers = useDeed({
    ask: () => auth("/revoke-other-sessions"),
    said: () => "Signed out everywhere else",
  });
  const all = sessions.data;
  return (
    <Card title="Where you are signed in">
      {all === undefined ? (
        sessions.error === null ? (
          <Loading rows={1} />
        ) : (
          <Broken error={sessions.error} again={() => void sessions.refetch()} />
        )
      ) : (
        <ul className="list plain-list" aria-label="Sign-ins">
          {all.map((one) => (
            <li key={one.token} className="row set-row">
              <Main name={one.isHere ? `${deviceOf(one)}, here` : deviceOf(one)}>
                <span>
                  since <When at={Date.parse(one.createdAt)} zone={HOME_ZONE} />
                </span>
                {one.ipAddress ? <span className="numbers">from {one.ipAddress}</span> : null}
              </Main>
            </li>
          ))}
        </ul>
      )}
      <Refusal error={endAll.error ?? endOthers.error} />
      <Group>
        <Button
          variant="default"
          disabled={(all?.length ?? 0) < 2}
          loading={endOthers.isPending}
          onClick={() => endOthers.mutate()}
        >
          Sign out everywhere else
        </Button>
        <Button
          variant="outline"
          color="red"
          loading={endAll.isPending}
          onClick={() => endAll.mutate()}
        >
          Sign out everywhere
        </Button>
      </Group>
    </Card>
  );
}

const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari"] as const;
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"] as const;
const BROWSER_NAMES: Record<string, string> = { Edg: "Edge", OPR: "Opera" };

/** `Firefox on Windows`, as far as the browser said. */
function deviceOf({ userAgent }: SignedIn): string {
  const text = userAgent ?? "";
  const browser = BROWSERS.find((one) => text.includes(`${one}/`));
  const system = SYSTEMS.find((one) => text.includes(one));
  const name = browser === undefined ? "A program" : (BROWSER_NAMES[browser] ?? browser);
  return system === undefined ? name : `${name} on ${system}`;
}

type Member = Me["workspaces"][number];

function Memberships({ me }: { me: Me }) {
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [keys, setKeys] = useState<RemovedPerson["keys"]>([]);
  return (
    <Card title="Workspaces">
      <ul className="list plain-list" aria-label="Workspaces">
        {me.workspaces.map((workspace) => (
          <li key={workspace.id} className="row set-row">
            <Main name={workspace.name}>
              <span>{ROLE[workspace.role]}</span>
            </Main>
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={() => setLeaving(workspace)}
              aria-label={`Leave ${workspace.name}`}
            >
              Leave …
            </Button>
          </li>
        ))}
      </ul>
      {keys.length > 0 && (
        <Alert
          color="orange"
          title={`You leave ${counted(keys.length, "key")} behind`}
          role="status"
        >
          {keys.map(({ name }) => name).join(", ")}: they go on until somebody there revokes them.
        </Alert>
      )}
      {leaving !== null && (
        <Leave
          workspace={leaving}
          close={() => setLeaving(null)}
          done={(removed) => setKeys(removed.keys)}
        />
      )}
    </Card>
  );
}

function Leave(props: {
  workspace: Member;
  close: () => void;
  done: (removed: RemovedPerson) => void;
}) {
  const { workspace, close, done } = props;
  const { workspace: here } = useSession();
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: () => call("DELETE /v1/me/workspaces/{id}", { params: { id: workspace.id } }),
    onSuccess: async (removed) => {
      done(removed);
      close();
      if (here.id === workspace.id) chooseWorkspace(null);
      await client.invalidateQueries({ queryKey: ["me"] });
    },
  });
  return (
    <Confirm
      title={`Leave ${workspace.name}?`}
      deed="Leave"
      pending={leave.isPending}
      error={leave.error}
      confirm={() => leave.mutate()}
      close={close}
    >
      You get in there no more until somebody invites you again. Keys that you made go on until they
      are revoked.
    </Confirm>
  );
}
