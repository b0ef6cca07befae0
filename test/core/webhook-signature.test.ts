import { describe, expect, it } from "vitest";
import { callbackSecret, newSecret, signatures } from "../../src/shell/webhook.ts";

describe("signatures", () => {
  it("are those of the Standard Webhooks reference libraries' own test", async () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const signed = await signatures([secret], id, 1_614_265_330, '{"test": 2432232314}');
    expect(signed).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("one for each secret, in their order", async () => {
    const secrets = [newSecret(), newSecret()];
    const both = await signatures(secrets, "a", 1, "{}");
    const each = await Promise.all(secrets.map((one) => signatures([one], "a", 1, "{}")));
    expect(both.split(" ")).toEqual(each);
  });

  it("a new secret has 24 random bytes, and no two are the same", () => {
    const secrets = Array.from({ length: 50 }, newSecret);
    expect(new Set(secrets).size).toBe(50);
    for (const one of secrets) expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  });

  it("the secret of tasks' own addresses follows from deployment and workspace", async () => {
    const one = await callbackSecret("a long secret of a deployment", "ws_a");
    expect(await callbackSecret("a long secret of a deployment", "ws_a")).toBe(one);
    expect(await callbackSecret("a long secret of a deployment", "ws_b")).not.toBe(one);
    expect(await callbackSecret("another secret", "ws_a")).not.toBe(one);
  });
});
