import {
  Button,
  Code,
  Group,
  Modal,
  Paper,
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
import { samplesOf } from "../samples.ts";
import type { Campaign } from "../things.ts";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { CopyIcon } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/push");

/** How tasks get into a realtime campaign: samples with its real ids, and a call to try it. */
export function Push() {
  const { campaign: id } = route.useParams();
  const campaign = useQuery(queries.campaign(id));
  const mayPush = useMay("push");
  const sample = campaign.data?.sampleTask;
  if (campaign.data === undefined) return null;
  if (sample === undefined) return <Empty title="A batch campaign takes lists, not pushes" />;
  return (
    <Stack maw={820} gap="lg">
      <div>
        <Title order={2} size="h4">
          Push a task
        </Title>
        <Text size="sm" className="quiet">
          Everything but phone and campaign may be left out. A website needs a key with the scope
          tasks:write and nothing more.
        </Text>
      </div>
      <Tabs defaultValue="JSON">
        <Tabs.List>
          {samplesOf(location.origin, sample).map(({ name }) => (
            <Tabs.Tab key={name} value={name}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {samplesOf(location.origin, sample).map(({ name, text }) => (
          <Tabs.Panel key={name} value={name} pt="sm">
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
      {mayPush && <TestCall campaign={campaign.data} sample={sample} />}
    </Stack>
  );
}

function TestCall({ campaign, sample }: { campaign: Campaign; sample: Record<string, unknown> }) {
  const [phone, setPhone] = useState("");
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const push = useMutation({
    mutationFn: () => {
      const { agent, from, context } = sample as {
        agent?: string;
        from?: string;
        context?: Record<string, unknown>;
      };
      const pair = agent === undefined || from === undefined ? {} : { agent, from };
      const body = {
        campaign: campaign.id,
        phone: phone.trim(),
        ...pair,
        ...(context === undefined ? {} : { context }),
      };
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
    <Paper withBorder p="lg">
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
        <Group align="flex-start">
          <TextInput
            type="tel"
            aria-label="Number to call"
            placeholder="+91 98765 43210"
            value={phone}
            onChange={({ currentTarget }) => setPhone(currentTarget.value)}
            error={issueAt(push.error, "phone")}
          />
          <Button type="submit" disabled={phone.trim() === ""} loading={push.isPending}>
            Call it …
          </Button>
        </Group>
      </form>
      <Refusal error={push.error} beside={["phone"]} />
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
