import { describe, expect, it } from "vitest";
import {
  MAY,
  mayOfRole,
  mayOfScopes,
  PERMISSIONS,
  type Permission,
  ROLES,
  SCOPE_MAY,
  SCOPES,
  scopesBeyond,
} from "../../src/core/access.ts";
import { PROMISED, PROMISED_SCOPES } from "../walls/table.ts";

describe("H37 who may do what", () => {
  it("is what was promised, for each role and each scope", () => {
    expect(MAY).toEqual(PROMISED);
    expect(SCOPE_MAY).toEqual(PROMISED_SCOPES);
    expect(Object.keys(MAY)).toEqual([...PERMISSIONS]);
    expect(Object.keys(MAY.see)).toEqual([...ROLES]);
    expect(Object.keys(SCOPE_MAY)).toEqual([...SCOPES]);
  });

  it("of a role is what its column says, and what it was granted where the column lets it", () => {
    for (const role of ROLES) {
      for (const granted of [[], ["see_personal"], [...PERMISSIONS]] as Permission[][]) {
        const expected = PERMISSIONS.filter((permission) => {
          const answer = PROMISED[permission][role];
          return answer === "yes" || (answer === "grant" && granted.includes(permission));
        });
        expect([...mayOfRole(role, granted)]).toEqual(expected);
      }
    }
    expect(mayOfRole("viewer", []).has("see_personal")).toBe(false);
    expect(mayOfRole("viewer", ["see_personal", "run"])).toEqual(new Set(["see", "see_personal"]));
  });

  it("of a key is the sum of its scopes; one that nobody knows gives nothing", () => {
    for (const one of SCOPES) {
      for (const other of SCOPES) {
        const sum = new Set([...PROMISED_SCOPES[one], ...PROMISED_SCOPES[other]]);
        expect(mayOfScopes([one, other])).toEqual(sum);
      }
    }
    for (const unknown of [[], ["everything"], ["toString"], ["Read"], [""]]) {
      expect(mayOfScopes(unknown)).toEqual(new Set());
    }
    expect(mayOfScopes(["everything", "read"])).toEqual(new Set(["see", "see_personal"]));
  });

  it("names the scopes that would do more than their maker may", () => {
    for (const role of ROLES) {
      const may = mayOfRole(role, []);
      const beyond = SCOPES.filter((scope) =>
        PROMISED_SCOPES[scope].some((permission) => !may.has(permission)),
      );
      expect(scopesBeyond(SCOPES, may)).toEqual(beyond);
    }
    expect(scopesBeyond(SCOPES, mayOfRole("owner", []))).toEqual([]);
    expect(scopesBeyond(SCOPES, mayOfRole("admin", []))).toEqual(["*"]);
    expect(scopesBeyond(SCOPES, mayOfRole("operator", []))).toEqual(["*", "admin"]);
    expect(scopesBeyond(SCOPES, mayOfRole("viewer", []))).toEqual([...SCOPES]);
  });
});
