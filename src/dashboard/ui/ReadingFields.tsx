import { Group, Select } from "@mantine/core";
import { COUNTRIES, READINGS, type Reading } from "../reading.ts";

/** How a list's numbers without `+` are read. */
export function ReadingFields(props: { reading: Reading; set: (reading: Reading) => void }) {
  const { reading, set } = props;
  return (
    <Group align="flex-end" gap="sm">
      <Select
        label="Numbers without +"
        allowDeselect={false}
        style={{ flex: "1 1 260px", maxWidth: 380 }}
        value={reading.numbers}
        onChange={(value) => set({ ...reading, numbers: (value ?? "e164") as Reading["numbers"] })}
        data={READINGS}
      />
      {reading.numbers === "country" && (
        <Select
          label="Country"
          placeholder="Choose one"
          searchable
          style={{ flex: "1 1 160px", maxWidth: 240 }}
          value={reading.country === "" ? null : reading.country}
          onChange={(value) => set({ ...reading, country: value ?? "" })}
          data={COUNTRIES}
        />
      )}
    </Group>
  );
}
