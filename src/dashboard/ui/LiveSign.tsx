import { Text, Tooltip } from "@mantine/core";
import type { LiveState } from "../live.ts";

const SAID: Readonly<Record<LiveState, { short: string; long: string }>> = {
  connecting: { short: "Connecting", long: "Opening the live connection" },
  live: { short: "Live", long: "What changes shows at once" },
  polling: {
    short: "Not live",
    long: "The live connection is away: this page asks every few seconds",
  },
  offline: { short: "Offline", long: "The server does not answer" },
};

/** Whether the page moves by itself, asks every few seconds, or is old. */
export function LiveSign({ state }: { state: LiveState }) {
  const { short, long } = SAID[state];
  return (
    <Tooltip label={long}>
      <div className="live-sign" data-state={state} role="status" aria-label={`${short}: ${long}`}>
        <span className="dot" aria-hidden />
        <Text span size="xs" visibleFrom="xs" aria-hidden>
          {short}
        </Text>
      </div>
    </Tooltip>
  );
}
