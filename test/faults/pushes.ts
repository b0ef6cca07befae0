import type { Fault } from "./fault.ts";

/** H9, H36, H40: the same push twice, and the do-not-call list. */
export const PUSHES: Fault[] = [
  {
    name: "the Idempotency-Key is kept after the transaction",
    rule: "H36",
    file: "src/dialer/push.ts",
    find: "    keepAnswer(state, request.idempotency, keepable(state, answers), now);\n",
    replace: `    const kept = keepable(state, answers);
    state.afterwards.push(() => keepAnswer(state, request.idempotency, kept, now));\n`,
    also: [
      {
        file: "src/dialer/state.ts",
        find: "  readonly ledger = new Ledger();\n",
        replace: "  readonly ledger = new Ledger();\n  readonly afterwards: (() => void)[] = [];\n",
      },
      {
        file: "src/dialer/dialer.ts",
        find: "    this.#errands.add(done.errands);\n",
        replace: `    for (const write of state.afterwards.splice(0)) this.#outside.after(1, write);
    this.#errands.add(done.errands);\n`,
      },
    ],
    by: "sim",
  },
  {
    name: "the Idempotency-Key counts for any body",
    rule: "H9",
    file: "src/dialer/idempotency.ts",
    find: "if (row.body_hash === asked.bodyHash) return {",
    replace: "return {",
    by: "sim",
  },
  {
    name: "the Idempotency-Key counts for any route",
    rule: "H9",
    file: "src/dialer/idempotency.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    find: "return `${asked.route} ${asked.key}`;",
    replace: "return asked.key;",
    by: "test/handbook/repeats.test.ts",
  },
  {
    name: "the Idempotency-Key is forgotten at midnight",
    rule: "H9",
    file: "src/dialer/idempotency.ts",
    find: "Array.from({ length: DAYS_KEPT + 1 }, (_, back)",
    replace: "Array.from({ length: 1 }, (_, back)",
    by: "test/handbook/repeats.test.ts",
  },
  {
    name: "an externalId is free again once its task has left",
    rule: "H9",
    file: "src/dialer/push.ts",
    find: "      known = row?.task ?? null;\n",
    replace:
      "      known = row === undefined ? null : (findTask(this.#state.sql, row.task)?.id ?? null);\n",
    also: [
      {
        file: "src/dialer/push.ts",
        find: "      `INSERT INTO external (campaign",
        replace: "      `INSERT OR REPLACE INTO external (campaign",
      },
    ],
    by: "sim",
  },
  {
    name: "an externalId twice in one request makes two tasks",
    rule: "H9",
    file: "src/dialer/push.ts",
    find: "const twin = task.externalId === null ? null :",
    replace: "const twin = task.externalId === null || index > 0 ? null :",
    also: [
      {
        file: "src/dialer/push.ts",
        find: "      `INSERT INTO external (campaign",
        replace: "      `INSERT OR REPLACE INTO external (campaign",
      },
    ],
    by: "sim",
  },
  {
    name: "a push to a completed campaign is taken",
    rule: "H30",
    file: "src/dialer/push.ts",
    find: "  if (isOver(campaign)) {",
    replace: "  if (campaign.archivedAt !== null) {",
    by: "sim",
  },
  {
    name: "the do-not-call list is checked at ingest alone",
    rule: "H40",
    file: "src/dialer/dispatch.ts",
    find: 'return isSuppressed(sql, task.hash, now) ? "archived" : null;',
    replace: 'return isSuppressed(sql, task.phone, now) ? "archived" : null;',
    by: "sim",
  },
  {
    name: "the do-not-call list is not checked for pushes",
    rule: "H40",
    file: "src/dialer/push.ts",
    find: "    if (suppressed.has(reading.hash)) {",
    replace: "    if (suppressed.has(reading.task.phone)) {",
    by: "sim",
  },
  {
    name: "an outcome that demands it puts no number on the list",
    rule: "H40",
    file: "src/dialer/conclude.ts",
    find: "  suppressIf(state, call, end.outcome, task, now);\n",
    replace: "",
    by: "sim",
  },
  {
    name: "a fetch removes what D1 has not yet got from the list",
    rule: "H40",
    file: "src/dialer/suppressed.ts",
    find: "WHERE excluded.version > suppressed.version AND suppressed.pending IS NULL`",
    replace: "WHERE excluded.version > suppressed.version`",
    by: "test/handbook/do-not-call.test.ts",
  },
  {
    name: "an entry of the list counts after its end",
    rule: "H40",
    file: "src/dialer/suppressed.ts",
    find: "return entry !== null && (entry.expires_at === null || entry.expires_at > now);",
    replace: "return entry !== null && (entry.expires_at === null || entry.expires_at > 0);",
    by: "test/handbook/do-not-call.test.ts",
  },
];
