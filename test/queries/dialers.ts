import { camel, type Finding } from "./queries.ts";
import { type Node, nameOf, type Source, within } from "./source.ts";

/*
 * Reads who talks to which Dialer, and the SQL that Dialers send to D1.
 */

/** Where a workspace may come from: the request's own, a row's or a message's, an id's own. */
const SOUND = [
  /^c\.get\("workspace"\)$/,
  /^row\.workspace as WorkspaceId$/,
  /^(message|latest|one)\.body$/,
  /^parseId\(/,
];

/** Calls of a Dialer that is not named `workspace`, and workspaces that come from elsewhere. */
export function strangeDialers(source: Source): Finding[] {
  const found: Finding[] = [];
  const note = (node: Node, what: string) =>
    found.push({ at: source.placeOf(node), in: functionAt(source, node), what });
  for (const root of source.body) {
    for (const node of within(root)) {
      if (isCallOf(node, "dialerOf")) {
        const named = (node.arguments as Node[])[1];
        const text = named === undefined ? "" : source.textOf(named);
        if (text !== "workspace" && text !== 'c.get("workspace")') {
          note(node, `asks the Dialer of ${text}`);
        }
      }
      if (node.type !== "VariableDeclarator" || !declaresWorkspace(node)) continue;
      const init = node.init as Node | null;
      const text = init === null ? "nothing" : source.textOf(init);
      if (!SOUND.some((one) => one.test(text))) note(node, `takes a workspace from ${text}`);
    }
  }
  return found;
}

/** Reaches D1 or an object otherwise than by `src/db` and `dialerOf`. */
export function detours(source: Source): Finding[] {
  const found: Finding[] = [];
  for (const root of source.body) {
    if (root.type === "ImportDeclaration") {
      const from = String((root.source as Node).value);
      if (!/^drizzle-orm|\/db\/schema\.ts$/.test(from)) continue;
      found.push({ at: source.placeOf(root), in: "", what: `imports ${from}` });
    }
    for (const node of within(root)) {
      if (node.type !== "MemberExpression") continue;
      const name = nameOf(node.property as Node);
      if (!["DB", "DIALER", "prepare", "raw"].includes(name)) continue;
      const text = source.textOf(node);
      if (name === "raw" && !/^sql\.raw$/.test(text)) continue;
      found.push({ at: source.placeOf(node), in: functionAt(source, node), what: `uses ${text}` });
    }
  }
  return found;
}

/** SQL in the Dialer that names a table of D1 without `?1`, which is always the workspace. */
export function projections(source: Source, tables: Map<string, string>): Finding[] {
  const found: Finding[] = [];
  const late = /\bk\.workspace = \?1 AND/.test(source.text);
  for (const root of source.body) {
    for (const node of within(root)) {
      if (node.type !== "TemplateLiteral" && node.type !== "Literal") continue;
      const text = source.textOf(node);
      const named = [...text.matchAll(/\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)/g)];
      const owned = named.map((match) => camel(match[1] ?? "")).filter((one) => tables.has(one));
      if (owned.length === 0) continue;
      const says =
        /\bworkspace = \?1|workspace = k\.workspace|\(workspace,[^;]{0,120}?SELECT (\?1|k\.workspace)|workspaces\s+WHERE id = \?|SET config_version = config_version \+ 1\s+WHERE id = \?1|\$\{(which|named)\}/g;
      const bound = [...text.matchAll(says)].length;
      if (bound >= owned.length && (late || !/\$\{which\}/.test(text))) continue;
      const what = `names ${owned.join(", ")} without the workspace`;
      found.push({ at: source.placeOf(node), in: functionAt(source, node), what });
    }
  }
  return found;
}

function isCallOf(node: Node, name: string): boolean {
  return node.type === "CallExpression" && nameOf(node.callee as Node) === name;
}

function declaresWorkspace(declarator: Node): boolean {
  const id = declarator.id as Node;
  if (id.type !== "ObjectPattern") return nameOf(id) === "workspace";
  return (id.properties as Node[]).some((one) => nameOf(one.value as Node) === "workspace");
}

/** The function at the top of the file in which a node is. */
function functionAt(source: Source, node: Node): string {
  const around = source.functions.find(
    (fn) => fn.node.start <= node.start && node.end <= fn.node.end,
  );
  return around?.name ?? "";
}
