/** What one request asked of D1 and of Dialers. */
export type Trail = {
  statements: { sql: string; bind: unknown[] }[];
  /** Names of the objects that it turned to, once for each verb. */
  objects: string[];
};

/** The same bindings, which write down what is asked of D1 and of Dialers. */
export class Watched {
  readonly env: Env;
  #trail: Trail = { statements: [], objects: [] };

  constructor(bindings: Env) {
    const { DB, DIALER } = bindings;
    const prepare = (sql: string) => this.#prepared(DB.prepare(sql), sql);
    const watchedDb = new Proxy(DB, {
      get: (db, name) => (name === "prepare" ? prepare : taken(db, name)),
    });
    const names = new Map<DurableObjectId, string>();
    const dialers = {
      idFromName: (name: string) => {
        const id = DIALER.idFromName(name);
        names.set(id, name);
        return id;
      },
      get: (id: DurableObjectId) => {
        this.#trail.objects.push(names.get(id) ?? "an object without a name");
        return DIALER.get(id);
      },
    };
    this.env = { ...bindings, DB: watchedDb, DIALER: dialers } as unknown as Env;
  }

  /** What was asked since the last look. */
  take(): Trail {
    const trail = this.#trail;
    this.#trail = { statements: [], objects: [] };
    return trail;
  }

  #prepared(statement: D1PreparedStatement, sql: string): D1PreparedStatement {
    const entry = { sql, bind: [] as unknown[] };
    this.#trail.statements.push(entry);
    return new Proxy(statement, {
      get: (real, name) => {
        if (name !== "bind") return taken(real, name);
        return (...bind: unknown[]) => {
          entry.bind.push(...bind);
          return real.bind(...bind);
        };
      },
    });
  }
}

/** A member as it is of the real thing, called on it. */
function taken(real: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(real, name, real);
  return typeof value === "function" ? value.bind(real) : value;
}

/** Tables of the sign-in, of the deployment, and SQLite's own: they belong to no workspace. */
const OF_NO_WORKSPACE =
  /\b(people|sessions|accounts|verifications|second_factors|deployment|attempts)\b/;
const WORKSPACE = /^ws_[a-z0-9]{6,16}$/;

/** What in a trail is not bound to this workspace alone. */
export function strays(trail: Trail, workspace: string): string[] {
  const local = `_${workspace.slice(3)}_`;
  const found: string[] = [];
  for (const { sql, bind } of trail.statements) {
    const texts = bind.filter((value) => typeof value === "string");
    const others = texts.filter((text) => WORKSPACE.test(text) && text !== workspace);
    // Parts of an import are found by its id, which has the workspace in it.
    const bound = texts.some((text) => text === workspace || text.includes(local));
    const free = OF_NO_WORKSPACE.test(sql) || !/\b(from|into|update)\b/i.test(sql);
    if (others.length > 0) found.push(`of ${others.join(", ")}: ${sql}`);
    else if (!bound && !free) found.push(`without a workspace: ${sql}`);
  }
  for (const name of trail.objects) {
    if (name !== workspace) found.push(`the Dialer of ${name}`);
  }
  return found;
}
