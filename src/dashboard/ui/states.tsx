import { Alert, Button, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCloudOff } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** What stands where something is still on its way: as large as what will come. */
export function Loading({ rows = 5, height = 44 }: { rows?: number; height?: number }) {
  return (
    <Stack gap="xs" role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <Skeleton key={index} height={height} radius="md" />
      ))}
    </Stack>
  );
}

/** Nothing there: says so, and what leads on. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="sm" py={64} px="md">
      <Title order={2} size="h4" ta="center">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

/** What went wrong, in the server's words, and the way to try again. */
export function Broken({ error, again }: { error: Error; again?: (() => void) | undefined }) {
  const id = "requestId" in error && typeof error.requestId === "string" ? error.requestId : null;
  return (
    <Alert icon={<IconAlertTriangle />} color="red" title={error.message} my="md" role="alert">
      <Stack align="flex-start" gap="xs">
        {id !== null && <Text size="xs">Request {id}</Text>}
        {again !== undefined && (
          <Button size="xs" variant="default" onClick={again}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** Over what was read before: it is old now, and says so. */
export function Offline() {
  return (
    <Alert icon={<IconCloudOff />} color="orange" py="xs" mb="md" role="status">
      The server does not answer: what you see is as it was last. Trying again …
    </Alert>
  );
}
