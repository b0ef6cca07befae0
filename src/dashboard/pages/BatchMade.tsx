import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { call } from "../api.ts";
import * as queries from "../queries.ts";
import { ButtonLink } from "../ui/links.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { counted } from "../words.ts";
import { Files, UploadList } from "./Imports.tsx";

/** The last step of a batch campaign: its list arrives, what was rejected is mended, and it starts. */
export function BatchMade({ id, first }: { id: string; first: string }) {
  const campaign = useQuery(queries.campaign(id));
  const imports = useQuery(queries.imports(id));
  const client = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: () => call("POST /v1/campaigns/{id}/resume", { params: { id } }),
    onSuccess: async () => {
      void client.invalidateQueries();
      await navigate({ to: "/campaigns/$campaign/tasks", params: { campaign: id } });
    },
  });
  const error = campaign.error ?? imports.error;
  if (campaign.data === undefined || imports.data === undefined) {
    return error === null ? <Loading rows={3} height={80} /> : <Broken error={error} />;
  }
  const { name, counters, status, timezone } = campaign.data;
  const { items } = imports.data;
  const arrived = items.length > 0 && items.every((file) => file.status !== "running");
  const isFirst = items.at(-1)?.id === first;
  const rejected = items.reduce((sum, file) => sum + file.rejectedCount, 0);
  const waits = counters.queued + counters.paused;
  return (
    <Stack maw={760}>
      <div>
        <Title order={1} size="h2">
          {name}
        </Title>
        <Text className="quiet">
          {status === "paused"
            ? "It is paused: nobody is called before it is started."
            : "It was started."}
        </Text>
      </div>
      <Files campaign={id} items={items} zone={timezone} />
      {isFirst && arrived && rejected > 0 && (
        <UploadList
          campaign={id}
          title="Mend the rejected rows"
          lead="Download them, put right what is wrong, and upload the file here. Or start, and do it later under Imports."
        />
      )}
      <Refusal error={start.error} />
      <Group>
        {status === "paused" ? (
          <Button
            disabled={!arrived || waits === 0}
            loading={start.isPending}
            onClick={() => start.mutate()}
          >
            {arrived ? `Start: call ${counted(waits, "number")}` : "Start"}
          </Button>
        ) : null}
        <ButtonLink
          to="/campaigns/$campaign/tasks"
          params={{ campaign: id }}
          variant={status === "paused" ? "default" : "filled"}
        >
          {status === "paused" ? "Leave it paused" : "To the campaign"}
        </ButtonLink>
      </Group>
    </Stack>
  );
}
