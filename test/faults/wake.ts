import type { Fault } from "./fault.ts";

const WAKE = "wake";

/** Wake ≤ the earliest event that can make progress. */
export const WAKING: Fault[] = [
  {
    name: "the alarm is set for the future alone",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "    if (at === null) return;\n    const wanted = Math.max(at, now + 1);",
    replace: "    if (at === null || at <= now) return;\n    const wanted = at;",
    by: "test/handbook/waking.test.ts",
  },
  {
    name: "an alarm that was lost is waited for",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "if (this.#at !== null && this.#at <= wanted && !lost) return;",
    replace: "if (this.#at !== null && this.#at <= wanted) return;",
    by: "test/handbook/waking.test.ts",
  },
  {
    name: "an alarm that came counts as set",
    rule: WAKE,
    file: "src/dialer/dialer.ts",
    find: "    this.#wake.came();\n",
    replace: "",
    by: "test/handbook/time.test.ts",
  },
  {
    name: "nothing wakes for a probe",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "  for (const trouble of state.connections.troubles()) events.push(trouble.probeAt);\n",
    replace: "",
    by: "test/handbook/unknown.test.ts",
  },
  {
    name: "nothing wakes for a back-off's end",
    rule: WAKE,
    file: "src/dialer/dispatch.ts",
    find: "      if (shut?.until != null) wakeAt = Math.min(wakeAt ?? shut.until, shut.until);\n",
    replace: "",
    by: "test/handbook/refusals.test.ts",
  },
  {
    name: "nothing wakes for a campaign's end",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "  for (const campaign of state.liveCampaigns()) events.push(campaign.settings.endAfter);\n",
    replace: "",
    by: "test/handbook/time.test.ts",
  },
  {
    name: "nothing wakes for a task's end",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "    state.nextEnd(),\n",
    replace: "",
    by: "test/handbook/time.test.ts",
  },
  {
    name: "a later end hides the earlier one",
    rule: "H14",
    file: "src/dialer/state.ts",
    find: "this.#nextEnd = Math.min(this.#nextEnd ?? at, at);",
    replace: "this.#nextEnd = Math.max(this.#nextEnd ?? at, at);",
    by: "sim",
  },
  {
    name: "nothing wakes for the flush when its timer is lost",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "    own.flush === null ? null : own.flush + TIMER_GRACE_MS,\n",
    replace: "",
    by: "test/handbook/told.test.ts",
  },
  {
    name: "nothing wakes for calls that are due",
    rule: WAKE,
    file: "src/dialer/wake.ts",
    find: "    state.ledger.nextDue(),\n",
    replace: "",
    by: "test/handbook/rescue.test.ts",
  },
];
