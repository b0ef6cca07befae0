import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { bodyOf, type Draft, freshDraft } from "../draft.ts";
import * as queries from "../queries.ts";
import type { Agent, CallingNumber } from "../things.ts";
import { Basics, FollowUp, TimeFields } from "../ui/fields.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Loading } from "../ui/states.tsx";
import { useTitle } from "./session.tsx";

const BESIDE = [
  "name",
  "agent",
  "from",
  "slots",
  "timezone",
  "endAfter",
  "start",
  "end",
  "days",
  "retries",
  "intervals",
];

/** A lasting campaign that tasks are pushed to. */
export function NewRealtime() {
  useTitle("New realtime campaign");
  const workspace = useQuery(queries.workspace());
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  if (workspace.data === undefined || agents.data === undefined || numbers.data === undefined) {
    return <Loading rows={4} />;
  }
  const draft = freshDraft(workspace.data, workspace.data.timezone);
  return <Form first={draft} agents={agents.data.items} numbers={numbers.data.items} />;
}

type FormProps = { first: Draft; agents: Agent[]; numbers: CallingNumber[] };

function Form({ first, agents, numbers }: FormProps) {
  const [draft, setDraft] = useState(first);
  const client = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: () => {
      const { startAfter: _now, ...body } = bodyOf(draft);
      return call("POST /v1/campaigns", { body: { ...body, type: "realtime" } });
    },
    onSuccess: async (campaign) => {
      client.setQueryData(queries.campaign(campaign.id).queryKey, campaign);
      await navigate({ to: "/campaigns/$campaign/push", params: { campaign: campaign.id } });
    },
  });
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const props = { draft, set, error: create.error };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Stack maw={720}>
        <div>
          <Title order={1} size="h2">
            New realtime campaign
          </Title>
          <Text className="quiet">
            Only the name is needed. What you set here counts for every task that does not say
            otherwise.
          </Text>
        </div>
        <Paper withBorder p="lg">
          <Basics {...props} agents={agents} numbers={numbers} optional />
        </Paper>
        <Paper withBorder p="lg">
          <Title order={2} size="h5" mb="sm">
            Time
          </Title>
          <TimeFields {...props} />
        </Paper>
        <Paper withBorder p="lg">
          <Title order={2} size="h5" mb="sm">
            Follow-up
          </Title>
          <FollowUp {...props} agent={agents.find(({ id }) => id === draft.agent)} />
        </Paper>
        <Refusal error={create.error} beside={BESIDE} />
        <Group>
          <Button type="submit" loading={create.isPending} disabled={draft.name.trim() === ""}>
            Create
          </Button>
          <ButtonLink to="/" variant="default">
            Cancel
          </ButtonLink>
        </Group>
      </Stack>
    </form>
  );
}
