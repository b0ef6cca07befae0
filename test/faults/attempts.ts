import type { Fault } from "./fault.ts";

/** H16–H21: what an attempt is and what comes after it. */
export const ATTEMPTS: Fault[] = [
  {
    name: "a capacity refusal uses an attempt",
    rule: "H21",
    file: "src/dialer/answer.ts",
    find: "  returnTask(state, task, campaign, now);\n",
    replace: `  state.sql.run("UPDATE task SET attempts = ? WHERE id = ?", call.attempt, task.id);
  returnTask(state, task, campaign, now);\n`,
    by: "sim",
  },
  {
    name: "a number that cannot exist is dialled again",
    rule: "H21",
    file: "src/dialer/answer.ts",
    find: '{ outcome: "failed", permanent: true }',
    replace: '{ outcome: "failed", permanent: false }',
    by: "sim",
  },
  {
    name: "attempts used up by an edit are dialled once more",
    rule: "H4",
    file: "src/dialer/dispatch.ts",
    find: "if (task.attempts >= attemptsMax)",
    replace: "if (task.attempts > attemptsMax)",
    by: "test/handbook/live-edit.test.ts",
  },
  {
    name: "a task's own number of attempts is ignored",
    rule: "H16",
    file: "src/dialer/conclude.ts",
    find: "attemptsMax: own.attemptsMax ?? campaign.settings.attemptsMax,",
    replace: "attemptsMax: campaign.settings.attemptsMax,",
    by: "sim",
  },
  {
    name: "a callback uses no attempt",
    rule: "H20",
    file: "src/core/retry.ts",
    find: "if (ending.attempt >= ending.attemptsMax)",
    replace: "if (ending.attempt >= ending.attemptsMax && ending.callbackAt === null)",
    by: "sim",
  },
  {
    name: "a callback waits like an ordinary retry",
    rule: "H20",
    file: "src/core/retry.ts",
    find: 'return { next: "retry", attempt, at, callback: true };',
    replace: 'return { next: "retry", attempt, at, callback: false };',
    by: "sim",
  },
  {
    name: "the interval counts from the report, not from the call's end",
    rule: "H18",
    file: "src/dialer/news.ts",
    find: `  call.placedAt ??= now;
  call.endedAt = Math.min(Math.max(news.endedAt ?? now, call.claimedAt), now);`,
    replace: `  call.placedAt ??= now;
  call.endedAt = now;`,
    by: "sim",
  },
  {
    name: "the interval counts from the decision, not from the call's end",
    rule: "H19",
    file: "src/core/retry.ts",
    find: "const at = ending.endedAt + intervalBefore",
    replace: "const at = ending.now + intervalBefore",
    by: "sim",
  },
  {
    name: "intervals are read one attempt too late",
    rule: "H17",
    file: "src/core/retry.ts",
    find: "intervalsMs[attempt - 2] ?? intervalsMs.at(-1)",
    replace: "intervalsMs[attempt - 1] ?? intervalsMs.at(-1)",
    by: "test/core/retry.test.ts",
  },
  {
    name: "voicemail is always retried",
    rule: "H18",
    file: "src/core/outcome.ts",
    find: 'export const ALWAYS_RETRIED = ["no_answer", "busy", "failed", "init_failed"]',
    replace:
      'export const ALWAYS_RETRIED = ["no_answer", "busy", "failed", "init_failed", "voicemail"]',
    by: "sim",
  },
  {
    name: "a busy_callback of an agent without callbacks is retried",
    rule: "H18",
    file: "src/core/retry.ts",
    find: 'if (outcome === "busy_callback") return rule.usesCallback;',
    replace: 'if (outcome === "busy_callback") return true;',
    by: "test/core/retry.test.ts",
  },
  {
    name: "the task is decided before its analysis came",
    rule: "H18",
    file: "src/dialer/news.ts",
    find: "    if (!news.concluding && awaits(state, call, outcome)) {",
    replace: "    if (!news.concluding && outcome === null && awaits(state, call, outcome)) {",
    by: "sim",
  },
  {
    name: "the carrier is not asked for an overdue analysis",
    rule: "H18",
    file: "src/dialer/attend.ts",
    find: "    if (call.checkAt === null) {\n      asking(state, call, now);\n      return [look];\n    }\n",
    replace: "",
    by: "test/handbook/analysis.test.ts",
  },
];
