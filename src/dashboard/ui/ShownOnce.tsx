import { Alert, Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** A secret that nobody can ask for again. */
export function ShownOnce(props: {
  title: string;
  what: string;
  text: string;
  children: ReactNode;
}) {
  return (
    <Stack>
      <Alert color="orange" title={props.title} role="status">
        <Text size="sm">{props.children}</Text>
      </Alert>
      <Code
        block
        aria-label={props.what}
        tabIndex={0}
        style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}
      >
        {props.text}
      </Code>
      <Group>
        <CopyButton value={props.text}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              onClick={copy}
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            >
              {copied ? "Copied" : `Copy ${props.what}`}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  );
}
