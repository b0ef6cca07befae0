import {
  Chip,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { BANDS } from "../../core/campaign.ts";
import { ALWAYS_RETRIED, RETRIED_WHEN_CHOSEN } from "../../core/outcome.ts";
import { WEEKDAYS, type Weekday } from "../../core/window.ts";
import { useNow } from "../clock.ts";
import { type Draft, dayWord, planWords } from "../draft.ts";
import type { Agent, CallingNumber } from "../things.ts";
import { clockTime, HOME_ZONE, localText } from "../times.ts";
import { BAND, outcomeLook } from "../words.ts";
import { issueAt } from "./refusal.tsx";

export type FieldsProps = {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  error: Error | null;
};

export const ZONES = [
  HOME_ZONE,
  ...Intl.supportedValuesOf("timeZone").filter((one) => one !== HOME_ZONE),
];

/** Name, agent, number, priority and the campaign's own limit. */
export function Basics(
  props: FieldsProps & { agents: Agent[]; numbers: CallingNumber[]; optional?: boolean },
) {
  const { draft, set, error, agents, numbers, optional = false } = props;
  const agent = agents.find(({ id }) => id === draft.agent);
  const fitting = numbers.filter(
    ({ connection }) => agent === undefined || connection === agent.connection,
  );
  return (
    <Stack>
      <TextInput
        label="Name"
        placeholder="Abandoned carts, 12 January"
        value={draft.name}
        onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        maxLength={200}
        required
        withAsterisk={false}
        error={issueAt(error, "name")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Select
          label="Agent"
          description="Who speaks on the call"
          placeholder={optional ? "The workspace's, or each task's own" : "Choose an agent"}
          value={draft.agent}
          clearable={optional}
          onChange={(value) => {
            const next = agents.find(({ id }) => id === value);
            const fits = numbers.some(
              ({ id, connection }) => id === draft.from && connection === next?.connection,
            );
            const only = numbers.find(({ connection }) => connection === next?.connection);
            set({
              agent: value,
              from: value === null ? null : fits ? draft.from : (only?.id ?? null),
            });
          }}
          data={agents.map(({ id, name }) => ({ value: id, label: name }))}
          error={issueAt(error, "agent")}
        />
        <Select
          label="Calls from"
          description="What people see on their phone"
          placeholder={
            fitting.length === 0 ? "The agent's connection has no number" : "Choose a number"
          }
          value={draft.from}
          clearable={optional}
          onChange={(value) => set({ from: value })}
          data={fitting.map(({ id, phone, name }) => ({
            value: id,
            label: name === null ? phone : `${phone} · ${name}`,
          }))}
          error={issueAt(error, "from")}
        />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <div>
          <Text size="sm" fw={500} mb={4} id="priority">
            Priority
          </Text>
          <SegmentedControl
            fullWidth
            aria-labelledby="priority"
            value={draft.priority}
            onChange={(value) => set({ priority: value as Draft["priority"] })}
            data={BANDS.map((value) => ({ value, label: BAND[value].label }))}
          />
          <Text size="xs" mt={4} className="quiet">
            A free slot goes to high before normal before low.
          </Text>
        </div>
        <NumberInput
          label="Most calls at once"
          description="Of this campaign; empty for the workspace's slots"
          min={1}
          allowDecimal={false}
          value={draft.slots ?? ""}
          onChange={(value) => set({ slots: value === "" ? null : Number(value) })}
          error={issueAt(error, "slots")}
        />
      </SimpleGrid>
    </Stack>
  );
}

/** Timezone, start, end, calling hours and weekdays, and what they come to in plain words. */
export function TimeFields({
  draft,
  set,
  error,
  startFixed = false,
}: FieldsProps & { startFixed?: boolean }) {
  const now = useNow();
  const later = draft.startAfter !== null;
  return (
    <Stack>
      <Select
        label="Timezone"
        description="Of the people who are called"
        searchable
        limit={200}
        value={draft.timezone}
        onChange={(value) => value !== null && set({ timezone: value })}
        data={[...new Set([draft.timezone, ...ZONES])]}
        allowDeselect={false}
        error={issueAt(error, "timezone")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <div>
          <Switch
            label="Start later"
            checked={later}
            disabled={startFixed}
            onChange={({ currentTarget }) =>
              set({
                startAfter: currentTarget.checked
                  ? localText(now + 3_600_000, draft.timezone)
                  : null,
              })
            }
          />
          {later && (
            <TextInput
              mt="xs"
              type="datetime-local"
              aria-label="Start, in the campaign's timezone"
              disabled={startFixed}
              value={draft.startAfter ?? ""}
              onChange={({ currentTarget }) => set({ startAfter: currentTarget.value || null })}
              error={issueAt(error, "startAfter")}
            />
          )}
        </div>
        <div>
          <Switch
            label="End at a time"
            checked={draft.endAfter !== null}
            onChange={({ currentTarget }) =>
              set({
                endAfter: currentTarget.checked
                  ? localText(now + 7 * 86_400_000, draft.timezone)
                  : null,
              })
            }
          />
          {draft.endAfter !== null && (
            <TextInput
              mt="xs"
              type="datetime-local"
              aria-label="End, in the campaign's timezone"
              value={draft.endAfter}
              onChange={({ currentTarget }) => set({ endAfter: currentTarget.value || null })}
              error={issueAt(error, "endAfter")}
              description="What waits then is archived."
            />
          )}
        </div>
      </SimpleGrid>
      <HoursFields draft={draft} set={set} error={error} />
      <Text size="sm" role="status" aria-live="polite">
        {planWords(draft, now)}
      </Text>
    </Stack>
  );
}

type Hours = Pick<Draft, "timezone" | "allDay" | "opens" | "closes" | "days">;

/** Calling hours on a bar of the day, and weekdays. */
export function HoursFields({
  draft,
  set,
  error,
}: {
  draft: Hours;
  set: (change: Partial<Hours>) => void;
  error: Error | null;
}) {
  const now = useNow();
  return (
    <>
      <div>
        <Group justify="space-between" mb={6}>
          <Text size="sm" fw={500}>
            Calling hours
          </Text>
          <Switch
            label="At any hour"
            labelPosition="left"
            checked={draft.allDay}
            onChange={({ currentTarget }) => set({ allDay: currentTarget.checked })}
          />
        </Group>
        <HoursBar draft={draft} now={now} />
        {!draft.allDay && (
          <Group mt="xs" gap="xs">
            <TextInput
              type="time"
              aria-label="Opens"
              value={draft.opens}
              onChange={({ currentTarget }) => set({ opens: currentTarget.value })}
              error={issueAt(error, "start")}
            />
            <Text>to</Text>
            <TextInput
              type="time"
              aria-label="Closes"
              value={draft.closes}
              onChange={({ currentTarget }) => set({ closes: currentTarget.value })}
              error={issueAt(error, "end")}
            />
          </Group>
        )}
      </div>
      <div>
        <Text size="sm" fw={500} mb={6} id="days">
          Weekdays
        </Text>
        <Chip.Group
          multiple
          value={draft.days}
          onChange={(value) => set({ days: value as Weekday[] })}
        >
          <Group gap={6} role="group" aria-labelledby="days">
            {WEEKDAYS.map((day) => (
              <Chip key={day} value={day} size="sm">
                {dayWord(day)}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
        {issueAt(error, "days") !== undefined && (
          <Text size="xs" c="red" mt={4}>
            {issueAt(error, "days")}
          </Text>
        )}
      </div>
    </>
  );
}

const minutesOf = (text: string) => {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  return hours * 60 + minutes;
};
const share = (minutes: number) => `${(100 * minutes) / 1440}%`;

/** The day as a bar with its open hours, those past midnight at its beginning. */
function HoursBar({ draft, now }: { draft: Hours; now: number }) {
  const [opens, closes] = draft.allDay
    ? [0, 1440]
    : [minutesOf(draft.opens), minutesOf(draft.closes)];
  const parts =
    closes > opens
      ? [[opens, closes]]
      : [
          [opens, 1440],
          [0, closes],
        ];
  const here = minutesOf(clockTime(now, draft.timezone));
  return (
    <div aria-hidden>
      <div className="hours">
        {parts.map(([from = 0, to = 0]) => (
          <span
            key={from}
            className="open"
            style={{ left: share(from), width: share(to - from) }}
          />
        ))}
        <span className="now" style={{ left: share(here) }} />
      </div>
      <div className="hour-marks numbers">
        {["0", "6", "12", "18", "24"].map((hour) => (
          <span key={hour}>{hour}:00</span>
        ))}
      </div>
    </div>
  );
}

const UNITS = [
  { value: "1", label: "minutes" },
  { value: "60", label: "hours" },
  { value: "1440", label: "days" },
];

/** Attempts, the gaps between them, and after which outcomes there is another. */
export function FollowUp({ draft, set, error, agent }: FieldsProps & { agent: Agent | undefined }) {
  const each = draft.intervals.length > 1;
  const shown = each ? draft.retries : 1;
  const gaps = Array.from(
    { length: shown },
    (_, at) => draft.intervals[at] ?? draft.intervals.at(-1) ?? 30,
  );
  const setGap = (at: number, minutes: number) =>
    set({ intervals: gaps.map((gap, index) => (index === at ? minutes : gap)) });
  const always = [...ALWAYS_RETRIED, ...(agent?.usesCallback ? ["busy_callback"] : [])];
  const choosable = [
    ...RETRIED_WHEN_CHOSEN,
    ...(agent?.outcomes.map(({ name }) => name) ?? []),
    ...draft.retryOutcomes,
  ];
  return (
    <Stack>
      <NumberInput
        label="Retries"
        description="Attempts after the first; 0 is a single one"
        min={0}
        max={19}
        allowDecimal={false}
        value={draft.retries}
        onChange={(value) => set({ retries: Number(value) })}
        error={issueAt(error, "retries", "maxAttempts")}
        maw={260}
      />
      {draft.retries > 0 && (
        <>
          <div>
            <Group justify="space-between" mb={6}>
              <Text size="sm" fw={500}>
                Gap from an attempt's end to the next
              </Text>
              {draft.retries > 1 && (
                <Switch
                  label="One for each"
                  labelPosition="left"
                  checked={each}
                  onChange={({ currentTarget }) =>
                    set({
                      intervals: currentTarget.checked
                        ? Array.from({ length: draft.retries }, () => gaps[0] ?? 30)
                        : [gaps[0] ?? 30],
                    })
                  }
                />
              )}
            </Group>
            <Stack gap="xs">
              {gaps.map((minutes, at) => (
                <Gap
                  // biome-ignore lint/suspicious/noArrayIndexKey: a gap is its place
                  key={at}
                  minutes={minutes}
                  set={(value) => setGap(at, value)}
                  label={each ? `Before attempt ${at + 2}` : "Gap"}
                />
              ))}
            </Stack>
            {issueAt(error, "intervals", "intervals.0") !== undefined && (
              <Text size="xs" c="red" mt={4}>
                {issueAt(error, "intervals", "intervals.0")}
              </Text>
            )}
          </div>
          <div>
            <Text size="sm" fw={500} mb={6} id="outcomes">
              Another attempt after
            </Text>
            <Group gap={6} mb={6} role="group" aria-label="Always">
              {always.map((outcome) => (
                <Chip key={outcome} checked disabled size="sm">
                  {outcomeLook(outcome).label}
                </Chip>
              ))}
            </Group>
            <Chip.Group
              multiple
              value={draft.retryOutcomes}
              onChange={(value) => set({ retryOutcomes: value })}
            >
              <Group gap={6} role="group" aria-labelledby="outcomes">
                {[...new Set(choosable)].map((outcome) => (
                  <Chip key={outcome} value={outcome} size="sm">
                    {outcomeLook(outcome).label}
                  </Chip>
                ))}
              </Group>
            </Chip.Group>
            <Text size="xs" mt={6} className="quiet">
              The grey ones always bring another attempt; choose further ones.
            </Text>
          </div>
        </>
      )}
    </Stack>
  );
}

function Gap({
  minutes,
  set,
  label,
}: {
  minutes: number;
  set: (minutes: number) => void;
  label: string;
}) {
  const unit =
    minutes > 0 && minutes % 1440 === 0 ? 1440 : minutes > 0 && minutes % 60 === 0 ? 60 : 1;
  return (
    <Group gap="xs">
      <NumberInput
        aria-label={label}
        min={0}
        decimalScale={2}
        w={110}
        value={minutes / unit}
        onChange={(value) => set(Number(value) * unit)}
      />
      <Select
        aria-label={`${label}: unit`}
        w={120}
        allowDeselect={false}
        value={String(unit)}
        onChange={(value) => set((minutes / unit) * Number(value ?? 1))}
        data={UNITS}
      />
      {label !== "Gap" && (
        <Text size="sm" className="quiet">
          {label.toLowerCase()}
        </Text>
      )}
    </Group>
  );
}
