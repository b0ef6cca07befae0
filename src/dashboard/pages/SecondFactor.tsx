import { Button, CopyButton, Group, PasswordInput, PinInput, Stack, Text } from "@mantine/core";
import { IconDownload, IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { auth } from "../api.ts";
import { Panel } from "../ui/Panel.tsx";
import { QrCode } from "../ui/QrCode.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Card } from "../ui/Section.tsx";
import { CopyIcon } from "../ui/signs.tsx";

type Doing = "enable" | "disable" | "codes" | null;

/** A code of an app beside the password: switched on, off, and its recovery codes made anew. */
export function SecondFactor({ isOn }: { isOn: boolean }) {
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  return (
    <Card
      title="Second factor"
      lead="Six digits from an authenticator app, asked for beside your password at each sign-in."
    >
      {isOn ? (
        <>
          <Group gap={6}>
            <IconShieldCheck size={18} aria-hidden />
            <Text size="sm">It is on.</Text>
          </Group>
          <Group>
            <Button variant="default" onClick={() => setDoing("codes")}>
              New recovery codes …
            </Button>
            <Button variant="outline" color="red" onClick={() => setDoing("disable")}>
              Switch it off …
            </Button>
          </Group>
        </>
      ) : (
        <div>
          <Button onClick={() => setDoing("enable")}>Switch it on …</Button>
        </div>
      )}
      {doing === "enable" && <Enable close={close} />}
      {doing === "codes" && <NewCodes close={close} />}
      {doing === "disable" && <Disable close={close} />}
    </Card>
  );
}

type Enrolment = { totpURI: string; backupCodes: string[] };

/** Password, then the app's code, then the recovery codes: on only once the app has shown a right code. */
function Enable({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [confirmed, setConfirmed] = useState(false);
  const start = useMutation({
    mutationFn: (password: string) => auth<Enrolment>("/two-factor/enable", { password }),
  });
  const verify = useMutation({
    mutationFn: (code: string) => auth("/two-factor/verify-totp", { code }),
    onSuccess: () => setConfirmed(true),
  });
  const done = () => {
    void client.invalidateQueries({ queryKey: ["me"] });
    close();
  };
  const enrolment = start.data;
  return (
    <Panel title="Switch the second factor on" close={confirmed ? done : close}>
      {enrolment === undefined ? (
        <AskPassword
          deed="Go on"
          pending={start.isPending}
          error={start.error}
          submit={start.mutate}
        />
      ) : confirmed ? (
        <Codes codes={enrolment.backupCodes} done={done}>
          It is on. Each of these lets you in once, should your phone be lost: keep them apart from
          it. Nobody can show them again.
        </Codes>
      ) : (
        <Scan
          uri={enrolment.totpURI}
          verify={verify.mutate}
          pending={verify.isPending}
          error={verify.error}
        />
      )}
    </Panel>
  );
}

function Scan(props: {
  uri: string;
  verify: (code: string) => void;
  pending: boolean;
  error: Error | null;
}) {
  const [code, setCode] = useState("");
  const secret = new URL(props.uri).searchParams.get("secret") ?? "";
  return (
    <Stack>
      <Text size="sm">Scan this with your authenticator app, or type the secret into it.</Text>
      <QrCode text={props.uri} label="QR code for the authenticator app" />
      <Group gap={4} wrap="nowrap">
        <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }} data-testid="secret">
          {secret}
        </Text>
        <CopyIcon text={secret} what="the secret" />
      </Group>
      <Text size="sm" fw={500}>
        Then type the six digits that it shows
      </Text>
      <PinInput
        length={6}
        type="number"
        oneTimeCode
        aria-label="Code"
        disabled={props.pending}
        value={code}
        onChange={setCode}
        onComplete={(whole) => {
          props.verify(whole);
          setCode("");
        }}
      />
      <Refusal error={props.error} />
    </Stack>
  );
}

function NewCodes({ close }: { close: () => void }) {
  const renew = useMutation({
    mutationFn: (password: string) =>
      auth<{ backupCodes: string[] }>("/two-factor/generate-backup-codes", { password }),
  });
  return (
    <Panel title="New recovery codes" close={close}>
      {renew.data === undefined ? (
        <Stack>
          <Text size="sm">The codes that you have stop working.</Text>
          <AskPassword
            deed="Make new codes"
            pending={renew.isPending}
            error={renew.error}
            submit={renew.mutate}
          />
        </Stack>
      ) : (
        <Codes codes={renew.data.backupCodes} done={close}>
          Each lets you in once, should your phone be lost. Nobody can show them again.
        </Codes>
      )}
    </Panel>
  );
}

function Disable({ close }: { close: () => void }) {
  const client = useQueryClient();
  const disable = useMutation({
    mutationFn: (password: string) => auth("/two-factor/disable", { password }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["me"] });
      close();
    },
  });
  return (
    <Panel title="Switch the second factor off" close={close}>
      <Stack>
        <Text size="sm">Then your password alone lets you in.</Text>
        <AskPassword
          deed="Switch it off"
          pending={disable.isPending}
          error={disable.error}
          submit={disable.mutate}
        />
      </Stack>
    </Panel>
  );
}

function AskPassword(props: {
  deed: string;
  pending: boolean;
  error: Error | null;
  submit: (password: string) => void;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        props.submit(String(new FormData(event.currentTarget).get("password")));
      }}
    >
      <Stack>
        <PasswordInput
          name="password"
          label="Your password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus
        />
        <Refusal error={props.error} />
        <div>
          <Button type="submit" loading={props.pending}>
            {props.deed}
          </Button>
        </div>
      </Stack>
    </form>
  );
}

function Codes(props: { codes: string[]; done: () => void; children: React.ReactNode }) {
  const text = `${props.codes.join("\n")}\n`;
  return (
    <Stack>
      <Text size="sm">{props.children}</Text>
      <ul className="plain-list codes" aria-label="Recovery codes">
        {props.codes.map((code) => (
          <li key={code}>
            <Text span size="sm" ff="monospace">
              {code}
            </Text>
          </li>
        ))}
      </ul>
      <Group>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
        <Button
          component="a"
          variant="default"
          leftSection={<IconDownload size={16} />}
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          download="outdial-recovery-codes.txt"
        >
          Download
        </Button>
      </Group>
      <div>
        <Button onClick={props.done}>I have them</Button>
      </div>
    </Stack>
  );
}
