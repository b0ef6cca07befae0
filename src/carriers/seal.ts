import { bytesOf, cached } from "./secret.ts";

/*
 * What must be read again but by nobody else: settings of connections. A deployment's sealing keys
 * are Worker secrets of their own, SEALING_KEY_1, SEALING_KEY_2, …; the largest number seals, every
 * one opens, so that they can be changed while calls go on (`npm run keys:rotate`).
 */
const IV_BYTES = 12;
const NAME = /^SEALING_KEY_(\d{1,6})$/;
const SEALED = /^v2\.(\d{1,6})\.([\w-]+)$/;
/** Made before there were sealing keys, under SIGNING_SECRET. */
const SEALED_BEFORE = /^v1\.([\w-]+)$/;

type Key = Awaited<ReturnType<typeof derive>>;
const derived = new Map<string, Promise<Key>>();

/** The secrets of a deployment, by name; all others are passed over. */
export type SealingSecrets = { SIGNING_SECRET: string };

/** Number of the key that seals now. */
export function sealingKey(secrets: SealingSecrets): number {
  const numbers = Object.keys(secrets).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  const newest = Math.max(...numbers);
  if (newest === 0) throw new Error("no SEALING_KEY_1 is set: npm run deploy sets it");
  return newest;
}

/**
 * Encrypts a text (AES-256-GCM, key by HKDF-SHA256, random nonce): `v2.`, the number of the sealing
 * key, and base64url of nonce, ciphertext and tag. The same text seals differently each time.
 */
export async function seal(secrets: SealingSecrets, plain: string): Promise<string> {
  const number = sealingKey(secrets);
  const key = await keyOf(secretOf(secrets, number), "seal v2");
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytesOf(plain)),
  );
  const whole = new Uint8Array(IV_BYTES + sealed.length);
  whole.set(iv);
  whole.set(sealed, IV_BYTES);
  return `v2.${number}.${base64url(whole)}`;
}

/** Opens what `seal` made; throws when its key is gone, it was altered or is none. */
export async function unseal(secrets: SealingSecrets, sealed: string): Promise<string> {
  const [, number, text = ""] = SEALED.exec(sealed) ?? [];
  const before = SEALED_BEFORE.exec(sealed)?.[1];
  if (number !== undefined) {
    return open(await keyOf(secretOf(secrets, Number(number)), "seal v2"), text);
  }
  if (before !== undefined) return open(await keyOf(secrets.SIGNING_SECRET, "seal v1"), before);
  throw new Error("not a sealed value of a known version");
}

/** Whether a text is sealed by the key that seals now. */
export function isSealedNow(secrets: SealingSecrets, sealed: string): boolean {
  return Number(SEALED.exec(sealed)?.[1]) === sealingKey(secrets);
}

function secretOf(secrets: SealingSecrets, number: number): string {
  const secret = (secrets as Record<string, unknown>)[`SEALING_KEY_${number}`];
  if (typeof secret === "string" && secret !== "") return secret;
  throw new Error(`a sealed value needs SEALING_KEY_${number}, which is not set`);
}

async function open(key: Key, text: string): Promise<string> {
  try {
    const whole = fromBase64url(text);
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: whole.slice(0, IV_BYTES) },
      key,
      whole.slice(IV_BYTES),
    );
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (cause) {
    throw new Error("a sealed value does not open with this secret", { cause });
  }
}

function keyOf(secret: string, purpose: string): Promise<Key> {
  return cached(derived, `${purpose} ${secret}`, () => derive(secret, purpose));
}

async function derive(secret: string, purpose: string) {
  const usages: ["deriveKey"] = ["deriveKey"];
  const material = await crypto.subtle.importKey("raw", bytesOf(secret), "HKDF", false, usages);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: bytesOf("outdial"), info: bytesOf(purpose) },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

function base64url(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
