import { endsWell, wrong } from "./checks.ts";
import { offered } from "./moves.ts";
import { type Kill, Small } from "./small.ts";
import { nameOf } from "./trace.ts";
import type { Scene } from "./worlds.ts";

export type Found = { path: string[]; what: string };
export type Walked = {
  states: number;
  edges: number;
  /** All orders of so many moves were walked. */
  depth: number;
  /** Whether no state was left: the world is walked to its end. */
  whole: boolean;
  calms: number;
  seconds: number;
  found: Found | null;
};

/** One state, by the move that led to it first; what can happen in it. */
type Node = { from: Node | null; move: string; moves: string[] };

/**
 * Walks a small world breadth first. The Dialer's memory cannot be copied, so a state is reached
 * by making its moves again from the start; a state that was reached before is not walked again.
 */
export async function walk(
  scene: Scene,
  limits: { depth: number; seconds: number; calmEvery: number },
): Promise<Walked> {
  const started = performance.now();
  const small = new Small(scene);
  await small.open();
  const seen = new Set<string>();
  const result: Walked = {
    states: 0,
    edges: 0,
    depth: 0,
    whole: false,
    calms: 0,
    seconds: 0,
    found: null,
  };
  const done = () => {
    result.seconds = (performance.now() - started) / 1_000;
    return result;
  };
  const isLate = () => performance.now() - started > limits.seconds * 1_000;

  /** The state that this move leads to, if it is new; sets `found` when something is wrong. */
  const look = async (from: Node | null, move: string): Promise<Node | null> => {
    result.edges += 1;
    const what = wrong(small);
    const node: Node = { from, move, moves: [] };
    if (what !== null) {
      result.found = { path: pathOf(node), what };
      return null;
    }
    const name = nameOf(small);
    if (seen.has(name)) return null;
    seen.add(name);
    result.states += 1;
    node.moves = offered(small).map((one) => one.name);
    if (result.states % limits.calmEvery !== 0) return node;
    result.calms += 1;
    const bad = await endsWell(small);
    if (bad !== null) {
      result.found = { path: [...pathOf(node), "(from here on all is calm)"], what: bad };
      return null;
    }
    return node;
  };

  await small.toStart();
  const root = await look(null, "");
  let frontier = root === null ? [] : [root];
  while (frontier.length > 0 && result.depth < limits.depth) {
    const next: Node[] = [];
    for (const node of frontier) {
      const path = pathOf(node);
      for (const move of node.moves) {
        if (isLate()) return done();
        const commits = await replay(small, [...path, move]);
        const reached = await look(node, move);
        if (result.found !== null) return done();
        if (reached !== null) next.push(reached);
        for (const kill of scene.kills ? killsOf(commits) : []) {
          const dying = move + textOf(kill);
          await replay(small, [...path, dying]);
          const left = await look(node, dying);
          if (result.found !== null) return done();
          if (left !== null) next.push(left);
        }
      }
    }
    result.depth += 1;
    frontier = next;
  }
  result.whole = frontier.length === 0;
  return done();
}

/** Makes these moves from the start; how many transactions the last one had. */
export async function replay(small: Small, path: readonly string[]): Promise<number> {
  await small.toStart();
  let commits = 0;
  for (const name of path) {
    const { move, kill } = read(name);
    const step = offered(small).find((one) => one.name === move);
    if (step === undefined) throw new Error(`this cannot happen here: ${name}`);
    commits = await small.step(step.run, kill);
  }
  return commits;
}

function pathOf(node: Node): string[] {
  const path: string[] = [];
  for (let at: Node | null = node; at?.from != null; at = at.from) path.unshift(at.move);
  return path;
}

/** Dying before a later commit is dying after the one before it; a failure is one at the first. */
function killsOf(commits: number): Kill[] {
  if (commits === 0) return [];
  const after = Array.from({ length: commits }, (_, n) => {
    return { commit: n + 1, when: "after" } as const;
  });
  return [{ commit: 1, when: "before" }, { commit: 1, when: "instead" }, ...after];
}

const DIES =
  /^(.*), (?:and the object dies|and the store fails) (before|after|instead) (?:of )?commit (\d+)$/;

function textOf({ commit, when }: Kill): string {
  if (when === "instead") return `, and the store fails instead of commit ${commit}`;
  return `, and the object dies ${when} commit ${commit}`;
}

function read(name: string): { move: string; kill: Kill | null } {
  const [, move, when, commit] = DIES.exec(name) ?? [];
  if (move === undefined) return { move: name, kill: null };
  return { move, kill: { commit: Number(commit), when: when as Kill["when"] } };
}
