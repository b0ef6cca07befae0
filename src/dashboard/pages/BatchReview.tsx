import { Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNow } from "../clock.ts";
import { type Draft, planWords } from "../draft.ts";
import * as queries from "../queries.ts";
import type { Agent } from "../things.ts";
import { roughly } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { BAND, counted, outcomeLook } from "../words.ts";

type Props = {
  draft: Draft;
  agent: Agent | undefined;
  number: string;
  /** Rows that will be called, and that will be rejected. */
  good: number;
  bad: number;
  slots: number;
};

/** Everything that was chosen, and what it will come to. */
export function Review({ draft, agent, number, good, bad, slots }: Props) {
  const now = useNow();
  const { retries, intervals, retryOutcomes } = draft;
  const gaps = intervals.slice(0, retries).map((minutes) => roughly(minutes * 60_000));
  const also = retryOutcomes.map((one) => outcomeLook(one).label).join(", ");
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Name">{draft.name}</Fact>
        <Fact name="Agent">{agent?.name ?? ""}</Fact>
        <Fact name="Calls from">{number}</Fact>
        <Fact name="Priority">{BAND[draft.priority].label}</Fact>
        <Fact name="List">
          {counted(good, "number")} to call{bad > 0 && `, ${counted(bad, "row")} rejected`}
        </Fact>
        <Fact name="Attempts">
          {retries === 0 ? "one" : `up to ${retries + 1}, ${gaps.join(", then ")} apart`}
        </Fact>
        {retries > 0 && also !== "" && <Fact name="Also retried">{also}</Fact>}
        {draft.slots !== null && <Fact name="At once">{counted(draft.slots, "call")} at most</Fact>}
      </dl>
      <Text size="sm">{planWords(draft, now)}</Text>
      <Estimate good={good} slots={slots} />
    </Stack>
  );
}

/** When the first attempts are through, by how long the newest calls held their slots. */
function Estimate({ good, slots }: { good: number; slots: number }) {
  const calls = useInfiniteQuery(queries.calls({}));
  const spans = (calls.data?.pages[0]?.items ?? []).flatMap(({ startedAt, endedAt }) =>
    endedAt === null ? [] : [endedAt - startedAt],
  );
  if (spans.length === 0) {
    return <Text size="sm">No call was made yet that could say how long it takes.</Text>;
  }
  const mean = spans.reduce((sum, ms) => sum + ms, 0) / spans.length;
  const whole = roughly(Math.ceil(good / slots) * mean || 1);
  return (
    <Text size="sm">
      The first attempts take about {whole} of calling hours: {counted(slots, "call")} at once,{" "}
      {roughly(mean)} each, as the last {spans.length} did. Other campaigns that take slots make it
      longer.
    </Text>
  );
}
