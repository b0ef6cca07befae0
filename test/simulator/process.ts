import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { ReportRequest } from "../../src/carriers/carrier.ts";

export const KEY = "test_key";
export const SECRET = "test_secret";
const DEADLINE_MS = 10_000;

export type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/** The real process on a free port of 127.0.0.1, with a key and a secret of its own. */
export async function startSimulator(...options: string[]) {
  const path = new URL("../../simulator/main.ts", import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    [path, "--port", "0", "--key", KEY, "--secret", SECRET, ...options],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const url = (JSON.parse(line) as { listening: string }).listening;
  return {
    url,
    child,
    settings: { baseUrl: url, apiKey: KEY, reportSecret: SECRET },
    get: (route: string) => ask(url, route),
    post: (route: string, body: unknown = {}) => ask(url, route, body),
    stop: (signal: NodeJS.Signals = "SIGTERM") => stop(child, signal),
  };
}

/** What became of the process: its exit code, or the signal that ended it. */
async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | string | null> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return child.exitCode ?? child.signalCode;
  }
  child.kill(signal);
  const [code, ended] = (await once(child, "exit")) as [number | null, string | null];
  return code ?? ended;
}

async function ask(url: string, route: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url + route, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, unknown>;
}

export type Received = ReportRequest & { event: string; call: Record<string, unknown> };
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Where reports go: keeps each as it came, and answers with `status()`. */
export async function startReceiver() {
  const received: Received[] = [];
  const answers = { status: () => 200 };
  const waiters = new Set<() => void>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = new Uint8Array(Buffer.concat(chunks));
    const { event, call } = JSON.parse(new TextDecoder().decode(body)) as Received;
    const headers = new Headers(request.headers as Record<string, string>);
    received.push({ url: request.url ?? "", headers, body, event, call });
    response.writeHead(answers.status()).end();
    for (const waiter of waiters) waiter();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** The reports that came to a path, once they are as wanted. */
  async function until(
    path: string,
    wanted: (reports: Received[]) => boolean,
  ): Promise<Received[]> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const reports = received.filter((report) => report.url === path);
        if (!wanted(reports)) return;
        settle();
        resolve(reports);
      };
      const deadline = setTimeout(() => {
        settle();
        const events = received.filter((report) => report.url === path).map(({ event }) => event);
        reject(new Error(`deadline: ${path} got ${events.join(", ") || "nothing"}`));
      }, DEADLINE_MS);
      const settle = (): void => {
        clearTimeout(deadline);
        waiters.delete(look);
      };
      waiters.add(look);
      look();
    });
  }

  return { url, received, answers, until, stop: () => server.close().closeAllConnections() };
}

/** Asks until the answer is as wanted; throws at the deadline. */
export async function poll<T>(ask: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await ask();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`deadline: got ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
