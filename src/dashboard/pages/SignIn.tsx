import {
  Alert,
  Button,
  Group,
  PasswordInput,
  PinInput,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { auth } from "../api.ts";
import * as queries from "../queries.ts";
import { TextLink } from "../ui/links.tsx";
import { Plain } from "../ui/Plain.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Elsewhere } from "./Elsewhere.tsx";
import { Go } from "./Go.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/sign-in");

/** What an account elsewhere was refused for. */
const REFUSALS: Readonly<Record<string, string>> = {
  not_invited: "This account's address was not invited, or is not confirmed there.",
  account_not_linked: "This account's address is not confirmed: sign in by your password.",
  access_denied: "You did not let the account tell us who you are.",
};

/** Only a page of ours: never another site's. */
function pageOf(to: string | undefined): string {
  if (!to?.startsWith("/") || !URL.canParse(to, location.origin)) return "/";
  const { origin, pathname, search, hash } = new URL(to, location.origin);
  return origin === location.origin ? pathname + search + hash : "/";
}

/** Email and password, then the second factor of whoever has one. */
export function SignIn() {
  useTitle("Sign in");
  const [step, setStep] = useState<"password" | "code" | "backup">("password");
  const { to, error } = route.useSearch();
  const router = useRouter();
  const client = useQueryClient();
  const me = useQuery({ ...queries.me(), retry: false });
  const setup = useQuery({ ...queries.setup(), retry: false });

  const enter = async () => {
    client.clear();
    await client.fetchQuery(queries.me());
    router.history.push(pageOf(to));
  };
  const password = useMutation({
    mutationFn: (form: { email: string; password: string }) =>
      auth<{ twoFactorRedirect?: boolean }>("/sign-in/email", form),
    onSuccess: async ({ twoFactorRedirect }) => {
      if (twoFactorRedirect === true) setStep("code");
      else await enter();
    },
  });
  const second = useMutation({
    mutationFn: (code: string) =>
      auth(step === "code" ? "/two-factor/verify-totp" : "/two-factor/verify-backup-code", {
        code,
      }),
    onSuccess: enter,
  });

  // What the card holds depends on it: nothing moves under a finger once it is there.
  if (setup.isPending) return null;
  if (setup.data?.open) return <Go to="/setup" />;
  // What was read before an end of the session does not count.
  if (me.isSuccess && password.isIdle) return <Go to="/" />;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    password.mutate({ email: String(form.get("email")), password: String(form.get("password")) });
  };
  if (step === "password") {
    return (
      <Plain title="Sign in">
        {error !== undefined && (
          <Alert color="orange" mb="md" role="status">
            {REFUSALS[error] ?? "That did not work: try again."}
          </Alert>
        )}
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              name="email"
              type="email"
              label="Email"
              autoComplete="username"
              required
              withAsterisk={false}
              autoFocus
            />
            <PasswordInput
              name="password"
              label="Password"
              autoComplete="current-password"
              required
              withAsterisk={false}
            />
            <Refusal error={password.error} />
            <Button type="submit" loading={password.isPending}>
              Sign in
            </Button>
            <TextLink to="/forgot-password" size="sm">
              Forgotten your password?
            </TextLink>
            <Elsewhere to={pageOf(to)} />
          </Stack>
        </form>
      </Plain>
    );
  }
  return (
    <Plain
      title="Second factor"
      lead={
        step === "code"
          ? "The six digits that your authenticator app shows now."
          : "One of the recovery codes that you kept."
      }
    >
      <Stack>
        {step === "code" ? (
          <Group justify="center">
            <PinInput
              length={6}
              type="number"
              oneTimeCode
              autoFocus
              aria-label="Code"
              disabled={second.isPending}
              onComplete={(code) => second.mutate(code)}
            />
          </Group>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              second.mutate(String(new FormData(event.currentTarget).get("code")).trim());
            }}
          >
            <Stack>
              <TextInput name="code" label="Recovery code" autoComplete="off" autoFocus required />
              <Button type="submit" loading={second.isPending}>
                Sign in
              </Button>
            </Stack>
          </form>
        )}
        <Refusal error={second.error} />
        <Button
          variant="subtle"
          size="sm"
          onClick={() => {
            second.reset();
            setStep(step === "code" ? "backup" : "code");
          }}
        >
          {step === "code" ? "Use a recovery code" : "Use the app's code"}
        </Button>
        <Text size="xs" className="quiet" ta="center">
          Recovery codes work once each.
        </Text>
      </Stack>
    </Plain>
  );
}
