import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Refusal } from "./refusal.tsx";

type Props = {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The button that does it. */
  deed: string;
  /** What has to be typed first, for what nobody can take back. */
  typed?: { label: string; text: string };
  pending: boolean;
  error: Error | null;
  confirm: () => void;
  close: () => void;
};

/** Asks before something is done that cannot be undone by a click. */
export function Confirm(props: Props) {
  const { title, children, deed, typed, pending, error, confirm, close } = props;
  const [text, setText] = useState("");
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
      >
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          {typed !== undefined && (
            <TextInput
              label={typed.label}
              value={text}
              onChange={({ currentTarget }) => setText(currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          <Refusal error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus={typed === undefined}>
              Cancel
            </Button>
            <Button
              type="submit"
              color="red"
              loading={pending}
              disabled={typed !== undefined && text.trim() !== typed.text}
            >
              {deed}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
