import { Alert, Button, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import type { RowReason } from "../../core/csv.ts";
import type { Import } from "../things.ts";
import { count, counted, ROW_REASON } from "../words.ts";
import { When } from "./signs.tsx";

/** One upload: how far it is, what became of its rows, and the file to mend. */
export function ImportView({
  file,
  zone,
  download,
}: {
  file: Import;
  zone: string;
  download: string | null;
}) {
  const share = file.rows === 0 ? 100 : (100 * file.rowsRead) / file.rows;
  const reasons = Object.entries(file.rejected) as [RowReason, number][];
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Text fw={600} className="cut">
            {file.fileName ?? "Without a name"}
          </Text>
          <Text size="sm" className="quiet">
            <When at={file.createdAt} zone={zone} />
          </Text>
        </Group>
        {file.status === "running" && <Progress value={share} aria-label="Rows read" animated />}
        <Text size="sm" className="numbers" role="status">
          {file.status === "running"
            ? `${count(file.rowsRead)} of ${counted(file.rows, "row")} read`
            : `${counted(file.rowsTaken, "row")} of ${count(file.rows)} became tasks`}
          {file.rejectedCount > 0 && `, ${count(file.rejectedCount)} rejected`}
        </Text>
        {file.note !== null && (
          <Alert color={file.status === "failed" ? "red" : "orange"} py="xs">
            {file.note}
          </Alert>
        )}
        {file.missingPlaceholders.length > 0 && (
          <Alert color="orange" py="xs">
            The agent's prompt uses {file.missingPlaceholders.join(", ")}, and no column fills it:
            it stays empty.
          </Alert>
        )}
        {reasons.length > 0 && (
          <dl className="facts">
            {reasons.map(([reason, rows]) => (
              <div key={reason} style={{ display: "contents" }}>
                <dt className="numbers">{counted(rows, "row")}</dt>
                <dd>{ROW_REASON[reason]}</dd>
              </div>
            ))}
          </dl>
        )}
        {file.rejectedCount > 0 && file.status !== "running" && (
          <Group gap="xs">
            <Button
              component="a"
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} />}
              {...(download === null ? { disabled: true } : { href: download, download: true })}
            >
              Rejected rows as CSV
            </Button>
            <Text size="xs" className="quiet">
              {download === null
                ? "Needs a grant: it holds full numbers."
                : "Mend it and upload it again: what was taken stays."}
            </Text>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}
