import { ParseError, parsePhoneNumberWithError } from "libphonenumber-js/core";
// Patterns of mobile numbers alone (24 kB compressed): "min", which reads numbers, has none by type,
// and "max" (40 kB) has all. Only what asks whether a number is mobile loads them.
import metadata from "libphonenumber-js/mobile/metadata";

/**
 * Whether an E.164 number is one of its country's mobile numbers. Where a country's numbers do not
 * tell, as in North America, every number that may be mobile is.
 */
export function isMobile(phone: string): boolean {
  try {
    return parsePhoneNumberWithError(phone, metadata).isValid();
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
