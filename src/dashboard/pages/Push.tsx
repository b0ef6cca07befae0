import {
  Button,
  Code,
  Group,
  Modal,
  Paper,
  SimpleGrid,
  Stack,
  Tabs,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import * as queries from "../queries.ts";
import { type Sample, samplesOf } from "../samples.ts";
import type { Campaign } from "../things.ts";
import { TextLink } from "../ui/links.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { CopyIcon } from "../ui/signs.tsx";
import { Empty, Loading } from "../ui/states.tsx";
import { whoMay } from "../words.ts";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/push");

/** How tasks get into a realtime campaign: samples with its real ids, and a call to try it. */
export function Push() {
  const { campaign: id } = route.useParams();
  const campaign = useQuery(queries.campaign(id));
  const agents = useQuery(queries.agents());
  const mayPush = useMay("push");
  const mayGovern = useMay("govern");
  const whole = campaign.data?.sampleTask;
  if (campaign.data === undefined || agents.data === undefined) return <Loading rows={3} />;
  if (whole === undefined) return <Empty title="A batch campaign takes lists, not pushes" />;
  const own = pairOf(whole, campaign.data);
  const speaks = own.agent ?? campaign.data.agent;
  const names = agents.data.items.find((agent) => agent.id === speaks)?.placeholders ?? [];
  const samples = [
    ...samplesOf(location.origin, sampleOf(campaign.data, whole, names)),
    { name: "All fields", text: JSON.stringify(whole, null, 2) },
  ];
  return (
    <Stack maw={820} gap="lg">
      <div>
        <Title order={2} size="h4">
          Push a task
        </Title>
        <Text size="sm" className="quiet">
          What is left out is the campaign's. A website needs a key with the scope tasks:write and
          nothing more
          {mayGovern ? (
            <>
              :{" "}
              <TextLink to="/settings/keys" underline="always">
                make one
              </TextLink>
              .
            </>
          ) : (
            `: ${whoMay("govern").toLowerCase()} make one.`
          )}{" "}
          A page without a backend needs none:{" "}
          <TextLink to="/settings/forms" underline="always">
            a form
          </TextLink>{" "}
          is pasted into it.
        </Text>
      </div>
      <Tabs defaultValue={idOf("JSON")}>
        <Tabs.List>
          {samples.map(({ name }) => (
            <Tabs.Tab key={name} value={idOf(name)}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {samples.map(({ name, text }) => (
          <Tabs.Panel key={name} value={idOf(name)} pt="sm">
            <div style={{ position: "relative" }}>
              <Code block tabIndex={0} aria-label={`Sample: ${name}`} style={{ paddingRight: 44 }}>
                {text}
              </Code>
              <div style={{ position: "absolute", top: 8, right: 8 }}>
                <CopyIcon text={text} what={`the ${name} sample`} />
              </div>
            </div>
          </Tabs.Panel>
        ))}
      </Tabs>
      {mayPush && <TestCall campaign={campaign.data} pair={own} names={names} />}
    </Stack>
  );
}

/** Part of an element's id, which holds no blank. */
const idOf = (name: string) => name.replaceAll(" ", "-");

type Pair = Pick<Sample, "agent" | "from">;

/** Agent and number that a task has to bring, where its campaign has none. */
function pairOf(whole: Record<string, unknown>, campaign: Campaign): Pair {
  const { agent, from } = whole;
  const isNeeded = campaign.agent === null || campaign.from === null;
  return isNeeded && typeof agent === "string" && typeof from === "string" ? { agent, from } : {};
}

function sampleOf(campaign: Campaign, whole: Record<string, unknown>, names: string[]): Sample {
  const context = Object.fromEntries(names.map((name) => [name, `your ${name}`]));
  return {
    campaign: campaign.id,
    phone: String(whole.phone),
    ...pairOf(whole, campaign),
    ...(names.length === 0 ? {} : { context }),
  };
}

function TestCall(props: { campaign: Campaign; pair: Pair; names: string[] }) {
  const { campaign, pair, names } = props;
  const [phone, setPhone] = useState("");
  const [context, setContext] = useState<Record<string, string>>({});
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const push = useMutation({
    mutationFn: () => {
      const body = { campaign: campaign.id, phone: phone.trim(), ...pair, context };
      return call("POST /v1/tasks", { body });
    },
    onSettled: () => setAsking(false),
    onSuccess: async (task) => {
      void client.invalidateQueries();
      await navigate({
        to: "/campaigns/$campaign/tasks/$task",
        params: { campaign: campaign.id, task: task.id },
      });
    },
  });
  return (
    <Paper withBorder p="lg" component="section" aria-label="Test call">
      <Title order={2} size="h5">
        Test call
      </Title>
      <Text size="sm" className="quiet" mb="sm">
        Dials the number that you give, for real, as any pushed task: within the campaign's hours
        and slots.
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setAsking(true);
        }}
      >
        <Stack>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <TextInput
              type="tel"
              label="Number to call"
              placeholder="+91 98765 43210"
              value={phone}
              onChange={({ currentTarget }) => setPhone(currentTarget.value)}
              error={issueAt(push.error, "phone")}
            />
            {names.map((name) => (
              <TextInput
                key={name}
                label={name}
                value={context[name] ?? ""}
                onChange={({ currentTarget: { value } }) =>
                  setContext((now) => ({ ...now, [name]: value }))
                }
              />
            ))}
          </SimpleGrid>
          <Refusal error={push.error} beside={["phone"]} />
          <div>
            <Button type="submit" disabled={phone.trim() === ""} loading={push.isPending}>
              Call it …
            </Button>
          </div>
        </Stack>
      </form>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Call ${phone.trim()} now?`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Text size="sm" mb="md">
          Its phone rings as soon as a slot is free.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
          <Button onClick={() => push.mutate()} loading={push.isPending} data-autofocus>
            Call it
          </Button>
        </Group>
      </Modal>
    </Paper>
  );
}
