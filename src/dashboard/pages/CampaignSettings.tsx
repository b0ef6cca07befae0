import { Alert, Button, Fieldset, Group, List, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { changesOf, type Draft, draftOf } from "../draft.ts";
import * as queries from "../queries.ts";
import type { Agent, CallingNumber, Campaign } from "../things.ts";
import { Basics, FollowUp, TimeFields } from "../ui/fields.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Loading } from "../ui/states.tsx";
import { counted } from "../words.ts";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/settings");
const BESIDE = [
  "name",
  "agent",
  "from",
  "slots",
  "timezone",
  "startAfter",
  "endAfter",
  "start",
  "end",
  "days",
  "retries",
  "intervals",
];

/** A campaign's settings, edited while it runs (H4). */
export function CampaignSettings() {
  const { campaign: id } = route.useParams();
  const campaign = useQuery(queries.campaign(id));
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  if (campaign.data === undefined || agents.data === undefined || numbers.data === undefined) {
    return <Loading rows={4} />;
  }
  return (
    <Form
      key={id}
      campaign={campaign.data}
      agents={agents.data.items}
      numbers={numbers.data.items}
    />
  );
}

type FormProps = { campaign: Campaign; agents: Agent[]; numbers: CallingNumber[] };

function Form({ campaign, agents, numbers }: FormProps) {
  const client = useQueryClient();
  const mayRun = useMay("run");
  const [before, setBefore] = useState(() => draftOf(campaign));
  const [draft, setDraft] = useState(before);
  const edit = changesOf(before, draft);
  const changed = Object.keys(edit).length > 0;
  const over = campaign.status === "completed" || campaign.status === "archived";
  useBlocker({
    shouldBlockFn: () => changed && !window.confirm("Leave without saving what you changed?"),
    enableBeforeUnload: () => changed,
  });
  const save = useMutation({
    mutationFn: () => call("PATCH /v1/campaigns/{id}", { params: { id: campaign.id }, body: edit }),
    onSuccess: (saved) => {
      client.setQueryData(queries.campaign(campaign.id).queryKey, saved);
      setBefore(draftOf(saved));
      setDraft(draftOf(saved));
      const warnings = saved.warnings?.map(({ message }) => message).join(" ") ?? "";
      notifications.show({ title: "Saved", message: warnings });
    },
  });
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const props = { draft, set, error: save.error };
  return (
    <Stack maw={720} gap="lg">
      {over && (
        <Alert color="gray">The campaign is {campaign.status}: nothing of it can change.</Alert>
      )}
      {!over && !mayRun && (
        <Alert color="gray">Operators, admins and owners can change these.</Alert>
      )}
      <Fieldset legend="Basics" disabled={over || !mayRun}>
        <Basics
          {...props}
          agents={agents}
          numbers={numbers}
          optional={campaign.type === "realtime"}
        />
      </Fieldset>
      <Fieldset legend="Time" disabled={over || !mayRun}>
        <TimeFields {...props} startFixed={campaign.startedAt !== null} />
      </Fieldset>
      <Fieldset legend="Follow-up" disabled={over || !mayRun}>
        <FollowUp {...props} agent={agents.find(({ id }) => id === draft.agent)} />
      </Fieldset>
      {!over && mayRun && (
        <>
          <Refusal error={save.error} beside={BESIDE} />
          {changed && <Changes campaign={campaign} edit={edit} />}
          <Group>
            <Button disabled={!changed} loading={save.isPending} onClick={() => save.mutate()}>
              Save
            </Button>
            <Button variant="default" disabled={!changed} onClick={() => setDraft(before)}>
              Discard
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

const FOLLOW_UP = ["retries", "intervals", "retryOutcomes"];

/** What an edit changes, and for whom (H4), before it is saved. */
function Changes({ campaign, edit }: { campaign: Campaign; edit: Record<string, unknown> }) {
  const { counters } = campaign;
  const waits = counters.queued + counters.paused;
  const follows = Object.keys(edit).some((name) => FOLLOW_UP.includes(name));
  const others = Object.keys(edit).some((name) => !FOLLOW_UP.includes(name));
  return (
    <Alert color="blue" title="What this changes">
      <List size="sm">
        {others && (
          <List.Item>From the next dial on, for {counted(waits, "waiting task")}.</List.Item>
        )}
        {follows && (
          <List.Item>
            Retries, gaps and outcomes: for attempts that end from now on. A retry that was granted
            keeps its time.
          </List.Item>
        )}
        {counters.running > 0 && (
          <List.Item>{counted(counters.running, "call")} in progress: not touched.</List.Item>
        )}
        <List.Item>
          <Text span size="sm">
            A task's own values stay.
          </Text>
        </List.Item>
      </List>
    </Alert>
  );
}
