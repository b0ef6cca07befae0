import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useNow } from "../clock.ts";
import { calendarDay, clockSeconds, dayAndTime, HOME_ZONE, relative, wholeTime } from "../times.ts";
import type { Look } from "../words.ts";

type SignProps = {
  look: Look;
  size?: "sm" | "md";
  /** A sentence rather than a word: it takes as many lines as it needs. */
  wrap?: boolean;
};

/** A status, an outcome or a band: its sign in colour, its word beside it. */
export function Sign({ look, size = "sm", wrap = false }: SignProps) {
  const { Icon, label, color } = look;
  const tone = `light-dark(var(--mantine-color-${color}-7), var(--mantine-color-${color}-4))`;
  return (
    <Group gap={6} wrap="nowrap" align={wrap ? "flex-start" : "center"} style={{ minWidth: 0 }}>
      <Icon
        size={size === "md" ? 18 : 16}
        color={tone}
        aria-hidden
        style={{ flex: "none", marginTop: wrap ? 2 : 0 }}
      />
      <Text
        span
        size={size}
        {...(wrap ? { style: { overflowWrap: "anywhere" } } : { className: "cut" })}
      >
        {label}
      </Text>
    </Group>
  );
}

type WhenProps = { at: number; zone: string; as?: "day" | "time" | "both" | "relative" };

/** An instant in the campaign's zone; whoever points at it sees the viewer's, too. */
export function When({ at, zone, as = "both" }: WhenProps) {
  const now = useNow();
  const texts = {
    day: () => calendarDay(at, zone, now),
    time: () => clockSeconds(at, zone),
    both: () => dayAndTime(at, zone, now),
    relative: () => relative(at, now),
  };
  const whole = [...new Set([wholeTime(at, zone), wholeTime(at, HOME_ZONE)])].join("\n");
  return (
    <time dateTime={new Date(at).toISOString()} title={whole} className="numbers">
      {texts[as]()}
    </time>
  );
}

/** An id that can be copied. */
export function CopyId({ id, what }: { id: string; what: string }) {
  return (
    <Group gap={2} wrap="nowrap" display="inline-flex">
      <Text span size="xs" ff="monospace" className="quiet cut">
        {id}
      </Text>
      <CopyIcon text={id} what={what} />
    </Group>
  );
}

export function CopyIcon({ text, what }: { text: string; what: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            onClick={copy}
            aria-label={copied ? "Copied" : `Copy ${what}`}
          >
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}
