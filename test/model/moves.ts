import { type Lookup, NO_NEWS } from "../../src/carriers/carrier.ts";
import type { Move } from "../../src/core/status.ts";
import type { Line, Message, Small } from "./small.ts";
import type { End } from "./worlds.ts";

/** One thing that can happen next, in words. The same name in the same state is the same move. */
export type Step = { name: string; run: () => unknown };

/** How late an alarm comes when it is late: later than the Dialer believes in it. */
const LATE_MS = 61_000;
/** Batches without anybody who waits for them, at most. */
const STRAYS_MAX = 1;

/** Everything that can happen in this state. */
export function offered(small: Small): Step[] {
  const { scene } = small;
  return [
    ...small.lines.flatMap((line) => ofLine(small, line)),
    ...small.looks.flatMap((look) => ofLook(small, look)),
    ...small.probes.slice(0, 1).flatMap((probe) => [
      {
        name: "the connection's test succeeds",
        run: () => {
          small.probes.splice(small.probes.indexOf(probe), 1);
          probe.resolve();
        },
      },
      {
        name: "the connection's test fails",
        run: () => {
          small.probes.splice(small.probes.indexOf(probe), 1);
          probe.reject(new Error("away"));
        },
      },
    ]),
    ...ofD1(small),
    ...ofTime(small),
    ...ofDeath(small),
    ...(scene.people?.(small) ?? []),
  ];
}

function ofLine(small: Small, line: Line): Step[] {
  return [...answers(small, line), ...ends(small, line), ...reports(small, line)];
}

/** What can become of a dial that is on its way, and of its answer. */
function answers(small: Small, line: Line): Step[] {
  const { answer, name } = line;
  const { answers: allowed } = small.scene;
  const steps: Step[] = [];
  const reply = (truth: Line["truth"], work: () => void) => async () => {
    if (answer !== null && !(await small.reads())) return;
    line.truth = truth;
    line.answer = null;
    work();
  };
  if (answer === null) {
    // The object died meanwhile; the request may have got there.
    if (line.truth === "asked" && allowed.includes("rings first")) {
      steps.push({ name: `${name} rings after all`, run: reply("live", () => undefined) });
    }
    return steps;
  }
  const accept = () => {
    const carrierCallId = `c-${line.call}`;
    line.dialled.answer = { kind: "accepted", carrierCallId };
    small.judge.answered(line.key, null, small.now);
    answer.resolve(line.dialled.answer);
  };
  const refuse = (reason: "capacity" | "rejected" | "permanent") => () => {
    line.dialled.answer = { kind: "refused", reason, word: reason };
    small.judge.answered(line.key, reason, small.now);
    answer.resolve(line.dialled.answer);
  };
  const lose = () => answer.reject(new Error("Network connection lost."));
  if (line.truth !== "asked") {
    steps.push({ name: `${name} is accepted, late`, run: reply(line.truth, accept) });
    if (allowed.includes("loses")) {
      steps.push({ name: `${name}: its answer is lost, late`, run: reply(line.truth, lose) });
    }
    return steps;
  }
  steps.push({ name: `${name} is accepted`, run: reply("live", accept) });
  if (allowed.includes("rings first")) {
    steps.push({
      name: `${name} rings before its answer`,
      run: () => {
        line.truth = "live";
      },
    });
  }
  if (allowed.includes("loses")) {
    steps.push({ name: `${name} rings, its answer is lost`, run: reply("live", lose) });
    steps.push({ name: `${name} is lost on its way`, run: reply("never", lose) });
  }
  for (const reason of ["capacity", "rejected", "permanent"] as const) {
    if (!allowed.includes(reason)) continue;
    steps.push({ name: `${name} is refused: ${reason}`, run: reply("never", refuse(reason)) });
  }
  return steps;
}

