import { Code, Tabs, Text } from "@mantine/core";
import { previewOf } from "../form-draft.ts";
import { CopyIcon } from "./signs.tsx";

const WORDS = {
  new: "It gets its address once it is made.",
  changed: "Save it first: this text of consent has no version yet.",
  made: "It works as it stands; the script keeps people on the page. There is no secret in it.",
};

/** The form as a page without any style shows it, and the text to paste. */
export function FormSnippet({ snippet, state }: { snippet: string; state: keyof typeof WORDS }) {
  return (
    <Tabs defaultValue="preview">
      <Tabs.List>
        <Tabs.Tab value="preview">Preview</Tabs.Tab>
        <Tabs.Tab value="paste">To paste</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="preview" pt="sm">
        <iframe
          className="form-preview"
          title="Preview of the form"
          sandbox=""
          srcDoc={previewOf(snippet)}
        />
        <Text size="xs" className="quiet">
          Your page gives it its look. Nothing is sent from here.
        </Text>
      </Tabs.Panel>
      <Tabs.Panel value="paste" pt="sm">
        <div style={{ position: "relative" }}>
          <Code
            block
            tabIndex={0}
            aria-label="The form as HTML"
            style={{ paddingRight: 44, whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
          >
            {snippet}
          </Code>
          {state === "made" && (
            <div style={{ position: "absolute", top: 8, right: 8 }}>
              <CopyIcon text={snippet} what="the form" />
            </div>
          )}
        </div>
        <Text size="xs" mt={4} className="quiet">
          {WORDS[state]}
        </Text>
      </Tabs.Panel>
    </Tabs>
  );
}
