import { ActionIcon, Button, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { Issue } from "../../core/result.ts";

export type OwnOutcome = { name: string; suppress: boolean };

/** Outcomes that only this agent reports (H18), and whether one puts the number on the do-not-call list (H40). */
export function OwnOutcomes(props: {
  outcomes: OwnOutcome[];
  set: (outcomes: OwnOutcome[]) => void;
  issues: Issue[];
}) {
  const { outcomes, set, issues } = props;
  const change = (at: number, edit: Partial<OwnOutcome>) =>
    set(outcomes.map((one, index) => (index === at ? { ...one, ...edit } : one)));
  return (
    <div role="group" aria-label="Outcomes of its own">
      <Text size="sm" fw={500}>
        Outcomes of its own
      </Text>
      <Text size="xs" className="quiet" mb={6}>
        Lower-case letters, digits and _, as the agent's analysis reports them
      </Text>
      <Stack gap="xs">
        {outcomes.map((outcome, at) => {
          const issue = issues.find(({ path }) => path.startsWith(`outcomes.${at}`));
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an outcome is its place while it is written
            <Group key={at} gap="xs" align="flex-start" wrap="nowrap">
              <TextInput
                aria-label={`Outcome ${at + 1}`}
                placeholder="interested"
                value={outcome.name}
                onChange={({ currentTarget }) => change(at, { name: currentTarget.value })}
                error={issue === undefined ? undefined : `Expected ${issue.expected}.`}
                style={{ flex: "1 1 80px" }}
              />
              <Switch
                mt={8}
                label="Never call again"
                styles={{ label: { whiteSpace: "nowrap" } }}
                checked={outcome.suppress}
                onChange={({ currentTarget }) => change(at, { suppress: currentTarget.checked })}
              />
              <ActionIcon
                mt={4}
                variant="subtle"
                color="gray"
                aria-label={`Remove outcome ${at + 1}`}
                onClick={() => set(outcomes.filter((_, index) => index !== at))}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          );
        })}
        {issues
          .filter(({ path }) => path === "outcomes")
          .map(({ expected }) => (
            <Text key={expected} size="xs" c="red">
              Expected {expected}.
            </Text>
          ))}
        <div>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => set([...outcomes, { name: "", suppress: false }])}
          >
            Add an outcome
          </Button>
        </div>
      </Stack>
    </div>
  );
}
