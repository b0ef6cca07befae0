import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** What one call of wrangler came with. */
export type Asked = {
  command: string;
  database: string;
  publicUrl: string | null;
  keepVars: boolean;
  secrets: Record<string, string>;
};

/** An account at Cloudflare, as far as a deployment changes it. */
export type Account = {
  signedIn: boolean;
  databases: { uuid: string; name: string }[];
  migrated: string[];
  queues: string[];
  worker: { secrets: Record<string, string>; publicUrl: string | null } | null;
  workspaces: string[];
  /** Whether its first owner was made. */
  hasOwner: boolean;
  /** Number of the key that sealed each of its connections. */
  connections: number[];
  /** Where its Worker is reached. */
  address: string;
  asked: Asked[];
  /** How a command begins that fails, or null. */
  failing: string | null;
};

const ROOT = join(import.meta.dirname, "..", "..");

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** An empty account, the deployed Worker's place in the network, and a folder for the script. */
export async function openStage() {
  const folder = mkdtempSync(join(tmpdir(), "outdial-deploy-"));
  const file = join(folder, "account.json");
  const read = () => JSON.parse(readFileSync(file, "utf8")) as Account;
  const write = (some: Partial<Account>) =>
    writeFileSync(file, JSON.stringify({ ...read(), ...some }));
  const trouble = { workspaces: 0, reseals: 0 };
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const { worker, workspaces } = read();
    if (worker === null) return reply(404, { error: { code: "not_found", message: "no Worker" } });
    switch (`${request.method} ${request.url}`) {
      case "GET /healthz":
        return reply(200, { status: "ok" });
      case "GET /openapi.json":
        return reply(200, { servers: [{ url: worker.publicUrl ?? undefined }] });
      case "POST /v1/workspaces": {
        if (request.headers.authorization !== `Bearer ${worker.secrets.ADMIN_SECRET}`) {
          return reply(401, { error: { code: "unauthorized", message: "no" } });
        }
        if (trouble.workspaces-- > 0) {
          return reply(503, { error: { code: "unavailable", message: "try again" } });
        }
        const id = `ws_${workspaces.length + 1}`;
        write({ workspaces: [...workspaces, id] });
        return reply(201, { id, apiKey: `od_${id}` });
      }
      case "POST /v1/connections/reseal": {
        if (request.headers.authorization !== `Bearer ${worker.secrets.ADMIN_SECRET}`) {
          return reply(401, { error: { code: "unauthorized", message: "no" } });
        }
        if (trouble.reseals-- > 0) {
          return reply(409, { error: { code: "conflict", message: "another key seals here" } });
        }
        const { key, after } = JSON.parse(body) as { key: number; after: string | null };
        const { connections } = read();
        const at = Number(after ?? 0);
        const sealed = connections[at] === key ? 0 : 1;
        write({ connections: connections.with(at, key) });
        const next = at + 1 < connections.length ? String(at + 1) : null;
        return reply(200, { seen: 1, sealed, next });
      }
      default:
        return reply(404, { error: { code: "not_found", message: "no" } });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const empty: Account = {
    signedIn: true,
    databases: [],
    migrated: [],
    queues: [],
    worker: null,
    workspaces: [],
    hasOwner: false,
    connections: [],
    address,
    asked: [],
    failing: null,
  };
  writeFileSync(file, JSON.stringify(empty));

  return {
    address,
    trouble,
    read,
    write,
    /** The script's own folder. */
    memory: join(folder, ".deploy"),
    /** Built before, unless it is to build. */
    deploy: (env: Record<string, string> = {}, args = ["--built"]) =>
      runScript("deploy", ["--folder", join(folder, ".deploy"), ...args], {
        STAND_IN: file,
        ...env,
      }),
    rotate: (env: Record<string, string> = {}) =>
      runScript("rotate", ["--folder", join(folder, ".deploy")], { STAND_IN: file, ...env }),
    close: () => {
      server.close().closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runScript(name: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(ROOT, "scripts", `${name}.ts`), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WRANGLER: join(import.meta.dirname, "stand-in.ts"), ...env },
  });
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, out, errors };
}
