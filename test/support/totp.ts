/** A code of a second factor (RFC 6238), for the half minute at `at`. */
export async function codeAt(totpUri: string, at = Date.now()): Promise<string> {
  const secret = new URL(totpUri).searchParams.get("secret") ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = (bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const usages: "sign"[] = ["sign"];
  const raw = Uint8Array.from(bytes);
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, usages);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(at / 30_000)));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter.buffer));
  const offset = mac.getUint8(19) & 15;
  return String((mac.getUint32(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
