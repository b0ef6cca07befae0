import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** The head of a page of settings: what it is for, and what one adds there. */
export function Head(props: {
  title: string;
  /** Of the title, for what is named by it. */
  id?: string;
  lead: ReactNode;
  children?: ReactNode;
}) {
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <div style={{ flex: "1 1 280px", maxWidth: 640 }}>
        <Title order={2} size="h3" id={props.id}>
          {props.title}
        </Title>
        <Text size="sm" mt={4} className="quiet">
          {props.lead}
        </Text>
      </div>
      {props.children}
    </Group>
  );
}

/** Something on a page that stands by itself. */
export function Card(props: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" component="section" aria-label={props.title}>
      <Stack>
        <div>
          <Title order={3} size="h5">
            {props.title}
          </Title>
          {props.lead !== undefined && (
            <Text size="sm" mt={2} className="quiet">
              {props.lead}
            </Text>
          )}
        </div>
        {props.children}
      </Stack>
    </Paper>
  );
}
