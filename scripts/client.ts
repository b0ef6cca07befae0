/** A reply that is no success. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Send = { body?: string; type?: string; headers?: Record<string, string> };

const TIMEOUT_MS = 30_000;

/** The HTTP API with a key: a workspace's, or the admin secret. */
export class Client {
  readonly url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.#key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.#send("GET", path, {});
  }

  post<T>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
    return this.#send("POST", path, { body: JSON.stringify(body), headers });
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#send("PATCH", path, { body: JSON.stringify(body) });
  }

  postCsv<T>(path: string, csv: string): Promise<T> {
    return this.#send("POST", path, { body: csv, type: "text/csv" });
  }

  /** The text of a reply that is no JSON. */
  async text(path: string): Promise<string> {
    const response = await this.#ask("GET", path, {});
    return response.text();
  }

  async #send<T>(method: string, path: string, send: Send): Promise<T> {
    const response = await this.#ask(method, path, send);
    return (await response.json()) as T;
  }

  async #ask(method: string, path: string, send: Send): Promise<Response> {
    const { body, type = "application/json", headers = {} } = send;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { "content-type": type }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response;
    const text = await response.text();
    throw readError(`${method} ${path}`, response.status, text);
  }
}

type ErrorBody = { error: { code: string; message: string; issues?: unknown } };

function readError(what: string, status: number, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    const issues = error.issues === undefined ? "" : ` ${JSON.stringify(error.issues)}`;
    return new ApiError(status, error.code, `${what}: ${status} ${error.message}${issues}`);
  } catch {
    return new ApiError(status, "unreadable", `${what}: ${status} ${text.slice(0, 200)}`);
  }
}
