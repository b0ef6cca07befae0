import {
  Badge,
  Button,
  Group,
  Modal,
  NumberInput,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { IconMailPlus } from "@tabler/icons-react";
import { useState } from "react";
import { MAY, ROLES, type Role } from "../../core/access.ts";
import { call } from "../api.ts";
import { useNow } from "../clock.ts";
import type { OpenInvitation, Person, RemovedPerson } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { Confirm } from "../ui/Confirm.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { Head } from "../ui/Section.tsx";
import { When } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { counted, ROLE, ROLE_MEANS } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { useMay, useSession, useTitle } from "./session.tsx";

/** Who is in the workspace, as what, and who is invited. */
export function SettingsPeople() {
  useTitle("People");
  return (
    <Allowed permission="govern">
      <People />
    </Allowed>
  );
}

function People() {
  const people = useList("GET /v1/people", {});
  const [inviting, setInviting] = useState(false);
  const [leaving, setLeaving] = useState<Person | null>(null);
  const [left, setLeft] = useState<{ person: Person; removed: RemovedPerson } | null>(null);
  return (
    <Stack gap="xl">
      <div>
        <Head
          title="People"
          lead="Everybody in this workspace. A role counts from the very next request on."
        >
          <Button leftSection={<IconMailPlus size={16} />} onClick={() => setInviting(true)}>
            Invite somebody
          </Button>
        </Head>
        <Listing label="People" list={people} empty={<Empty title="Nobody is here" />}>
          {(person) => <PersonRow person={person} remove={() => setLeaving(person)} />}
        </Listing>
      </div>
      <Invitations />
      {inviting && <Invite close={() => setInviting(false)} />}
      {leaving !== null && (
        <Remove
          person={leaving}
          close={() => setLeaving(null)}
          done={(removed) => setLeft({ person: leaving, removed })}
        />
      )}
      {left !== null && left.removed.keys.length > 0 && (
        <KeysLeft {...left} close={() => setLeft(null)} />
      )}
    </Stack>
  );
}

/** The roles that somebody may give: only owners make owners. */
function useRoles(): { value: Role; label: string }[] {
  const mayOwn = useMay("own");
  return ROLES.filter((role) => role !== "owner" || mayOwn).map((value) => ({
    value,
    label: ROLE[value],
  }));
}

const canBeGranted = (role: Role) => MAY.see_personal[role] === "grant";

function PersonRow({ person, remove }: { person: Person; remove: () => void }) {
  const { me } = useSession();
  const mayOwn = useMay("own");
  const roles = useRoles();
  const isMe = person.id === me.id;
  // An admin changes no owner; nobody here changes himself: whoever errs would be locked out.
  const fixed = isMe || (person.role === "owner" && !mayOwn);
  const change = useDeed({
    ask: (edit: { role?: Role; grants?: Person["grants"] }) =>
      call("PATCH /v1/people/{id}", { params: { id: person.id }, body: edit }),
    said: ({ name, role }) => `${name} is ${ROLE[role].toLowerCase()} now`,
  });
  return (
    <>
      <Main
        name={
          <Group gap={8} wrap="nowrap">
            <Text span size="sm" fw={550} className="cut">
              {person.name}
            </Text>
            {isMe && (
              <Badge size="xs" variant="default" tt="none" fw={500}>
                you
              </Badge>
            )}
          </Group>
        }
      >
        <span>{person.email}</span>
        <span>
          joined <When at={person.joinedAt} zone={HOME_ZONE} as="day" />
        </span>
        <span>{person.secondFactor ? "second factor" : "no second factor"}</span>
        {change.error !== null && (
          <Text span size="xs" c="red" role="alert">
            {change.error.message}
          </Text>
        )}
      </Main>
      <Group gap="sm">
        {canBeGranted(person.role) && (
          <Switch
            size="xs"
            label="Sees numbers and hears calls"
            checked={person.grants.includes("see_personal")}
            onChange={({ currentTarget }) =>
              change.mutate({ grants: currentTarget.checked ? ["see_personal"] : [] })
            }
          />
        )}
        {fixed ? (
          <Text size="sm" className="quiet">
            {ROLE[person.role]}
          </Text>
        ) : (
          <>
            <Select
              size="xs"
              w={116}
              aria-label={`Role of ${person.name}`}
              allowDeselect={false}
              value={person.role}
              disabled={change.isPending}
              onChange={(role) => role !== null && role !== person.role && change.mutate({ role })}
              data={roles}
            />
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={remove}
              aria-label={`Remove ${person.name}`}
            >
              Remove …
            </Button>
          </>
        )}
      </Group>
    </>
  );
}

function Remove(props: {
  person: Person;
  close: () => void;
  done: (removed: RemovedPerson) => void;
}) {
  const { person, close, done } = props;
  const remove = useDeed({
    ask: () => call("DELETE /v1/people/{id}", { params: { id: person.id } }),
    said: () => `${person.name} is out`,
    done: (removed) => {
      done(removed);
      close();
    },
  });
  return (
    <Confirm
      title={`Remove ${person.name}?`}
      deed="Remove"
      pending={remove.isPending}
      error={remove.error}
      confirm={() => remove.mutate()}
      close={close}
    >
      {person.email} gets in here no more, from the very next request on. Other workspaces stay as
      they are, and so do keys that this person made, until you revoke them.
    </Confirm>
  );
}

/** Keys go on though whoever made them is gone: one by one somebody decides. */
function KeysLeft(props: { person: Person; removed: RemovedPerson; close: () => void }) {
  const { person, removed, close } = props;
  const [gone, setGone] = useState<string[]>([]);
  const revoke = useDeed({
    ask: (id: string) => call("DELETE /v1/keys/{id}", { params: { id } }),
    done: (_, id) => setGone((now) => [...now, id]),
  });
  return (
    <Modal
      opened
      onClose={close}
      title={`${person.name} made ${counted(removed.keys.length, "key")} that ${removed.keys.length === 1 ? "goes" : "go"} on`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        {removed.keys.map((key) => (
          <Group key={key.id} justify="space-between" wrap="nowrap">
            <Main name={key.name}>
              <span>{key.scopes.join(", ")}</span>
            </Main>
            <Button
              size="xs"
              color="red"
              variant="outline"
              disabled={gone.includes(key.id)}
              loading={revoke.isPending && revoke.variables === key.id}
              onClick={() => revoke.mutate(key.id)}
              aria-label={`Revoke ${key.name}`}
            >
              {gone.includes(key.id) ? "Revoked" : "Revoke"}
            </Button>
          </Group>
        ))}
        <Refusal error={revoke.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

const DAYS = 7;

function Invite({ close }: { close: () => void }) {
  const roles = useRoles();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [sees, setSees] = useState(false);
  const [days, setDays] = useState<number | string>(DAYS);
  const invite = useDeed({
    ask: () => {
      const grants = canBeGranted(role) && sees ? (["see_personal"] as const) : [];
      const body = { email: email.trim(), role, grants: [...grants], expiresInDays: Number(days) };
      return call("POST /v1/invitations", { body });
    },
    said: (invitation) => `Mailed to ${invitation.email}`,
    done: close,
  });
  const { error } = invite;
  return (
    <Panel title="Invite somebody" close={close}>
      <Form
        submit={() => invite.mutate()}
        deed="Mail the invitation"
        pending={invite.isPending}
        error={error}
        beside={["email", "role", "grants", "expiresInDays"]}
      >
        <TextInput
          type="email"
          label="Email"
          description="The link in the mail is the only way in, and only this address can take it"
          value={email}
          onChange={({ currentTarget }) => setEmail(currentTarget.value)}
          required
          withAsterisk={false}
          autoComplete="off"
          data-autofocus
          error={issueAt(error, "email")}
        />
        <Select
          label="Role"
          description={ROLE_MEANS[role]}
          allowDeselect={false}
          value={role}
          onChange={(value) => value !== null && setRole(value)}
          data={roles}
          error={issueAt(error, "role")}
        />
        {canBeGranted(role) && (
          <Switch
            label="Sees numbers and hears calls"
            description="Full numbers, recordings and transcripts, by grant"
            checked={sees}
            onChange={({ currentTarget }) => setSees(currentTarget.checked)}
          />
        )}
        <NumberInput
          label="Days to accept it"
          min={1}
          max={30}
          allowDecimal={false}
          maw={200}
          value={days}
          onChange={setDays}
          error={issueAt(error, "expiresInDays")}
        />
      </Form>
    </Panel>
  );
}

function Invitations() {
  const list = useList("GET /v1/invitations", {});
  const now = useNow();
  const revoke = useDeed({
    ask: ({ id }: OpenInvitation) => call("DELETE /v1/invitations/{id}", { params: { id } }),
    said: (_, { email }) => `Revoked: ${email}`,
  });
  if (list.items?.length === 0) return null;
  return (
    <div>
      <Head title="Open invitations" lead="Mailed, and not accepted yet." />
      <Refusal error={revoke.error} />
      <Listing label="Open invitations" list={list} empty={null}>
        {(invitation) => (
          <>
            <Main name={invitation.email}>
              <span>{ROLE[invitation.role]}</span>
              {invitation.grants.length > 0 && <span>sees numbers and hears calls</span>}
              <span>
                {invitation.expiresAt > now ? "until " : "ran out "}
                <When at={invitation.expiresAt} zone={HOME_ZONE} />
              </span>
            </Main>
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              loading={revoke.isPending && revoke.variables?.id === invitation.id}
              onClick={() => revoke.mutate(invitation)}
              aria-label={`Revoke the invitation of ${invitation.email}`}
            >
              Revoke
            </Button>
          </>
        )}
      </Listing>
    </div>
  );
}
