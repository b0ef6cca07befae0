import type { FakeCall, Report } from "./fake.ts";

export type Vendor = ReturnType<typeof vendorAt>;

/** What a test tells the fake of a vendor, and asks of it, wherever the test runs. */
export function vendorAt(name: string, url: string) {
  async function tell<T>(route: string, body: unknown = {}): Promise<T> {
    const response = await fetch(`${url}/_/${route}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(`${name}: ${answer.error}`);
    return answer;
  }

  return {
    url,
    refuse: (refusal: string) => tell<{ set: boolean }>("refuse", { name: refusal }),
    answer: (status: number, body: unknown = {}) => tell("answer", { status, body }),
    lose: () => tell("lose"),
    seen: () => tell<{ calls: FakeCall[]; asked: number }>("seen"),
    knows: () => tell<{ stories: string[]; refusals: string[] }>("knows"),
    play: async (id: string, story: string, how: { at: number; secret: string; url: string }) =>
      (await tell<{ reports: Report[] }>("play", { id, story, ...how })).reports,
  };
}
