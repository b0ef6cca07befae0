import { Center, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** A page for whoever is not signed in: one card. */
export function Plain(props: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={400} gap="lg">
        <img src="/favicon.svg" alt="outdial" width={40} height={40} />
        <div>
          <Title order={1} size="h2">
            {props.title}
          </Title>
          {props.lead !== undefined && (
            <Text mt={4} className="quiet">
              {props.lead}
            </Text>
          )}
        </div>
        <Paper withBorder p="lg">
          {props.children}
        </Paper>
      </Stack>
    </Center>
  );
}
