import { type Fn, type Node, nameOf, type Source, within } from "./source.ts";

/*
 * Reads the queries of `src/db` as they are written: each must say of which workspace its rows
 * are. Conditions are followed through the constants and functions that they are made of.
 */

export type Finding = { at: string; in: string; what: string };

/**
 * Tables by their name in the source, with the column that says whose rows they are: for what
 * belongs to an import, its id, which `own` holds against the workspace.
 */
export function tablesOf(schema: Source): Map<string, string> {
  const tables = new Map<string, string>();
  for (const [name, made] of schema.constants) {
    const text = schema.textOf(made);
    if (!/^sqlite(Table|View)\(/.test(text)) continue;
    if (name === "workspaces") tables.set(name, "id");
    else if (/\bworkspace: text|\.\.\.setUp\b/.test(text)) tables.set(name, "workspace");
    else if (/\bimport: text/.test(text)) tables.set(name, "import");
  }
  return tables;
}

/** What a statement does to a table, by the method that names it. */
const NAMING = new Set(["from", "update", "delete", "innerJoin", "leftJoin"]);

export class Reader {
  readonly #sources: Map<string, Source>;
  readonly #tables: Map<string, string>;

  constructor(sources: Source[], tables: Map<string, string>) {
    this.#sources = new Map(sources.map((source) => [source.file, source]));
    this.#tables = tables;
  }

  /** Exported functions that reach a workspace's rows without being told first which one's. */
  signatures(source: Source): Finding[] {
    return source.functions.flatMap((fn) => {
      const [first, second] = fn.params;
      if (!fn.exported || first === undefined || typeOf(source, first) !== "Db") return [];
      const told = nameOf(second) === "workspace" && typeOf(source, second) === "WorkspaceId";
      const touches = this.#closure(source, fn, fn.node).some((one) => {
        return this.#tables.has(nameOf(one.node));
      });
      if (!touches) return [];
      const what = "does not take the workspace first";
      return told ? [] : [{ at: source.placeOf(fn.node), in: fn.name, what }];
    });
  }

  /** Statements whose rows are not bound to a workspace. */
  statements(source: Source): Finding[] {
    const atTop = [...source.constants].flatMap(([name, made]) => {
      const found: Finding[] = [];
      for (const node of within(made)) {
        if (node.type !== "TaggedTemplateExpression") continue;
        this.#raw(source, node, (at, what) =>
          found.push({ at: source.placeOf(at), in: name, what }),
        );
      }
      return found;
    });
    const inFunctions = source.functions.flatMap((fn) => {
      const parents = parentsOf(fn.node);
      const found: Finding[] = [];
      const miss = (node: Node, what: string) =>
        found.push({ at: source.placeOf(node), in: fn.name, what });
      for (const node of within(fn.node)) {
        if (node.type === "CallExpression") this.#call(source, fn, node, parents, miss);
        if (node.type === "TaggedTemplateExpression") this.#raw(source, node, miss);
      }
      return found;
    });
    return [...atTop, ...inFunctions];
  }

  #call(source: Source, fn: Fn, call: Node, parents: Map<Node, Node>, miss: Miss): void {
    const method = methodOf(call);
    const args = call.arguments as Node[];
    const table = nameOf(args[0]);
    const column = this.#tables.get(table);
    if (column === undefined) return;
    if (method === "insert") {
      const rows = chained(call, parents, ["values", "select"]);
      if (rows === null || !this.#bindsRow(source, fn, rows, column)) {
        miss(call, `inserts into ${table} without a workspace`);
      }
      return;
    }
    if (!NAMING.has(method)) return;
    const joins = method.endsWith("Join");
    const condition = joins ? (args[1] ?? null) : chained(call, parents, ["where"]);
    // What is returned for another condition is read where that one is given.
    const conditions =
      condition === null && !joins ? this.#givenLater(source, fn) : [{ in: fn, node: condition }];
    const bound =
      conditions.length > 0 &&
      conditions.every((one) => {
        return one.node !== null && this.#binds(source, one.in, one.node, table, column);
      });
    if (!bound) miss(call, `${method} ${table} without a condition on its workspace`);
  }

  /** Conditions that the callers of a local function put to the query which it returns. */
  #givenLater(source: Source, fn: Fn): { in: Fn; node: Node | null }[] {
    if (fn.exported) return [];
    return source.functions.flatMap((caller) => {
      const parents = parentsOf(caller.node);
      return callsOf(caller, fn.name).map((call) => {
        return { in: caller, node: chained(call, parents, ["where"]) };
      });
    });
  }

  /** SQL by hand: a table that it names stands with its workspace. */
  #raw(source: Source, template: Node, miss: Miss): void {
    const text = source.textOf(template);
    const named = [...text.matchAll(/\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:\$\{(\w+)\}|(\w+))/g)];
    const owned = named
      .map((match) => match[1] ?? camel(match[2] ?? ""))
      .filter((table) => this.#tables.has(table));
    if (owned.length === 0) return;
    const says =
      /(\bworkspace|\.workspace\}|workspaces WHERE id)\s*=\s*\$\{(\w+\.)?workspace\}|= \$\{own\(workspace,/g;
    const bound = [...text.matchAll(says)];
    const loose = bound.some((one) => /\bOR\b/.test(groupAt(text, one.index)));
    if (bound.length < owned.length || loose) {
      miss(template, "SQL by hand without a condition on the workspace");
    }
  }

  #bindsRow(source: Source, fn: Fn, rows: Node, column: string): boolean {
    return this.#closure(source, fn, rows).some(({ node }) => {
      // `exists` guards a row of an import by the import's own workspace.
      if (column === "import" && node.type === "CallExpression") {
        return (
          nameOf(node.callee as Node) === "exists" && (node.arguments as Node[]).some(isWorkspace)
        );
      }
      if (node.type === "Property") {
        const named = nameOf(node.key as Node) === column;
        return named && /(^|\.)workspace$/.test(nameOf(node.value as Node));
      }
      return node.type === "TemplateLiteral" && (node.expressions as Node[]).some(isWorkspace);
    });
  }

  /** Whether a condition says `table.workspace = workspace`, or joins it to another table's. */
  #binds(source: Source, fn: Fn, condition: Node, table: string, column: string): boolean {
    const param = fn.params.findIndex((one) => nameOf(one) === nameOf(condition));
    if (param >= 0 && nameOf(condition) !== "" && !fn.exported) {
      const callers = source.functions.flatMap((caller) =>
        callsOf(caller, fn.name).map((call) => ({ caller, call })),
      );
      return (
        callers.length > 0 &&
        callers.every(({ caller, call }) => {
          const given = (call.arguments as Node[])[param];
          return given !== undefined && this.#binds(source, caller, given, table, column);
        })
      );
    }
    return this.#required(source, fn, condition, (from, node) => {
      if (column === "import" && this.#isOfImport(from, fn, node, table)) return true;
      if (node.type !== "CallExpression" || nameOf(node.callee as Node) !== "eq") return false;
      const [left, right] = node.arguments as Node[];
      const mine = (one: Node | undefined) => from.textOf(one ?? node) === `${table}.${column}`;
      return (mine(left) && isWorkspace(right)) || (mine(right) && isWorkspace(left));
    });
  }

  /** Whether rows are those of imports which a workspace has: joined to them, or found among them. */
  #isOfImport(source: Source, fn: Fn, node: Node, table: string): boolean {
    const text = source.textOf(node);
    if (text === `eq(${table}.import, imports.id)`) return true;
    if (node.type !== "TaggedTemplateExpression") return false;
    const among = text.startsWith(`sql\`\${${table}.import} IN \${`);
    if (!among && !/^sql`EXISTS \$\{[^}]*\}`$/.test(text)) return false;
    return this.#closure(source, fn, node).some((one) => {
      return one.source.textOf(one.node) === "eq(imports.workspace, workspace)";
    });
  }

  /** Whether a condition cannot hold unless `wanted` does: `or` and `not` prove nothing. */
  #required(
    source: Source,
    fn: Fn | null,
    node: Node,
    wanted: (source: Source, node: Node) => boolean,
  ): boolean {
    if (wanted(source, node)) return true;
    switch (node.type) {
      case "Identifier": {
        const made = fn === null ? undefined : localOf(fn, nameOf(node));
        const known = made ?? source.constants.get(nameOf(node));
        return known !== undefined && this.#required(source, fn, known, wanted);
      }
      case "ReturnStatement":
        return this.#required(source, fn, node.argument as Node, wanted);
      case "CallExpression": {
        const name = nameOf(node.callee as Node);
        const args = node.arguments as Node[];
        if (name === "and") return args.some((one) => this.#required(source, fn, one, wanted));
        const called = this.#functionOf(source, name);
        if (called === null) return false;
        const returned = returnsOf(called.fn);
        return (
          returned.length > 0 &&
          returned.every((one) => this.#required(called.source, called.fn, one, wanted))
        );
      }
      default:
        return false;
    }
  }

  /** All that an expression is made of, through constants and functions of `src/db`. */
  #closure(source: Source, fn: Fn, start: Node): { source: Source; node: Node }[] {
    const seen = new Set<Node>();
    const all: { source: Source; node: Node }[] = [];
    const visit = (from: Source, scope: Fn, root: Node) => {
      for (const node of within(root)) {
        if (seen.has(node)) continue;
        seen.add(node);
        all.push({ source: from, node });
        if (node.type !== "Identifier") continue;
        const made = localOf(scope, nameOf(node));
        if (made !== undefined) visit(from, scope, made);
        const called = this.#functionOf(from, nameOf(node));
        if (called !== null) visit(called.source, called.fn, called.fn.node);
      }
    };
    visit(source, fn, start);
    return all;
  }

  #functionOf(source: Source, name: string): { source: Source; fn: Fn } | null {
    const from = source.imported.get(name);
    const file = from?.startsWith("./") ? `src/db/${from.slice(2)}` : source.file;
    const where = this.#sources.get(file);
    const fn = where?.functions.find((one) => one.name === name);
    return where === undefined || fn === undefined ? null : { source: where, fn };
  }
}

