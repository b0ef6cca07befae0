import { createServer } from "node:net";

/** Asks again until the answer is as wanted; throws at the deadline. */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (value: T) => boolean,
  { everyMs = 50, deadlineMs = 60_000 } = {},
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    let got: string;
    try {
      const value = await ask();
      if (wanted(value)) return value;
      got = JSON.stringify(value);
    } catch (error) {
      // Nobody listens yet: a process that starts may take its time on a busy machine.
      if (!(error instanceof TypeError)) throw error;
      got = String(error);
    }
    if (Date.now() > deadline) throw new Error(`deadline: got ${got.slice(0, 2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A port that is free together with the one after it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 5_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