/** How a call that the carrier holds can end, heard at once or not. */
function ends(small: Small, line: Line): Step[] {
  if (line.truth !== "live") return [];
  const { scene } = small;
  const finish = (end: End): Message => {
    line.truth = end.name.startsWith("refused") ? "never" : "over";
    line.end = end.name;
    const message = { name: end.name, news: { ...NO_NEWS, ...end.news(small.now) } };
    line.messages.push(message);
    return message;
  };
  return [
    ...(scene.rings && line.messages.length === 0
      ? [
          {
            name: `${line.name} is answered`,
            run: () => {
              const message = { name: "answered", news: { ...NO_NEWS, answeredAt: small.now } };
              line.messages.push(message);
              return small.tell(line, message);
            },
          },
        ]
      : []),
    ...scene.ends.flatMap((end) => [
      { name: `${line.name} ends: ${end.name}`, run: () => small.tell(line, finish(end)) },
      ...(scene.unheard === false
        ? []
        : [
            {
              name: `${line.name} ends unheard: ${end.name}`,
              run: () => {
                finish(end);
              },
            },
          ]),
    ]),
  ];
}

/** Reports of what has happened: for the first time, late, again, or of the analysis. */
function reports(small: Small, line: Line): Step[] {
  const { scene } = small;
  if (scene.again === false && isDecided(small, line.key)) return [];
  const end = scene.ends.find((one) => one.name === line.end);
  const analysed = line.messages.some((one) => one.name.startsWith("analysis"));
  return [
    ...line.messages
      .filter((message) => scene.again !== false || !line.heard.includes(message.name))
      .map((message) => ({
        name: `${line.name} reports${line.heard.includes(message.name) ? " again" : ""}: ${message.name}`,
        run: () => small.tell(line, message),
      })),
    ...(analysed ? [] : (end?.analyses ?? [])).map((outcome) => ({
      name: `${line.name}'s analysis: ${outcome}`,
      run: () => {
        const news = { ...NO_NEWS, concluding: true, outcome };
        const message = { name: `analysis ${outcome}`, news };
        line.messages.push(message);
        return small.tell(line, message);
      },
    })),
  ];
}

/** Nothing that comes can change what became of the call. */
export function isDecided(small: Small, key: number): boolean {
  const call = small.judge.facts.calls[key];
  return call?.standing === "returned" || (call?.standing === "concluded" && !call.assumed);
}

function ofLook(small: Small, look: Small["looks"][number]): Step[] {
  const line = small.lines.find((one) => one.call === look.call);
  if (line === undefined) return [];
  const close = () => small.looks.splice(small.looks.indexOf(look), 1);
  const kinds = small.scene.looks ?? ["finds", "knows nothing", "fails"];
  const found = async () => {
    if (!(await small.reads())) return;
    close();
    look.resolve(truthOf(small, line));
  };
  const steps: Step[] = [];
  if (kinds.includes("finds") && (line.truth === "live" || line.truth === "over")) {
    steps.push({ name: `a look at ${line.name} finds it ${line.truth}`, run: found });
  }
  if (kinds.includes("knows nothing") || line.truth === "asked" || line.truth === "never") {
    steps.push({
      name: `a look at ${line.name} knows nothing`,
      run: () => {
        close();
        look.resolve({ kind: "unknown" });
      },
    });
  }
  if (kinds.includes("fails")) {
    steps.push({
      name: `a look at ${line.name} fails`,
      run: () => {
        close();
        look.reject(new Error("away"));
      },
    });
  }
  return steps;
}

/** What the carrier says of a call, told to the judge as well. */
export function truthOf(small: Small, line: Line): Lookup {
  const carrierCallId = `c-${line.call}`;
  if (line.truth === "live") {
    small.judge.alive(line.key, small.now);
    return { kind: "alive", carrierCallId, news: NO_NEWS };
  }
  const news = line.messages.reduce((sum, { news: one }) => merge(sum, one), NO_NEWS);
  small.judge.heard(line.key, { ...news, ended: true }, small.now);
  return { kind: "over", carrierCallId, news };
}

function merge(a: Message["news"], b: Message["news"]): Message["news"] {
  const told = Object.entries(b).filter(([, value]) => value !== null && value !== false);
  return { ...a, ...Object.fromEntries(told) };
}

function ofD1(small: Small): Step[] {
  const [batch] = small.batches;
  const [stray] = small.strays;
  const steps: Step[] = [];
  if (small.scene.d1 !== "by hand") return steps;
  if (batch !== undefined) {
    const close = () => small.batches.splice(small.batches.indexOf(batch), 1);
    steps.push({
      name: "D1 answers",
      run: () => {
        close();
        small.failures = 0;
        batch.resolve(small.runBatch(batch.statements));
      },
    });
    steps.push({
      name: "D1 does not answer",
      run: () => {
        close();
        small.failures += 1;
        small.strays.push(batch.statements);
        batch.reject(new Error("D1_ERROR: Network connection lost."));
      },
    });
  }
  small.strays.splice(0, small.strays.length - STRAYS_MAX);
  if (stray !== undefined && small.strays.includes(stray)) {
    steps.push({
      name: "D1 runs what it did not answer",
      run: () => {
        small.strays.splice(small.strays.indexOf(stray), 1);
        small.runBatch(stray);
      },
    });
  }
  return steps;
}

