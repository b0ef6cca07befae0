import { hashPassword } from "better-auth/crypto";
import { isPasswordCompromised } from "better-auth/plugins/haveibeenpwned";
import { PASSWORD_MAX, PASSWORD_MIN } from "../contract/person.ts";
import type { Issue } from "../core/result.ts";
import { invalid } from "./errors.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** `on`: a new password is looked up at haveibeenpwned.com, by five digits of its hash. */
      BREACH_LOOKUP?: string;
    }
  }
}

let common: Promise<ReadonlySet<string>> | null = null;

/** What is wrong with a new password, or null. */
export async function findFault(env: Env, password: string): Promise<Omit<Issue, "path"> | null> {
  const { length } = password;
  if (length < PASSWORD_MIN || length > PASSWORD_MAX) {
    const expected = `${PASSWORD_MIN} to ${PASSWORD_MAX} characters`;
    return { expected, got: `${length} characters` };
  }
  if (isCommon(password, await readCommon())) {
    const expected = "no common password, not with digits or signs around it either";
    return { expected, got: "a common one" };
  }
  if (env.BREACH_LOOKUP === "on" && (await isPasswordCompromised(password))) {
    return { expected: "a password that is in no known breach", got: "one that is" };
  }
  return null;
}

/** The hash of a new password; one that may not be ends the request. */
export async function hashNewPassword(env: Env, password: string): Promise<string> {
  const fault = await findFault(env, password);
  if (fault !== null) throw invalid({ path: "password", ...fault });
  return hashPassword(password);
}

/** Whether it is on the list, says something from it over and over, or hides it in digits and signs. */
export function isCommon(password: string, list: ReadonlySet<string>): boolean {
  const text = password.toLowerCase();
  const repeated = /^(.+?)\1+$/u.exec(text)?.[1] ?? text;
  const word = text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  const short = repeated.length <= 3;
  return short || [text, repeated, word].some((one) => list.has(one));
}

/** 49,000 passwords, unpacked where somebody chooses one. */
function readCommon(): Promise<ReadonlySet<string>> {
  common ??= import("@zxcvbn-ts/language-common").then(({ dictionary }) => {
    return new Set(dictionary["passwords-common"].filter((one) => one.length > 3));
  });
  return common;
}
