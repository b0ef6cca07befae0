import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "../ui/Confirm.tsx";
import { CopyId } from "../ui/signs.tsx";
import { useDeed } from "./deed.ts";

/** The foot of something that was set up: its id, and its end. */
export function Delete(props: {
  noun: string;
  name: string;
  id: string;
  ask: () => Promise<unknown>;
  close: () => void;
}) {
  const { noun, name, id, ask, close } = props;
  const [asking, setAsking] = useState(false);
  const remove = useDeed({ ask, said: () => `Deleted: ${name}`, done: close });
  return (
    <Group justify="space-between">
      <CopyId id={id} what={`the ${noun}'s id`} />
      <Button variant="subtle" color="red" onClick={() => setAsking(true)}>
        Delete …
      </Button>
      {asking && (
        <Confirm
          title={`Delete ${name}?`}
          deed="Delete"
          pending={remove.isPending}
          error={remove.error}
          confirm={() => remove.mutate()}
          close={() => setAsking(false)}
        >
          What was called with this {noun} stays as it is. While something that goes on uses it, it
          cannot be deleted.
        </Confirm>
      )}
    </Group>
  );
}
