import { Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import "@mantine/dropzone/styles.css";
import { IconFileSpreadsheet } from "@tabler/icons-react";

/** Takes a CSV: dropped, or chosen by a click or the Enter key. */
export function ListDrop(props: {
  file: File | null;
  take: (file: File) => void;
  disabled?: boolean;
}) {
  const { file, take, disabled = false } = props;
  return (
    <Dropzone
      onDrop={([first]) => first !== undefined && take(first)}
      multiple={false}
      disabled={disabled}
      p="lg"
      radius="md"
      aria-label="Drop a CSV here, or choose one"
      inputProps={{ "aria-label": "CSV file" }}
    >
      <div className="drop">
        <IconFileSpreadsheet size={28} stroke={1.5} aria-hidden />
        <div>
          <Text fw={550}>{file === null ? "Drop a CSV here, or choose one" : file.name}</Text>
          <Text size="sm" className="quiet">
            {file === null
              ? "The first column is called phone; the others fill the agent's prompt."
              : "Drop or choose another one to take its place."}
          </Text>
        </div>
      </div>
    </Dropzone>
  );
}
