import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Menu,
  Modal,
  Stack,
  Tabs,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import {
  IconArchive,
  IconChevronLeft,
  IconDots,
  IconDownload,
  IconPlayerPause,
  IconPlayerPlay,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Move } from "../../core/status.ts";
import { ApiError, addressOf, call } from "../api.ts";
import { useNow } from "../clock.ts";
import { useWatch } from "../live.ts";
import * as queries from "../queries.ts";
import type { Campaign as CampaignData } from "../things.ts";
import { length } from "../times.ts";
import { connectRate } from "../ui/CampaignRow.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Legend, ProgressBar } from "../ui/progress.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { CopyId, Sign } from "../ui/signs.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { CAMPAIGN_STATUS, CAMPAIGN_TYPE, counted, waitingWords } from "../words.ts";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign");

const TABS = {
  tasks: "Tasks",
  calls: "Calls",
  imports: "Imports",
  push: "Push",
  overview: "Overview",
  settings: "Settings",
  activity: "Activity",
} as const;
type Tab = keyof typeof TABS;

/** Tasks are watched by who shows them. */
const NONE: readonly string[] = [];

/** One campaign: what it does, what holds it up, its controls, and its tabs. */
export function Campaign() {
  const { campaign: id } = route.useParams();
  const campaign = useQuery(queries.campaign(id));
  useTitle(campaign.data?.name ?? "Campaign");
  useWatch(id, NONE);
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const mayGovern = useMay("govern");
  if (campaign.data === undefined) {
    if (campaign.error === null) return <Loading rows={4} height={60} />;
    if (campaign.error instanceof ApiError && campaign.error.status === 404) {
      return (
        <Empty title="There is no such campaign in this workspace">
          <ButtonLink to="/" variant="default">
            To the campaigns
          </ButtonLink>
        </Empty>
      );
    }
    return <Broken error={campaign.error} again={() => void campaign.refetch()} />;
  }
  const { type } = campaign.data;
  const tabs: Tab[] = ["tasks", "overview", "calls", type === "batch" ? "imports" : "push"];
  tabs.push("settings", ...(mayGovern ? (["activity"] as const) : []));
  const tab = tabs.find((one) => pathname.split("/")[3] === one) ?? "tasks";
  return (
    <>
      <Header campaign={campaign.data} />
      <Tabs
        value={tab}
        onChange={(value) =>
          void navigate({
            to: `/campaigns/$campaign/${(value ?? "tasks") as Tab}`,
            params: { campaign: id },
          })
        }
      >
        <Tabs.List mb="md">
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {TABS[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          <Outlet />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Header({ campaign }: { campaign: CampaignData }) {
  const { counters, status, waiting, timezone } = campaign;
  const now = useNow();
  const mayRun = useMay("run");
  const mayExport = useMay("see_personal");
  const [archiving, setArchiving] = useState(false);
  const move = useMove(campaign);
  const over = status === "completed" || status === "archived";
  return (
    <Stack gap="sm" mb="lg">
      <Group gap={4}>
        <Link
          to="/"
          className="nav-link"
          style={{ padding: "2px 8px 2px 2px", display: "inline-flex" }}
        >
          <IconChevronLeft size={18} aria-hidden /> Campaigns
        </Link>
      </Group>
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0, flex: "1 1 260px" }}>
          <Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
            {campaign.name}
          </Title>
          <Group gap="sm" mt={4}>
            <Sign look={CAMPAIGN_STATUS[status]} />
            <Text size="sm" className="quiet">
              {CAMPAIGN_TYPE[campaign.type]}
            </Text>
            <CopyId id={campaign.id} what="the campaign's id" />
          </Group>
        </div>
        <Group gap="xs">
          {mayRun && !over && (
            <Button
              leftSection={
                status === "paused" ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />
              }
              variant={status === "paused" ? "filled" : "default"}
              loading={move.isPending}
              onClick={() => move.mutate(status === "paused" ? "resume" : "pause")}
            >
              {status === "paused" ? "Resume" : "Pause"}
            </Button>
          )}
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="default" size={36} aria-label="More">
                <IconDots size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                component="a"
                disabled={!mayExport}
                leftSection={<IconDownload size={16} />}
                href={addressOf("GET /v1/campaigns/{id}/tasks.csv", {
                  params: { id: campaign.id },
                })}
                download
              >
                Export tasks as CSV
                {!mayExport && (
                  <Text size="xs" className="quiet">
                    Needs a grant: it holds full numbers
                  </Text>
                )}
              </Menu.Item>
              {mayRun && status !== "archived" && status !== "completed" && (
                <Menu.Item
                  color="red"
                  leftSection={<IconArchive size={16} />}
                  onClick={() => setArchiving(true)}
                >
                  Archive …
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Group>
      <Refusal error={move.error} />
      <ProgressBar counts={counters} height={10} />
      <Group justify="space-between" gap="xs">
        <Legend
          counts={counters}
          link={(wanted, children) => (
            <Link
              to="/campaigns/$campaign/tasks"
              params={{ campaign: campaign.id }}
              search={{ status: wanted }}
            >
              {children}
            </Link>
          )}
        />
        <Text size="sm" className="quiet numbers">
          {counted(counters.attempts, "attempt")} · {connectRate(campaign) ?? "–"} reached ·{" "}
          {length(counters.talkMs)} talked
        </Text>
      </Group>
      {waiting !== null && !over && (counters.queued > 0 || status !== "running") && (
        <Alert color={status === "paused" ? "orange" : "gray"} py="xs" role="status">
          {status === "paused"
            ? `Paused by hand: ${counted(counters.paused, "task")} wait. Calls in progress finish.`
            : `Nothing is dialled now: ${waitingWords(waiting, timezone, now)}.`}
        </Alert>
      )}
      <Archive campaign={campaign} opened={archiving} close={() => setArchiving(false)} />
    </Stack>
  );
}

const DONE: Record<Move, string> = { pause: "Paused", resume: "Resumed", archive: "Archived" };

function useMove(campaign: CampaignData) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (move: Move) =>
      call(`POST /v1/campaigns/{id}/${move}`, { params: { id: campaign.id } }),
    onSuccess: (moved, move) => {
      client.setQueryData(queries.campaign(campaign.id).queryKey, moved);
      void client.invalidateQueries();
      notifications.show({ message: `${DONE[move]}: ${campaign.name}` });
    },
  });
}

function Archive(props: { campaign: CampaignData; opened: boolean; close: () => void }) {
  const { campaign, opened, close } = props;
  const { counters } = campaign;
  const [typed, setTyped] = useState("");
  const move = useMove(campaign);
  const ends = counters.queued + counters.paused;
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Archive this campaign?"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          move.mutate("archive", { onSuccess: close });
        }}
      >
        <Stack>
          <Text size="sm">
            {ends === 0
              ? "No task waits any more."
              : `${counted(ends, "task")} that wait${ends === 1 ? "s" : ""} now will not be called.`}{" "}
            {counters.running > 0 &&
              `${counted(counters.running, "call")} in progress will finish. `}
            This is for good.
          </Text>
          <TextInput
            label={`Type the campaign's name: ${campaign.name}`}
            value={typed}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
            data-autofocus
            autoComplete="off"
          />
          <Refusal error={move.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button
              type="submit"
              color="red"
              disabled={typed.trim() !== campaign.name}
              loading={move.isPending}
            >
              {ends === 0 ? "Archive" : `Archive, and end ${counted(ends, "task")}`}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
