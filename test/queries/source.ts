import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "vitest/node";

/** A node of the syntax tree, as far as the reader looks. */
export type Node = { type: string; start: number; end: number } & Record<string, unknown>;

/** A function at the top of a file. */
export type Fn = { name: string; exported: boolean; params: Node[]; node: Node };

/** One file of the source, parsed. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly body: Node[];
  readonly functions: Fn[] = [];
  /** Names that come from another file of `src`, with the file. */
  readonly imported = new Map<string, string>();
  /** Constants at the top of the file, with what they are. */
  readonly constants = new Map<string, Node>();

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.body = parseAst(text, { lang: "ts" }).body as unknown as Node[];
    for (const statement of this.body) this.#note(statement);
  }

  #note(statement: Node): void {
    const exported = statement.type === "ExportNamedDeclaration";
    const declared = exported ? (statement.declaration as Node | null) : statement;
    if (statement.type === "ImportDeclaration") this.#noteImport(statement);
    if (declared?.type === "FunctionDeclaration") {
      const name = nameOf(declared.id as Node);
      this.functions.push({ name, exported, params: declared.params as Node[], node: declared });
    }
    if (declared?.type !== "VariableDeclaration") return;
    for (const one of declared.declarations as Node[]) {
      const init = one.init as Node | null;
      if (init === null) continue;
      const name = nameOf(one.id as Node);
      if (init.type === "ArrowFunctionExpression") {
        this.functions.push({ name, exported, params: init.params as Node[], node: init });
      } else {
        this.constants.set(name, init);
      }
    }
  }

  #noteImport(statement: Node): void {
    const from = String((statement.source as Node).value);
    for (const one of statement.specifiers as Node[]) {
      this.imported.set(nameOf(one.local as Node), from);
    }
  }

  textOf(node: Node): string {
    return this.text.slice(node.start, node.end);
  }

  /** Where a node is, for people. */
  placeOf(node: Node): string {
    return `${this.file}:${this.text.slice(0, node.start).split("\n").length}`;
  }
}

export function nameOf(node: Node | null | undefined): string {
  return node?.type === "Identifier" ? String(node.name) : "";
}

/** A node and all that is within it, outermost first. */
export function* within(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === "object" && one !== null && "type" in one) yield* within(one as Node);
    }
  }
}

const ROOT = join(import.meta.dirname, "..", "..");

/** Every file under a folder of the source. */
export function sourcesUnder(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => new Source(path.slice(ROOT.length + 1), readFileSync(path, "utf8")))
    .sort((a, b) => a.file.localeCompare(b.file));
}
