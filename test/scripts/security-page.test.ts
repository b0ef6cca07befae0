import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MAY, PERMISSIONS, ROLES, SCOPE_MAY, SCOPES } from "../../src/core/access.ts";

const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");

/** The rows of the table that begins with this head, without their second cell where it is prose. */
function rowsUnder(head: string): string[][] {
  const [, after = ""] = page.split(`${head}\n`);
  const [table = ""] = after.split("\n\n");
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

test("docs/security.md has core's table of roles", () => {
  const marks = { yes: "✓", grant: "by grant", no: "" };
  const rows = rowsUnder(`| may | what | ${ROLES.join(" | ")} |`);
  expect(rows.map(([may, , ...cells]) => [may, ...cells])).toEqual(
    PERMISSIONS.map((one) => [`\`${one}\``, ...ROLES.map((role) => marks[MAY[one][role]])]),
  );
});

test("docs/security.md has core's table of scopes", () => {
  expect(rowsUnder("| scope of a key | may |")).toEqual(
    SCOPES.map((scope) => {
      return [`\`${scope}\``, SCOPE_MAY[scope].map((one) => `\`${one}\``).join(", ")];
    }),
  );
});