type Miss = (node: Node, what: string) => void;

/** `workspace`, or another row's; `own` says it of an import's id. */
function isWorkspace(node: Node | undefined): boolean {
  if (node?.type === "CallExpression" && nameOf(node.callee as Node) === "own") {
    return isWorkspace((node.arguments as Node[])[0]);
  }
  if (node?.type === "MemberExpression") return nameOf(node.property as Node) === "workspace";
  return nameOf(node) === "workspace";
}

function typeOf(source: Source, param: Node | undefined): string {
  const annotation = param?.typeAnnotation as Node | null | undefined;
  return annotation ? source.textOf(annotation).replace(/^:\s*/, "") : "";
}

function methodOf(call: Node): string {
  const callee = call.callee as Node;
  return callee.type === "MemberExpression" ? nameOf(callee.property as Node) : "";
}

/** The first argument of one of these methods, further on in a call's chain. */
function chained(call: Node, parents: Map<Node, Node>, names: string[]): Node | null {
  for (let node: Node | undefined = call; node !== undefined; node = parents.get(node)) {
    if (node !== call && node.type !== "MemberExpression" && node.type !== "CallExpression") {
      return null;
    }
    if (node.type === "CallExpression" && names.includes(methodOf(node))) {
      return (node.arguments as Node[])[0] ?? null;
    }
  }
  return null;
}

