import { FAULTS, type Fault } from "./faults.ts";

/** Rules and transitions that worlds are drawn to reach. */
export const REACHED: readonly string[] = [
  "H4 a live edit",
  "H4 an edit has used up the attempts",
  "H7 a row is rejected: duplicate",
  "H7 a row is rejected: suppressed",
  "H7 a row is rejected: campaign_over",
  "H9 a campaign is asked for twice",
  "H9 a key comes twice",
  "H9 a key comes with another body",
  "H9 an externalId comes twice",
  "H11 an import completes",
  "H11 start now is the first import's completion",
  "H13 a campaign's end time passes",
  "H14 a task's end passes during its call",
  "H14 a waiting task's end passes",
  "H16 attempts are used up",
  "H18 a task awaits its analysis without a slot",
  "H18 an analysis never comes",
  "H18 the analysis decides",
  "H18 outcome busy",
  "H18 outcome busy_callback",
  "H18 outcome connected",
  "H18 outcome failed",
  "H18 outcome init_failed",
  "H18 outcome no_answer",
  "H18 outcome no_response",
  "H18 outcome voicemail",
  "H18 outcome of the agent's own",
  "H19 a retry after its interval",
  "H20 a callback",
  "H21 a refused dial is forgotten",
  "H21 a refused dial's task was archived meanwhile",
  "H21 a refused dial's task was paused meanwhile",
  "H21 refused: capacity",
  "H21 refused: capacity by report",
  "H21 refused: connection",
  "H21 refused: connection by report",
  "H21 refused: unreachable",
  "H21 refused: permanent",
  "H21 refused: permanent by report",
  "H21 refused: rejected",
  "H21 refused: rejected by report",
  "H22 a late outcome stands beside the assumed one",
  "H22 the true outcome replaces the assumed one",
  "H22 a lease runs out",
  "H22 a look-up finds it alive",
  "H22 a look-up finds it over",
  "H22 a look-up finds it unknown",
  "H22 a probe succeeds",
  "H22 a report decides what an answer did not",
  "H22 an answer is lost",
  "H24 rows of one batch go in random order",
  "H25 a later attempt",
  "H26 a dial of band callback",
  "H26 a dial of band high",
  "H26 a dial of band normal",
  "H26 a dial of band low",
  "H28 a batch completes",
  "H28 an import revives a completed batch",
  "H30 a call goes on after its campaign is archived",
  "H30 a call goes on after its campaign is expired",
  "H30 a push comes too late",
  "H30 a retry becomes paused",
  "H30 a task arrives while its campaign is paused",
  "H30 a wrong move is refused",
  "H30 campaign: archive",
  "H30 campaign: pause",
  "H30 campaign: resume",
  "H30 what would be retried is archived",
  "H31 task waiting: archive",
  "H31 task waiting: pause",
  "H31 task waiting: resume",
  "H31 task with a call: archive",
  "H31 task with a call: pause",
  "H31 task with a call: resume",
  "H36 a part of an import comes twice",
  "H36 a report comes before the answer",
  "H36 a report that names its call only by the carrier's id",
  "H36 news of a call that is decided",
  "H40 a person puts a number on the list",
  "H40 a push is refused as suppressed",
  "H40 a waiting number is on the list",
  "H40 an outcome puts the number on the list",
  "H41 a connection's pace",
  "call: placing → placed",
  "call: placing → unknown",
  "call: placing → ended",
  "call: placing → concluded",
  "call: placed → ended",
  "call: placed → concluded",
  "call: unknown → placed",
  "call: unknown → ended",
  "call: unknown → concluded",
  "call: ended → concluded",
];

/** What 200 seeds must have hit at least once. */
export function uncovered(covered: ReadonlyMap<string, number>, seeds: number): string[] {
  if (seeds < 200) return [];
  return [...REACHED, ...FAULTS].filter((name) => !covered.has(name));
}

/** In how many of 200 seeds each rule, transition and fault was hit. */
export function coverageTable(
  covered: ReadonlyMap<string, number>,
  faults: ReadonlyMap<Fault, number>,
  seeds: number,
): string {
  const names = [...new Set([...REACHED, ...FAULTS, ...covered.keys()])].sort();
  const lines = names.map((name) => {
    const per200 = Math.round(((covered.get(name) ?? 0) * 200) / seeds);
    const times = faults.get(name as Fault);
    return `${String(per200).padStart(5)}  ${name}${times === undefined ? "" : ` (${times} times)`}`;
  });
  return ["of 200 seeds  hit", ...lines].join("\n");
}
