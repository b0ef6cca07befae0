import { describe, expect, test } from "vitest";
import { RowStream, readHeader, readRow } from "../../src/core/csv.ts";

/** Apart from the other tests of files: with every statement counted, as mutation testing does, these take minutes. */
describe("H6 H7 the rows of a large file", () => {
  test.each([
    ["a quote that never closes", 'phone,a\n+1,"x\n', "+2,b\n"],
    ["a quote on every line", "phone,a\n", '"x\n'],
    ["quotes that close and open on every line", "phone,a\n", 'y","x\n'],
    ["nothing but quotes", "", '"'],
    ["pairs of quotes", '"', '""'],
  ])(
    "of 8 MB with %s come in linear time",
    (_, head, repeated) => {
      const text = head + repeated.repeat(8e6 / repeated.length);
      let rows = 0;
      const stream = new RowStream(",");
      for (let at = 0; at < text.length; at += 16_384)
        rows += stream.push(text.slice(at, at + 16_384)).length;
      expect(rows + stream.end().length).toBeGreaterThan(0);
    },
    20_000,
  );

  test("of 8 MB pushed letter by letter come in linear time", () => {
    const stream = new RowStream(",");
    stream.push('"');
    for (let n = 0; n < 4e6; n++) stream.push('""');
    expect(stream.end()).toHaveLength(1);
  }, 20_000);

  test("number 100,000 and are all read, once and in order", () => {
    const stream = new RowStream(",");
    const header = readHeader(["phone", "name", "amount"]);
    if (!header.ok) throw new Error("bad header");
    const rows = Array.from({ length: 100_000 }, (_, n) =>
      stream.push(`+9190${String(n).padStart(8, "0")},"Name ${n}, Esq.",${n}\r\n`),
    ).flat();
    rows.push(...stream.end());
    expect(rows).toHaveLength(100_000);
    rows.forEach((row, n) => {
      const read = readRow(header.value, row.cells);
      if (!read.ok || read.context.amount !== String(n) || row.line !== n + 1) {
        expect({ n, row, read }).toBeNull();
      }
    });
  });

  test("keep of a line with millions of cells what could be a row", () => {
    const stream = new RowStream(",");
    stream.push(`phone,a\n+919876540001,${"ab,".repeat(3_000_000)}`);
    expect(stream.end().map((row) => row.cells.length)).toEqual([10_000]);
  });
});
