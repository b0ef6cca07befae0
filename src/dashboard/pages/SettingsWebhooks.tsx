import { Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { useNow } from "../clock.ts";
import { eventsWords, healthLook, webhookLook } from "../events.ts";
import { Listing, Main } from "../ui/Listing.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Head } from "../ui/Section.tsx";
import { ShownOnce } from "../ui/ShownOnce.tsx";
import { CopyIcon, Sign } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { NEW_WEBHOOK, WEBHOOK_BESIDE, WebhookFields } from "../ui/WebhookFields.tsx";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/webhooks");

/** Who outside is told of what happens. */
export function SettingsWebhooks() {
  useTitle("Webhooks");
  return (
    <Allowed permission="set_up">
      <Webhooks />
      <Addresses />
    </Allowed>
  );
}

function Webhooks() {
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/webhooks", {});
  const now = useNow();
  return (
    <>
      <Head
        title="Webhooks"
        lead="Addresses of your systems that are told what happens here: each event is signed, and tried for three days until it is taken."
      >
        <Add />
      </Head>
      <Listing label="Webhooks" list={list} empty={<None />}>
        {(webhook) => (
          <Main
            name={
              <Link
                to="/settings/webhooks/$webhook"
                params={{ webhook: webhook.id }}
                className="row-link"
              >
                {webhook.name}
              </Link>
            }
          >
            <Sign look={webhookLook(webhook, now)} wrap />
            <span>{webhook.url}</span>
            <span>{eventsWords(webhook.events)}</span>
          </Main>
        )}
      </Listing>
      {open === "new" && <Create close={() => void navigate({ search: {}, replace: true })} />}
    </>
  );
}

function Add() {
  return (
    <ButtonLink
      to="/settings/webhooks"
      search={{ open: "new" }}
      leftSection={<IconPlus size={16} />}
    >
      Add a webhook
    </ButtonLink>
  );
}

function None() {
  return (
    <Empty title="Nobody is told yet">
      <Text className="quiet" ta="center" maw={480}>
        A webhook tells a system of yours, such as a CRM, as soon as a call has ended, a task is
        done or a carrier's account is refused, so that nothing has to ask for it.
      </Text>
      <Anchor href="/docs#/Webhooks" target="_blank" rel="noreferrer" underline="always">
        How it is set up, and what is sent
      </Anchor>
    </Empty>
  );
}

function Create({ close }: { close: () => void }) {
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(NEW_WEBHOOK);
  const create = useDeed({ ask: () => call("POST /v1/webhooks", { body: draft }) });
  const { data: made } = create;
  const leave = () => {
    if (made === undefined) close();
    else void navigate({ to: "/settings/webhooks/$webhook", params: { webhook: made.id } });
  };
  return (
    <Panel title="Add a webhook" close={leave}>
      {made !== undefined ? (
        <NewSecret secret={made.secret} close={leave} />
      ) : (
        <Form
          submit={() => create.mutate()}
          deed="Add it"
          pending={create.isPending}
          error={create.error}
          beside={WEBHOOK_BESIDE}
          disabled={draft.events.length === 0}
        >
          <WebhookFields draft={draft} set={setDraft} error={create.error} />
        </Form>
      )}
    </Panel>
  );
}

/** The secret of a webhook, after it was made or rolled. */
export function NewSecret({ secret, close }: { secret: string; close: () => void }) {
  return (
    <Stack>
      <ShownOnce title="Copy it now" what="the signing secret" text={secret}>
        Nobody can show it again. Your receiver checks with it that an event comes from here: keep
        it where its other secrets are.
      </ShownOnce>
      <Group>
        <Button onClick={close}>I have it</Button>
      </Group>
    </Stack>
  );
}

/** What tasks bring as their own `statusCallbackUrl`. */
function Addresses() {
  const found = useList("GET /v1/callbacks", {});
  const now = useNow();
  const list = { ...found, items: found.items?.map((one) => ({ ...one, id: one.origin })) };
  return (
    <section aria-labelledby="addresses" style={{ marginTop: 40 }}>
      <Head
        title="Addresses of tasks"
        id="addresses"
        lead="A task can bring an address of its own (statusCallbackUrl), which is told of that task and its calls alone. One secret signs all of these."
      >
        <Secret />
      </Head>
      <Listing
        label="Addresses of tasks"
        list={list}
        empty={
          <Text className="quiet" size="sm">
            No task that brought an address has had an event yet.
          </Text>
        }
      >
        {(one) => (
          <Main
            name={
              <Link
                to="/settings/webhooks/addresses"
                search={{ origin: one.origin }}
                className="row-link"
              >
                {one.origin}
              </Link>
            }
          >
            <Sign look={healthLook(one, now)} wrap />
          </Main>
        )}
      </Listing>
    </section>
  );
}

/** Asked for only when somebody wants to see it. */
function Secret() {
  const show = useMutation({
    mutationFn: () => call("GET /v1/callbacks", { query: { limit: 1 } }),
  });
  const { data } = show;
  if (data === undefined) {
    return (
      <>
        <Button variant="default" loading={show.isPending} onClick={() => show.mutate()}>
          Show the signing secret
        </Button>
        <Refusal error={show.error} />
      </>
    );
  }
  return (
    <Group gap={4} wrap="nowrap" role="status">
      <Code style={{ overflowWrap: "anywhere" }}>{data.secret}</Code>
      <CopyIcon text={data.secret} what="the signing secret" />
    </Group>
  );
}
