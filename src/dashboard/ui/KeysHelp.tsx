import { Kbd, Modal } from "@mantine/core";

const KEYS: [string[], string][] = [
  [["/"], "Search what is listed"],
  [["j"], "Next row"],
  [["k"], "Row before"],
  [["Enter"], "Open the row"],
  [["Esc"], "Close what is open"],
  [["?"], "Show these keys"],
];

/** Every key that does something. */
export function KeysHelp({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Keys"
      size="sm"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <dl className="facts keys">
        {KEYS.map(([keys, does]) => (
          <div key={does} style={{ display: "contents" }}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
