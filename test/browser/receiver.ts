import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = {
  id: string;
  /** `v1,…`, one for each secret. */
  signatures: string[];
  /** What each secret would sign it with. */
  signedBy: (secret: string) => string;
  path: string;
  text: string;
  body: { type: string; sequence: number; data: Record<string, unknown> };
};

/** A system of somebody's that is told of events, on this machine. */
export class Receiver {
  readonly url: string;
  /** What it answers from now on. */
  answer = { status: 200, text: "ok" };
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(): Promise<Receiver> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const { headers } = request;
      const id = String(headers["webhook-id"]);
      const signed = `${id}.${headers["webhook-timestamp"]}.${text}`;
      receiver.received.push({
        id,
        signatures: String(headers["webhook-signature"]).split(" "),
        signedBy: (secret) => `v1,${hmac(secret, signed)}`,
        path: request.url ?? "",
        text,
        body: JSON.parse(text) as Received["body"],
      });
      response.writeHead(receiver.answer.status).end(receiver.answer.text);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const receiver = new Receiver(server);
    return receiver;
  }

  /** Events about a task or its calls, as they came. */
  of(task: string): Received[] {
    return this.received.filter(({ body }) => body.data.task === task);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function hmac(secret: string, text: string): string {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  return createHmac("sha256", key).update(text).digest("base64");
}
