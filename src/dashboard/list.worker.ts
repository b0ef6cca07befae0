import type { PhoneReading } from "../core/phone.ts";
import { readList } from "./list.ts";

/** Reads a list beside the page, so that a large one does not make it stand still. */
addEventListener("message", ({ data }: MessageEvent<{ file: Blob; how: PhoneReading }>) => {
  void readList(data.file, data.how, (told) => postMessage(told));
});
