import type { Fault } from "./fault.ts";

/** H12–H14: calling hours and starts. */
export const WINDOWS: Fault[] = [
  {
    name: "the window is checked when queued, not when dialled",
    rule: "H12",
    file: "src/dialer/lanes.ts",
    find: "      if (this.opensAt(top.lane, now, now) === now) return top.lane;",
    replace: "      if (top.lane.head !== null) return top.lane;",
    by: "sim",
  },
  {
    name: "closing time is still open: `<` for `<=`",
    rule: "H12",
    file: "src/core/window.ts",
    find: "if (to === from || to <= at) continue;",
    replace: "if (to === from || to < at) continue;",
    by: "test/core/window.test.ts",
  },
  {
    name: "closing time is still open to a window that memory knows",
    rule: "H12",
    file: "src/dialer/lanes.ts",
    find: "now >= known.from && now < known.until",
    replace: "now >= known.from && now <= known.until",
    by: "test/handbook/hours.test.ts",
  },
  {
    name: "windows that differ in their days share what memory knows",
    rule: "H12",
    file: "src/dialer/lanes.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    find: "${hours.opensMin}/${hours.closesMin}/${days}/${timezone}",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    replace: "${hours.opensMin}/${hours.closesMin}/${timezone}",
    by: "sim",
  },
  {
    name: "a task's own timezone is ignored",
    rule: "H12",
    file: "src/dialer/lanes.ts",
    find: "timezone: lane.timezone ?? settings.timezone,",
    replace: "timezone: settings.timezone,",
    by: "sim",
  },
  {
    name: "a task's own weekdays are ignored",
    rule: "H12",
    file: "src/dialer/lanes.ts",
    find: "days: lane.days ?? settings.days,",
    replace: "days: settings.days,",
    by: "sim",
  },
  {
    name: "a callback ignores calling hours",
    rule: "H20",
    file: "src/dialer/lanes.ts",
    find: "    const window = this.window(lane, this.#setting.campaign(lane.campaign));\n",
    replace:
      "    if (lane.callback) return at;\n    const window = this.window(lane, this.#setting.campaign(lane.campaign));\n",
    by: "sim",
  },
  {
    name: "a campaign's later start opens at once",
    rule: "H13",
    file: "src/dialer/lanes.ts",
    find: "Math.max(lane.head.at, campaign.startsAt, now)",
    replace: "Math.max(lane.head.at, now)",
    by: "test/handbook/time.test.ts",
  },
  {
    name: "a window past midnight belongs to the wrong day",
    rule: "H12",
    file: "src/core/window.ts",
    find: "for (let day = today - DAYS_BACK; day <= today",
    replace: "for (let day = today; day <= today",
    by: "test/core/window.test.ts",
  },
  {
    name: "a time that the clock jumps over opens an hour late",
    rule: "H12",
    file: "src/core/window.ts",
    find: "Math.max(local - span.offsetMs, span.from)",
    replace: "local - span.offsetMs",
    by: "test/core/window.test.ts",
  },
];
