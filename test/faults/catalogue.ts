import { ATTEMPTS } from "./attempts.ts";
import { DOUBT } from "./doubt.ts";
import { EVENTS } from "./events.ts";
import type { Fault } from "./fault.ts";
import { IMPORTS } from "./imports.ts";
import { MOVES } from "./moves.ts";
import { NEWS } from "./news.ts";
import { ORDER } from "./order.ts";
import { PUSHES } from "./pushes.ts";
import { SLOTS } from "./slots.ts";
import { STORED } from "./stored.ts";
import { WAKING } from "./wake.ts";
import { WINDOWS } from "./windows.ts";

/** Every planted fault. */
export const CATALOGUE: readonly Fault[] = [
  ...SLOTS,
  ...WINDOWS,
  ...ORDER,
  ...ATTEMPTS,
  ...DOUBT,
  ...NEWS,
  ...WAKING,
  ...STORED,
  ...MOVES,
  ...IMPORTS,
  ...PUSHES,
  ...EVENTS,
];
