import { type Refusal, refuse } from "../core/result.ts";
import type { State } from "./state.ts";

/** Above this an object takes no more tasks; it can hold 10 GB. */
export const ROOM_BYTES = 7 * 1024 ** 3;

export const NO_ROOM: Refusal = refuse(
  "full",
  "The workspace has no room for more tasks: they come in as others end.",
);

export function hasRoom(state: State): boolean {
  return state.sql.size() < ROOM_BYTES;
}
