import { Button, Group, Menu, Stack, Text, Title } from "@mantine/core";
import { IconChevronDown, IconChevronLeft } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { EVENT_TYPES } from "../../core/webhook.ts";
import { call } from "../api.ts";
import { useNow } from "../clock.ts";
import { eventsWords, SHAPE, testWords, webhookLook } from "../events.ts";
import * as queries from "../queries.ts";
import type { Webhook } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { TextLink } from "../ui/links.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { CopyIcon, CopyId, Sign, When } from "../ui/signs.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { WEBHOOK_BESIDE, WebhookFields } from "../ui/WebhookFields.tsx";
import { CONNECTION_TEST } from "../words.ts";
import { Deliveries } from "./Deliveries.tsx";
import { useDeed } from "./deed.ts";
import { Allowed } from "./Settings.tsx";
import { NewSecret } from "./SettingsWebhooks.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/webhooks/$webhook");

/** One webhook: how it is, what changes it, and what was sent. */
export function SettingsWebhook() {
  return (
    <Allowed permission="set_up">
      <Page />
    </Allowed>
  );
}

/** The way back to all of them. */
export function Back() {
  return (
    <TextLink to="/settings/webhooks" size="sm" className="quiet">
      <Group gap={4} component="span" display="inline-flex" mb="xs">
        <IconChevronLeft size={14} aria-hidden />
        Webhooks
      </Group>
    </TextLink>
  );
}

function Page() {
  const { webhook: id } = route.useParams();
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(queries.webhook(id));
  const now = useNow();
  useTitle(data?.name ?? "Webhook");
  if (data === undefined) {
    return (
      <>
        <Back />
        {error === null ? (
          <Loading rows={3} height={60} />
        ) : (
          <Broken error={error} again={() => void refetch()} />
        )}
      </>
    );
  }
  return (
    <Stack gap="lg">
      <div>
        <Back />
        <Group justify="space-between" align="flex-start" gap="sm">
          <div style={{ flex: "1 1 240px", minWidth: 0 }}>
            <Title order={2} size="h3" style={{ overflowWrap: "anywhere" }}>
              {data.name}
            </Title>
            <Sign look={webhookLook(data, now)} wrap />
          </div>
          <Actions webhook={data} />
        </Group>
      </div>
      {error !== null && <Broken error={error} again={() => void refetch()} />}
      <Facts webhook={data} now={now} />
      <Deliveries
        of={{ webhook: id }}
        on={data.on}
        to={data}
        status={status}
        setStatus={(next) =>
          void navigate({ search: next === undefined ? {} : { status: next }, replace: true })
        }
      />
    </Stack>
  );
}

function Facts({ webhook, now }: { webhook: Webhook; now: number }) {
  const { id, url, events, texts, shape, createdAt, off, oldSecretUntil } = webhook;
  return (
    <dl className="facts">
      <Fact name="Address">
        <Group gap={4} wrap="nowrap">
          <span style={{ overflowWrap: "anywhere" }}>{url}</span>
          <CopyIcon text={url} what="the address" />
        </Group>
      </Fact>
      <Fact name="Events">
        {events.length === EVENT_TYPES.length ? eventsWords(events) : events.join(", ")}
      </Fact>
      <Fact name="What was said">{texts ? "with call.analyzed" : "is not sent"}</Fact>
      <Fact name="Shape">{SHAPE[shape].label}</Fact>
      {off !== null && (
        <Fact name="Off since">
          <When at={off.at} zone={HOME_ZONE} />
        </Fact>
      )}
      {oldSecretUntil !== null && oldSecretUntil > now && (
        <Fact name="Old secret">
          signs, too, until <When at={oldSecretUntil} zone={HOME_ZONE} />
        </Fact>
      )}
      <Fact name="Made">
        <When at={createdAt} zone={HOME_ZONE} />
      </Fact>
      <Fact name="Id">
        <CopyId id={id} what="the webhook's id" />
      </Fact>
    </dl>
  );
}

type Doing = "edit" | "roll" | "off" | "delete" | null;

