import { Button, Drawer, Group, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { Refusal } from "./refusal.tsx";

/** A drawer over a list. */
export function Panel(props: { title: ReactNode; close: () => void; children: ReactNode }) {
  return (
    <Drawer
      opened
      onClose={props.close}
      position="right"
      size="lg"
      title={props.title}
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={{ duration: 120 }}
    >
      {props.children}
    </Drawer>
  );
}

/** A form with its refusal and its buttons; `beside` are the fields that say themselves what is wrong. */
export function Form(props: {
  submit: () => void;
  deed: string;
  pending: boolean;
  error: Error | null;
  beside: string[];
  children: ReactNode;
  /** Stands beside the button. */
  also?: ReactNode;
  disabled?: boolean;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        props.submit();
      }}
    >
      <Stack>
        {props.children}
        <Refusal error={props.error} beside={props.beside} />
        <Group>
          <Button type="submit" loading={props.pending} disabled={props.disabled === true}>
            {props.deed}
          </Button>
          {props.also}
        </Group>
      </Stack>
    </form>
  );
}
