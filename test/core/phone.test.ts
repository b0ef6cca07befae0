import {
  getCountries,
  getCountryCallingCode,
  ParseError,
  parsePhoneNumberWithError,
  validatePhoneNumberLength,
} from "libphonenumber-js/min";
import { describe, expect, test } from "vitest";
import {
  isCountry,
  lastDigits,
  maskPhone,
  mentions,
  PHONE_REASONS,
  type PhoneReading,
  readPhone,
  withoutNumber,
  withoutNumbers,
} from "../../src/core/phone.ts";

const reasonOf = (text: string, how?: PhoneReading): string => {
  const read = readPhone(text, how);
  return read.ok ? read.phone : read.reason;
};

describe("H5 a number with its country code", () => {
  test.each([
    ["+919876540001", "+919876540001"],
    ["+14155550001", "+14155550001"],
    ["+12025550142", "+12025550142"],
    [" +91 98765 40001 ", "+919876540001"],
    ["+91-98765-40001", "+919876540001"],
    ["+1 (415) 555.0001", "+14155550001"],
    ["(+91) 98765 40001", "+919876540001"],
    ["+44 (0)20 7946 0000", "+442079460000"],
    ["+39 06 698 1234", "+39066981234"],
    ["00919876540001", "+919876540001"],
    ["00 91 98765 40001", "+919876540001"],
    ["'+919876540001", "+919876540001"],
    ["' +919876540001", "+919876540001"],
    [" '+919876540001", "+919876540001"],
    ["' +919876540001.0", "+919876540001"],
    ["+39.0669812.0", "+3906698120"],
    ["+3906698.0123", "+39066980123"],
    ["+80012345678", "+80012345678"],
    ["+91\u00a098765\u202f40001", "+919876540001"],
    ["\u202a+919876540001\u202c", "+919876540001"],
    ["\ufeff+91\u200b98765\u200d40001", "+919876540001"],
    ["+91\u201198765\u201340001", "+919876540001"],
    ["＋９１９８７６５４０００１", "+919876540001"],
    ["+٩١٩٨٧٦٥٤٠٠٠١", "+919876540001"],
    ["+۹۱۹۸۷۶۵۴۰۰۰۱", "+919876540001"],
    ["+919876540001.0", "+919876540001"],
  ])("reads %j", (text, phone) => {
    expect(reasonOf(text)).toBe(phone);
  });

  test("is taken for every ending that the simulator answers to", () => {
    for (let ending = 1; ending <= 99; ending++) {
      const last = String(ending).padStart(4, "0");
      for (const phone of [
        `+91987654${last}`,
        `+1415555${last}`,
        `+4930555${last}`,
        `+4420794${last}0`,
      ]) {
        expect(reasonOf(phone)).toBe(phone);
      }
    }
  });
});

describe("H7 damage is named", () => {
  test.each([
    ["", "missing"],
    ["  ", "missing"],
    ["'", "missing"],
    [" - ", "missing"],
    ["9.19877E+11", "scientific"],
    ["'9.19877e+11", "scientific"],
    ["9,19877E+11", "scientific"],
    ["9E11", "scientific"],
    ["919.877E+9", "scientific"],
    ["ab9E11", "letters"],
    ["9E11x", "letters"],
    ["+9.19877E+11", "scientific"],
    ["n/a", "letters"],
    ["call me", "letters"],
    ["+1 415 555 CALL", "letters"],
    ["+919876540001 x12", "letters"],
    ["+91 98765 4000l", "letters"],
    ["#REF!", "letters"],
    ["звонить", "letters"],
    ["+", "too_short"],
    ["+1", "too_short"],
    ["+91", "too_short"],
    ["+9198765", "too_short"],
    ["+1415555000", "too_short"],
    ["00", "too_short"],
    ["+1 ------", "too_short"],
    ["+999", "invalid"],
    ["+3762222222", "invalid"],
    ["+9710025414055", "invalid"],
    ["+141555500011", "too_long"],
    ["+91987654000112345", "too_long"],
    [`+${"9".repeat(5000)}`, "too_long"],
    ["+999123456789", "invalid"],
    ["+0919876540001", "invalid"],
    ["++919876540001", "invalid"],
    ["+919876540001/+919876540002", "invalid"],
    ["+919876540001, +919876540002", "invalid"],
    ["919,876,540,001", "invalid"],
    ["*31#", "invalid"],
    ["''+919876540001", "invalid"],
  ])("%j is %s", (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
    expect(PHONE_REASONS).toContain(reason);
  });
});

