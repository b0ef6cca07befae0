import { Button, Divider } from "@mantine/core";
import { IconBrandGithub, IconBrandGoogle } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { auth } from "../api.ts";
import * as queries from "../queries.ts";
import type { Account } from "../things.ts";
import { Refusal } from "../ui/refusal.tsx";

const LOOKS: Readonly<Record<Account, { name: string; Icon: typeof IconBrandGithub }>> = {
  github: { name: "GitHub", Icon: IconBrandGithub },
  google: { name: "Google", Icon: IconBrandGoogle },
};

/** Signing in by an account elsewhere, where this deployment has that set up; leads to `to`. */
export function Elsewhere({ to }: { to: string }) {
  const setup = useQuery({ ...queries.setup(), retry: false });
  const leave = useMutation({
    mutationFn: (provider: Account) =>
      auth<{ url: string }>("/sign-in/social", { provider, callbackURL: to }),
    onSuccess: ({ url }) => location.assign(url),
  });
  const accounts = setup.data?.accounts ?? [];
  if (accounts.length === 0) return null;
  return (
    <>
      <Divider label="or" />
      {accounts.map((account) => {
        const { name, Icon } = LOOKS[account];
        return (
          <Button
            key={account}
            variant="default"
            leftSection={<Icon size={18} />}
            loading={leave.isPending && leave.variables === account}
            onClick={() => leave.mutate(account)}
          >
            Continue with {name}
          </Button>
        );
      })}
      <Refusal error={leave.error} />
    </>
  );
}