function ofTime(small: Small): Step[] {
  const { scene, next } = small;
  const steps: Step[] = [];
  if (next !== null) {
    const what = next.timer === null ? "the alarm comes" : "a timer fires";
    steps.push({ name: `time passes: ${what}`, run: () => small.pass() });
  }
  for (const { name, at } of scene.instants?.(small) ?? []) {
    if (at <= small.now) continue;
    steps.push({
      name: `it is ${name}`,
      run: () => {
        small.now = at;
      },
    });
  }
  if (!scene.alarms) return steps;
  const { alarm } = small;
  steps.push({ name: "the minute's tick", run: () => tick(small) });
  if (alarm === null) return steps;
  steps.push({ name: "the alarm is lost", run: () => small.loseAlarm() });
  if (alarm + LATE_MS > small.now) {
    steps.push({
      name: "the alarm is late",
      run: () => {
        small.now = alarm + LATE_MS;
      },
    });
  }
  return steps;
}

function ofDeath(small: Small): Step[] {
  const { dies, kills } = small.scene;
  if (kills || dies === "alone") return [{ name: "the object dies", run: () => small.restart() }];
  return dies === false
    ? []
    : [{ name: "the object dies and is asked anew", run: () => die(small) }];
}

function die(small: Small): Promise<unknown> {
  small.restart();
  return tick(small);
}

/** Its reply waits for the flush; nobody waits for it here. */
function tick(small: Small): Promise<unknown> {
  return small.ask(() => small.dialer.tick());
}

/** The ends of leases that are held, as instants. */
export function leaseEnds(small: Small): { name: string; at: number }[] {
  return small.sql
    .all<{ id: number; at: number }>(
      `SELECT id, expires_at AS at FROM call WHERE state IN ('placing', 'placed', 'unknown')`,
    )
    .map(({ id, at }) => {
      const line = small.lines.find((one) => one.key === id);
      return { name: `the end of ${line?.name ?? "a lost dial"}'s lease`, at };
    });
}

/** Pauses, resumes and archives of tasks, where they are allowed. */
export function tasksMove(small: Small, names: readonly string[], moves: readonly Move[]): Step[] {
  return names.flatMap((name) => {
    const task = small.judge.facts.tasks[name];
    if (task === undefined || small.judge.isOver(task.campaign, small.now)) return [];
    if (task.status === "completed" || task.status === "archived") return [];
    const { paused } = small.judge.campaign(task.campaign);
    const can = {
      pause: !task.held && !(paused && task.status === "waiting"),
      resume: task.held && !paused,
      archive: !task.archiving,
    };
    return moves
      .filter((move) => can[move])
      .map((move) => ({
        name: `${name} is ${PAST[move]}`,
        run: () => moveTask(small, name, move),
      }));
  });
}

async function moveTask(small: Small, name: string, move: Move): Promise<void> {
  const id = small.taskId(name);
  if (id === null) throw new Error(`${name} is not here`);
  await small.ask(
    () => small.dialer.moveTask(id, move),
    () => small.judge.moveTask(name, move),
  );
}

/** Pauses, resumes and archives of campaigns, where they are allowed. */
export function campaignsMove(small: Small, moves: readonly Move[], only?: string): Step[] {
  return small.campaigns.flatMap(({ key, id, name }) => {
    if (small.judge.isOver(key, small.now) || (only !== undefined && name !== only)) return [];
    const { paused } = small.judge.campaign(key);
    const can = { pause: !paused, resume: paused, archive: true };
    return moves
      .filter((move) => can[move])
      .map((move) => ({
        name: `${name} is ${PAST[move]}`,
        run: () =>
          small.ask(
            () => small.dialer.moveCampaign(id, move),
            () => small.judge.moveCampaign(key, move),
          ),
      }));
  });
}

const PAST: Record<Move, string> = { pause: "paused", resume: "resumed", archive: "archived" };
