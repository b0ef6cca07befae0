import { Badge, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useNow } from "../clock.ts";
import type { Campaign } from "../things.ts";
import { BAND, CAMPAIGN_STATUS, CAMPAIGN_TYPE, count, percent, waitingWords } from "../words.ts";
import { ProgressBar, total } from "./progress.tsx";
import { Sign, When } from "./signs.tsx";

/** Share of concluded attempts in which somebody was reached. */
export function connectRate({ counters }: Campaign): string | null {
  return percent(reached(counters.outcomes), counters.attempts);
}

const NOBODY = ["no_answer", "busy", "failed", "init_failed", "voicemail", "no_response"];

export function reached(outcomes: Record<string, number>): number {
  return Object.entries(outcomes)
    .filter(([outcome]) => !NOBODY.includes(outcome))
    .reduce((sum, [, times]) => sum + times, 0);
}

export function CampaignRow({ campaign, agent }: { campaign: Campaign; agent: string | null }) {
  const { counters, waiting, status, timezone, priority } = campaign;
  const now = useNow();
  const all = total(counters);
  const done = counters.completed + counters.archived;
  const waits = waiting !== null && status !== "paused" && counters.queued > 0;
  return (
    <div className="row campaign-row" role="row">
      <div className="cut" role="cell">
        <Link to="/campaigns/$campaign" params={{ campaign: campaign.id }} className="row-link cut">
          {campaign.name}
        </Link>
        <Group gap={6} wrap="nowrap">
          <Text span size="xs" className="quiet">
            {CAMPAIGN_TYPE[campaign.type]}
          </Text>
          {priority !== "normal" && (
            <Badge size="xs" variant="default" tt="none" fw={500}>
              {BAND[priority].label} priority
            </Badge>
          )}
        </Group>
      </div>
      <div role="cell" className="cut">
        <Sign look={CAMPAIGN_STATUS[status]} />
        {waits && (
          <Text
            size="xs"
            className="quiet cut waits-wide"
            title={waitingWords(waiting, timezone, now)}
          >
            {waitingWords(waiting, timezone, now)}
          </Text>
        )}
      </div>
      <div role="cell" className="progress">
        <ProgressBar counts={counters} />
        <Text size="xs" mt={4} className="quiet numbers">
          {all === 0 ? "no tasks yet" : `${count(done)} of ${count(all)} done`}
          {counters.running > 0 && ` · ${count(counters.running)} running`}
        </Text>
        {waits && (
          <Text size="xs" className="quiet waits-narrow">
            {waitingWords(waiting, timezone, now)}
          </Text>
        )}
      </div>
      <div role="cell" className="minor cut">
        {agent ?? "none of its own"}
      </div>
      <div role="cell" className="minor">
        <When at={campaign.createdAt} zone={timezone} as="day" />
      </div>
      <div role="cell" className="minor numbers">
        {connectRate(campaign) ?? "–"}
      </div>
    </div>
  );
}
