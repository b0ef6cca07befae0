import {
  Badge,
  Button,
  Checkbox,
  Group,
  Menu,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { IconChevronDown, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { SCOPES, type Scope, scopesBeyond } from "../../core/access.ts";
import { call } from "../api.ts";
import { useNow } from "../clock.ts";
import * as queries from "../queries.ts";
import type { Key, NewKey } from "../things.ts";
import { HOME_ZONE, instantOf } from "../times.ts";
import { Confirm } from "../ui/Confirm.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt } from "../ui/refusal.tsx";
import { Head } from "../ui/Section.tsx";
import { ShownOnce } from "../ui/ShownOnce.tsx";
import { CopyId, When } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { SCOPE_MEANS, SCOPE_NAME } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { useSession, useTitle } from "./session.tsx";

/** Keys of programs: made and rolled here, shown once. */
export function SettingsKeys() {
  useTitle("Keys");
  return (
    <Allowed permission="govern">
      <Keys />
    </Allowed>
  );
}

type Doing = { what: "roll" | "revoke" | "rename"; key: Key } | { what: "create" } | null;

function Keys() {
  const list = useList("GET /v1/keys", {});
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  const campaigns = useInfiniteQuery(queries.campaigns("realtime", undefined));
  const names = new Map(
    campaigns.data?.pages.flatMap(({ items }) => items).map(({ id, name }) => [String(id), name]),
  );
  return (
    <>
      <Head
        title="Keys"
        lead="What programs sign in with. A website needs one that pushes tasks, and nothing more."
      >
        <Button leftSection={<IconPlus size={16} />} onClick={() => setDoing({ what: "create" })}>
          Make a key
        </Button>
      </Head>
      <Listing label="Keys" list={list} empty={<Empty title="There is no key" />}>
        {(key) => (
          <KeyRow
            item={key}
            campaign={names.get(key.campaign ?? "") ?? key.campaign}
            act={(what) => setDoing({ what, key })}
          />
        )}
      </Listing>
      {doing?.what === "create" && <Create close={close} />}
      {doing?.what === "roll" && <Roll item={doing.key} close={close} />}
      {doing?.what === "rename" && <Rename item={doing.key} close={close} />}
      {doing?.what === "revoke" && <Revoke item={doing.key} close={close} />}
    </>
  );
}

function KeyRow(props: {
  item: Key;
  /** Name of the only campaign that it may push into. */
  campaign: string | null;
  act: (what: "roll" | "revoke" | "rename") => void;
}) {
  const { item, campaign, act } = props;
  const now = useNow();
  const { name, prefix, scopes, createdBy, expiresAt, lastUsedAt } = item;
  const isOver = expiresAt !== null && expiresAt <= now;
  return (
    <>
      <Main
        name={
          <Group gap={8} wrap="nowrap">
            <Text span size="sm" fw={550} className="cut">
              {name}
            </Text>
            {isOver && (
              <Badge size="xs" variant="default" tt="none" fw={500}>
                expired
              </Badge>
            )}
          </Group>
        }
      >
        <CopyId id={`${prefix}…`} what="the key's beginning" />
        <span>{scopes.map((scope) => SCOPE_NAME[scope]).join(", ")}</span>
        {campaign !== null && <span>only {campaign}</span>}
        <span>
          {createdBy === null ? "made with the deployment" : `by ${createdBy.name ?? createdBy.id}`}
        </span>
        <span>
          {lastUsedAt === null ? (
            "never used"
          ) : (
            <>
              used <When at={lastUsedAt} zone={HOME_ZONE} />
            </>
          )}
        </span>
        {expiresAt !== null && (
          <span>
            {isOver ? "expired " : "until "}
            <When at={expiresAt} zone={HOME_ZONE} />
          </span>
        )}
      </Main>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            rightSection={<IconChevronDown size={14} />}
            aria-label={`Change ${name}`}
          >
            Change
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item disabled={isOver} onClick={() => act("roll")}>
            Roll …
          </Menu.Item>
          <Menu.Item onClick={() => act("rename")}>Rename …</Menu.Item>
          <Menu.Item color="red" onClick={() => act("revoke")}>
            Revoke …
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function Shown({ made, close }: { made: NewKey; close: () => void }) {
  return (
    <Stack>
      <ShownOnce title="Copy it now" what="the key" text={made.apiKey}>
        Nobody can show it again. Keep it where your program's other secrets are, never in a page.
      </ShownOnce>
      <Group>
        <Button onClick={close}>I have it</Button>
      </Group>
    </Stack>
  );
}

function Create({ close }: { close: () => void }) {
  const { permissions } = useSession().workspace;
  const beyond = scopesBeyond(SCOPES, new Set(permissions));
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["tasks:write"]);
  const [campaign, setCampaign] = useState<string | null>(null);
  const [until, setUntil] = useState("");
  const pushesOnly = scopes.length === 1 && scopes[0] === "tasks:write";
  const create = useDeed({
    ask: () => {
      const body = {
        ...{ name: name.trim(), scopes },
        campaign: pushesOnly ? campaign : null,
        expiresAt: until === "" ? null : instantOf(until, HOME_ZONE),
      };
      return call("POST /v1/keys", { body });
    },
  });
  const { error } = create;
  return (
    <Panel title="Make a key" close={close}>
      {create.data !== undefined ? (
        <Shown made={create.data} close={close} />
      ) : (
        <Form
          submit={() => create.mutate()}
          deed="Make it"
          pending={create.isPending}
          error={error}
          beside={["name", "scopes", "campaign", "expiresAt"]}
          disabled={scopes.length === 0}
        >
          <TextInput
            label="Name"
            description="What uses it"
            placeholder="Website"
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            maxLength={100}
            required
            withAsterisk={false}
            data-autofocus
            error={issueAt(error, "name")}
          />
          <Checkbox.Group
            label="What it may do"
            description="Never more than you may; it cannot be changed later"
            value={scopes}
            onChange={(value) => setScopes(value as Scope[])}
            error={issueAt(error, "scopes")}
          >
            <Stack gap="xs" mt="xs">
              {SCOPES.filter((scope) => !beyond.includes(scope)).map((scope) => (
                <Checkbox
                  key={scope}
                  value={scope}
                  label={SCOPE_NAME[scope]}
                  description={SCOPE_MEANS[scope]}
                />
              ))}
            </Stack>
          </Checkbox.Group>
          {pushesOnly && (
            <CampaignChoice value={campaign} set={setCampaign} error={issueAt(error, "campaign")} />
          )}
          <TextInput
            type="datetime-local"
            label="Until"
            description="Refused from then on; empty: until it is revoked"
            value={until}
            onChange={({ currentTarget }) => setUntil(currentTarget.value)}
            error={issueAt(error, "expiresAt")}
          />
        </Form>
      )}
    </Panel>
  );
}

function CampaignChoice(props: {
  value: string | null;
  set: (id: string | null) => void;
  error: string | undefined;
}) {
  const { value, set, error } = props;
  const campaigns = useInfiniteQuery(queries.campaigns("realtime", undefined));
  const open = (campaigns.data?.pages ?? [])
    .flatMap(({ items }) => items)
    .filter(({ status }) => status !== "completed" && status !== "archived");
  return (
    <Select
      label="Only one campaign"
      description="A key in a form's backend needs no other"
      placeholder="Every realtime campaign"
      clearable
      searchable
      value={value}
      onChange={set}
      data={open.map(({ id, name }) => ({ value: id, label: name }))}
      error={error}
    />
  );
}

function Roll({ item, close }: { item: Key; close: () => void }) {
  const [hours, setHours] = useState<number | string>(24);
  const roll = useDeed({
    ask: () => {
      const body = { overlapHours: Number(hours) };
      return call("POST /v1/keys/{id}/roll", { params: { id: item.id }, body });
    },
  });
  return (
    <Panel title={`Roll ${item.name}`} close={close}>
      {roll.data !== undefined ? (
        <Shown made={roll.data} close={close} />
      ) : (
        <Form
          submit={() => roll.mutate()}
          deed="Make the new key"
          pending={roll.isPending}
          error={roll.error}
          beside={["overlapHours"]}
        >
          <Text size="sm">
            A new key with the same rights takes its place. Meanwhile both work, so that your
            program can change over.
          </Text>
          <NumberInput
            label="Hours that the old one goes on"
            description="0 ends it at once; 720 at most"
            min={0}
            max={720}
            maw={280}
            value={hours}
            onChange={setHours}
            error={issueAt(roll.error, "overlapHours")}
          />
        </Form>
      )}
    </Panel>
  );
}

function Rename({ item, close }: { item: Key; close: () => void }) {
  const [name, setName] = useState(item.name);
  const save = useDeed({
    ask: () => call("PATCH /v1/keys/{id}", { params: { id: item.id }, body: { name } }),
    said: (key) => `Saved: ${key.name}`,
    done: close,
  });
  return (
    <Panel title={`Rename ${item.name}`} close={close}>
      <Form
        submit={() => save.mutate()}
        deed="Save"
        pending={save.isPending}
        error={save.error}
        beside={["name"]}
      >
        <TextInput
          label="Name"
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          maxLength={100}
          required
          withAsterisk={false}
          data-autofocus
          error={issueAt(save.error, "name")}
        />
      </Form>
    </Panel>
  );
}

function Revoke({ item, close }: { item: Key; close: () => void }) {
  const revoke = useDeed({
    ask: () => call("DELETE /v1/keys/{id}", { params: { id: item.id } }),
    said: () => `Revoked: ${item.name}`,
    done: close,
  });
  return (
    <Confirm
      title={`Revoke ${item.name}?`}
      deed="Revoke"
      pending={revoke.isPending}
      error={revoke.error}
      confirm={() => revoke.mutate()}
      close={close}
    >
      The very next request with it is refused. If a program still uses it, roll it instead: then
      the old one goes on for a while.
    </Confirm>
  );
}
