import { fault, given } from "./body.ts";
import type { AgentId, ConnectionId, NumberId } from "./ids.ts";
import type { Issue, Result } from "./result.ts";
import { shown } from "./time.ts";
import type { Hours, Weekdays } from "./window.ts";

/** What the rules need to know of an agent. */
export type AgentEntry = {
  id: AgentId;
  connection: ConnectionId;
  ownOutcomes: string[];
  usesCallback: boolean;
  /** The agent's own default number (H33), where it has one. */
  from?: NumberId | null;
};
export type NumberEntry = { id: NumberId; connection: ConnectionId };

/** The workspace that a body is read in: its defaults and its look-ups. */
export type Setup = {
  timezone: string;
  hours: Hours;
  days: Weekdays;
  from: NumberId | null;
  agent: AgentId | null;
  agentOf(id: string): AgentEntry | null;
  /** The same E.164 may exist on several connections: the one on the agent's is chosen. */
  numberOf(e164OrId: string): NumberEntry[];
};

/** An agent and the number it calls from; both on one connection where both are there (H33). */
export type Pair = { agent: AgentEntry | null; from: NumberId | null };
/** Agent and number as a body names them. */
export type NamedPair = { agent?: unknown; from?: unknown };
/** The pair that a campaign holds. */
export type HeldPair = { agent: AgentId | null; from: NumberId | null };

const NO_PAIR: HeldPair = { agent: null, from: null };

/**
 * The pair that a body names, what it leaves out filled from the campaign, the agent's own
 * default, then the workspace, each only where it is on the same connection (H33). What nothing
 * fills is null. Unknown ids, and two connections, are issues.
 */
export function fillPair(named: NamedPair, setup: Setup, campaign: HeldPair | null): Result<Pair> {
  const read = readNamed(named, setup);
  if (!read.ok) return read;
  const { agent, numbers } = read.value;
  const held = campaign ?? NO_PAIR;
  const agents = [held.agent, setup.agent].flatMap((id) => entryOf(setup, id) ?? []);
  if (agent !== null && numbers !== null) return pairUp(agent, numbers, named);
  if (numbers !== null) return withAgent(numbers, agents, named);
  const chosen = agent ?? agents[0] ?? null;
  if (chosen === null) {
    const from = [held.from, setup.from].find((id) => id !== null && setup.numberOf(id).length > 0);
    return { ok: true, value: { agent: null, from: from ?? null } };
  }
  const defaults = [held.from, chosen.from ?? null, setup.from];
  const found = defaults
    .flatMap((id) => (id === null ? [] : setup.numberOf(id)))
    .find((number) => number.connection === chosen.connection);
  return { ok: true, value: { agent: chosen, from: found?.id ?? null } };
}

/**
 * The pair of a campaign after an edit (H4, H33): what the body leaves out stays as it is,
 * neither can be emptied, and a pair on two connections is an issue.
 */
export function editPair(named: NamedPair, setup: Setup, current: HeldPair): Result<HeldPair> {
  const issues: Issue[] = [];
  for (const path of ["agent", "from"] as const) {
    if (named[path] === null && current[path] !== null) {
      issues.push({ path, expected: "a value: it can be changed, not emptied", got: "null" });
    }
  }
  if (issues.length > 0) return { ok: false, issues };
  if (!given(named.agent) && !given(named.from)) return { ok: true, value: current };
  const read = readNamed(named, setup);
  if (!read.ok) return read;
  const agent = read.value.agent ?? entryOf(setup, current.agent);
  const numbers =
    read.value.numbers ?? (current.from === null ? null : setup.numberOf(current.from));
  if (numbers === null) return { ok: true, value: { agent: agent?.id ?? null, from: null } };
  const joined = agent === null ? withAgent(numbers, [], named) : pairUp(agent, numbers, named);
  if (!joined.ok) return joined;
  return { ok: true, value: { agent: agent?.id ?? null, from: joined.value.from } };
}

/** The entry of an agent that a campaign or the workspace holds, or null when there is none. */
export function entryOf(setup: Setup, id: AgentId | null): AgentEntry | null {
  return id === null ? null : setup.agentOf(id);
}

function readNamed(
  named: NamedPair,
  setup: Setup,
): Result<{ agent: AgentEntry | null; numbers: NumberEntry[] | null }> {
  const issues: Issue[] = [];
  const agent = typeof named.agent === "string" ? setup.agentOf(named.agent) : null;
  if (given(named.agent) && agent === null) {
    const expected = "the id of an agent of this workspace";
    issues.push({ path: "agent", expected, got: shown(named.agent) });
  }
  const numbers = typeof named.from === "string" ? setup.numberOf(named.from) : [];
  if (given(named.from) && numbers.length === 0) {
    const expected = "a calling number of this workspace, as +… or by its id";
    issues.push({ path: "from", expected, got: shown(named.from) });
  }
  if (issues.length > 0) return { ok: false, issues };
  return { ok: true, value: { agent, numbers: given(named.from) ? numbers : null } };
}

/** An agent with the number that is on its connection; the issue stands at what the body names. */
function pairUp(agent: AgentEntry, numbers: NumberEntry[], named: NamedPair): Result<Pair> {
  const number = numbers.find((one) => one.connection === agent.connection);
  if (number !== undefined) return { ok: true, value: { agent, from: number.id } };
  const elsewhere = numbers.map((one) => one.connection).join(", ");
  if (given(named.from)) {
    const expected = `a number on connection ${agent.connection}, that of agent ${agent.id}`;
    return fault("from", expected, `${shown(named.from)} on ${elsewhere}`);
  }
  const expected = `an agent on connection ${elsewhere}, that of the number, or a number with it`;
  return fault("agent", expected, `${shown(named.agent)} on ${agent.connection}`);
}

/** Numbers with the first of the agents that is on the connection of one of them. */
function withAgent(numbers: NumberEntry[], agents: AgentEntry[], named: NamedPair): Result<Pair> {
  for (const agent of agents) {
    const number = numbers.find((one) => one.connection === agent.connection);
    if (number !== undefined) return { ok: true, value: { agent, from: number.id } };
  }
  const [number, another] = numbers;
  if (number !== undefined && another === undefined) {
    return { ok: true, value: { agent: null, from: number.id } };
  }
  const expected = "an agent with it, or the number's id: it exists on several connections";
  return fault("from", expected, shown(named.from));
}
