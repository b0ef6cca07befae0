import { Button, Code, Drawer, Group, Stack, Tabs, Text, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { Move } from "../../core/status.ts";
import { call } from "../api.ts";
import { useNow } from "../clock.ts";
import { useWatch } from "../live.ts";
import * as queries from "../queries.ts";
import type { CallSummary, Task as TaskData } from "../things.ts";
import { hourText, roughly } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { CopyIcon, CopyId, Sign, When } from "../ui/signs.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { nextWords, shownPhone } from "../ui/TaskRow.tsx";
import { CALL_STATUS, outcomeLook, TASK_STATUS } from "../words.ts";
import { CallPanel } from "./CallPanel.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/tasks/$task");

/** One task over its campaign's table, with an address of its own. */
export function Task() {
  const { campaign, task: id } = route.useParams();
  const navigate = route.useNavigate();
  const task = useQuery(queries.task(id));
  useWatch(campaign, [id]);
  useTitle(task.data === undefined ? "Task" : `Task ${shownPhone(task.data)}`);
  const close = () =>
    void navigate({
      to: "/campaigns/$campaign/tasks",
      params: { campaign },
      search: ({ call: _call, tab: _tab, ...rest }) => rest,
      resetScroll: false,
    });
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="lg"
      title={task.data === undefined ? "Task" : shownPhone(task.data)}
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={{ duration: 120 }}
    >
      {task.data === undefined ? (
        task.error === null ? (
          <Loading rows={4} />
        ) : (
          <Broken error={task.error} />
        )
      ) : (
        <Body task={task.data} />
      )}
    </Drawer>
  );
}

