import {
  Checkbox,
  Group,
  Radio,
  Stack,
  Switch,
  Text,
  TextInput,
  UnstyledButton,
} from "@mantine/core";
import {
  EVENT_TYPES,
  type EventType,
  WEBHOOK_SHAPES,
  type WebhookShape,
} from "../../core/webhook.ts";
import { EVENT_GROUPS, EVENT_MEANS, SHAPE } from "../events.ts";
import { issueAt, issuesUnder } from "./refusal.tsx";

export type WebhookDraft = {
  name: string;
  url: string;
  events: EventType[];
  texts: boolean;
  shape: WebhookShape;
};

/** What most receivers want to hear. */
export const NEW_WEBHOOK: WebhookDraft = {
  name: "",
  url: "",
  events: ["call.ended", "task.completed", "task.archived"],
  texts: false,
  shape: "standard",
};

/** Fields that say themselves what is wrong with them. */
export const WEBHOOK_BESIDE = ["name", "url", "events", "events.", "texts", "shape"];

export function WebhookFields(props: {
  draft: WebhookDraft;
  set: (draft: WebhookDraft) => void;
  error: Error | null;
}) {
  const { draft, set, error } = props;
  const [issue] = issuesUnder(error, "events");
  return (
    <>
      <TextInput
        label="Name"
        description="Which system is told"
        placeholder="CRM"
        value={draft.name}
        onChange={({ currentTarget }) => set({ ...draft, name: currentTarget.value })}
        maxLength={200}
        required
        withAsterisk={false}
        data-autofocus
        error={issueAt(error, "name")}
      />
      <TextInput
        label="Address"
        description="Where events are posted: https, on the public internet"
        placeholder="https://crm.example.com/hooks/outdial"
        inputMode="url"
        autoComplete="off"
        value={draft.url}
        onChange={({ currentTarget }) => set({ ...draft, url: currentTarget.value })}
        maxLength={2000}
        required
        withAsterisk={false}
        error={issueAt(error, "url")}
      />
      <Checkbox.Group
        label="Events"
        description="What it is told of"
        value={draft.events}
        onChange={(events) => set({ ...draft, events: inOrder(events) })}
        error={issue === undefined ? undefined : `Expected ${issue.expected}; got ${issue.got}.`}
      >
        <Stack gap="lg" mt="sm">
          {EVENT_GROUPS.map((group) => (
            <EventGroup
              key={group.name}
              group={group}
              chosen={draft.events}
              set={(events) => set({ ...draft, events: inOrder(events) })}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Switch
        label="With what was said"
        description="call.analyzed brings transcript and analysis; without, it says only that they are there"
        checked={draft.texts}
        onChange={({ currentTarget }) => set({ ...draft, texts: currentTarget.checked })}
        error={issueAt(error, "texts")}
      />
      <Radio.Group
        label="Shape"
        value={draft.shape}
        onChange={(shape) => set({ ...draft, shape: shape as WebhookShape })}
        error={issueAt(error, "shape")}
      >
        <Stack gap="xs" mt="xs">
          {WEBHOOK_SHAPES.map((shape) => (
            <Radio
              key={shape}
              value={shape}
              label={SHAPE[shape].label}
              description={SHAPE[shape].means}
            />
          ))}
        </Stack>
      </Radio.Group>
    </>
  );
}

function EventGroup(props: {
  group: (typeof EVENT_GROUPS)[number];
  chosen: readonly EventType[];
  set: (events: string[]) => void;
}) {
  const { group, chosen, set } = props;
  const others = chosen.filter((type) => !group.types.includes(type));
  const hasAll = group.types.every((type) => chosen.includes(type));
  return (
    <Stack gap="xs" role="group" aria-label={group.name}>
      <Group gap="sm">
        <Text size="sm" fw={600}>
          {group.name}
        </Text>
        {group.types.length > 1 && (
          <UnstyledButton
            className="quiet"
            fz="xs"
            td="underline"
            onClick={() => set(hasAll ? others : [...others, ...group.types])}
            aria-label={hasAll ? `None of ${group.name}` : `All of ${group.name}`}
          >
            {hasAll ? "None" : "All"}
          </UnstyledButton>
        )}
      </Group>
      {group.types.map((type) => (
        <Checkbox key={type} value={type} label={type} description={EVENT_MEANS[type]} />
      ))}
    </Stack>
  );
}

function inOrder(events: readonly string[]): EventType[] {
  return EVENT_TYPES.filter((type) => events.includes(type));
}
