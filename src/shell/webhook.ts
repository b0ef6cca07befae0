import { AddressRefused, type Outbound } from "../carriers/outbound.ts";
import { hmac } from "../carriers/secret.ts";
import { withoutNumbers } from "../core/phone.ts";
import { retryAfterMs } from "../core/webhook.ts";

/** A receiver that takes longer has not answered, ms. */
const GIVE_UP_MS = 10_000;
/** Of an answer so much is read and kept, characters. */
const ANSWER_CHARS = 500;
const ANSWER_BYTES = 4_096;
const SECRET_PREFIX = "whsec_";

/** How a receiver answered: `status` is null when it did not. */
export type Told = {
  status: number | null;
  /** What it said, or what went wrong; cut, and without numbers. */
  answer: string;
  retryAfterMs: number | null;
  tookMs: number;
};

/** A signing secret: `whsec_` and 24 random bytes as Base64. */
export function newSecret(): string {
  return SECRET_PREFIX + base64(crypto.getRandomValues(new Uint8Array(24)));
}

/** The secret that signs what goes to tasks' own addresses: it follows from the deployment's. */
export async function callbackSecret(signingSecret: string, workspace: string): Promise<string> {
  const key = await hmac(signingSecret, `webhooks of tasks ${workspace}`);
  return SECRET_PREFIX + base64(key.subarray(0, 24));
}

/** `webhook-signature` (Standard Webhooks): one `v1,` for each secret. `at` is epoch seconds. */
export async function signatures(
  secrets: readonly string[],
  id: string,
  at: number,
  body: string,
): Promise<string> {
  const signed = secrets.map(async (secret) => {
    const key = await crypto.subtle.importKey(
      "raw",
      fromBase64(secret.slice(SECRET_PREFIX.length)),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const text = new TextEncoder().encode(`${id}.${at}.${body}`);
    return `v1,${base64(new Uint8Array(await crypto.subtle.sign("HMAC", key, text)))}`;
  });
  return (await Promise.all(signed)).join(" ");
}

/** Sends an event to a receiver, once. Never throws: what went wrong is an answer, too. */
export async function tell(
  out: Outbound,
  to: { url: string; secrets: readonly string[] },
  event: { id: string; body: string },
  now: number,
): Promise<Told> {
  const start = Date.now();
  const at = Math.floor(now / 1_000);
  const since = () => Date.now() - start;
  try {
    const response = await out.fetch(to.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "outdial-webhooks/1",
        "webhook-id": event.id,
        "webhook-timestamp": String(at),
        "webhook-signature": await signatures(to.secrets, event.id, at, event.body),
      },
      body: event.body,
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    const answer = await beginningOf(response);
    const wait = response.headers.get("retry-after");
    return {
      status: response.status,
      answer,
      retryAfterMs: retryAfterMs(wait, now, Date.parse(wait ?? "")),
      tookMs: since(),
    };
  } catch (error) {
    const answer = error instanceof AddressRefused ? error.message : faultOf(error);
    return { status: null, answer, retryAfterMs: null, tookMs: since() };
  }
}

/** What a runtime says of a fault can quote an address. */
function faultOf(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return name === "TimeoutError" ? "no answer in time" : "it cannot be reached";
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    while (bytes < ANSWER_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // Its status says enough.
  }
  return withoutNumbers(text).replace(/\s+/g, " ").trim().slice(0, ANSWER_CHARS);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
