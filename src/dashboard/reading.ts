import type { PhoneReading } from "../core/phone.ts";

/** How numbers without `+` are read (H8): nobody guesses a country. */
export type Reading = {
  numbers: "e164" | "international-without-plus" | "country";
  country: string;
};

export const PLAIN: Reading = { numbers: "e164", country: "" };

export const READINGS: { value: Reading["numbers"]; label: string }[] = [
  { value: "e164", label: "Reject them: a number starts with + or 00" },
  { value: "international-without-plus", label: "The country code is there, only + is missing" },
  { value: "country", label: "They are of one country" },
];

/** As the rules and the API's query take it. */
export function readingOf({ numbers, country }: Reading): PhoneReading {
  if (numbers === "country") return country === "" ? {} : { defaultCountry: country };
  return numbers === "e164" ? {} : { numbers };
}

const CODES =
  "AD AE AF AG AI AL AM AO AR AS AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FR GA GB GD GE GF GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WS YE ZA ZM ZW";

const NAMES = new Intl.DisplayNames("en", { type: "region" });

/** Countries by name, for a list to choose from. */
export const COUNTRIES = CODES.split(" ")
  .map((value) => ({ value, label: NAMES.of(value) ?? value }))
  .sort((a, b) => a.label.localeCompare(b.label));
