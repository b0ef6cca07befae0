import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { Exchange } from "./exchange.ts";
import { Journal } from "./journal.ts";
import { makeServer } from "./server.ts";

const USAGE = `node simulator/main.ts [--port 8788] [--key sim_key] [--secret sim_secret]
                       [--seed 1] [--capacity n] [--state file]
A carrier that dials nobody; see docs/simulator.md. Listens on 127.0.0.1; port 0 takes a free one.`;

main();

function main(): void {
  const { port, key, secret, seed, capacity, state } = readOptions();
  const journal = state === undefined ? null : new Journal(state);
  const exchange = new Exchange({ secret, seed, capacity }, journal);
  const server = makeServer(exchange, key);
  server.on("error", (error: NodeJS.ErrnoException) => {
    fail(error.code === "EADDRINUSE" ? `port ${port} is taken` : error.message);
  });
  server.listen(port, "127.0.0.1", () => {
    const listening = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    exchange.open(listening);
    console.log(JSON.stringify({ listening }));
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8788" },
        key: { type: "string", default: "sim_key" },
        secret: { type: "string", default: "sim_secret" },
        seed: { type: "string", default: "1" },
        capacity: { type: "string" },
        state: { type: "string" },
      },
    });
    const { key, secret, state } = values;
    return {
      port: wholeOf("port", values.port),
      key,
      secret,
      seed: wholeOf("seed", values.seed),
      capacity: values.capacity === undefined ? null : wholeOf("capacity", values.capacity),
      state,
    };
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function wholeOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name}: expected a whole number, got ${text}`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
