import type { Received } from "./receiver.ts";

export type { Received } from "./receiver.ts";

/** A receiver of webhooks as tests talk to it, from Node and from workerd. */
export function receiverAt(base: string) {
  async function control<T>(name: string, body: Record<string, unknown>): Promise<T> {
    const response = await fetch(`${base}/_/${name}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return (await response.json()) as T;
  }
  return {
    base,
    /** How a path answers from now on. */
    set: (path: string, behaviour: Record<string, unknown>) =>
      control("set", { path, ...behaviour }),
    /** What has come to a path, oldest first. */
    seen: async (path: string) => (await control<{ items: Received[] }>("seen", { path })).items,
    /** What has come to all paths. */
    all: async () => (await control<{ paths: Record<string, Received[]> }>("all", {})).paths,
    /** Asks until so much has come. */
    async until(path: string, count: number, ms = 15_000): Promise<Received[]> {
      const end = Date.now() + ms;
      for (;;) {
        const { items } = await control<{ items: Received[] }>("seen", { path });
        if (items.length >= count) return items;
        if (Date.now() > end) {
          const types = items.map((one) => one.body.type).join(", ");
          throw new Error(`${items.length} of ${count} events came: ${types}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}
export type Receiver = ReturnType<typeof receiverAt>;