function Actions({ webhook }: { webhook: Webhook }) {
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  const test = useMutation({
    mutationFn: () => call("POST /v1/webhooks/{id}/test", { params: { id: webhook.id } }),
  });
  const switchOn = useDeed({
    ask: () => call("PATCH /v1/webhooks/{id}", { params: { id: webhook.id }, body: { on: true } }),
    said: ({ name }) => `Switched on: ${name}`,
  });
  return (
    <Stack gap="xs" style={{ maxWidth: 460 }}>
      <Group gap="xs">
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          Send a test event
        </Button>
        {!webhook.on && (
          <Button loading={switchOn.isPending} onClick={() => switchOn.mutate()}>
            Switch on
          </Button>
        )}
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronDown size={14} />}>
              Change
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setDoing("edit")}>Edit …</Menu.Item>
            <Menu.Item onClick={() => setDoing("roll")}>Roll the secret …</Menu.Item>
            {webhook.on && <Menu.Item onClick={() => setDoing("off")}>Switch off …</Menu.Item>}
            <Menu.Item color="red" onClick={() => setDoing("delete")}>
              Delete …
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <div role="status">
        {(test.error ?? switchOn.error) !== null && (
          <Text size="xs" c="red">
            {(test.error ?? switchOn.error)?.message}
          </Text>
        )}
        {test.data !== undefined && !test.isPending && (
          <Sign
            look={{
              ...CONNECTION_TEST[test.data.works ? "works" : "fails"],
              label: testWords(test.data),
            }}
            wrap
          />
        )}
      </div>
      {doing === "edit" && <Edit webhook={webhook} close={close} />}
      {doing === "roll" && <Roll webhook={webhook} close={close} />}
      {doing === "off" && <SwitchOff webhook={webhook} close={close} />}
      {doing === "delete" && <Delete webhook={webhook} close={close} />}
    </Stack>
  );
}

function Edit({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const { id, name, url, events, texts, shape } = webhook;
  const [draft, setDraft] = useState({ name, url, events, texts, shape });
  const save = useDeed({
    ask: () => call("PATCH /v1/webhooks/{id}", { params: { id }, body: draft }),
    said: (saved) => `Saved: ${saved.name}`,
    done: close,
  });
  return (
    <Panel title={`Edit ${name}`} close={close}>
      <Form
        submit={() => save.mutate()}
        deed="Save"
        pending={save.isPending}
        error={save.error}
        beside={WEBHOOK_BESIDE}
        disabled={draft.events.length === 0}
      >
        <WebhookFields draft={draft} set={setDraft} error={save.error} />
        <Text size="sm" className="quiet">
          What waits already still goes to the address that it was meant for.
        </Text>
      </Form>
    </Panel>
  );
}

function Roll({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const roll = useDeed({
    ask: () => call("POST /v1/webhooks/{id}/roll", { params: { id: webhook.id } }),
  });
  return (
    <Panel title={`Roll the secret of ${webhook.name}`} close={close}>
      {roll.data !== undefined ? (
        <NewSecret secret={roll.data.secret} close={close} />
      ) : (
        <Form
          submit={() => roll.mutate()}
          deed="Make the new secret"
          pending={roll.isPending}
          error={roll.error}
          beside={[]}
        >
          <Text size="sm">
            A new secret takes the old one's place. For one day both sign what is sent, so a
            receiver that knows either takes every event: give it the new one within that day. From
            then on only the new one signs.
          </Text>
          <Text size="sm">Rolling again within the day ends the oldest at once.</Text>
        </Form>
      )}
    </Panel>
  );
}

function SwitchOff({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const save = useDeed({
    ask: () => call("PATCH /v1/webhooks/{id}", { params: { id: webhook.id }, body: { on: false } }),
    said: ({ name }) => `Switched off: ${name}`,
    done: close,
  });
  return (
    <Confirm
      title={`Switch ${webhook.name} off?`}
      deed="Switch off"
      pending={save.isPending}
      error={save.error}
      confirm={() => save.mutate()}
      close={close}
    >
      What happens while it is off is not told later, and what waits for it now is given up. That
      can be replayed once it is on again.
    </Confirm>
  );
}

function Delete({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const navigate = route.useNavigate();
  const remove = useDeed({
    ask: () => call("DELETE /v1/webhooks/{id}", { params: { id: webhook.id } }),
    said: () => `Deleted: ${webhook.name}`,
    done: () => void navigate({ to: "/settings/webhooks", replace: true }),
  });
  return (
    <Confirm
      title={`Delete ${webhook.name}?`}
      deed="Delete"
      pending={remove.isPending}
      error={remove.error}
      confirm={() => remove.mutate()}
      close={close}
    >
      Nothing is sent to it any more: what waits is given up, and its deliveries are gone.
    </Confirm>
  );
}
