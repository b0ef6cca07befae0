import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";

/** A change of what was set up: says that it is done, and all that is shown is read again. */
export function useDeed<I = void, O = unknown>(how: {
  ask: (input: I) => Promise<O>;
  /** What is said when it is done; nothing where the page itself shows it. */
  said?: (reply: O, input: I) => string;
  done?: (reply: O, input: I) => void;
}) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: how.ask,
    onSuccess: (reply, input) => {
      void client.invalidateQueries();
      if (how.said !== undefined) notifications.show({ message: how.said(reply, input) });
      how.done?.(reply, input);
    },
  });
}
