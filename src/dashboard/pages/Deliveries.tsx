import {
  Button,
  Group,
  Radio,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useState } from "react";
import { call } from "../api.ts";
import { sentWords } from "../events.ts";
import type { DELIVERY_FILTERS } from "../routes.tsx";
import type { Delivery, Replayed, Webhook } from "../things.ts";
import { HOME_ZONE, instantOf, localText } from "../times.ts";
import { DeliveryView } from "../ui/DeliveryView.tsx";
import { Listing } from "../ui/Listing.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt } from "../ui/refusal.tsx";
import { Empty } from "../ui/states.tsx";
import { counted } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";

type Filter = (typeof DELIVERY_FILTERS)[number] | undefined;

/** A webhook, or all addresses of tasks at one origin. */
type Receiver = { webhook: string } | { origin: string };

/** What was sent to one receiver, newest first, and how it is sent again. */
export function Deliveries(props: {
  of: Receiver;
  on: boolean;
  /** How events are sent there. */
  to: Pick<Webhook, "shape" | "texts">;
  status: Filter;
  setStatus: (status: Filter) => void;
}) {
  const { of, on, to, status, setStatus } = props;
  const [replaying, setReplaying] = useState(false);
  const found = useList("GET /v1/deliveries", {
    ...of,
    ...(status === undefined ? {} : { status }),
  });
  const items = found.items?.map((one) => ({ ...one, id: String(one.sequence) }));
  return (
    <section aria-labelledby="deliveries">
      <Group justify="space-between" mb="sm" gap="sm">
        <Title order={3} size="h4" id="deliveries">
          Deliveries
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label="Which deliveries"
            value={status ?? "all"}
            onChange={(value) => setStatus(value === "all" ? undefined : (value as Filter))}
            data={[
              { value: "all", label: "All" },
              { value: "waiting", label: "Waiting" },
              { value: "failed", label: "Given up" },
            ]}
          />
          <Button size="xs" variant="default" disabled={!on} onClick={() => setReplaying(true)}>
            Replay since …
          </Button>
        </Group>
      </Group>
      <Listing
        label="Deliveries"
        list={{ ...found, items }}
        empty={
          <Empty
            title={
              status === undefined
                ? "Nothing was sent yet"
                : status === "waiting"
                  ? "Nothing waits"
                  : "Nothing was given up"
            }
          >
            {status === undefined && (
              <Text className="quiet" ta="center">
                Its deliveries of the last 30 days stand here.
              </Text>
            )}
          </Empty>
        }
      >
        {(delivery) => (
          <DeliveryView delivery={delivery} note={sentWords(delivery.type, to)}>
            {on && delivery.status !== "erased" && <ReplayOne of={of} delivery={delivery} />}
          </DeliveryView>
        )}
      </Listing>
      {replaying && <ReplaySince of={of} close={() => setReplaying(false)} />}
    </section>
  );
}

function ReplayOne({ of, delivery }: { of: Receiver; delivery: Delivery }) {
  const { sequence, type, status } = delivery;
  const word = status === "waiting" ? "Try now" : "Replay";
  const replay = useDeed({
    ask: () => call("POST /v1/deliveries/replay", { body: { ...of, sequence, all: false } }),
    said: () => `Goes out again: ${type}`,
  });
  return (
    <Stack gap={4} align="flex-end">
      <Button
        size="xs"
        variant="default"
        loading={replay.isPending}
        onClick={() => replay.mutate()}
        aria-label={`${word} ${type} ${sequence}`}
      >
        {word}
      </Button>
      {replay.error !== null && (
        <Text size="xs" c="red" role="alert">
          {replay.error.message}
        </Text>
      )}
    </Stack>
  );
}

const DAY_MS = 24 * 3_600_000;

function ReplaySince({ of, close }: { of: Receiver; close: () => void }) {
  const [since, setSince] = useState(() => localText(Date.now() - DAY_MS, HOME_ZONE));
  const [what, setWhat] = useState("failed");
  const [data, setData] = useState<Replayed | null>(null);
  const replay = useDeed({
    ask: () => {
      const at = instantOf(since, HOME_ZONE) ?? 0;
      const rest = data?.more === true && data.last !== null ? { after: data.last } : {};
      const body = { ...of, since: at, all: what === "all", ...rest };
      return call("POST /v1/deliveries/replay", { body });
    },
    done: setData,
  });
  return (
    <Panel title="Replay deliveries" close={close}>
      <Form
        submit={() => replay.mutate()}
        deed={data?.more === true ? "Send more again" : "Send again"}
        pending={replay.isPending}
        error={replay.error}
        beside={["since"]}
        disabled={since === ""}
      >
        <TextInput
          type="datetime-local"
          label="Since"
          description="When the events happened"
          value={since}
          onChange={({ currentTarget }) => {
            setSince(currentTarget.value);
            setData(null);
          }}
          required
          withAsterisk={false}
          data-autofocus
          error={issueAt(replay.error, "since")}
        />
        <Radio.Group
          label="What"
          value={what}
          onChange={(value) => {
            setWhat(value);
            setData(null);
          }}
        >
          <Stack gap="xs" mt="xs">
            <Radio value="failed" label="What was given up" />
            <Radio
              value="all"
              label="Everything"
              description="Also what was taken before: events keep their ids, by which a receiver knows them"
            />
          </Stack>
        </Radio.Group>
        <div role="status">
          {data !== null && (
            <Text size="sm">
              {data.replayed === 0
                ? "There is nothing to send again."
                : `${counted(data.replayed, "event")} ${data.replayed === 1 ? "goes" : "go"} out again.`}
              {data.more && " There are more."}
            </Text>
          )}
        </div>
      </Form>
    </Panel>
  );
}
