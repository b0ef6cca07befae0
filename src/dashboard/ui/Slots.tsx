import { Alert, Group, Paper, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useNow } from "../clock.ts";
import type { Campaign, Workspace } from "../things.ts";
import { relative, roughly } from "../times.ts";
import { count } from "../words.ts";

/** Slots in use of how many, and whose calls they are. */
export function Slots(props: {
  workspace: Workspace;
  campaigns: Campaign[];
  /** Further trouble that somebody should look at. */
  children?: ReactNode;
}) {
  const { workspace, campaigns, children } = props;
  const { slots, slotsInUse, waiting } = workspace;
  const now = useNow();
  const users = campaigns
    .filter(({ counters }) => counters.running > 0)
    .sort((a, b) => b.counters.running - a.counters.running);
  const shown = users.slice(0, 3);
  const others = users.slice(3).reduce((sum, { counters }) => sum + counters.running, 0);
  const text = `${slotsInUse} of ${slots} slots in use`;
  return (
    <Paper withBorder p="md" mb="lg">
      <Group justify="space-between" gap="xs" mb={8}>
        <Text fw={600} className="numbers">
          {text}
        </Text>
        <Text size="sm" className="quiet numbers">
          {count(waiting)} waiting
        </Text>
      </Group>
      <div className="bar" role="img" aria-label={text}>
        {slotsInUse > 0 && (
          <span style={{ flexGrow: slotsInUse, background: "var(--mantine-color-blue-6)" }} />
        )}
        {slots > slotsInUse && <span style={{ flexGrow: slots - slotsInUse }} />}
      </div>
      {users.length > 0 && (
        <Text size="sm" mt={8} className="quiet">
          Running now:{" "}
          {[
            ...shown.map(({ name, counters }) => `${name} ${count(counters.running)}`),
            ...(others > 0 ? [`others ${count(others)}`] : []),
          ].join(" · ")}
        </Text>
      )}
      {workspace.connections
        .filter(({ state }) => state !== "ok")
        .map(({ id, state, suspended, reason, since, until }) => (
          <Alert
            key={id}
            color={suspended ? "red" : "orange"}
            icon={<IconPlugConnectedX />}
            mt="sm"
            py="xs"
          >
            {suspended
              ? "A connection is suspended"
              : state === "probing"
                ? "A connection is being tried"
                : "A connection backs off"}
            {reason === null ? "" : `: ${reason}`}
            {since === null ? "" : `, for ${roughly(now - since)}`}
            {until === null ? "" : `; next try ${relative(until, now)}`}.
          </Alert>
        ))}
      {children}
    </Paper>
  );
}
