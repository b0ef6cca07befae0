import { describe, expect, it } from "vitest";
import { detours, projections, strangeDialers } from "./dialers.ts";
import { QUERIES, WORKSPACES } from "./exceptions.ts";
import { type Finding, Reader, tablesOf } from "./queries.ts";
import { Source, sourcesUnder } from "./source.ts";

const all = sourcesUnder("src");
const db = all.filter(({ file }) => file.startsWith("src/db/"));
const schema = db.find(({ file }) => file === "src/db/schema.ts") ?? new Source("none", "");
const tables = tablesOf(schema);
const under = (...folders: string[]) =>
  all.filter(({ file }) => folders.some((folder) => file.startsWith(`src/${folder}/`)));

/** Findings beyond the exceptions, and exceptions that nothing needs. */
function beyond(findings: [Source, Finding][], exceptions: Record<string, string>): string[] {
  const key = ([source, finding]: [Source, Finding]) => `${source.file} ${finding.in}`;
  const needed = new Set(findings.map(key));
  const found = findings.filter((one) => exceptions[key(one)] === undefined);
  const idle = Object.keys(exceptions).filter((name) => !needed.has(name));
  return [
    ...found.map(([, { at, in: within, what }]) => `${at} ${within} ${what}`),
    ...idle.map((name) => `test/queries/exceptions.ts: nothing needs ${name}`),
  ];
}

const each = (sources: Source[], read: (source: Source) => Finding[]) =>
  sources.flatMap((source) => read(source).map((one): [Source, Finding] => [source, one]));

describe("H37 as it is written", () => {
  it("knows the tables that have a workspace", () => {
    expect(tables.get("tasks")).toBe("workspace");
    expect(tables.get("agents")).toBe("workspace");
    expect(tables.get("workspaces")).toBe("id");
    expect(tables.get("importChunks")).toBe("import");
    expect(tables.has("people")).toBe(false);
    expect(tables.size).toBeGreaterThan(15);
  });

  // It parses much: on a busy machine that takes its time.
  it("every query of D1 takes the workspace first, and binds its rows to it", {
    timeout: 30_000,
  }, () => {
    const reader = new Reader(db, tables);
    const findings = each(db, (source) => [
      ...reader.signatures(source),
      ...reader.statements(source),
    ]);
    expect(beyond(findings, QUERIES)).toEqual([]);
  });

  it("every Dialer is the request's own, and nobody gets to D1 or an object by himself", () => {
    const findings = [
      ...each(under("api", "queues", "shell"), strangeDialers),
      ...each(
        all.filter((source) => !db.includes(source)),
        detours,
      ),
    ];
    expect(beyond(findings, WORKSPACES)).toEqual([]);
  });

  it("a request's workspace is set in one place", () => {
    const setting = all.filter(({ text }) => text.includes('c.set("workspace"'));
    expect(setting.map(({ file }) => file)).toEqual(["src/api/auth.ts"]);
  });

  it("every statement that a Dialer sends to D1 names its own workspace", () => {
    const findings = each(under("dialer"), (source) => projections(source, tables));
    expect(beyond(findings, {})).toEqual([]);
    expect(under("dialer").some(({ text }) => text.includes("INTO tasks (workspace"))).toBe(true);
  });
});
