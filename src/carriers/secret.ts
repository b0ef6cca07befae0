/**
 * Everything that is proved with a secret, on Web Crypto alone: the same code runs in
 * Workers and in Node. Secrets are texts; deployment secrets are expected to be long and random.
 */
const ENCODER = new TextEncoder();
const KEYS_MAX = 200;
const MAC_BYTES = 16;

type Key = Awaited<ReturnType<typeof importHmacKey>>;

const hmacKeys = new Map<string, Promise<Key>>();

/** HMAC-SHA256 of a text (as UTF-8) or of raw bytes: 64 lower-case hex digits. */
export async function hmacHex(secret: string, data: string | Uint8Array): Promise<string> {
  return hex(await hmac(secret, data));
}

type Hash = "SHA-256" | "SHA-1";

/** HMAC-SHA256 of a text (as UTF-8) or of raw bytes; SHA-1 where a vendor has nothing better. */
export async function hmac(
  secret: string,
  data: string | Uint8Array,
  hash: Hash = "SHA-256",
): Promise<Uint8Array> {
  const key = await cached(hmacKeys, `${hash} ${secret}`, () => importHmacKey(secret, hash));
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytesOf(data)));
}

/** HMAC as Base64. */
export async function hmacBase64(
  secret: string,
  data: string | Uint8Array,
  hash: Hash = "SHA-256",
): Promise<string> {
  return btoa(String.fromCharCode(...(await hmac(secret, data, hash))));
}

/** SHA-256 of raw bytes: 64 lower-case hex digits. */
export async function sha256Hex(data: string | Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(data))));
}

/** Whether two texts are equal, in a time that depends on their lengths only. */
export function equalConstantTime(a: string, b: string): boolean {
  const length = Math.max(a.length, b.length);
  let difference = a.length ^ b.length;
  for (let i = 0; i < length; i++) {
    // Past the end charCodeAt is NaN, which ^ reads as 0.
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}

/**
 * A short proof that we wrote `text` for `purpose`: 32 lower-case hex digits (128 bits), fit for URLs
 * and ids. A proof for one purpose is none for another.
 */
export async function mac(secret: string, purpose: string, text: string): Promise<string> {
  const whole = await hmac(secret, `${purpose.length}:${purpose}:${text}`);
  return hex(whole.subarray(0, MAC_BYTES));
}

/** Whether `given` is the `mac` of this text for this purpose; in constant time. */
export async function checkMac(
  secret: string,
  purpose: string,
  text: string,
  given: string,
): Promise<boolean> {
  return equalConstantTime(await mac(secret, purpose, text), given);
}

/** Imported keys are kept, oldest out first: importing costs as much as signing. */
export function cached<K>(
  keys: Map<string, Promise<K>>,
  secret: string,
  make: (secret: string) => Promise<K>,
): Promise<K> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const made = make(secret);
  if (keys.size >= KEYS_MAX) {
    for (const oldest of keys.keys()) {
      keys.delete(oldest);
      break;
    }
  }
  keys.set(secret, made);
  made.catch(() => keys.delete(secret));
  return made;
}

function importHmacKey(secret: string, hash: Hash) {
  return crypto.subtle.importKey("raw", bytesOf(secret), { name: "HMAC", hash }, false, ["sign"]);
}

/** Texts and bytes, one after the other. */
export function joined(...parts: (string | Uint8Array)[]): Uint8Array {
  const all = parts.map(bytesOf);
  const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A text as UTF-8. */
export function bytesOf(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof data === "string") return ENCODER.encode(data) as Uint8Array<ArrayBuffer>;
  // Web Crypto takes no shared memory; a body never is.
  return data as Uint8Array<ArrayBuffer>;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
