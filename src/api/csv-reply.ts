import Papa from "papaparse";
import { logFault } from "../shell/faults.ts";

/** A CSV that is streamed piece by piece; what goes wrong on the way breaks the transfer. */
export function csvReply(fileName: string, pieces: AsyncGenerator<string, void>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await pieces.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      } catch (error) {
        // The status has gone out: a broken transfer is the only way left to say so.
        logFault("download", error, { fileName });
        controller.error(error);
      }
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "no-store",
    },
  });
}

/** Cells that a spreadsheet runs, but for `+` and digits alone (H7). */
const FORMULA = /^(?!\+\d+$)[=+\-@\t\r]/;

/** Lines of a CSV that is read by people: no cell is a formula. */
export function csvText(rows: string[][]): string {
  return `${Papa.unparse(rows, { escapeFormulae: FORMULA, newline: "\r\n" })}\r\n`;
}
