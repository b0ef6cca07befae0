import * as http from "node:http";

export type Ask = {
  method?: string;
  path: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
};

/** Keep-alive connections to one server. */
export class Client {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #headers: Record<string, string>;

  constructor(url: string, connections: number, headers: Record<string, string> = {}) {
    this.#url = new URL(url);
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
    this.#headers = headers;
  }

  ask(ask: Ask): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#url;
      const request = http.request(
        {
          agent: this.#agent,
          hostname,
          port,
          path: ask.path,
          method: ask.method ?? (ask.body === undefined ? "GET" : "POST"),
          headers: {
            ...this.#headers,
            ...(ask.body === undefined
              ? {}
              : {
                  "content-type": "application/json",
                  "content-length": Buffer.byteLength(ask.body),
                }),
            ...ask.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: response.statusCode ?? 0, text });
          });
          response.on("error", reject);
        },
      );
      request.on("error", reject);
      request.end(ask.body);
    });
  }

  /** The JSON of a good reply. */
  async json<T>(ask: Ask): Promise<T> {
    const { status, text } = await this.ask(ask);
    if (status >= 300) throw new Error(`${ask.path}: ${status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Sends `count` requests over `connections` connections; requests per second. */
export async function rateOf(
  connections: number,
  count: number,
  send: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const from = performance.now();
  const worker = async () => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return count / ((performance.now() - from) / 1_000);
}

/** Asks again every few ms until the answer is as wanted. */
export async function until<T>(
  get: () => Promise<T>,
  wanted: (value: T) => boolean,
  everyMs = 5,
  deadlineMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await get();
    if (wanted(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`deadline: ${JSON.stringify(value).slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