function parentsOf(root: Node): Map<Node, Node> {
  const parents = new Map<Node, Node>();
  for (const node of within(root)) {
    for (const value of Object.values(node)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (typeof one === "object" && one !== null && "type" in one) parents.set(one, node);
      }
    }
  }
  return parents;
}

function callsOf(fn: Fn, name: string): Node[] {
  return [...within(fn.node)].filter(
    (node) => node.type === "CallExpression" && nameOf(node.callee as Node) === name,
  );
}

/** What a constant of a function is made as. */
function localOf(fn: Fn, name: string): Node | undefined {
  for (const node of within(fn.node)) {
    if (node.type !== "VariableDeclarator" || nameOf(node.id as Node) !== name) continue;
    return (node.init as Node | null) ?? undefined;
  }
  return undefined;
}

function returnsOf(fn: Fn): Node[] {
  const body = fn.node.body as Node;
  if (body.type !== "BlockStatement") return [body];
  return [...within(body)].filter((node) => node.type === "ReturnStatement");
}

/** What stands in the same brackets, without brackets within it: beside an OR nothing need hold. */
function groupAt(text: string, index: number): string {
  const outer = (step: 1 | -1) => {
    const [opens, closes] = step === 1 ? ["(", ")"] : [")", "("];
    let depth = 0;
    let at = index;
    for (; at >= 0 && at < text.length && depth >= 0; at += step) {
      if (text[at] === opens) depth += 1;
      else if (text[at] === closes) depth -= 1;
    }
    return at;
  };
  let group = text.slice(outer(-1) + 2, outer(1) - 1);
  for (let before = ""; before !== group; ) {
    before = group;
    group = group.replaceAll(/\([^()]*\)/g, "");
  }
  return group;
}

/** `report_bodies` as the source names it. */
export function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
