import { SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import * as queries from "../queries.ts";
import type { Overview as Data } from "../things.ts";
import { clockTime, roughly, zoneName } from "../times.ts";
import { reached } from "../ui/CampaignRow.tsx";
import { type Bar, Chart, type Series } from "../ui/Chart.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { outcomeLook } from "../words.ts";

const route = getRouteApi("/frame/campaigns/$campaign/overview");
const MINUTE_MS = 60_000;
const MINUTES = 60;
/** Of the agent's own outcomes, one after the other. */
const OWN_COLORS = ["cyan", "lime", "pink", "violet", "yellow", "indigo"];
const SHADES: Record<string, number> = {
  no_answer: 4,
  busy: 6,
  voicemail: 7,
  no_response: 8,
  init_failed: 4,
};

/** What a campaign's calls come to, drawn and as numbers. */
export function Overview() {
  const { campaign: id } = route.useParams();
  const campaign = useQuery(queries.campaign(id));
  const overview = useQuery(queries.overview(id));
  if (campaign.data === undefined || overview.data === undefined) {
    return overview.error === null ? (
      <Loading rows={2} height={260} />
    ) : (
      <Broken error={overview.error} again={() => void overview.refetch()} />
    );
  }
  const { timezone } = campaign.data;
  const { attempts, minutes, hours, firstDial } = overview.data;
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Chart
          title="Outcomes by attempt"
          lead="How calls ended, of each task's first attempt, its second, and so on."
          of="Attempt"
          bars={attempts.map(({ attempt, outcomes }) => ({ ...outcomes, label: String(attempt) }))}
          series={seriesOf(attempts)}
        />
        <Chart
          title="Reached, by hour of day"
          lead={`Of 100 calls, in how many somebody was reached; the hour is that of ${zoneName(timezone)}.`}
          of="Hour"
          bars={hourBars(hours)}
          series={[{ name: "share", label: "Reached", color: "teal.6" }]}
          unit=" %"
        />
        <Chart
          title="Calls per minute"
          lead="Calls started in each minute of the last hour."
          of="Minute"
          bars={minuteBars(minutes, timezone, overview.dataUpdatedAt)}
          series={[{ name: "calls", label: "Calls", color: "blue.6" }]}
        />
        {firstDial !== null && (
          <Chart
            title="From push to first dial"
            lead={`Half of the newest pushes were dialled within ${waitWords(firstDial.medianMs)}, 95 of 100 within ${waitWords(firstDial.p95Ms)}.`}
            of="Within"
            bars={stepBars(firstDial.steps)}
            series={[{ name: "calls", label: "Tasks", color: "indigo.6" }]}
          />
        )}
      </SimpleGrid>
      <Text size="xs" className="quiet">
        Of calls that started in the last 30 days.
      </Text>
    </Stack>
  );
}

type ByOutcome = { outcomes: Record<string, number> }[];

/** Every outcome that came up, those that reached somebody first. */
function seriesOf(rows: ByOutcome): Series[] {
  const names = [...new Set(rows.flatMap(({ outcomes }) => Object.keys(outcomes)))];
  let own = 0;
  return names
    .sort((a, b) => reached({ [b]: 1 }) - reached({ [a]: 1 }))
    .map((name) => {
      const { label, color } = outcomeLook(name);
      const known = name in SHADES || ["connected", "failed", "busy_callback"].includes(name);
      const tone = known ? color : (OWN_COLORS[own++ % OWN_COLORS.length] ?? color);
      return { name, label, color: `${tone}.${SHADES[name] ?? 6}` };
    });
}

function hourBars(hours: Data["hours"]): Bar[] {
  return hours.map(({ hour, outcomes }) => {
    const all = Object.values(outcomes).reduce((sum, calls) => sum + calls, 0);
    const share = Math.round((100 * reached(outcomes)) / Math.max(1, all));
    return { label: `${String(hour).padStart(2, "0")}:00`, share };
  });
}

/** Each of the last 60 minutes, those without a call too. */
function minuteBars(minutes: Data["minutes"], timezone: string, now: number): Bar[] {
  if (minutes.length === 0) return [];
  const calls = new Map(minutes.map(({ at, calls }) => [at, calls]));
  const last = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  return Array.from({ length: MINUTES }, (_, index) => {
    const at = last - (MINUTES - 1 - index) * MINUTE_MS;
    return { label: clockTime(at, timezone), calls: calls.get(at) ?? 0 };
  });
}

type Steps = NonNullable<Data["firstDial"]>["steps"];

function stepBars(steps: Steps): Bar[] {
  const last = steps.findLastIndex(({ calls }) => calls > 0);
  return steps.slice(0, Math.max(3, last + 1)).map(({ upToMs, calls }) => {
    return { label: upToMs === null ? "longer" : roughly(upToMs), calls };
  });
}

function waitWords(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : roughly(ms);
}
