import type { Fault } from "./fault.ts";

/** H21, H22: refusals, lost answers, back-off, probes, look-ups and leases. */
export const DOUBT: Fault[] = [
  {
    name: "a lost answer counts as never sent",
    rule: "H22",
    file: "src/dialer/answer.ts",
    find: '      if (call.state !== "placing") return;\n      return lost(state, call, answer.word, now);',
    replace:
      '      if (call.state !== "placing") return;\n      return refused(state, call, "unreachable", answer.word, now);',
    by: "sim",
  },
  {
    name: "a restart takes dials without an answer back",
    rule: "H22",
    file: "src/dialer/dialer.ts",
    find: 'if (call !== null) lost(state, call, "restarted before the answer", now);',
    replace: `if (call !== null) {
          const answer = { kind: "refused", reason: "unreachable", word: "restarted" } as const;
          answered(state, call, answer, now);
        }`,
    by: "sim",
  },
  {
    name: "a restart waits for answers that nobody brings",
    rule: "H22",
    file: "src/dialer/dialer.ts",
    find: "    this.#loseAnswers(state, now);\n",
    replace: "",
    by: "sim",
  },
  {
    name: "an answer that comes after the end takes the slot back",
    rule: "H22",
    file: "src/dialer/answer.ts",
    find: '      if (call.state === "placing" || call.state === "unknown") {',
    replace: '      if (call.state !== "concluded") {',
    by: "test/handbook/overtaken.test.ts",
  },
  {
    name: "a look-up that knows nothing ends the call",
    rule: "H22",
    file: "src/dialer/errands.ts",
    find: '      if (call === null || found.kind === "unknown") return;\n',
    replace: `      if (call === null) return;
      if (found.kind === "unknown") {
        const nothing = { word: null, ringingAt: null, answeredAt: null, endedAt: null };
        const none = { talkMs: null, callbackAt: null, costMicros: null, currency: null };
        const texts = { recordingUrl: null, transcript: null, analysis: null, refusal: null };
        const over = { ended: true, concluding: true, outcome: "failed" };
        return hear(state, call, { ...nothing, ...none, ...texts, ...over }, null, now);
      }
`,
    by: "sim",
  },
  {
    name: "a probe that fails counts as proof",
    rule: "H22",
    file: "src/dialer/errands.ts",
    find: "    await carrier.test(settings, this.#outside.timeout(GIVE_UP_MS));",
    replace:
      "    await carrier.test(settings, this.#outside.timeout(GIVE_UP_MS)).catch(() => undefined);",
    by: "sim",
  },
  {
    name: "a probe that is due lets dials through",
    rule: "H22",
    file: "src/dialer/connections.ts",
    find: "      if (trouble.probeAt !== null)\n",
    replace: "      if (trouble.probeAt !== null && trouble.probeAt > now)\n",
    by: "sim",
  },
  {
    name: "a lost answer suspends no connection",
    rule: "H22",
    file: "src/dialer/answer.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    find: "  state.connections.doubt(call.connection, `an answer was lost (${said})`, now);\n",
    replace: "  call.word ??= word;\n",
    by: "sim",
  },
  {
    name: "a probe that goes out ends the doubt",
    rule: "H22",
    file: "src/dialer/connections.ts",
    find: "this.#save({ ...known, probeMs, probeAt: now + known.probeMs });",
    replace: "this.#save({ ...known, probeMs, probeAt: null });",
    by: "sim",
  },
  {
    name: "a back-off lets through all dials at once",
    rule: "H21",
    file: "src/dialer/connections.ts",
    find: "(trouble.backoffUntil > now || placing > 0)",
    replace: "trouble.backoffUntil > now",
    by: "sim",
  },
  {
    name: "the gap of a back-off does not grow",
    rule: "H21",
    file: "src/dialer/connections.ts",
    find: "lastMs === null ? GAP_MIN_MS : Math.min(lastMs * 2, GAP_MAX_MS);",
    replace: "lastMs === null ? GAP_MIN_MS : Math.min(lastMs, GAP_MAX_MS);",
    by: "sim",
  },
  {
    name: "dials on their way together double the gap each",
    rule: "H21",
    file: "src/dialer/connections.ts",
    find: "    if (known?.backoffUntil != null && known.backoffUntil > now) return;\n",
    replace: "",
    by: "test/handbook/refusals.test.ts",
  },
  {
    name: "a dial claimed before the refusal ends the back-off",
    rule: "H21",
    file: "src/dialer/connections.ts",
    find: "    if (known.backoffUntil !== null && claimedAt < known.backoffUntil) return;\n",
    replace: "",
    by: "sim",
  },
  {
    name: "a refused task returns past the pause that came meanwhile",
    rule: "H21",
    file: "src/dialer/tasks.ts",
    find: "const lane = state.lane({ ...before, pause });",
    replace: "const lane = before;",
    by: "test/handbook/refusals.test.ts",
  },
  {
    name: "a refused task returns although it was archived meanwhile",
    rule: "H21",
    file: "src/dialer/tasks.ts",
    find: "  if (task.archiving || isOver(campaign)) {",
    replace: "  if (isOver(campaign)) {",
    by: "test/handbook/refusals.test.ts",
  },
  {
    name: "a batch whose last call is refused after an archive stays open",
    rule: "H28",
    file: "src/dialer/answer.ts",
    find: "  returnTask(state, task, campaign, now);\n  completeIfDone(state, campaign, now);",
    replace: "  returnTask(state, task, campaign, now);",
    by: "test/handbook/overtaken.test.ts",
  },
  {
    name: "a lease lasts no longer than the longest call",
    rule: "H22",
    file: "src/dialer/dispatch.ts",
    find: "expiresAt: now + connection.lengthMaxMs + LEASE_GRACE_MS,",
    replace: "expiresAt: now + connection.lengthMaxMs,",
    by: "sim",
  },
  {
    name: "a call that the carrier calls alive is not extended",
    rule: "H22",
    file: "src/dialer/errands.ts",
    find: '      if (found.kind === "alive" && after !== null && holdsSlot(after.state)) {',
    replace: '      if (found.kind === "alive" && after !== null && !holdsSlot(after.state)) {',
    by: "test/handbook/rescue.test.ts",
  },
  {
    name: "an extension ends before the next look",
    rule: "H22",
    file: "src/dialer/conclude.ts",
    find: "Math.max(call.expiresAt, (call.checkAt ?? now) + EXTENSION_MS)",
    replace: "Math.max(call.expiresAt, now + EXTENSION_MS)",
    by: "test/handbook/rescue.test.ts",
  },
  {
    name: "a lease that ran out is not known as assumed",
    rule: "H22",
    file: "src/dialer/conclude.ts",
    find: "  call.assumed = true;\n",
    replace: "",
    by: "sim",
  },
  {
    name: "the gaps between looks do not grow",
    rule: "H22",
    file: "src/dialer/conclude.ts",
    find: "Math.min(gap * 2 ** call.checks, CHECK_MAX_MS)",
    replace: "Math.min(gap, CHECK_MAX_MS)",
    by: "test/handbook/rescue.test.ts",
  },
  {
    name: "answers that are lost in a row never back off",
    rule: "H22",
    file: "src/dialer/connections.ts",
    find: "losses < LOSSES_MAX || waits ?",
    replace: "losses > 0 || waits ?",
    by: "test/handbook/breaker.test.ts",
  },
  {
    name: "a probe forgets how many answers were lost",
    rule: "H22",
    file: "src/dialer/connections.ts",
    find: "if (known.backoffUntil === null && known.losses === 0) this.#clear(id);",
    replace: "if (known.backoffUntil === null) this.#clear(id);",
    by: "test/handbook/breaker.test.ts",
  },
  {
    name: "losses are counted though dials are taken between them",
    rule: "H22",
    file: "src/dialer/connections.ts",
    find: "    if (known.probeAt === null) this.#clear(id);\n    else this.#save({ ...known, backoffMs: null, backoffUntil: null, losses: 0 });",
    replace: "    this.#save({ ...known, backoffMs: null, backoffUntil: null });",
    by: "test/handbook/breaker.test.ts",
  },
];
