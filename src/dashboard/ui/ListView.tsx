import { Alert, Stack, Table, Text } from "@mantine/core";
import type { RowReason } from "../../core/csv.ts";
import { type ListReading, nearestColumn } from "../list.ts";
import { counted, ROW_REASON } from "../words.ts";

/** What a list comes to before anything of it is uploaded. */
export function ListView({
  reading,
  placeholders,
}: {
  reading: ListReading;
  placeholders: string[];
}) {
  const { columns, rows, good, rejected, problems, sample } = reading;
  const reasons = Object.entries(rejected) as [RowReason, number][];
  const missing = placeholders.filter((name) => !columns.includes(name));
  return (
    <Stack gap="sm">
      <Text fw={600} role="status">
        {counted(good, "number")} to call of {counted(rows, "row")}
      </Text>
      {missing.map((name) => {
        const near = nearestColumn(name, columns);
        return (
          <Alert key={name} color="orange" py="xs">
            The agent's prompt uses {name}, and no column is called that: it stays empty.
            {near !== null && ` Rename the column ${near} if that is meant.`}
          </Alert>
        );
      })}
      {reasons.length > 0 && (
        <Alert color="orange" title={`${counted(rows - good, "row")} will be rejected`}>
          <dl className="facts">
            {reasons.map(([reason, times]) => (
              <div key={reason} style={{ display: "contents" }}>
                <dt className="numbers">{counted(times, "row")}</dt>
                <dd>{ROW_REASON[reason]}</dd>
              </div>
            ))}
          </dl>
          <Text size="sm" mt="xs">
            {problems
              .slice(0, 5)
              .map(({ line, cells }) => `line ${line}: ${cells[0] || "nothing"}`)
              .join(" · ")}
          </Text>
        </Alert>
      )}
      <Table.ScrollContainer minWidth={320}>
        <Table fz="sm" aria-label="The first rows">
          <Table.Thead>
            <Table.Tr>
              {["phone", ...columns].slice(0, 8).map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sample.map((cells) => (
              <Table.Tr key={cells.join("\t")}>
                {cells.map((cell, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its column
                  <Table.Td key={at}>{cell}</Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