describe("H8 a number without + or 00", () => {
  test("is rejected when nothing says how to read it", () => {
    expect(reasonOf("919876540001")).toBe("no_country_code");
    expect(reasonOf("919876540001", { numbers: "e164" })).toBe("no_country_code");
    expect(reasonOf("9876540001")).toBe("no_country_code");
    expect(reasonOf("098765 40001")).toBe("no_country_code");
  });

  test("is read as international when the import says so", () => {
    const how: PhoneReading = { numbers: "international-without-plus" };
    expect(reasonOf("919876540001", how)).toBe("+919876540001");
    expect(reasonOf("1 415 555 0001", how)).toBe("+14155550001");
    expect(reasonOf("919876540001.0", how)).toBe("+919876540001");
    expect(reasonOf("+919876540001", how)).toBe("+919876540001");
    expect(reasonOf("09876540001", how)).toBe("invalid");
  });

  test("is read in the country that the import names", () => {
    expect(reasonOf("9876540001", { defaultCountry: "IN" })).toBe("+919876540001");
    expect(reasonOf("098765 40001", { defaultCountry: "IN" })).toBe("+919876540001");
    expect(reasonOf("919876540001", { defaultCountry: "IN" })).toBe("+919876540001");
    expect(reasonOf("+14155550001", { defaultCountry: "IN" })).toBe("+14155550001");
    expect(reasonOf("0014155550001", { defaultCountry: "IN" })).toBe("+14155550001");
    expect(reasonOf("(415) 555-0001", { defaultCountry: "US" })).toBe("+14155550001");
    expect(reasonOf("1-415-555-0001", { defaultCountry: "US" })).toBe("+14155550001");
    expect(reasonOf("020 7946 0000", { defaultCountry: "GB" })).toBe("+442079460000");
    expect(reasonOf("06 698 1234", { defaultCountry: "IT" })).toBe("+39066981234");
    expect(reasonOf("98765", { defaultCountry: "IN" })).toBe("too_short");
    expect(reasonOf("9".repeat(30), { defaultCountry: "IN" })).toBe("too_long");
    expect(reasonOf("9".repeat(5000), { defaultCountry: "IN" })).toBe("too_long");
    expect(reasonOf("301234567890123", { defaultCountry: "DE" })).toBe("too_long");
    expect(reasonOf("9876540001", { defaultCountry: "ZZ" })).toBe("no_country_code");
  });

  test("names a country by its two capital letters", () => {
    expect(["IN", "US", "XK"].map(isCountry)).toEqual([true, true, true]);
    expect(["in", "India", "", "ZZ", "__proto__", "constructor"].map(isCountry)).not.toContain(
      true,
    );
  });
});