function Body({ task }: { task: TaskData }) {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const campaign = useQuery(queries.campaign(task.campaign));
  const zone = task.settings?.timezone.value ?? campaign.data?.timezone ?? "UTC";
  const now = useNow();
  return (
    <Stack gap="md">
      <div>
        <Group gap="md">
          <Sign look={TASK_STATUS[task.status]} size="md" />
          <Text size="sm" className="quiet numbers">
            attempt {task.attempts} of {task.maxAttempts ?? "?"}
          </Text>
          {task.lastOutcome !== null && <Sign look={outcomeLook(task.lastOutcome)} />}
        </Group>
        <Text size="sm" mt={4} className="quiet">
          {nextWords(task, zone, now)}
        </Text>
      </div>
      <Controls task={task} campaignPaused={campaign.data?.status === "paused"} />
      <Tabs
        value={tab === "details" ? "details" : "calls"}
        onChange={(value) =>
          void navigate({
            search: ({ tab: _tab, ...rest }) =>
              value === "details" ? { ...rest, tab: value } : rest,
            replace: true,
            resetScroll: false,
          })
        }
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="calls">Calls</Tabs.Tab>
          <Tabs.Tab value="details">Task details</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="calls">
          <Calls id={task.id} zone={zone} />
        </Tabs.Panel>
        <Tabs.Panel value="details">
          <Details task={task} zone={zone} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Controls({ task, campaignPaused }: { task: TaskData; campaignPaused: boolean }) {
  const mayRun = useMay("run");
  const client = useQueryClient();
  const [archiving, setArchiving] = useState(false);
  const move = useMutation({
    mutationFn: (verb: Move) => call(`POST /v1/tasks/{id}/${verb}`, { params: { id: task.id } }),
    onSuccess: (moved) => {
      client.setQueryData(queries.task(task.id).queryKey, moved);
      void client.invalidateQueries();
    },
  });
  const over = task.status === "completed" || task.status === "archived";
  if (!mayRun || over) return null;
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {task.status === "paused" ? (
          <Button
            size="xs"
            disabled={campaignPaused}
            loading={move.isPending}
            onClick={() => move.mutate("resume")}
          >
            Resume
          </Button>
        ) : (
          <Button
            size="xs"
            variant="default"
            loading={move.isPending}
            onClick={() => move.mutate("pause")}
          >
            Pause
          </Button>
        )}
        <Button
          size="xs"
          variant="default"
          c="red"
          loading={move.isPending}
          onClick={() => setArchiving(true)}
        >
          Archive …
        </Button>
        {task.status === "paused" && campaignPaused && (
          <Text size="xs" className="quiet">
            The campaign is paused: resume that.
          </Text>
        )}
      </Group>
      {archiving ? (
        <Confirm
          title="Archive this task?"
          deed="Archive"
          pending={move.isPending}
          error={move.error}
          confirm={() => move.mutate("archive", { onSuccess: () => setArchiving(false) })}
          close={() => setArchiving(false)}
        >
          {shownPhone(task)} is not called any more by this campaign. This is for good.
          {task.status === "running" && " The call in progress finishes."}
        </Confirm>
      ) : (
        <Refusal error={move.error} />
      )}
    </Stack>
  );
}

function Calls({ id, zone }: { id: string; zone: string }) {
  const calls = useQuery(queries.callsOfTask(id));
  const { call: open } = route.useSearch();
  const navigate = route.useNavigate();
  if (calls.data === undefined) {
    return calls.error === null ? <Loading rows={2} /> : <Broken error={calls.error} />;
  }
  if (calls.data.items.length === 0) {
    return (
      <Text size="sm" className="quiet">
        No call was made yet.
      </Text>
    );
  }
  const toggle = (one: CallSummary) =>
    void navigate({
      search: ({ call: before, ...rest }) => (before === one.id ? rest : { ...rest, call: one.id }),
      replace: true,
      resetScroll: false,
    });
  return (
    <div className="list">
      {[...calls.data.items].reverse().map((one) => {
        const isOpen = one.id === open;
        return (
          <div key={one.id} style={{ borderBottom: "1px solid var(--outdial-line)" }}>
            <UnstyledButton
              onClick={() => toggle(one)}
              aria-expanded={isOpen}
              w="100%"
              px="sm"
              py={10}
            >
              <Group gap="sm" wrap="nowrap">
                {isOpen ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
                <Text size="sm" fw={550} className="numbers">
                  Attempt {one.attempt}
                </Text>
                <Text size="sm" className="quiet cut">
                  <When at={one.startedAt} zone={zone} />
                </Text>
                <div style={{ marginLeft: "auto" }}>
                  <Sign
                    look={one.outcome === null ? CALL_STATUS[one.status] : outcomeLook(one.outcome)}
                  />
                </div>
              </Group>
              <Text size="xs" ff="monospace" className="quiet" pl={28}>
                {one.id}
              </Text>
            </UnstyledButton>
            {isOpen && (
              <div style={{ padding: "0 14px 8px" }}>
                <CallPanel id={one.id} zone={zone} />
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}

function Details({ task, zone }: { task: TaskData; zone: string }) {
  const agents = useQuery(queries.agents());
  const { settings } = task;
  const raw = JSON.stringify(task, null, 2);
  const names: Record<string, string> = {
    agent: "Agent",
    from: "Calls from",
    start: "Opens",
    end: "Closes",
    days: "Weekdays",
    timezone: "Timezone",
    startAfter: "Not before",
    endAfter: "Not after",
    priorities: "Priority of each attempt",
    maxAttempts: "Attempts",
    intervals: "Gaps between attempts",
    retryOutcomes: "Also retried",
  };
  const show = (name: string, value: unknown) => {
    if (value === null) return "none";
    if (name === "start" || name === "end") return hourText(Number(value));
    if (name === "startAfter" || name === "endAfter")
      return <When at={Number(value)} zone={zone} />;
    if (name === "intervals") return (value as number[]).map(roughly).join(", ");
    if (name === "agent")
      return agents.data?.items.find(({ id }) => id === value)?.name ?? String(value);
    if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
    return String(value);
  };
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Id">
          <CopyId id={task.id} what="the task's id" />
        </Fact>
        {task.externalId !== null && <Fact name="Your id">{task.externalId}</Fact>}
        <Fact name="Accepted">
          <When at={task.createdAt} zone={zone} />
        </Fact>
        {Object.entries(task.context).map(([name, value]) => (
          <Fact key={name} name={name}>
            {typeof value === "object" ? JSON.stringify(value) : String(value)}
          </Fact>
        ))}
      </dl>
      {task.consent != null && <Agreed consent={task.consent} zone={zone} />}
      <Text fw={600} size="sm">
        What counts for its next call
      </Text>
      <dl className="facts">
        {Object.entries(settings ?? {}).map(([name, { value, origin }]) => (
          <Fact key={name} name={names[name] ?? name}>
            {show(name, value)}{" "}
            <Text span size="xs" className="quiet">
              from the {origin}
            </Text>
          </Fact>
        ))}
      </dl>
      <Group justify="space-between">
        <Text fw={600} size="sm">
          As the API gives it
        </Text>
        <CopyIcon text={raw} what="as JSON" />
      </Group>
      <Code block mah={320} tabIndex={0} aria-label="The task as JSON">
        {raw}
      </Code>
    </Stack>
  );
}

/** What somebody agreed to who asked for the call by a form. */
function Agreed({ consent, zone }: { consent: NonNullable<TaskData["consent"]>; zone: string }) {
  const { form, version, text, at, page, address, userAgent } = consent;
  return (
    <>
      <Text fw={600} size="sm">
        Consent
      </Text>
      <dl className="facts">
        <Fact name="Agreed to">{text}</Fact>
        <Fact name="Version">{version}</Fact>
        <Fact name="At">
          <When at={at} zone={zone} />
        </Fact>
        <Fact name="On the page">{page ?? "unknown"}</Fact>
        <Fact name="From address">{address ?? "unknown"}</Fact>
        <Fact name="Browser">{userAgent ?? "unknown"}</Fact>
        <Fact name="Form">
          <CopyId id={form} what="the form's id" />
        </Fact>
      </dl>
    </>
  );
}
