import { describe, expect, it } from "vitest";
import { auditIdOf, changeOf, makeAuditId } from "../../src/core/audit.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";

const WORKSPACE = "ws_k3v9q2m8xa" as WorkspaceId;
const NOON = Date.UTC(2026, 10, 29, 12);

describe("ids of entries", () => {
  it("carry their workspace, nine digits of time and seven of chance", () => {
    const time = NOON.toString(36).padStart(9, "0");
    expect(makeAuditId(WORKSPACE, NOON, () => 0)).toBe(`aud_k3v9q2m8xa_${time}0000000`);
    expect(makeAuditId(WORKSPACE, NOON, () => 1 - 2 ** -53)).toBe(`aud_k3v9q2m8xa_${time}zzzzzzz`);
    expect(auditIdOf(WORKSPACE, NOON, 35)).toBe(`aud_k3v9q2m8xa_${time}000000z`);
    expect(auditIdOf(WORKSPACE, NOON, 36 ** 7 + 1)).toBe(`aud_k3v9q2m8xa_${time}0000001`);
  });

  it("sort by time, whatever chance says", () => {
    const times = [0, 1, NOON, NOON + 1, 36 ** 8 - 1, 36 ** 8, Date.UTC(2099, 0, 1)];
    const ids = times.map((at, n) => makeAuditId(WORKSPACE, at, () => (n % 2 === 0 ? 0.99 : 0)));
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe("a change", () => {
  it("has the fields that differ, as they were and as they are", () => {
    const before = { name: "A", slots: 5, days: [1, 2], hours: { opens: 0 }, gone: 1 };
    const after = { name: "B", slots: 5, days: [1, 2], hours: { opens: 60 }, fresh: true };
    expect(changeOf(before, after)).toEqual({
      before: { name: "A", hours: { opens: 0 }, fresh: null },
      after: { name: "B", hours: { opens: 60 }, fresh: true },
    });
  });

  it("is empty where nothing differs, and tells null from what was never there", () => {
    expect(changeOf({ a: 1 }, { a: 1 })).toEqual({ before: {}, after: {} });
    expect(changeOf({ a: null }, { a: null })).toEqual({ before: {}, after: {} });
    expect(changeOf({}, { a: null })).toEqual({ before: { a: null }, after: { a: null } });
    expect(changeOf({ a: 1 }, { a: undefined })).toEqual({ before: { a: 1 }, after: { a: null } });
    expect(changeOf({ a: 0 }, { a: false })).toEqual({ before: { a: 0 }, after: { a: false } });
  });
});