/** mulberry32: the same numbers at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the library says of a number, in its own time; none where it says otherwise of what it said. */
function byLibrary(number: string, country?: (typeof COUNTRIES)[number]): string | null {
  const options = { extract: false, ...(country === undefined ? {} : { defaultCountry: country }) };
  try {
    const { number: e164 } = parsePhoneNumberWithError(number, options);
    const possible = validatePhoneNumberLength(number, options) === undefined;
    if (possible && e164 !== number && byLibrary(e164) !== e164) return null;
    return possible && e164.length <= 16 ? e164 : null;
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}
const COUNTRIES = getCountries();

describe("H7 the quick look at a number", () => {
  const title = "takes what the library takes, as the library writes it, in every country";
  test(title, { timeout: 30_000 }, () => {
    const next = random(7);
    let taken = 0;
    for (const country of COUNTRIES) {
      const code = getCountryCallingCode(country);
      for (let n = 0; n < 120; n++) {
        const length = 3 + Math.floor(next() * 11);
        const rest = Array.from({ length }, () => Math.floor(next() * 10)).join("");
        // Trunk prefixes and repeated country codes are where a quick look goes wrong: more of them.
        const odd = ["", "", "0", "1", "8", code, `0${code}`][n % 7] ?? "";
        const national = odd + rest;
        if (national.length > 17) continue;
        for (const [text, how] of [
          [`+${code}${national}`, undefined],
          [national, country],
        ] as const) {
          if (how !== undefined && text.startsWith("00")) continue; // `00` is ours, by H8
          if (how === undefined && text.length > 16) continue; // longer than E.164
          const read = readPhone(text, how === undefined ? {} : { defaultCountry: how });
          const said = byLibrary(text, how);
          if ((read.ok ? read.phone : null) !== said) {
            expect({ country, text, how, read }).toEqual(said);
          }
          if (read.ok) taken += 1;
        }
      }
    }
    expect(taken).toBeGreaterThan(10_000);
  });
});

describe("a masked number", () => {
  test("keeps its country code and the last two digits", () => {
    expect(maskPhone("+919876540042")).toBe("+91••••••••42");
    expect(maskPhone("+14155550001")).toBe("+1••••••••01");
    expect(maskPhone("+3726012342")).toBe("+372•••••42");
    expect(maskPhone("+80012345678")).toBe("+800••••••78");
  });

  test("shows no more of anything else", () => {
    expect(maskPhone("9876540001")).toBe("••••••••01");
    expect(maskPhone("0919876540")).toBe("••••••••40");
    expect(maskPhone("+99")).toBe("•99");
    expect(maskPhone("")).toBe("");
  });
});

describe("a text that may quote a number", () => {
  test.each([
    ["call +91 98765-40042 now", "call +91••••••••42 now"],
    ["0 (415) 555.0001!", "•••••••••01!"],
    ["busy: +919876540042, +14155550001", "busy: +91••••••••42, +1••••••••01"],
    ["in 123456 s", "in ••••56 s"],
    ["a1234567b", "a•••••67b"],
    ["code 12345", "code 12345"],
    ["HTTP 429", "HTTP 429"],
  ])("of %j keeps all but the numbers", (text, masked) => {
    expect(withoutNumbers(text)).toBe(masked);
  });
});

describe("a text that writes a number", () => {
  const PHONE = "+919876540001";

  test.each([
    ["+919876540001"],
    ["919876540001"],
    ["call +91 98765-40001 at noon"],
    ["(0)98765 40001"],
    ["0098765.40001"],
    ["9876540001"],
    ["6540001"],
    ["00 6540001"],
    ["id-x919876540001y"],
    ["99919876540001"],
    ["\uff19\uff11\uff19\uff18\uff17\uff16\uff15\uff14\uff10\uff10\uff10\uff11"],
    ["\u0669\u0661\u0669\u0668\u0667\u0666\u0665\u0664\u0660\u0660\u0660\u0661"],
    ["\u06f9\u06f8\u06f7\u06f6\u06f5\u06f4\u06f0\u06f0\u06f0\u06f1"],
  ])("%j does", (text) => {
    expect(mentions(text, PHONE)).toBe(true);
  });

  test.each([
    [""],
    ["Asha"],
    ["540001"],
    ["0540001"],
    ["00000540001"],
    ["+919876540002"],
    ["98765400010"],
    ["98765 4000"],
    ["16540001"],
  ])("%j does not", (text) => {
    expect(mentions(text, PHONE)).toBe(false);
  });

  test("does so of short numbers, too, but for those that tell nothing", () => {
    expect(mentions("+2901234", "+2901234")).toBe(true);
    expect(mentions("290123", "+290123")).toBe(false);
    expect(mentions("1290123", "+290123")).toBe(false);
  });

  test("has it masked where it stands, and nothing else", () => {
    const text = "0 98765 40001, +91 98765 40001 or +919876540002";
    const masked = "+91••••••••01, +91••••••••01 or +919876540002";
    expect(withoutNumber(text, PHONE)).toBe(masked);
    expect(withoutNumber("Asha, 12", PHONE)).toBe("Asha, 12");
  });

  test("has its last four digits in one piece", () => {
    expect(lastDigits(PHONE)).toBe("0001");
  });
});
