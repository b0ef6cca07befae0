import { describe, expect, it } from "vitest";
import { isAway } from "../../src/shell/faults.ts";

describe("what is away, and what is a mistake of ours", () => {
  it.each([
    "disk I/O error: SQLITE_IOERR (extended: SQLITE_IOERR_WRITE)",
    "database or disk is full: SQLITE_FULL",
    "D1_ERROR: disk I/O error: SQLITE_IOERR",
    "D1_ERROR: database or disk is full: SQLITE_FULL",
    "D1_ERROR: database is locked: SQLITE_BUSY",
    "internal error; reference = fsehsbchhtdf9kq5793l0r6u",
  ])("H35 H38 a platform that fails is away, so that a client tries again: %s", (message) => {
    expect(isAway(new Error(message))).toBe(true);
  });

  it.each([
    "D1_ERROR: UNIQUE constraint failed: tasks.id: SQLITE_CONSTRAINT",
    "no such column: slots: SQLITE_ERROR",
  ])("H38 a statement that is wrong is not: %s", (message) => {
    expect(isAway(new Error(message))).toBe(false);
  });
});
