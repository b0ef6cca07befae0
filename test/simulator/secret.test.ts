import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  checkMac,
  equalConstantTime,
  hmacHex,
  mac,
  seal,
  unseal,
} from "../../src/carriers/secret.ts";

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
  it("opens with the same secret to the same text, and looks different each time", async () => {
    for (const text of ["", '{"apiKey":"k"}', "\uFEFFé€😀", "x".repeat(200_000)]) {
      const [one, two] = await Promise.all([seal("secret", text), seal("secret", text)]);
      expect(one).toMatch(/^v1\.[\w-]+$/);
      expect(one).not.toBe(two);
      expect(await unseal("secret", one)).toBe(text);
      expect(await unseal("secret", two)).toBe(text);
    }
  });

  it("opens neither with another secret nor after any change", async () => {
    const sealed = await seal("secret", "plain");
    await expect(unseal("other", sealed)).rejects.toThrow("does not open");
    const middle = sealed.length - 4;
    const changed =
      sealed.slice(0, middle) + (sealed[middle] === "A" ? "B" : "A") + sealed.slice(middle + 1);
    for (const bad of [
      changed,
      sealed.slice(0, -6),
      "v1.",
      "v1.!!",
      `v2.${sealed.slice(3)}`,
      "plain",
    ]) {
      await expect(unseal("secret", bad), bad).rejects.toThrow(/sealed value/);
    }
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
