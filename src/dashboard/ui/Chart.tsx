import "../settings.css";
import { BarChart } from "@mantine/charts";
import "@mantine/charts/styles.css";
import { Paper, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { count } from "../words.ts";

export type Series = { name: string; label: string; color: string };
/** One bar: what stands below it, and a number for each series. */
export type Bar = { label: string } & Record<string, number | string>;

/**
 * Bars with the same numbers as a table below: the picture is for the eye alone. Nothing is drawn
 * of a series that has no bar.
 */
export function Chart(props: {
  title: string;
  lead: ReactNode;
  /** What a bar stands for: the first column of the table. */
  of: string;
  bars: Bar[];
  series: Series[];
  unit?: string;
}) {
  const { title, lead, of, bars, series, unit } = props;
  const used = series.filter(({ name }) => bars.some((bar) => Number(bar[name] ?? 0) > 0));
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Title order={2} size="h5">
        {title}
      </Title>
      <Text size="sm" className="quiet" mb="sm">
        {lead}
      </Text>
      {used.length === 0 ? (
        <Text size="sm" className="quiet" py="xl" ta="center">
          Nothing to draw yet
        </Text>
      ) : (
        <>
          <div aria-hidden>
            <BarChart
              h={220}
              data={bars}
              dataKey="label"
              type="stacked"
              series={used}
              withLegend={used.length > 1}
              tickLine="none"
              gridAxis="x"
              valueFormatter={(value) => `${count(value)}${unit ?? ""}`}
              yAxisProps={{ width: 56, allowDecimals: false }}
              maxBarWidth={44}
              barProps={{ isAnimationActive: false }}
              barChartProps={{ accessibilityLayer: false }}
              tooltipAnimationDuration={0}
            />
          </div>
          <details className="numbers">
            <summary className="set-summary">The numbers</summary>
            <Table.ScrollContainer minWidth={240}>
              <Table fz="sm" aria-label={title}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{of}</Table.Th>
                    {used.map(({ name, label }) => (
                      <Table.Th key={name}>{label}</Table.Th>
                    ))}
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {bars.map((bar) => (
                    <Table.Tr key={bar.label}>
                      <Table.Th>{bar.label}</Table.Th>
                      {used.map(({ name }) => (
                        <Table.Td
                          key={name}
                        >{`${count(Number(bar[name] ?? 0))}${unit ?? ""}`}</Table.Td>
                      ))}
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          </details>
        </>
      )}
    </Paper>
  );
}
