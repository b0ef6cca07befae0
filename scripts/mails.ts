import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** A mail API for local runs: what is posted goes to a folder, as one file for each mail. */
export async function receiveMails(folder: string): Promise<{ url: string; close(): void }> {
  let count = 0;
  const server = createServer(async (request, response) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = `${Date.now()}-${String(count++).padStart(4, "0")}.json`;
    writeFileSync(join(folder, name), `${await text(request)}\n`, { mode: 0o600 });
    response.writeHead(200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
