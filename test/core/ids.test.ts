import { describe, expect, test } from "vitest";
import {
  ID_KINDS,
  localKey,
  makeId,
  parseId,
  parseWorkspaceId,
  type WorkspaceId,
} from "../../src/core/ids.ts";

const OURS = "ws_k3v9q2m8xa" as WorkspaceId;
const THEIRS = "ws_k3v9q2m8xb" as WorkspaceId;

describe("an id", () => {
  test("H37 names its kind, its workspace and its local part, for every kind", () => {
    for (const kind of ID_KINDS) {
      const id = makeId(kind, OURS, "m1");
      expect(id).toBe(`${kind}_k3v9q2m8xa_m1`);
      for (const other of ID_KINDS) {
        const read = other === kind ? { id, workspace: OURS, local: "m1" } : null;
        expect(parseId(other, id)).toEqual(read);
      }
    }
  });

  test("H37 of a workspace is ws_ and 6 to 16 letters and digits, nothing before or behind", () => {
    const texts = ["ws_abcdef", "ws_012345", `ws_${"a".repeat(16)}`];
    expect(texts.map(parseWorkspaceId)).toEqual(texts);
    const wrong = ["ws_abcde", `ws_${"a".repeat(17)}`, "ws_ABCDEF", "xws_abcdef", "ws_abcdef_1"];
    for (const text of [...wrong, "ws_", "", "ws-abcdef", "ws_abc/ef", "ws_abcdef\n"]) {
      expect(parseWorkspaceId(text), text).toBeNull();
    }
  });

  test.each([
    "tsk_abcdef_",
    `tsk_abcdef_${"1".repeat(17)}`,
    "tsk_abcde_1",
    `tsk_${"a".repeat(17)}_1`,
    "tsk_ABCDEF_1",
    "tsk_abcdef_A",
    "tsk_abcdef_1_2",
    "xtsk_abcdef_1",
    "tsk_abcdef_1\n",
    "tsk_abcdef",
    "TSK_abcdef_1",
    "",
  ])("H37 is none: %j", (text) => {
    expect(parseId("tsk", text)).toBeNull();
  });

  test("H37 has a local part of 1 to 16 signs", () => {
    expect(parseId("agt", "agt_abcdef_1")?.local).toBe("1");
    expect(parseId("agt", `agt_${"a".repeat(16)}_${"z".repeat(16)}`)?.local).toBe("z".repeat(16));
  });
});

describe("the number behind an id of the Dialer", () => {
  test("H37 comes back from every id that was made of one", () => {
    for (const kind of ["tsk", "cmp", "cal"] as const) {
      for (const key of [1, 35, 36, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        expect(localKey(kind, OURS, makeId(kind, OURS, key))).toBe(key);
      }
    }
  });

  test("H37 is not told of another workspace's id, of another kind, or of no id", () => {
    expect(localKey("tsk", OURS, makeId("tsk", THEIRS, 7))).toBeNull();
    expect(localKey("tsk", OURS, makeId("cal", OURS, 7))).toBeNull();
    expect(localKey("tsk", OURS, "7")).toBeNull();
  });

  test.each([
    "0",
    "01",
    "zzzzzzzzzzzzzzzz",
    Number.MAX_SAFE_INTEGER.toString(36).replace("2", "3"),
  ])("H37 has one spelling and is a whole number above 0: not %j", (local) => {
    expect(localKey("tsk", OURS, makeId("tsk", OURS, local))).toBeNull();
  });
});
