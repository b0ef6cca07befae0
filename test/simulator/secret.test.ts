import { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isSealedNow, seal, sealingKey, unseal } from "../../src/carriers/seal.ts";
import { checkMac, equalConstantTime, hmacHex, mac } from "../../src/carriers/secret.ts";

describe("an HMAC", () => {
  it("is that of everyone else, over text and bytes", async () => {
    for (const text of ["", "a", "é€😀", "x".repeat(10_000)]) {
      const expected = createHmac("sha256", "secret").update(text).digest("hex");
      expect(await hmacHex("secret", text)).toBe(expected);
      expect(await hmacHex("secret", new TextEncoder().encode(text))).toBe(expected);
    }
  });

  it("stays right when more secrets are used than are kept", async () => {
    const secrets = Array.from({ length: 450 }, (_, i) => `secret ${i}`);
    for (const secret of [...secrets, ...secrets.slice(0, 3)]) {
      const expected = createHmac("sha256", secret).update("x").digest("hex");
      expect(await hmacHex(secret, "x")).toBe(expected);
    }
  });
});

describe("a comparison", () => {
  it("is true for equal texts only", () => {
    const texts = ["", "a", "b", "aa", "ab", "a\0", "\0", "é"];
    for (const a of texts) for (const b of texts) expect(equalConstantTime(a, b)).toBe(a === b);
  });
});

describe("a sealed text", () => {
  const SECRETS = { SIGNING_SECRET: "signing", SEALING_KEY_1: "one" };
  const ROTATED = { ...SECRETS, SEALING_KEY_2: "two" };

  it("opens with the same key to the same text, and looks different each time", async () => {
    for (const text of ["", '{"apiKey":"k"}', "\uFEFFé€😀", "x".repeat(200_000)]) {
      const [one, two] = await Promise.all([seal(SECRETS, text), seal(SECRETS, text)]);
      expect(one).toMatch(/^v2\.1\.[\w-]+$/);
      expect(one).not.toBe(two);
      expect(await unseal(SECRETS, one)).toBe(text);
      expect(await unseal(SECRETS, two)).toBe(text);
    }
  });

  it("opens neither with another key nor after any change", async () => {
    const sealed = await seal(SECRETS, "plain");
    const other = { ...SECRETS, SEALING_KEY_1: "another" };
    await expect(unseal(other, sealed)).rejects.toThrow("does not open");
    const middle = sealed.length - 4;
    const changed =
      sealed.slice(0, middle) + (sealed[middle] === "A" ? "B" : "A") + sealed.slice(middle + 1);
    const body = sealed.slice("v2.1.".length);
    const bad = [changed, sealed.slice(0, -6), "v2.1.", "v2.1.!!", `v1.${body}`, `v3.1.${body}`];
    for (const one of [...bad, "plain", ""]) {
      await expect(unseal(SECRETS, one), one).rejects.toThrow(/sealed value/);
    }
  });

  it("is made by the newest key, and opens as long as its own key is there", async () => {
    const before = await seal(SECRETS, "plain");
    const after = await seal(ROTATED, "plain");
    expect(after).toMatch(/^v2\.2\./);
    expect([before, after].map((one) => isSealedNow(ROTATED, one))).toEqual([false, true]);
    expect(await unseal(ROTATED, before)).toBe("plain");
    const { SEALING_KEY_1: _, ...left } = ROTATED;
    expect(await unseal(left, after)).toBe("plain");
    await expect(unseal(left, before)).rejects.toThrow("SEALING_KEY_1, which is not set");
  });

  it("counts keys as numbers, and wants one", () => {
    expect(sealingKey({ ...SECRETS, SEALING_KEY_9: "a", SEALING_KEY_10: "b" } as never)).toBe(10);
    const odd = { SIGNING_SECRET: "s", SEALING_KEY_: "a", OLD_SEALING_KEY_3: "b" };
    expect(() => sealingKey(odd)).toThrow("no SEALING_KEY_1");
  });

  it("of the form before, under the signing secret, goes on opening", async () => {
    const key = Buffer.from(hkdfSync("sha256", "signing", "outdial", "seal v1", 32));
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    const text = Buffer.concat([iv, cipher.update("plain"), cipher.final(), cipher.getAuthTag()]);
    const old = `v1.${text.toString("base64url")}`;
    expect(await unseal(SECRETS, old)).toBe("plain");
    expect(isSealedNow(SECRETS, old)).toBe(false);
  });
});

describe("a MAC", () => {
  it("is short, lower-case hex, and good for its purpose, text and secret only", async () => {
    const given = await mac("secret", "call", "cal_a_1");
    expect(given).toMatch(/^[0-9a-f]{32}$/);
    expect(await checkMac("secret", "call", "cal_a_1", given)).toBe(true);
    expect(await checkMac("secret", "key", "cal_a_1", given)).toBe(false);
    expect(await checkMac("secret", "call", "cal_a_2", given)).toBe(false);
    expect(await checkMac("other", "call", "cal_a_1", given)).toBe(false);
    for (const bad of ["", given.slice(1), `${given}0`, given.toUpperCase()]) {
      expect(await checkMac("secret", "call", "cal_a_1", bad)).toBe(bad === given);
    }
  });

  it("keeps purpose and text apart", async () => {
    expect(await mac("secret", "a", ":b")).not.toBe(await mac("secret", "a:", "b"));
  });
});
